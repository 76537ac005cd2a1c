"""A program that speaks Open311 to a town, over the product's own routes."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from dataclasses import dataclass
from secrets import token_urlsafe
from typing import Any
from urllib.parse import urlencode

from chalice.test import Client

import app

POTHOLE = {"service_code": "road", "lat": "45.7733", "long": "19.1151", "address_string": "Venac 12"}


@dataclass(frozen=True)
class Answer:
    status: int
    body: str
    headers: dict[str, str]

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def xml(self) -> ET.Element:
        return ET.fromstring(self.body)


class Client311:
    """A program that speaks Open311; with a key or without."""

    def __init__(self, town: str, key: str = "") -> None:
        self.town, self.key = town, key

    def get(self, path: str, **query: Any) -> Answer:
        asked = ({"api_key": self.key} if self.key else {}) | query
        return self._send("GET", f"{path}?{urlencode(asked)}", {}, b"")

    def post(self, path: str, fields: dict[str, Any], **headers: str) -> Answer:
        form = urlencode(({"api_key": self.key} if self.key else {}) | fields, doseq=True).encode()
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        return self._send("POST", path, {"Content-Type": "application/x-www-form-urlencoded"} | names, form)

    def upload(self, fields: dict[str, str], photo: bytes, **headers: str) -> Answer:
        boundary = token_urlsafe(9)
        parts = [
            f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
            for name, value in (fields | {"api_key": self.key}).items()
        ]
        head = 'Content-Disposition: form-data; name="media"; filename="a.jpg"\r\nContent-Type: image/jpeg'
        parts.append(f"--{boundary}\r\n{head}\r\n\r\n".encode() + photo + f"\r\n--{boundary}--\r\n".encode())
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        kind = {"Content-Type": f"multipart/form-data; boundary={boundary}"}
        return self._send("POST", "requests.json", kind | names, b"".join(parts))

    def file(self, **fields: Any) -> str:
        """A request that is taken; its id."""
        answer = self.post("requests.json", POTHOLE | {"description": "Velika rupa"} | fields)
        assert answer.status == 201, answer
        return str(answer.json[0]["service_request_id"])

    def _send(self, method: str, path: str, headers: dict[str, str], body: bytes) -> Answer:
        with Client(app.app) as client:
            response = client.http.request(
                method, f"/open311/{self.town}/v2/{path}", headers={"Host": "bot.primer.example"} | headers, body=body
            )
        return Answer(response.status_code, response.body.decode(), dict(response.headers))
