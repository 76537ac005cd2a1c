"""What AWS does between the services, done here: the queues and the clock call the product's real handlers.

A handler gets an event as AWS would shape it, its errors leave the message in the queue, a part of a batch may fail.
"""

import datetime as dt
import logging
import threading
import time
import traceback
import uuid
from collections.abc import Callable, Mapping
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from chalice.config import Config
from chalice.local import LambdaContext

from infra.local import aws

Handler = Callable[[Mapping[str, Any], Any], Any]

BATCH_MESSAGES_MAX = 10
WAIT_SECONDS = 1  # short, because the embedded AWS waits for a pending request before it stops
DOORBELL_PUMPS = 2
MINUTE_SECONDS = 60.0
RETRY_SECONDS = 1.0

logger = logging.getLogger(__name__)


def start(
    doorbell: Handler,
    publisher: Handler,
    every_minute: Handler,
    *,
    config: Config,
    queue_url: str,
    publish_url: str,
    stop: threading.Event,
) -> None:
    """Run all pumps as daemon threads until `stop`."""
    sqs = aws.client("sqs", queue_url.split(f"/{aws.ACCOUNT_ID}/")[0])

    def ring() -> None:
        pump_queue(sqs, queue_url, lambda event: invoke(doorbell, event, _context(config, "ring_doorbell")))

    def publish() -> None:
        pump_queue(sqs, publish_url, lambda event: invoke(publisher, event, _context(config, "publish_town")))

    def minute() -> None:
        invoke(every_minute, scheduled_event("every_minute"), _context(config, "every_minute"))

    for number in range(DOORBELL_PUMPS):
        threading.Thread(target=_repeat, args=(ring, 0.0, stop), name=f"doorbell-{number}", daemon=True).start()
    threading.Thread(target=_repeat, args=(publish, 0.0, stop), name="publish", daemon=True).start()
    threading.Thread(target=_repeat, args=(minute, MINUTE_SECONDS, stop), name="every-minute", daemon=True).start()


def pump_queue(sqs: Any, queue_url: str, hand_over: Callable[[Mapping[str, Any]], Any]) -> None:
    """Take one batch from the queue to the handler; what it did not refuse is deleted, the rest comes again later."""
    received = sqs.receive_message(
        QueueUrl=queue_url,
        MaxNumberOfMessages=BATCH_MESSAGES_MAX,
        WaitTimeSeconds=WAIT_SECONDS,
        AttributeNames=["All"],
        MessageAttributeNames=["All"],
    )
    messages = received.get("Messages", [])
    if not messages:
        return
    failed = failed_ids(hand_over(queue_event(messages, queue_url)), messages)
    done = [message for message in messages if message["MessageId"] not in failed]
    entries = [{"Id": str(n), "ReceiptHandle": message["ReceiptHandle"]} for n, message in enumerate(done)]
    if entries:
        sqs.delete_message_batch(QueueUrl=queue_url, Entries=entries)


class HandlerFailed(Exception):
    """The answer of a handler that raised: its whole batch failed."""


def invoke(handler: Handler, event: Mapping[str, Any], context: LambdaContext) -> Any:
    """Call a handler as Lambda does; what it raises is written down (not its text, which may hold people's words)."""
    try:
        return handler(event, context)
    except Exception as error:
        where = "".join(traceback.format_tb(error.__traceback__))
        logger.error("%s failed: %s\n%s", context.function_name, type(error).__name__, where)
        return HandlerFailed()


def failed_ids(answer: Any, messages: list[dict[str, Any]]) -> set[str]:
    """The ids of the messages that are to come again, as Lambda reads a handler's answer."""
    if isinstance(answer, HandlerFailed):
        return {message["MessageId"] for message in messages}
    failures = answer.get("batchItemFailures", []) if isinstance(answer, dict) else []
    return {failure["itemIdentifier"] for failure in failures}


def queue_event(messages: list[dict[str, Any]], queue_url: str) -> dict[str, Any]:
    """A batch as SQS hands it to Lambda."""
    arn = f"arn:aws:sqs:{aws.REGION}:{aws.ACCOUNT_ID}:{queue_url.rsplit('/', 1)[1]}"
    return {
        "Records": [
            {
                "messageId": message["MessageId"],
                "receiptHandle": message["ReceiptHandle"],
                "body": message["Body"],
                "attributes": message.get("Attributes", {}),
                "messageAttributes": message.get("MessageAttributes", {}),
                "md5OfBody": message["MD5OfBody"],
                "eventSource": "aws:sqs",
                "eventSourceARN": arn,
                "awsRegion": aws.REGION,
            }
            for message in messages
        ]
    }


def scheduled_event(rule: str) -> dict[str, Any]:
    """A tick as EventBridge hands it to Lambda."""
    return {
        "version": "0",
        "id": str(uuid.uuid4()),
        "detail-type": "Scheduled Event",
        "source": "aws.events",
        "account": aws.ACCOUNT_ID,
        "time": dt.datetime.now(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "region": aws.REGION,
        "resources": [f"arn:aws:events:{aws.REGION}:{aws.ACCOUNT_ID}:rule/{rule}"],
        "detail": {},
    }


def _repeat(work: Callable[[], None], every_seconds: float, stop: threading.Event) -> None:
    while not stop.is_set():
        started = time.monotonic()
        try:
            work()
        except (BotoCoreError, ClientError) as error:  # the embedded AWS is away for a moment
            logger.warning("%s: %s", threading.current_thread().name, type(error).__name__)
            stop.wait(RETRY_SECONDS)
        stop.wait(max(0.0, every_seconds - (time.monotonic() - started)))


def _context(config: Config, function: str) -> LambdaContext:
    scoped = config.scope(config.chalice_stage, function)
    seconds = scoped.lambda_timeout or 60
    return LambdaContext(function, scoped.lambda_memory_size or 128, max_runtime_ms=seconds * 1000)
