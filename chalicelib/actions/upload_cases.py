"""A file of cases from the counter: a signed form takes it to the bucket, an outbox row has it worked through."""

from __future__ import annotations

import os
from secrets import token_urlsafe
from typing import Any

from chalicelib.actions import import_cases
from chalicelib.actions.import_cases import BYTES_MAX
from chalicelib.model import Refused, Staff, Town
from chalicelib.patterns import pattern
from chalicelib.storage import aws, imports, keys
from chalicelib.storage.audit import Act
from chalicelib.storage.imports import Import
from chalicelib.wire import Deadline

UPLOAD_SECONDS = 1800
UPLOAD_TYPE = "text/csv"
SHOWN_MAX = 200
_ID = pattern(r"[A-Za-z0-9_-]{24}")


def upload_form(town: Town) -> tuple[str, dict[str, Any]]:
    """A fresh id, and the signed form with which a browser lays the file into the bucket."""
    identifier = token_urlsafe(18)
    key = keys.import_upload(town.slug, identifier)
    return identifier, aws.upload_form(_bucket(), key, UPLOAD_TYPE, BYTES_MAX, UPLOAD_SECONDS)


def begin(town: Town, identifier: str, person: Staff, now: float, deadline: Deadline) -> None:
    """Have an uploaded file worked through as it is now; to ask twice is the same, whatever lies there by then. Raises
    Refused 409 while it is not there."""
    if not _ID.fullmatch(identifier):
        raise Refused(404, "unknown_import", "There is no such file.")
    if imports.load(town.slug, identifier, now, deadline) is not None:
        return
    written = aws.get_object(_bucket(), keys.import_upload(town.slug, identifier), BYTES_MAX, deadline)
    if written is None:
        raise Refused(409, "upload_unfinished", "Finish the upload first.")
    copy = import_cases.kept(town.slug, identifier, written, deadline)
    job = Import(town.slug, identifier, copy, person.by, int(now))
    import_cases.start(job, Act(now, person.by, "import_begun", identifier), now, deadline)


def found(town: Town, identifier: str, now: float, deadline: Deadline) -> Import | None:
    """How far an import has come."""
    return imports.load(town.slug, identifier, now, deadline) if _ID.fullmatch(identifier) else None


def rejected(job: Import, deadline: Deadline, after: int = 0) -> tuple[list[list[Any]], int]:
    """Rows that were rejected, by line, from the `after`-th on; and where the next page begins (0: this is all)."""
    if not job.rejected:
        return [], 0
    lines = (each for each in imports.outcomes(job, deadline) if each[2] == import_cases.REJECTED)
    shown = [each for at, each in enumerate(lines) if after <= at <= after + SHOWN_MAX]
    return shown[:SHOWN_MAX], after + SHOWN_MAX if len(shown) > SHOWN_MAX else 0


def newest(town: Town, now: float, deadline: Deadline) -> tuple[Import, ...]:
    """What was imported here lately, newest first, whoever sent it."""
    return imports.newest(town.slug, now, deadline)


def origin() -> str:
    """Where the signed form leads to, as scheme and host."""
    return "/".join(aws.object_url(_bucket(), "").split("/", 3)[:3])


def _bucket() -> str:
    return os.environ["SALTER_MEDIA_BUCKET"]
