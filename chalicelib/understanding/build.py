"""Builds a town's index: platform phrases and the town's own, folded, as small posting lists. Pure, no third party.

The index is data: it is stored with the published version and loaded, never rebuilt, on a cold start.
"""

from __future__ import annotations

import math
import tomllib
from collections import Counter, defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from chalicelib.language.folding import fold, words
from chalicelib.understanding.rules import compile_rule

STEM_LETTERS = 5
OUT_OF_SCOPE = "out_of_scope"
INDEX_SHAPE = 1
_HERE = Path(__file__).parent


def platform_phrases() -> dict[str, dict[str, list[str]]]:
    """Intent → language → phrases (and `keywords`), as shipped."""
    return tomllib.loads((_HERE / "phrases.toml").read_text(encoding="utf-8"))


def emergency_rules() -> dict[str, dict[str, list[str]]]:
    """Kind of danger → folded rules (`words`) and what takes them back (`unless`)."""
    raw = tomllib.loads((_HERE / "emergencies.toml").read_text(encoding="utf-8"))
    return {
        kind: {name: [compile_rule(rule) for rule in rules] for name, rules in entry.items()}
        for kind, entry in raw.items()
    }


def stems(folded: str) -> list[str]:
    """The first five letters of each word: enough to meet across endings in these languages."""
    return [word[:STEM_LETTERS] for word in words(folded)]


def build_index(phrases: Mapping[str, Mapping[str, list[str]]]) -> dict[str, Any]:
    """`phrases`: intent → language (or `keywords`) → entries. Returns the index as JSON-ready data."""
    intents = sorted(phrases)
    seen: list[tuple[int, str, Counter[str]]] = []
    keywords: list[tuple[str, int]] = []
    for number, intent in enumerate(intents):
        for language, entries in phrases[intent].items():
            if language == "keywords":
                keywords += [(compile_rule(entry), number) for entry in entries]
            else:
                seen += [(number, language, Counter(stems(fold(entry)))) for entry in entries]
    weights = _rarity([bag for _, _, bag in seen])
    postings: dict[str, list[float]] = defaultdict(list)
    for phrase, (_, _, bag) in enumerate(seen):
        length = math.sqrt(sum((count * weights[stem]) ** 2 for stem, count in bag.items())) or 1.0
        for stem, count in sorted(bag.items()):
            postings[stem] += [phrase, round(count * weights[stem] / length, 3)]
    return {
        "shape": INDEX_SHAPE,
        "intents": intents,
        "of": [number for number, _, _ in seen],
        "postings": dict(sorted(postings.items())),
        "weights": {stem: round(weight, 2) for stem, weight in sorted(weights.items())},
        "keywords": sorted(set(keywords)),
        "languages": _telling_words(seen),
        "emergencies": emergency_rules(),
    }


def _rarity(bags: list[Counter[str]]) -> dict[str, float]:
    document_counts: Counter[str] = Counter()
    for bag in bags:
        document_counts.update(bag.keys())
    return {stem: math.log(1 + len(bags) / count) for stem, count in document_counts.items()}


def _telling_words(seen: list[tuple[int, str, Counter[str]]]) -> dict[str, str]:
    """Stem → language, for stems that only one of the four languages' phrases uses."""
    users: dict[str, set[str]] = defaultdict(set)
    for _, language, bag in seen:
        family = language if language in ("sq", "en", "de") else "sr"
        for stem in bag:
            users[stem].add(family)
    return {stem: families.pop() for stem, families in sorted(users.items()) if len(families) == 1}
