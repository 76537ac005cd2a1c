"""The five tables as PynamoDB models: shapes, indexes, and every access that is not one of the two hot calls.

Imported only where it is used: a plain turn reads and writes its item through `dynamo`, with the same attributes.
"""

from __future__ import annotations

import os
from typing import Any

from pynamodb.attributes import BinaryAttribute, BooleanAttribute, NumberAttribute, UnicodeAttribute
from pynamodb.indexes import GlobalSecondaryIndex, KeysOnlyProjection
from pynamodb.models import Model

from chalicelib.storage.aws import region
from chalicelib.storage.dynamo import table


class _Meta:
    region = region()
    host = os.environ.get("AWS_ENDPOINT_URL_DYNAMODB") or os.environ.get("AWS_ENDPOINT_URL")
    connect_timeout_seconds = 1
    read_timeout_seconds = 3
    max_retry_attempts = 2
    max_pool_connections = 10


class Due(GlobalSecondaryIndex["Conversation"]):
    """What is owed and when, in eight shards; `dead#<town>` holds what nobody could deliver."""

    class Meta:
        index_name = "due"
        projection = KeysOnlyProjection()

    due_shard = UnicodeAttribute(hash_key=True)
    due_at = NumberAttribute(range_key=True)


class Day(GlobalSecondaryIndex["Conversation"]):
    """Who was active on a day in a town: what the figures are collected from."""

    class Meta:
        index_name = "day"
        projection = KeysOnlyProjection()

    day = UnicodeAttribute(hash_key=True)
    pk = UnicodeAttribute(range_key=True)


class Conversation(Model):
    """`NOW`, and beside it SEEN, OUT and parked towns (see `keys`)."""

    class Meta(_Meta):
        table_name = table("conversations")

    pk = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True)
    shape = NumberAttribute(default=1)
    town = UnicodeAttribute(null=True)
    v = NumberAttribute(null=True)
    seq = NumberAttribute(null=True)
    language = UnicodeAttribute(null=True)
    script = UnicodeAttribute(null=True)
    chosen = BooleanAttribute(null=True)
    left = BooleanAttribute(null=True)
    session_until = NumberAttribute(null=True)
    started_at = NumberAttribute(null=True)
    last_at = NumberAttribute(null=True)
    ring = BinaryAttribute(null=True, legacy_encoding=False)
    body = BinaryAttribute(null=True, legacy_encoding=False)
    lease_by = UnicodeAttribute(null=True)
    lease_until = NumberAttribute(null=True)
    due_shard = UnicodeAttribute(null=True)
    due_at = NumberAttribute(null=True)
    day = UnicodeAttribute(null=True)
    exp = NumberAttribute(null=True)
    due_index = Due()
    day_index = Day()


class OutboxDue(GlobalSecondaryIndex["OutboxRow"]):
    class Meta:
        index_name = "due"
        projection = KeysOnlyProjection()

    due_shard = UnicodeAttribute(hash_key=True)
    due_at = NumberAttribute(range_key=True)


class OutboxRow(Model):
    """One thing owed to the outside that is not in a lane, or that no lane could deliver."""

    class Meta(_Meta):
        table_name = table("outbox")

    pk = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True)
    shape = NumberAttribute(default=1)
    kind = UnicodeAttribute()
    town = UnicodeAttribute()
    state = UnicodeAttribute()
    tries = NumberAttribute(default=0)
    error = UnicodeAttribute(null=True)
    account = UnicodeAttribute(null=True)
    citizen = UnicodeAttribute(null=True)
    body = BinaryAttribute(null=True, legacy_encoding=False)
    due_shard = UnicodeAttribute(null=True)
    due_at = NumberAttribute(null=True)
    exp = NumberAttribute(null=True)
    due_index = OutboxDue()


class TenantItem(Model):
    """Towns: pointer (`NOW`) and version parts (`V#…`); accounts (`A#…`); the local clock (`CLOCK`)."""

    class Meta(_Meta):
        table_name = table("tenants")

    pk = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True)
    shape = NumberAttribute(default=1)
    version = NumberAttribute(null=True)
    previous = NumberAttribute(null=True)
    state = UnicodeAttribute(null=True)
    digest = UnicodeAttribute(null=True)
    published_at = NumberAttribute(null=True)
    towns = UnicodeAttribute(null=True)
    names = UnicodeAttribute(null=True)
    offset = NumberAttribute(null=True)
    body = BinaryAttribute(null=True, legacy_encoding=False)
    exp = NumberAttribute(null=True)


class Case(Model):
    """Cases, file numbers, search words (see `keys`)."""

    class Meta(_Meta):
        table_name = table("cases")

    pk = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True)


class Person(Model):
    """Persons, subscriptions, consents, phones, links; staff, sessions, keys, audit."""

    class Meta(_Meta):
        table_name = table("people")

    pk = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True)
