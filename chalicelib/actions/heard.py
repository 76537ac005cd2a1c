"""Notes that an account's channel calls us: at most once in five minutes and process, so that a turn does not pay."""

from __future__ import annotations

import time
from contextlib import suppress

from chalicelib.model import SalterError
from chalicelib.storage import account_health
from chalicelib.wire import Deadline

NOTED_EVERY_SECONDS = 300.0
_noted: dict[str, float] = {}


def note(account: str, now: float, deadline: Deadline, *, always: bool = False) -> None:
    """The account was called with a genuine signature. Nothing depends on the note, so a silent store is no trouble."""
    last = _noted.get(account)
    if not always and last is not None and time.monotonic() - last < NOTED_EVERY_SECONDS:
        return
    _noted[account] = time.monotonic()
    with suppress(SalterError):
        account_health.heard(account, now, deadline)


def refused(account: str, reason: str, now: float, deadline: Deadline) -> None:
    """The channel refused the account as a whole."""
    with suppress(SalterError):
        account_health.refused(account, reason, now, deadline)


def forget() -> None:
    """The next call is noted again."""
    _noted.clear()
