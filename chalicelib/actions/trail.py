"""The audit trail as the town's admin reads it: names of staff beside what they did."""

from __future__ import annotations

import datetime as dt
from typing import Any

from chalicelib.model import Town
from chalicelib.small_classes import dataclass
from chalicelib.storage import audit, staff
from chalicelib.wire import Deadline


@dataclass(frozen=True, slots=True)
class Entry:
    """One act with the name of who did it, as far as the town still knows them."""

    at: float
    who: str
    what: str
    about: str
    detail: dict[str, Any]


def of_day(town: Town, day: dt.date, before: str, deadline: Deadline) -> tuple[list[Entry], str | None]:
    """What was done on a day (UTC), newest first, and the cursor of the next page. Two requests."""
    acts, more = audit.of_day(town.slug, day.isoformat(), deadline, before)
    called = names(town, deadline)
    entries = [
        Entry(act.at, called.get(act.by, act.by), act.what, called.get(act.about, act.about), dict(act.detail))
        for act in acts
    ]
    return entries, more


def names(town: Town, deadline: Deadline) -> dict[str, str]:
    """What a town's staff are called, by how acts and records name them."""
    people = staff.all_of(town.slug, deadline)
    return {called: person.name or person.mail for person in people for called in (person.by, person.id)}
