"""A turn's effects are committed with its conversation: all of it, or none."""

from __future__ import annotations

from typing import Any

import pytest

from chalicelib import wire
from chalicelib.actions.receive_message import receive_message
from chalicelib.model import (
    Case,
    ChangeCase,
    Effect,
    Facts,
    FollowCase,
    Inbound,
    Line,
    OpenCase,
    SalterError,
    Say,
    Turn,
    Voice,
)
from chalicelib.storage import keys
from chalicelib.storage.cases import CaseStore
from chalicelib.wire import Deadline
from tests.faults.breaking import Breaker, Killed
from tests.world import World

SOON = Deadline(1e6)  # made when tests are collected, which may be long before one runs


def _step(*effects: Any) -> Any:
    def step(town: Any, conversation: Any, inbound: Any, facts: Facts) -> Turn:
        made: tuple[Effect, ...] = tuple(effect(facts) if callable(effect) else effect for effect in effects)
        return Turn((Say((Line("thanks"),)),), Voice("sr"), effects=made)

    return step


def _problem(facts: Facts) -> OpenCase:
    return OpenCase(Case("", facts.ids.reference, "problem", "received", "Rupa", 0, 0, category="road_damage"))


def _says(world: World, identifier: str, step: Any, citizen: str = "mira") -> None:
    inbound = Inbound(id=identifier, citizen=citizen, text="x")
    receive_message(inbound, world.account, world.now, f"h{identifier}", Deadline(20), step=step)


def _own(world: World, citizen: str = "mira") -> Any:
    return CaseStore(world.slug).own(keys.person(world.account.id, citizen), SOON)


def test_a_case_is_opened_with_the_turn_and_only_once(world: World) -> None:
    for _ in range(3):
        _says(world, "1", _step(_problem))
    (case,) = _own(world)
    assert (case.tenant, case.status, case.channel, case.owner.citizen) == (world.slug, "received", "viber", "mira")
    assert case.history[0].event == "opened"
    assert case.reference.startswith("PR-")
    assert world.viber.texts() == ["Hvala!"]


def test_somebody_else_may_follow_and_the_owner_may_withdraw(world: World) -> None:
    _says(world, "1", _step(_problem))
    reference = _own(world)[0].reference
    _says(world, "2", _step(FollowCase(reference)), citizen="jovo")
    _says(world, "3", _step(FollowCase(reference)), citizen="jovo")
    case = CaseStore(world.slug).load(reference, SOON)
    assert case is not None
    assert [follower.citizen for follower in case.followers] == ["jovo"]
    _says(world, "4", _step(ChangeCase(reference, "withdrawn")))
    case = CaseStore(world.slug).load(reference, SOON)
    assert case is not None
    assert case.status == "withdrawn"


@pytest.mark.shows("F1", "R1", "T1")
@pytest.mark.parametrize("how", ["fails", "killed"])
@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("nth", range(1, 7))
def test_breaking_any_one_call_of_filing_neither_loses_nor_doubles_the_case(
    world: World, nth: int, when: str, how: str
) -> None:
    breaker = Breaker(nth, when, how)
    wire.taps.append(breaker)
    try:
        for _ in range(3):
            try:
                _says(world, "1", _step(_problem))
            except (SalterError, Killed):
                world.warm()
    finally:
        wire.taps.remove(breaker)
    assert len(_own(world)) == 1
    conversation = world.conversation("mira")
    assert conversation is not None
    assert [entry.origin for entry in conversation.log] == ["citizen", "bot"]


def test_filing_a_case_costs_two_requests_before_the_reply_one_read_and_at_most_eighteen_writes(world: World) -> None:
    _says(world, "0", _step())
    _says(world, "1", _step(_problem))  # the first case of a month notes the month
    world.meter.reset()
    _says(world, "2", _step(_problem))
    assert world.meter.operations == [
        "dynamodb.GetItem",
        "dynamodb.TransactWriteItems",
        "viber.send_message",
        "dynamodb.UpdateItem",
    ]
    assert world.meter.reads <= 1
    assert world.meter.writes <= 18
