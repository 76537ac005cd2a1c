"""A long lane: what does not fit into the conversation item stands beside it, written in the same transaction.

Happens when a channel is down for long while somebody writes on. Entries leave strictly in order: the item holds the
oldest, the items `OUT#<seq>` the younger ones.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from pynamodb.connection import Connection
from pynamodb.exceptions import PynamoDBException, TransactWriteError
from pynamodb.transactions import TransactWrite

from chalicelib.model import Conflict, Conversation, Owed, Unavailable
from chalicelib.storage import aws, keys, shapes, tables
from chalicelib.storage.shapes import KEPT_DAYS, LANE_INSIDE_MAX


def save(conversation: Conversation, now: float, item: Callable[[Conversation, float], dict[str, Any]]) -> Conversation:
    """Write the conversation's `item` and move entries between it and its overflow, all or nothing."""
    pk = keys.conversation(conversation.account, conversation.citizen)
    lane, moved_in, moved_out, parked = _balance(pk, conversation)
    saved = replace(conversation, lane=lane, parked=parked, v=conversation.v + 1)
    attributes: dict[str, Any] = {name: value for name, value in item(saved, now).items() if value is not None}
    head = tables.Conversation(**attributes)
    condition = tables.Conversation.v == conversation.v if conversation.v else tables.Conversation.pk.does_not_exist()
    try:
        with TransactWrite(
            connection=Connection(region=aws.region(), host=tables.Conversation.Meta.host)
        ) as transaction:
            transaction.save(head, condition=condition)
            for owed in moved_in:
                transaction.delete(tables.Conversation(pk, keys.overflow(owed.seq)))
            for owed in moved_out:
                transaction.save(_beside(pk, owed, saved.town, now))
    except TransactWriteError as error:
        codes = {reason.code for reason in error.cancellation_reasons if reason}
        if codes & {"ConditionalCheckFailed", "TransactionConflict"}:
            raise Conflict("conversations") from error
        raise Unavailable("dynamodb TransactWriteItems") from error
    except PynamoDBException as error:
        raise Unavailable("dynamodb TransactWriteItems") from error
    return saved


def _balance(pk: str, conversation: Conversation) -> tuple[tuple[Owed, ...], list[Owed], list[Owed], int]:
    """The lane as it fits inside, what comes in from beside, what goes out, and how many are beside then."""
    stored_max = max((owed.seq for owed in conversation.lane), default=0)
    if conversation.parked == 0:
        beyond = list(conversation.lane[LANE_INSIDE_MAX:])
        return conversation.lane[:LANE_INSIDE_MAX], [], beyond, len(beyond)
    beside = [_owed(item, conversation.town) for item in _oldest(pk)]
    first_beside = beside[0].seq if beside else stored_max + 1
    inside = [owed for owed in conversation.lane if owed.seq < first_beside]
    younger = [owed for owed in conversation.lane if owed.seq > first_beside]
    waits_for_them = all(owed.held for owed in inside)
    moved_in = beside[: LANE_INSIDE_MAX - len(inside)] if waits_for_them else []
    # Fewer than were asked for are all there are: who was erased in one town of the account left none of them there.
    there = len(beside) if len(beside) < LANE_INSIDE_MAX else conversation.parked
    return (*inside, *moved_in), moved_in, younger, there - len(moved_in) + len(younger)


def _oldest(pk: str) -> list[tables.Conversation]:
    query = tables.Conversation.query(
        pk, tables.Conversation.sk.startswith("OUT#"), limit=LANE_INSIDE_MAX, consistent_read=True
    )
    return list(query)


def _beside(pk: str, owed: Owed, town: str, now: float) -> tables.Conversation:
    body = zlib.compress(json.dumps(shapes.owed_data(owed), ensure_ascii=False).encode())
    expires = int(now) + KEPT_DAYS * 86400
    whose = owed.town or town
    return tables.Conversation(pk, keys.overflow(owed.seq), shape=shapes.SHAPE, town=whose, body=body, exp=expires)


def _owed(item: tables.Conversation, current: str) -> Owed:
    """The entry, which says itself who owes it if the citizen has gone on with another town meanwhile."""
    owed = shapes.owed_from(json.loads(zlib.decompress(item.body)))
    return replace(owed, town="" if item.town in (None, current) else item.town)
