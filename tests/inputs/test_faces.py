"""Every address that takes anything from outside, from the table of routes itself, given what it does not want: refused
with a code and a sentence, never with a fault; nothing of it becomes a case."""

from __future__ import annotations

import base64
import datetime as dt
import gzip
import itertools
import json
import re
from secrets import token_urlsafe
from urllib.parse import quote

import pytest

import app
from chalicelib.actions import uploads, web_chat
from chalicelib.channels import Request
from chalicelib.channels.web import token as tokens
from chalicelib.storage import api_keys
from chalicelib.storage.cases import CaseStore
from tests.console.clerk import soon
from tests.inputs.door import Given, ask
from tests.inputs.test_console import BROKEN, PATHS
from tests.viber import callback
from tests.world import World

# Staff's pages are walked through in test_console.
ROUTES = {
    path: methods for path, methods in app.app.routes.items() if not path.startswith(("/console", "/crew", "/help"))
}
POSTS = sorted(path for path, methods in ROUTES.items() if "POST" in methods)
GETS = sorted(path for path, methods in ROUTES.items() if "GET" in methods)
BODIES: list[tuple[str, bytes]] = [
    ("B1", b""),
    ("B2", b"null"),
    ("B3", b"[]"),
    ("B4", b'"x"'),
    ("B5", b'{"subject":"x","appl'),
    ("B6", b"{}{}"),
    ("B7", b'{"subject":"a","subject":"b","applicant":null,"id":"1","id":2,"type":"text","type":[]}'),
    ("B8", b'{"subject":NaN,"applicant":Infinity,"size":-Infinity,"limit":1e400}'),
    ("B9", b"[" * 100_000 + b"]" * 100_000),
    ("B9", b'{"applicant":' * 5_000 + b"1" + b"}" * 5_000),
    ("B10", b" " * 1_000_000),
    ("B11", '{"subject":"x","applicant":{}}'.encode("utf-16")),
    ("B12", b'{"subject":"\xff\xfe"}'),
    ("B14", gzip.compress(b'{"subject":"x","applicant":{"name":"M"}}')),
    (
        "B26",
        b'{"subject":"\\ud800","applicant":{"name":"\\ud800"},"text":"\\ud800","number":"\\udfff","name":"\\ud800"}',
    ),
    ("B43", json.dumps({"id": "1", "type": "text", "text": "a" * 8192, "subject": "a" * 8192}).encode()),
    ("B46", json.dumps([{"subject": "x", "applicant": {"name": "M"}}] * 200).encode()),
    ("B47", b"a=1&b=2"),
    ("B47", b"<?xml version='1.0'?><!DOCTYPE x [<!ENTITY a SYSTEM 'file:///etc/passwd'>]><x>&a;</x>"),
    ("B47", b'--x\r\nContent-Disposition: form-data; name="service_code"\r\n\r\nroad\r\n'),
    ("B49", b'{"__proto__":{"role":"admin"},"constructor":{},"role":"admin","tenant":"x"}'),
    ("B72", json.dumps({"subject": "x" * 60_000, "applicant": {"name": 10**400}, "number": ["x"]}).encode()),
]
TYPES = ("application/json", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "text/csv")
ASKED = [
    *("cursor", "limit", "status", "kind", "office", "number", "updated_after", "from", "to", "after", "context", "q"),
    *("language", "script", "service_code", "start_date", "end_date", "service_request_id", "lat", "long", "radius"),
    *("page", "page_size", "jurisdiction_id", "api_key", "extensions", "call", "sort"),
]


@pytest.fixture(scope="module")
def key(town: World) -> str:
    return api_keys.make(town.slug, "test", api_keys.SCOPES, token_urlsafe(32), town.now, soon())


