"""A request gets the same answer whichever door it comes in by: a REST API (payload 1.0) or an HTTP API (2.0)."""

from __future__ import annotations

import base64
import gzip
import json
from typing import Any

from chalice.local import LambdaContext, LambdaEventConverter, RouteMatcher

import app as product
from chalicelib.entry import Entry
from infra.local import http_api
from tests.viber import FakeViber, callback, message
from tests.world import World

ASKED: list[tuple[str, str, dict[str, str], bytes | None]] = [
    ("GET", "/health", {}, None),
    ("GET", "/widget.js", {}, None),
    ("GET", "/assets/nothing.css", {}, None),
    ("GET", "/t/{town}?lang=en", {}, None),
    ("GET", "/t/{town}/colours.css", {}, None),
    ("GET", "/chat/{town}?context=a%20b", {}, None),
    ("OPTIONS", "/chat/{town}/sessions", {"origin": "https://elsewhere.example"}, None),
    ("GET", "/chat/{town}/messages?after=1", {"authorization": "Bearer nobody"}, None),
    ("POST", "/chat/{town}/messages", {"content-type": "application/json"}, b"{}"),
    ("POST", "/chat/no-such-town/sessions", {"content-type": "application/json"}, b"{}"),
    ("DELETE", "/health", {}, None),
    ("POST", "/viber/{town}", {"x-viber-content-signature": "00"}, b'{"event":"message"}'),
    ("POST", "/viber/{town}", {"content-type": "application/octet-stream"}, b"\xff\xfe{"),
    ("GET", "/api/v1/openapi.json", {}, None),
    ("GET", "/api/v1/{town}/cases?limit=5&status=", {"authorization": "Bearer nobody"}, None),
    ("GET", "/console/sign-in", {}, None),
    ("GET", "/console/cases/SO-AAAA-AAA", {"cookie": "salter=nobody; other=1"}, None),
    ("POST", "/api/v1/{town}/cases/import", {"content-type": "text/csv"}, "broj\nč".encode()),
]


def _by_rest(method: str, path: str, headers: dict[str, str], body: bytes | None) -> dict[str, Any]:
    routes = RouteMatcher(list(product.app.routes))
    event = LambdaEventConverter(routes, product.app.api.binary_types).create_lambda_event(method, path, headers, body)
    return product.app(event, LambdaContext("api", 1024))


def _by_http(method: str, path: str, headers: dict[str, str], body: bytes | None) -> dict[str, Any]:
    return product.app(http_api.event(method, path, headers, body), LambdaContext("api", 1024))


def test_every_kind_of_request_is_answered_the_same_through_both(world: World) -> None:
    for method, address, given, body in ASKED:
        path, headers = address.replace("{town}", world.slug), given | {"host": "salter.example"}
        rest, http = _by_rest(method, path, headers, body), _by_http(method, path, headers, body)
        assert (http["statusCode"], http["body"]) == (rest["statusCode"], rest["body"]), path
        spoken = rest["headers"] | {name: ", ".join(values) for name, values in rest["multiValueHeaders"].items()}
        assert http["headers"] == {name: value for name, value in spoken.items() if name.lower() != "set-cookie"}


def test_a_signed_callback_is_taken_and_a_forged_one_refused(world: World, viber: FakeViber) -> None:
    asked = callback(world.token, message("mira", "Нема воде, žute vode nema"))
    headers = {"content-type": "application/json"} | asked.headers
    assert _by_http("POST", f"/viber/{world.slug}", headers, asked.body)["statusCode"] == 200
    assert viber.texts("mira")
    assert _by_http("POST", f"/viber/{world.slug}", headers, asked.body + b" ")["statusCode"] == 403


def test_a_body_that_came_as_base64_is_signed_as_it_was_sent(world: World, viber: FakeViber) -> None:
    asked = callback(world.token, message("jovo", "dobar dan"))
    headers = {"content-type": "application/octet-stream"} | asked.headers
    event = http_api.event("POST", f"/viber/{world.slug}", headers, asked.body)
    assert event["isBase64Encoded"]
    assert product.app(event, LambdaContext("api", 1024))["statusCode"] == 200
    assert viber.texts("jovo")


def test_an_address_there_is_not_is_404_without_any_request(world: World) -> None:
    for path in ("/", "/nowhere", "/chat", "/chat//sessions", "/console/cases/x/y/z/w"):
        answer = _by_http("GET", path, {}, None)
        assert answer["statusCode"] == 404
        assert json.loads(answer["body"])["error"]["code"] == "unknown_address"
    assert not world.meter.operations


def test_plain_words_go_before_parameters_and_parameters_are_decoded() -> None:
    entry = Entry(["/a/{x}", "/a/word", "/{y}/word"])
    told = [entry.told(http_api.event("GET", path, {}, None)) for path in ("/a/word", "/a/%D1%88%2F1", "/b/word/")]
    assert [(each["resource"], each["pathParameters"]) for each in told if each] == [
        ("/a/word", None),
        ("/a/{x}", {"x": "ш/1"}),
        ("/{y}/word", {"y": "b"}),
    ]


def test_cookies_come_in_and_go_out_one_by_one() -> None:
    event = http_api.event("GET", "/a?x=1&x=2&y=", {"Cookie": "one=1; two=2"}, None)
    assert event["cookies"] == ["one=1", "two=2"]

    def inside(told: dict[str, Any]) -> dict[str, Any]:
        assert told["headers"]["cookie"] == "one=1; two=2"
        assert told["multiValueQueryStringParameters"] == {"x": ["1", "2"], "y": [""]}
        cookies = {"Set-Cookie": ["one=; Max-Age=0", "two=2"], "X-Two": ["a", "b"]}
        return {"statusCode": 303, "headers": {"Location": "/b"}, "multiValueHeaders": cookies, "body": ""}

    answer = Entry(["/a"]).answer(event, inside)
    assert answer["cookies"] == ["one=; Max-Age=0", "two=2"]
    assert answer["headers"] == {"Location": "/b", "X-Two": "a, b"}


def test_long_text_is_compressed_for_whoever_takes_it(world: World) -> None:
    path = f"/chat/{world.slug}"
    plain = _by_http("GET", path, {}, None)
    packed = _by_http("GET", path, {"Accept-Encoding": "gzip, br"}, None)
    assert packed["isBase64Encoded"] and packed["headers"]["Content-Encoding"] == "gzip"
    assert gzip.decompress(base64.b64decode(packed["body"])).decode() == plain["body"]
    assert "Content-Encoding" not in plain["headers"]
    assert "Content-Encoding" not in _by_http("GET", "/health", {"accept-encoding": "gzip"}, None)["headers"]
