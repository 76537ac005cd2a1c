"""The platform's towns: their state and version, and the way into one and out again. Nothing else is done here."""

from __future__ import annotations

from chalicelib.actions import visit_town
from chalicelib.console.door import Answer, Visit
from chalicelib.console.pages import page

SLUG_CHARS_MAX = 40


def show(visit: Visit) -> Answer:
    """Every published town."""
    found = visit_town.towns(visit.query.get("after", "")[:SLUG_CHARS_MAX], visit.deadline)
    return page(visit, "towns", towns=found.pointers, more=found.more)


def go_in(visit: Visit) -> Answer:
    """Into a town; it stands in that town's audit trail before anything of it is seen."""
    assert visit.session is not None
    visit_town.go_in(visit.session, visit.form.get("town", "")[:SLUG_CHARS_MAX], visit.now, visit.deadline)
    return visit.go("console/inbox")


def leave(visit: Visit) -> Answer:
    """Out of it."""
    assert visit.session is not None
    visit_town.leave(visit.session, visit.now, visit.deadline)
    return visit.go("console/towns")
