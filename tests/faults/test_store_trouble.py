"""DynamoDB throttles, quarrels, answers late or not at all: turns are done again or refused whole, never half."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pytest

from chalicelib import wire
from chalicelib.actions.sweep import sweep
from chalicelib.model import Conflict, Unavailable
from chalicelib.storage import dynamo, keys
from chalicelib.storage.cases import CaseStore
from chalicelib.storage.dynamo import Duplicate, Write
from chalicelib.wire import Call, CallFailed, Deadline, Reply
from tests.faults.journeys import report_with_photo
from tests.media.host import MediaHost
from tests.viber import message
from tests.world import World

SAID = ("meni", "izvod iz matične knjige rođenih", "hvala", "xyzzy")
HOLE = "Velika rupa u Venca Petrovića 12 kod škole"
THROTTLED = ("ProvisionedThroughputExceededException", "ThrottlingException", "RequestLimitExceeded")
PASSING = (*THROTTLED, "InternalServerError", "ServiceUnavailable", "TransactionInProgressException")


class _Answers:
    """A store that answers the next calls of an operation by itself: with an error's name, or with reasons."""

    def __init__(self, operation: str, *answers: Any, service: str = "dynamodb") -> None:
        self.operation, self.answers, self.service = operation, list(answers), service
        self.asked = 0

    def __call__(self, call: Call) -> Reply | None:
        if (call.service, call.operation) != (self.service, self.operation):
            return None
        self.asked += 1
        if not self.answers:
            return None
        answer = self.answers.pop(0)
        if answer is None:
            return None
        body: dict[str, Any] = {"__type": f"com.amazonaws.dynamodb.v20120810#{answer}"}
        if isinstance(answer, list):
            reasons = [{"Code": code} for code in answer]
            body = {"__type": "x#TransactionCanceledException", "CancellationReasons": reasons}
        return Reply(
            500 if answer in ("InternalServerError", "ServiceUnavailable") else 400, {}, json.dumps(body).encode()
        )


@contextmanager
def answering(monkeypatch: pytest.MonkeyPatch, instead: _Answers) -> Iterator[_Answers]:
    """What `instead` answers never reaches the store."""
    exchange = wire.tapped

    def tapped(made: Call, ask: Any) -> Reply:
        own = instead(made)
        return own if own is not None else exchange(made, ask)

    with monkeypatch.context() as patch:
        patch.setattr(wire, "tapped", tapped)
        yield instead


def _log(world: World, citizen: str = "mira") -> list[str]:
    conversation = world.conversation(citizen)
    return [entry.origin for entry in conversation.log] if conversation else []


@pytest.mark.shows("F18", "F20")
@pytest.mark.parametrize("operation", ["GetItem", "PutItem", "UpdateItem"])
def test_what_passes_is_tried_again_within_the_turn(
    world: World, monkeypatch: pytest.MonkeyPatch, operation: str
) -> None:
    for number, error in enumerate(PASSING):
        with answering(monkeypatch, _Answers(operation, error, error)):
            assert len(world.says(f"person{number}", "zdravo")) == 1, error
        assert _log(world, f"person{number}") == ["citizen", "bot"]


@pytest.mark.campaign
@pytest.mark.shows("F18", "R5")
@pytest.mark.parametrize("operation", ["GetItem", "PutItem"])
def test_throttled_for_longer_the_callback_is_refused_whole_and_its_repetition_answered(
    world: World, monkeypatch: pytest.MonkeyPatch, operation: str
) -> None:
    event = message("mira", "zdravo")
    with answering(monkeypatch, _Answers(operation, *[THROTTLED[0]] * 99)) as store:
        with pytest.raises(Unavailable):
            world.calls(event)
        assert store.asked <= 3  # bounded, so that a throttled table is not beaten on
    assert (_log(world), world.viber.sent) == ([], [])
    world.calls(event)
    assert (_log(world), len(world.viber.sent)) == (["citizen", "bot"], 1)


