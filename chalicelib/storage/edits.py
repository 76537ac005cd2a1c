"""What a town's admins prepare in the console: edits by their path, the order to publish, questions dealt with.

`people`: `T#<town>#EDIT` / path, `#order`, `#dropped#<id>`. The store knows paths and packed values; what they mean is
`tenancy.overlay`'s business. Nothing here is read in a citizen's turn.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping
from dataclasses import field
from typing import Any

from chalicelib.small_classes import dataclass
from chalicelib.storage import dynamo, keys
from chalicelib.storage.dynamo import Write
from chalicelib.wire import Deadline

TABLE = "people"
SHAPE = 1
PREPARED_MAX = 150
DROPPED_MAX = 300
DROPPED_DAYS = 31  # questions themselves are forgotten after thirty
TEXTS_MAX = 10
WAITS, DONE, REFUSED = "waits", "done", "refused"


@dataclass(frozen=True, slots=True)
class Order:
    """What somebody wants published: the edits whose fingerprint `digest` is, or a `version` again.

    `over`: the version that was in force when they looked. `state`: waits, done, refused; `said`: why it was refused.
    """

    by: str
    at: int
    over: int
    digest: str = ""
    version: int = 0
    state: str = WAITS
    said: tuple[str, ...] = ()
    v: int = 0


@dataclass(frozen=True, slots=True)
class Prepared:
    """Everything that is prepared: edits by path as {"value", "base", "by", "at", "v"}, and the last order."""

    edits: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    order: Order | None = None


def prepared(town: str, deadline: Deadline) -> Prepared:
    """One request."""
    pk = ("pk", keys.edits(town))
    found = dynamo.page(TABLE, None, pk, deadline, sort="sk", start=keys.ORDER, end="~", limit=PREPARED_MAX)
    edits = {item["sk"]: _data(item) | {"v": item["v"]} for item in found if item["sk"] != keys.ORDER}
    order = next((_order(item) for item in found if item["sk"] == keys.ORDER), None)
    return Prepared(edits, order)


def item(town: str, path: str, said: Mapping[str, Any], v: int) -> Write:
    """An edit over the version `v` of it (0: there was none), as part of a transaction."""
    return Write(TABLE, _item(town, path, said) | {"v": v + 1}, expected_v=v)


def gone(town: str, path: str, v: int) -> Write:
    """The edit of this version is no longer there, as part of a transaction."""
    return Write(TABLE, {"pk": keys.edits(town), "sk": path}, expected_v=v, gone=True)


def order(town: str, deadline: Deadline) -> Order | None:
    """The last order."""
    found = dynamo.get(TABLE, keys.edits(town), keys.ORDER, deadline)
    return _order(found) if found else None


def order_item(town: str, given: Order) -> Write:
    """The order over the version of it that was read, as part of a transaction."""
    names = ("by", "at", "over", "digest", "version", "state", "said")
    said = {name: getattr(given, name) for name in names}
    return Write(TABLE, _item(town, keys.ORDER, said) | {"v": given.v + 1}, expected_v=given.v)


def dropped_item(town: str, identifier: str, texts: tuple[str, ...], now: float) -> Write:
    """Questions that are dealt with, folded, as part of a transaction. They go with the questions themselves."""
    stored = _item(town, keys.dropped(identifier), {"texts": texts[:TEXTS_MAX]})
    return Write(TABLE, stored | {"exp": int(now) + DROPPED_DAYS * 86400})


def dropped(town: str, now: float, deadline: Deadline) -> frozenset[str]:
    """The questions that are dealt with, folded; one request."""
    pk, start = ("pk", keys.edits(town)), keys.dropped("")
    found = dynamo.page(TABLE, None, pk, deadline, sort="sk", start=start, end=f"{start}~", limit=DROPPED_MAX)
    return frozenset(text for one in found if one.get("exp", now + 1) > now for text in _data(one)["texts"])


def _item(town: str, sk: str, said: Mapping[str, Any]) -> dict[str, Any]:
    packed = zlib.compress(json.dumps(dict(said), ensure_ascii=False).encode("utf-8", "replace"))
    return {"pk": keys.edits(town), "sk": sk, "shape": SHAPE, "body": packed}


def _data(found: Mapping[str, Any]) -> dict[str, Any]:
    return dict(json.loads(zlib.decompress(found["body"])))


def _order(found: Mapping[str, Any]) -> Order:
    said = _data(found)
    return Order(**said | {"said": tuple(said["said"]), "v": found["v"]})
