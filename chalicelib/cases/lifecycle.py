"""The life of a case: which status may follow which, and who may cause it. Every change is one `Happening`. Pure.

Whoever changes a case (a clerk, the town's office system, a citizen, a crew, a volunteer) does it through `change`.
What the graph does not allow is refused; a retry does not help, the caller must ask for something else.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from chalicelib.model import Attachment, Case, Happening, Place, Refused
from chalicelib.small_classes import dataclass, replace

OPEN = ("received", "in_progress", "forwarded", "awaiting_opinion", "awaiting_citizen", "stayed")
CLOSED = ("resolved", "rejected", "dismissed", "discontinued", "withdrawn")
STATUSES = (*OPEN, *CLOSED)
SYSTEM, CITIZEN, STAFF, API, COMPANY, VOLUNTEER = "system", "citizen", "staff", "api", "company", "volunteer"
PLATFORM = "platform"
REOPENED, WITHDRAWN, RATED, ASSIGNED, RELEASED = "reopened", "withdrawn", "rated", "assigned", "released"
REMINDED, ESCALATED, OVERDUE = "reminded", "escalated", "overdue"  # what a deadline caused
CALLED = "called"  # somebody of the office has called the citizen whom no notice reached
VALIDATED = "validated"  # found complete: where the town says so, the term starts now
REOPEN_DAYS = 30  # how long a citizen may say "still not fixed", unless the town says otherwise
SEALED_KEPT_DAYS = 30  # after closing, unless the town says otherwise
RATING_MAX = 5
ATTACHED = "attachment"
ATTACHMENTS_MAX = 12
_DAY_SECONDS = 86400


@dataclass(frozen=True, slots=True)
class Move:
    """One row of the graph: from which statuses, and by whom."""

    of: tuple[str, ...]
    who: tuple[str, ...]


_WAITING = ("awaiting_opinion", "awaiting_citizen")
_BEGUN = ("received", "in_progress", "forwarded")
_OFFICE = (STAFF, API)
GRAPH: Mapping[str, Move] = {
    "received": Move((), (SYSTEM,)),  # new or reopened only
    "in_progress": Move(("received", "forwarded", *_WAITING, "stayed"), (*_OFFICE, COMPANY, VOLUNTEER)),
    "forwarded": Move(("received", "in_progress"), _OFFICE),
    "awaiting_opinion": Move(_BEGUN, _OFFICE),
    "awaiting_citizen": Move(_BEGUN, _OFFICE),
    "stayed": Move(_BEGUN, _OFFICE),
    "discontinued": Move(OPEN, _OFFICE),
    "dismissed": Move(OPEN, _OFFICE),
    "rejected": Move(OPEN, _OFFICE),
    "resolved": Move(OPEN, (*_OFFICE, COMPANY, VOLUNTEER)),
    "withdrawn": Move(OPEN, (CITIZEN, STAFF)),
}
REOPENING = Move(CLOSED, (STAFF, CITIZEN))
# Events that only the product itself writes into a history.
OWN_EVENTS = frozenset(
    "opened assigned released attachment notice rated followed reminded escalated overdue purged".split()  # noqa: SIM905
)


@dataclass(frozen=True, slots=True)
class Event:
    """What somebody wants to happen to a case. `by` is "staff:<id>", "api:<key>", "citizen" …; `at` epoch seconds.

    Empty means unchanged. `due_at` replaces the deadline (a reopened case gets a new one).
    """

    at: int
    by: str
    status: str = ""
    name: str = ""
    note: str = ""
    public_note: str = ""
    office: str = ""
    official: str = ""
    awaiting_institution: str = ""
    forwarded_to: str = ""
    due_at: int = 0
    assignee: tuple[str, str, str] | None = None

    @property
    def role(self) -> str:
        """Who may do it, by the graph; a platform admin who went into a town works there as its staff does."""
        kind = self.by.partition(":")[0]
        return STAFF if kind == PLATFORM else kind


class NotAllowed(Refused):
    """The graph has no such move from here, or not for this role."""

    def __init__(self, code: str, message: str, field_name: str = "status") -> None:
        super().__init__(422, code, message, field_name)


def is_open(case: Case) -> bool:
    return case.status in OPEN


def opened(case: Case, by: str) -> Case:
    """The case as it comes into being: received, with the first entry of its history."""
    first = Happening(case.created_at, "opened", "received", by)
    return replace(case, status="received", updated_at=case.created_at, closed_at=0, history=(first,))


def change(case: Case, event: Event, *, reopen_days: int = REOPEN_DAYS) -> Case:
    """The case after `event`; its last `Happening` is the one a citizen may be told of. Raises NotAllowed.

    A note for the office alone, given together with one for the citizen, stands before it as an entry of its own.
    """
    if event.name == REOPENED:
        return _reopened(case, event, reopen_days)
    if event.name == RATED:
        return _rated(case, event)
    wanted = event.status or (WITHDRAWN if event.name == WITHDRAWN else "")
    after = _with_details(case, event)
    if wanted and wanted != case.status:
        _check(case, wanted, event.role)
        after = _moved(after, wanted, event)
    elif after == case and not (event.note or event.public_note or event.name):
        raise NotAllowed("nothing_new", f"The case is {case.status} already, and the event says nothing else.")
    return _recorded(after, event, _name(case, after, event))


def added_to(
    case: Case, at: int, by: str, attachments: Sequence[Attachment] = (), place: Place | None = None, note: str = ""
) -> Case:
    """The case with what its citizen sent later; files beyond the bound, and those it has, are left out. Raises
    NotAllowed if closed."""
    if not is_open(case):
        raise NotAllowed("transition_not_allowed", f"A case that is {case.status} takes no more files.", "event")
    room = max(0, ATTACHMENTS_MAX - len(case.attachments))
    there = {file.key for file in case.attachments if file.key}
    fresh = [file for file in attachments if file.key not in there][:room]
    numbered = [replace(file, id=str(number)) for number, file in enumerate(fresh, len(case.attachments) + 1)]
    happening = Happening(at, ATTACHED, case.status, by, note)
    return replace(
        case,
        attachments=(*case.attachments, *numbered),
        place=_pinned(case.place, place),
        history=(*case.history, happening),
        updated_at=max(at, case.updated_at),
    )


def _pinned(old: Place | None, new: Place | None) -> Place | None:
    """The words of the one with the pin of the other."""
    if old is None or new is None:
        return new or old
    return replace(new, text=new.text or old.text)


def reopen_until(case: Case, days: int) -> int:
    """Until when its citizen may say that a closed case is not settled, in epoch seconds."""
    return case.closed_at + days * _DAY_SECONDS


def may(role: str, case: Case, status: str) -> bool:
    """Whether somebody of this role may move the case to `status` now."""
    move = GRAPH.get(status)
    return move is not None and case.status in move.of and role in move.who


def _check(case: Case, wanted: str, role: str) -> None:
    move = GRAPH.get(wanted)
    if move is None:
        raise NotAllowed("unknown_status", f"There is no status {wanted[:40]}; use one of {', '.join(STATUSES)}.")
    if case.status not in move.of:
        raise NotAllowed("transition_not_allowed", f"A case that is {case.status} cannot become {wanted}.")
    if role not in move.who:
        raise NotAllowed("not_by_you", f"{wanted} is caused by {', '.join(move.who)} only.")


def _with_details(case: Case, event: Event) -> Case:
    return replace(
        case,
        office=event.office or case.office,
        official=event.official or case.official,
        awaiting_institution=event.awaiting_institution or case.awaiting_institution,
        forwarded_to=event.forwarded_to or case.forwarded_to,
        assignee=None if event.name == RELEASED else event.assignee or case.assignee,
        due_at=event.due_at or case.due_at,
    )


def _moved(case: Case, status: str, event: Event) -> Case:
    """The new status with what follows from it: an institution is awaited only while the case waits for it."""
    awaited = event.awaiting_institution if status not in _WAITING else case.awaiting_institution
    closed = event.at if status in CLOSED else 0
    return replace(case, status=status, awaiting_institution=awaited, closed_at=closed)


def _name(before: Case, after: Case, event: Event) -> str:
    if event.name:
        return event.name
    if event.assignee:
        return ASSIGNED
    if after.status != before.status:
        return "forwarded" if after.status == "forwarded" else "status"
    if after.forwarded_to != before.forwarded_to:
        return "forwarded"
    return "note" if event.note or event.public_note else "changed"


def _recorded(case: Case, event: Event, name: str) -> Case:
    history = list(case.history)
    if event.note and event.public_note:
        before = history[-1].status if history else case.status
        history.append(Happening(event.at, "note", before, event.by, event.note))
    note, public = (event.public_note, True) if event.public_note else (event.note, False)
    history.append(Happening(event.at, name, case.status, event.by, note, public))
    return replace(case, history=tuple(history), updated_at=max(event.at, case.updated_at))


def _reopened(case: Case, event: Event, days: int) -> Case:
    if case.status not in REOPENING.of:
        raise NotAllowed("transition_not_allowed", f"A case that is {case.status} is not closed.", "event")
    if event.role not in REOPENING.who:
        raise NotAllowed("not_by_you", f"A case is reopened by {', '.join(REOPENING.who)} only.", "event")
    if event.role == CITIZEN and event.at > reopen_until(case, days):
        raise NotAllowed("too_late", f"A case may be reopened within {days} days; file a new one.", "event")
    back = replace(_with_details(case, event), status="received", closed_at=0, awaiting_institution="")
    return _recorded(back, event, REOPENED)


def _rated(case: Case, event: Event) -> Case:
    if case.status != "resolved" or event.role != CITIZEN:
        raise NotAllowed("transition_not_allowed", "Only a resolved case is rated, by its citizen.", "event")
    if not (event.note.isdecimal() and 1 <= int(event.note) <= RATING_MAX):
        raise NotAllowed("bad_rating", f"A rating is a number from 1 to {RATING_MAX}.", "note")
    rated = replace(case, fields={**case.fields, "rating": int(event.note)})
    return _recorded(rated, event, RATED)
