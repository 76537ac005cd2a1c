"""One breaker per account: while a channel fails, turns skip the hopeless first try and leave it to the sweeper."""

from __future__ import annotations

from chalicelib.small_classes import dataclass

FAILURES_TO_OPEN = 3
FAILURES_COUNTED_MAX = 20  # by then the pause is the longest
OPEN_SECONDS_FIRST = 5.0
OPEN_SECONDS_MAX = 60.0


@dataclass(slots=True)
class _State:
    failures: int = 0
    open_until: float = 0.0


_states: dict[str, _State] = {}


def open_until(account: str, now: float) -> float | None:
    """Until when this account should not be called; None when it may be. `now` by the product's clock."""
    state = _states.get(account)
    if state is None or state.open_until <= now or state.open_until > now + OPEN_SECONDS_MAX:
        return None
    return state.open_until


def failed(account: str, now: float, *, at_once: bool = False) -> None:
    """Count a failure of the account as a whole; `at_once` opens without waiting for more (token refused)."""
    state = _states.setdefault(account, _State())
    state.failures = min(max(state.failures + 1, FAILURES_TO_OPEN if at_once else 0), FAILURES_COUNTED_MAX)
    over = state.failures - FAILURES_TO_OPEN
    if over >= 0:
        state.open_until = now + min(OPEN_SECONDS_MAX, OPEN_SECONDS_FIRST * 2**over)


def succeeded(account: str) -> None:
    _states.pop(account, None)
