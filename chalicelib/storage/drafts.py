"""What a town's admins prepare from missed questions: drafts of content, and questions that are none of the town's.

`T#<town>` / `EDIT#draft#<id>` and `EDIT#dropped#<id>`. What was put aside goes with the questions, after thirty days.
"""

from __future__ import annotations

import json
import zlib
from dataclasses import dataclass
from typing import Any

from chalicelib.storage import dynamo, keys
from chalicelib.storage.dynamo import Write
from chalicelib.wire import Deadline

TABLE = "tenants"
SHAPE = 1
DRAFTS_MAX = 100
DROPPED_MAX = 300
DROPPED_DAYS = 31
TEXTS_MAX = 10
PHRASE, ANSWER = KINDS = ("phrase", "answer")


@dataclass(frozen=True, slots=True)
class Draft:
    """Questions as they were asked, for `node` (a phrase for what is known) or for an answer nobody has written yet."""

    id: str
    kind: str
    texts: tuple[str, ...]
    by: str
    at: int
    node: str = ""


def item(town: str, draft: Draft) -> Write:
    """The draft as part of a transaction."""
    data = {"kind": draft.kind, "texts": draft.texts[:TEXTS_MAX], "by": draft.by, "at": draft.at, "node": draft.node}
    return Write(TABLE, _item(town, keys.draft(draft.id), data))


def gone(town: str, identifier: str, now: float) -> Write:
    """The draft is no longer there, as part of a transaction."""
    return Write(TABLE, _item(town, keys.draft(identifier), {}) | {"exp": int(now)})


def dropped_item(town: str, identifier: str, texts: tuple[str, ...], now: float) -> Write:
    """Questions that are none of the town's, folded, as part of a transaction."""
    data = {"texts": texts[:TEXTS_MAX]}
    return Write(TABLE, _item(town, keys.dropped(identifier), data) | {"exp": int(now) + DROPPED_DAYS * 86400})


def all_of(town: str, now: float, deadline: Deadline) -> tuple[Draft, ...]:
    """The drafts a town has, newest first; one request."""
    found = _page(town, keys.draft(""), DRAFTS_MAX, now, deadline)
    drafts = [_draft(stored["sk"].rpartition("#")[2], _data(stored)) for stored in found]
    return tuple(sorted(drafts, key=lambda draft: -draft.at))


def dropped(town: str, now: float, deadline: Deadline) -> frozenset[str]:
    """The questions that were put aside, folded; one request."""
    found = _page(town, keys.dropped(""), DROPPED_MAX, now, deadline)
    return frozenset(text for stored in found for text in _data(stored)["texts"])


def _page(town: str, prefix: str, limit: int, now: float, deadline: Deadline) -> list[dict[str, Any]]:
    pk = ("pk", keys.town(town))
    found = dynamo.page(TABLE, None, pk, deadline, sort="sk", start=prefix, end=f"{prefix}~", limit=limit)
    return [stored for stored in found if stored.get("exp", now + 1) > now]


def _item(town: str, sk: str, data: dict[str, Any]) -> dict[str, Any]:
    packed = zlib.compress(json.dumps(data, ensure_ascii=False).encode("utf-8", "replace"))
    return {"pk": keys.town(town), "sk": sk, "shape": SHAPE, "body": packed}


def _data(stored: dict[str, Any]) -> dict[str, Any]:
    return dict(json.loads(zlib.decompress(stored["body"])))


def _draft(identifier: str, data: dict[str, Any]) -> Draft:
    return Draft(identifier, data["kind"], tuple(data["texts"]), data["by"], data["at"], data["node"])
