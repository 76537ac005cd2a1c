"""The few DynamoDB operations of the hot path, on plain Python values. Shapes are declared in `tables`."""

from __future__ import annotations

import itertools
import os
from binascii import a2b_base64, b2a_base64
from collections.abc import Iterator, Mapping, Sequence
from secrets import token_hex
from typing import Any

from chalicelib.model import Conflict, Unavailable
from chalicelib.small_classes import dataclass
from chalicelib.storage.aws import AwsError, call, paused
from chalicelib.wire import Deadline

Item = dict[str, Any]
Key = tuple[str, str]

TRANSACTION_ITEMS_MAX = 100
TOKEN_BYTES = 16
BATCH_KEYS_MAX = 100
PK_BYTES_MAX, SK_BYTES_MAX = 2048, 1024  # DynamoDB's own bounds
BATCH_WRITES_MAX = 25
BATCH_ROUNDS_MAX = 4
UNCOUNTED = -1
_TOO_MANY = frozenset({"ThrottlingError", "ProvisionedThroughputExceeded"})  # among a cancelled transaction's reasons


class Duplicate(Conflict):
    """Something that may be there only once is there already. `pk` says what; the same write will never succeed."""

    def __init__(self, pk: str) -> None:
        super().__init__(pk)
        self.pk = pk


@dataclass(frozen=True, slots=True)
class Write:
    """One item of a transaction, written whole.

    `expected_v` as in `put`, or UNCOUNTED: if it was never given a version, whether it is there or not; `unique`: only
    if there is none, and if there is, no retry will help; `gone`: the item under these keys is deleted, with
    `expected_v` only if it is that version, else whether it was there or not.
    """

    table: str
    item: Item
    expected_v: int | None = None
    unique: bool = False
    gone: bool = False


def table(name: str) -> str:
    """The table's name in this stage."""
    return f"salter-{os.environ.get('SALTER_STAGE', 'dev')}-{name}"


def get(name: str, pk: str, sk: str, deadline: Deadline) -> Item | None:
    """One item, read consistently; None if there is none, as there is under keys longer than any can be."""
    if len(pk.encode()) > PK_BYTES_MAX or len(sk.encode()) > SK_BYTES_MAX:
        return None
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


def change(name: str, key: Key, attributes: Item, deadline: Deadline, *, expected_v: int) -> None:
    """Set these attributes of an item, None: take them away, if its stored version is `expected_v`.

    Raises Conflict if another writer was first, Unknown if the answer was lost.
    """
    kept = [each for each, value in attributes.items() if value is not None]
    gone = [each for each, value in attributes.items() if value is None]
    payload = {
        "TableName": table(name),
        "Key": pack({"pk": key[0], "sk": key[1]}),
        "UpdateExpression": f"SET {', '.join(f'{each} = :{each}' for each in kept)}"
        + (f" REMOVE {', '.join(gone)}" if gone else ""),
        "ConditionExpression": "v = :before",
        "ExpressionAttributeValues": pack({":before": expected_v} | {f":{each}": attributes[each] for each in kept}),
    }
    try:
        call("dynamodb", "UpdateItem", payload, deadline, repeatable=False)
    except AwsError as error:
        if error.code == "ConditionalCheckFailedException":
            raise Conflict(name) from error
        raise


def add(
    name: str, pk: str, sk: str, amounts: Mapping[str, int], deadline: Deadline, beside: Mapping[str, int] | None = None
) -> None:
    """Add to an item's numbers, which begin at nought; of any number of writers none is lost. `beside` is set with it.
    Raises Unknown."""
    kept = dict(beside or {})
    values = {**amounts, **kept}
    payload = {
        "TableName": table(name),
        "Key": pack({"pk": pk, "sk": sk}),
        "UpdateExpression": "ADD "
        + ", ".join(f"#{attribute} :{attribute}" for attribute in amounts)
        + (" SET " + ", ".join(f"#{attribute} = :{attribute}" for attribute in kept) if kept else ""),
        "ExpressionAttributeNames": {f"#{attribute}": attribute for attribute in values},
        "ExpressionAttributeValues": pack({f":{attribute}": value for attribute, value in values.items()}),
    }
    call("dynamodb", "UpdateItem", payload, deadline, repeatable=False)


