"""The web chat over real HTTP, as the public contract tells it."""

from __future__ import annotations

import itertools
import json
import re
import urllib.error
import urllib.request
import uuid
from typing import Any

import pytest

from infra import towns
from tests.product import Answer, Product

SLUG = towns.slugs()[0]
_ids = itertools.count(1)


class Chat:
    def __init__(self, product: Product, slug: str = SLUG, **opening: Any) -> None:
        self.product, self.slug = product, slug
        opened = product.post(f"/chat/{slug}/sessions", opening)
        assert opened.status == 201
        self.session, self.token, self.welcome = (opened.json[key] for key in ("session", "token", "messages"))

    def post(self, **body: Any) -> Answer:
        body = {"id": f"m{next(_ids)}", "type": "text"} | body
        return self.product.post(f"/chat/{self.slug}/messages", body, Authorization=f"Bearer {self.token}")

    def get(self, query: str = "") -> Answer:
        return self.product.get(f"/chat/{self.slug}/messages{query}", Authorization=f"Bearer {self.token}")


def test_a_session_greets_with_choices_and_ids_that_sort(product: Product) -> None:
    chat = Chat(product)
    (welcome,) = chat.welcome
    assert welcome["from"] == "bot"
    assert welcome["choices"]
    assert re.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d\d:\d\d$", welcome["at"])
    first = chat.post(text="zdravo").json["messages"]
    second = chat.post(text="meni").json["messages"]
    ids = [message["id"] for message in (welcome, *first, *second)]
    assert ids == sorted(ids)
    assert len(set(ids)) == len(ids)


def test_choices_are_taken_by_id_and_stand_on_the_last_message_only(product: Product) -> None:
    chat = Chat(product)
    choice = chat.welcome[-1]["choices"][0]["id"]
    answer = chat.post(type="choice", choice=choice)
    assert answer.status == 200
    assert 1 <= len(answer.json["messages"]) <= 3
    assert all(not message["choices"] for message in answer.json["messages"][:-1])


@pytest.mark.shows("B41")
def test_the_same_id_again_answers_the_same_until_it_is_too_old(product: Product) -> None:
    chat = Chat(product)
    first = chat.post(id="same", text="radno vreme")
    assert chat.post(id="same", text="radno vreme").json == first.json
    for number in range(9):
        chat.post(text=f"meni {number}")
    assert chat.post(id="same", text="radno vreme").json == first.json
    chat.post(text="meni")
    late = chat.post(id="same", text="radno vreme")
    assert (late.status, late.json["error"]["code"]) == (409, "too_old")


def test_what_was_said_is_fetched_whole_or_since_an_id(product: Product) -> None:
    chat = Chat(product)
    assert chat.get().json == {"messages": []}
    replies = chat.post(text="zdravo").json["messages"]
    everything = chat.get().json["messages"]
    assert [message["from"] for message in everything] == ["citizen", "bot"]
    assert everything[-1] == replies[-1]
    assert chat.get(f"?after={replies[-1]['id']}").json == {"messages": []}
    assert chat.get("?after=x").status == 422


def test_errors_have_one_shape_and_the_right_status(product: Product) -> None:
    chat = Chat(product)
    other = towns.slugs()[1]
    token = {"Authorization": f"Bearer {chat.token}"}
    cases = [
        (product.post("/chat/nigde/sessions", {}), 404),
        (product.post(f"/chat/{SLUG}/messages", {"id": "1", "type": "text", "text": "x"}), 401),
        (product.post(f"/chat/{other}/messages", {"id": "1", "type": "text", "text": "x"}, **token), 401),
        (product.post(f"/chat/{SLUG}/messages", b"{", **token), 400),
        (product.post(f"/chat/{SLUG}/messages", b" " * 70_000, **token), 413),
        (chat.post(type="dance"), 422),
        (product.post(f"/chat/{SLUG}/attachments", {"name": "x", "type": "text/html", "size": 5}, **token), 415),
        (product.post(f"/chat/{SLUG}/attachments", {"name": "x", "type": "image/png", "size": 10**9}, **token), 413),
    ]
    for answer, status in cases:
        assert answer.status == status, answer.text
        assert {"code", "message"} <= set(answer.json["error"])


