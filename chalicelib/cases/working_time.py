"""Opening hours and closed days: is an office open, and if not, when does it open. Pure; times are local times."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
LOOK_AHEAD_DAYS_MAX = 21

Week = Mapping[str, Sequence[Sequence[str]]]  # weekday → spans as ("07:30", "15:30")


def open_until(week: Week, closed: Mapping[str, str], at: dt.datetime) -> dt.time | None:
    """Until when the office is open, if it is open at `at`. `closed`: ISO date → name of the day."""
    for start, end in spans(week, closed, at.date()):
        if start <= at.time() < end:
            return end
    return None


def next_opening(week: Week, closed: Mapping[str, str], at: dt.datetime) -> dt.datetime | None:
    """The next moment after `at` at which the office opens; None if it does not within three weeks."""
    for ahead in range(LOOK_AHEAD_DAYS_MAX):
        day = at.date() + dt.timedelta(days=ahead)
        for start, _ in spans(week, closed, day):
            if ahead or start > at.time():
                return dt.datetime.combine(day, start, at.tzinfo)
    return None


def spans(week: Week, closed: Mapping[str, str], day: dt.date) -> list[tuple[dt.time, dt.time]]:
    """From when to when the office is open on `day`; nothing on a closed day."""
    if day.isoformat() in closed:
        return []
    return [(_time(start), _time(end)) for start, end in week.get(WEEKDAYS[day.weekday()], ())]


def is_working_day(closed: Mapping[str, str], day: dt.date) -> bool:
    """Whether terms run on `day`: Monday to Friday, unless offices are closed for all."""
    return day.weekday() < 5 and day.isoformat() not in closed


def _time(text: str) -> dt.time:
    hour, minute = (int(part) for part in text.split(":"))
    return dt.time.max if hour == 24 else dt.time(hour, minute)