def become(
    name: str, key: Key, attribute: str, among: Sequence[str], into: str, drop: Sequence[str], deadline: Deadline
) -> bool:
    """One `attribute` of an item becomes `into` if it is one of `among`, its version the next one; `drop` goes. Whether
    it did. One write without a read."""
    dropped = {f"#d{position}": gone for position, gone in enumerate(drop)}
    allowed = {f":a{position}": _typed(each) for position, each in enumerate(among)}
    payload = {
        "TableName": table(name),
        "Key": pack({"pk": key[0], "sk": key[1]}),
        "UpdateExpression": "SET #to = :to, v = v + :one" + (f" REMOVE {', '.join(dropped)}" if dropped else ""),
        "ConditionExpression": f"#to IN ({', '.join(allowed)})",
        "ExpressionAttributeNames": {"#to": attribute, **dropped},
        "ExpressionAttributeValues": {":to": _typed(into), ":one": _typed(1), **allowed},
    }
    try:
        call("dynamodb", "UpdateItem", payload, deadline, repeatable=True)
    except AwsError as error:
        if error.code == "ConditionalCheckFailedException":
            return False
        raise
    return True


def transact(writes: Sequence[Write], deadline: Deadline) -> None:
    """All of `writes` or none. Repeated safely within the deadline: AWS knows the repetition by its token.

    Raises Duplicate (a unique item is taken), Conflict (another writer was first), Unavailable.
    """
    assert len(writes) <= TRANSACTION_ITEMS_MAX
    payload = {
        "TransactItems": [{"Delete": _delete_of(write)} if write.gone else {"Put": _put_of(write)} for write in writes],
        "ClientRequestToken": token_hex(TOKEN_BYTES),
    }
    for attempt in itertools.count():
        try:
            call("dynamodb", "TransactWriteItems", payload, deadline, repeatable=True)
            return
        except AwsError as error:
            if error.code != "TransactionCanceledException":
                raise
            if not (_throttled(error) and paused(attempt, deadline)):
                raise _cancelled(writes, error) from error


def _put_of(write: Write) -> dict[str, Any]:
    put: dict[str, Any] = {"TableName": table(write.table), "Item": pack(write.item)}
    if write.unique or write.expected_v == 0:
        put["ConditionExpression"] = "attribute_not_exists(pk)"
    elif write.expected_v == UNCOUNTED:
        put["ConditionExpression"] = "attribute_not_exists(v)"
    elif write.expected_v is not None:
        put["ConditionExpression"] = "v = :v"
        put["ExpressionAttributeValues"] = {":v": {"N": str(write.expected_v)}}
    return put


def _delete_of(write: Write) -> dict[str, Any]:
    gone = {"TableName": table(write.table), "Key": pack({"pk": write.item["pk"], "sk": write.item["sk"]})}
    if not write.expected_v:
        return gone
    only = {"ConditionExpression": "v = :v", "ExpressionAttributeValues": {":v": {"N": str(write.expected_v)}}}
    return gone | only


def delete(name: str, pk: str, sk: str, deadline: Deadline) -> None:
    """Remove one item; one that is not there is no error."""
    payload = {"TableName": table(name), "Key": pack({"pk": pk, "sk": sk})}
    call("dynamodb", "DeleteItem", payload, deadline, repeatable=True)


def _reasons(error: AwsError) -> list[str]:
    return [str(reason.get("Code")) for reason in error.body.get("CancellationReasons", ())]


def _throttled(error: AwsError) -> bool:
    """Whether nothing stood in the way but too many requests for some item."""
    why = set(_reasons(error)) - {"None"}
    return bool(why) and why <= _TOO_MANY


def _cancelled(writes: Sequence[Write], error: AwsError) -> Conflict | Unavailable:
    codes = _reasons(error)
    for write, code in zip(writes, codes, strict=False):
        if code == "ConditionalCheckFailed" and write.unique:
            return Duplicate(str(write.item["pk"]))
    if {"ConditionalCheckFailed", "TransactionConflict"} & set(codes):
        return Conflict("transaction")
    return Unavailable("dynamodb TransactWriteItems")


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


