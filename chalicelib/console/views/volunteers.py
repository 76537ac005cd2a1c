"""Volunteers: sign-ups to decide on, the roster, what there is to do and what was done."""

from __future__ import annotations

from chalicelib.actions import decide_volunteer, see_volunteers, work_case
from chalicelib.actions.desk import Calendar
from chalicelib.actions.work_case import Changed
from chalicelib.cases import references
from chalicelib.cases.lifecycle import NotAllowed
from chalicelib.console import permissions
from chalicelib.console.door import Answer, Visit
from chalicelib.console.pages import page
from chalicelib.integrations import email
from chalicelib.model import Refused
from chalicelib.services import volunteer as signing_up
from chalicelib.storage.cases import CaseStore

REASON_CHARS_MAX = 500
SAID = ("approved", "declined", "suspended", "already", "mail", "mail_wrong")


def show(visit: Visit) -> Answer:
    """Everything about volunteers on one page; `area` leaves one area's in the roster."""
    board = see_volunteers.board(visit.here, visit.now, visit.deadline)
    areas = see_volunteers.areas(visit.here)
    area = visit.query.get("area", "")
    chosen = area if area in areas else ""
    helpers = [one for one in board.helpers if not chosen or not one.volunteer.areas or chosen in one.volunteer.areas]
    said = visit.query.get("said", "")
    return page(
        visit,
        "volunteers",
        board=board,
        helpers=helpers,
        areas=areas,
        chosen=chosen,
        said=said if said in SAID else "",
        left=Calendar(visit.here, visit.now).left,
        sees=lambda case: permissions.sees(visit.person, case),
    )


def approve(visit: Visit) -> Answer:
    """A sign-up becomes a volunteer, or one who was suspended may help again. They read so at once."""
    return _decided(visit, decide_volunteer.APPROVED)


def suspend(visit: Visit) -> Answer:
    """No more calls to this volunteer; they read so."""
    return _decided(visit, decide_volunteer.SUSPENDED)


def reach_by(visit: Visit) -> Answer:
    """Where a link goes when the chat does not carry a call; links sent so far are revoked."""
    reference, mail = visit.params["reference"], visit.form.get("mail", "")[: email.ADDRESS_CHARS_MAX + 1]
    said = "mail"
    try:
        decide_volunteer.reach_by(visit.here.slug, reference, mail, visit.person.by, visit.now, visit.deadline)
    except decide_volunteer.NoVolunteer as error:
        raise Refused(404, "unknown_case", "There is no such volunteer.") from error
    except Refused:
        said = "mail_wrong"
    return visit.go(f"console/volunteers?said={said}")


def decline(visit: Visit) -> Answer:
    """A sign-up is refused, with a word to whoever signed up."""
    reference = references.normalise(visit.params["reference"])
    case = CaseStore(visit.here.slug).load(reference, visit.deadline) if reference else None
    if case is None or case.kind != signing_up.KIND:
        raise Refused(404, "unknown_case", "There is no such sign-up.")
    wanted = Changed(status="rejected", public_note=visit.form.get("reason", "").strip()[:REASON_CHARS_MAX])
    try:
        work_case.change(visit.here, case, visit.person, wanted, 0, visit.now, visit.deadline)
    except NotAllowed:  # a colleague decided meanwhile
        return visit.go("console/volunteers?said=already")
    return visit.go("console/volunteers?said=declined")


def _decided(visit: Visit, state: str) -> Answer:
    try:
        decided = decide_volunteer.decide(
            visit.here.slug, visit.params["reference"], state, visit.person.by, visit.now, visit.deadline
        )
    except decide_volunteer.NoVolunteer as error:
        raise Refused(404, "unknown_case", "There is no such volunteer.") from error
    return visit.go(f"console/volunteers?said={state if decided.changed else 'already'}")
