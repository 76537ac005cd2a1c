"""The doorbell's messages come twice, late, poisoned, or of a version nobody knows; what was given up is done again."""

from __future__ import annotations

import itertools
import json
import threading
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from chalicelib import wire
from chalicelib.actions import clock
from chalicelib.actions import receive_message as receiving
from chalicelib.actions.answer_doorbell import answer_doorbell
from chalicelib.actions.revive_row import revive_row
from chalicelib.actions.sweep import sweep
from chalicelib.model import Refused
from chalicelib.storage import views
from chalicelib.wire import Deadline
from infra import cli
from infra.local import aws as local_aws
from infra.local import pumps
from tests.faults.breaking import Breaker, Killed
from tests.viber import message
from tests.world import World

RECEIVES_MAX = 5  # of the template's redrive policy
_ids = itertools.count(1)


@pytest.fixture
def queues(aws: local_aws.Aws, town_slug: str) -> Iterator[tuple[Any, str, str]]:
    """A queue and its dead letters, as the template has them, but what failed comes again at once."""
    sqs = local_aws.client("sqs", aws.endpoint)
    dead = sqs.create_queue(QueueName=f"{town_slug}-dead")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=dead, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    policy = json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": RECEIVES_MAX})
    asked = {"VisibilityTimeout": "0", "RedrivePolicy": policy}
    url = sqs.create_queue(QueueName=town_slug, Attributes=asked)["QueueUrl"]
    yield sqs, url, dead
    for queue in (url, dead):
        sqs.delete_queue(QueueUrl=queue)


def owing(world: World, *citizens: str) -> list[str]:
    """People who are owed a reply, and the messages that ring for them."""
    world.viber.otherwise = 503
    for citizen in citizens:
        world.warm()
        world.calls(message(citizen, "meni"))
    world.viber.otherwise = None
    world.now += 61
    world.warm()
    return [json.dumps({"account": world.account.id, "citizen": citizen}) for citizen in citizens]


def rung(world: World, *bodies: str) -> list[str]:
    """A batch handed to the handler; the bodies it refused."""
    batch = [(f"id{number}", body) for number, body in enumerate(bodies)]
    failed = {entry["itemIdentifier"] for entry in answer_doorbell(batch, world.now)["batchItemFailures"]}
    return [body for name, body in batch if name in failed]


POISON = ("{", "null", "[]", '"x"', "{}", '{"account": 5}', '{"v": 99, "lane": "?"}', "\ud800", "x" * 200_000)


@pytest.mark.shows("F24", "F25", "R11")
def test_one_poison_message_among_ten_fails_alone(quiet: World) -> None:
    people = [f"person{number}" for number in range(9)]
    bells = owing(quiet, *people)
    assert rung(quiet, *bells[:4], "{", *bells[4:]) == ["{"]
    assert [len(quiet.viber.texts(person)) for person in people] == [1] * 9


@pytest.mark.campaign
@pytest.mark.shows("F25")
def test_a_batch_of_nothing_but_poison_a_batch_of_nothing_and_bells_for_nobody(quiet: World) -> None:
    assert rung(quiet) == []
    assert rung(quiet, *POISON) == list(POISON)
    nobody = json.dumps({"account": "viber:nobody", "citizen": "x"}), json.dumps({"row": "T#nobody#X#0"})
    assert rung(quiet, *nobody) == []


@pytest.mark.shows("F24", "R11")
def test_a_poison_message_goes_to_the_dead_letters_and_the_others_were_answered_the_first_time(
    quiet: World, queues: tuple[Any, str, str]
) -> None:
    sqs, url, dead = queues
    for body in (*owing(quiet, "mira", "jovo"), "{poison"):
        sqs.send_message(QueueUrl=url, MessageBody=body)

    def handler(event: Mapping[str, Any]) -> dict[str, Any]:
        records = [(record["messageId"], record["body"]) for record in event["Records"]]
        return answer_doorbell(records, quiet.now)

    pumps.pump_queue(sqs, url, handler)
    assert [len(quiet.viber.texts(person)) for person in ("mira", "jovo")] == [1, 1]
    for _ in range(RECEIVES_MAX + 1):
        pumps.pump_queue(sqs, url, handler)
    (letter,) = sqs.receive_message(QueueUrl=dead, MaxNumberOfMessages=10, WaitTimeSeconds=1)["Messages"]
    assert letter["Body"] == "{poison"


