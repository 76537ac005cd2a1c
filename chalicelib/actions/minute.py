"""What every minute does: deadlines first, for they owe words to people, then what is owed is delivered."""

from __future__ import annotations

from chalicelib.actions.journal import log
from chalicelib.actions.sweep import SWEEP_SECONDS, sweep
from chalicelib.actions.watch_deadlines import WATCH_SECONDS, watch_deadlines
from chalicelib.model import SalterError
from chalicelib.wire import Deadline


def minute(now: float) -> dict[str, int]:
    """How many `deadlines` asked for something, lanes and rows were `delivered`, and `failed`."""
    time_left = Deadline(SWEEP_SECONDS)
    try:
        deadlines = watch_deadlines(now, time_left.within(WATCH_SECONDS))
    except SalterError as error:
        log.error("deadlines_failed", error=type(error).__name__)
        deadlines = 0
    return {"deadlines": deadlines, **sweep(now, time_left.left())}