def page(
    name: str,
    index: str | None,
    partition: tuple[str, str],
    deadline: Deadline,
    *,
    sort: str,
    start: str = "",
    end: str = "",
    limit: int,
    newest_first: bool = False,
    eventual: bool = False,
) -> list[Item]:
    """At most `limit` items of one partition of an index (or of the table), from sort key `start` to `end`, both in.

    `partition` is the hash key's name and value, `sort` the range key's name. One request; an index may lag behind, as
    does a table asked with `eventual` (at half the price). A start beyond the end, as somebody may have written into
    an address, finds nothing.
    """
    start, end = start or " ", end or "~"
    if start > end or len(start.encode()) > SK_BYTES_MAX or len(partition[1].encode()) > PK_BYTES_MAX:
        return []
    payload: dict[str, Any] = {
        "TableName": table(name),
        "KeyConditionExpression": "#p = :p AND #s BETWEEN :a AND :z",
        "ExpressionAttributeNames": {"#p": partition[0], "#s": sort},
        "ExpressionAttributeValues": {
            ":p": {"S": partition[1]},
            ":a": {"S": start},
            ":z": {"S": end},
        },
        "Limit": limit,
        "ScanIndexForward": not newest_first,
    }
    payload |= {"IndexName": index} if index else {"ConsistentRead": not eventual}
    answer = call("dynamodb", "Query", payload, deadline, repeatable=True)
    return [unpack(item) for item in answer["Items"]]


def walk(
    name: str,
    index: str | None,
    partition: tuple[str, str],
    deadline: Deadline,
    *,
    sort: str,
    start: str,
    end: str,
    limit: int,
) -> Iterator[Item]:
    """All items of a partition from sort key `start` to `end`, both in, at most `limit`, request after request."""
    payload: dict[str, Any] = {
        "TableName": table(name),
        "KeyConditionExpression": "#p = :p AND #s BETWEEN :a AND :z",
        "ExpressionAttributeNames": {"#p": partition[0], "#s": sort},
        "ExpressionAttributeValues": {":p": {"S": partition[1]}, ":a": {"S": start}, ":z": {"S": end}},
    }
    payload |= {"IndexName": index} if index else {"ConsistentRead": True}
    given = 0
    while given < limit:
        answer = call("dynamodb", "Query", payload | {"Limit": limit - given}, deadline, repeatable=True)
        given += len(answer["Items"])
        yield from (unpack(item) for item in answer["Items"])
        if "LastEvaluatedKey" not in answer:
            return
        payload["ExclusiveStartKey"] = answer["LastEvaluatedKey"]


def every(name: str, index: str | None, partition: tuple[str, str], deadline: Deadline) -> Iterator[Item]:
    """All items of a partition of an index (or of the table), however many there are, request after request."""
    payload: dict[str, Any] = {
        "TableName": table(name),
        "KeyConditionExpression": "#p = :p",
        "ExpressionAttributeNames": {"#p": partition[0]},
        "ExpressionAttributeValues": {":p": {"S": partition[1]}},
    }
    payload |= {"IndexName": index} if index else {"ConsistentRead": True}
    while True:
        answer = call("dynamodb", "Query", payload, deadline, repeatable=True)
        yield from (unpack(item) for item in answer["Items"])
        if "LastEvaluatedKey" not in answer:
            return
        payload["ExclusiveStartKey"] = answer["LastEvaluatedKey"]


def join(name: str, key: Key, attribute: str, members: frozenset[bytes], kept: Item, deadline: Deadline) -> None:
    """Put `members` into a set of bytes, whoever else does so at the same time; `kept` is set beside it."""
    names = {f"#{position}": attribute for position, attribute in enumerate(kept)}
    payload = {
        "TableName": table(name),
        "Key": pack({"pk": key[0], "sk": key[1]}),
        "UpdateExpression": "ADD #set :set"
        + (" SET " + ", ".join(f"#{n} = :{n}" for n in range(len(kept))) if kept else ""),
        "ExpressionAttributeNames": {"#set": attribute, **names},
        "ExpressionAttributeValues": {":set": _typed(members)}
        | {f":{position}": _typed(value) for position, value in enumerate(kept.values())},
    }
    call("dynamodb", "UpdateItem", payload, deadline, repeatable=True)


