"""How often an account calls Viber, all processes together: Viber takes 500 calls in any ten seconds.

Few accounts ever come near, so a process that hardly speaks for one asks nobody. Beyond a few calls in ten seconds, and
for whatever is late already, it draws from a bucket stored once, by the handful. Where that is empty a reply draws a
place in the queue: its words wait in their lane until then, so that a crowd is answered in turn and nobody tries again
and again. Pages of announcements leave a part to replies and ask again.
"""

from __future__ import annotations

import threading
from dataclasses import field

from chalicelib.actions.pace import drawn, is_local
from chalicelib.small_classes import dataclass
from chalicelib.storage.pace import Bucket, of_account
from chalicelib.wire import Deadline

WINDOW_SECONDS = 10.0
CALLS_MAX = 500  # in the window: what Viber says of broadcasts; of single messages it says nothing, so they count too
BUCKET = Bucket(burst=100, per_second=20.0)
FOR_REPLIES = 50.0  # of the bucket, which pages do not touch
HANDFUL, PAGES_HANDFUL = 5, 20  # pages leave one after the other by one process
HANDFUL_SECONDS = 5.0  # after which a process forgets those it did not need
QUIET_CALLS = 4  # of one process in the window that are counted by nobody
PROCESSES = 25  # that may make so many of them in the window, and all together stay below what Viber takes
ACCOUNTS_REMEMBERED_MAX = 2000
REPLY, LATE, PAGE = "reply", "late", "page"  # LATE: a reply that should have gone out before


@dataclass(slots=True)
class _Held:
    """What this process knows of an account: when it made its uncounted calls, and the tokens it holds, which may be
    spent from `usable` to `until`."""

    quiet: list[float] = field(default_factory=list)
    tokens: int = 0
    usable: float = 0.0
    until: float = 0.0


_held: dict[str, _Held] = {}
_lock = threading.Lock()


def wait(account: str, now: float, deadline: Deadline, *, calls: int = 1, kind: str = REPLY) -> float:
    """In how many seconds so many calls may be made; 0: at once.

    What a reply waits for is its own then, and it need not ask again. A page that has to wait took nothing: it asks
    again. A store that is silent slows nobody down; on the local stack nobody waits.
    """
    if is_local():
        return 0.0
    with _lock:
        held = _of(account)
        if kind == REPLY and _is_quiet(held, calls, now):
            held.quiet += [now] * calls
            return 0.0
        if held.tokens >= calls and now <= held.until:
            return _spent(held, calls, now, kind)
    wanted, leaving = (PAGES_HANDFUL, FOR_REPLIES) if kind == PAGE else (max(HANDFUL, calls), None)
    taken, seconds = drawn(of_account(account), BUCKET, wanted, now, deadline, leaving=leaving)
    if not taken:
        return seconds
    with _lock:
        held.tokens, held.until = taken, now + seconds + HANDFUL_SECONDS
        held.usable = now + seconds if seconds else 0.0  # at once also for a lane whose round began a little before
        return _spent(held, calls, now, kind)


def forget() -> None:
    """Know of no account, as a new process."""
    with _lock:
        _held.clear()


# --- parts ------------------------------------------------------------------------------------------------------


def _of(account: str) -> _Held:
    if account not in _held:
        if len(_held) >= ACCOUNTS_REMEMBERED_MAX:
            _held.clear()
        _held[account] = _Held()
    return _held[account]


def _is_quiet(held: _Held, calls: int, now: float) -> bool:
    held.quiet = [at for at in held.quiet if now - WINDOW_SECONDS < at <= now]
    return len(held.quiet) + calls <= QUIET_CALLS


def _spent(held: _Held, calls: int, now: float, kind: str) -> float:
    seconds = max(0.0, held.usable - now)
    if not (kind == PAGE and seconds):
        held.tokens = max(0, held.tokens - calls)
    return seconds
