"""Registers at the counter what a person brought on paper, and gives out its slip. All of it is on record."""

from __future__ import annotations

from secrets import token_hex

from chalicelib.actions import paper_case
from chalicelib.actions.paper_case import Paper, Slip
from chalicelib.cases import references, routing
from chalicelib.integrations.case_api import NewCase, checked
from chalicelib.model import Case, Refused, SalterError, Staff, Town
from chalicelib.small_classes import dataclass
from chalicelib.storage import audit
from chalicelib.storage.audit import Act
from chalicelib.storage.cases import CaseStore
from chalicelib.storage.dynamo import Duplicate, Write
from chalicelib.wire import Deadline

CHANNEL = "counter"
FIELDS = ("number", "subject", "name", "phone", "language", "office", "official")
_APPLICANT = ("name", "phone", "language")


@dataclass(frozen=True, slots=True)
class Registered:
    """A case and what to print for it."""

    case: Case
    slip: Slip


class WrongField(SalterError):
    """A field of the form says something that cannot be; nothing was registered."""

    def __init__(self, field: str) -> None:
        super().__init__(field)
        self.field = field


class NumberTaken(SalterError):
    """There is a case under this file number; `case` as it is now."""

    def __init__(self, case: Case | None) -> None:
        super().__init__("number")
        self.case = case


def register(
    town: Town, typed: dict[str, str], agreed: bool, person: Staff, origin: str, now: float, deadline: Deadline
) -> Registered:
    """File what was typed (FIELDS, "" for what was left out). Raises WrongField, NumberTaken, Unavailable."""
    paper = _paper(town, typed, agreed)

    def beside(case: Case) -> list[Write]:
        act = Act(now, person.by, "registered", case.reference, {"consent": case.consent})
        return [audit.item(town.slug, act, token_hex(4))]

    try:
        case, seed = paper_case.file(town, paper, person.by, CHANNEL, now, deadline, beside=beside)
    except Duplicate as taken:
        raise NumberTaken(CaseStore(town.slug).by_number(paper.number, deadline)) from taken
    return Registered(case, paper_case.slip(town, seed, now, origin))


def find(town: Town, written: str, deadline: Deadline) -> Case | None:
    """The paper case of a reference or file number, as printed on a slip or written on the file."""
    store, reference = CaseStore(town.slug), references.normalise(written)
    case = (store.load(reference, deadline) if reference else None) or store.by_number(written, deadline)
    return case if case and case.kind == "administrative" else None


def print_again(town: Town, case: Case, person: Staff, origin: str, now: float, deadline: Deadline) -> Registered:
    """Another slip; the one before opens nothing any more. Raises AlreadyBound, Unavailable."""
    changed, seed = paper_case.new_slip(town, case.reference, person.by, now, deadline)
    return Registered(changed, paper_case.slip(town, seed, now, origin))


def _paper(town: Town, typed: dict[str, str], agreed: bool) -> Paper:
    said = {name: value.strip() for name, value in typed.items() if value.strip()}
    if "number" not in said:
        raise WrongField("number")
    applicant = {name: said.pop(name) for name in _APPLICANT if name in said}
    try:
        asked = checked(NewCase, {**said, "applicant": applicant})
    except Refused as error:
        raise WrongField((error.field_name or "").rpartition(".")[2] or "subject") from error
    office = routing.office_of(town.core, town.texts, asked.office) if asked.office else ""
    if office is None:
        raise WrongField("office")
    return Paper(
        subject=asked.subject,
        name=asked.applicant.name,
        number=asked.number or "",
        phone=asked.applicant.phone or "",
        language=asked.applicant.language or "",
        office=office,
        official=asked.official or "",
        consent=agreed,
    )
