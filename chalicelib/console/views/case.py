"""One case: what it says, how long it has, what can be done with it, and what the citizen will read."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

from chalicelib.actions import (
    block_person,
    case_answers,
    desk,
    hand_to_company,
    known_case,
    look_around_case,
    seal,
    send_file,
    serve_company,
    show_media,
    uploads,
    work_case,
)
from chalicelib.actions.desk import left
from chalicelib.actions.work_case import Changed, ChangedMeanwhile
from chalicelib.cases import lifecycle
from chalicelib.cases.lifecycle import NotAllowed
from chalicelib.console import pages, permissions
from chalicelib.console.door import Answer, Visit
from chalicelib.console.pages import page
from chalicelib.model import Attachment, Case, Refused, Staff
from chalicelib.small_classes import dataclass
from chalicelib.storage import orders
from chalicelib.storage.cases import Looking

NOTE_CHARS_MAX = 2000
SHORT_CHARS_MAX = 120
SAID = (
    "saved",
    "noted",
    "claimed",
    "released",
    "reopened",
    "completed",
    "assigned",
    "moved",
    "blocked",
    "unblocked",
    "handed",
    "revoked",
)


@dataclass(frozen=True, slots=True)
class Shown:
    """An attachment as a page shows it: `small` a link to its little picture, "" for what has none; `number` counts
    those of its kind; `repair`: a company sent it; `sent`: somebody of the town sent it to the citizen."""

    id: str
    type: str
    state: str
    number: int
    small: str
    repair: bool
    sent: bool


def show(visit: Visit) -> Answer:
    """The page of a case; that it was opened is on record, and colleagues see it."""
    case = the_case(visit)
    others = known_case.seen_by(visit.here, case, visit.person, visit.now, visit.deadline)
    return shown(visit, case, others=others, said=_said(visit))


def standing(visit: Visit) -> Answer:
    """Asked every two seconds: nothing (204) while it stands as the page shows it, else who has it and who looks."""
    found = known_case.standing(visit.here, visit.params["reference"], visit.person, visit.now, visit.deadline)
    if found is None or not permissions.sees(visit.person, found[0]):
        raise Refused(404, "unknown_case", "There is no such case.")
    case, others = found
    if _mark(case, others) == visit.query.get("since", ""):
        return Answer(status=204)
    shown_v = visit.query.get("v", "")
    return page(visit, "case_standing", **_standing(visit, case, others), shown_v=shown_v)


def _standing(visit: Visit, case: Case, others: Sequence[Looking]) -> dict[str, Any]:
    """Whose the case is, who else has it open, and a word that changes with either."""
    return {
        "case": case,
        "others": others,
        "mine": case.assignee is not None and case.assignee[:2] == ("staff", visit.person.id),
        "is_open": lifecycle.is_open(case),
        "mark": _mark(case, others),
    }


def _mark(case: Case, others: Sequence[Looking]) -> str:
    seen = repr((case.v, sorted((one.id, one.name) for one in others)))
    return hashlib.blake2b(seen.encode(), digest_size=8).hexdigest()


def claim(visit: Visit) -> Answer:
    """Take a case, or take it over from a colleague who left it."""
    case = work_case.claim(visit.here, the_case(visit), visit.person, visit.now, visit.deadline)
    return visit.go(f"console/cases/{case.reference}?said=claimed")


def release(visit: Visit) -> Answer:
    """Give it back to the office."""
    case = work_case.release(visit.here, the_case(visit), visit.person, visit.now, visit.deadline)
    return visit.go(f"console/cases/{case.reference}?said=released")


def preview(visit: Visit) -> Answer:
    """The exact notice that the form as it stands would send."""
    case = the_case(visit)
    try:
        worded = work_case.preview(visit.here, case, visit.person, _wanted(visit), visit.now, visit.deadline)
    except NotAllowed:
        worded = None
    return page(visit, "case_preview", shown=worded, case=case)


def change(visit: Visit) -> Answer:
    """Another status or office, a word for the citizen. A colleague's change in between is shown, nothing is lost."""
    case, typed = the_case(visit), _wanted(visit)
    try:
        changed = work_case.change(visit.here, case, visit.person, typed, version(visit), visit.now, visit.deadline)
    except NotAllowed as error:
        return shown(visit, case, typed=typed, problem=error.code, status=422)
    except ChangedMeanwhile as meanwhile:
        return conflict(visit, meanwhile, typed=typed)
    return visit.go(f"console/cases/{changed.reference}?said=saved")


