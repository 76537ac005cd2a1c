"""Open311: where programs reach the town, and the systems its reports go to: whether they take them, another try."""

from __future__ import annotations

from chalicelib.actions import look_after_open311
from chalicelib.actions.paper_case import origin_of
from chalicelib.cases import open311
from chalicelib.console.door import Answer, Visit
from chalicelib.console.pages import page

SHOWN_MAX = 20  # of what was given up, by system
ID_CHARS_MAX = 40


def show(visit: Visit) -> Answer:
    """The town's own endpoint, and every other one."""
    return page(
        visit,
        "open311",
        endpoint=f"{origin_of(visit.request.headers)}/open311/{visit.here.slug}/v2/",
        rules=open311.rules(visit.here),
        systems=look_after_open311.systems(visit.here, visit.now, visit.deadline),
        sent=visit.said,
        shown_max=SHOWN_MAX,
    )


def again(visit: Visit) -> Answer:
    """Have sent again what one of them did not take."""
    endpoint = visit.form.get("endpoint", "")[:ID_CHARS_MAX]
    done = look_after_open311.again(visit.here, endpoint, visit.person.by, visit.now, visit.deadline)
    return visit.go(f"console/systems/open311?said={done}")
