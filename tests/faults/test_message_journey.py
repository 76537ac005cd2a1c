"""Any one call of a message's journey fails or kills the process: nothing is lost, nothing doubled but where Viber
leaves no choice (it took the message, and we died before we could note it)."""

from __future__ import annotations

import pytest

from chalicelib import wire
from chalicelib.actions.sweep import sweep
from chalicelib.model import SalterError
from tests.faults.breaking import Breaker, Killed
from tests.viber import message
from tests.web import Visitor
from tests.world import World

VIBER_CALLS = 4  # read, commit, send, mark
WEB_CALLS = 2  # read, commit
REDELIVERIES_MAX = 3


def _redelivered_until_answered(world: World, event: dict[str, object], breaker: Breaker) -> None:
    """Viber repeats what was not answered with 200."""
    wire.taps.append(breaker)
    try:
        for _ in range(REDELIVERIES_MAX):
            try:
                world.calls(event)
                return
            except (SalterError, Killed):
                world.warm()
        raise AssertionError("never answered")
    finally:
        wire.taps.remove(breaker)


def _swept(world: World) -> None:
    """Two minutes pass, the sweeper comes every minute."""
    for _ in range(2):
        world.now += 61
        sweep(world.now)


@pytest.mark.shows("F1", "R2", "R3", "T1")
@pytest.mark.parametrize("how", ["fails", "killed"])
@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("nth", range(1, VIBER_CALLS + 1))
def test_breaking_any_one_call_of_a_viber_turn_neither_loses_nor_doubles_the_reply(
    world: World, nth: int, when: str, how: str
) -> None:
    world.says("mira", "zdravo")
    sent_before = len(world.viber.sent)
    breaker = Breaker(nth, when, how)
    _redelivered_until_answered(world, message("mira", "izvod iz matične knjige rođenih"), breaker)
    _swept(world)
    replies = world.viber.texts()[sent_before:]
    # Taken by Viber, our death or a lost answer before the mark: the one window that Viber leaves open.
    in_the_window = breaker.broke == "viber.send_message" and when == "after"
    dead_before_the_mark = how == "killed" and nth == VIBER_CALLS and when == "before"
    assert 1 <= len(replies) <= (2 if in_the_window or dead_before_the_mark else 1)
    assert len(set(replies)) == 1
    conversation = world.conversation("mira")
    assert conversation is not None
    assert conversation.lane == ()
    assert [entry.origin for entry in conversation.log] == ["citizen", "bot", "citizen", "bot"]


def test_the_journey_has_as_many_calls_as_are_broken_here(world: World) -> None:
    world.says("mira", "zdravo")
    breaker = Breaker(99, "before", "fails")
    _redelivered_until_answered(world, message("mira", "meni"), breaker)
    assert breaker.seen == ["dynamodb.GetItem", "dynamodb.PutItem", "viber.send_message", "dynamodb.UpdateItem"]


@pytest.mark.shows("F1", "R2", "T1")
@pytest.mark.parametrize("how", ["fails", "killed"])
@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("nth", range(1, WEB_CALLS + 1))
def test_breaking_any_one_call_of_a_web_turn_gives_the_same_single_answer_on_repeat(
    world: World, nth: int, when: str, how: str
) -> None:
    visitor = Visitor(world)
    breaker = Breaker(nth, when, how)
    wire.taps.append(breaker)
    try:
        answers = []
        for _ in range(REDELIVERIES_MAX):
            try:
                answers.append(visitor.says("radno vreme", id="same"))
            except (SalterError, Killed):
                world.warm()
    finally:
        wire.taps.remove(breaker)
    assert len(answers) >= 2
    assert all(answer == answers[0] for answer in answers)
    conversation = world.conversation(visitor.session, world.web)
    assert conversation is not None
    assert [entry.origin for entry in conversation.log] == ["citizen", "bot"]
