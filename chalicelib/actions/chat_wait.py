"""Looks whether somebody has answered a chat: if nobody did, the citizen is told so once; after closing time the bot
is back and the message stays for the next day. Work of an outbox row."""

from __future__ import annotations

from collections.abc import Mapping
from secrets import token_hex
from typing import Any

from chalicelib.actions import known, talk
from chalicelib.actions.change_case import NoCase
from chalicelib.actions.owe import Unreachable
from chalicelib.cases import lifecycle
from chalicelib.dialogue import chat, handover
from chalicelib.model import BOT, Case, Conversation, Line, Say, SendFailed, Town
from chalicelib.services import operator
from chalicelib.storage import outbox
from chalicelib.wire import Deadline

AFTER_CLOSING_SECONDS = 60


def work(body: Mapping[str, Any], town: str, now: float, deadline: Deadline) -> None:
    """Say what is so; nothing if somebody has the chat, or it is over."""
    published = known.town(town, deadline)
    if published is None:
        raise SendFailed("no_town", retryable=True)
    entry = published.core["services"].get(published.core.get("operator") or "")
    if entry is None:
        return

    def decide(case: Case, conversation: Conversation) -> talk.Next | None:
        waits = handover.reference(conversation.state) == case.reference
        if not waits or case.assignee or not lifecycle.is_open(case):
            return None
        if not operator.is_open(published, entry, now):
            return _closed(published, entry, case, conversation, now)
        return None if body.get("told") else _nobody_yet(published, entry, case, conversation, body, now)

    try:
        talk.go_on(published, str(body["reference"]), decide, now, token_hex(4), deadline)
    except (NoCase, Unreachable):
        return


def _nobody_yet(
    town: Town, entry: Mapping[str, Any], case: Case, conversation: Conversation, body: Mapping[str, Any], now: float
) -> talk.Next:
    """The honest line, and another look after closing time."""
    say = Say(lines=(Line("operator_nobody_yet"),), choices=chat.choices(handover.END))
    closing = operator.closes_at(town, dict(entry), now)
    again = outbox.write(town.slug, operator.WAIT, {**body, "told": True}, now, due_at=closing + AFTER_CLOSING_SECONDS)
    return talk.Next(case, conversation.state, ((BOT, say),), (again,) if closing else ())


def _closed(town: Town, entry: Mapping[str, Any], case: Case, conversation: Conversation, now: float) -> talk.Next:
    lines = (Line("operator_closed_meanwhile"), *operator.opens(town, dict(entry), now))
    say = Say(lines=lines, choices=chat.menu_choices(town))
    return talk.Next(case, handover.ended(conversation.state), ((BOT, say),))
