"""One-time links, scanned: what they lead to is offered to this conversation, and the consent is asked first.

A slip's link leads from paper to chat: it binds its case. One of the console has a member of staff reminded of
deadlines here. Choice: `bind.<context>`, the context of the link as it stood in the QR code. Pure: whether the link
still holds is a fact of the world (`link:<context>`), what becomes of it an effect.
"""

from __future__ import annotations

from chalicelib.dialogue import chat
from chalicelib.dialogue.receipts import consent_line
from chalicelib.model import (
    BindCase,
    Case,
    Choice,
    Conversation,
    Effect,
    Facts,
    Line,
    Need,
    Say,
    Staff,
    TakeReminders,
)
from chalicelib.patterns import pattern

CHOICE = "bind."
FACT = "link"
_CONTEXT = pattern(r"\d{1,4}\.[A-Za-z0-9_-]{16,64}")


def context_of(text: str) -> str | None:
    """The link's context in what a chat was opened with, or in a pressed button."""
    found = _CONTEXT.fullmatch(text.removeprefix(CHOICE))
    return found.group() if found else None


def offer(context: str, conversation: Conversation, facts: Facts) -> Say | Need:
    """What is asked when a chat is opened by a one-time link: the wording of the consent, yes or no."""
    if FACT not in facts.found:
        return Need((f"{FACT}:{context}",))
    found: Case | Staff | None = facts.found[FACT]
    if isinstance(found, Staff):
        lines = (Line("reminders_ask"), Line("reminders_yours_alone"))
    elif found is not None:
        bound = Line("case_link_found", {"case_no": found.number or found.reference})
        lines = (bound, consent_line(conversation.account))
    else:
        return _gone()
    yes = Choice(f"{CHOICE}{context}", Line("btn_yes"))
    return Say(lines=lines, choices=(yes, Choice("menu", Line("btn_no"))), ask="consent")


def bind(context: str, facts: Facts) -> tuple[Say, tuple[Effect, ...]] | Need:
    """What is said and done when the answer is yes."""
    if FACT not in facts.found:
        return Need((f"{FACT}:{context}",))
    found: Case | Staff | None = facts.found[FACT]
    if found is None:
        return _gone(), ()
    if isinstance(found, Staff):
        ways = chat.choices("consent.end_reminders", "menu")
        return Say(lines=(Line("reminders_on"),), choices=ways), (TakeReminders(context, found.mail),)
    lines = (Line("consent_given"), Line("case_bound_now", {"case_no": found.number or found.reference}))
    return Say(lines=lines, choices=chat.choices("menu"), case=found.reference), (BindCase(context, found.reference),)


def _gone() -> Say:
    return Say(lines=(Line("case_link_gone"),), choices=chat.choices("person", "menu"))
