"""The platform's towns: their state and version, and the way into one and out again. Nothing else is done here."""

from __future__ import annotations

from chalicelib.actions import look_after_towns, visit_town
from chalicelib.actions.look_after_towns import DEAD_COUNTED_MAX
from chalicelib.console.door import Answer, Visit
from chalicelib.console.pages import page

SLUG_CHARS_MAX = 40


def show(visit: Visit) -> Answer:
    """Every published town and how it is."""
    found = look_after_towns.towns(visit.query.get("after", "")[:SLUG_CHARS_MAX], visit.now, visit.deadline)
    return page(visit, "towns", towns=found.standings, more=found.more, dead_max=DEAD_COUNTED_MAX)


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