def note(visit: Visit) -> Answer:
    """A note for colleagues alone."""
    text = visit.form.get("public_note", "").strip()[:NOTE_CHARS_MAX]
    case = the_case(visit)
    if not text:
        return shown(visit, case, problem="note_empty", status=422)
    work_case.note(visit.here, case, visit.person, text, visit.now, visit.deadline)
    return visit.go(f"console/cases/{case.reference}?said=noted")


def called(visit: Visit) -> Answer:
    """Somebody rang the citizen up whom no notice reached: the case leaves the call list."""
    work_case.called(visit.here, the_case(visit), visit.person, visit.now, visit.deadline)
    return visit.go(f"console/inbox?only={desk.CALL}")


def complete(visit: Visit) -> Answer:
    """The request is complete: where the town says so, its term starts."""
    case = the_case(visit)
    if not work_case.may_be_completed(visit.here, case):
        return shown(visit, case, problem="transition_not_allowed", status=422)
    work_case.complete(visit.here, case, visit.person, visit.now, visit.deadline)
    return visit.go(f"console/cases/{case.reference}?said=completed")


def assign(visit: Visit) -> Answer:
    """Give the case to a colleague whose business it is."""
    case = the_case(visit)
    people = look_around_case.colleagues(visit.here, visit.deadline)
    able = look_around_case.able(people, case, permissions.sees)
    to = next((person for person in able if person.id == visit.form.get("to")), None)
    if to is None:
        return shown(visit, case, problem="nobody_chosen", status=422)
    work_case.assign(visit.here, case, visit.person, to, visit.now, visit.deadline)
    return visit.go(f"console/cases/{case.reference}?said=assigned")


def move_deadline(visit: Visit) -> Answer:
    """Another deadline, with a reason that stays in the history."""
    case, form = the_case(visit), visit.form
    due, reason = form.get("due", "")[:SHORT_CHARS_MAX], form.get("reason", "").strip()[:NOTE_CHARS_MAX]
    try:
        work_case.move_deadline(visit.here, case, visit.person, due, reason, version(visit), visit.now, visit.deadline)
    except NotAllowed as error:
        return shown(visit, case, moving=(due, reason), problem=error.code, status=422)
    except ChangedMeanwhile as meanwhile:
        return conflict(visit, meanwhile, moving=(due, reason))
    return visit.go(f"console/cases/{case.reference}?said=moved")


def block(visit: Visit) -> Answer:
    """The citizen of this case gets a polite line from here on."""
    case = the_case(visit)
    block_person.block_person(visit.here, case.reference, visit.person, visit.now, visit.deadline)
    return visit.go(f"console/cases/{case.reference}?said=blocked")


def unblock(visit: Visit) -> Answer:
    """Everything is as before."""
    case = the_case(visit)
    block_person.unblock_person(visit.here, case.reference, visit.person, visit.now, visit.deadline)
    return visit.go(f"console/cases/{case.reference}?said=unblocked")


def unmask(visit: Visit) -> Answer:
    """Phone or another hidden value, shown once; that it was shown is on record."""
    case, what = the_case(visit), visit.form.get("what", "")
    value = work_case.unmask(visit.here, case, visit.person, what, visit.now, visit.deadline)
    if value is None:
        raise Refused(404, "nothing_there", "There is no such value.")
    return Answer(body=str(visit.say("shown_value", value=value)))


def file(visit: Visit) -> Answer:
    """On to an attachment itself, by a link that is good for some minutes; on record, as every look."""
    case = the_case(visit)
    way = to_file(visit, case)
    number = visit.params["number"][:SHORT_CHARS_MAX]
    known_case.note(visit.here, case, visit.person, "file_opened", visit.now, visit.deadline, file=number)
    return way


def printed(visit: Visit) -> Answer:
    """A sheet for the registrar's folder; on record, as every look."""
    case = the_case(visit)
    known_case.note(visit.here, case, visit.person, "case_printed", visit.now, visit.deadline)
    case = seal.with_private(case, visit.deadline)
    return page(visit, "case_print", case=case, answers=case_answers.of_case(visit.here, case))


# --- parts that the pages about a case share ----------------------------------------------------------------------


def the_case(visit: Visit) -> Case:
    """The case of the address, if it is this person's business; one that is not is as unknown as any other."""
    case = known_case.whole(visit.here, visit.params["reference"], visit.deadline)
    if case is None or not permissions.sees(visit.person, case):
        raise Refused(404, "unknown_case", "There is no such case.")
    return case


