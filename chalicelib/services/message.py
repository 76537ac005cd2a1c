"""A message for the people at the counter when none is there: one question, filed as a chat that waits for them.

Built in where a town has an operator and no questions with a deadline of their own.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from chalicelib.cases import filing
from chalicelib.dialogue import slots
from chalicelib.dialogue.forms import Done, Form, Similar
from chalicelib.dialogue.slots import Heard
from chalicelib.model import Conversation, Facts, Line, Need, OpenCase, Say, Town


def answer(town: Town, service: str, item: str, page: int, facts: Facts) -> tuple[Say, ...] | None:
    """Nothing to look up here: every choice of this kind belongs to its form."""
    return None


def form(town: Town, service: str, answers: Mapping[str, Any]) -> Form:
    """What the message is."""
    asked = slots.Question(key="text", ask=Line("message_ask"), label=Line("message_label"))
    return Form(Line(service), (asked,), notes="text")


def opening(town: Town, service: str, heard: Heard) -> Mapping[str, Any]:
    """The words that led here only wished for a person."""
    return {}


def similar(town: Town, service: str, answers: Mapping[str, Any], facts: Facts) -> Similar | Need | None:
    return None


def follow(reference: str) -> Done:
    return Done(())


def done(town: Town, service: str, answers: Mapping[str, Any], filer: Conversation, heard: Heard, facts: Facts) -> Done:
    """A chat that waits; its subject does not carry the citizen's words."""
    office = str(town.core["services"][service]["office"])
    case = filing.chat(town, "message_subject", office, heard.voice, facts, fields={"text": str(answers["text"])})
    return Done((Line("message_filed", {"case_no": case.reference}), Line("message_next")), (OpenCase(case),))