@pytest.mark.shows("F18", "R1")
def test_a_filing_throttled_for_longer_is_refused_whole_and_its_repetition_files_once(
    quiet: World, host: MediaHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    journey = report_with_photo(quiet, host)
    *talk, send = journey.steps
    for step in talk:
        step()
    with answering(monkeypatch, _Answers("TransactWriteItems", *[["None", "ThrottlingError"]] * 99)) as store:
        with pytest.raises(Unavailable):
            send()
        assert store.asked <= 3
    assert journey.outcome() == []
    for _ in range(2):
        send()
    assert len(journey.outcome()) == 1


REASONS = (
    ["None", "TransactionConflict"],
    ["ConditionalCheckFailed", "None"],
    ["ThrottlingError", "None"],
    ["None", "ProvisionedThroughputExceeded"],
    ["ThrottlingError", "TransactionConflict", "None"],
    ["None", "ConditionalCheckFailed", "ThrottlingError"],
)


@pytest.mark.campaign
@pytest.mark.shows("F18", "F20", "R1")
def test_a_filing_whose_transaction_is_cancelled_for_whatever_mix_of_reasons_files_once(
    quiet: World, host: MediaHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    for reasons in REASONS:
        journey = report_with_photo(quiet, host)
        *talk, send = journey.steps
        for step in talk:
            step()
        with answering(monkeypatch, _Answers("TransactWriteItems", reasons)):
            send()
        assert len(journey.outcome()) == 1, reasons
        assert len(journey.said(journey.citizens[0])) == 3, reasons


@pytest.mark.shows("F20")
def test_each_reason_of_a_cancelled_transaction_has_its_name(aws: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = Write("people", {"pk": "T#x#P", "sk": "a", "v": 1}, expected_v=0)
    unique = Write("people", {"pk": "T#x#F", "sk": "a"}, unique=True)
    for reasons, expected in (
        (["None", "ConditionalCheckFailed"], Duplicate),
        (["ConditionalCheckFailed", "None"], Conflict),
        (["TransactionConflict", "None"], Conflict),
        (["TransactionConflict", "ConditionalCheckFailed"], Duplicate),
        (["ThrottlingError", "None"], Unavailable),
        (["ItemCollectionSizeLimitExceeded", "None"], Unavailable),
        (["ValidationError", "None"], Unavailable),
    ):
        with (
            answering(monkeypatch, _Answers("TransactWriteItems", *[reasons] * 3)),
            pytest.raises((Conflict, Unavailable)) as raised,
        ):
            dynamo.transact([plain, unique], Deadline(5))
        assert type(raised.value) is expected, reasons


class _Deaf:
    """Hears none of the answers of one operation: all of it takes effect."""

    def __init__(self, operation: str, times: int) -> None:
        self.operation, self.times = operation, times

    def before(self, call: Call) -> None: ...

    def after(self, call: Call, reply: Reply) -> None:
        if call.operation == self.operation and self.times > 0:
            self.times -= 1
            raise CallFailed("cut", sent=True)


@contextmanager
def tapped(tap: Any) -> Iterator[None]:
    wire.taps.append(tap)
    try:
        yield
    finally:
        wire.taps.remove(tap)


@pytest.mark.shows("F21", "R1")
def test_a_turn_knows_its_own_commit_again_when_the_answer_was_cut_off(world: World) -> None:
    with tapped(_Deaf("PutItem", 1)):
        assert len(world.says("mira", "zdravo")) == 1
    assert _log(world) == ["citizen", "bot"]


@pytest.mark.shows("F21", "R1")
@pytest.mark.parametrize("times", [1, 3])
def test_a_filing_knows_its_own_commit_again_however_often_its_answer_was_cut_off(
    quiet: World, host: MediaHost, times: int
) -> None:
    journey = report_with_photo(quiet, host)
    *talk, send = journey.steps
    for step in talk:
        step()
    with tapped(_Deaf("TransactWriteItems", times)):
        try:
            send()
        except Unavailable:
            send()
    quiet.now += 61
    sweep(quiet.now)  # whose lease it was is gone
    citizen = journey.citizens[0]
    assert len(CaseStore(quiet.slug).own(keys.person(quiet.account.id, citizen), Deadline(5))) == 1
    assert (len(journey.said(citizen)), len(journey.sent(citizen))) == (3, 3)


class _Silent:
    """A store that does not answer for a while; or nobody does."""

    def __init__(self, services: tuple[str, ...] = ("dynamodb",)) -> None:
        self.on, self.services = True, services

    def before(self, call: Call) -> None:
        if self.on and (call.service in self.services or not self.services):
            raise CallFailed("silent", sent=False)

    def after(self, call: Call, reply: Reply) -> None: ...


@pytest.mark.campaign
@pytest.mark.shows("F42", "R9", "R2")
def test_after_a_minute_without_the_store_everything_is_answered_by_repetition_alone(world: World) -> None:
    world.says("mira", "zdravo")
    events = [message(person, f"xyzzy {number}") for number in range(3) for person in ("mira", "jovo")]
    silent = _Silent()
    with tapped(silent):
        for event in events:
            with pytest.raises(Unavailable):
                world.calls(event)
        silent.on = False
        world.warm()
        for event in events:
            world.calls(event)
    assert [len(world.viber.texts(person)) for person in ("mira", "jovo")] == [4, 3]


@pytest.mark.campaign
@pytest.mark.shows("F42", "R2", "R9")
def test_after_ten_minutes_without_anybody_everything_is_answered_in_order_by_repetition_alone(quiet: World) -> None:
    for text in SAID:
        quiet.calls(message("somebody before", text))
    wanted = quiet.viber.texts()
    owed = message("ana", "meni")  # taken just before, its reply still to be said
    quiet.viber.otherwise = 503
    quiet.calls(owed)
    quiet.viber.otherwise = None
    events = [message(person, text) for text in SAID for person in ("mira", "jovo")]
    everybody = _Silent(())
    with tapped(everybody):
        for _ in range(10):
            for event in events:
                with pytest.raises(Unavailable):
                    quiet.calls(event)
            quiet.now += 60
            with suppress(Unavailable, CallFailed):
                sweep(quiet.now)
    quiet.warm()
    for event in events:
        quiet.calls(event)
    for _ in range(2):
        quiet.now += 61
        sweep(quiet.now)
    assert [quiet.viber.texts(person) for person in ("mira", "jovo")] == [wanted, wanted]
    assert len(quiet.viber.texts("ana")) == 1
