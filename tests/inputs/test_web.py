"""What a page may post to the web chat: each refusal says what to do about it, and nothing of it is kept."""

from __future__ import annotations

import gzip
import itertools
import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chalicelib.channels import Request
from chalicelib.channels.text import clean
from chalicelib.channels.web import receive
from chalicelib.channels.web import token as tokens
from chalicelib.model import Account, Refused
from chalicelib.storage import views
from tests.inputs.door import Given, ask
from tests.inputs.test_viber import ANYTHING, shaped
from tests.world import World

_ids = itertools.count(1)


class Page:
    """The town's chat as somebody's page talks to it, well or badly."""

    def __init__(self, town: World, **opening: Any) -> None:
        self.town = town
        given = ask("POST", f"/chat/{town.slug}/sessions", json.dumps(opening).encode())
        assert given.status == 201, given
        self.session, self.token = given.json["session"], given.json["token"]

    def posts(self, body: Any, token: str | None = None, **headers: str) -> Given:
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        bearer = {"Authorization": f"Bearer {self.token if token is None else token}"}
        return ask("POST", f"/chat/{self.town.slug}/messages", raw, **(bearer | headers))

    def says(self, text: str, **fields: Any) -> Given:
        return self.posts({"id": f"i{next(_ids)}", "type": "text", "text": text} | fields)

    def is_known(self) -> bool:
        return self.town.conversation(self.session, self.town.web) is not None


def is_refused(town: World, given: Given, status: int) -> None:
    assert given.status == status, given.body
    assert given.json["error"]["code"] and given.json["error"]["message"].endswith(".")
    assert town.meter.writes == 0


@pytest.mark.parametrize(
    ("body", "status"),
    [
        pytest.param(body, status, marks=pytest.mark.shows(number), id=f"{number}-{at}")
        for at, (number, body, status) in enumerate(
            [
                ("B1", b"", 422),
                ("B2", b"null", 400),
                ("B3", b"[]", 400),
                ("B4", b'"x"', 400),
                ("B5", b'{"id":"1","type":"text","text":"zdra', 400),
                ("B6", b'{"id":"1","type":"text","text":"a"}{"id":"2","type":"text","text":"b"}', 400),
                ("B8", b"NaN", 400),
                ("B8", b'{"id":"1","type":"location","latitude":NaN,"longitude":Infinity}', 422),
                ("B9", b"[" * 30_000 + b"]" * 30_000, 400),
                ("B10", b" " * 1_000_000, 413),
                ("B12", b'{"id":"1","type":"text","text":"\xff\xfe"}', 400),
                ("B14", gzip.compress(b'{"id":"1","type":"text","text":"zdravo"}'), 400),
                ("B21", {"id": "1", "type": "text", "text": " \n\t "}, 422),
                ("B22", {"id": "1", "type": "text", "text": "ж" * 7001}, 422),
                ("B22", {"id": "1", "type": "text", "text": "a" * 30_000}, 422),
                ("B33", {"id": "1", "type": "location", "latitude": 91, "longitude": 0}, 422),
                ("B33", {"id": "1", "type": "location", "latitude": 10**400, "longitude": 0}, 422),
                ("B33", {"id": "1", "type": "location", "latitude": "45.7", "longitude": "19.1"}, 422),
                ("B34", {"id": "1", "type": "attachment", "attachment": "http://169.254.169.254/"}, 422),
                ("B46", [{"id": str(number), "type": "text", "text": "zdravo"} for number in range(200)], 400),
                ("B46", {"id": "1", "type": "text", "text": ["zdravo"] * 200}, 422),
                ("B47", b"id=1&type=text&text=zdravo", 400),
                ("B47", b"<?xml version='1.0'?><!DOCTYPE x [<!ENTITY a SYSTEM 'file:///etc/passwd'>]><x>&a;</x>", 400),
                ("B59", {"id": "1", "type": "attachment", "attachment": "../../T/other/media/x"}, 422),
            ]
        )
    ],
)
def test_what_is_malformed_is_refused_with_what_to_do_and_nothing_is_kept(town: World, body: Any, status: int) -> None:
    page = Page(town)
    is_refused(town, page.posts(body), status)
    assert not page.is_known()


@pytest.mark.shows("B11")
def test_json_in_another_unicode_encoding_is_read_or_refused_and_never_garbled(town: World) -> None:
    page = Page(town)
    given = page.posts('{"id":"1","type":"text","text":"Радно време"}'.encode("utf-16"))
    assert given.status == 200
    kept = town.conversation(page.session, town.web)
    assert kept is not None and kept.log[0].text == "Радно време"


