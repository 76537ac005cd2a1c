"""A report from chat to office and back, over real HTTP, as the public contract tells it."""

from __future__ import annotations

import re
from typing import Any

from infra import towns
from tests.contract.test_web_chat import Chat
from tests.product import Product


def _reporting_town() -> str:
    """A town that takes reports of problems with water, which need no photo."""
    for slug in towns.slugs():
        services = towns.compiled(slug)["core"]["services"].values()
        problems = [each for entry in services if entry["kind"] == "report_problem" for each in entry["problems"]]
        if any("report.water" in problem["intents"] and problem["photo"] == "no" for problem in problems):
            return slug
    raise AssertionError("no town takes reports")


def _said(chat: Chat, text: str) -> dict[str, Any]:
    answer = chat.post(text=text)
    assert answer.status == 200, answer.text
    return dict(answer.json["messages"][-1])


def test_a_report_its_consent_its_code_and_its_reopening_are_seen_from_both_sides(product: Product) -> None:
    slug = _reporting_town()
    chat, key = Chat(product, slug), {"Authorization": f"Bearer local-key-{slug}"}
    _said(chat, "pukla cev, voda teče u Venca Petrovića 12")
    receipt = _said(chat, "Pošalji")
    assert receipt["ask"] == "consent"
    reference = receipt["case"]
    code = re.search(r"[AEJKMT2-9]{6}(?=\.)", receipt["text"])
    assert code is not None
    path = f"/api/v1/{slug}/cases/{reference}"
    assert product.get(path, **key).json["consent"] is False
    _said(chat, "da")
    assert product.get(path, **key).json["consent"] is True
    assert product.post(f"{path}/events", {"status": "resolved"}, **key).status == 201
    notice = chat.get().json["messages"][-1]
    assert notice["case"] == reference
    unfixed = next(choice["id"] for choice in notice["choices"] if "unfixed" in choice["id"])
    assert chat.post(type="choice", choice=unfixed).json["messages"][-1]["case"] == reference
    history = product.get(path, **key).json["history"]
    assert [(entry["event"], entry["status"]) for entry in history][-2:] == [
        ("status", "resolved"),
        ("reopened", "received"),
    ]
    elsewhere = Chat(product, slug)
    assert "case" not in _said(elsewhere, reference)
    assert _said(elsewhere, code[0])["case"] == reference
