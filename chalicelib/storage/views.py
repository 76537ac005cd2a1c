"""Reads that pages and sweepers make: what is due, what is owed, what is dead. No scan; every list has a bound."""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterator
from typing import Any

from chalicelib.model import Conversation
from chalicelib.storage import keys, shapes, tables
from chalicelib.storage.outbox import UNCERTAIN

PER_SHARD_MAX = 500
ROWS_MAX = 1000
MISSED_CONVERSATIONS_MAX = 2000
ACTIVE_MAX = 20000  # conversations of a town on one day
DEAD_LOOKED_AT_MAX = 10_000
FAR_FUTURE = 2**40


def due_lanes(now: float, limit: int) -> list[str]:
    """Keys of conversations whose lane should be looked at by now, oldest first within each of the eight shards."""
    found: list[str] = []
    for shard in range(keys.DUE_SHARDS):
        query = tables.Conversation.due_index.query(
            str(shard), tables.Conversation.due_at <= int(now), limit=min(PER_SHARD_MAX, limit - len(found))
        )
        found += [item.pk for item in query]
        if len(found) >= limit:
            break
    return found


def due_rows(now: float, limit: int) -> list[str]:
    """Keys of outbox rows to be worked by now, oldest first within each of the eight shards."""
    found: list[str] = []
    for shard in range(keys.DUE_SHARDS):
        query = tables.OutboxRow.due_index.query(
            str(shard), tables.OutboxRow.due_at <= int(now), limit=min(PER_SHARD_MAX, limit - len(found))
        )
        found += [item.pk for item in query]
        if len(found) >= limit:
            break
    return found


def to_be_tried(until: float) -> Iterator[str]:
    """Keys of the lanes and rows that are due by then, the oldest 500 of each of the eight shards."""
    for table in (tables.Conversation, tables.OutboxRow):
        for shard in range(keys.DUE_SHARDS):
            due = table.due_index.query(str(shard), table.due_at <= int(until), limit=PER_SHARD_MAX)
            yield from (item.pk for item in due)


def lanes(wanted: list[str]) -> Iterator[Conversation]:
    """The conversations of these keys, as they are now."""
    for item in tables.Conversation.batch_get([(pk, keys.NOW) for pk in wanted]) if wanted else ():
        yield shapes.from_item({name: value for name, value in item.attribute_values.items() if value is not None})


def rows(wanted: list[str]) -> list[tables.OutboxRow]:
    """The outbox rows of these keys, without what they carry."""
    shown = ["pk", "sk", "kind", "town", "state", "tries", "due_at", "since"]
    found = tables.OutboxRow.batch_get([(pk, keys.NOW) for pk in wanted], attributes_to_get=shown) if wanted else ()
    return list(found)


def dead_count(town: str, limit: int) -> int:
    """How many things a town could not deliver, up to `limit`."""
    return tables.OutboxRow.due_index.count(keys.dead(town), limit=limit)


def dead(town: str, limit: int) -> list[dict[str, Any]]:
    """What a town could not deliver as `owed` says it, the newest first."""
    found = [row for row in _rows(keys.dead(town), limit, newest_first=True) if row["state"] in ("dead", UNCERTAIN)]
    return sorted(found, key=lambda row: (-row["due_at"], row["id"]))


def owed(town: str | None) -> list[dict[str, Any]]:
    """Everything owed to the outside, lanes and rows: `id, tenant, kind, state, tries, due_at, error`.

    Of one town also what nobody could deliver, and what was done lately.
    """
    shards = [str(shard) for shard in range(keys.DUE_SHARDS)]
    rows = [row for shard in shards for row in (*_lane_rows(shard), *_rows(shard))]
    rows += [*_rows(keys.dead(town)), *_rows(keys.sent(town))] if town else []
    return [row for row in rows if town in (None, row["tenant"])][:ROWS_MAX]


def _lane_rows(shard: str) -> Iterator[dict[str, Any]]:
    for key in tables.Conversation.due_index.query(
        shard, tables.Conversation.due_at <= FAR_FUTURE, limit=PER_SHARD_MAX
    ):
        item = tables.Conversation.get(key.pk, key.sk, consistent_read=True)
        conversation = shapes.from_item(
            {name: value for name, value in item.attribute_values.items() if value is not None}
        )
        for position, entry in enumerate(conversation.lane):
            leased = position == 0 and conversation.lease is not None
            yield {
                "id": f"{conversation.account}.{entry.seq}",
                "tenant": entry.town or conversation.town,
                "kind": "reply",
                "state": "leased" if leased else "due",
                "tries": entry.tries,
                "due_at": entry.due_at,
                "error": entry.error or None,
            }


def _rows(shard: str, limit: int = PER_SHARD_MAX, *, newest_first: bool = False) -> Iterator[dict[str, Any]]:
    """The outbox rows of one partition of the index, without what they carry. One that is gone by the time it is read
    is left out."""
    found = tables.OutboxRow.due_index.query(
        shard, tables.OutboxRow.due_at <= FAR_FUTURE, limit=limit, scan_index_forward=not newest_first
    )
    wanted = [(key.pk, key.sk) for key in found]
    shown = ["pk", "sk", "kind", "town", "state", "tries", "due_at", "error"]
    for row in tables.OutboxRow.batch_get(wanted, attributes_to_get=shown) if wanted else ():
        yield {
            "id": row.pk.rpartition("#")[2],
            "tenant": row.town,
            "kind": row.kind,
            "state": UNCERTAIN if row.state == "dead" and (row.error or "").startswith(UNCERTAIN) else row.state,
            "tries": row.tries,
            "due_at": row.due_at,
            "error": row.error,
        }


def dead_rows_of(town: str, account: str, citizen: str) -> list[tables.OutboxRow]:
    """What a town could not deliver or answer of one citizen's, among the newest of it."""
    dead = tables.OutboxRow.due_index
    found = dead.query(
        keys.dead(town), tables.OutboxRow.due_at <= FAR_FUTURE, limit=DEAD_LOOKED_AT_MAX, scan_index_forward=False
    )
    rows = tables.OutboxRow.batch_get([(key.pk, key.sk) for key in found])
    return [row for row in rows if (row.account, row.citizen) == (account, citizen)]


def misses(town: str, date: str) -> list[dict[str, Any]]:
    """What was not understood in a town's conversations last active on `date` (the town's, ISO): `text, why, at`."""
    active = active_on(town, date, MISSED_CONVERSATIONS_MAX)
    return [dict(miss) for conversation in active for miss in conversation.state.get("misses", ())]


def active_on(town: str, date: str, limit: int = ACTIVE_MAX) -> Iterator[Conversation]:
    """The conversations of a town last active on `date` (the town's, ISO), as they are now; parked ones, too."""
    found = tables.Conversation.day_index.query(keys.day(town, date), limit=limit)
    wanted = [(key.pk, key.sk) for key in found]
    for item in tables.Conversation.batch_get(wanted) if wanted else ():
        yield shapes.from_item({name: value for name, value in item.attribute_values.items() if value is not None})


def body(row: tables.OutboxRow) -> Any:
    """What a row carries."""
    return json.loads(zlib.decompress(row.body)) if row.body else None
