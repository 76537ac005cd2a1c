"""A case as staff open it: whole, with who else looks at it just now. That it was opened is on record."""

from __future__ import annotations

from secrets import token_hex

from chalicelib.cases import references
from chalicelib.model import Case, Happening, Staff, Town
from chalicelib.storage import audit, told
from chalicelib.storage.audit import Act
from chalicelib.storage.cases import CaseStore, Looking
from chalicelib.wire import Deadline

LOOKING_SECONDS = 5 * 60


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
    store = CaseStore(town.slug)
    others = [
        looking
        for looking in store.looking(case.reference, deadline)
        if looking.id != person.id and looking.at > now - LOOKING_SECONDS
    ]
    store.look(case.reference, Looking(person.id, person.name or person.mail.partition("@")[0], int(now)), deadline)
    audit.record(town.slug, Act(now, person.by, "case_opened", case.reference), token_hex(4), deadline)
    return tuple(others)