def conflict(visit: Visit, meanwhile: ChangedMeanwhile, **typed: Any) -> Answer:
    """What a colleague changed meanwhile, with everything this person typed."""
    return shown(visit, meanwhile.case, meanwhile=meanwhile.case.history[-1], status=409, **typed)


def shown(visit: Visit, case: Case, status: int = 200, **more: Any) -> Answer:
    """The page of a case."""
    case = seal.with_private(case, visit.deadline)
    people = look_around_case.colleagues(visit.here, visit.deadline)
    handed = orders.of_case(case.tenant, case.reference, visit.now, visit.deadline)
    blank: dict[str, Any] = {
        "said": "",
        "typed": Changed(),
        "moving": ("", ""),
        "handing": None,
        "problem": "",
        "meanwhile": None,
    }
    answer = page(
        visit,
        "case",
        status,
        history=known_case.history(case, visit.deadline),
        left=left(visit.here, case, visit.now),
        days=work_case.days_of(visit.here, case, visit.now),
        moves=work_case.moves(case),
        endings=work_case.ENDINGS,
        offices=[office["id"] for office in visit.here.core["offices"] if office["competent"] == "town"],
        elsewhere=[office["id"] for office in visit.here.core["offices"] if office["competent"] != "town"],
        answers=case_answers.of_case(visit.here, case),
        label=lambda name: case_answers.label(visit.here, case, name),
        files=files(case),
        near=look_around_case.neighbours(case, visit.now, visit.deadline),
        blocked=look_around_case.is_blocked(case, visit.now, visit.deadline),
        able=look_around_case.able(people, case, permissions.sees) if visit.may(permissions.STEER) else (),
        steers=visit.may(permissions.STEER),
        may_complete=work_case.may_be_completed(visit.here, case),
        who=_names(people, handed),
        orders=handed,
        hands=hand_to_company.possible(case),
        mails=hand_to_company.addresses(visit.here),
        hand_days=hand_to_company.DAYS,
        tiles=visit.here.core.get("map_tiles"),
        shown_v=str(case.v),
        **_standing(visit, case, more.pop("others", ())),
        **(blank | more),
    )
    return pages.with_media(answer, uploads.origin(), pictures=_tiles_origin(visit))


def files(case: Case) -> tuple[Shown, ...]:
    """The attachments as pages show them, those of a kind counted."""
    seen: dict[tuple[str, bool, bool], int] = {}
    found = []
    for attachment in case.attachments:
        repair = serve_company.is_of_company(case, attachment)
        sent = send_file.is_of_staff(case, attachment)
        sort = (attachment.type, repair, sent)
        seen[sort] = seen.get(sort, 0) + 1
        found.append(
            Shown(
                attachment.id,
                attachment.type,
                attachment.state,
                seen[sort],
                show_media.small(attachment) or "",
                repair,
                sent,
            )
        )
    return tuple(found)


def to_file(visit: Visit, case: Case) -> Answer:
    """On to one attachment of a case. Raises Refused 404 for one that is not there or not checked."""
    attachment: Attachment | None = next((one for one in case.attachments if one.id == visit.params["number"]), None)
    link = show_media.link(attachment) if attachment else None
    if link is None:
        raise Refused(404, "nothing_there", "There is no such file.")
    return Answer(status=302, headers={"Location": link})


def version(visit: Visit) -> int:
    """The version of the case that the form's page showed."""
    written = visit.form.get("v", "")
    return int(written) if written.isdecimal() and len(written) < 9 else 0


def _names(people: tuple[Staff, ...], handed: tuple[orders.Order, ...]) -> dict[str, str]:
    """Who did something, by how histories name them."""
    names = {person.by: person.name or person.mail.partition("@")[0] for person in people}
    return names | {f"{lifecycle.COMPANY}:{order.id}": order.name for order in handed}


def _tiles_origin(visit: Visit) -> str:
    tiles = visit.here.core.get("map_tiles")
    return "/".join(str(tiles["url"]).split("/")[:3]) if tiles else ""


def _wanted(visit: Visit) -> Changed:
    form = visit.form
    return Changed(
        status=form.get("status", "")[:SHORT_CHARS_MAX],
        office=form.get("office", "")[:SHORT_CHARS_MAX],
        awaiting_institution=form.get("awaiting_institution", "").strip()[:SHORT_CHARS_MAX],
        public_note=form.get("public_note", "").strip()[:NOTE_CHARS_MAX],
        competent=(form.get("competent_typed", "").strip() or form.get("competent", ""))[:SHORT_CHARS_MAX],
    )


def _said(visit: Visit) -> str:
    said = visit.query.get("said", "")
    return said if said in SAID else ""
