"""The five tables as PynamoDB models: shapes, indexes, and every access that is not one of the two hot calls.

Imported only where it is used: a plain turn reads and writes its item through `dynamo`, with the same attributes.
"""

from __future__ import annotations

import os

from pynamodb.attributes import (
    BinaryAttribute,
    BinarySetAttribute,
    BooleanAttribute,
    NumberAttribute,
    UnicodeAttribute,
)
from pynamodb.indexes import AllProjection, GlobalSecondaryIndex, KeysOnlyProjection
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
    """`NOW`, and beside it SEEN, OUT and parked towns; threads in partitions of their own (see `keys`); how an account
    is (`HEARD`, `REFUSED`)."""

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
    sent = BooleanAttribute(null=True)
    lease_by = UnicodeAttribute(null=True)
    lease_until = NumberAttribute(null=True)
    due_shard = UnicodeAttribute(null=True)
    due_at = NumberAttribute(null=True)
    day = UnicodeAttribute(null=True)
    about = UnicodeAttribute(null=True)
    at = NumberAttribute(null=True)
    mark = UnicodeAttribute(null=True)
    reason = UnicodeAttribute(null=True)
    exp = NumberAttribute(null=True)
    due_index = Due()
    day_index = Day()


class OutboxDue(GlobalSecondaryIndex["OutboxRow"]):
    """Rows by when to look at them next, in eight shards; `dead#<town>` and `sent#<town>` hold what is settled."""

    class Meta:
        index_name = "due"
        projection = KeysOnlyProjection()

    due_shard = UnicodeAttribute(hash_key=True)
    due_at = NumberAttribute(range_key=True)


class OutboxRow(Model):
    """One thing owed to the outside that is not in a lane, or that no lane could deliver; announcements."""

    class Meta(_Meta):
        table_name = table("outbox")

    pk = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True)
    shape = NumberAttribute(default=1)
    v = NumberAttribute(null=True)
    kind = UnicodeAttribute()
    town = UnicodeAttribute()
    state = UnicodeAttribute()
    lease_by = UnicodeAttribute(null=True)
    tries = NumberAttribute(default=0)
    error = UnicodeAttribute(null=True)
    account = UnicodeAttribute(null=True)
    citizen = UnicodeAttribute(null=True)
    body = BinaryAttribute(null=True, legacy_encoding=False)
    got = BinarySetAttribute(null=True, legacy_encoding=False)
    due_shard = UnicodeAttribute(null=True)
    due_at = NumberAttribute(null=True)
    since = NumberAttribute(null=True)
    exp = NumberAttribute(null=True)
    due_index = OutboxDue()


class TenantItem(Model):
    """Towns: pointer (`NOW`), version parts (`V#…`), how they came about (`LOG#…`), wrapped data key (`KEY`); accounts
    (`A#…`); the local clock."""

    class Meta(_Meta):
        table_name = table("tenants")

    pk = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True)
    shape = NumberAttribute(default=1)
    v = NumberAttribute(null=True)
    version = NumberAttribute(null=True)
    previous = NumberAttribute(null=True)
    kept = UnicodeAttribute(null=True)
    state = UnicodeAttribute(null=True)
    before = UnicodeAttribute(null=True)
    reason = UnicodeAttribute(null=True)
    by = UnicodeAttribute(null=True)
    changed_at = NumberAttribute(null=True)
    account = UnicodeAttribute(null=True)
    digest = UnicodeAttribute(null=True)
    published_at = NumberAttribute(null=True)
    towns = UnicodeAttribute(null=True)
    names = UnicodeAttribute(null=True)
    numbers = UnicodeAttribute(null=True)
    spoken = UnicodeAttribute(null=True)
    wrapped = BinaryAttribute(null=True, legacy_encoding=False)
    offset = NumberAttribute(null=True)
    body = BinaryAttribute(null=True, legacy_encoding=False)
    exp = NumberAttribute(null=True)


class OpenCases(GlobalSecondaryIndex["Case"]):
    """Open cases of a town, most urgent first; a closed one is not in it."""

    class Meta:
        index_name = "open"
        projection = AllProjection()

    open_key = UnicodeAttribute(hash_key=True)
    open_sort = UnicodeAttribute(range_key=True)


class DeskCases(GlobalSecondaryIndex["Case"]):
    """Open cases of one office or one member of staff, most urgent first."""

    class Meta:
        index_name = "desk"
        projection = AllProjection()

    desk_key = UnicodeAttribute(hash_key=True)
    open_sort = UnicodeAttribute(range_key=True)


class ChangedCases(GlobalSecondaryIndex["Case"]):
    """Cases by the month of their last change."""

    class Meta:
        index_name = "changed"
        projection = KeysOnlyProjection()

    changed_key = UnicodeAttribute(hash_key=True)
    changed_sort = UnicodeAttribute(range_key=True)


