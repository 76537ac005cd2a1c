"""What the model sees of a folded message: pieces of words, whole words, beginnings, neighbours.

Pieces of three to five letters meet across endings, dialects and typing errors; one function serves training, towns'
own words and every message, and its version stands in the model.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

VERSION = 1
PIECE_LETTERS = (3, 4, 5)
BEGINNINGS_LETTERS = (5, 7)
NEIGHBOUR_LETTERS = 4
WORDS_MAX = 120
WORD_LETTERS_MAX = 24
_BETWEEN = "_"  # stands in no folded word


def features(ordered: Sequence[str]) -> list[str]:
    """The features of a message's words, repeated as often as they occur."""
    return [feature for part in parts(ordered) for feature in of(part)]


def parts(ordered: Sequence[str]) -> list[str]:
    """What features are taken of: each word, and how it and the one before it begin."""
    spoken = [word[:WORD_LETTERS_MAX] for word in ordered[:WORDS_MAX]]
    found = spoken[:1]
    for before, word in pairwise(spoken):
        found += [word, f"{before[:NEIGHBOUR_LETTERS]}{_BETWEEN}{word[:NEIGHBOUR_LETTERS]}"]
    return found


def of(part: str) -> list[str]:
    """The features of a word; neighbours are one."""
    if _BETWEEN in part:
        return [part]
    padded = f"<{part}>"
    length = len(padded)
    found = [padded[start : start + size] for size in PIECE_LETTERS for start in range(length - size + 1)]
    found += ["=" + part, "^" + part[:5]]
    return [*found, "^" + part[:7]] if length > 8 else found