def test_any_content_type_and_seven_thousand_letters_are_taken(product: Product) -> None:
    chat = Chat(product)
    body = json.dumps({"id": uuid.uuid4().hex, "type": "text", "text": "ђ" * 7000}).encode()
    headers = {"Authorization": f"Bearer {chat.token}", "Content-Type": "text/plain;charset=UTF-8"}
    assert product.request("POST", f"/chat/{SLUG}/messages", body, headers).status == 200


def test_a_file_goes_straight_to_the_bucket_and_counts_once_it_has_arrived(product: Product) -> None:
    chat = Chat(product)
    token = {"Authorization": f"Bearer {chat.token}"}
    asked = product.post(f"/chat/{SLUG}/attachments", {"name": "rupa.png", "type": "image/png", "size": 4}, **token)
    assert asked.status == 201
    early = chat.post(type="attachment", attachment=asked.json["attachment"])
    assert (early.status, early.json["error"]["code"]) == (409, "upload_unfinished")
    upload = asked.json["upload"]
    assert _upload(upload, b"\x89PNG", "image/png") in (200, 201, 204)
    assert chat.post(type="attachment", attachment=asked.json["attachment"]).status == 200
    stranger = Chat(product)
    assert stranger.post(type="attachment", attachment=asked.json["attachment"]).status == 409


def _upload(upload: dict[str, Any], content: bytes, media_type: str) -> int:
    mark = uuid.uuid4().hex
    parts = [
        f'--{mark}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
        for name, value in upload["fields"].items()
    ]
    head = (
        f'--{mark}\r\nContent-Disposition: form-data; name="file"; filename="x"\r\nContent-Type: {media_type}\r\n\r\n'
    )
    body = b"".join([*parts, head.encode(), content, f"\r\n--{mark}--\r\n".encode()])
    request = urllib.request.Request(
        upload["url"], body, {"Content-Type": f"multipart/form-data; boundary={mark}"}, method="POST"
    )
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        with error:
            return error.code


@pytest.mark.shows("B40", "A2")
def test_only_the_towns_own_sites_may_use_its_chat_from_a_page(product: Product) -> None:
    own = towns.compiled(SLUG)["core"]["web"]["origins"]
    for origin in [*own, "http://localhost:5000", product.url]:
        answer = product.post(f"/chat/{SLUG}/sessions", {}, Origin=origin)
        assert answer.headers["Access-Control-Allow-Origin"] == origin
        assert "Origin" in answer.headers["Vary"]
    for origin in ("https://evil.example", "null"):
        assert product.post(f"/chat/{SLUG}/sessions", {}, Origin=origin).status == 403
    preflight = product.request("OPTIONS", f"/chat/{SLUG}/messages", None, {"Origin": product.url})
    assert preflight.status == 204
    assert "authorization" in preflight.headers["Access-Control-Allow-Headers"]


@pytest.mark.parametrize("slug", towns.slugs())
def test_every_town_answers_and_has_its_page(product: Product, slug: str) -> None:
    assert Chat(product, slug).post(text="zdravo").json["messages"][0]["choices"]
    page = product.get(f"/chat/{slug}")
    assert page.status == 200
    assert "script-src 'self'" in page.headers["Content-Security-Policy"]
    look = product.get(f"/chat/{slug}/look").json
    assert look["colours"]["light"]["accent"].startswith("#")
    assert look["texts"]["w_send"]


def test_health_answers_without_the_database(product: Product) -> None:
    assert product.get("/health").json == {"status": "ok", "stage": "local", "version": "0.1.0"}


@pytest.mark.parametrize("slug", towns.slugs())
def test_every_towns_public_page_says_who_answers_and_what_happens_to_data(product: Product, slug: str) -> None:
    page = product.get(f"/t/{slug}")
    assert page.status == 200
    assert page.text.count("<h1>") == 1
    assert "style=" not in page.text
    assert f"../chat/{slug}" in page.text
    colours = product.get(f"/t/{slug}/colours.css")
    assert "--accent:" in colours.text
    for path in re.findall(r'href="\.\.(/assets/[^"]+)"', page.text):
        assert product.get(path).status == 200


def test_a_town_that_is_not_there_has_no_page(product: Product) -> None:
    for path in ("/t/nigde", "/chat/nigde", "/chat/nigde/look", "/assets/nothing.js"):
        assert product.get(path).status == 404
