"""DynamoDB's TTL service of the local stack, by the product's clock.

TTL itself is off there, because it would use the machine's clock. This is the only place that may scan a table: so does
the service it stands in for.
"""

import os
from collections.abc import Iterator
from typing import Any

from infra.local import aws

TABLES = ("conversations", "cases", "outbox", "people", "tenants")
EXPIRED = "attribute_exists(exp) AND exp <= :now"


def remove_expired(now: float) -> int:
    """Delete every item whose `exp` (epoch seconds) has passed; how many."""
    dynamodb = aws.client("dynamodb", os.environ["AWS_ENDPOINT_URL"])
    prefix = f"salter-{os.environ['SALTER_STAGE']}-"
    return sum(_remove_from(dynamodb, prefix + name, {":now": {"N": str(int(now))}}) for name in TABLES)


def _remove_from(dynamodb: Any, table: str, now: dict[str, Any]) -> int:
    removed = 0
    for key in _expired_keys(dynamodb, table, now):
        try:
            dynamodb.delete_item(TableName=table, Key=key, ConditionExpression=EXPIRED, ExpressionAttributeValues=now)
        except dynamodb.exceptions.ConditionalCheckFailedException:
            continue  # it was given a longer life in between
        removed += 1
    return removed


def _expired_keys(dynamodb: Any, table: str, now: dict[str, Any]) -> Iterator[dict[str, Any]]:
    pages = dynamodb.get_paginator("scan").paginate(
        TableName=table, FilterExpression=EXPIRED, ExpressionAttributeValues=now, ProjectionExpression="pk, sk"
    )
    for page in pages:
        yield from page["Items"]
