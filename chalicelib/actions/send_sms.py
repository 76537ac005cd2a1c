"""The outbox's kind `sms`: `{"to", "text"}`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from chalicelib.integrations import sms
from chalicelib.storage import aws
from chalicelib.wire import Deadline


def work(body: Mapping[str, Any], town: str, now: float, deadline: Deadline) -> None:
    """Send it. Raises SendFailed, Unavailable."""
    sms.send(body["to"], body["text"], lambda action, fields: aws.ask("sns", action, fields, deadline))
