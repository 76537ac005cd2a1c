"""What the product asked of Viber, call by call: the judge of what was sent, how often and in which order."""

from collections import deque
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from threading import Condition
from typing import Any

from infra.local.simulator.rules import Problem

ENTRIES_KEPT_MAX = 50_000


@dataclass(frozen=True)
class Entry:
    """One call: when, whose, for whom, what stood in it, what was wrong with it, and what came of it."""

    number: int
    at: float
    account: str
    method: str
    receivers: tuple[str, ...]
    body: Any
    size: int
    accepted: bool
    status: int | None
    message_token: int | None
    problems: tuple[Problem, ...] = ()
    failed_list: tuple[dict[str, Any], ...] = ()
    fault: str | None = None

    def shown(self) -> dict[str, Any]:
        """As JSON shows it: browsers lose digits of 64-bit numbers, so the token is a text."""
        token = None if self.message_token is None else str(self.message_token)
        return {**asdict(self), "at": datetime.fromtimestamp(self.at, UTC).isoformat(), "message_token": token}


class Ledger:
    """Every call in the order it was decided; the oldest are forgotten first."""

    def __init__(self) -> None:
        self._entries: deque[Entry] = deque(maxlen=ENTRIES_KEPT_MAX)
        self._changed = Condition()
        self._written = 0

    def write(self, **facts: Any) -> Entry:
        with self._changed:
            self._written += 1
            entry = Entry(number=self._written, **facts)
            self._entries.append(entry)
            self._changed.notify_all()
            return entry

    def read(
        self,
        *,
        account: str | None = None,
        receiver: str | None = None,
        method: str | None = None,
        accepted: bool | None = None,
        after: int = 0,
    ) -> list[Entry]:
        with self._changed:
            entries = list(self._entries)
        return [
            entry
            for entry in entries
            if entry.number > after
            and account in (None, entry.account)
            and method in (None, entry.method)
            and accepted in (None, entry.accepted)
            and (receiver is None or receiver in entry.receivers)
        ]

    def wait_until(self, found: Callable[[], bool], timeout: float) -> bool:
        """Waits for entries that satisfy somebody; says whether they came in time."""
        with self._changed:
            return self._changed.wait_for(found, timeout)

    def clear(self) -> None:
        with self._changed:
            self._entries.clear()
