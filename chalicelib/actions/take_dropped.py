"""Files of cases that a town's office program lays into the bucket, at night as a rule: `drop/T/<town>/<name>`.

The bucket tells the doorbell's queue of each; the file is copied, for the next night's may come over it, and worked as
any other import. What became of it lies beside it (`<name>.result.csv`). A program without an account at AWS asks the
case API for a signed form that lays the file in the same place.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from contextlib import suppress
from typing import Any
from urllib.parse import unquote_plus

from chalicelib.actions import import_cases, known
from chalicelib.actions.import_cases import BYTES_MAX, RESULT_ENDING
from chalicelib.actions.journal import log
from chalicelib.model import Conflict, Town
from chalicelib.patterns import pattern
from chalicelib.small_classes import replace
from chalicelib.storage import aws, dynamo, imports, keys
from chalicelib.storage.audit import Act
from chalicelib.storage.imports import GOING, WAITING, Import
from chalicelib.wire import Deadline

BY = "api:drop"
UPLOAD_SECONDS = 1800
UPLOAD_TYPE = "text/csv"
LINK_SECONDS = 300
NAME_CHARS_MAX = 120
_ID = pattern(r"[A-Za-z0-9_-]{24}")
_ENDINGS = (".csv", ".txt")
_S3 = "aws:s3"


def is_news(message: Mapping[str, Any]) -> bool:
    """Whether a message of the queue comes from the bucket: its records, or its word that it is allowed to ring."""
    if message.get("Event") == "s3:TestEvent":
        return True
    records = message.get("Records")
    return isinstance(records, list) and all(isinstance(one, dict) and one.get("eventSource") == _S3 for one in records)


def hear(message: Mapping[str, Any], now: float, deadline: Deadline) -> None:
    """Begin with every file the bucket tells of. Raises Unavailable, then all of it may be told again."""
    for record in message.get("Records", ()):
        take(unquote_plus(str(record["s3"]["object"]["key"])), now, deadline)


def take(key: str, now: float, deadline: Deadline) -> None:
    """Have one file worked through; told twice, it is worked once. What is no town's or no file of rows is left."""
    place, name = keys.dropped_parts(key) or ("", "")
    if not name.lower().endswith(_ENDINGS) or name.endswith(RESULT_ENDING):
        return
    town = known.town(place, deadline)
    if town is None:
        log.warning("dropped_nowhere", tenant=place)
        return
    stamp = aws.object_stamp(_bucket(), key, deadline)
    if stamp is None:
        return
    job = _job(town, name, stamp[1], now, deadline)
    if job is None:
        return
    if stamp[0] <= BYTES_MAX:  # one that is too long is not looked at: there is no copy
        written = aws.get_object(_bucket(), key, BYTES_MAX, deadline)
        if written is None:
            return
        job = replace(job, key=import_cases.kept(town.slug, job.id, written, deadline))
    import_cases.start(job, Act(now, job.by, "import_begun", job.id), now, deadline)


def form(town: Town, identifier: str, name: str, by: str, now: float, deadline: Deadline) -> dict[str, Any]:
    """The signed form that lays a file where it is taken. Asked again with the same `identifier`, a fresh form of the
    same file."""
    source = f"{identifier}.csv"
    job = Import(town.slug, identifier, "", by, int(now), state=WAITING, source=source, name=name[:NAME_CHARS_MAX])
    with suppress(Conflict):  # asked before
        dynamo.transact([imports.item(job)], deadline)
    key = keys.dropped_file(town.slug, source)
    return aws.upload_form(_bucket(), key, UPLOAD_TYPE, BYTES_MAX, UPLOAD_SECONDS)


def found(town: Town, identifier: str, now: float, deadline: Deadline) -> Import | None:
    """How far an import has come."""
    return imports.load(town.slug, identifier, now, deadline) if _ID.fullmatch(identifier) else None


def result_link(job: Import) -> str:
    """Where the outcome of every row may be fetched for a short while."""
    key = keys.dropped_file(job.town, import_cases.result_name(job.source))
    return aws.object_link(_bucket(), key, LINK_SECONDS, as_file=True)


# --- parts ------------------------------------------------------------------------------------------------------


def _job(town: Town, name: str, stamp: str, now: float, deadline: Deadline) -> Import | None:
    """The import this writing of the file is, None if it has begun already."""
    own = name.rpartition(".")[0]
    asked = found(town, own, now, deadline)
    if asked is not None:  # a file the case API gave the form for
        if asked.state != WAITING:
            return None
        return replace(asked, state=GOING, at=int(now))
    digest = hashlib.blake2b(f"{name} {stamp}".encode("utf-8", "replace"), digest_size=12).hexdigest()
    if imports.load(town.slug, digest, now, deadline) is not None:
        return None
    return Import(town.slug, digest, "", BY, int(now), source=name, name=name[:NAME_CHARS_MAX])


def _bucket() -> str:
    return os.environ["SALTER_MEDIA_BUCKET"]
