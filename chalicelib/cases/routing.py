"""Which office has a case, and how long it may take: from the town's published configuration. Pure."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any
from zoneinfo import ZoneInfo

from chalicelib.cases import deadlines
from chalicelib.cases.deadlines import Term
from chalicelib.cases.working_time import Week
from chalicelib.small_classes import dataclass

# What is promised where a town set no term. A file of the office's own has its deadline there, not here.
DEFAULT_TERM = Term(10, deadlines.WORKING_DAYS)
WITHOUT_TERM = ("administrative", "chat", "volunteer", "assistance")


@dataclass(frozen=True, slots=True)
class Route:
    """Where a case goes: an office of the directory ("" when the town named none), and its term."""

    office: str
    term: Term | None


def route(core: Mapping[str, Any], kind: str, category: str = "") -> Route:
    """The office and term of a category, as `core` has them.

    `core["routing"]`: kind → category ("" for any other) → {"office", "term"}. What is missing falls back to the
    office that answers for the town, and to a term that holds everywhere.
    """
    categories = core.get("routing", {}).get(kind, {})
    entry = categories.get(category) or categories.get("") or {}
    term = deadlines.term_of(entry.get("term")) or (None if kind in WITHOUT_TERM else DEFAULT_TERM)
    return Route(str(entry.get("office") or _front_office(core)), term)


def due_at(core: Mapping[str, Any], route_taken: Route, received: float, validated: float | None = None) -> int:
    """The deadline in epoch seconds by the town's calendar and the office's hours; 0 when none runs."""
    if route_taken.term is None:
        return 0
    zone = ZoneInfo(core["time_zone"])
    moments = [dt.datetime.fromtimestamp(at, zone) if at else None for at in (received, validated)]
    assert moments[0] is not None
    end = deadlines.due(route_taken.term, moments[0], core["closed"], hours_of(core, route_taken.office), moments[1])
    return int(end.timestamp()) if end else 0


def office_of(core: Mapping[str, Any], texts: Mapping[str, Mapping[str, Any]], written: str) -> str | None:
    """The id of an office given by its id or its exact title in any of the town's languages; None if there is none."""
    wanted = " ".join(written.split())
    for office in core["offices"]:
        if wanted == office["id"]:
            return str(office["id"])
    contacts = contacts_service(core)
    for office in core["offices"]:
        if any(wanted == words.get(f"{contacts}.{office['id']}") for words in texts.values()):
            return str(office["id"])
    return None


def contacts_service(core: Mapping[str, Any]) -> str:
    """The id under which the town's directory is offered; an office's title is the text `<it>.<office>`."""
    return str(core["person"]).partition(".")[0]


def _front_office(core: Mapping[str, Any]) -> str:
    return str(core["person"]).partition(".")[2]


def hours_of(core: Mapping[str, Any], office: str) -> Week | None:
    """When an office is open; None where the town has not said."""
    return next((entry["hours"] for entry in core["offices"] if entry["id"] == office), None)
