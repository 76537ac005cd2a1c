"""The counter: a paper case is registered, its slip printed, a lost slip replaced."""

from __future__ import annotations

from typing import Any

from chalicelib.actions import paper_case, register_case
from chalicelib.actions.paper_case import AlreadyBound
from chalicelib.actions.register_case import FIELDS, NumberTaken, Registered, WrongField
from chalicelib.console import permissions, slip
from chalicelib.console.door import Answer, Visit
from chalicelib.console.pages import page

TYPED_CHARS_MAX = 600


def show(visit: Visit) -> Answer:
    """The empty form."""
    return _form(visit)


def register(visit: Visit) -> Answer:
    """The slip of the new case, or the form with what was typed and what is wrong with it.

    The slip is the answer itself and not a page to go on to: its code is stored nowhere.
    """
    typed = {name: visit.form.get(name, "")[:TYPED_CHARS_MAX] for name in FIELDS}
    agreed = visit.form.get("consent") == "yes"
    origin = paper_case.origin_of(visit.request.headers)
    try:
        registered = register_case.register(visit.here, typed, agreed, visit.person, origin, visit.now, visit.deadline)
    except WrongField as wrong:
        return _form(visit, 422, typed=typed, agreed=agreed, wrong=wrong.field)
    except NumberTaken as taken:
        other = taken.case if taken.case and permissions.sees(visit.person, taken.case) else None
        return _form(visit, 409, typed=typed, agreed=agreed, wrong="number", taken=True, other=other)
    return _slip(visit, registered, again=False)


def print_again(visit: Visit) -> Answer:
    """A new slip for a case whose slip was lost; the old one ends."""
    asked = visit.form.get("which", "").strip()[:TYPED_CHARS_MAX]
    case = register_case.find(visit.here, asked, visit.deadline) if asked else None
    if case is None or not permissions.sees(visit.person, case):
        return _form(visit, 404, asked=asked, problem="again_unknown")
    origin = paper_case.origin_of(visit.request.headers)
    try:
        registered = register_case.print_again(visit.here, case, visit.person, origin, visit.now, visit.deadline)
    except AlreadyBound:
        return _form(visit, 409, asked=asked, problem="again_bound")
    return _slip(visit, registered, again=True)


# --- parts ------------------------------------------------------------------------------------------------------


def _form(visit: Visit, status: int = 200, **shown: Any) -> Answer:
    blank: dict[str, Any] = {
        "typed": dict.fromkeys(FIELDS, ""),
        "agreed": False,
        "wrong": "",
        "taken": False,
        "other": None,
        "asked": "",
        "problem": "",
    }
    return page(
        visit,
        "counter",
        status,
        wordings=slip.consent_wordings(visit.here),
        voices_offered=slip.voices(visit.here),
        offices=[office["id"] for office in visit.here.core["offices"] if office["competent"] == "town"],
        **(blank | shown),
    )


def _slip(visit: Visit, registered: Registered, *, again: bool) -> Answer:
    return page(visit, "slip", 201, registered=registered, drawn=slip.drawn(visit.here, registered), again=again)
