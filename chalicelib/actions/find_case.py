"""Finds cases for staff by what they have at hand: a reference, a file number."""

from __future__ import annotations

from chalicelib.cases import references
from chalicelib.model import Case, Town
from chalicelib.storage.cases import CaseStore
from chalicelib.wire import Deadline


def find(town: Town, written: str, deadline: Deadline) -> tuple[Case, ...]:
    """The cases that `written` names, typed in either script, with or without punctuation."""
    store = CaseStore(town.slug)
    reference = references.normalise(written)
    case = store.load(reference, deadline) if reference else None
    case = case or store.by_number(written, deadline)
    return (case,) if case else ()
