"""A town's figures, one item a day (`T#<town>#FIG` / day), and up to where cases were counted.

Only the hourly job writes them, each time whole: counting again changes nothing.
"""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Mapping
from typing import Any

from chalicelib.compact_json import as_json
from chalicelib.storage import dynamo, keys
from chalicelib.wire import Deadline

TABLE = "people"
SHAPE = 1
PERSON_BYTES = 5  # of a hash: enough to tell a day's people apart, too few to find anybody by
DAYS_MAX = 400


def load(town: str, day: str, deadline: Deadline) -> dict[str, Any]:
    """One day as it was written: counts, people, opened, closed; empty for a day not counted yet."""
    item = dynamo.get(TABLE, keys.figures(town), day, deadline)
    return _from_item(item) if item else {}


def span(town: str, first: str, last: str, deadline: Deadline) -> dict[str, dict[str, Any]]:
    """The days from `first` to `last` that were counted, by date; one query for a month."""
    items = dynamo.page(
        TABLE,
        None,
        ("pk", keys.figures(town)),
        deadline,
        sort="sk",
        start=first,
        end=last,
        limit=DAYS_MAX,
    )
    return {item["sk"]: _from_item(item) for item in items}


def save(town: str, day: str, figures: Mapping[str, Any], deadline: Deadline) -> None:
    """Write one day whole. `people` are bytes, the rest is JSON-ready."""
    people = base64.b64encode(b"".join(sorted(figures.get("people", ())))).decode()
    body = as_json({**figures, "people": people}).encode()
    item = {"pk": keys.figures(town), "sk": day, "shape": SHAPE, "body": zlib.compress(body, 9)}
    dynamo.put(TABLE, item, deadline)


def counted_until(town: str, deadline: Deadline) -> int:
    """Up to when changed cases were counted (epoch seconds)."""
    item = dynamo.get(TABLE, keys.figures(town), keys.NOW, deadline)
    return int(item["at"]) if item else 0


def note_counted(town: str, until: int, deadline: Deadline) -> None:
    dynamo.put(TABLE, {"pk": keys.figures(town), "sk": keys.NOW, "shape": SHAPE, "at": until}, deadline)


def _from_item(item: Mapping[str, Any]) -> dict[str, Any]:
    data = json.loads(zlib.decompress(item["body"]))
    packed = base64.b64decode(data.get("people", ""))
    people = [packed[at : at + PERSON_BYTES] for at in range(0, len(packed), PERSON_BYTES)]
    return {**data, "people": frozenset(people)}
