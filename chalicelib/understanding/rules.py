"""Keyword rules on a folded message: all words of a rule must occur; a word ending in * matches as a prefix."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache

from chalicelib.language.folding import fold

RULES_KEPT_MAX = 2048  # services say theirs anew with every form
KEYWORDS = "keywords"  # beside the languages of an intent


@lru_cache(maxsize=RULES_KEPT_MAX)
def compile_rule(entry: str) -> str:
    """A rule in the folded form in which it is stored; the stars of its prefixes are kept."""
    parts = []
    for word in entry.split():
        star = word.endswith("*")
        folded = fold(word.rstrip("*"))
        parts.append(folded + "*" if star else folded)
    return " ".join(parts)


def matches(rule: str, present: frozenset[str] | set[str], ordered: Sequence[str]) -> bool:
    """Whether every word of `rule` occurs among the message's words."""
    for word in rule.split():
        if word.endswith("*"):
            stem = word[:-1]
            if not any(candidate.startswith(stem) for candidate in ordered):
                return False
        elif word not in present:
            return False
    return True


def first_match(rules: Iterable[str], present: set[str], ordered: Sequence[str]) -> str | None:
    return next((rule for rule in rules if matches(rule, present, ordered)), None)
