"""A case as staff open it: whole, with who else looks at it just now. That it was opened is on record."""

from __future__ import annotations

from collections.abc import Iterable
from secrets import token_hex

from chalicelib.cases import references
from chalicelib.model import Case, Happening, Staff, Town
from chalicelib.storage import audit, told
from chalicelib.storage.audit import Act
from chalicelib.storage.cases import CaseStore, Looking
from chalicelib.wire import Deadline

LOOKING_SECONDS = 3 * 60
LOOKED_AGAIN_SECONDS = 60  # a page that stays open says so again


def whole(town: Town, written: str, deadline: Deadline) -> Case | None:
    """The case of a reference with its whole history."""
    reference = references.normalise(written)
    return CaseStore(town.slug).load_whole(reference, deadline) if reference else None


def history(case: Case, deadline: Deadline) -> list[Happening]:
    """The case's history with what became of its notices among it, oldest first; one query."""
    notices = told.of_case(case.tenant, case.reference, deadline)
    return sorted((*case.history, *notices), key=lambda entry: entry.at)


def seen_by(town: Town, case: Case, person: Staff, now: float, deadline: Deadline) -> tuple[Looking, ...]:
    """Colleagues who opened the case in the last minutes; this visit is noted and on record."""
    everybody = CaseStore(town.slug).looking(case.reference, deadline)
    _look(town, case, person, now, deadline)
    note(town, case, person, "case_opened", now, deadline)
    return _others(everybody, person, now)


def note(town: Town, case: Case, person: Staff, what: str, now: float, deadline: Deadline, **detail: str) -> None:
    """That somebody reads what people told their town is on record before they see it. Raises Unavailable."""
    audit.record(town.slug, Act(now, person.by, what, case.reference, detail), token_hex(4), deadline)


def standing(
    town: Town, written: str, person: Staff, now: float, deadline: Deadline
) -> tuple[Case, tuple[Looking, ...]] | None:
    """The case as it stands and who has it open, for a page that asks again and again: two reads, and a write a minute
    that says whose page it is. None for a case that is not there."""
    store, reference = CaseStore(town.slug), references.normalise(written)
    case = store.load(reference, deadline) if reference else None
    if case is None:
        return None
    everybody = store.looking(case.reference, deadline)
    mine = max((one.at for one in everybody if one.id == person.id), default=0)
    if mine <= now - LOOKED_AGAIN_SECONDS:
        _look(town, case, person, now, deadline)
    return case, _others(everybody, person, now)


def _look(town: Town, case: Case, person: Staff, now: float, deadline: Deadline) -> None:
    name = person.name or person.mail.partition("@")[0]
    CaseStore(town.slug).look(case.reference, Looking(person.id, name, int(now)), deadline)


def _others(everybody: Iterable[Looking], person: Staff, now: float) -> tuple[Looking, ...]:
    return tuple(one for one in everybody if one.id != person.id and one.at > now - LOOKING_SECONDS)
