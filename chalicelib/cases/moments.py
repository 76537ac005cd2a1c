"""A deadline as a citizen reads it: in the town's time, and in their own where they said they live abroad. Pure."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any
from zoneinfo import ZoneInfo

from chalicelib.cases.working_time import WEEKDAYS
from chalicelib.model import Case, Line

ZONE = "zone"  # the field of a case that says where its citizen lives


def due_lines(core: Mapping[str, Any], case: Case) -> tuple[Line, ...]:
    """Until when the answer comes; nothing while no deadline runs."""
    if not case.due_at:
        return ()
    at = _local(core, case.due_at)
    lines = [Line("report_due", _named(at))]
    living = case.fields.get(ZONE)
    if living and living.get("zone"):
        lines.append(_own(at, living))
    return tuple(lines)


def named(core: Mapping[str, Any], at: int) -> dict[str, str | int | Line]:
    """A moment in the town's time as the arguments of a text: day, date, time."""
    return _named(_local(core, at))


def _local(core: Mapping[str, Any], at: int) -> dt.datetime:
    return dt.datetime.fromtimestamp(at, ZoneInfo(core["time_zone"]))


def _own(at: dt.datetime, living: Mapping[str, Any]) -> Line:
    there = at.astimezone(ZoneInfo(living["zone"]))
    if there.utcoffset() == at.utcoffset():
        return Line("due_same_time")
    place = Line("raw", {"text": living["text"]}) if "text" in living else Line(f"zone_{living['option']}")
    return Line("due_own_time", {"place": place, **_named(there)})


def _named(at: dt.datetime) -> dict[str, str | int | Line]:
    return {
        "day": Line(f"days.{WEEKDAYS[at.weekday()]}"),
        "date": Line("days.date_format", {"d": at.day, "m": at.month, "y": at.year}),
        "time": f"{at:%H:%M}",
    }
