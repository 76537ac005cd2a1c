"""Files of cases that are worked through in slices: how far one has come, and what became of each row.

`T#<town>#IM#<id>` / `HEAD` is the import, `S#<first row>` the outcomes of a slice, written in one commit with how far
it has come; `T#<town>#IMS` / `<time>#<id>` lists them. All of it goes after `KEPT_DAYS`.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from chalicelib.compact_json import as_json
from chalicelib.small_classes import dataclass
from chalicelib.storage import dynamo, keys, register
from chalicelib.storage.dynamo import Write
from chalicelib.wire import Deadline

TABLE = "cases"
SHAPE = 1
KEPT_DAYS = 30
SLICES_READ_AT_ONCE = 50
LISTED_MAX = 20
WAITING, GOING, DONE, REFUSED = "waiting", "going", "done", "refused"


@dataclass(frozen=True, slots=True)
class Import:
    """`key` the object in the bucket, `by` who began it at `at` (epoch seconds), `next_row` how many rows are done of
    `rows` (0 until the file was read), `reason` why the file as a whole was refused. `source` is the name under which
    the town's program laid the file, "" for one from the counter, `name` what people call it. `v` is the stored
    version."""

    town: str
    id: str
    key: str
    by: str
    at: int
    state: str = GOING
    rows: int = 0
    next_row: int = 0
    applied: int = 0
    unchanged: int = 0
    rejected: int = 0
    reason: str = ""
    source: str = ""
    name: str = ""
    v: int = 0


_STORED = tuple(name for name in Import.__slots__ if name not in ("town", "id", "v"))


def load(town: str, identifier: str, now: float, deadline: Deadline) -> Import | None:
    """The import of an id, while it is kept; one read."""
    item = dynamo.get(TABLE, keys.case_import(town, identifier), keys.HEAD, deadline)
    return _import(town, identifier, item) if item and item["exp"] > now else None


def newest(town: str, now: float, deadline: Deadline) -> tuple[Import, ...]:
    """The last imports of a town that were begun, newest first; two requests."""
    partition = ("pk", keys.imports(town))
    listed = dynamo.page(TABLE, None, partition, deadline, sort="sk", limit=LISTED_MAX, newest_first=True)
    ids = [found["sk"].partition("#")[2] for found in listed]
    heads = dynamo.batch_get(TABLE, [(keys.case_import(town, each), keys.HEAD) for each in ids], deadline)
    by_id = {pk.rpartition("#")[2]: head for (pk, _), head in heads.items()}
    return tuple(_import(town, each, by_id[each]) for each in ids if each in by_id and by_id[each]["exp"] > now)


def _import(town: str, identifier: str, item: Mapping[str, Any]) -> Import:
    """What is stored; what a newer version added is left alone."""
    body = {name: value for name, value in json.loads(zlib.decompress(item["body"])).items() if name in _STORED}
    return Import(town, identifier, **body, v=item["v"])


def item(job: Import) -> Write:
    """The import as part of a transaction, if nobody was faster."""
    body = {name: getattr(job, name) for name in _STORED}
    stored: dict[str, Any] = {
        "pk": keys.case_import(job.town, job.id),
        "sk": keys.HEAD,
        "shape": SHAPE,
        "v": job.v + 1,
        "body": _packed(body),
        "exp": _expires(job),
    }
    return Write(TABLE, stored | register.of_cases(job.town, stored["pk"]), expected_v=job.v)


def listed(job: Import) -> Write:
    """The import's line in the list of its town."""
    stored = {"pk": keys.imports(job.town), "sk": f"{job.at:012d}#{job.id}", "shape": SHAPE, "exp": _expires(job)}
    return Write(TABLE, stored)


def slice_item(job: Import, outcomes: Sequence[Sequence[Any]], rejected: int) -> Write:
    """What became of the rows from `job.next_row` on; `rejected` of them were."""
    stored = {
        "pk": keys.case_import(job.town, job.id),
        "sk": keys.import_slice(job.next_row),
        "shape": SHAPE,
        "v": rejected,
        "body": _packed(list(outcomes)),
        "exp": _expires(job),
    }
    return Write(TABLE, stored)


def outcomes(job: Import, deadline: Deadline, first_row: int = 0) -> Iterator[list[Any]]:
    """What became of each row from `first_row` on, which begins a slice, in order."""
    start = keys.import_slice(first_row)
    while True:
        items = dynamo.page(
            TABLE,
            None,
            ("pk", keys.case_import(job.town, job.id)),
            deadline,
            sort="sk",
            start=start,
            end=keys.IMPORT_SLICES_END,
            limit=SLICES_READ_AT_ONCE,
        )
        for found in items:
            if found["sk"] != start or start == keys.import_slice(first_row):
                yield from _unpacked(found)
        if len(items) < SLICES_READ_AT_ONCE:
            return
        start = items[-1]["sk"]


def _unpacked(found: Mapping[str, Any]) -> list[list[Any]]:
    return list(json.loads(zlib.decompress(found["body"])))


def _expires(job: Import) -> int:
    return job.at + KEPT_DAYS * 86400


def _packed(data: Any) -> bytes:
    return zlib.compress(as_json(data).encode("utf-8", "replace"), 6)
