"""The web chat's requests: what is refused, with which word, and what a token is good for."""

from __future__ import annotations

import json
from typing import Any

import pytest

from chalicelib.channels import Request
from chalicelib.channels.web import receive
from chalicelib.channels.web import token as tokens
from chalicelib.model import Account, Refused

KEY = "key"
ACCOUNT = Account("web", "primer", ("primer",))
SESSION = tokens.Session("primer", "s1", 2**31)


def _post(body: Any, token: str | None = None) -> Any:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    bearer = tokens.issue(SESSION, KEY) if token is None else token
    return receive(Request(raw, {"authorization": f"Bearer {bearer}"}, {}), ACCOUNT, KEY).inbound


@pytest.mark.parametrize(
    ("body", "status", "field"),
    [
        (b"{", 400, None),
        (b"[]", 400, None),
        ({"type": "text", "text": "x"}, 422, "id"),
        ({"id": "", "type": "text", "text": "x"}, 422, "id"),
        ({"id": "ž", "type": "text", "text": "x"}, 422, "id"),
        ({"id": 7, "type": "text", "text": "x"}, 422, "id"),
        ({"id": "1", "type": "dance"}, 422, "type"),
        ({"id": "1", "type": "text"}, 422, "text"),
        ({"id": "1", "type": "text", "text": "  "}, 422, "text"),
        ({"id": "1", "type": "text", "text": "x" * 7001}, 422, "text"),
        ({"id": "1", "type": "choice", "choice": ""}, 422, "choice"),
        ({"id": "1", "type": "location", "latitude": 91, "longitude": 1}, 422, "latitude"),
        ({"id": "1", "type": "location", "latitude": True, "longitude": 1}, 422, "latitude"),
        ({"id": "1", "type": "location", "latitude": 1}, 422, "longitude"),
        ({"id": "1", "type": "attachment", "attachment": "../../x"}, 422, "attachment"),
        ({"id": "1", "type": "phone", "phone": "call me"}, 422, "phone"),
    ],
)
def test_what_is_malformed_is_named(body: Any, status: int, field: str | None) -> None:
    with pytest.raises(Refused) as refused:
        _post(body)
    assert (refused.value.status, refused.value.field_name) == (status, field)


@pytest.mark.shows("A20")
def test_extra_fields_change_nothing() -> None:
    taken = _post({"id": "1", "type": "text", "text": "zdravo", "role": "admin", "__proto__": {}, "citizen": "other"})
    assert (taken.citizen, taken.text) == ("s1", "zdravo")


@pytest.mark.parametrize("token", ["", "x", "x.y", "a" * 700, tokens.issue(SESSION, "other-key"), "é.é"])
def test_a_token_that_is_not_ours_is_401(token: str) -> None:
    with pytest.raises(Refused) as refused:
        _post({"id": "1", "type": "text", "text": "x"}, token)
    assert refused.value.status == 401


@pytest.mark.shows("A4")
def test_a_token_is_good_for_its_own_town_and_for_thirty_days() -> None:
    issued = tokens.issue(tokens.Session("primer", "s1", 1000), KEY)
    assert tokens.read(issued, "primer", KEY, 1000 + 29 * 86400).id == "s1"
    for town, now in (("drugi", 1000.0), ("primer", 1000 + 30 * 86400.0)):
        with pytest.raises(Refused):
            tokens.read(issued, town, KEY, now)