def sent(town: World, key: str, method: str, path: str, body: bytes, **headers: str) -> Given:
    """With whatever opens that door: a signature, a chat's token, or a key."""
    if path.startswith("/viber/"):
        headers |= callback(town.token, body).headers
    elif path.startswith("/chat/"):
        headers["Authorization"] = f"Bearer {tokens.issue(tokens.Session(town.slug, 'faces', 2**31), 'test-key')}"
    else:
        headers["Authorization"] = f"Bearer {key}"
    return ask(method, path, body, **headers)


def filled(town: World, template: str, part: str) -> str:
    named = template.replace("{tenant}", town.slug).replace("{account}", town.slug)
    return re.sub(r"\{\w+\}", part, named.replace("{resource}", "requests.json"))


@pytest.fixture(autouse=True)
def unhurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """A key's pace is shown elsewhere."""
    monkeypatch.setattr("chalicelib.actions.pace.take", lambda *_, **__: None)


@pytest.mark.parametrize("types", [TYPES[:1], pytest.param(TYPES[1:], marks=pytest.mark.campaign)])
@pytest.mark.parametrize(
    "body", [pytest.param(body, marks=pytest.mark.shows(number)) for number, body in BODIES], ids=len
)
def test_a_body_of_any_kind_is_refused_or_taken_calmly_at_every_door(
    town: World, key: str, body: bytes, types: tuple[str, ...]
) -> None:
    faults = []
    for path, kind in itertools.product(POSTS, types):
        given = sent(town, key, "POST", filled(town, path, "PR-7KM4-2A9"), body, Content_Type=kind)
        if given.status >= 500:
            faults.append((path, kind, given.status))
        elif given.status >= 400 and not path.startswith("/open311/"):
            assert {"code", "message"} <= set(given.json["error"]), path
    assert faults == []
    assert CaseStore(town.slug).open_page(5, soon()).cases == ()


@pytest.mark.campaign
@pytest.mark.shows("B69", "B70", "B71", "B72", "B63")
@pytest.mark.parametrize("part", PATHS)
def test_an_address_of_nothing_is_not_there_at_any_door(town: World, key: str, part: str) -> None:
    faults = []
    for method, paths in (("GET", GETS), ("POST", POSTS)):
        for path in paths:
            if "{" in path:
                for address in (filled(town, path, part), re.sub(r"\{\w+\}", part, path)):
                    given = sent(town, key, method, address, b"{}", Content_Type="application/json")
                    faults += [(method, path, given.status)] * (given.status >= 500)
    assert faults == []


@pytest.mark.campaign
@pytest.mark.shows("B70", "B71", "B72")
@pytest.mark.parametrize("kind", BROKEN)
def test_a_question_with_anything_in_it_is_answered_or_refused(town: World, key: str, kind: str) -> None:
    faults = []
    for path in GETS:
        for name in ASKED:
            query = f"{name}={quote(BROKEN[kind])}"
            given = sent(town, key, "GET", f"{filled(town, path, 'PR-7KM4-2A9')}?{query}", b"")
            faults += [(path, name, given.status)] * (given.status >= 500)
    assert faults == []


@pytest.mark.shows("B59", "B53")
def test_a_signed_form_is_good_for_one_key_one_type_and_some_minutes(town: World) -> None:
    session = tokens.Session(town.slug, "faces", 2**31)
    bearer = {"authorization": f"Bearer {tokens.issue(session, 'test-key')}"}
    wish = json.dumps({"name": "rupa.jpg", "type": "image/jpeg", "size": 9}).encode()
    fields = web_chat.attach(town.slug, Request(wish, bearer, {}), town.now)["upload"]["fields"]
    policy = json.loads(base64.b64decode(fields["policy"]))
    conditions = policy["conditions"]
    assert {"key": fields["key"]} in conditions and {"Content-Type": "image/jpeg"} in conditions
    assert ["content-length-range", 1, uploads.BYTES_MAX["photo"]] in conditions
    assert not any(isinstance(each, list) and each[0] == "starts-with" for each in conditions)
    ends = dt.datetime.fromisoformat(policy["expiration"])
    assert ends <= dt.datetime.now(dt.UTC) + dt.timedelta(seconds=uploads.SECONDS + 1)
