"""Answers remembered for a day under the caller's own key, written with what they answer: a repeat does nothing twice.

What is secret in an answer is not stored; the caller's repeat makes it anew from what only the caller sends.
"""

from __future__ import annotations

import hashlib
import json
import zlib
from typing import Any

from chalicelib.small_classes import dataclass
from chalicelib.storage import dynamo, keys, register
from chalicelib.storage.dynamo import Write
from chalicelib.wire import Deadline

TABLE = "people"
SHAPE = 1
KEPT_SECONDS = 86400


@dataclass(frozen=True, slots=True)
class Remembered:
    """`request`: fingerprint of what was asked, `answer`: what was answered to it."""

    request: str
    status: int
    answer: dict[str, Any]


def name(town: str, caller: str, key: str) -> str:
    """Where the answer to a caller's key stands."""
    return keys.idempotency(town, keys.secret_digest(f"{caller} {key}"))


def fingerprint(*parts: bytes) -> str:
    """What tells one request from another: method, path, body."""
    return hashlib.sha256(b"\0".join(parts)).hexdigest()[:40]


def load(pk: str, now: float, deadline: Deadline) -> tuple[Remembered | None, int]:
    """What was answered within the last day, and the version to write over when it is older."""
    item = dynamo.get(TABLE, pk, keys.NOW, deadline)
    if item is None:
        return None, 0
    if item["exp"] <= now:
        return None, item["v"]
    return Remembered(item["request"], item["status"], json.loads(zlib.decompress(item["body"]))), item["v"]


def item(pk: str, version: int, remembered: Remembered, now: float) -> Write:
    """The answer as part of the transaction that does what was asked; of two alike at once, one gets a Conflict."""
    attributes = {
        "pk": pk,
        "sk": keys.NOW,
        "shape": SHAPE,
        "v": version + 1,
        "request": remembered.request,
        "status": remembered.status,
        "body": zlib.compress(json.dumps(remembered.answer, ensure_ascii=False).encode("utf-8", "replace")),
        "exp": int(now) + KEPT_SECONDS,
    }
    return Write(TABLE, attributes | register.of_people(keys.town_of(pk), pk), expected_v=version)
