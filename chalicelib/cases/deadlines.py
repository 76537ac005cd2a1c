"""The working-day clock: when a promised answer is due, in the town's own time. Pure; moments carry their zone.

Three units: working days (the day of receipt is not counted; due at the office's closing time of the last one),
working hours (only while the office is open, split hours too), and plain hours by the clock. A term may start when the
request was found complete (validated) instead of when it came in; until then no deadline runs.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from chalicelib.cases.working_time import Week, is_working_day, spans
from chalicelib.small_classes import dataclass

WORKING_DAYS, WORKING_HOURS, HOURS = "working_days", "working_hours", "hours"
UNITS = (WORKING_DAYS, WORKING_HOURS, HOURS)
RECEIPT, VALIDATION = "receipt", "validation"
SEARCH_DAYS_MAX = 800  # of the calendar; a longer term is a mistake in a town's configuration
# Where a town has not confirmed its hours.
ASSUMED_WEEK: Week = dict.fromkeys(("mon", "tue", "wed", "thu", "fri"), (("08:00", "16:00"),))


@dataclass(frozen=True, slots=True)
class Term:
    """How long an office may take, e.g. 15 working days from receipt."""

    amount: int
    unit: str = WORKING_DAYS
    starts: str = RECEIPT


class EndlessTerm(ValueError):
    """No end was found within the calendar looked at; the town's term or hours must be mended."""


def term_of(written: Mapping[str, Any] | None) -> Term | None:
    """A term as a compiled town writes it: {"working_days": 15}, {"hours": 48, "starts": "validation"}."""
    if not written:
        return None
    unit = next((unit for unit in UNITS if written.get(unit)), None)
    return Term(int(written[unit]), unit, str(written.get("starts", RECEIPT))) if unit else None


def due(
    term: Term,
    received: dt.datetime,
    closed: Mapping[str, str],
    week: Week | None = None,
    validated: dt.datetime | None = None,
) -> dt.datetime | None:
    """When the term ends; None while it has not begun. `closed`: ISO date → name of the day."""
    start = validated if term.starts == VALIDATION else received
    if start is None:
        return None
    start = start if start.tzinfo is None else start.astimezone(received.tzinfo)
    if term.unit == HOURS:
        return _later(start, dt.timedelta(hours=term.amount))
    if term.unit == WORKING_HOURS:
        return _after_open_time(start, dt.timedelta(hours=term.amount), week or ASSUMED_WEEK, closed)
    day = add_working_days(start.date(), term.amount, closed)
    return dt.datetime.combine(day, _closing(day, week, closed), start.tzinfo)


def add_working_days(start: dt.date, days: int, closed: Mapping[str, str]) -> dt.date:
    """The `days`-th working day after `start`, which is not counted itself."""
    day, left = start, days
    for _ in range(SEARCH_DAYS_MAX):
        if left == 0:
            return day
        day += dt.timedelta(days=1)
        left -= is_working_day(closed, day)
    raise EndlessTerm(f"{days} working days from {start}")


def working_days_between(start: dt.date, end: dt.date, closed: Mapping[str, str]) -> int:
    """How many working days lie after `start` up to and with `end`; negative when `end` is over."""
    if end < start:
        return -working_days_between(end, start, closed)
    days = min((end - start).days, SEARCH_DAYS_MAX)
    weeks, rest = divmod(days, 7)
    weekdays = 5 * weeks + sum((start + dt.timedelta(days=ahead)).weekday() < 5 for ahead in range(1, rest + 1))
    first, last = start.isoformat(), (start + dt.timedelta(days=days)).isoformat()
    free = (dt.date.fromisoformat(day) for day in closed if first < day <= last)
    return weekdays - sum(day.weekday() < 5 for day in free)


def _closing(day: dt.date, week: Week | None, closed: Mapping[str, str]) -> dt.time:
    """When the office closes that day; a working day without hours of its own ends when offices usually do."""
    open_spans = spans(week or {}, closed, day) or spans(ASSUMED_WEEK, closed, day)
    return max(end for _, end in open_spans).replace(microsecond=0)


def _after_open_time(start: dt.datetime, left: dt.timedelta, week: Week, closed: Mapping[str, str]) -> dt.datetime:
    for ahead in range(SEARCH_DAYS_MAX):
        day = start.date() + dt.timedelta(days=ahead)
        for opens, closes in spans(week, closed, day):
            begin = max(dt.datetime.combine(day, opens, start.tzinfo), start)
            open_for = dt.datetime.combine(day, closes, start.tzinfo) - begin
            if open_for <= dt.timedelta(0):
                continue
            if left <= open_for:
                return begin + left
            left -= open_for
    raise EndlessTerm(f"{left} of open time from {start}")


def _later(start: dt.datetime, by: dt.timedelta) -> dt.datetime:
    """By the clock: an hour is an hour on the night the clocks change, too."""
    if start.tzinfo is None:
        return start + by
    return (start.astimezone(dt.UTC) + by).astimezone(start.tzinfo)


@dataclass(frozen=True, slots=True)
class Left:
    """How much working time a case still has, or by how much it is late: whole working days, else minutes."""

    late: bool
    days: int
    minutes: int


def time_left(now: dt.datetime, end: dt.datetime, closed: Mapping[str, str], week: Week | None = None) -> Left:
    """What is left from `now` to `end`: on the day itself open time in minutes, before that working days."""
    first, last = (now, end) if now <= end else (end, now)
    days = working_days_between(first.date(), last.date(), closed)
    minutes = 0 if days else int(_open_time(first, last, week or ASSUMED_WEEK, closed).total_seconds() // 60)
    return Left(now > end, days, minutes)


def _open_time(start: dt.datetime, end: dt.datetime, week: Week, closed: Mapping[str, str]) -> dt.timedelta:
    """The open time between two moments of one day or of days without work between them."""
    total = dt.timedelta(0)
    for ahead in range((end.date() - start.date()).days + 1):
        day = start.date() + dt.timedelta(days=ahead)
        for opens, closes in spans(week, closed, day):
            begin = max(dt.datetime.combine(day, opens, start.tzinfo), start)
            total += max(dt.timedelta(0), min(dt.datetime.combine(day, closes, start.tzinfo), end) - begin)
    return total