@pytest.mark.shows("F23", "R1", "R3")
def test_a_bell_rung_twice_at_once_late_and_out_of_order_says_it_once(quiet: World) -> None:
    bells = owing(quiet, "mira", "jovo", "ana")
    orders = itertools.islice(itertools.permutations(bells), 6)
    threads = [threading.Thread(target=rung, args=(quiet, *order)) for order in orders]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    quiet.now += 3600
    rung(quiet, *bells)
    assert [len(quiet.viber.texts(person)) for person in ("mira", "jovo", "ana")] == [1, 1, 1]


# --- what was given up, done after all --------------------------------------------------------------------------


def dead_rows(world: World) -> list[str]:
    return [str(row["id"]) for row in views.owed(world.slug) if row["state"] == "dead"]


@pytest.fixture
def given_up(quiet: World) -> str:
    """A reply Viber refused for good."""
    quiet.viber.script = [{"status": 3}]
    quiet.calls(message("mira", "meni"))
    (row,) = dead_rows(quiet)
    return row


@pytest.mark.shows("F24", "R2")
def test_a_reply_that_was_given_up_is_said_when_a_person_asks_for_it(
    quiet: World, given_up: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clock, "now", lambda: quiet.now)
    assert cli.main(["outbox", "revive", quiet.slug, given_up, "--stage", "test"]) == 0
    assert (len(quiet.viber.texts("mira")), dead_rows(quiet)) == (1, [])
    with pytest.raises(Refused):
        revive_row(quiet.slug, given_up, "platform:test", quiet.now, Deadline(5))
    assert len(quiet.viber.texts("mira")) == 1


@pytest.mark.campaign
@pytest.mark.shows("F24", "R2", "R3")
@pytest.mark.parametrize("when", ["before", "after"])
def test_killed_anywhere_it_is_said_once_or_can_be_asked_for_again(quiet: World, given_up: str, when: str) -> None:
    for nth in range(1, 20):
        breaker = Breaker(nth, when, "killed")
        wire.taps.append(breaker)
        try:
            revive_row(quiet.slug, given_up, "platform:test", quiet.now, Deadline(20))
        except Killed:
            quiet.warm()
        except Refused:
            break
        finally:
            wire.taps.remove(breaker)
    quiet.now += 61
    sweep(quiet.now)
    said = quiet.viber.texts("mira")
    assert (len(set(said)), dead_rows(quiet)) == (1, [])
    assert len(said) <= 2  # two, where death fell between Viber's yes and our note of it


@pytest.mark.shows("F24", "R2")
def test_a_message_that_met_a_bug_is_taken_again_once_the_bug_is_mended(
    quiet: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as broken:
        broken.setattr(receiving.engine, "step", lambda *_: 1 / 0)
        quiet.calls(message("mira", "radno vreme"))
    (row,) = dead_rows(quiet)
    assert "greške na našoj strani" in quiet.viber.texts("mira")[0]
    revive_row(quiet.slug, row, "platform:test", quiet.now, Deadline(20))
    assert (len(quiet.viber.texts("mira")), dead_rows(quiet)) == (2, [])
    assert "radno vreme" in quiet.viber.texts("mira")[1].lower() or "08" in quiet.viber.texts("mira")[1]


@pytest.mark.campaign
@pytest.mark.shows("F24")
def test_nobody_who_left_is_written_to(quiet: World, given_up: str) -> None:
    quiet.calls({"event": "unsubscribed", "user_id": "mira", "timestamp": 1, "message_token": 9})
    with pytest.raises(Refused) as refused:
        revive_row(quiet.slug, given_up, "platform:test", quiet.now, Deadline(5))
    assert (refused.value.code, dead_rows(quiet)) == ("gone", [given_up])
