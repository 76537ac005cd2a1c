"""Keyword rules on a folded message: all words of a rule must occur; a word ending in * matches as a prefix."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any

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


class Spoken:
    """A message's words as rules look at them, of which there are hundreds: each between blanks, and how they begin."""

    __slots__ = ("initials", "text")

    def __init__(self, ordered: Sequence[str]) -> None:
        self.text = f" {' '.join(ordered)} "
        self.initials = {word[0] for word in ordered}


def matches(rule: str, said: Spoken) -> bool:
    """Whether every word of `rule` occurs in what was said."""
    if rule[:1] not in said.initials:
        return False
    for word in rule.split():  # noqa: SIM110 - a generator costs more than what it looks at
        if (f" {word[:-1]}" if word[-1] == "*" else f" {word} ") not in said.text:
            return False
    return True


def any_match(rules: Sequence[str], said: Spoken) -> bool:
    """Whether one of `rules`, which are in order, matches: only those that begin as a word does are looked at."""
    for initial in said.initials:
        for place in range(bisect_left(rules, initial), len(rules)):
            if rules[place][0] != initial:
                break
            if matches(rules[place], said):
                return True
    return False


def met(entries: Sequence[list[Any]], said: Spoken) -> list[list[Any]]:
    """Those of `entries` (a rule, and what it stands for), which are in order, whose rule matches."""
    found = []
    for initial in said.initials:
        for place in range(bisect_left(entries, [initial]), len(entries)):
            entry = entries[place]
            if entry[0][0] != initial:
                break
            if matches(entry[0], said):
                found.append(entry)
    return found


def first_match(rules: Iterable[str], said: Spoken) -> str | None:
    return next((rule for rule in rules if matches(rule, said)), None)
