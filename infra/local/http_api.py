"""The local server as an HTTP API: the same requests handed over in payload format 2.0 (`ENTRY=http make run`)."""

from __future__ import annotations

import base64
from typing import Any

from chalice.local import LocalGateway

TEXT = ("text/", "application/json", "application/javascript", "application/xml")


def event(method: str, path: str, headers: dict[str, str], body: bytes | None) -> dict[str, Any]:
    """What an HTTP API's `$default` route hands to its function, as AWS describes format 2.0."""
    called, _, query = path.partition("?")
    named = {name.lower(): value for name, value in headers.items()}
    cookies = named.pop("cookie", "")
    plain = named.get("content-type", "").startswith(TEXT)
    return {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": called,
        "rawQueryString": query,
        "headers": named,
        **({"cookies": cookies.split("; ")} if cookies else {}),
        "requestContext": {
            "stage": "$default",
            "requestId": "local",
            "http": {"method": method, "path": called, "protocol": "HTTP/1.1", "sourceIp": "127.0.0.1"},
        },
        **_body(body, plain),
    }


def _body(body: bytes | None, plain: bool) -> dict[str, Any]:
    if not body:
        return {"isBase64Encoded": False}
    if plain:
        try:
            return {"body": body.decode(), "isBase64Encoded": False}
        except UnicodeDecodeError:
            pass
    return {"body": base64.b64encode(body).decode(), "isBase64Encoded": True}


class HttpApi(LocalGateway):
    """Stands where Chalice's local REST API stands."""

    def handle_request(self, method: str, path: str, headers: dict[str, Any], body: bytes | None) -> dict[str, Any]:
        answer = self._app_object(event(method, path, headers, body), self._generate_lambda_context())
        cookies = {"Set-Cookie": answer["cookies"]} if answer.get("cookies") else {}
        return answer | {"multiValueHeaders": cookies}
