"""Asks the publisher to look at a town's order. The order is the truth; a lost ring is given again from the page."""

from __future__ import annotations

import json
import os

from chalicelib.model import Unavailable
from chalicelib.storage import aws
from chalicelib.wire import Deadline


def ring(town: str, deadline: Deadline) -> None:
    """Trouble is ignored: whoever gave the order sees that it waits."""
    url = os.environ.get("SALTER_PUBLISH_URL")
    if not url:
        return
    payload = {"QueueUrl": url, "MessageBody": json.dumps({"town": town})}
    try:
        aws.call("sqs", "SendMessage", payload, deadline, repeatable=True)
    except (aws.AwsError, Unavailable):
        return
