"""How a town's own systems took what they were told: `T#<town>#CB` / `<callback>#OK`, `#BAD` and `#OFF`.

The last success and the last failure are items of their own, so that neither overwrites the other; `#OFF` stands there
once a system took nothing for days. What waits and what was given up stands in the outbox itself.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping
from typing import Any

from chalicelib.small_classes import dataclass
from chalicelib.storage import dynamo, keys, tables
from chalicelib.storage.dynamo import Write
from chalicelib.wire import Deadline

TABLE = "outbox"
SHAPE = 1
KEPT_DAYS = 366
WAITING_COUNTED_MAX = 500  # of each of the eight parts of the index
GIVEN_UP_MAX = 50
_FAR_FUTURE = 2**40
_OK, _BAD, _OFF = "OK", "BAD", "OFF"


@dataclass(frozen=True, slots=True)
class Health:
    """When a system last took something, when and why it last did not, since when it takes nothing, since when nobody
    asks it any more; epoch seconds, 0 = never."""

    taken_at: int = 0
    failed_at: int = 0
    reason: str = ""
    failing_since: int = 0
    off_at: int = 0


@dataclass(frozen=True, slots=True)
class GivenUp:
    """A callback nobody tries again unless a person says so: the row's id, since when, why."""

    row: str
    at: int
    reason: str

    @property
    def reference(self) -> str:
        """The case it is about."""
        return "-".join(self.row.removeprefix(keys.CALLBACK_ROWS).split("-")[1:-2])


def note_taken(town: str, callback: str, now: float, deadline: Deadline) -> None:
    """It took something just now."""
    dynamo.put(TABLE, _item(town, callback, _OK, now), deadline)


def note_failed(town: str, callback: str, reason: str, since: int, now: float, deadline: Deadline) -> None:
    """It did not, and has taken nothing since then."""
    body = zlib.compress(json.dumps({"since": since}).encode())
    dynamo.put(TABLE, _item(town, callback, _BAD, now) | {"error": reason, "body": body}, deadline)


def off(town: str, callback: str, now: float) -> Write:
    """That nobody asks it any more, as part of a transaction; once."""
    return Write(TABLE, _item(town, callback, _OFF, now), unique=True)


def on(town: str, callback: str, deadline: Deadline) -> None:
    """It is asked again, as if it had never failed."""
    for which in (_BAD, _OFF):
        dynamo.delete(TABLE, keys.callbacks(town), f"{callback}#{which}", deadline)


def health(town: str, callback: str, deadline: Deadline) -> Health:
    """How one system does; one query."""
    found = dynamo.query(TABLE, keys.callbacks(town), f"{callback}#", deadline)
    return _health({item["sk"].partition("#")[2]: item for item in found})


def _item(town: str, callback: str, which: str, now: float) -> dict[str, Any]:
    return {
        "pk": keys.callbacks(town),
        "sk": f"{callback}#{which}",
        "shape": SHAPE,
        "kind": "callback",
        "town": town,
        "state": "noted",
        "due_at": int(now),
        "exp": int(now) + KEPT_DAYS * 86400,
    }


def waiting(town: str) -> dict[str, int]:
    """How many are owed to each system, by callback; eight requests, for a page that is rarely opened."""
    counts: dict[str, int] = {}
    for shard in range(keys.DUE_SHARDS):
        due = tables.OutboxRow.due_index
        for key in due.query(str(shard), tables.OutboxRow.due_at <= _FAR_FUTURE, limit=WAITING_COUNTED_MAX):
            callback = _callback_of(town, key.pk)
            if callback:
                counts[callback] = counts.get(callback, 0) + 1
    return counts


def given_up(town: str) -> dict[str, list[GivenUp]]:
    """What was given up by callback, newest first, at most GIVEN_UP_MAX of all."""
    dead = tables.OutboxRow.due_index.query(
        keys.dead(town), tables.OutboxRow.due_at <= _FAR_FUTURE, limit=WAITING_COUNTED_MAX, scan_index_forward=False
    )
    wanted = [(key.pk, key.sk) for key in dead if _callback_of(town, key.pk)][:GIVEN_UP_MAX]
    found: dict[str, list[GivenUp]] = {}
    rows = tables.OutboxRow.batch_get(wanted) if wanted else ()
    for row in sorted((row for row in rows if row.state == "dead"), key=lambda row: -(row.due_at or 0)):
        entry = GivenUp(row.pk.rpartition("#")[2], int(row.due_at or 0), row.error or "")
        found.setdefault(_callback_of(town, row.pk), []).append(entry)
    return found


def _callback_of(town: str, pk: str) -> str:
    """The callback of an outbox row of this town; "" for any other row."""
    prefix = keys.outbox(town, keys.CALLBACK_ROWS)
    return pk.removeprefix(prefix).partition("-")[0] if pk.startswith(prefix) else ""


def _health(items: Mapping[str, dynamo.Item]) -> Health:
    taken, failed, switched = (items.get(which, {}) for which in (_OK, _BAD, _OFF))
    taken_at, failed_at = int(taken.get("due_at", 0)), int(failed.get("due_at", 0))
    since = int(json.loads(zlib.decompress(failed["body"]))["since"]) if failed_at > taken_at else 0
    return Health(taken_at, failed_at, str(failed.get("error", "")), since, int(switched.get("due_at", 0)))
