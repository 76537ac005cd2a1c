"""What the bot did not understand, kept so that a town can learn from it: a few a conversation, numbers blanked out.

Rides in the conversation's own state, so it costs no extra write and goes with the conversation after thirty days.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from chalicelib.model import CITIZEN, Conversation
from chalicelib.patterns import pattern
from chalicelib.understanding.entities import read

STATE = "misses"
KEPT_MAX = 3
TEXT_CHARS_MAX = 160
# A number said without a country (064 123-45-67, a meter's) is no entity to the reader, yet may name a person.
NUMBER = pattern(r"\d(?:[\s./-]?\d){3,}")
UNKNOWN, GUESSED, PERSON = "unknown", "guessed", "person"


def noted(state: Mapping[str, Any], text: str, why: str, now: float) -> Mapping[str, Any]:
    """`state` with one more miss: unknown, guessed (none of the choices was it), person (the answer did not do)."""
    masked = _masked(text)
    if not masked:
        return state
    return {**state, STATE: [*state.get(STATE, ()), {"text": masked, "why": why, "at": int(now)}][-KEPT_MAX:]}


def without(state: Mapping[str, Any], private: Iterable[str]) -> Mapping[str, Any]:
    """`state` without what turned out to be a private answer after all."""
    gone = {_masked(said) for said in private}
    if not any(miss["text"] in gone for miss in state.get(STATE, ())):
        return state
    return {**state, STATE: [miss for miss in state[STATE] if miss["text"] not in gone]}


def _masked(text: str) -> str:
    return " ".join(NUMBER.sub(" ", read(text)[1]).split())[:TEXT_CHARS_MAX]


def after_choice(conversation: Conversation, choice: str, now: float) -> Mapping[str, Any]:
    """The state after a button that says the last answer was not it; unchanged for any other."""
    last = conversation.log[-1].say if conversation.log else None
    said = next((entry.text for entry in reversed(conversation.log) if entry.origin == CITIZEN), "")
    if last is None or not said or said.startswith("["):
        return conversation.state
    guessed = bool(last.lines) and last.lines[0].key == "did_you_mean"
    if guessed and choice in ("person", "menu"):
        return noted(conversation.state, said, GUESSED, now)
    if choice == "person" and last.sheet:
        return noted(conversation.state, said, PERSON, now)
    return conversation.state
