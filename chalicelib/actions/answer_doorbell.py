"""The doorbell's messages: each names a lane to look at. One bad message fails alone."""

from __future__ import annotations

import json
from typing import Any

from chalicelib.actions.journal import log
from chalicelib.actions.sweep import LANE_SECONDS, ring
from chalicelib.model import SalterError
from chalicelib.wire import Deadline


def answer_doorbell(messages: list[tuple[str, str]], now: float) -> dict[str, Any]:
    """`messages` as (id, body). Returns Lambda's partial-batch answer: the ids to be delivered again."""
    failed = [identifier for identifier, body in messages if not _answer(body, now)]
    return {"batchItemFailures": [{"itemIdentifier": identifier} for identifier in failed]}


def _answer(body: str, now: float) -> bool:
    try:
        data = json.loads(body)
        account, citizen = str(data["account"]), str(data["citizen"])
    except (ValueError, TypeError, KeyError):
        log.error("doorbell_unreadable")
        return False
    try:
        ring(account, citizen, now, Deadline(LANE_SECONDS))
    except SalterError as error:
        log.warning("lane_failed", account=account, error=type(error).__name__)
        return False
    return True