@pytest.mark.shows("B39")
def test_without_a_session_of_this_town_nothing_is_said_or_shown(town: World) -> None:
    page = Page(town)
    key = "test-key"
    said = {"id": "1", "type": "text", "text": "zdravo"}
    for token in (
        "",
        "x.y",
        page.token[:-2],
        page.token + "a",
        tokens.issue(tokens.Session("drugi", page.session, 2**31), key),
        tokens.issue(tokens.Session(town.slug, page.session, 1), key),
        tokens.issue(tokens.Session(town.slug, page.session, 2**31), "another"),
        "\u0416.\u0416",
    ):
        is_refused(town, page.posts(said, token), 401)
        is_refused(town, ask("GET", f"/chat/{town.slug}/messages", Authorization=f"Bearer {token}"), 401)
        attached = ask("POST", f"/chat/{town.slug}/attachments", b"{}", Authorization=f"Bearer {token}")
        is_refused(town, attached, 401)
    assert not page.is_known()


@pytest.mark.shows("B40")
@pytest.mark.parametrize(
    "origin", ["https://evil.example", "null", "https://primer.example.evil.example", "file://", "", "https://[", "ž"]
)
def test_a_page_of_somebody_else_is_refused_whatever_it_calls_itself(town: World, origin: str) -> None:
    page = Page(town)
    given = page.posts({"id": "1", "type": "text", "text": "zdravo"}, Origin=origin)
    is_refused(town, given, 403)
    assert "Access-Control-Allow-Origin" not in given.headers


@pytest.mark.shows("B41", "B42")
def test_an_id_used_again_answers_the_first_time_and_ids_need_no_order(town: World) -> None:
    page = Page(town)
    first = page.says("radno vreme", id="7")
    assert page.says("obriši moje podatke", id="7").json == first.json
    kept = town.conversation(page.session, town.web)
    assert kept is not None and [entry.text for entry in kept.log if entry.origin == "citizen"] == ["radno vreme"]
    for identifier in ("900", "3", "!~", "x" * 80):
        assert page.says("zdravo", id=identifier).status == 200
    assert page.says("zdravo", id="x" * 81).status == 422


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(text, marks=pytest.mark.shows(number), id=f"{number}-{at}")
        for at, (number, text) in enumerate(
            [
                ("B21", "\u200b"),
                ("B23", "\u202egnitset\u202c \u200drupa\u200d"),
                ("B24", "👩\u200d" * 10 + "👩"),
                ("B25", "a" + "\u0301" * 1000),
                ("B26", "rupa \ud83d na putu"),
                ("B27", "".join(map(chr, range(32))) + "rupa\x00\x7f\x9f"),
                ("B43", "a" * 7000),
                ("B44", '<script>alert(1)</script><svg onload="alert(2)">'),
                ("B45", "[kliknite](javascript:alert(1)) javascript:alert(1)"),
                ("B30", "~1:form.send"),
            ]
        )
    ],
)
def test_words_of_any_kind_are_kept_as_words_and_answered(town: World, text: str) -> None:
    page = Page(town)
    given = page.says(text)
    assert given.status == 200
    assert given.json["messages"][-1]["choices"]
    kept = town.conversation(page.session, town.web)
    assert kept is not None and kept.log[0].text == clean(text)[:300]
    assert not any(row["kind"] == "parked" for row in views.owed(town.slug))


@pytest.mark.shows("B31")
@pytest.mark.parametrize("choice", ["form.send", "case.withdraw.DR-7KM4-2A9", "town.drugi", "procedures~²", "x" * 120])
def test_a_choice_nobody_offered_leads_to_a_next_step(town: World, choice: str) -> None:
    page = Page(town)
    given = page.posts({"id": "1", "type": "choice", "choice": choice})
    assert given.status == 200 and given.json["messages"][-1]["choices"]
    assert not any(row["kind"] == "parked" for row in views.owed(town.slug))


@pytest.mark.shows("B48", "B47")
def test_headers_change_neither_the_method_nor_how_a_body_is_read(town: World) -> None:
    page = Page(town)
    override = {"X_HTTP_Method_Override": "GET", "X_Method_Override": "DELETE", "Content_Encoding": "gzip"}
    said = {"id": "1", "type": "text", "text": "zdravo"}
    for kind in ("application/x-www-form-urlencoded", "text/xml", "multipart/form-data; boundary=x", ""):
        given = page.posts(said | {"id": f"n{next(_ids)}"}, Content_Type=kind, **override)
        assert given.status == 200 and given.json["messages"]
    given = ask("DELETE", f"/chat/{town.slug}/messages", Authorization=f"Bearer {page.token}")
    assert given.status == 405


@pytest.mark.shows("B49", "B7")
def test_fields_nobody_asked_for_are_not_kept(town: World) -> None:
    page = Page(town)
    extra = b'{"id":"1","id":"2","type":"text","text":"zdravo","role":"admin","__proto__":{"role":"admin"},"town":"x"}'
    assert page.posts(extra).status == 200
    kept = town.conversation(page.session, town.web)
    assert kept is not None and kept.town == town.slug
    assert "admin" not in repr(kept)


