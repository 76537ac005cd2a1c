"""Which of the four language families a message is in: South Slavic (`sr`), Albanian, English or German.

Serbian, Bosnian and Montenegrin cannot be told apart from one message; the town says which of them it speaks.
"""

from __future__ import annotations

import struct
import unicodedata
import zlib
from array import array
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path

from chalicelib.language.scripts import script_of, to_latin
from chalicelib.patterns import pattern

FAMILIES = ("sr", "sq", "en", "de")
LETTERS_MAX = 400
PIECE_LETTERS = (1, 2, 3, 4)
LEAD_MIN = 0.12  # below it nothing is said, and the conversation's language stays
KNOWN_SHARE_MIN = 0.45  # of the pieces of three letters and more: less is no language of ours
TELLING_LETTERS = 3
WORDS_KEPT_MAX = 1024  # people use few words, and those again and again
PATH = Path(__file__).parent / "languages.bin"
_HEAD = struct.Struct("<If")
_NUMBERED = pattern(r"(?<!\S)\S*\d\S*")  # references and numbers are of no language


def language_of(text: str) -> str | None:
    """The family, or None when nothing tells (a number, an emoji, one unknown word)."""
    if script_of(text) == "cyrillic":
        return "sr"
    spoken = _words(text)
    if not spoken:
        return None
    *sums, known, telling, told = map(sum, zip(*map(_weighed, spoken), strict=True))
    if told < KNOWN_SHARE_MIN * (telling or 1):
        return None
    step = _table()[0] / (known or 1) ** 0.5
    best, second = sorted(sums, reverse=True)[:2]
    return FAMILIES[sums.index(best)] if (best - second) * step >= LEAD_MIN else None


def pieces(text: str) -> list[str]:
    """Letters in ones to fours and whole words, lower case, with their marks: what languages differ in."""
    return [piece for word in _words(text) for piece in _pieces(word)]


def _words(text: str) -> list[str]:
    plain = _NUMBERED.sub(" ", unicodedata.normalize("NFC", to_latin(text[:LETTERS_MAX])).lower())
    return "".join([letter if letter.isalpha() else " " for letter in plain]).split()


def _pieces(word: str) -> list[str]:
    padded = f"<{word}>"
    found = [padded[start : start + size] for size in PIECE_LETTERS for start in range(len(padded) - size + 1)]
    return [*found, "=" + word]


@lru_cache(maxsize=WORDS_KEPT_MAX)
def _weighed(word: str) -> tuple[int, ...]:
    """Of a word: one sum a family, how many of its pieces were seen in training, how many are long enough to tell, and
    how many of those were seen."""
    _, rows, weights = _table()
    found = _pieces(word)
    met = list(map(rows.get, map(zlib.crc32, map(str.encode, found))))
    known = [row for row in met if row is not None]
    telling = [row is not None for piece, row in zip(found, met, strict=True) if len(piece) >= TELLING_LETTERS]
    return (*(sum(map(of.__getitem__, known)) for of in weights), len(known), len(telling), sum(telling))


@lru_cache(maxsize=1)
def _table() -> tuple[float, Mapping[int, int], Sequence[Sequence[int]]]:
    """The step of one unit, the row of each piece, and each family's weights by row; made by `infra/train.py`."""
    data = PATH.read_bytes()
    count, step = _HEAD.unpack_from(data)
    keys, weights = array("I"), array("b")
    end = _HEAD.size + count * keys.itemsize
    keys.frombytes(data[_HEAD.size : end])
    weights.frombytes(data[end:])
    many = len(FAMILIES)
    return step, dict(zip(keys, range(count), strict=True)), [weights[family::many] for family in range(many)]


def pack(step: float, rows: Mapping[str, tuple[int, ...]]) -> bytes:
    """The file's bytes, sorted by piece so that the same content gives the same bytes."""
    keyed = dict(sorted((zlib.crc32(piece.encode()), row) for piece, row in rows.items()))
    keys, weights = array("I", keyed), array("b", [weight for row in keyed.values() for weight in row])
    return _HEAD.pack(len(keys), step) + keys.tobytes() + weights.tobytes()
