"""A case changes and its citizens hear of it: in the same commit, in their voice, only if they agreed to it."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import Any

import pytest

from chalicelib import wire
from chalicelib.actions import change_case, owe, sweep
from chalicelib.actions.change_case import NoCase
from chalicelib.actions.draw_ids import DrawnIds, new_reference
from chalicelib.actions.open_case import completed, items
from chalicelib.cases import references
from chalicelib.cases.lifecycle import Event, NotAllowed
from chalicelib.model import Account, Case, Follower, Line, Say, Unavailable, Voice
from chalicelib.storage import consents, dynamo, keys
from chalicelib.storage.cases import CaseStore
from chalicelib.tenancy.schema import QUIET_MINUTES
from chalicelib.wire import Call, Deadline, Reply
from tests.meter import Meter
from tests.viber import message
from tests.web import Visitor
from tests.world import NOON, World

AT = int(NOON)


def _agrees(world: World, who: Follower, given: bool = True, at: int = AT) -> None:
    consent = consents.Consent(consents.CASES, given, at, "viber", "citizen", "consent_ask.1")
    consents.record(world.slug, keys.person(who.account, who.citizen), consent, Deadline(20))


def _citizen(world: World, name: str = "mira", said: str = "zdravo") -> Follower:
    """Somebody who has written on Viber and agreed to notices."""
    world.says(name, said)
    who = Follower(world.account.id, name)
    _agrees(world, who)
    return who


def _filed(world: World, **more: Any) -> Case:
    case = Case(world.slug, new_reference(world.town), "problem", "received", "Pukla cev", 0, 0, office="voda", **more)
    return CaseStore(world.slug).add(completed(world.town, case, "citizen", world.now), Deadline(20))


def _changes(world: World, case: Case, seconds: float = 60.0, **event: Any) -> Case:
    return change_case.change_case(
        world.town, case.reference, Event(AT, "staff:ana", **event), world.now, "holder", Deadline(seconds)
    )


def _heard(world: World, who: str = "mira") -> list[str]:
    return [text for text in world.viber.texts(who) if "PR-" in text]


def test_whoever_filed_and_agreed_is_told_at_once_in_the_language_and_script_used(world: World) -> None:
    case = _filed(world, owner=_citizen(world, said="нема воде"), consent=True)
    _changes(world, case, status="awaiting_opinion", awaiting_institution="Zavod", official="Ana Anić")
    (text,) = _heard(world)
    for part in (case.reference, "Чека се мишљење", "ЈКП Вода", "Ana Anić", "Zavod", "Следећи корак"):
        assert part in text
    stored = world.conversation("mira")
    assert stored is not None
    assert stored.lane == ()


@pytest.mark.parametrize("why", ["never asked", "withdrawn", "not for this case", "left"])
def test_nobody_is_told_without_a_live_consent(world: World, why: str) -> None:
    world.says("mira", "zdravo")
    who = Follower(world.account.id, "mira")
    if why != "never asked":
        _agrees(world, who)
    if why == "withdrawn":
        _agrees(world, who, given=False, at=AT + 1)
    if why == "left":
        world.calls({"event": "unsubscribed", "user_id": "mira", "timestamp": 1, "message_token": 5})
    case = _filed(world, owner=who, followers=(who,), consent=why != "not for this case")
    changed = _changes(world, case, status="resolved")
    assert changed.status == "resolved"
    assert _heard(world) == []


def test_who_agrees_again_is_told_again(world: World) -> None:
    who = _citizen(world)
    _agrees(world, who, given=False, at=AT + 1)
    _agrees(world, who, at=AT + 2)
    _changes(world, _filed(world, owner=who, consent=True), status="in_progress")
    assert len(_heard(world)) == 1


def test_notes_for_the_office_reach_nobody(world: World) -> None:
    case = _filed(world, owner=_citizen(world), consent=True)
    _changes(world, case, note="stranka je poznata", assignee=("staff", "ana", "Ana"))
    assert _heard(world) == []


def test_twenty_followers_and_the_owner_are_each_told_once(world: World, meter: Meter) -> None:
    people = [_citizen(world, f"p{number}") for number in range(21)]
    case = _filed(world, owner=people[0], followers=tuple(people[1:]), consent=True)
    meter.reset()
    _changes(world, case, status="resolved")
    committed = meter.operations.count("dynamodb.TransactWriteItems")
    world.now += 120
    sweep.sweep(world.now)
    assert [len(_heard(world, who.citizen)) for who in people] == [1] * 21
    assert committed == 1


def test_a_change_with_one_notice_costs_what_was_planned(world: World, meter: Meter) -> None:
    case = _filed(world, owner=_citizen(world), consent=True)
    _changes(world, case, status="in_progress")
    meter.reset()
    _changes(world, case, status="resolved")
    planned = ["GetItem", "Query", "GetItem", "TransactWriteItems", "UpdateItem", "send_message", "PutItem"]
    assert [operation.partition(".")[2] for operation in meter.operations] == planned
    assert meter.writes <= 16 + 6  # the change, then taking the lane and marking what was sent


def test_on_the_web_the_words_wait_until_they_are_fetched(world: World) -> None:
    visitor = Visitor(world)
    visitor.says("zdravo")
    who = Follower(world.web.id, visitor.session)
    _agrees(world, who)
    _changes(world, _filed(world, owner=who, consent=True), status="in_progress")
    assert any("U obradi" in said["text"] for said in visitor.fetches())


@pytest.mark.shows("F9")
def test_while_viber_is_down_the_notice_is_owed_and_sent_later(world: World) -> None:
    case = _filed(world, owner=_citizen(world), consent=True)
    world.viber.otherwise = 503
    changed = _changes(world, case, status="resolved")
    assert (changed.status, _heard(world)) == ("resolved", [])
    world.viber.otherwise = None
    world.now += 600
    sweep.sweep(world.now)
    assert len(_heard(world)) == 1


class _Breaks:
    """Fails the one call of this operation, before or after it reached the store."""

    def __init__(self, operation: str, after: bool) -> None:
        self.operation, self.late, self.broken = operation, after, 0

    def before(self, call: Call) -> None:
        if call.operation == self.operation and not self.late:
            self.broken += 1
            raise wire.CallFailed("broken", sent=False)

    def after(self, call: Call, reply: Reply) -> None:
        if call.operation == self.operation and self.late:
            self.broken += 1
            raise wire.CallFailed("broken", sent=True)


@pytest.mark.shows("F20", "F21")
@pytest.mark.parametrize("after", [False, True])
def test_a_change_is_never_without_its_notice_nor_a_notice_without_its_change(world: World, after: bool) -> None:
    case = _filed(world, owner=_citizen(world), consent=True)
    tap = _Breaks("TransactWriteItems", after)
    wire.taps.append(tap)
    try:
        with pytest.raises(Unavailable):
            _changes(world, case, seconds=20, status="resolved")
    finally:
        wire.taps.remove(tap)
    assert tap.broken >= 1
    world.now += 600
    sweep.sweep(world.now)
    stored = CaseStore(world.slug).load(case.reference, Deadline(20))
    assert stored is not None
    assert (stored.status, len(_heard(world))) == (("resolved", 1) if after else ("received", 0))


def test_a_lane_too_long_for_one_transaction_gets_the_notice_right_after(world: World) -> None:
    case = _filed(world, owner=_citizen(world), consent=True)
    world.viber.otherwise = 503
    for number in range(14):
        say = Say(lines=(Line("raw", {"text": f"w{number}"}),))
        owe.owe(world.account, "mira", say, "bot", world.now, f"h{number}", Deadline(20))
    _changes(world, case, status="resolved")
    world.viber.otherwise = None
    for _ in range(12):
        world.now += 300
        sweep.sweep(world.now)
    said = world.viber.texts("mira")
    assert said[-15:-1] == [f"w{number}" for number in range(14)]
    assert case.reference in said[-1]


def test_who_talks_to_another_town_of_the_account_is_told_in_words_of_the_cases_town(
    aws: Any, patient: None, town_slug: str, viber: Any
) -> None:
    world = World(town_slug, viber, f"{town_slug}-b")
    world.calls(message("mira", f"town.{town_slug}-b"))
    stored = world.conversation("mira")
    assert stored is not None
    who = Follower(world.account.id, "mira")
    _agrees(world, who)
    other = replace(stored, town=f"{town_slug}-b", voice=Voice("sr"))
    store_of = Account("viber", world.slug, world.account.towns)
    from chalicelib.storage.conversations import ConversationStore

    ConversationStore(store_of).save(other, world.now, Deadline(20))
    _changes(world, _filed(world, owner=who, consent=True), status="in_progress")
    assert "JKP Voda" in _heard(world)[-1]


@pytest.mark.shows("F19")
def test_citizens_who_write_while_the_office_works_lose_nothing(world: World) -> None:
    case = _filed(world, owner=_citizen(world), consent=True)

    def writes() -> None:
        for _ in range(5):
            world.says("mira", "radno vreme")

    def works() -> None:
        for number in range(5):
            _changes(world, case, public_note=f"vest {number}")

    threads = [threading.Thread(target=writes), threading.Thread(target=works)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    world.now += 600
    sweep.sweep(world.now)
    news = [text for text in world.viber.texts("mira") if "vest" in text]
    assert [f"vest {number}" in news[number] for number in range(5)] == [True] * 5
    assert len(news) == 5
    stored = CaseStore(world.slug).load(case.reference, Deadline(20))
    assert stored is not None
    assert len(stored.history) == 6


def test_what_is_refused_or_not_there_tells_nobody(world: World) -> None:
    case = _filed(world, owner=_citizen(world), consent=True)
    with pytest.raises(NotAllowed):
        _changes(world, case, status="received")
    with pytest.raises(NotAllowed):
        _changes(world, case, name="reopened")
    with pytest.raises(NoCase):
        _changes(world, replace(case, reference="PR-2222-222"), status="resolved")
    assert _heard(world) == []


@pytest.mark.parametrize(("by", "heard"), [("staff:ana", 1), ("citizen", 0)])
def test_a_reopened_case_gets_a_new_deadline_and_who_did_it_in_the_chat_needs_no_notice(
    world: World, by: str, heard: int
) -> None:
    case = _filed(world, owner=_citizen(world), consent=True)
    _changes(world, case, status="resolved")
    later = AT + 5 * 86400
    event = Event(later, by, name="reopened")
    back = change_case.change_case(world.town, case.reference, event, later, "h", Deadline(60))
    sweep.sweep(later + 60 * QUIET_MINUTES)
    assert (back.status, back.due_at > case.due_at) == ("received", True)
    assert ["ponovo otvoren" in text for text in _heard(world)[1:]] == [True] * heard


def test_a_term_from_validation_begins_when_the_office_says_complete(world: World) -> None:
    core = dict(world.town.core) | {
        "routing": {"document": {"": {"term": {"working_days": 2, "starts": "validation"}}}}
    }
    town = replace(world.town, core=core)
    case = Case(world.slug, "PR-2222-222", "document", "received", "x", 0, 0)
    filed = completed(town, case, "citizen", NOON)
    assert filed.due_at == 0
    validated = change_case.after(town, filed, Event(AT + 86400, "staff:ana", name="validated"))
    assert validated.due_at > AT + 2 * 86400


def test_a_case_filed_in_a_turn_brings_its_owners_consent_along(world: World) -> None:
    who = Follower(world.account.id, "mira")
    case = Case(world.slug, new_reference(world.town), "problem", "received", "x", 0, 0, owner=who, channel="viber")
    for agreed in (False, True):
        filed = completed(
            world.town, replace(case, consent=agreed, reference=new_reference(world.town)), "citizen", NOON
        )
        dynamo.transact(items(filed, NOON, Deadline(20)), Deadline(20))
        person = keys.person(who.account, who.citizen)
        assert consents.is_live(world.slug, person, consents.CASES, Deadline(20)) is agreed
        assert not consents.is_live(f"{world.slug}-b", person, consents.CASES, Deadline(20))
    assert (filed.office, filed.due_at > NOON, filed.history[0].by) == ("biro", True, "citizen")
    assert len(DrawnIds(world.town).code) == references.ACCESS_CODE_LETTERS
