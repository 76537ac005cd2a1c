"""A message → ranked intents with calibrated scores, a decision, entities and danger. Pure.

The platform's model ranks the intents; a town's own words raise what they stand for and narrow an intent to one of the
town's choices; a number of a case speaks for asking after it. What comes out is a probability, and three bounds on it
decide: answer, offer up to three, or say honestly that it was not understood.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import field
from typing import Any, Literal

from chalicelib.language.folding import fold, words
from chalicelib.small_classes import dataclass
from chalicelib.understanding import clauses, entities
from chalicelib.understanding.entities import problems
from chalicelib.understanding.model import OUT_OF_SCOPE, Model, platform_model, score, whole
from chalicelib.understanding.rules import Spoken, any_match
from chalicelib.understanding.town import Likeness, likenesses
from chalicelib.understanding.wishes import Wish, wish_in

INTENTS_MAX = 3
LANGUAGE_SETTING = "settings.language"
CASE_STATUS = "case.status"

# Chosen on the tuning half of the development set; `make bench-understanding` prints what they bring.
SHARPNESS = 13.0  # of the model's figures, so that a score means how often it is right
STRANGE_WEIGHT = 4.0  # words the model does not know speak for "not a town's matter"
OUT_OF_SCOPE_LEAN = 1.0
CASE_NUMBER_WEIGHT = 6.0
WHOLE_PHRASE_WEIGHT = 8.0
ANSWER_SCORE = 0.80
CHOOSE_SCORE = 0.10
REJECT_SCORE = 0.40

# How a town's words weigh against the model.
TOWN_LIKENESS_MIN = 0.5
TOWN_WEIGHT = 14.0
NARROW_LIKENESS_MIN = 0.6
NARROW_LEAD = 0.05
EXACT_LIKENESS = 0.98
EXACT_WEIGHT = 3.0
CLOSE_LIKENESS = 0.75
ADOPT_SHARE = 0.4
ORPHAN_REMOTENESS = 3.0  # a choice that serves none of the platform's intents starts this far below the best of them

Decision = Literal["answer", "choose", "unknown"]


@dataclass(frozen=True, slots=True)
class Understood:
    """`intents`: best first, at most three, scores 0..1 (how often such a guess is right).

    `narrowed`: intent → the town's one choice it was about. `also`: a second request in the same message. `wish`: the
    language or script the citizen asks for.
    """

    intents: tuple[tuple[str, float], ...]
    decision: Decision
    danger: str | None = None
    entities: Mapping[str, Any] = field(default_factory=dict)
    narrowed: Mapping[str, str] = field(default_factory=dict)
    also: str | None = None
    wish: Wish | None = None


def understand(text: str, index: Mapping[str, Any]) -> Understood:
    """What `text` asks for, by the platform's model and the town's index (see `town.build_index`)."""
    model = platform_model()
    found, rest = entities.read(text, index.get("region", ""), index.get("settlements", ()))
    ordered = words(fold(rest))
    street = "" if rest.isupper() else found.get("address", {}).get("street", "")  # in capitals anything looks like one
    ranking = _surest(ordered, street, found, index, model)
    decision = decide(ranking.scores)
    best = _best(ranking.scores)
    return Understood(
        intents=best,
        decision=decision,
        danger=danger_in(ordered, model),
        entities=found | _problem(best, decision),
        narrowed={intent: ranking.narrowed[intent] for intent, _ in best if intent in ranking.narrowed},
        also=_second(rest, best, decision, index, model),
        wish=wish_in(ordered) if decision != "unknown" and best[0][0] == LANGUAGE_SETTING else None,
    )


def _surest(
    ordered: list[str], street: str, found: Mapping[str, Any], index: Mapping[str, Any], model: Model
) -> Ranking:
    """The ranking of the message. Where that is no clear answer, maybe of what is left without the name of a street,
    which may be called like anything: the surer of both, for what stands before a number may be no street."""
    ranking = rank(ordered, found, index, model)
    if not street or decide(ranking.scores) == "answer":
        return ranking
    named = words(fold(street))
    rest = [word for word in ordered if word not in named]
    return max(ranking, rank(rest, found, index, model), key=lambda one: _best(one.scores)[0][1]) if rest else ranking


def danger_of(text: str, index: Mapping[str, Any] | None = None) -> str | None:
    """The danger a message speaks of, and nothing else of it."""
    rest = entities.read(text, (index or {}).get("region", ""))[1]
    return danger_in(words(fold(rest)), platform_model())


def danger_in(ordered: list[str], model: Model) -> str | None:
    """The kind of danger the message speaks of, if any."""
    said = Spoken(ordered)
    if not any_match(model.alarms, said):  # as with nearly all: one look
        return None
    for kind, rules in model.head["dangers"].items():
        if any_match(rules["words"], said) and not any_match(rules["unless"], said):
            return str(kind)
    return None


# --- ranking ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Ranking:
    """Every intent's score (they sum to one), and which of the town's choices an intent was narrowed to."""

    scores: Mapping[str, float]
    narrowed: Mapping[str, str]


def rank(ordered: list[str], found: Mapping[str, Any], index: Mapping[str, Any], model: Model) -> Ranking:
    figures, known = score(model, ordered)
    evidence = dict(zip(model.head["labels"], [SHARPNESS * figure for figure in figures], strict=True))
    evidence[OUT_OF_SCOPE] += OUT_OF_SCOPE_LEAN + STRANGE_WEIGHT * (1.0 - known) * bool(ordered)
    said = whole(model, ordered)
    if said:
        evidence[said] += WHOLE_PHRASE_WEIGHT
    if "file_numbers" in found or "references" in found:
        evidence[CASE_STATUS] += CASE_NUMBER_WEIGHT
    alike = [each for each in likenesses(ordered, index, model) if each.degree >= TOWN_LIKENESS_MIN]
    if not alike:
        return Ranking(_shares(evidence), {})
    serves = _serves(alike, evidence)
    return Ranking(_shares(_raised(evidence, alike, serves)), _narrowed(alike, serves))


def _serves(alike: Sequence[Likeness], evidence: Mapping[str, float]) -> dict[str, tuple[str, ...]]:
    """The town's node → the intents it stands for. One that fits closely also narrows what the model is sure of."""
    top = max(evidence, key=evidence.__getitem__)
    adopts = 1.0 / sum(_powers(evidence)) >= ADOPT_SHARE and top != OUT_OF_SCOPE and not clauses.is_small_talk(top)
    return {
        each.node: each.parents
        + ((top,) if adopts and each.degree >= CLOSE_LIKENESS and top not in each.parents else ())
        if each.choice
        else (each.node,)
        for each in alike
    }


