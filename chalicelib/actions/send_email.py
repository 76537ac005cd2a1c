"""The outbox's kind `email`: `{"to", "subject", "text"}`, sent from the installation's own address. Text that holds
somebody's private words stands sealed instead: `{"row", "sealed"}`."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from chalicelib.actions import seal
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
        seal.text_of(body, town, deadline),
        lambda action, fields: aws.ask("ses", action, fields, deadline),
    )
