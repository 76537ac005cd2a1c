"""Case references and access codes: short, unguessable, readable aloud, alike in both scripts. Pure.

A reference is the town's prefix and seven letters of an alphabet whose letters look the same in Latin and Cyrillic.
The last one is a check: over the dihedral group of fourteen elements (Verhoeff's scheme with Gumm's permutation), which
catches every single wrong letter and every swap of two neighbours.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import unicodedata

from chalicelib.language.scripts import to_latin
from chalicelib.patterns import pattern

FIGURES = "23456789"
ALPHABET = f"AEJKMT{FIGURES}"
REFERENCE_LETTERS = 7
ACCESS_CODE_LETTERS = 6
RANDOM_BYTES_MIN = 8  # with fewer, some references would be noticeably likelier than others
TYPED_CHARS_MAX = 40
_HALF = len(ALPHABET) // 2  # of the group: rotations first, then reflections
_SHAPE = pattern(rf"([A-Z]{{2}})([{ALPHABET}]{{{REFERENCE_LETTERS}}})")


def reference(prefix: str, random: bytes) -> str:
    """A new reference, e.g. `SO-7KM4-2A9`, from at least eight random bytes."""
    body = _letters(random, REFERENCE_LETTERS - 1)
    return _grouped(prefix, body + _check_letter(body))


def normalise(typed: str) -> str | None:
    """The reference somebody typed, in either script, any case, with or without blanks and hyphens; None if it is none.

    Whether its check letter fits is for `is_sound` to say: a slip of the finger deserves an answer of its own.
    """
    latin = to_latin(unicodedata.normalize("NFC", typed[:TYPED_CHARS_MAX]).upper())
    plain = "".join(
        letter
        for letter in unicodedata.normalize("NFKD", latin)
        if letter.isalnum() and not unicodedata.combining(letter)
    )
    match = _SHAPE.fullmatch(plain.upper())
    return _grouped(match[1], match[2]) if match else None


def is_sound(written: str) -> bool:
    """Whether the check letter of a normalised reference fits the others."""
    body = written.replace("-", "")[-REFERENCE_LETTERS:]
    return _check_letter(body[:-1]) == body[-1]


def access_code(random: bytes) -> str:
    """The code of a receipt, with which somebody else than the owner's own chat may ask about the case.

    It has a figure: letters alone might be taken for a word of one of the languages people write in.
    """
    code = _letters(random, ACCESS_CODE_LETTERS)
    return code if any(letter.isdigit() for letter in code) else code[:-1] + FIGURES[random[0] % len(FIGURES)]


def access_hash(written: str, code: str) -> str:
    """What is stored of an access code. It is bound to its case: the same code opens no other."""
    plain = re.sub(r"[\W_]", "", to_latin(code[:TYPED_CHARS_MAX].upper()))
    return hmac.new(written.encode(), plain.encode(), hashlib.sha256).hexdigest()[:32]


def code_fits(written: str, code: str, stored: str) -> bool:
    """Whether `code` is the access code of the case; a case without one is opened by none. Takes the same time."""
    return hmac.compare_digest(access_hash(written, code), stored or "none")


def _letters(random: bytes, count: int) -> str:
    if len(random) < RANDOM_BYTES_MIN:
        raise ValueError(f"at least {RANDOM_BYTES_MIN} random bytes are needed")
    number, letters = int.from_bytes(random, "big"), []
    for _ in range(count):
        number, rest = divmod(number, len(ALPHABET))
        letters.append(ALPHABET[rest])
    return "".join(letters)


def _grouped(prefix: str, body: str) -> str:
    return f"{prefix}-{body[:4]}-{body[4:]}"


# --- the check letter -------------------------------------------------------------------------------------------


def _check_letter(body: str) -> str:
    product = 0
    for distance, letter in enumerate(reversed(body), 1):
        product = _times(_moved(ALPHABET.index(letter), distance), product)
    return ALPHABET[next(x for x in range(len(ALPHABET)) if _times(product, x) == 0)]


def _times(x: int, y: int) -> int:
    """The group's product: turns add up, a reflection turns the other way what comes after it."""
    turn, mirrored = x % _HALF, x >= _HALF
    added = (turn - y % _HALF if mirrored else turn + y % _HALF) % _HALF
    return added + _HALF * (mirrored ^ (y >= _HALF))


def _moved(x: int, times: int) -> int:
    """The permutation applied `times` times; it is what makes neighbours that are swapped count differently."""
    for _ in range(times):
        x = -x % _HALF if x < _HALF else _HALF + (x + 1) % _HALF
    return x
