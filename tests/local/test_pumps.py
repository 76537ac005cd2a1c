"""The doorbell between queue and handler behaves as it does on AWS."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest
from chalice.app import Chalice, SQSEvent

from infra.local import aws as local_aws
from infra.local import pumps
from infra.local.serve import chalice_config
from infra.local.stack import ROOT

Answer = Callable[[Mapping[str, Any]], Any]


@pytest.fixture
def queue(aws: local_aws.Aws, town_slug: str) -> Iterator[tuple[Any, str]]:
    """A queue of the test's own whose messages come again at once."""
    sqs = local_aws.client("sqs", aws.endpoint)
    url = sqs.create_queue(QueueName=town_slug, Attributes={"VisibilityTimeout": "0"})["QueueUrl"]
    yield sqs, url
    sqs.delete_queue(QueueUrl=url)


def left_in(queue: tuple[Any, str]) -> list[str]:
    sqs, url = queue
    messages = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
    return sorted(message["Body"] for message in messages)


def pump(queue: tuple[Any, str], answer: Answer, *bodies: str) -> None:
    sqs, url = queue
    for body in bodies:
        sqs.send_message(QueueUrl=url, MessageBody=body)
    pumps.pump_queue(sqs, url, answer)


def handler_of(answer: Answer) -> Answer:
    """A handler as the product has it, called with the context Lambda gives."""
    app = Chalice("proof")

    @app.on_sqs_message(queue="doorbell")
    def ring_doorbell(event: SQSEvent) -> Any:
        return answer(event.to_dict())

    context = pumps._context(chalice_config(ROOT), "ring_doorbell")
    return lambda event: pumps.invoke(ring_doorbell, event, context)


def test_a_handled_message_is_gone(queue: tuple[Any, str]) -> None:
    seen: list[str] = []

    def answer(event: Mapping[str, Any]) -> None:
        seen.extend(record["body"] for record in event["Records"])

    pump(queue, handler_of(answer), "one", "two")
    assert sorted(seen) == ["one", "two"]
    assert left_in(queue) == []


@pytest.mark.shows("F24")
def test_only_the_refused_part_of_a_batch_comes_again(queue: tuple[Any, str]) -> None:
    def answer(event: Mapping[str, Any]) -> dict[str, Any]:
        refused = [record["messageId"] for record in event["Records"] if record["body"] == "bad"]
        return {"batchItemFailures": [{"itemIdentifier": identifier} for identifier in refused]}

    pump(queue, handler_of(answer), "good", "bad", "fine")
    assert left_in(queue) == ["bad"]


@pytest.mark.shows("F25")
def test_a_handler_that_raises_leaves_its_whole_batch_and_no_words_in_the_log(
    queue: tuple[Any, str], caplog: pytest.LogCaptureFixture
) -> None:
    phone = "0601234567"

    def answer(event: Mapping[str, Any]) -> None:
        raise ValueError(phone)

    pump(queue, handler_of(answer), "one", "two")
    assert left_in(queue) == ["one", "two"]
    assert "ValueError" in caplog.text
    assert phone not in caplog.text


def test_an_event_has_the_shape_of_the_real_one(queue: tuple[Any, str]) -> None:
    events: list[Mapping[str, Any]] = []
    pump(queue, events.append, "keys only")
    (record,) = events[0]["Records"]
    assert record["eventSource"] == "aws:sqs"
    assert record["awsRegion"] == "eu-central-1"
    assert record["eventSourceARN"] == f"arn:aws:sqs:eu-central-1:123456789012:{queue[1].rsplit('/', 1)[1]}"
    assert record["attributes"]["ApproximateReceiveCount"] == "1"
    assert record["body"] == "keys only"


def test_a_function_has_the_time_it_has_on_aws() -> None:
    context = pumps._context(chalice_config(ROOT), "ring_doorbell")
    assert 50_000 < context.get_remaining_time_in_millis() <= 60_000
