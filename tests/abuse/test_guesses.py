"""Guessed numbers and codes: ten thousand find nothing, and neither words nor times tell whose number it was."""

from __future__ import annotations

import itertools
import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from secrets import token_bytes

import pytest

from chalicelib.cases import references
from chalicelib.dialogue.case_codes import CODE_TRIES_MAX
from chalicelib.storage.cases import CaseStore
from tests.abuse.test_every_route import NEVER_CASE, Theirs, theirs
from tests.console.clerk import employed, filed, seated, soon
from tests.integrations.system import System
from tests.shows import Measure
from tests.web import Visitor
from tests.world import World

__all__ = ["theirs"]  # a fixture
GUESSES, A_CHAT = 10_000, 25
CODE, STATE = "A2E4J6", "Primljeno"
SAMPLES = 200
APART_MAX = 0.05
ROUNDS_MAX = 3  # what other work on the machine adds is not there each time


def _number() -> str:
    return references.reference("PR", token_bytes(16))


def _code() -> str:
    return references.access_code(token_bytes(16))


def _guesses(reference: str) -> Iterator[str]:
    """One chat's: a number, five codes for it, and then whole receipts."""
    yield f"status predmeta {reference}"
    for _ in range(CODE_TRIES_MAX):
        yield _code()
    for _ in range(A_CHAT - CODE_TRIES_MAX - 1):
        yield f"status predmeta {reference} {_code()}"


@pytest.mark.campaign
@pytest.mark.shows("A3", "A27")
def test_ten_thousand_guesses_in_chats_find_nothing_and_each_chat_is_locked_after_five_codes(
    world: World, measured: Measure
) -> None:
    """Every other chat guesses codes of a number there is, the others the numbers, too; one in ten is on Viber."""
    case = filed(world.slug, world.now)
    known = replace(case, access_hash=references.access_hash(case.reference, CODE))
    CaseStore(world.slug).save(known, soon())
    heard: dict[tuple[bool, bool], set[tuple[str, ...]]] = {
        key: set() for key in itertools.product((True, False), repeat=2)
    }
    for chat in range(GUESSES // A_CHAT):
        exists, guessed = chat % 2 == 0, case.reference if chat % 2 == 0 else _number()
        says = _chat(world, chat)
        words = [says(text) for text in _guesses(guessed)]
        assert len(words) == A_CHAT and not any(STATE in answer for answer in words)
        assert not exists or says(f"status predmeta {guessed} {CODE}") == words[-1], "locked for the right one, too"
        heard[_is_on_viber(chat), exists].add(tuple(answer.replace(guessed, "…") for answer in words))
    for on_viber in (True, False):
        assert heard[on_viber, True] == heard[on_viber, False] and len(heard[on_viber, True]) == 1
        ((first, *said),) = heard[on_viber, True]
        wrong, locked = said[:CODE_TRIES_MAX], said[CODE_TRIES_MAX:]
        assert [len({first}), len(set(wrong)), len(set(locked)), len({first, *said})] == [1, 1, 1, 3]
    assert STATE in _chat(world, 0)(f"status predmeta {case.reference} {CODE}"), "it was there to be found"
    measured(
        "A3",
        f"{GUESSES:,} guesses in {GUESSES // A_CHAT} chats: 0 hits, the same words whether the number was one or not, "
        f"each chat locked after {CODE_TRIES_MAX} codes; number and code are one in "
        f"{len(references.ALPHABET) ** (references.REFERENCE_LETTERS - 1 + references.ACCESS_CODE_LETTERS):.0e}",
    )


def _is_on_viber(chat: int) -> bool:
    return chat % 10 >= 8


def _chat(world: World, number: int) -> Callable[[str], str]:
    """Says something in a chat of its own; what the one answer is."""
    if _is_on_viber(number):
        return lambda text: world.says(f"stranger{number}", text)[0]
    visitor = Visitor(world)
    return lambda text: str(visitor.says(text)[0]["text"])


@pytest.mark.alone
@pytest.mark.campaign
@pytest.mark.shows("A3", "A23")
def test_an_answer_about_what_is_anothers_takes_as_long_as_one_about_nothing(
    town: World, theirs: Theirs, measured: Measure
) -> None:
    clerk, system = seated(employed(town.slug, "admin"), town.now), System(town.slug)
    mine, doors = filed(town.slug, town.now).reference, list[str]()
    for door, ask, there, never in (
        ("chat", _asked_in_chats(town), mine, _number),
        ("console", lambda one: clerk.get(f"/console/cases/{one}"), theirs.case.reference, lambda: NEVER_CASE),
        ("case API", lambda one: system.get(f"cases/{one}"), theirs.case.reference, _number),
    ):
        rounds = (_apart(ask, there, never) for _ in range(ROUNDS_MAX))
        apart = next((found for found in rounds if found <= APART_MAX), None)
        assert apart is not None, door
        doors.append(f"{door} {100 * apart:.1f}%")
    measured("A23", f"another's and none, {SAMPLES} samples a side: medians apart by: {', '.join(doors)}")


def _asked_in_chats(town: World) -> Callable[[str], object]:
    """A new visitor for every twenty questions, so that nobody floods."""
    visitors = (visitor for visitor in iter(lambda: Visitor(town), None) for _ in range(20))
    return lambda one: next(visitors).says(f"status predmeta {one}")


def _apart(ask: Callable[[str], object], there: str, never: Callable[[], str]) -> float:
    """By what part the medians of both sides differ, of samples taken by turns; by the clock, as who guesses has it."""
    taken: dict[bool, list[float]] = {True: [], False: []}
    for number in range(2 * SAMPLES):
        exists = number % 4 in (0, 3)
        asked = there if exists else never()
        began = time.perf_counter()
        ask(asked)
        taken[exists].append(time.perf_counter() - began)
    one, other = sorted(statistics.median(side) for side in taken.values())
    return other / one - 1
