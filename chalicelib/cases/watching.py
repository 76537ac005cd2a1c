"""What a deadline asks for before and when it passes: a reminder, an escalation, the word that it was missed. Pure.

Each happens once between two starts of the clock, and stands in the case's history: that entry is the only mark, so
that whoever looks again, at any time, finds that it is done.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any
from zoneinfo import ZoneInfo

from chalicelib.cases import deadlines, lifecycle, routing
from chalicelib.cases.deadlines import Term
from chalicelib.cases.working_time import is_working_day
from chalicelib.model import Case

# Opening time of the office that is left when the official is reminded of what came in after the day's digest, and
# when the head of the office hears of it.
REMIND_HOURS, ESCALATE_HOURS = 8, 4
DIGEST_AT = dt.time(7, 0)  # of the town, on working days
REACH_DAYS_MAX = 7  # an office that hardly ever opens is not reminded weeks ahead
_STARTS = ("opened", lifecycle.REOPENED, lifecycle.VALIDATED)
_LOOK_BACK_DAYS_MAX = 21


def stage(case: Case, core: Mapping[str, Any], now: float) -> str | None:
    """What the case's deadline asks for now and has not had: reminded, escalated or overdue; None for nothing."""
    if not case.due_at or not lifecycle.is_open(case):
        return None
    started, done = _since_start(case)
    if now >= case.due_at:
        wanted = lifecycle.OVERDUE
    elif case.due_at <= _reach(core, case.office, now, ESCALATE_HOURS):
        wanted = lifecycle.ESCALATED
    elif case.due_at <= _reach(core, case.office, now, REMIND_HOURS) and started > last_digest(core, now):
        wanted = lifecycle.REMINDED
    else:
        return None
    return None if wanted in done else wanted


def horizon(core: Mapping[str, Any], now: float) -> int:
    """Up to which deadline open cases have to be looked at now: no other can ask for anything yet."""
    return max(_reach(core, office["id"], now, REMIND_HOURS) for office in core["offices"])


def is_digest_time(core: Mapping[str, Any], now: float) -> bool:
    """Whether today is a working day and its digest is due."""
    local = _local(core, now)
    return is_working_day(core["closed"], local.date()) and local.time() >= DIGEST_AT


def today(core: Mapping[str, Any], now: float) -> dt.date:
    """The town's date."""
    return _local(core, now).date()


def digest_until(core: Mapping[str, Any], now: float) -> int:
    """Up to which deadline the day's digest tells: the end of the next working day."""
    day = deadlines.add_working_days(today(core, now), 1, core["closed"])
    end = dt.datetime.combine(day + dt.timedelta(days=1), dt.time(), ZoneInfo(core["time_zone"]))
    return int(end.timestamp()) - 1


def last_digest(core: Mapping[str, Any], now: float) -> int:
    """When the newest digest was due; what came in later stands in none yet."""
    local = _local(core, now)
    for back in range(_LOOK_BACK_DAYS_MAX):
        day = local.date() - dt.timedelta(days=back)
        at = dt.datetime.combine(day, DIGEST_AT, local.tzinfo)
        if at <= local and is_working_day(core["closed"], day):
            return int(at.timestamp())
    return 0


def _since_start(case: Case) -> tuple[int, frozenset[str]]:
    """When the clock last started, and what has happened since."""
    done: set[str] = set()
    for entry in reversed(case.history):
        if entry.event in _STARTS:
            return entry.at, frozenset(done)
        done.add(entry.event)
    return case.created_at, frozenset(done)


def _reach(core: Mapping[str, Any], office: str, now: float, hours: int) -> int:
    """The moment at which that much opening time of the office will have passed."""
    term = Term(hours, deadlines.WORKING_HOURS)
    end = deadlines.due(term, _local(core, now), core["closed"], routing.hours_of(core, office) or None)
    latest = int(now) + REACH_DAYS_MAX * 86400
    return min(int(end.timestamp()), latest) if end else 0


def _local(core: Mapping[str, Any], now: float) -> dt.datetime:
    return dt.datetime.fromtimestamp(now, ZoneInfo(core["time_zone"]))
