"""Who did and saw what: added, never changed or removed by anybody before its time. A partition holds one day."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import field
from datetime import UTC, datetime
from typing import Any

from chalicelib.small_classes import dataclass
from chalicelib.storage import dynamo, keys, register
from chalicelib.storage.dynamo import Write
from chalicelib.wire import Deadline

TABLE = "people"
SHAPE = 1
KEPT_DAYS = 3 * 366
DETAIL_CHARS_MAX = 300
PAGE_MAX = 100


@dataclass(frozen=True, slots=True)
class Act:
    """`by`: "staff:<id>", "api:<key>", "platform:<id>"; `what`: a word ("unmasked", "signed_in"); `about`: a case's
    reference, a member of staff's id, a path; `detail`: what else is worth knowing, never a person's data."""

    at: float
    by: str
    what: str
    about: str = ""
    detail: Mapping[str, Any] = field(default_factory=dict)


def item(town: str, act: Act, identifier: str) -> Write:
    """The record as part of a transaction; `identifier` is fresh, so that two acts of one moment both stay."""
    day = datetime.fromtimestamp(act.at, UTC).date().isoformat()
    detail = json.dumps(dict(act.detail), ensure_ascii=False)[:DETAIL_CHARS_MAX] if act.detail else None
    attributes: dict[str, Any] = {
        "pk": keys.audit(town, day),
        "sk": f"{int(act.at * 1000):015d}#{identifier}",
        "shape": SHAPE,
        "by": act.by,
        "what": act.what,
        "about": act.about or None,
        "detail": detail,
        "exp": int(act.at) + KEPT_DAYS * 86400,
    }
    return Write(TABLE, attributes | register.of_people(town, attributes["pk"]), unique=True)


def record(town: str, act: Act, identifier: str, deadline: Deadline) -> None:
    """Write one record by itself."""
    dynamo.put(TABLE, item(town, act, identifier).item, deadline, expected_v=0)


def of_day(town: str, day: str, deadline: Deadline, before: str = "") -> tuple[list[Act], str | None]:
    """What was done on a day (UTC, ISO), newest first, a page at a time; the cursor of the next page."""
    partition = ("pk", keys.audit(town, day))
    items = dynamo.page(TABLE, None, partition, deadline, sort="sk", end=before, limit=PAGE_MAX + 2, newest_first=True)
    items = [found for found in items if found["sk"] != before]
    return [_act(found) for found in items[:PAGE_MAX]], items[PAGE_MAX - 1]["sk"] if len(items) > PAGE_MAX else None


def _act(found: Mapping[str, Any]) -> Act:
    at = int(found["sk"].partition("#")[0]) / 1000
    return Act(at, found["by"], found["what"], found.get("about", ""), _detail(found.get("detail", "")))


def _detail(written: str) -> Mapping[str, Any]:
    try:
        return dict(json.loads(written)) if written else {}
    except ValueError:  # cut off at its bound
        return {"text": written}
