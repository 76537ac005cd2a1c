"""One case: what it says, how long it has, what can be done with it, and what the citizen will read."""

from __future__ import annotations

from typing import Any

from chalicelib.actions import known_case, work_case
from chalicelib.actions.desk import left
from chalicelib.actions.work_case import Changed
from chalicelib.cases import lifecycle
from chalicelib.cases.lifecycle import NotAllowed
from chalicelib.console import permissions
from chalicelib.console.door import Answer, Visit
from chalicelib.console.pages import page
from chalicelib.model import Case, Refused

NOTE_CHARS_MAX = 2000
SHORT_CHARS_MAX = 120
SAID = ("saved", "noted", "claimed", "released", "reopened")


def show(visit: Visit) -> Answer:
    """The page of a case; that it was opened is on record, and colleagues see it."""
    case = _case(visit)
    others = known_case.seen_by(visit.here, case, visit.person, visit.now, visit.deadline)
    return _page(visit, case, others=others, said=_said(visit))


def claim(visit: Visit) -> Answer:
    """Take a case, or take it over from a colleague who left it."""
    case = work_case.claim(visit.here, _case(visit), visit.person, visit.now, visit.deadline)
    return visit.go(f"console/cases/{case.reference}?said=claimed")


def release(visit: Visit) -> Answer:
    """Give it back to the office."""
    case = work_case.release(visit.here, _case(visit), visit.person, visit.now, visit.deadline)
    return visit.go(f"console/cases/{case.reference}?said=released")


def preview(visit: Visit) -> Answer:
    """The exact notice that the form as it stands would send."""
    case = _case(visit)
    try:
        shown = work_case.preview(visit.here, case, visit.person, _wanted(visit), visit.now, visit.deadline)
    except NotAllowed:
        shown = None
    return page(visit, "case_preview", shown=shown, case=case)


def change(visit: Visit) -> Answer:
    """Another status or office, a word for the citizen. A colleague's change in between is shown, nothing is lost."""
    case, typed = _case(visit), _wanted(visit)
    try:
        changed = work_case.change(visit.here, case, visit.person, typed, _version(visit), visit.now, visit.deadline)
    except NotAllowed as error:
        return _page(visit, case, typed=typed, problem=error.code, status=422)
    except work_case.ChangedMeanwhile as meanwhile:
        return _page(visit, meanwhile.case, typed=typed, meanwhile=meanwhile.case.history[-1], status=409)
    return visit.go(f"console/cases/{changed.reference}?said=saved")


def note(visit: Visit) -> Answer:
    """A note for colleagues alone."""
    text = visit.form.get("public_note", "").strip()[:NOTE_CHARS_MAX]
    case = _case(visit)
    if not text:
        return _page(visit, case, problem="note_empty", status=422)
    work_case.note(visit.here, case, visit.person, text, visit.now, visit.deadline)
    return visit.go(f"console/cases/{case.reference}?said=noted")


def unmask(visit: Visit) -> Answer:
    """Phone or another hidden value, shown once; that it was shown is on record."""
    case, what = _case(visit), visit.form.get("what", "")
    value = work_case.unmask(visit.here, case, visit.person, what, visit.now, visit.deadline)
    if value is None:
        raise Refused(404, "nothing_there", "There is no such value.")
    return Answer(body=str(visit.say("shown_value", value=value)))


def printed(visit: Visit) -> Answer:
    """A sheet for the registrar's folder."""
    case = _case(visit)
    return page(visit, "case_print", case=case, left=None)


# --- parts ------------------------------------------------------------------------------------------------------


def _case(visit: Visit) -> Case:
    """The case of the address, if it is this person's business; one that is not is as unknown as any other."""
    case = known_case.whole(visit.here, visit.params["reference"], visit.deadline)
    if case is None or not permissions.sees(visit.person, case):
        raise Refused(404, "unknown_case", "There is no such case.")
    return case


def _page(visit: Visit, case: Case, status: int = 200, **shown: Any) -> Answer:
    blank: dict[str, Any] = {
        "others": (),
        "said": "",
        "typed": Changed(),
        "problem": "",
        "meanwhile": None,
    }
    data = blank | shown
    return page(
        visit,
        "case",
        status,
        case=case,
        left=left(visit.here, case, visit.now),
        days=work_case.days_of(visit.here, case, visit.now),
        moves=work_case.moves(case),
        offices=[office["id"] for office in visit.here.core["offices"]],
        mine=case.assignee is not None and case.assignee[:2] == ("staff", visit.person.id),
        is_open=lifecycle.is_open(case),
        words=work_case.words_of(visit.here, case),
        preview_of=None,
        **data,
    )


def _wanted(visit: Visit) -> Changed:
    form = visit.form
    return Changed(
        status=form.get("status", "")[:SHORT_CHARS_MAX],
        office=form.get("office", "")[:SHORT_CHARS_MAX],
        awaiting_institution=form.get("awaiting_institution", "").strip()[:SHORT_CHARS_MAX],
        public_note=form.get("public_note", "").strip()[:NOTE_CHARS_MAX],
    )


def _version(visit: Visit) -> int:
    written = visit.form.get("v", "")
    return int(written) if written.isdecimal() and len(written) < 9 else 0


def _said(visit: Visit) -> str:
    said = visit.query.get("said", "")
    return said if said in SAID else ""
