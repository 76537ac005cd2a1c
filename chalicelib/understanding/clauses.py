"""The parts of a message that may each hold a request of their own."""

from __future__ import annotations

import re

from chalicelib.patterns import pattern

CLAUSES_MAX = 6
WORDS_MIN = 2
# Full stops, question marks, and the little words that join two requests.
_SEAM = pattern(
    r"[.?!;\n]+|,\s|\s(?:i|a|pa|takođe|takodje|također|kao i|и|а|па|такође|dhe|edhe|and|also|und|sowie|außerdem)\s",
    re.IGNORECASE,
)
_SMALL_TALK = ("chat.", "settings.language")


def of(text: str) -> list[str]:
    """The clauses of a message that has more than one, each of at least two words."""
    parts = [part.strip() for part in _SEAM.split(text)]
    clauses = [part for part in parts if len(part.split()) >= WORDS_MIN]
    return clauses[:CLAUSES_MAX] if len(clauses) > 1 else []


def is_small_talk(intent: str) -> bool:
    """Whether an intent is no request of its own when it comes beside one ("hvala", "dobar dan")."""
    return intent.startswith(_SMALL_TALK)
