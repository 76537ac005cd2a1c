"""Phrases of a town that say the same under two names: the bot can only ask which was meant. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

from chalicelib.language.folding import fold, words
from chalicelib.understanding.town import STEM_LETTERS

Collision = tuple[tuple[str, ...], tuple[str, ...]]  # beginnings of words (or one keyword rule), and the names


def collisions(index: Mapping[str, Any]) -> Iterator[Collision]:
    """Phrases or keywords that stand under several names of which none serves the others."""
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
    for told, names in sorted(said.items()):
        rivals = sorted(name for name in names if not any(name in serves[other] for other in names))
        if len(rivals) > 1:
            yield told, tuple(rivals)


def stems_of(text: str) -> tuple[str, ...]:
    """The beginnings of words by which a phrase is known."""
    return tuple(sorted({word[:STEM_LETTERS] for word in words(fold(text))}))
