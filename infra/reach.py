"""What leads where in a compiled town: by words, by buttons; and phrases that stand for two things."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from chalicelib.dialogue.engine import SAID_BY_THE_BOT
from chalicelib.understanding.collisions import collisions as found_collisions
from chalicelib.understanding.understand import understand


@dataclass(frozen=True)
class Collision:
    """Beginnings of words, and the names they all stand for."""

    words: str
    names: tuple[str, ...]


def collisions(index: Mapping[str, Any]) -> Iterator[Collision]:
    """Phrases or keywords that say the same under two names; the bot can only ask which was meant."""
    for beginnings, names in found_collisions(index):
        yield Collision(" ".join(beginnings), names)


def unreached(version: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Choices that do not come up when somebody types their own title, as (choice, title), in every language."""
    routes, told = version["core"]["routes"], set()
    for language in version["core"]["languages"]:
        for choice, sheet in sorted(version["sheets"][language["id"]].items()):
            understood = understand(sheet["title"], version["index"])
            names = [intent for intent, _ in understood.intents]
            routed = (each for name in names for each in routes.get(name, ()))
            offered = {*names, *understood.narrowed.values(), *routed}
            if choice not in offered and (choice, sheet["title"]) not in told:
                told.add((choice, sheet["title"]))
                yield choice, sheet["title"]


def unanswered(version: Mapping[str, Any]) -> list[str]:
    """What the platform understands and nothing in the town answers."""
    choices = version["texts"][version["core"]["languages"][0]["id"]]
    known = (intent for intent in version["index"]["intents"] if intent not in choices)
    return [intent for intent in known if intent not in version["core"]["routes"] and intent not in SAID_BY_THE_BOT]


def by_buttons(version: Mapping[str, Any]) -> set[str]:
    """Every choice that somebody gets to who only presses buttons, from the menu on."""
    from chalicelib.model import Inbound
    from infra.proofs import DEFAULT_CLOCK, Stage, town_of

    scene = Stage(town_of(version), "web", DEFAULT_CLOCK)
    waiting, seen = ["menu"], set[str]()
    while waiting:
        choice = waiting.pop()
        if choice not in seen:
            seen.add(choice)
            said = scene.say(Inbound(id=choice, citizen="c", kind="choice", choice=choice))
            waiting += [each for message in said for each, _ in message.choices]
    return seen