@pytest.mark.shows("B50")
def test_asking_five_hundred_times_for_news_costs_half_a_thousand_reads_and_no_write(town: World) -> None:
    page = Page(town)
    page.says("zdravo")
    town.meter.reset()
    last = ""
    for _ in range(500):
        given = ask("GET", f"/chat/{town.slug}/messages{last}", Authorization=f"Bearer {page.token}")
        assert given.status == 200
        last = f"?after={max([m['id'] for m in given.json['messages']] or ['999'])}"
    assert (town.meter.requests["dynamodb"], town.meter.writes) == (500, 0)


@pytest.mark.shows("B39", "B49")
@pytest.mark.parametrize(
    "opening", [{"language": [], "context": {}}, {"language": "\ud800", "context": "\ud800" * 500}]
)
def test_a_chat_is_opened_whatever_is_said_of_language_and_link(town: World, opening: dict[str, Any]) -> None:
    assert Page(town, **opening).says("zdravo").status == 200


@pytest.mark.parametrize(
    ("asked", "status"),
    [
        pytest.param(asked, status, marks=pytest.mark.shows(number), id=f"{number}-{at}")
        for at, (number, asked, status) in enumerate(
            [
                ("B51", {"name": "rupa.jpg", "type": "text/html", "size": 9}, 415),
                ("B51", {"name": "rupa.svg", "type": "image/svg+xml", "size": 9}, 415),
                ("B52", {"name": "rupa.jpg", "type": "image/jpeg", "size": 0}, 422),
                ("B53", {"name": "rupa.jpg", "type": "image/jpeg", "size": -1}, 422),
                ("B53", {"name": "rupa.jpg", "type": "image/jpeg", "size": "9"}, 422),
                ("B53", {"name": "rupa.jpg", "type": "image/jpeg", "size": True}, 422),
                ("B53", {"name": "rupa.jpg", "type": "image/jpeg", "size": 10**400}, 413),
                ("B56", {"name": "rupa.heic", "type": "image/heic", "size": 9}, 415),
                ("B57", {"name": "rupa.gif", "type": "image/gif", "size": 9}, 415),
                ("B35", {"name": "v.mp4", "type": "video/mp4", "size": 27 * 2**20}, 413),
                ("B59", {"name": "x", "type": ["image/jpeg"], "size": 9}, 415),
                ("B60", {"name": "x" * 300, "type": {"a": 1}, "size": 9}, 415),
            ]
        )
    ],
)
def test_a_file_that_cannot_be_taken_is_refused_before_it_is_sent(town: World, asked: Any, status: int) -> None:
    page = Page(town)
    raw = json.dumps(asked).encode()
    is_refused(town, ask("POST", f"/chat/{town.slug}/attachments", raw, Authorization=f"Bearer {page.token}"), status)


@pytest.mark.shows("B60", "B36")
@pytest.mark.parametrize("name", ["x" * 300, "\u202egpj.exe", "con.txt", "../../x", "a\x00b", "\ud800", 7, None])
def test_a_files_name_never_becomes_a_key(town: World, name: Any) -> None:
    page = Page(town)
    raw = json.dumps({"name": name, "type": "image/jpeg", "size": 9}).encode()
    given = ask("POST", f"/chat/{town.slug}/attachments", raw, Authorization=f"Bearer {page.token}")
    assert given.status == 201
    key = given.json["upload"]["fields"]["key"]
    assert key == f"incoming/T/{town.slug}/web/{page.session}/{given.json['attachment']}"


# --- any shape at all ----------------------------------------------------------------------------------------------

MESSAGES = shaped(
    id=st.just("1"),
    type=st.sampled_from(["text", "choice", "location", "attachment", "phone"]),
    text=st.text(max_size=9),
    choice=st.text(max_size=9),
    latitude=st.floats(),
    longitude=st.floats(),
    attachment=st.text(max_size=30),
    phone=st.text(max_size=20),
)


def is_understood_or_refused(body: Any) -> None:
    issued = tokens.issue(tokens.Session("primer", "s1", 2**31), "key")
    request = Request(json.dumps(body).encode(), {"authorization": f"Bearer {issued}"}, {})
    try:
        inbound = receive(request, Account("web", "primer", ("primer",)), "key").inbound
    except Refused as refused:
        assert refused.status in (400, 422)
        return
    assert inbound is not None
    for text in (inbound.text, inbound.choice, inbound.phone, inbound.id):
        text.encode()


@pytest.mark.shows("B8", "B26", "B33", "B49")
@settings(max_examples=150, deadline=None)
@given(st.one_of(MESSAGES, ANYTHING))
def test_a_message_of_any_shape_is_understood_or_refused(body: Any) -> None:
    is_understood_or_refused(body)


@pytest.mark.campaign
@pytest.mark.shows("T4")
@settings(max_examples=20_000, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.one_of(MESSAGES, ANYTHING))
def test_twenty_thousand_messages_of_any_shape_are_understood_or_refused(body: Any) -> None:
    is_understood_or_refused(body)
