"""From paper to chat: a slip's link, scanned, offers to bind the case to this conversation; the consent is asked first.

Choice: `bind.<context>`, the context of the link as it stood in the QR code. Pure: whether the link still holds is a
fact of the world (`link:<context>`), binding is an effect.
"""

from __future__ import annotations

import re

from chalicelib.dialogue import chat
from chalicelib.dialogue.receipts import consent_line
from chalicelib.model import BindCase, Case, Choice, Conversation, Effect, Facts, Line, Need, Say

CHOICE = "bind."
FACT = "link"
_CONTEXT = re.compile(r"\d{1,4}\.[A-Za-z0-9_-]{16,64}")


def context_of(text: str) -> str | None:
    """The link's context in what a chat was opened with, or in a pressed button."""
    found = _CONTEXT.fullmatch(text.removeprefix(CHOICE))
    return found.group() if found else None


def offer(context: str, conversation: Conversation, facts: Facts) -> Say | Need:
    """What is asked when a chat is opened by a slip's link: the wording of the consent, yes or no."""
    if FACT not in facts.found:
        return Need((f"{FACT}:{context}",))
    case: Case | None = facts.found[FACT]
    if case is None:
        return _gone()
    yes = Choice(f"{CHOICE}{context}", Line("btn_yes"))
    lines = (
        Line("case_link_found", {"case_no": case.number or case.reference}),
        consent_line(conversation.account),
    )
    return Say(lines=lines, choices=(yes, Choice("menu", Line("btn_no"))), ask="consent")


def bind(context: str, facts: Facts) -> tuple[Say, tuple[Effect, ...]] | Need:
    """What is said and done when the answer is yes."""
    if FACT not in facts.found:
        return Need((f"{FACT}:{context}",))
    case: Case | None = facts.found[FACT]
    if case is None:
        return _gone(), ()
    lines = (Line("consent_given"), Line("case_bound_now", {"case_no": case.number or case.reference}))
    return Say(lines=lines, choices=chat.choices("menu"), case=case.reference), (BindCase(context, case.reference),)


def _gone() -> Say:
    return Say(lines=(Line("case_link_gone"),), choices=chat.choices("person", "menu"))
