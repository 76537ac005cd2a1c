"""The doorbell queue: keys only, so that a lost or doubled ring does no harm."""

from __future__ import annotations

import json
import math
import os

from chalicelib.model import Unavailable
from chalicelib.storage import aws
from chalicelib.wire import Deadline

DELAY_SECONDS_MAX = 900


def ring(account: str, citizen: str, delay_seconds: float, deadline: Deadline) -> None:
    """Ask for this lane to be looked at in `delay_seconds`. Trouble is ignored: the sweeper comes every minute."""
    _send({"account": account, "citizen": citizen}, delay_seconds, deadline)


def ring_row(row: str, delay_seconds: float, deadline: Deadline) -> None:
    """Ask for this outbox row (its key) to be worked in `delay_seconds`. Trouble is ignored, as above."""
    _send({"row": row}, delay_seconds, deadline)


def _send(keys_only: dict[str, str], delay_seconds: float, deadline: Deadline) -> None:
    url = os.environ.get("SALTER_DOORBELL_URL")
    if not url:
        return
    payload = {
        "QueueUrl": url,
        "MessageBody": json.dumps(keys_only),
        "DelaySeconds": max(0, min(DELAY_SECONDS_MAX, math.ceil(delay_seconds))),
    }
    try:
        aws.call("sqs", "SendMessage", payload, deadline, repeatable=True)
    except (aws.AwsError, Unavailable):
        return
