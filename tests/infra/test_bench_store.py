"""The store that benches speak to is as strict as DynamoDB where a turn relies on it."""

from __future__ import annotations

from typing import Any

from infra.bench_store import Conversations

TABLE = "salter-bench-conversations"
KEY = {"pk": {"S": "A#viber:x#U#mira"}, "sk": {"S": "NOW"}}


def _put(before: int, after: int) -> dict[str, Any]:
    condition = {"ConditionExpression": "attribute_not_exists(pk)"}
    if before:
        values = {"ExpressionAttributeValues": {":v": {"N": str(before)}}}
        condition = {"ConditionExpression": "v = :v"} | values
    return {"TableName": TABLE, "Item": {**KEY, "v": {"N": str(after)}, "lease_by": {"S": "one"}}} | condition


def _mark(before: int) -> dict[str, Any]:
    return {
        "TableName": TABLE,
        "Key": KEY,
        "UpdateExpression": "SET v = :v, sent = :sent REMOVE lease_by, due_at",
        "ConditionExpression": "v = :before",
        "ExpressionAttributeValues": {
            ":before": {"N": str(before)},
            ":v": {"N": str(before + 1)},
            ":sent": {"BOOL": True},
        },
    }


def test_a_turn_is_kept_and_whoever_comes_with_an_older_version_is_refused() -> None:
    kept = Conversations()
    assert kept.answer("GetItem", {"TableName": TABLE, "Key": KEY}) == (200, {})
    assert kept.answer("PutItem", _put(0, 1)) == (200, {})
    refused = [
        kept.answer("PutItem", _put(0, 1)),
        kept.answer("PutItem", _put(2, 3)),
        kept.answer("UpdateItem", _mark(2)),
    ]
    assert [answer and answer[0] for answer in refused] == [400, 400, 400]
    assert kept.answer("UpdateItem", _mark(1)) == (200, {})
    item = {**KEY, "v": {"N": "2"}, "sent": {"BOOL": True}}
    assert kept.answer("GetItem", {"TableName": TABLE, "Key": KEY}) == (200, {"Item": item})


def test_what_is_not_of_a_conversation_is_left_to_the_store_behind() -> None:
    kept = Conversations()
    assert kept.answer("Query", {"TableName": TABLE}) is None
    assert kept.answer("GetItem", {"TableName": "salter-bench-tenants", "Key": KEY}) is None
    assert kept.answer("GetItem", {"TableName": TABLE, "Key": KEY | {"sk": {"S": "PACE"}}}) is None
