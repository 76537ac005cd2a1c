"""A request that came in through an HTTP API or a function URL, told as the REST API tells it, and the answer back.

Both hand over payload format 2.0: the path as it was called, nothing about which route it is. Chalice's dispatch wants
the route and its parameters, so they are found here. REST APIs compress answers, HTTP APIs and function URLs do not, so
that is done here, too. See docs/adr/0008-which-door-citizens-come-in-by.md.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterable, Mapping
from typing import Any
from urllib.parse import parse_qs, unquote

Event = dict[str, Any]
FORMAT = "2.0"
COMPRESSED_FROM_BYTES = 1024  # as the REST API's `minimum_compression_size`
COMPRESSION_LEVEL = 6
COMPRESSIBLE = ("text/", "application/json", "application/javascript", "image/svg")
UNKNOWN = (
    '{"error":{"code":"unknown_address","message":"There is nothing at this address."}}',
    "application/json; charset=utf-8",
)


def is_format_2(event: Mapping[str, Any]) -> bool:
    return event.get("version") == FORMAT and "rawPath" in event


class Entry:
    """The way in for payload format 2.0, made of the routes there are."""

    def __init__(self, routes: Iterable[str]) -> None:
        # By how many words they have, and the first: "" for those that begin with a parameter.
        self._routes: dict[tuple[int, str], list[tuple[str, ...]]] = {}
        for route in routes:
            parts = tuple(route.strip("/").split("/"))
            first = "" if parts[0].startswith("{") else parts[0]
            self._routes.setdefault((len(parts), first), []).append(parts)
        for alike in self._routes.values():
            alike.sort(key=lambda parts: [part.startswith("{") for part in parts])  # plain words before parameters

    def answer(self, event: Event, inside: Callable[[Event], Event]) -> Event:
        """What `inside`, which knows payload format 1.0, answers to an event of format 2.0."""
        told = self.told(event)
        if told is None:
            body, kind = UNKNOWN
            return {"statusCode": 404, "headers": {"Content-Type": kind}, "body": body, "isBase64Encoded": False}
        return given_back(inside(told), told["headers"].get("accept-encoding", ""))

    def told(self, event: Event) -> Event | None:
        """The event in format 1.0; None if there is no such route."""
        found = self._route(event["rawPath"])
        if found is None:
            return None
        route, parameters = found
        http = event["requestContext"]["http"]
        headers = dict(event.get("headers") or {})
        if event.get("cookies"):
            headers["cookie"] = "; ".join(event["cookies"])
        return {
            "resource": route,
            "path": event["rawPath"],
            "httpMethod": http["method"],
            "headers": headers,
            "multiValueHeaders": {name: [value] for name, value in headers.items()},
            "multiValueQueryStringParameters": parse_qs(event.get("rawQueryString", ""), keep_blank_values=True)
            or None,
            "pathParameters": parameters or None,
            "stageVariables": event.get("stageVariables"),
            "requestContext": {
                "resourcePath": route,
                "httpMethod": http["method"],
                "path": event["rawPath"],
                "stage": event["requestContext"].get("stage", ""),
                "requestId": event["requestContext"].get("requestId", ""),
                "identity": {"sourceIp": http.get("sourceIp", ""), "userAgent": http.get("userAgent", "")},
            },
            "body": event.get("body"),
            "isBase64Encoded": event.get("isBase64Encoded", False),
        }

    def _route(self, path: str) -> tuple[str, dict[str, str]] | None:
        called = path.strip("/").split("/")
        many = len(called)
        for parts in (*self._routes.get((many, called[0]), ()), *self._routes.get((many, ""), ())):
            parameters: dict[str, str] = {}
            for part, word in zip(parts, called, strict=True):
                if part.startswith("{") and word:
                    parameters[part[1:-1]] = unquote(word)
                elif part != word:
                    break
            else:
                return "/" + "/".join(parts), parameters
        return None


def given_back(answer: Event, accepted: str) -> Event:
    """An answer in format 1.0 as format 2.0 wants it: one value a header, cookies apart; compressed if that helps."""
    headers, cookies = dict(answer.get("headers") or {}), []
    for name, values in (answer.get("multiValueHeaders") or {}).items():
        if name.lower() == "set-cookie":
            cookies += values
        else:
            headers[name] = ", ".join(values)
    for name in [name for name in headers if name.lower() == "set-cookie"]:
        cookies.append(headers.pop(name))
    given = {
        "statusCode": answer["statusCode"],
        "headers": headers,
        "body": answer.get("body", ""),
        "isBase64Encoded": answer.get("isBase64Encoded", False),
    }
    return _compressed(given, accepted) | ({"cookies": cookies} if cookies else {})


def _compressed(answer: Event, accepted: str) -> Event:
    body, headers = answer["body"], answer["headers"]
    named = {name.lower(): value for name, value in headers.items()}
    plain = isinstance(body, str) and not answer["isBase64Encoded"] and "content-encoding" not in named
    if not plain or "gzip" not in accepted or not named.get("content-type", "").startswith(COMPRESSIBLE):
        return answer
    raw = body.encode()
    if len(raw) < COMPRESSED_FROM_BYTES:
        return answer
    import gzip  # a turn's answer is shorter than that

    packed = base64.b64encode(gzip.compress(raw, COMPRESSION_LEVEL, mtime=0)).decode()
    headers = headers | {"Content-Encoding": "gzip", "Vary": _vary(named.get("vary", ""))}
    return answer | {"body": packed, "isBase64Encoded": True, "headers": headers}


def _vary(present: str) -> str:
    return f"{present}, Accept-Encoding" if present else "Accept-Encoding"