class CitizensCases(GlobalSecondaryIndex["Case"]):
    """What one citizen opened, by time."""

    class Meta:
        index_name = "citizen"
        projection = KeysOnlyProjection()

    citizen_key = UnicodeAttribute(hash_key=True)
    created_sort = UnicodeAttribute(range_key=True)


class Case(Model):
    """Cases (`HEAD`, older entries `E#…`), file numbers, search entries, imports, the months that have cases."""

    class Meta(_Meta):
        table_name = table("cases")

    pk = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True)
    shape = NumberAttribute(default=1)
    v = NumberAttribute(null=True)
    kind = UnicodeAttribute(null=True)
    status = UnicodeAttribute(null=True)
    category = UnicodeAttribute(null=True)
    subject = UnicodeAttribute(null=True)
    number = UnicodeAttribute(null=True)
    reference = UnicodeAttribute(null=True)
    office = UnicodeAttribute(null=True)
    official = UnicodeAttribute(null=True)
    channel = UnicodeAttribute(null=True)
    language = UnicodeAttribute(null=True)
    script = UnicodeAttribute(null=True)
    created_at = NumberAttribute(null=True)
    updated_at = NumberAttribute(null=True)
    due_at = NumberAttribute(null=True)
    closed_at = NumberAttribute(null=True)
    consent = BooleanAttribute(null=True)
    body = BinaryAttribute(null=True, legacy_encoding=False)
    open_key = UnicodeAttribute(null=True)
    open_sort = UnicodeAttribute(null=True)
    desk_key = UnicodeAttribute(null=True)
    changed_key = UnicodeAttribute(null=True)
    changed_sort = UnicodeAttribute(null=True)
    citizen_key = UnicodeAttribute(null=True)
    created_sort = UnicodeAttribute(null=True)
    name = UnicodeAttribute(null=True)
    state = UnicodeAttribute(null=True)
    at = NumberAttribute(null=True)
    watched_until = NumberAttribute(null=True)
    digest_day = UnicodeAttribute(null=True)
    cursor = UnicodeAttribute(null=True)
    exp = NumberAttribute(null=True)
    open_index = OpenCases()
    desk_index = DeskCases()
    changed_index = ChangedCases()
    citizen_index = CitizensCases()


class Audience(GlobalSecondaryIndex["Person"]):
    """Who subscribed to a topic."""

    class Meta:
        index_name = "audience"
        projection = AllProjection()

    topic_key = UnicodeAttribute(hash_key=True)
    audience_sort = UnicodeAttribute(range_key=True)


class Person(Model):
    """Persons, subscriptions, consents, phones, links; staff, sessions, keys, audit (see `keys`)."""

    class Meta(_Meta):
        table_name = table("people")

    pk = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True)
    shape = NumberAttribute(default=1)
    v = NumberAttribute(null=True)
    at = NumberAttribute(null=True)
    people = NumberAttribute(null=True)
    by = UnicodeAttribute(null=True)
    channel = UnicodeAttribute(null=True)
    wording = UnicodeAttribute(null=True)
    given = BooleanAttribute(null=True)
    name = UnicodeAttribute(null=True)
    scopes = UnicodeAttribute(null=True)
    revoked_at = NumberAttribute(null=True)
    reference = UnicodeAttribute(null=True)
    used_at = NumberAttribute(null=True)
    request = UnicodeAttribute(null=True)
    status = NumberAttribute(null=True)
    body = BinaryAttribute(null=True, legacy_encoding=False)
    id = UnicodeAttribute(null=True)
    role = UnicodeAttribute(null=True)
    offices = UnicodeAttribute(null=True)
    deputy = UnicodeAttribute(null=True)
    absent_until = UnicodeAttribute(null=True)
    language = UnicodeAttribute(null=True)
    disabled = BooleanAttribute(null=True)
    sessions = UnicodeAttribute(null=True)
    mail = UnicodeAttribute(null=True)
    seen_at = NumberAttribute(null=True)
    proved_at = NumberAttribute(null=True)
    acting_for = UnicodeAttribute(null=True)
    what = UnicodeAttribute(null=True)
    about = UnicodeAttribute(null=True)
    detail = UnicodeAttribute(null=True)
    tries = NumberAttribute(null=True)
    account = UnicodeAttribute(null=True)
    citizen = UnicodeAttribute(null=True)
    script = UnicodeAttribute(null=True)
    settlement = UnicodeAttribute(null=True)
    tokens = NumberAttribute(null=True)
    billed = NumberAttribute(null=True)
    removed = NumberAttribute(null=True)
    topic_key = UnicodeAttribute(null=True)
    audience_sort = UnicodeAttribute(null=True)
    exp = NumberAttribute(null=True)
    audience_index = Audience()
