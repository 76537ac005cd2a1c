"""A town's conversation proofs: plays `tenants/<slug>/conversations/*.yaml` against the compiled town, no server."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import yaml

from chalicelib import services
from chalicelib.dialogue import engine, memory, words
from chalicelib.language.folding import fold
from chalicelib.model import Conversation, Facts, Inbound, Media, Message, Town, Turn
from infra import towns

DEFAULT_CLOCK = "2026-03-10T10:15:00+01:00"
SECONDS_BETWEEN_TURNS = 20


@dataclass(frozen=True)
class Result:
    file: str
    title: str
    problem: str | None

    @property
    def passed(self) -> bool:
        return self.problem is None


def town_of(compiled: Mapping[str, Any]) -> Town:
    """A compiled version as the running product sees it."""
    core = compiled["core"]
    return Town(core["slug"], 1, core, compiled["texts"], compiled["sheets"], compiled["index"])


def play_town(slug: str, root: Path = towns.TENANTS) -> list[Result]:
    """Every proof of a town, in the order of the files' names."""
    town = town_of(towns.compiled(slug, root))
    return [play(town, path) for path in sorted((root / slug / "conversations").glob("*.yaml"))]


def play(town: Town, path: Path) -> Result:
    story = yaml.safe_load(path.read_text(encoding="utf-8"))
    stage = Stage(town, str(story.get("channel", "web")), str(story.get("clock", DEFAULT_CLOCK)))
    for number, turn in enumerate(story["turns"], 1):
        problem = stage.play(turn)
        if problem:
            return Result(path.name, story["title"], f"turn {number}: {problem}")
    return Result(path.name, story["title"], None)


class Stage:
    """One story being played: a conversation, its clock, and the words of the last answer."""

    def __init__(self, town: Town, channel: str, clock: str) -> None:
        self.town = town
        self.now = dt.datetime.fromisoformat(clock).timestamp()
        self.conversation = Conversation(f"{channel}:{town.slug}", "citizen", town.slug)
        self.messages: list[Message] = []
        self.turns = 0

    def play(self, turn: Mapping[str, Any]) -> str | None:
        """Play one turn; what is wrong with the answer, if anything."""
        try:
            inbound = self._inbound(turn)
        except LookupError as missing:
            return f"no choice “{missing.args[0]}” among: {', '.join(self._labels()) or 'none'}"
        self.say(inbound)
        heard = " ".join(
            fold(line) for message in self.messages for line in [*message.text.split("\n"), *self._labels()]
        )
        for pattern in [turn["bot"]] if isinstance(turn.get("bot"), str) else turn.get("bot", []):
            if not re.search(_folded_pattern(pattern), heard):
                return f"“{pattern}” is not in the answer:\n{self.messages[-1].text if self.messages else '(silence)'}"
        return None

    def say(self, inbound: Inbound) -> list[Message]:
        """What the bot answers to `inbound`; the conversation goes on from there."""
        facts = Facts(self.now)
        decided = engine.step(self.town, self.conversation, inbound, facts, services.kind)
        assert isinstance(decided, Turn)
        self.messages = [
            words.message(say, self.town, decided.voice, f"{self.conversation.seq + number:012d}", self.now)
            for number, say in enumerate(decided.says, 2)
        ]
        after = memory.after_turn(self.conversation, inbound, inbound.id, decided, self.now, "2026-01-01", push=False)
        self.conversation = replace(after, v=self.conversation.v + 1)
        self.now += SECONDS_BETWEEN_TURNS
        return self.messages

    def _inbound(self, turn: Mapping[str, Any]) -> Inbound:
        self.turns += 1
        base = Inbound(id=f"proof-{self.turns}", citizen="citizen", level=7)
        if "opens" in turn:
            return replace(base, event="started", language_hint=str(turn["opens"] or ""))
        if "choose" in turn:
            return replace(base, kind="choice", choice=self._choice(str(turn["choose"])))
        if "photo" in turn:
            return replace(base, kind="attachment", media=Media("photo", str(turn["photo"])))
        if "location" in turn:
            latitude, longitude = turn["location"]
            return replace(base, kind="location", place=(float(latitude), float(longitude)))
        return replace(base, kind="text", text=str(turn["citizen"]))

    def _choice(self, label: str) -> str:
        for message in reversed(self.messages):
            for choice, shown in message.choices:
                if fold(shown) == fold(label) or choice == label:
                    return choice
        raise LookupError(label)

    def _labels(self) -> list[str]:
        return [shown for message in self.messages for _, shown in message.choices]


def _folded_pattern(pattern: str) -> str:
    """The pattern with its letters folded and its operators kept."""
    return "".join(
        part if part in "|()[].*+?^$\\" else fold(part) if part.strip() else part
        for part in re.split(r"([|()\[\].*+?^$\\])", pattern)
    )
