"""A town's office system as it speaks to us: JSON over the product's own routes, with a key."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from secrets import token_urlsafe
from typing import Any
from urllib.parse import urlencode

from chalice.test import Client
from jsonschema import Draft202012Validator

import app
from chalicelib.actions import clock
from chalicelib.integrations.openapi import document
from chalicelib.storage import api_keys
from chalicelib.wire import Deadline

HOST = "bot.primer.example"


@dataclass(frozen=True)
class Answer:
    status: int
    json: Any
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def code(self) -> str:
        return str(self.json["error"]["code"])


class System:
    """Whatever is sent goes through routing, parsing, storage and back."""

    def __init__(self, town: str, scopes: Iterable[str] = api_keys.SCOPES, token: str | None = None) -> None:
        self.town = town
        self.token = token or api_keys.make(town, "test", scopes, token_urlsafe(32), clock.now(), Deadline(20))

    def post(self, path: str, body: Any, **headers: str) -> Answer:
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        return self._send("POST", path, {"Content-Type": "application/json"} | names, raw)

    def get(self, path: str, **query: Any) -> Answer:
        return self._send("GET", path + (f"?{urlencode(query)}" if query else ""), {}, b"")

    def file(self, **body: Any) -> dict[str, Any]:
        """A case that is taken; the answer."""
        answer = self.post("cases", {"subject": "Legalizacija", "applicant": {"name": "Mira Š."}} | body)
        assert answer.status == 201, answer
        return dict(answer.json)

    def _send(self, method: str, path: str, headers: dict[str, str], body: bytes) -> Answer:
        headers = {"Authorization": f"Bearer {self.token}", "Host": HOST} | headers
        with Client(app.app) as client:
            response = client.http.request(method, f"/api/v1/{self.town}/{path}", headers=headers, body=body)
        answer = Answer(response.status_code, json.loads(response.body), dict(response.headers))
        as_described(method, path.partition("?")[0], answer)
        return answer


def as_described(method: str, path: str, answer: Answer) -> None:
    """Every answer any test gets has a status and a shape that the API's description names."""
    for template, operation in _operations(method):
        if template.fullmatch(path):
            told = operation["responses"][str(answer.status)]
            if "$ref" in told:
                told = _described()["components"]["responses"][told["$ref"].rpartition("/")[2]]
            _shape(told["content"]["application/json"]["schema"]["$ref"]).validate(answer.json)
            assert set(told.get("headers", ())) <= set(answer.headers), answer
            return


@lru_cache(maxsize=1)
def _described() -> dict[str, Any]:
    return document()


@lru_cache(maxsize=8)
def _operations(method: str) -> list[tuple[re.Pattern[str], dict[str, Any]]]:
    """Those of a method, what is fixed in an address before what is not."""
    return [
        (re.compile(re.sub(r"\{\w+\}", "[^/]+", path.removeprefix("/api/v1/{tenant}/"))), entry[method.lower()])
        for path, entry in sorted(_described()["paths"].items(), key=lambda item: item[0].count("{"))
        if method.lower() in entry
    ]


@lru_cache(maxsize=64)
def _shape(reference: str) -> Draft202012Validator:
    return Draft202012Validator({"$ref": reference, "components": _described()["components"]})
