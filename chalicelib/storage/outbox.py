"""Rows of the outbox: what is owed to the outside and stands in no citizen's lane. The row is the truth; queues ring.

A row is written with the commit that owes it, leased by whoever works it, and settled: sent (its body is dropped at
once, the rest stays for a day so that people can see it) or dead (kept with its body until somebody looks at it).
`due_at` is when to look at it next, whoever had it: a lease that ran out is due again by itself.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping
from secrets import token_hex
from typing import Any

from chalicelib.small_classes import dataclass, replace
from chalicelib.storage import dynamo, keys
from chalicelib.wire import Deadline

TABLE = "outbox"
SHAPE = 1
KEPT_DAYS = 30
SENT_KEPT_SECONDS = 86400
ERROR_CHARS_MAX = 500
OPEN_STATES = ("due", "leased")
UNCERTAIN = "uncertain"  # begins the error of what may have arrived without our hearing of it


@dataclass(frozen=True, slots=True)
class Row:
    """One thing owed, as stored. `v` is the stored version, `due_at` in epoch seconds; `key` names it everywhere.

    `account` and `citizen`: whom something given up is about, if it is about one citizen.

    `since`: when it was first due, however often it was put off; 0 for a row written before that was noted.
    """

    key: str
    v: int
    kind: str
    town: str
    state: str
    tries: int
    due_at: int
    error: str
    body: Mapping[str, Any]
    since: int = 0
    account: str = ""
    citizen: str = ""

    def is_due(self, now: float) -> bool:
        """Whether somebody should work it now: it is not settled, and nobody holds it."""
        return self.state in OPEN_STATES and self.due_at <= now


def write(
    town: str, kind: str, body: Mapping[str, Any], now: float, *, row: str | None = None, due_at: float | None = None
) -> dynamo.Write:
    """A new row as part of a transaction. Its key, to ring for afterwards, is `write.item["pk"]`.

    With `row`, an id made from what the row is about, there can be only one: a second commit raises Duplicate.
    """
    new = Row(
        key=keys.outbox(town, row or token_hex(12)),
        v=1,
        kind=kind,
        town=town,
        state="due",
        tries=0,
        due_at=int(now if due_at is None else due_at),
        error="",
        body=body,
        since=int(now if due_at is None else due_at),
    )
    return dynamo.Write(TABLE, _item(new, keys.due_shard(new.key)), unique=row is not None)


def load(key: str, now: float, deadline: Deadline) -> Row | None:
    """The row under `key`, if it is there and has not expired."""
    item = dynamo.get(TABLE, key, keys.NOW, deadline)
    if item is None or item.get("exp", now + 1) <= now:
        return None
    return Row(
        key=key,
        v=item.get("v", 0),
        kind=item["kind"],
        town=item["town"],
        state=item["state"],
        tries=item["tries"],
        due_at=item.get("due_at", 0),
        error=item.get("error", ""),
        body=json.loads(zlib.decompress(item["body"])) if "body" in item else {},
        since=item.get("since", 0),
        account=item.get("account", ""),
        citizen=item.get("citizen", ""),
    )


def leased(row: Row, holder: str, until: float, deadline: Deadline) -> Row:
    """The row in `holder`'s hands until then; it counts as one try. Raises Conflict if somebody was faster."""
    return _save(row, keys.due_shard(row.key), deadline, state="leased", tries=row.tries + 1, due_at=until, by=holder)


def done(row: Row, now: float, deadline: Deadline) -> None:
    """It is sent. What it carried is forgotten at once."""
    expires = now + SENT_KEPT_SECONDS
    _save(row, keys.sent(row.town), deadline, state="sent", due_at=now, error="", body={}, exp=expires)


def settled(row: Row, now: float) -> dynamo.Write:
    """That it is sent, as part of the transaction that does it."""
    after = replace(row, v=row.v + 1, state="sent", due_at=int(now), error="", body={})
    item = _item(after, keys.sent(row.town)) | {"exp": int(now) + SENT_KEPT_SECONDS}
    return dynamo.Write(TABLE, item, expected_v=row.v)


def later(row: Row, error: str, due_at: float, deadline: Deadline) -> None:
    """It is to be tried again then."""
    _save(row, keys.due_shard(row.key), deadline, state="due", due_at=due_at, error=error)


def bury(row: Row, error: str, now: float, deadline: Deadline) -> None:
    """Nobody tries it again unless a person says so."""
    _save(row, keys.dead(row.town), deadline, state="dead", due_at=now, error=error, exp=now + KEPT_DAYS * 86400)


def revive(row: Row, now: float, deadline: Deadline) -> None:
    """A dead row is owed again, as if it had never been tried."""
    _save(replace(row, since=int(now)), keys.due_shard(row.key), deadline, state="due", tries=0, due_at=now, error="")


def _save(
    row: Row,
    shard: str,
    deadline: Deadline,
    *,
    state: str,
    due_at: float,
    tries: int | None = None,
    error: str | None = None,
    body: Mapping[str, Any] | None = None,
    by: str | None = None,
    exp: float | None = None,
) -> Row:
    after = Row(
        key=row.key,
        v=row.v + 1,
        kind=row.kind,
        town=row.town,
        state=state,
        tries=row.tries if tries is None else tries,
        due_at=int(due_at),
        error=row.error if error is None else error[:ERROR_CHARS_MAX],
        body=row.body if body is None else body,
        since=row.since,
    )
    item = _item(after, shard) | {"lease_by": by, "exp": int(exp) if exp else None}
    dynamo.put(TABLE, item, deadline, expected_v=row.v)
    return after


def _item(row: Row, shard: str) -> dict[str, Any]:
    return {
        "pk": row.key,
        "sk": keys.NOW,
        "shape": SHAPE,
        "v": row.v,
        "kind": row.kind,
        "town": row.town,
        "state": row.state,
        "tries": row.tries,
        "error": row.error or None,
        "body": _packed(row.body) if row.body else None,
        "due_shard": shard,
        "due_at": row.due_at,
        "since": row.since or None,
    }


def _packed(body: Mapping[str, Any]) -> bytes:
    return zlib.compress(json.dumps(body, ensure_ascii=False).encode("utf-8", "replace"))


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
    tries: int = 1,
) -> None:
    """Keep something that waits for a person: `kind` says what (parked, odd, reply), `tries` how often it was tried.
    The same `row` is written once."""
    item = {
        "pk": keys.outbox(town, row),
        "sk": keys.NOW,
        "shape": SHAPE,
        "v": 1,
        "kind": kind,
        "town": town,
        "state": "dead",
        "tries": tries,
        "error": error[:ERROR_CHARS_MAX],
        "account": account,
        "citizen": citizen,
        "body": _packed(body),
        "due_shard": keys.dead(town),
        "due_at": int(now),
        "exp": int(now) + KEPT_DAYS * 86400,
    }
    dynamo.put(TABLE, item, deadline)
