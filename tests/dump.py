"""Everything that is stored anywhere, read by nobody's rules: every item of every table with packed bodies opened,
every object of the bucket in every version with its content, every message of every queue."""

from __future__ import annotations

import os
import zlib
from collections.abc import Iterator
from typing import Any

import boto3

TABLES = ("conversations", "cases", "outbox", "people", "tenants")
QUEUE_ROUNDS_MAX = 20


def everything(town: str = "") -> list[tuple[str, str]]:
    """As (where, text). Objects' contents are read of this town's objects alone, keys of all."""
    return [*items(), *objects(town), *messages()]


def items() -> Iterator[tuple[str, str]]:
    for name in TABLES:
        pages = boto3.client("dynamodb").get_paginator("scan").paginate(TableName=f"salter-{_stage()}-{name}")
        for page in pages:
            for item in page["Items"]:
                yield f"{name} {item['pk']['S']} {item['sk']['S']}", _text(item)


def objects(town: str = "") -> Iterator[tuple[str, str]]:
    bucket, s3 = os.environ["SALTER_MEDIA_BUCKET"], boto3.client("s3")
    for page in s3.get_paginator("list_object_versions").paginate(Bucket=bucket):
        for entry in (*page.get("Versions", ()), *page.get("DeleteMarkers", ())):
            text = entry["Key"]
            if town and f"T/{town}/" in text and "Size" in entry:
                version = {} if entry["VersionId"] == "null" else {"VersionId": entry["VersionId"]}
                stored = s3.get_object(Bucket=bucket, Key=text, **version)
                text += f" {stored['Metadata']} {stored['Body'].read().decode('utf-8', 'replace')}"
            yield f"bucket {entry['Key']}", text


def messages() -> Iterator[tuple[str, str]]:
    """What stands in the queues; looked at, not taken."""
    sqs = boto3.client("sqs")
    for url in sqs.list_queues(QueueNamePrefix=f"salter-{_stage()}").get("QueueUrls", ()):
        for _ in range(QUEUE_ROUNDS_MAX):
            got = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=5, WaitTimeSeconds=0)
            if not got.get("Messages"):
                break
            yield from ((f"queue {url.rpartition('/')[2]}", message["Body"]) for message in got["Messages"])


def where(town: str, *traces: str) -> list[str]:
    """Where any of these stands."""
    return [place for place, text in everything(town) if any(trace in place or trace in text for trace in traces)]


def _stage() -> str:
    return os.environ["SALTER_STAGE"]


def _text(item: dict[str, Any]) -> str:
    return " ".join(f"{name}={_plain(next(iter(typed.values())))}" for name, typed in item.items())


def _plain(value: Any) -> str:
    if isinstance(value, bytes):
        try:
            return zlib.decompress(value).decode()
        except (zlib.error, UnicodeDecodeError):
            return f"{value!r} {value.decode('utf-8', 'replace')}"
    if isinstance(value, list):
        return " ".join(_plain(next(iter(entry.values())) if isinstance(entry, dict) else entry) for entry in value)
    return str(value)
