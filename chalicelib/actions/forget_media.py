"""The outbox's kind `forget_media`: takes away a checked medium that no case has claimed."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from chalicelib.model import Conflict, SendFailed
from chalicelib.storage import aws, dynamo, keys, media
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
