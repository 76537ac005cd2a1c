"""A store for `make bench-peers` that answers at once, as the fake Viber does, from another core.

It keeps conversations, with their versions checked; whatever else is asked goes to the embedded AWS behind it. That one
takes as long over a request as a whole turn does, and who sleeps so long finds a processor's caches full of others'.
"""

from __future__ import annotations

import http.client
import json
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

from chalicelib.storage import keys

_CONVERSATIONS = "-conversations"
_REFUSED = {"__type": "com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException"}
Item = dict[str, Any]


class Conversations:
    """What the three requests of a turn do."""

    def __init__(self) -> None:
        self._items: dict[str, Item] = {}

    def answer(self, operation: str, asked: Mapping[str, Any]) -> tuple[int, Any] | None:
        """Status and answer; None for what is not of a conversation."""
        if operation not in ("GetItem", "PutItem", "UpdateItem") or not asked["TableName"].endswith(_CONVERSATIONS):
            return None
        key = asked["Item"] if operation == "PutItem" else asked["Key"]
        if key["sk"]["S"] != keys.NOW:
            return None
        item = self._items.get(key["pk"]["S"])
        if operation == "GetItem":
            return 200, {"Item": item} if item else {}
        if not _is_met(asked, item):
            return 400, _REFUSED
        self._items[key["pk"]["S"]] = dict(asked["Item"]) if operation == "PutItem" else _changed(asked, item or {})
        return 200, {}


def _is_met(asked: Mapping[str, Any], item: Item | None) -> bool:
    condition = asked.get("ConditionExpression", "")
    if not condition:
        return True
    if condition == "attribute_not_exists(pk)":
        return item is None
    name, _, value = condition.partition(" = ")
    return item is not None and bool(item[name] == asked["ExpressionAttributeValues"][value])


def _changed(asked: Mapping[str, Any], item: Item) -> Item:
    sets, _, removes = asked["UpdateExpression"].removeprefix("SET ").partition(" REMOVE ")
    pairs = (each.split(" = ") for each in sets.split(", "))
    gone = removes.split(", ")
    kept = {name: value for name, value in item.items() if name not in gone}
    return kept | {name: asked["ExpressionAttributeValues"][value] for name, value in pairs}


def serve(port: int, behind: str) -> None:
    """`behind`: the embedded AWS's address."""
    kept, place = Conversations(), urlsplit(behind).netloc

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            operation = self.headers.get("x-amz-target", "").rpartition(".")[2]
            answer = kept.answer(operation, json.loads(body)) if operation else None
            if answer is None:
                self._pass_on(body)
            else:
                self._give(answer[0], "application/x-amz-json-1.0", json.dumps(answer[1]).encode())

        def _pass_on(self, body: bytes) -> None:
            line = http.client.HTTPConnection(place)
            line.request("POST", self.path, body, dict(self.headers))
            answer = line.getresponse()
            self._give(answer.status, answer.headers.get("content-type", ""), answer.read())
            line.close()

        def _give(self, status: int, kind: str, body: bytes) -> None:
            head = f"HTTP/1.1 {status} \r\ncontent-type: {kind}\r\ncontent-length: {len(body)}\r\n"
            like_aws = f"connection: keep-alive\r\nx-amzn-requestid: {'A' * 52}\r\nx-amz-crc32: 2745614147\r\n\r\n"
            self.wfile.write((head + like_aws).encode() + body)

        def log_message(self, *args: Any) -> None:
            return

    ThreadingHTTPServer(("127.0.0.1", port), Handler).serve_forever()
