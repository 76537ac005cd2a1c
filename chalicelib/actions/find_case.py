"""Finds cases for staff by what they have at hand: a reference, a file number, a phone or its ending, words.

Words are looked up in the search entries; the rarest one gives the candidates, which are then read themselves, so that
an entry that lags behind misleads nobody. A page reads at most `READ_MAX` cases and says when there is more.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from chalicelib.cases import references
from chalicelib.cases import search as finding
from chalicelib.model import Case, Staff, Town
from chalicelib.small_classes import dataclass
from chalicelib.storage import search
from chalicelib.storage.cases import CaseStore
from chalicelib.wire import Deadline

SHOWN_MAX = 20
READ_MAX = 100  # heads a page may read
READ_AT_ONCE = 50
OFFSET_MAX = search.CANDIDATES_MAX

Sees = Callable[[Staff, Case], bool]


@dataclass(frozen=True, slots=True)
class Found:
    """Cases newest first, and where the next page begins (0: this is all)."""

    cases: tuple[Case, ...] = ()
    after: int = 0


def find(town: Town, person: Staff, sees: Sees, written: str, deadline: Deadline, after: int = 0) -> Found:
    """The cases that `written` names, of those that `sees(person, case)` leaves; in either script, with or without
    punctuation and diacritics."""

    def mine(cases: Sequence[Case]) -> tuple[Case, ...]:
        return tuple(case for case in cases if sees(person, case))

    store = CaseStore(town.slug)
    named = mine(_by_reference(town, store, written, deadline))
    if named:
        return Found(named)
    for look in (_by_phone, _by_number) if _is_dialled(written) else (_by_number, _by_phone):
        found = mine(look(store, written, deadline))
        if found:
            return Found(found)
    return _by_words(store, written, mine, after, deadline)


def _by_reference(town: Town, store: CaseStore, written: str, deadline: Deadline) -> Sequence[Case]:
    reference = references.normalise(written)
    if reference is None or not reference.startswith(f"{town.core['prefix']}-"):
        return ()
    case = store.load(reference, deadline)
    return (case,) if case else ()


def _by_number(store: CaseStore, written: str, deadline: Deadline) -> Sequence[Case]:
    """A file number has a digit in it."""
    if not any(letter.isdigit() for letter in written):
        return ()
    reference = store.reference_of(written, deadline)
    case = store.load(reference, deadline) if reference else None
    return (case,) if case else ()


def _by_phone(store: CaseStore, written: str, deadline: Deadline) -> Sequence[Case]:
    """With or without the country's code, or the last digits of it; newest first."""
    if not finding.is_phone(written):
        return ()
    digits = finding.digits(written)
    cases = store.found(search.of_phone(store.town, digits, deadline), deadline)
    ending = [case for case in cases if finding.digits(case.applicant.get("phone", "")).endswith(digits[-8:])]
    return sorted(ending, key=lambda case: -case.created_at)


def _is_dialled(written: str) -> bool:
    """Whether this is typed as phones are, and rather not as file numbers: then that is looked at first."""
    return written.strip().startswith(("+", "0")) and "/" not in written and finding.is_phone(written)


def _by_words(
    store: CaseStore, written: str, mine: Callable[[Sequence[Case]], Sequence[Case]], after: int, deadline: Deadline
) -> Found:
    words = finding.asked(written)
    candidates = _candidates(store.town, words, deadline)
    shown: list[Case] = []
    at = after
    while at < len(candidates) and at < after + READ_MAX:
        wanted = candidates[at : at + READ_AT_ONCE]
        by_reference = {case.reference: case for case in store.found(wanted, deadline)}
        for reference in wanted:
            case = by_reference.get(reference)
            if case is not None and finding.matches(case, words) and mine((case,)):
                if len(shown) == SHOWN_MAX:
                    return Found(tuple(shown), at)
                shown.append(case)
            at += 1
    return Found(tuple(shown), at if at < len(candidates) else 0)


def _candidates(town: str, words: Sequence[str], deadline: Deadline) -> list[str]:
    """References under the rarest of the words, newest first; those that stand under the others too come before those
    that may only say them further on in a long text. Where nothing stands under a word, one page of them must do."""
    asked = [search.of_word(town, word, deadline) for word in words]
    lists = [found for found in asked if found]
    if not lists:
        return []
    rarest = min(lists, key=len)
    everywhere = set.intersection(*({each.reference for each in found} for found in lists))
    unique = list(dict.fromkeys(each.reference for each in rarest))
    likely = [each for each in unique if each in everywhere] + [each for each in unique if each not in everywhere]
    return likely if len(lists) == len(asked) else likely[:READ_MAX]
