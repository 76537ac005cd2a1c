"""The product's own routes, given events as the gateway gives them: with whatever bytes, flags and headers."""

from __future__ import annotations

import base64
import json
import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit

import app


@dataclass(frozen=True)
class Given:
    """What came back through the door."""

    status: int
    headers: dict[str, Any]
    body: str

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def code(self) -> str:
        return str(self.json["error"]["code"])


def ask(method: str, path: str, body: bytes = b"", *, flagged: str | None = None, **headers: str) -> Given:
    """One request. `flagged`: a body that claims to be base64, as it stands."""
    parts = urlsplit(path)
    resource, params = _route(parts.path)
    event = {
        "requestContext": {"httpMethod": method, "resourcePath": resource, "identity": {"sourceIp": "127.0.0.1"}},
        "headers": {"Host": "salter.example"} | {name.replace("_", "-"): value for name, value in headers.items()},
        "pathParameters": params,
        "multiValueQueryStringParameters": parse_qs(parts.query, keep_blank_values=True),
        "body": base64.b64encode(body).decode() if flagged is None else flagged,
        "isBase64Encoded": True,
        "stageVariables": None,
    }
    given = app.app(event, None)
    return Given(given["statusCode"], {**given["headers"], **given.get("multiValueHeaders", {})}, given["body"])


def _route(path: str) -> tuple[str, dict[str, str]]:
    """The route of an address, what is fixed before what is not."""
    for template in sorted(app.app.routes, key=lambda each: each.count("{")):
        found = re.fullmatch(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", template), path)
        if found:
            return template, found.groupdict()
    raise LookupError(path)
