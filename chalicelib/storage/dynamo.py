"""The few DynamoDB operations of the hot path, on plain Python values. Shapes are declared in `tables`."""

from __future__ import annotations

import base64
import os
from collections.abc import Mapping
from typing import Any

from chalicelib.model import Conflict
from chalicelib.storage.aws import AwsError, call
from chalicelib.wire import Deadline

Item = dict[str, Any]


def table(name: str) -> str:
    """The table's name in this stage."""
    return f"salter-{os.environ.get('SALTER_STAGE', 'dev')}-{name}"


def get(name: str, pk: str, sk: str, deadline: Deadline) -> Item | None:
    """One item, read consistently; None if there is none."""
    payload = {"TableName": table(name), "Key": pack({"pk": pk, "sk": sk}), "ConsistentRead": True}
    answer = call("dynamodb", "GetItem", payload, deadline, repeatable=True)
    return unpack(answer["Item"]) if "Item" in answer else None


def put(name: str, item: Item, deadline: Deadline, *, expected_v: int | None = None) -> None:
    """Write one item whole. With `expected_v` only if the stored version is that one (0: if there is none).

    Raises Conflict if another writer was first, Unknown if the answer was lost.
    """
    payload: dict[str, Any] = {"TableName": table(name), "Item": pack(item)}
    if expected_v == 0:
        payload["ConditionExpression"] = "attribute_not_exists(pk)"
    elif expected_v is not None:
        payload["ConditionExpression"] = "v = :v"
        payload["ExpressionAttributeValues"] = {":v": {"N": str(expected_v)}}
    try:
        call("dynamodb", "PutItem", payload, deadline, repeatable=expected_v is None)
    except AwsError as error:
        if error.code == "ConditionalCheckFailedException":
            raise Conflict(name) from error
        raise


def query(name: str, pk: str, sk_prefix: str, deadline: Deadline) -> list[Item]:
    """All items of a partition whose sort key starts so, in order. For partitions that are small by design."""
    payload: dict[str, Any] = {
        "TableName": table(name),
        "KeyConditionExpression": "pk = :pk AND begins_with(sk, :sk)",
        "ExpressionAttributeValues": {":pk": {"S": pk}, ":sk": {"S": sk_prefix}},
        "ConsistentRead": True,
    }
    items: list[Item] = []
    while True:
        answer = call("dynamodb", "Query", payload, deadline, repeatable=True)
        items += [unpack(item) for item in answer["Items"]]
        if "LastEvaluatedKey" not in answer:
            return items
        payload["ExclusiveStartKey"] = answer["LastEvaluatedKey"]


def pack(item: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Python values to DynamoDB's typed form; None means the attribute is absent."""
    return {name: _typed(value) for name, value in item.items() if value is not None}


def _typed(value: Any) -> dict[str, Any]:
    match value:
        case bool():
            return {"BOOL": value}
        case str():
            return {"S": value}
        case int():
            return {"N": str(value)}
        case bytes():
            return {"B": base64.b64encode(value).decode()}
        case list() | tuple():
            return {"L": [_typed(entry) for entry in value]}
        case _:
            raise TypeError(f"no DynamoDB type for {type(value).__name__}")


def unpack(item: Mapping[str, Mapping[str, Any]]) -> Item:
    return {name: _plain(typed) for name, typed in item.items()}


def _plain(typed: Mapping[str, Any]) -> Any:
    kind, value = next(iter(typed.items()))
    match kind:
        case "N":
            return int(value) if value.lstrip("-").isdigit() else float(value)
        case "B":
            return base64.b64decode(value)
        case "L":
            return [_plain(entry) for entry in value]
        case _:
            return value
