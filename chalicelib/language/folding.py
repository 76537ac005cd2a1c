"""One form for matching: lower case, Latin, without diacritics, ijekavian folded to ekavian, repeats squeezed.

Both sides of a comparison are folded, so what matters is only that what people mean alike becomes alike.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

from chalicelib.language.scripts import to_latin
from chalicelib.patterns import pattern

TEXT_CHARS_MAX = 1000
TEXTS_KEPT_MAX = 256  # a turn folds its message and the labels of its buttons several times over
_SPECIAL = str.maketrans({"đ": "dj", "ß": "ss", "ł": "l", "ø": "o", "æ": "ae", "ı": "i", "’": "'", "`": "'"})
_REPEATS = pattern(r"(.)\1+")
_IJE = pattern(r"(?<=[^\W\d_])ije|(?<=[bcdfghklmnpqrstvzx])je")
_NOT_WORD = pattern(r"[^\w\s'/-]|_")
_WORDS = pattern(r"[^\W_]+")


def fold(text: str) -> str:
    """`text` (its first 1,000 characters) folded; words stay apart, punctuation becomes a blank."""
    return _folded(text[:TEXT_CHARS_MAX])


@lru_cache(maxsize=TEXTS_KEPT_MAX)
def _folded(text: str) -> str:
    plain = text.lower() if text.isascii() else _without_marks(to_latin(text).lower().translate(_SPECIAL))
    if not plain.isalnum():
        plain = _NOT_WORD.sub(" ", plain.replace("`", "'"))
    if "je" in plain:
        plain = _IJE.sub("e", plain)
    return " ".join(_REPEATS.sub(_squeeze, plain.replace("dj", "d")).split())


def _without_marks(text: str) -> str:
    decomposed = unicodedata.normalize("NFKD", text)
    return "".join([letter for letter in decomposed if not unicodedata.combining(letter)])


def _squeeze(match: re.Match[str]) -> str:
    return match.group() if match.group(1).isdigit() else match.group(1)


def words(folded: str) -> list[str]:
    """The words of a folded text, in order."""
    return _WORDS.findall(folded)
