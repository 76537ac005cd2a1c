"""Rows of the outbox: parked inbounds and dead letters for now. The row is the truth; queues only ring."""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping
from typing import Any

from chalicelib.storage import dynamo, keys
from chalicelib.wire import Deadline

TABLE = "outbox"
KEPT_DAYS = 30


def write_dead(
    town: str,
    row: str,
    kind: str,
    body: Mapping[str, Any],
    error: str,
    now: float,
    deadline: Deadline,
    *,
    account: str,
    citizen: str,
) -> None:
    """Keep something that waits for a person: `kind` says what (parked, odd, reply). The same `row` is written once."""
    item = {
        "pk": keys.outbox(town, row),
        "sk": keys.NOW,
        "shape": 1,
        "kind": kind,
        "town": town,
        "state": "dead",
        "tries": 0,
        "error": error[:500],
        "account": account,
        "citizen": citizen,
        "body": zlib.compress(json.dumps(body, ensure_ascii=False).encode("utf-8", "replace")),
        "due_shard": keys.dead(town),
        "due_at": int(now),
        "exp": int(now) + KEPT_DAYS * 86400,
    }
    dynamo.put(TABLE, item, deadline)
