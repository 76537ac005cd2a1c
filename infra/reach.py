"""What a town's phrases do to each other: which stand under two choices, and which choices their own title misses."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from chalicelib.understanding.collisions import collisions as found_collisions
from chalicelib.understanding.understand import understand


def collisions(index: Mapping[str, Any]) -> Iterator[str]:
    """Phrases or keywords that say the same under two names."""
    for beginnings, names in found_collisions(index):
        yield f"“{' '.join(beginnings)}” (beginnings of words) stands for {' and for '.join(names)}"


def unreached(version: Mapping[str, Any]) -> Iterator[str]:
    """Choices that do not come up when somebody types their own title."""
    language = version["core"]["languages"][0]["id"]
    routes = version["core"]["routes"]
    for choice, sheet in sorted(version["sheets"][language].items()):
        understood = understand(sheet["title"], version["index"])
        names = [intent for intent, _ in understood.intents]
        offered = {*names, *understood.narrowed.values(), *(each for name in names for each in routes.get(name, ()))}
        if choice not in offered:
            yield f"“{sheet['title']}” does not lead to {choice}: add phrases for it"
