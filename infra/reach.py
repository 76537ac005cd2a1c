"""What a town's phrases do to each other: which stand under two choices, and which choices their own title misses."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

from chalicelib.understanding.understand import understand


def collisions(index: Mapping[str, Any]) -> Iterator[str]:
    """Phrases or keywords that say the same under two names; the bot can only ask which was meant."""
    stems: dict[int, set[str]] = defaultdict(set)
    for stem, entries in index["postings"].items():
        for phrase in entries[::2]:
            stems[phrase].add(stem)
    said: dict[tuple[str, ...], set[str]] = defaultdict(set)
    for phrase, beginnings in stems.items():
        said[tuple(sorted(beginnings))].add(index["nodes"][index["of"][phrase]])
    for rule, number in index["keywords"]:
        said[(rule,)].add(index["nodes"][number])
    serves = dict(zip(index["nodes"], (set(parents or ()) for parents in index["parents"]), strict=True))
    for words, names in sorted(said.items()):
        rivals = sorted(name for name in names if not any(name in serves[other] for other in names))
        if len(rivals) > 1:
            yield f"“{' '.join(words)}” (beginnings of words) stands for {' and for '.join(rivals)}"


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
