"""How each version of a town came to be in force: `T#<town>` / `LOG#<move of the pointer>`, added and never changed."""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping
from typing import Any

from chalicelib.small_classes import dataclass
from chalicelib.storage import dynamo, keys
from chalicelib.storage.dynamo import Write
from chalicelib.storage.tenants import Pointer
from chalicelib.wire import Deadline

TABLE = "tenants"
SHAPE = 1
PAGE_MAX = 20
CHANGES_KEPT_MAX = 60
VALUE_CHARS_MAX = 600
FILES, CONSOLE, RETURNED = "files", "console", "returned"


@dataclass(frozen=True, slots=True)
class Publication:
    """`by` whom and `why` (files, console, returned) `version` came in force; `changes`: what the console's edits
    changed with it, as (path, before, after). `move` is the pointer's."""

    version: int
    at: int
    by: str
    why: str
    changes: tuple[tuple[str, str, str], ...] = ()
    move: int = 0


def item(pointer: Pointer, by: str, why: str, changes: tuple[tuple[str, str, str], ...] = ()) -> Write:
    """The record beside the pointer's move."""
    cut = [(path, before[:VALUE_CHARS_MAX], after[:VALUE_CHARS_MAX]) for path, before, after in changes]
    said = {"by": by, "why": why, "changes": cut[:CHANGES_KEPT_MAX]}
    stored = {"pk": keys.town(pointer.slug), "sk": keys.publication(pointer.v), "shape": SHAPE}
    stored |= {"version": pointer.version, "published_at": pointer.published_at}
    return Write(
        TABLE, stored | {"body": zlib.compress(json.dumps(said, ensure_ascii=False).encode("utf-8", "replace"))}
    )


def newest(town: str, deadline: Deadline, below: int = 0) -> list[Publication]:
    """A page of them, newest first; `below`: those before that move."""
    end = keys.publication(below - 1) if below else f"{keys.PUBLISHED}~"
    pk = ("pk", keys.town(town))
    found = dynamo.page(
        TABLE, None, pk, deadline, sort="sk", start=keys.PUBLISHED, end=end, limit=PAGE_MAX, newest_first=True
    )
    return [_publication(one) for one in found]


def _publication(found: Mapping[str, Any]) -> Publication:
    said = json.loads(zlib.decompress(found["body"]))
    changes = tuple((path, before, after) for path, before, after in said["changes"])
    move = int(found["sk"].rpartition("#")[2])
    return Publication(found["version"], found["published_at"], said["by"], said["why"], changes, move)
