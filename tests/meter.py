"""Counts what a turn costs at the outside: requests by service, and DynamoDB's units by its own sizing rules.

Item sizes: names and values in UTF-8 bytes, numbers about one byte per two digits plus one, booleans one byte. Reads
are billed per 4 kB, writes per kB of the larger of the old and the new item; an index is written when its entry
appears, changes or goes (a changed key counts twice).
"""

from __future__ import annotations

import base64
import json
import math
import re
from collections import Counter
from typing import Any

from chalicelib.wire import Call, Reply

# Index → its keys and whether the whole item is copied into it.
INDEXES = {
    "conversations": {"due": (("due_shard", "due_at"), False), "day": (("day", "pk"), False)},
    "outbox": {"due": (("due_shard", "due_at"), False)},
    "cases": {
        "open": (("open_key", "open_sort"), True),
        "desk": (("desk_key", "open_sort"), True),
        "changed": (("changed_key", "changed_sort"), False),
        "citizen": (("citizen_key", "created_sort"), False),
    },
    "people": {"audience": (("topic_key", "audience_sort"), True)},
}


def size(item: dict[str, dict[str, Any]]) -> int:
    """Bytes of an item in DynamoDB's typed form."""
    return sum(len(name.encode()) + _value_size(value) for name, value in item.items())


def _value_size(typed: dict[str, Any]) -> int:
    kind, value = next(iter(typed.items()))
    if kind == "S":
        return len(value.encode())
    if kind == "B":
        return len(base64.b64decode(value))
    if kind == "N":
        return math.ceil(len(value.lstrip("-").replace(".", "")) / 2) + 1
    if kind == "L":
        return 3 + sum(1 + _value_size(entry) for entry in value)
    return 1


class Meter:
    """A tap of the wire. `requests` counts by service and operation; `reads`, `writes` are capacity units."""

    def __init__(self) -> None:
        self._stored: dict[tuple[str, str, str], dict[str, Any]] = {}
        self.reset()

    def reset(self) -> None:
        self.requests: Counter[str] = Counter()
        self.operations: list[str] = []
        self.reads = self.writes = 0.0
        self.item_sizes: list[int] = []

    def before(self, call: Call) -> None:
        self.requests[call.service] += 1
        self.operations.append(f"{call.service}.{call.operation}")
        assert call.operation != "Scan", "no scan anywhere"

    def after(self, call: Call, reply: Reply) -> None:
        if call.service != "dynamodb":
            return
        asked, answer = json.loads(call.body), json.loads(reply.body or b"{}")
        if call.operation == "GetItem":
            item = answer.get("Item", {})
            self.reads += max(1, math.ceil(size(item) / 4096)) if asked.get("ConsistentRead") else 0.5
            self._remember(asked["TableName"], item)
        elif call.operation == "PutItem":
            self._put(asked, reply.status == 200)
        elif call.operation == "TransactWriteItems":
            for entry in asked["TransactItems"]:
                if "Put" in entry:
                    self._put(entry["Put"], reply.status == 200, times=2)
                else:
                    self._delete(entry["Delete"], times=2)
        elif call.operation == "DeleteItem":
            self._delete(asked)
        elif call.operation == "BatchWriteItem":
            for table, requests in asked["RequestItems"].items():
                for request in requests:
                    self._put_or_delete(table, request)
        elif call.operation == "UpdateItem":
            self._update(asked, reply.status == 200)
        elif call.operation == "Query":
            read = max(1, math.ceil(sum(map(size, answer.get("Items", []))) / 4096))
            self.reads += read if asked.get("ConsistentRead") else read / 2
        elif call.operation == "BatchGetItem":
            for table, wanted in asked["RequestItems"].items():
                self._read_each(table, wanted, answer.get("Responses", {}).get(table, []))

    def _read_each(self, table: str, wanted: dict[str, Any], found: list[dict[str, Any]]) -> None:
        """A batch is billed item by item, one that is not there like the smallest."""
        units = sum(max(1, math.ceil(size(item) / 4096)) for item in found) + len(wanted["Keys"]) - len(found)
        self.reads += units if wanted.get("ConsistentRead") else units / 2
        for item in found:
            self._remember(table, item)

    def _update(self, asked: dict[str, Any], taken: bool) -> None:
        """The larger of what was there and what is there then; what is added to is counted as it was, and what is added
        beside it."""
        table, old = asked["TableName"], self._stored.get(self._key(asked["TableName"], asked["Key"]), asked["Key"])
        names, values = asked.get("ExpressionAttributeNames", {}), asked.get("ExpressionAttributeValues", {})
        parts = re.split(r" ?\b(SET|REMOVE|ADD) ", asked["UpdateExpression"])[1:]
        new, added = dict(old), 0
        for verb, changes in zip(parts[::2], parts[1::2], strict=True):
            for change in changes.split(", "):
                name, _, value = change.partition(" = " if verb == "SET" else " ")
                if verb == "REMOVE":
                    new.pop(names.get(name, name), None)
                elif value in values and verb == "SET":
                    new[names.get(name, name)] = values[value]
                else:
                    added += size({name: values[value.rpartition(" ")[2]]})
        self.writes += max(1, math.ceil((max(size(old), size(new)) + added) / 1024))
        if taken and new != old:
            self._take(table, old, new)

    def _put_or_delete(self, table: str, request: dict[str, Any]) -> None:
        if "PutRequest" in request:
            self._put({"TableName": table, "Item": request["PutRequest"]["Item"]}, True)
        else:
            self._delete({"TableName": table, "Key": request["DeleteRequest"]["Key"]})

    def _put(self, asked: dict[str, Any], taken: bool, times: int = 1) -> None:
        table, item = asked["TableName"], asked["Item"]
        old = self._stored.get(self._key(table, item), {})
        self.writes += times * max(1, math.ceil(max(size(item), size(old)) / 1024))
        if not taken:
            return
        self._take(table, old, item)

    def _take(self, table: str, old: dict[str, Any], item: dict[str, Any]) -> None:
        if table.endswith("conversations") and item["sk"]["S"] == "NOW":
            self.item_sizes.append(size(item))
        self.writes += self._entries(table, old, item)
        self._remember(table, item)

    def _entries(self, table: str, old: dict[str, Any], item: dict[str, Any]) -> int:
        """What the indexes cost beside the item."""
        total = 0
        for keys, whole in INDEXES.get(table.rpartition("-")[2], {}).values():
            entries = _index_writes([old.get(key) for key in keys], [item.get(key) for key in keys])
            total += entries * (max(1, math.ceil(size(item) / 1024)) if whole else 1)
        return total

    def _delete(self, asked: dict[str, Any], times: int = 1) -> None:
        old = self._stored.pop(self._key(asked["TableName"], asked["Key"]), {})
        self.writes += times * max(1, math.ceil(size(old) / 1024))
        for keys, _ in INDEXES.get(asked["TableName"].rpartition("-")[2], {}).values():
            self.writes += _index_writes([old.get(key) for key in keys], [None])

    def _remember(self, table: str, item: dict[str, Any]) -> None:
        if item:
            self._stored[self._key(table, item)] = item

    def _key(self, table: str, item: dict[str, Any]) -> tuple[str, str, str]:
        return table, item["pk"]["S"], item["sk"]["S"]


def _index_writes(old: list[Any], new: list[Any]) -> int:
    was, is_now = all(old), all(new)
    if was and is_now:
        return 0 if old == new else 2
    return int(was or is_now)
