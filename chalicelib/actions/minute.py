"""What every minute does: deadlines first, for they owe words to people, then what is owed, old cases, figures."""

from __future__ import annotations

from chalicelib.actions.collect_figures import collect_due
from chalicelib.actions.journal import log
from chalicelib.actions.retire_cases import retire_due
from chalicelib.actions.sweep import SWEEP_SECONDS, sweep
from chalicelib.actions.watch_deadlines import WATCH_SECONDS, watch_deadlines
from chalicelib.model import SalterError
from chalicelib.wire import Deadline

FIGURES_SECONDS = 10.0
RETIRE_SECONDS = 6.0  # a minute's slice; the next goes on


def minute(now: float) -> dict[str, int]:
    """How many `deadlines` asked for something, lanes and rows were `delivered`, and `failed`, and how many cases
    were `purged`: of what they held sealed, or altogether."""
    time_left = Deadline(SWEEP_SECONDS)
    try:
        deadlines = watch_deadlines(now, time_left.within(WATCH_SECONDS))
    except SalterError as error:
        log.error("deadlines_failed", error=type(error).__name__)
        deadlines = 0
    done = {"deadlines": deadlines, **sweep(now, time_left.left())}
    try:
        done["purged"] += retire_due(now, Deadline(time_left.within(RETIRE_SECONDS)))
    except SalterError as error:
        log.error("retiring_failed", error=type(error).__name__)
    try:
        collect_due(now, Deadline(time_left.within(FIGURES_SECONDS)))
    except SalterError as error:
        log.error("figures_failed", error=type(error).__name__)
    return done
