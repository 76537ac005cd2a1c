"""What a town's own system is told of when something happens to a case, and in which words. Pure.

Nobody's name, phone or words are in it: who is told may read the case with a key of their own. `by` says what sort of
hand it was (citizen, staff, api, system, company), so that a system passes over the echo of what it did itself.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Mapping, Sequence
from typing import Any
from zoneinfo import ZoneInfo

from chalicelib.cases import lifecycle
from chalicelib.model import Case, Happening

OPENED, STATUS, ATTACHMENT, ASSIGNMENT, DEADLINE, NOTE = TOPICS = (
    "opened",
    "status",
    "attachment",
    "assignment",
    "deadline",
    "note",
)
USUAL_TOPICS = (OPENED, STATUS)
USUAL_KINDS = ("problem", "document", "question", "assistance", "administrative")  # chats and sign-ups only if named
CALLBACKS_MAX = 3
RESERVED = ("open311",)  # ids the console has pages under, beside those of callbacks
OVERLAP_HOURS = 24  # for so long after a rotation both secrets sign
_TOPIC_OF = {
    "opened": OPENED,
    lifecycle.ATTACHED: ATTACHMENT,
    lifecycle.ASSIGNED: ASSIGNMENT,
    lifecycle.RELEASED: ASSIGNMENT,
    lifecycle.REMINDED: DEADLINE,
    lifecycle.ESCALATED: DEADLINE,
    lifecycle.OVERDUE: DEADLINE,
    lifecycle.VALIDATED: DEADLINE,
    "deadline": DEADLINE,
}


def owed(core: Mapping[str, Any], case: Case, news: Sequence[Happening]) -> list[tuple[str, dict[str, Any]]]:
    """What the town's systems are to be told of `news`, the last entries of the case's history: callback and payload.

    `case` is as it is written, its version the one it gets.
    """
    found = []
    for position, entry in enumerate(news):
        at = len(case.history) - len(news) + position
        before = case.history[at - 1].status if at > 0 else ""
        topic = topic_of(entry, before)
        told = [one for one in core.get("callbacks", ()) if topic in one["events"] and case.kind in one["kinds"]]
        found += [(str(callback["id"]), payload(core, case, entry, topic)) for callback in told]
    return found


def topic_of(entry: Happening, before: str) -> str:
    """Under which of TOPICS an entry falls; `before` is the status of the entry before it."""
    if entry.event == "opened":
        return OPENED
    if before and entry.status != before:
        return STATUS
    return _TOPIC_OF.get(entry.event, NOTE)


def payload(core: Mapping[str, Any], case: Case, entry: Happening, topic: str) -> dict[str, Any]:
    """The body of one callback."""
    at = dt.datetime.fromtimestamp(entry.at, ZoneInfo(core["time_zone"])).isoformat(timespec="seconds")
    return {
        "type": f"case.{topic}",
        "timestamp": at,
        "data": {
            "reference": case.reference,
            "number": case.number or None,
            "kind": case.kind,
            "category": case.category or None,
            "status": entry.status,
            "event": entry.event,
            "at": at,
            "office": case.office or None,
            "by": entry.by.partition(":")[0],
            "version": case.v,
            "link": f"/api/v1/{case.tenant}/cases/{case.reference}",
        },
    }


def message_id(row: str) -> str:
    """How the receiver knows a repetition: of the row's name, which is the same at every try."""
    return f"msg_{hashlib.blake2b(row.encode(), digest_size=15).hexdigest()}"
