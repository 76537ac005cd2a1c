"""Phrases that come too near to a message of the development set: measured on them, a model would only remember."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator

from chalicelib.language.folding import fold, words

LETTERS_APART_MAX = 2
CONTAINED_WORDS_MIN = 3


def plain(text: str) -> str:
    """The text as it is compared: folded, without punctuation."""
    return " ".join(words(fold(text)))


def near_copies(phrases: Iterable[str], messages: Iterable[str]) -> Iterator[str]:
    """Every phrase within two letters of a message, or containing one or contained in one from three words on."""
    compared = {plain(message) for message in messages} - {""}
    by_length: dict[int, list[str]] = defaultdict(list)
    for message in compared:
        by_length[len(message)].append(message)
    long = [f" {message} " for message in compared if _words(message) >= CONTAINED_WORDS_MIN]
    for phrase in phrases:
        folded = plain(phrase)
        if _has_twin(folded, by_length) or _contains(folded, long):
            yield phrase


def _words(text: str) -> int:
    return text.count(" ") + 1


def _contains(phrase: str, messages: list[str]) -> bool:
    padded, counts = f" {phrase} ", _words(phrase) >= CONTAINED_WORDS_MIN
    return any(message in padded or (counts and padded in message) for message in messages)


def _has_twin(phrase: str, by_length: dict[int, list[str]]) -> bool:
    third = len(phrase) // 3
    # Two changes leave one of three parts untouched: the cheap question first.
    parts = (phrase[:third], phrase[third : 2 * third], phrase[2 * third :])
    return any(
        any(part in message for part in parts) and letters_apart(phrase, message) <= LETTERS_APART_MAX
        for length in range(len(phrase) - LETTERS_APART_MAX, len(phrase) + LETTERS_APART_MAX + 1)
        for message in by_length.get(length, ())
    )


def letters_apart(one: str, other: str) -> int:
    """Insertions, deletions and changes between two texts; counted no further than is asked."""
    before = list(range(len(other) + 1))
    for row, letter in enumerate(one, 1):
        now = [row]
        for column, across in enumerate(other, 1):
            now.append(min(before[column] + 1, now[-1] + 1, before[column - 1] + (letter != across)))
        if min(now) > LETTERS_APART_MAX:
            return LETTERS_APART_MAX + 1
        before = now
    return before[-1]
