"""Who did and saw what, a day a page."""

from __future__ import annotations

import datetime as dt

from chalicelib.actions import trail
from chalicelib.console.door import Answer, Visit
from chalicelib.console.pages import page


def show(visit: Visit) -> Answer:
    """The records of one day, newest first; today's unless another is asked for."""
    today = dt.datetime.fromtimestamp(visit.now, dt.UTC).date()
    day = _day(visit.query.get("day", ""), today)
    acts, more = trail.of_day(visit.here, day, visit.query.get("before", ""), visit.deadline)
    return page(
        visit,
        "audit",
        day=day,
        acts=acts,
        more=more,
        previous=day - dt.timedelta(days=1),
        following=day + dt.timedelta(days=1) if day < today else None,
    )


def _day(written: str, today: dt.date) -> dt.date:
    try:
        return min(dt.date.fromisoformat(written), today)
    except ValueError:
        return today
