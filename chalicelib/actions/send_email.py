"""The outbox's kind `email`: `{"to", "subject", "text"}`, sent from the installation's own address."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from chalicelib.integrations import email
from chalicelib.model import SendFailed
from chalicelib.storage import aws
from chalicelib.wire import Deadline


def work(body: Mapping[str, Any], town: str, now: float, deadline: Deadline) -> None:
    """Send it. Raises SendFailed, Unavailable."""
    sender = os.environ.get("SALTER_MAIL_FROM")
    if not sender:
        raise SendFailed("no_sender_address", retryable=True)
    email.send(
        sender,
        body["to"],
        body["subject"],
        body["text"],
        lambda action, fields: aws.ask("ses", action, fields, deadline),
    )
