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


def stored(client: Any = None, stage: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Every item of every table in DynamoDB's typed form, with the table's name; of our own stack, or of another."""
    pages = (client or boto3.client("dynamodb")).get_paginator("scan")
    for name in TABLES:
        for page in pages.paginate(TableName=f"salter-{stage or _stage()}-{name}"):
            yield from ((name, item) for item in page["Items"])


def items() -> Iterator[tuple[str, str]]:
    for name, item in stored():
        yield f"{name} {item['pk']['S']} {item['sk']['S']}", text(item)


def objects(town: str = "") -> Iterator[tuple[str, str]]:
    bucket, s3 = os.environ["SALTER_MEDIA_BUCKET"], boto3.client("s3")
    for page in s3.get_paginator("list_object_versions").paginate(Bucket=bucket):
        for entry in (*page.get("Versions", ()), *page.get("DeleteMarkers", ())):
            key = content = entry["Key"]
            if town and f"T/{town}/" in key and "Size" in entry:
                version = {} if entry["VersionId"] == "null" else {"VersionId": entry["VersionId"]}
                found = s3.get_object(Bucket=bucket, Key=key, **version)
                content += f" {found['Metadata']} {found['Body'].read().decode('utf-8', 'replace')}"
            yield f"bucket {key}", content


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


def text(item: dict[str, Any]) -> str:
    """An item as text, packed bodies opened."""
    return " ".join(f"{name}={_plain(next(iter(typed.values())))}" for name, typed in item.items())


def _stage() -> str:
    return os.environ["SALTER_STAGE"]


def _plain(value: Any) -> str:
    if isinstance(value, bytes):
        try:
            return zlib.decompress(value).decode()
        except (zlib.error, UnicodeDecodeError):
            return f"{value!r} {value.decode('utf-8', 'replace')}"
    if isinstance(value, list):
        return " ".join(_plain(next(iter(entry.values())) if isinstance(entry, dict) else entry) for entry in value)
    return str(value)
