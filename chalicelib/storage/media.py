"""What citizens attached, from its arrival until it is checked and a case has it: one record a medium.

The record is written with the turn that received the medium. It stands between the check and the filing, whichever
comes first: the check notes its outcome and tells the cases that are named here; a filing reads the outcome and puts
its case's name down. Both write conditionally, so neither overlooks the other.
"""

from __future__ import annotations

import json
import zlib
from typing import Any

from chalicelib.small_classes import dataclass
from chalicelib.storage import dynamo, keys, register
from chalicelib.wire import Deadline

TABLE = "cases"
SHAPE = 1
KEPT_DAYS = 40  # longer than a conversation, and with it an unfinished form, is kept

WAITING, CHECKED, REFUSED, FAILED = "waiting", "checked", "refused", "failed"
FORGOTTEN = "forgotten"  # no case ever claimed it


@dataclass(frozen=True, slots=True)
class Medium:
    """One photo, video or file. `key` in the bucket, `type` photo, video or file, `size` in bytes as kept there,
    `cases` the references of those that have it. `v` is the stored version, 0 = not stored yet."""

    town: str
    key: str
    type: str
    state: str = WAITING
    size: int = 0
    cases: tuple[str, ...] = ()
    v: int = 0


def load(town: str, key: str, now: float, deadline: Deadline) -> Medium | None:
    """The record of the object `key`; one read."""
    item = dynamo.get(TABLE, keys.media_of(town, key), keys.NOW, deadline)
    return _medium(town, item) if item and item["exp"] > now else None


def load_all(town: str, wanted: list[str], now: float, deadline: Deadline) -> dict[str, Medium]:
    """The records there are, by object key; one request. One whose time is over, which DynamoDB may have for days yet,
    is forgotten: its version is kept, so that the next one replaces it."""
    found = dynamo.batch_get(TABLE, [(keys.media_of(town, key), keys.NOW) for key in wanted], deadline)
    media = [_medium(town, item) if item["exp"] > now else _over(town, item) for item in found.values()]
    return {medium.key: medium for medium in media}


def item(medium: Medium, now: float) -> dynamo.Write:
    """The record as a part of a transaction, if nobody was faster."""
    body = {"key": medium.key, "size": medium.size, "cases": list(medium.cases)}
    stored: dict[str, Any] = {
        "pk": keys.media_of(medium.town, medium.key),
        "sk": keys.NOW,
        "shape": SHAPE,
        "v": medium.v + 1,
        "kind": medium.type,
        "status": medium.state,
        "body": zlib.compress(json.dumps(body).encode()),
        "exp": int(now) + KEPT_DAYS * 86400,
    }
    return dynamo.Write(TABLE, stored | register.of_cases(medium.town, stored["pk"]), expected_v=medium.v)


def _over(town: str, item: dict[str, Any]) -> Medium:
    before = _medium(town, item)
    return Medium(town, before.key, before.type, FORGOTTEN, v=before.v)


def _medium(town: str, item: dict[str, Any]) -> Medium:
    body = json.loads(zlib.decompress(item["body"]))
    return Medium(
        town=town,
        key=body["key"],
        type=item["kind"],
        state=item["status"],
        size=body["size"],
        cases=tuple(body["cases"]),
        v=item["v"],
    )
