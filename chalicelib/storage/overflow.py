"""A long lane: what does not fit into the conversation item stands beside it, written in the same transaction.

Happens when a channel is down for long while somebody writes on. Entries leave strictly in order: the item holds the
oldest, the items `OUT#<seq>` the younger ones.
"""

from __future__ import annotations

import json
import zlib

from chalicelib.model import Conversation, Owed
from chalicelib.small_classes import replace
from chalicelib.storage import dynamo, keys, shapes
from chalicelib.storage.dynamo import Item, Write
from chalicelib.storage.shapes import KEPT_DAYS, LANE_INSIDE_MAX
from chalicelib.wire import Deadline

TABLE = "conversations"


def balanced(conversation: Conversation, now: float, deadline: Deadline) -> tuple[Conversation, list[Write]]:
    """The conversation with as much of its lane as belongs inside, and what moves between it and its overflow: both are
    to be written in one transaction. One read if something is beside already. Raises Unavailable."""
    pk = keys.conversation(conversation.account, conversation.citizen)
    stored = _oldest(pk, conversation, deadline) if conversation.parked else []
    moved_in, moved_out = _moved(conversation, stored)
    inside = [owed for owed in conversation.lane if owed not in moved_out]
    # Fewer than were asked for are all there are: who was erased in one town of the account left none of them there.
    there = len(stored) if len(stored) < LANE_INSIDE_MAX else conversation.parked
    left = [*stored[len(moved_in) :], *moved_out]
    after = replace(
        conversation,
        lane=(*inside, *moved_in),
        parked=there - len(moved_in) + len(moved_out),
        parked_from=left[0].seq if left else (moved_in[-1].seq + 1 if moved_in else 0),
    )
    gone = [Write(TABLE, {"pk": pk, "sk": keys.overflow(owed.seq)}, gone=True) for owed in moved_in]
    return after, [*gone, *(Write(TABLE, _beside(pk, owed, conversation.town, now)) for owed in moved_out)]


def _moved(conversation: Conversation, stored: list[Owed]) -> tuple[list[Owed], list[Owed]]:
    """What comes in from beside, once nothing inside is before it, and what goes out, because others are before it."""
    if not stored:
        return [], list(conversation.lane[LANE_INSIDE_MAX:])
    inside = [owed for owed in conversation.lane if owed.seq < stored[0].seq]
    moved_in = stored[: LANE_INSIDE_MAX - len(inside)] if all(owed.held for owed in inside) else []
    return moved_in, [owed for owed in conversation.lane if owed.seq > stored[0].seq]


def _oldest(pk: str, conversation: Conversation, deadline: Deadline) -> list[Owed]:
    """The oldest entries beside. What lies before `parked_from` was given up when its citizen left, and is nobody's."""
    start, end = keys.overflow(conversation.parked_from), keys.overflow(10**12 - 1)
    found = dynamo.page(TABLE, None, ("pk", pk), deadline, sort="sk", start=start, end=end, limit=LANE_INSIDE_MAX)
    return [_owed(item, conversation.town) for item in found]


def _beside(pk: str, owed: Owed, town: str, now: float) -> Item:
    body = zlib.compress(json.dumps(shapes.owed_data(owed), ensure_ascii=False).encode("utf-8", "replace"))
    item: Item = {"pk": pk, "sk": keys.overflow(owed.seq), "shape": shapes.SHAPE, "town": owed.town or town}
    return item | {"body": body, "exp": int(now) + KEPT_DAYS * 86400}


def _owed(item: Item, current: str) -> Owed:
    """The entry, which says itself who owes it if the citizen has gone on with another town meanwhile."""
    owed = shapes.owed_from(json.loads(zlib.decompress(item["body"])))
    return replace(owed, town="" if item.get("town") in (None, current) else item["town"])
