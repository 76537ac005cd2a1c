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
PATH = Path(__file__).parent / "languages.bin"
_HEAD = struct.Struct("<If")
_NUMBERED = pattern(r"(?<!\S)\S*\d\S*")  # references and numbers are of no language


def language_of(text: str) -> str | None:
    """The family, or None when nothing tells (a number, an emoji, one unknown word)."""
    if script_of(text) == "cyrillic":
        return "sr"
    found = pieces(text)
    if not found:
        return None
    scores, known = _scores(found)
    if known < KNOWN_SHARE_MIN:
        return None
    best, second = sorted(scores, reverse=True)[:2]
    return FAMILIES[scores.index(best)] if best - second >= LEAD_MIN else None


def pieces(text: str) -> list[str]:
    """Letters in ones to fours and whole words, lower case, with their marks: what languages differ in."""
    plain = _NUMBERED.sub(" ", unicodedata.normalize("NFC", to_latin(text[:LETTERS_MAX])).lower())
    found: list[str] = []
    for word in "".join(letter if letter.isalpha() else " " for letter in plain).split():
        padded = f"<{word}>"
        for size in PIECE_LETTERS:
            found += [padded[start : start + size] for start in range(len(padded) - size + 1)]
        found.append("=" + word)
    return found


def _scores(found: list[str]) -> tuple[list[float], float]:
    """One figure a family, and the share of the longer pieces that were seen in training."""
    step, rows, weights = _table()
    met = list(map(rows.get, map(zlib.crc32, map(str.encode, found))))
    known = [row for row in met if row is not None]
    telling = [row is not None for piece, row in zip(found, met, strict=True) if len(piece) >= TELLING_LETTERS]
    unit = step / (len(known) or 1) ** 0.5
    return [sum(map(of.__getitem__, known)) * unit for of in weights], sum(telling) / (len(telling) or 1)


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
