"""Deadlines on the running product, by its own clock: asked in the web chat, reminded by mail, told in the chat."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any

import pytest

from tests.product import Product

TOWN = "jajce"


@pytest.fixture
def clock(product: Product) -> Iterator[Any]:
    """Moves the product's clock; it is the machine's again afterwards."""
    yield lambda moment: product.post("/local/clock", {"now": moment})
    product.post("/local/clock", {"now": None})


class Visitor:
    def __init__(self, product: Product) -> None:
        self.product = product
        opened = product.post(f"/chat/{TOWN}/sessions", {})
        self.headers = {"Authorization": f"Bearer {opened.json['token']}"}

    def says(self, text: str) -> dict[str, Any]:
        return self._sends({"type": "text", "text": text})

    def presses(self, choice: str) -> dict[str, Any]:
        return self._sends({"type": "choice", "choice": choice})

    def heard(self) -> list[str]:
        got = self.product.get(f"/chat/{TOWN}/messages", **self.headers).json["messages"]
        return [message["text"] for message in got if message["from"] == "bot"]

    def _sends(self, body: dict[str, Any]) -> dict[str, Any]:
        answer = self.product.post(f"/chat/{TOWN}/messages", {"id": uuid.uuid4().hex, **body}, **self.headers)
        last: dict[str, Any] = answer.json["messages"][-1]
        return last


def letters(product: Product, to: str, reference: str) -> list[str]:
    mails = product.get("/local/mail").json["items"]
    return [mail["subject"] for mail in mails if mail["to"] == to and reference in mail["text"]]


def test_from_a_question_on_friday_to_the_honest_word_on_sunday(product: Product, clock: Any) -> None:
    clock("2027-02-26T10:00:00+01:00")
    product.post("/local/tick")
    visitor = Visitor(product)
    visitor.says("Imam pitanje: kada se plaća naknada za grobno mjesto?")
    visitor.presses("ask.topic.communal")
    visitor.says("Čikago")
    receipt = visitor.presses("form.send")
    assert "nedjelja, 28. 2. 2027. u 10:00" in receipt["text"]
    assert "Po vremenu kod Vas (Čikago): nedjelja, 28. 2. 2027. u 03:00" in receipt["text"]
    agree = next(choice["id"] for choice in receipt["choices"] if choice["id"].startswith("case.agree."))
    reference = agree.rpartition(".")[2]
    visitor.presses(agree)
    clerk, head = f"clerk@{TOWN}.local", f"head@{TOWN}.local"

    assert product.post("/local/tick").json["deadlines"] == 1
    assert letters(product, clerk, reference) == [f"Hitno: predmet {reference}, rok 28. 2. 2027. u 10:00"]
    clock("2027-02-26T12:01:00+01:00")  # four hours of opening time are left, all of them on this Friday
    assert product.post("/local/tick").json["deadlines"] == 1
    assert letters(product, head, reference) == [f"Rok uskoro ističe: predmet {reference}"]
    clock("2027-02-28T10:00:30+01:00")
    assert product.post("/local/tick").json["deadlines"] == 1
    assert product.post("/local/tick").json["deadlines"] == 0
    (word,) = [text for text in visitor.heard() if "Odgovor kasni" in text]
    assert reference in word
    assert "Komunalni poslovi" in word
    told = letters(product, clerk, reference)
    clock("2027-03-01T07:30:00+01:00")  # a holiday in this town: no digest
    product.post("/local/tick")
    assert letters(product, clerk, reference) == told
    clock("2027-03-02T07:00:30+01:00")
    assert product.post("/local/tick").json["deadlines"] >= 2
    assert product.post("/local/tick").json["deadlines"] == 0
    assert "Općina Jajce: 1 predmet s rokom do 3. 3. 2027." in letters(product, clerk, reference)
