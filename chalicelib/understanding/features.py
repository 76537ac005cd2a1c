"""What the model sees of a folded message: pieces of words, whole words, beginnings, neighbours.

Pieces of three to five letters meet across endings, dialects and typing errors; one function serves training, towns'
own words and every message, and its version stands in the model.
"""

from __future__ import annotations

from collections.abc import Sequence

VERSION = 1
PIECE_LETTERS = (3, 4, 5)
BEGINNINGS_LETTERS = (5, 7)
NEIGHBOUR_LETTERS = 4
WORDS_MAX = 120
WORD_LETTERS_MAX = 24


def features(ordered: Sequence[str]) -> list[str]:
    """The features of a message's words, repeated as often as they occur."""
    found: list[str] = []
    before = ""
    for whole in ordered[:WORDS_MAX]:
        word = whole[:WORD_LETTERS_MAX]
        padded = f"<{word}>"
        length = len(padded)
        for size in PIECE_LETTERS:
            found += [padded[start : start + size] for start in range(length - size + 1)]
        found += ["=" + word, "^" + word[:5]]
        if length > 8:
            found.append("^" + word[:7])
        if before:
            found.append(f"{before}_{word[:NEIGHBOUR_LETTERS]}")
        before = word[:NEIGHBOUR_LETTERS]
    return found