def batch_get(
    name: str, wanted: Sequence[Key], deadline: Deadline, *, eventual: bool = False, only: Sequence[str] | None = None
) -> dict[Key, Item]:
    """The items under `wanted` (pk, sk) that there are, read consistently unless `eventual` will do.

    With `only`, of each its keys and these attributes (none: whether it is there): billed alike, but less to send and
    to take apart.
    """
    found: dict[Key, Item] = {}
    names = {f"#{position}": attribute for position, attribute in enumerate(("pk", "sk", *(only or ())))}
    part = {"ProjectionExpression": ", ".join(names), "ExpressionAttributeNames": names} if only is not None else {}
    for first in range(0, len(wanted), BATCH_KEYS_MAX):
        left = [pack({"pk": pk, "sk": sk}) for pk, sk in wanted[first : first + BATCH_KEYS_MAX]]
        for _ in range(BATCH_ROUNDS_MAX):
            request = {"RequestItems": {table(name): {"Keys": left, "ConsistentRead": not eventual, **part}}}
            answer = call("dynamodb", "BatchGetItem", request, deadline, repeatable=True)
            for packed in answer["Responses"].get(table(name), ()):
                item = unpack(packed)
                found[item["pk"], item["sk"]] = item
            left = answer.get("UnprocessedKeys", {}).get(table(name), {}).get("Keys", [])
            if not left:
                break
        else:
            raise Unavailable("dynamodb BatchGetItem")
    return found


def batch_write(name: str, items: Sequence[Item], gone: Sequence[Key], deadline: Deadline) -> None:
    """Write `items` whole and take away those under `gone`, without conditions and not as one: for what may be done
    again without harm. Raises Unavailable, with some of it done."""
    asked: list[dict[str, Any]] = [{"PutRequest": {"Item": pack(item)}} for item in items]
    asked += [{"DeleteRequest": {"Key": pack({"pk": pk, "sk": sk})}} for pk, sk in gone]
    for first in range(0, len(asked), BATCH_WRITES_MAX):
        left = asked[first : first + BATCH_WRITES_MAX]
        for _ in range(BATCH_ROUNDS_MAX):
            request = {"RequestItems": {table(name): left}}
            answer = call("dynamodb", "BatchWriteItem", request, deadline, repeatable=True)
            left = answer.get("UnprocessedItems", {}).get(table(name), [])
            if not left:
                break
        else:
            raise Unavailable("dynamodb BatchWriteItem")


def pack(item: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Python values to DynamoDB's typed form; None means the attribute is absent."""
    return {
        name: {"S": value} if value.__class__ is str else _typed(value)  # most are text
        for name, value in item.items()
        if value is not None
    }


def _typed(value: Any) -> dict[str, Any]:
    match value:
        case bool():
            return {"BOOL": value}
        case str():
            return {"S": value}
        case int():
            return {"N": str(value)}
        case bytes():
            return {"B": b2a_base64(value, newline=False).decode()}
        case frozenset():
            return {"BS": sorted(b2a_base64(member, newline=False).decode() for member in value)}
        case list() | tuple():
            return {"L": [_typed(entry) for entry in value]}
        case _:
            raise TypeError(f"no DynamoDB type for {type(value).__name__}")


def unpack(item: Mapping[str, Mapping[str, Any]]) -> Item:
    """DynamoDB's typed form to Python values; most are text, and a list of cases has thousands."""
    return {
        name: value if kind == "S" else _plain(kind, value)
        for name, typed in item.items()
        for kind, value in typed.items()
    }


def _plain(kind: str, value: Any) -> Any:
    match kind:
        case "N":
            return int(value) if value.lstrip("-").isdigit() else float(value)
        case "B":
            return a2b_base64(value)
        case "BS":
            return frozenset(a2b_base64(member) for member in value)
        case "L":
            return [_plain(*next(iter(entry.items()))) for entry in value]
        case _:
            return value
