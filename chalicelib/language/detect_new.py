"""Which of the four language families a message is in: South Slavic (`sr`), Albanian, English or German.

Serbian, Bosnian and Montenegrin cannot be told apart from one message; the town says which of them it speaks.
"""

from __future__ import annotations

import struct
import unicodedata
import zlib
from array import array
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

from chalicelib.language.scripts import script_of, to_latin

FAMILIES = ("sr", "sq", "en", "de")
LETTERS_MAX = 400
PIECE_LETTERS = (1, 2, 3, 4)
LEAD_MIN = 0.06  # below it nothing is said, and the conversation's language stays
PATH = Path(__file__).parent / "languages.bin"
_HEAD = struct.Struct("<If")


def language_of(text: str) -> str | None:
    """The family, or None when nothing tells (a number, an emoji, one unknown word)."""
    if script_of(text) == "cyrillic":
        return "sr"
    found = pieces(text)
    if not found:
        return None
    scores = _scores(found)
    best, second = sorted(scores, reverse=True)[:2]
    return FAMILIES[scores.index(best)] if best - second >= LEAD_MIN else None


def pieces(text: str) -> list[str]:
    """Letters in ones to fours and whole words, lower case, with their marks: what languages differ in."""
    plain = unicodedata.normalize("NFC", to_latin(text[:LETTERS_MAX])).lower()
    found: list[str] = []
    for word in "".join(letter if letter.isalpha() else " " for letter in plain).split():
        padded = f"<{word}>"
        for size in PIECE_LETTERS:
            found += [padded[start : start + size] for start in range(len(padded) - size + 1)]
        found.append("=" + word)
    return found


def _scores(found: list[str]) -> list[float]:
    step, weights = _table()
    totals = [0] * len(FAMILIES)
    known = 0
    for piece in found:
        row = weights.get(zlib.crc32(piece.encode()))
        if row is not None:
            known += 1
            for family, weight in enumerate(row):
                totals[family] += weight
    return [total * step / (known or 1) ** 0.5 for total in totals]


@lru_cache(maxsize=1)
def _table() -> tuple[float, Mapping[int, tuple[int, ...]]]:
    """The step of one unit, and per piece one weight a family; made by `infra/train.py`."""
    data = PATH.read_bytes()
    count, step = _HEAD.unpack_from(data)
    body = zlib.decompress(data[_HEAD.size :])
    keys, weights = array("I"), array("b")
    keys.frombytes(body[: count * keys.itemsize])
    weights.frombytes(body[count * keys.itemsize :])
    columns = [weights[family :: len(FAMILIES)] for family in range(len(FAMILIES))]
    return step, dict(zip(keys, zip(*columns, strict=True), strict=True))


def pack(step: float, rows: Mapping[str, tuple[int, ...]]) -> bytes:
    """The file's bytes, sorted by piece so that the same content gives the same bytes."""
    keyed = dict(sorted((zlib.crc32(piece.encode()), row) for piece, row in rows.items()))
    keys, weights = array("I", keyed), array("b", [weight for row in keyed.values() for weight in row])
    return _HEAD.pack(len(keys), step) + zlib.compress(keys.tobytes() + weights.tobytes(), 9)