def _raised(
    evidence: Mapping[str, float], alike: Sequence[Likeness], serves: Mapping[str, Sequence[str]]
) -> dict[str, float]:
    """The evidence with the town's words; a choice that stands for no intent is a candidate of its own."""
    raised = dict(evidence)
    floor = max(evidence.values()) - ORPHAN_REMOTENESS
    for each in alike:
        gain = TOWN_WEIGHT * (each.degree - TOWN_LIKENESS_MIN) + EXACT_WEIGHT * (each.degree >= EXACT_LIKENESS)
        for name in serves[each.node] or (each.node,):
            raised[name] = max(raised.get(name, floor), evidence.get(name, floor) + gain)
    return raised


def _narrowed(alike: Sequence[Likeness], serves: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """Intent → the choice that is clearly the most alike of those that serve it."""
    best: dict[str, list[Likeness]] = {}
    for each in alike:
        if each.choice:
            for name in serves[each.node]:
                best.setdefault(name, []).append(each)
    return {
        name: found[0].node
        for name, found in best.items()
        if found[0].degree >= NARROW_LIKENESS_MIN
        and (len(found) == 1 or found[0].degree - found[1].degree >= NARROW_LEAD)
    }


def _shares(evidence: Mapping[str, float]) -> dict[str, float]:
    powers = _powers(evidence)
    whole = sum(powers)
    return dict(zip(evidence, [power / whole for power in powers], strict=True))


def _powers(evidence: Mapping[str, float]) -> list[float]:
    """In the order of the evidence; the surest has 1."""
    top = max(evidence.values())
    return [math.exp(value - top) for value in evidence.values()]


# --- deciding ---------------------------------------------------------------------------------------------------


def decide(scores: Mapping[str, float]) -> Decision:
    """Answer, offer choices, or say that it was not understood."""
    others = dict(scores)
    strange = others.pop(OUT_OF_SCOPE, 0.0)
    best = max(others.values(), default=0.0)
    if best < CHOOSE_SCORE or strange >= REJECT_SCORE:
        return "unknown"
    return "answer" if best >= ANSWER_SCORE else "choose"


def _best(scores: Mapping[str, float]) -> tuple[tuple[str, float], ...]:
    ordered = sorted(scores, key=scores.__getitem__, reverse=True)[: INTENTS_MAX + 1]
    return tuple([(name, round(scores[name], 3)) for name in ordered if name != OUT_OF_SCOPE][:INTENTS_MAX])


def _problem(best: Sequence[tuple[str, float]], decision: Decision) -> dict[str, Any]:
    category = problems.category_of(best[0][0]) if best and decision != "unknown" else None
    return {"category": category, "photo_helps": problems.photo_helps(category)} if category else {}


def _second(
    text: str, best: Sequence[tuple[str, float]], decision: Decision, index: Mapping[str, Any], model: Model
) -> str | None:
    """The other request of a message that holds two, if one of its clauses alone says it clearly."""
    if decision == "unknown":
        return None
    for clause in clauses.of(text):
        scores = rank(words(fold(clause)), {}, index, model).scores
        top = _best(scores)[0][0]
        if decide(scores) == "answer" and top != best[0][0] and not clauses.is_small_talk(top):
            return top
    return None
