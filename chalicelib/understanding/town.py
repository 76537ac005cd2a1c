"""A town's own words on top of the platform's model: its phrases, its sheets' and offices' titles. Pure.

The index is data: built when a town is published, stored with the version, loaded and never rebuilt on a cold start.
It speaks of the platform's intents by name only, so that a newer model and an older version of a town get along.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from chalicelib.compact_json import as_json
from chalicelib.language.folding import fold, words
from chalicelib.small_classes import dataclass
from chalicelib.understanding.model import Model, platform_model
from chalicelib.understanding.rules import KEYWORDS, Spoken, compile_rule, met

SHAPE = 2
STEM_LETTERS = 5
INDEX_BYTES_MAX = 60_000
KEYWORD_LIKENESS = 0.8
KEYWORD_WORD_LIKENESS = 0.07


class IndexTooLarge(ValueError):
    """The town's phrases do not fit; shorten phrases.yaml."""


@dataclass(frozen=True, slots=True)
class Likeness:
    """How much a message is like one of the town's own nodes (an intent or a choice), 0..1."""

    node: str
    choice: bool
    parents: tuple[str, ...]
    degree: float


def build_index(
    phrases: Mapping[str, Mapping[str, list[str]]],
    parents: Mapping[str, Sequence[str]],
    region: str = "",
    settlements: Sequence[str] = (),
) -> dict[str, Any]:
    """`phrases`: intent or choice → language (or `keywords`) → entries; `parents`: choice → the intents it serves."""
    model = platform_model()
    nodes, known = sorted(phrases), set(model.names)
    of: list[int] = []
    postings: dict[str, list[float]] = defaultdict(list)
    keywords: set[tuple[str, int]] = set()
    for number, node in enumerate(nodes):
        for language, entries in phrases[node].items():
            if language == KEYWORDS:
                keywords |= {(compile_rule(entry), number) for entry in entries}
                continue
            for folded in sorted({fold(entry) for entry in entries}):
                for stem, weight in _unit(_bag(words(folded), model)).items():
                    postings[stem] += [len(of), round(weight, 2)]
                of.append(number)
    index = {
        "shape": SHAPE,
        "intents": sorted({*model.names, *nodes}),
        "nodes": nodes,
        # The intents a choice serves; None for a node that is an intent itself.
        "parents": [None if node in known else list(parents.get(node, ())) for node in nodes],
        "of": of,
        "postings": dict(sorted(postings.items())),
        "keywords": sorted(map(list, keywords)),
        "region": region,
        "settlements": list(settlements),
    }
    size = len(as_json(index).encode())
    if size > INDEX_BYTES_MAX:
        raise IndexTooLarge(f"the town's phrases make {size} bytes, at most {INDEX_BYTES_MAX}: shorten phrases.yaml")
    return index


def likenesses(ordered: Sequence[str], index: Mapping[str, Any], model: Model) -> list[Likeness]:
    """The town's nodes a message is like, the most alike first."""
    if index.get("shape") != SHAPE:
        return []  # published before towns' words were additive: the platform's model alone answers
    degrees = _by_phrases(ordered, index, model)
    for number, degree in _by_keywords(ordered, index).items():
        degrees[number] = max(degrees.get(number, 0.0), degree)
    found = []
    for number, degree in degrees.items():
        parents = index["parents"][number]
        found.append(Likeness(index["nodes"][number], parents is not None, tuple(parents or ()), degree))
    return sorted(found, key=lambda each: (-each.degree, each.node))


def _by_phrases(ordered: Sequence[str], index: Mapping[str, Any], model: Model) -> dict[int, float]:
    """Geometric mean of what the message covers of a phrase and what the phrase covers of the message."""
    message = _unit(_bag(ordered, model))
    overlap: dict[int, float] = {}
    covered: dict[int, float] = {}
    for stem, weight in message.items():
        entries = index["postings"].get(stem, ())
        for place in range(0, len(entries), 2):
            phrase, own = entries[place], entries[place + 1]
            overlap[phrase] = overlap.get(phrase, 0.0) + weight * own
            covered[phrase] = covered.get(phrase, 0.0) + own * own
    best: dict[int, float] = {}
    for phrase, cosine in overlap.items():
        number = index["of"][phrase]
        best[number] = max(best.get(number, 0.0), min(1.0, cosine * covered[phrase]) ** 0.5)
    return best


def _by_keywords(ordered: Sequence[str], index: Mapping[str, Any]) -> dict[int, float]:
    found: dict[int, float] = {}
    for rule, number in met(index["keywords"], Spoken(ordered)):
        found[number] = max(found.get(number, 0.0), KEYWORD_LIKENESS + KEYWORD_WORD_LIKENESS * rule.count(" "))
    return {number: min(1.0, degree) for number, degree in found.items()}


def _bag(ordered: Sequence[str], model: Model) -> dict[str, float]:
    """Beginnings of words, each as telling as the platform's model finds it."""
    stems = Counter(word[:STEM_LETTERS] for word in ordered)
    return {stem: times * model.rarity("^" + stem) for stem, times in stems.items()}


def _unit(bag: Mapping[str, float]) -> dict[str, float]:
    length = sum(weight * weight for weight in bag.values()) ** 0.5 or 1.0
    return {stem: weight / length for stem, weight in bag.items()}
