"""Whom the office should call: citizens whom a notice did not reach, or who have not seen it for days.

Somebody who has written since has surely seen it: such an entry is struck off when the list is read.
"""

from __future__ import annotations

from chalicelib.model import Case, Conflict, Follower, Town
from chalicelib.small_classes import dataclass
from chalicelib.storage import conversations, keys, told
from chalicelib.storage.cases import CaseStore
from chalicelib.storage.told import Wait
from chalicelib.wire import Deadline

LISTED_MAX = 100  # notices looked at for one page


@dataclass(frozen=True, slots=True)
class Calls:
    """Cases to call about, longest waiting first, and where the next page begins (None: there is none)."""

    cases: tuple[Case, ...]
    cursor: str | None = None


def call_list(town: Town, now: float, limit: int, deadline: Deadline, cursor: str = "") -> Calls:
    """A page of the town's call list; three requests, and one write for each entry that has settled itself."""
    most = min(limit, LISTED_MAX)
    waits = told.to_call(town.slug, now, most, deadline, cursor)
    references = tuple(dict.fromkeys(wait.reference for wait in waits))
    found = {case.reference: case for case in CaseStore(town.slug).several(references, deadline)}
    waiting = _unseen(town, waits, found, now, deadline)
    cases = tuple(found[reference] for reference in references if reference in waiting and reference in found)
    return Calls(cases, waits[-1].cursor if len(waits) == most else None)


def _unseen(
    town: Town, waits: tuple[Wait, ...], cases: dict[str, Case], now: float, deadline: Deadline
) -> frozenset[str]:
    """The references of those cases whose citizen has not been heard of since the notice."""
    people = {keys.person(each.account, each.citizen): each for case in cases.values() for each in _people(case)}
    asked = [people[wait.person] for wait in waits if wait.person in people]
    last = conversations.last_heard(list(dict.fromkeys(asked)), deadline)
    unseen = set()
    for wait in waits:
        who = people.get(wait.person)
        if who is not None and last.get(who, 0) > wait.at:
            _strike_off(town, wait, now, deadline)
        else:
            unseen.add(wait.reference)
    return frozenset(unseen)


def _people(case: Case) -> tuple[Follower, ...]:
    return (case.owner,) if case.owner else ()


def _strike_off(town: Town, wait: Wait, now: float, deadline: Deadline) -> None:
    try:
        told.note(town.slug, wait.reference, wait.person, wait.seq, told.SEEN, now, deadline)
    except Conflict:  # it is changing this moment: the next look at the list settles it
        return
