"""Threads: what a citizen and a person of the town said to each other, in full and in order.

Kept only where somebody reads it. An item holds what one turn said, or at the beginning the conversation's whole log.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterable, Iterator, Sequence

from chalicelib.compact_json import as_json
from chalicelib.model import Entry
from chalicelib.storage import dynamo, keys, shapes
from chalicelib.storage.dynamo import Write
from chalicelib.wire import Deadline

TABLE = "conversations"
SHAPE = 1
KEPT_DAYS = 30  # after it was said, as the conversation itself
PARTS_READ_MAX = 500


def item(town: str, person: str, entries: Sequence[Entry], now: float) -> Write:
    """What was said, as part of the transaction of the turn that said it."""
    data = [shapes.entry_data(entry) for entry in entries]
    stored = {
        "pk": keys.thread(town, person),
        "sk": keys.thread_part(entries[-1].seq),
        "shape": SHAPE,
        "body": zlib.compress(as_json(data).encode("utf-8", "replace")),
        "exp": int(now) + KEPT_DAYS * 86400,
    }
    return Write(TABLE, stored)


def since(town: str, person: str, seq: int, now: float, deadline: Deadline) -> tuple[Entry, ...]:
    """What was said after entry `seq`, oldest first; one request."""
    pk = ("pk", keys.thread(town, person))
    start = keys.thread_part(seq + 1)
    found = dynamo.page(TABLE, None, pk, deadline, sort="sk", start=start, limit=PARTS_READ_MAX)
    return tuple(entry for entry in _said(found, now) if entry.seq > seq)


def whole(town: str, person: str, now: float, deadline: Deadline) -> tuple[Entry, ...]:
    """Everything that was said, oldest first, request after request."""
    return tuple(_said(dynamo.every(TABLE, None, ("pk", keys.thread(town, person)), deadline), now))


def _said(parts: Iterable[dynamo.Item], now: float) -> Iterator[Entry]:
    for part in parts:
        if part["exp"] > now:
            yield from (shapes.entry_from(data) for data in json.loads(zlib.decompress(part["body"])))
