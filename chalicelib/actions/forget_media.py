"""The outbox's kind `forget_media`: takes away a checked medium that no case has claimed. And what a case
leaves when it is forgotten or its citizen erased."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from chalicelib.model import Case, Conflict, SendFailed
from chalicelib.small_classes import replace
from chalicelib.storage import aws, dynamo, keys, media, runs
from chalicelib.wire import Deadline


def work(body: Mapping[str, Any], town: str, now: float, deadline: Deadline) -> None:
    """Forget it, unless a case has it. Raises SendFailed, Unavailable."""
    key = str(body["key"])
    if not keys.is_object_of(town, key):
        raise SendFailed("foreign_object", retryable=False)
    record = media.load(town, key, now, deadline)
    if record is not None and record.cases:
        return
    if record is not None and record.state != media.FORGOTTEN:
        try:
            dynamo.transact([media.item(replace(record, state=media.FORGOTTEN), now)], deadline)
        except Conflict as error:  # a case claims it at this very moment: the next look tells
            raise SendFailed("claimed_meanwhile", retryable=True) from error
    bucket = os.environ["SALTER_MEDIA_BUCKET"]
    for there in (keys.thumbnail(key), key):
        aws.delete_object(bucket, there, deadline)
    runs.note(town, runs.COPIES if keys.is_export(key) else runs.UNCLAIMED, 1, now, deadline)


def of_case(town: str, case: Case, now: float, deadline: Deadline) -> None:
    """Photos, videos and files of a case with their records, whoever sent them: the citizen, the office, a company's
    crew. What another case has, too, stays. Raises Unavailable; then it can be done again."""
    bucket = os.environ["SALTER_MEDIA_BUCKET"]
    for file in case.attachments:
        if not file.key:
            continue
        record = media.load(town, file.key, now, deadline)
        if record is not None and set(record.cases) - {case.reference}:
            continue
        for key in (keys.thumbnail(file.key), file.key):
            aws.delete_object(bucket, key, deadline)
        dynamo.delete(media.TABLE, keys.media_of(town, file.key), keys.NOW, deadline)
