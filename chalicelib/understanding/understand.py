"""A message → ranked intents with scores, a decision, language, script and entities. Pure.

The face the rest of the product uses; how the scores are made may change behind it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from chalicelib.language.detect import language_of
from chalicelib.language.folding import fold, words
from chalicelib.language.scripts import script_of
from chalicelib.understanding.build import OUT_OF_SCOPE, STEM_LETTERS
from chalicelib.understanding.entities import entities_of
from chalicelib.understanding.rules import first_match, matches

INTENTS_MAX = 3
ANSWER_SCORE = 0.62
ANSWER_LEAD = 0.12
CERTAIN_SCORE = 0.9
CERTAIN_LEAD = 0.04
CHOOSE_SCORE = 0.34
KEYWORD_SCORE = 0.66
KEYWORD_WORD_BONUS = 0.12
SECOND_OPINION = 0.25
GENERIC_YIELDS = 0.6
NEARLY = 0.9

Decision = Literal["answer", "choose", "unknown"]


@dataclass(frozen=True, slots=True)
class Understood:
    """`intents`: best first, at most three, scores 0..1. `language` is a family (`sr`, `sq`, `en`, `de`) or None."""

    intents: tuple[tuple[str, float], ...]
    decision: Decision
    language: str | None
    script: str | None
    danger: str | None = None
    entities: Mapping[str, Any] = field(default_factory=dict)


def understand(text: str, index: Mapping[str, Any]) -> Understood:
    """What `text` asks for, by the town's index (see `build.build_index`)."""
    folded = fold(text)
    ordered = words(folded)
    ranked = _rank(ordered, index)
    return Understood(
        intents=tuple(ranked[:INTENTS_MAX]),
        decision=_decide(ranked),
        language=language_of(text, index["languages"]),
        script=script_of(text),
        danger=danger_in(ordered, index),
        entities=entities_of(text),
    )


def danger_in(ordered: list[str], index: Mapping[str, Any]) -> str | None:
    """The kind of danger the message speaks of, if any."""
    present = set(ordered)
    for kind, rules in index["emergencies"].items():
        if first_match(rules["words"], present, ordered) and not first_match(rules["unless"], present, ordered):
            return str(kind)
    return None


def _rank(ordered: list[str], index: Mapping[str, Any]) -> list[tuple[str, float]]:
    scores = _phrase_scores(ordered, index)
    for number, score in _keyword_scores(ordered, index).items():
        low, high = sorted((scores.get(number, 0.0), score))
        scores[number] = high + SECOND_OPINION * low
    names = index["intents"]
    ranked = sorted(((min(score, 0.99), number) for number, score in scores.items()), reverse=True)
    ranked = _specific_first(ranked, names)
    rejected = next((score for score, number in ranked if names[number] == OUT_OF_SCOPE), 0.0)
    return [
        (names[number], round(score * (0.6 if rejected > score else 1.0), 3))
        for score, number in ranked
        if names[number] != OUT_OF_SCOPE
    ]


def _specific_first(ranked: list[tuple[float, int]], names: list[str]) -> list[tuple[float, int]]:
    """A family's `generic` intent yields to a particular one that is nearly as likely: it says the same and more."""
    particular: dict[str, float] = {}
    for score, number in ranked:
        family, _, detail = names[number].partition(".")
        if detail != "generic":
            particular[family] = max(particular.get(family, 0.0), score)
    return sorted(
        (
            (score * GENERIC_YIELDS if _yields(names[number], score, particular) else score, number)
            for score, number in ranked
        ),
        reverse=True,
    )


def _yields(name: str, score: float, particular: Mapping[str, float]) -> bool:
    family, _, detail = name.partition(".")
    return detail == "generic" and particular.get(family, 0.0) >= NEARLY * score


def _phrase_scores(ordered: list[str], index: Mapping[str, Any]) -> dict[int, float]:
    """Best cosine of the message with any phrase of an intent, over word stems weighted by rarity."""
    weights, postings = index["weights"], index["postings"]
    unknown_weight = 3.0
    bag: dict[str, float] = {}
    for word in ordered:
        stem = word[:STEM_LETTERS]
        bag[stem] = bag.get(stem, 0.0) + weights.get(stem, unknown_weight)
    length = sum(weight * weight for weight in bag.values()) ** 0.5 or 1.0
    phrase_scores: dict[int, float] = {}
    for stem, weight in bag.items():
        entries = postings.get(stem, ())
        for position in range(0, len(entries), 2):
            phrase = entries[position]
            phrase_scores[phrase] = phrase_scores.get(phrase, 0.0) + weight / length * entries[position + 1]
    best: dict[int, float] = {}
    of = index["of"]
    for phrase, score in phrase_scores.items():
        if score > best.get(of[phrase], 0.0):
            best[of[phrase]] = score
    return best


def _keyword_scores(ordered: list[str], index: Mapping[str, Any]) -> dict[int, float]:
    present = set(ordered)
    scores: dict[int, float] = {}
    for rule, number in index["keywords"]:
        if matches(rule, present, ordered):
            score = KEYWORD_SCORE + KEYWORD_WORD_BONUS * rule.count(" ")
            scores[number] = max(scores.get(number, 0.0), score)
    return scores


def _decide(ranked: list[tuple[str, float]]) -> Decision:
    if not ranked or ranked[0][1] < CHOOSE_SCORE:
        return "unknown"
    lead = ranked[0][1] - (ranked[1][1] if len(ranked) > 1 else 0.0)
    best = ranked[0][1]
    sure = (best >= ANSWER_SCORE and lead >= ANSWER_LEAD) or (best >= CERTAIN_SCORE and lead >= CERTAIN_LEAD)
    return "answer" if sure else "choose"
