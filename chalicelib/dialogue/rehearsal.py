"""A conversation with a version nobody published, played from its beginning each time: nothing of it is kept. Pure.

What a step asks the world is answered as for somebody new; what it causes is dropped.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from chalicelib.dialogue import engine, memory, words
from chalicelib.dialogue.engine import Kinds
from chalicelib.model import Conversation, Facts, GivenIds, Inbound, Message, Need, Standing, Town, Turn, Voice
from chalicelib.small_classes import replace

SAID_MAX = 20
SAID_CHARS_MAX = 500
CITIZEN = "rehearsal"
_SECONDS_BETWEEN = 20
_OF_SOMEBODY_NEW: Mapping[str, Any] = {
    "own_cases": (),
    "my_case": None,
    "agreed": False,
    "phone_cases": (),
    "link": None,
    "near_problems": [],
    "help": None,
    "volunteer": None,
    "standing": Standing(),
    "announced": [],
    "own_references": (),
    "chat_queue": 0,
    "chat_case": None,
}

Said = tuple[str, str]  # ("text" or "choice", what was typed or the choice's id)


def play(town: Town, said: Sequence[Said], now: float, kinds: Kinds) -> tuple[list[tuple[Said, list[Message]]], Voice]:
    """Each thing said with what the bot answers, after its greeting; and the voice it speaks in the end."""
    conversation = Conversation(f"web:{town.slug}", CITIZEN, town.slug)
    played: list[tuple[Said, list[Message]]] = []
    voice = town.default_voice
    for number, (kind, what) in enumerate([("started", ""), *said[:SAID_MAX]]):
        at = now + number * _SECONDS_BETWEEN
        inbound = _inbound(number, kind, what[:SAID_CHARS_MAX])
        turn = _turn(town, conversation, inbound, Facts(at, _ids(town, number)), kinds)
        voice = turn.voice
        told = [words.message(say, town, voice, f"{number}-{n}", at) for n, say in enumerate(turn.says)]
        played.append(((kind, what), told))
        after = memory.after_turn(conversation, inbound, inbound.id, turn, at, "2026-01-01", push=False)
        conversation = replace(after, v=conversation.v + 1)
    return played, voice


def _inbound(number: int, kind: str, what: str) -> Inbound:
    base = Inbound(id=f"rehearsal-{number}", citizen=CITIZEN, level=7)
    if kind == "started":
        return replace(base, event="started")
    return replace(base, kind="choice", choice=what) if kind == "choice" else replace(base, text=what)


def _turn(town: Town, conversation: Conversation, inbound: Inbound, facts: Facts, kinds: Kinds) -> Turn:
    decided = engine.step(town, conversation, inbound, facts, kinds)
    if isinstance(decided, Need):
        found = {name: _OF_SOMEBODY_NEW[name] for name in (what.partition(":")[0] for what in decided.what)}
        decided = engine.step(town, conversation, inbound, replace(facts, found=found), kinds)
    assert isinstance(decided, Turn)  # a step may ask once
    return decided


def _ids(town: Town, number: int) -> GivenIds:
    return GivenIds(f"{town.core['prefix']}-7KM4-2A9", "A2E4J6", f"nonce{number}")
