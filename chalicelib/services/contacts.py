"""Contacts: the town's directory by office, with hours, closed days and who else is competent.

Choices: `<service>` (the list), `<service>.<office>`; a `~2` at the end is the next page.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any
from zoneinfo import ZoneInfo

from chalicelib.cases.working_time import WEEKDAYS, next_opening, open_until
from chalicelib.dialogue.chat import choices
from chalicelib.dialogue.paging import paged
from chalicelib.model import Facts, Line, Link, Say, Town


def answer(town: Town, service: str, item: str, page: int, facts: Facts) -> tuple[Say, ...] | None:
    """What to say when `item` of `service` was asked for; None if there is no such office (any more)."""
    offices = town.core["offices"]
    if item == "":
        listed = [f"{service}.{entry['id']}" for entry in offices if entry["listed"]]
        return (paged(Line("contacts_intro"), service, listed, page),)
    entry = next((entry for entry in offices if entry["id"] == item), None)
    return (office(town, f"{service}.{item}", entry, facts, (service, "menu")),) if entry else None


def office(town: Town, choice: str, entry: Mapping[str, Any], facts: Facts, ways: tuple[str, ...]) -> Say:
    """One office's sheet, with whether it is open now."""
    return Say(
        sheet=choice,
        after=open_lines(town, entry, facts),
        link=Link(Line(choice), entry["link"]) if entry["link"] else None,
        choices=choices(*ways),
    )


def open_lines(town: Town, entry: Mapping[str, Any], facts: Facts) -> tuple[Line, ...]:
    """Open until, or closed and when it opens next; nothing when the hours are not known."""
    if not entry["hours"]:
        return ()
    local = dt.datetime.fromtimestamp(facts.now, ZoneInfo(town.core["time_zone"]))
    closed = town.core["closed"]
    until = open_until(entry["hours"], closed, local)
    if until:
        return (Line("open_now", {"time": f"{until:%H:%M}"}),)
    opening = next_opening(entry["hours"], closed, local)
    holiday = closed.get(local.date().isoformat())
    lines = [Line("closed_today_holiday", {"holiday": Line(f"holiday.{holiday}")})] if holiday else []
    if opening:
        lines.append(
            Line(
                "closed_now",
                {
                    "day": Line(f"days.{WEEKDAYS[opening.weekday()]}"),
                    "date": Line("days.date_format", {"d": opening.day, "m": opening.month, "y": opening.year}),
                    "time": f"{opening:%H:%M}",
                },
            )
        )
    return tuple(lines)
