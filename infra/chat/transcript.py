"""A talk as a conversation file: every turn as it was said, with words of the answer that must be there again."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import yaml

from chalicelib.model import Message
from infra.proofs import CITIZEN, SAID, VOLUNTEER, answered

WORDS_MAX = 8
WORDS_MIN = 2
_PARTS = re.compile(r"[|()\[\].*+?^$\\]")  # what a pattern reads as an operator
_CHANGING = re.compile(r"\d")  # numbers, times and references are others tomorrow


@dataclass(frozen=True)
class Said:
    """One turn as conversations write it, what was answered, and what the case filed by it promises."""

    turn: Mapping[str, Any]
    messages: Sequence[Message]
    case: Mapping[str, Any]


def text(title: str, channel: str, clock: str, said: Sequence[Said]) -> str:
    """The file; `clock` is when the talk began."""
    story = {"title": title, "channel": channel, "clock": clock, "turns": turns(said)}
    return yaml.safe_dump(story, allow_unicode=True, sort_keys=False, width=110, default_flow_style=None)


def turns(said: Sequence[Said]) -> list[dict[str, Any]]:
    """The turns with what must be answered. Looks at what came meanwhile stand there only where something had come,
    time had passed, or a volunteer is first seen."""
    made: list[dict[str, Any]] = []
    shown: dict[str, Sequence[Message]] = {}
    for one in said:
        actor = str(one.turn.get("as", CITIZEN))
        spoke, new = bool(SAID.intersection(one.turn)), one.messages != shown.get(actor, [])
        first_seen = actor.startswith(VOLUNTEER) and actor not in shown
        if spoke or new or first_seen or one.turn.get("wait_minutes"):
            made.append({**one.turn, **_expected(one, spoke)})
        shown[actor] = one.messages
    return made


def _expected(one: Said, spoke: bool) -> dict[str, Any]:
    quoted = patterns(one.messages)
    expected: dict[str, Any] = {"bot": quoted} if quoted else {}
    if spoke and not one.messages:
        expected["silence"] = True
    return expected | ({"case": dict(one.case)} if spoke and one.case else {})


def patterns(messages: Sequence[Message]) -> list[str]:
    """For each message some words of its own, as a clerk would quote them; never a number."""
    quoted = (
        next((words for words in _quotable(message.text) if answered(words, messages)), "") for message in messages
    )
    return list(dict.fromkeys(words for words in quoted if words))


def _quotable(text: str) -> list[str]:
    """Pieces of a text that stand in one line of it, the longest of each line."""
    found = []
    for line in text.split("\n"):
        runs = [run for part in _PARTS.split(line) for run in _runs(part.split())]
        longest = max(runs, key=len, default=[])
        if longest:
            found.append(" ".join(longest[:WORDS_MAX]))
    several = [words for words in found if len(words.split()) >= WORDS_MIN]
    return [*several, *(words for words in found if words not in several)]


def _runs(words: list[str]) -> list[list[str]]:
    """Neighbouring words without any digit."""
    runs: list[list[str]] = [[]]
    for word in words:
        if _CHANGING.search(word):
            runs.append([])
        else:
            runs[-1].append(word)
    return [run for run in runs if run]
