"""The doorbell's messages: each names a lane to look at, a row to work, or a file that lies in the bucket.

One bad message fails alone.
"""

from __future__ import annotations

import json
from typing import Any

from chalicelib.actions import work_outbox
from chalicelib.actions.journal import log
from chalicelib.actions.sweep import LANE_SECONDS, ring
from chalicelib.model import SalterError
from chalicelib.wire import Deadline

BATCH_SECONDS = 50.0  # of the minute the function has


def answer_doorbell(messages: list[tuple[str, str]], now: float) -> dict[str, Any]:
    """`messages` as (id, body). Returns Lambda's partial-batch answer: the ids to be delivered again."""
    deadline = Deadline(BATCH_SECONDS)
    failed = [identifier for identifier, body in messages if not _answer(body, now, deadline)]
    return {"batchItemFailures": [{"itemIdentifier": identifier} for identifier in failed]}


def _answer(body: str, now: float, deadline: Deadline) -> bool:
    try:
        data = json.loads(body)
        if "row" in data:
            return _worked(str(data["row"]), now, deadline)
        if "Records" in data or "Event" in data:
            return _heard(data, now, deadline)
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


def _worked(row: str, now: float, deadline: Deadline) -> bool:
    if deadline.left() < work_outbox.ROW_SECONDS_NEEDED:
        return True  # the row stays due and the sweeper finds it; a message kept would only ring for it later
    try:
        work_outbox.work(row, now, deadline)
    except Exception as error:  # a row that cannot even be read must not hold up the others
        log.warning("row_failed", error=type(error).__name__)
        return False
    return True


def _heard(data: dict[str, Any], now: float, deadline: Deadline) -> bool:
    """What the bucket says. Replies must not wait for what only this needs, so it is imported here."""
    from chalicelib.actions import take_dropped

    if not take_dropped.is_news(data):
        log.error("doorbell_unreadable")
        return False
    if deadline.left() < work_outbox.ROW_SECONDS_NEEDED:
        return False  # nothing stands in a table yet: the message must come again
    try:
        take_dropped.hear(data, now, Deadline(deadline.within(work_outbox.ROW_SECONDS)))
    except Exception as error:
        log.warning("dropped_failed", error=type(error).__name__)
        return False
    return True
