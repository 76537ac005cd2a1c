"""Where something is: street and number as people write them, and the town's settlements in any case ending."""

from __future__ import annotations

import re
from collections.abc import Sequence

from chalicelib.language.folding import fold, words

STEM_LETTERS_MIN = 4
ENDING_LETTERS_MAX = 3
_NAME = r"[^\W\d_][\w'’.-]*"
_PROPER = r"(?:[A-ZČĆŠŽĐÇËÄÖÜА-ЯЂЈЉЊЋЏ][\w'’-]*|[IVX]{1,4}\b)"
_NUMBER = r"(?:br(?:oj|\.)?\s?|бр(?:ој|\.)?\s?|nr\.?\s?|no\.?\s?)?(\d{1,4}\s?[a-zа-шA-F]?(?:/\d{1,3})?|b\.?b\.?|бб)(?![\w:%])"
_UNITS = r"(?!\s*(?:dan|sat|čas|mes|mjes|god|nedelj|nedjelj|minut|metar|metr|km|din|eur|rsd|dit|dite|orë|or|jav|days?|hours?|weeks?|months?|years?|tage?|stunden|wochen|monat|jahr|uhr|h\b|m\b|дан|сат|мес|мјес|год|нед|мет|ком|put|пут|let|osob|ljud|lampi|sijalic|kontejner))"
_STREET_WORD = r"(?:ulic[aeiou]|ul\.?|уллиц\w|улиц[аеиоу]|ул\.?|bulevar\w*|булевар\w*|trg\w*|трг\w*|rrug[aeën]+s?|rr\.?|sokak\w*|сокак\w*)"
_PATTERNS = (
    re.compile(rf"(?<!\w)((?i:{_STREET_WORD})\s+{_NAME}(?:\s+{_NAME}){{0,3}}?),?\s+(?i:{_NUMBER}){_UNITS}"),
    re.compile(rf"(?<!\w)({_PROPER}(?:\s+(?:{_PROPER}|i|i\s)){{0,3}}\s*(?:ulica|улица)?),?\s+(?i:kod broja\s|код броја\s)?(?i:{_NUMBER}){_UNITS}"),
    re.compile(rf"(?<!\w)([A-ZÄÖÜ][\wäöüß-]*(?:straße|strasse|str\.|gasse|weg|platz)),?\s+(?i:{_NUMBER}){_UNITS}"),
)
_ENGLISH = re.compile(r"(?<!\w)(\d{1,4}[a-zA-F]?)\s+([A-Z][\w'’-]*(?:\s+[A-Z][\w'’-]*){0,3}\s+(?:Street|Road|Avenue|Square|Lane|St|Rd))\b")
_NO_STREETS = frozenset(
    """ulica ulici ulicu imam zivim nema ima vec treba nas nam ovde tu za do od dodatak zakon clan obrazac broj zgrada stan sprat
    nr no we i the my i'm there since wir ich es wo wann das die der hat seit kam une ka""".split()  # noqa: SIM905
)


def address_in(text: str) -> dict[str, str] | None:
    """Street and number if the message names both; "bb" is a number (without number)."""
    english = _ENGLISH.search(text)
    if english:
        return {"street": english[2], "number": english[1]}
    for pattern in _PATTERNS:
        for match in pattern.finditer(text):
            street = " ".join(match[1].split()).rstrip(",")
            if fold(street) and fold(street).split()[0] not in _NO_STREETS:
                return {"street": street, "number": match[2].replace(" ", "").lower()}
    return None


def settlements_in(text: str, settlements: Sequence[str]) -> list[str]:
    """The town's settlements a message names, as the town writes them, whatever the case ending."""
    spoken = words(fold(text))
    return [name for name in settlements if _named(words(fold(name)), spoken)]


def _named(name: list[str], spoken: list[str]) -> bool:
    width = len(name)
    return width > 0 and any(
        all(_inflected(part, word) for part, word in zip(name, spoken[start : start + width], strict=True))
        for start in range(len(spoken) - width + 1)
    )


def _inflected(name: str, word: str) -> bool:
    """Whether `word` is `name` with another ending (Gakovo, u Gakovu; Bezdan, iz Bezdana)."""
    if name == word:
        return True
    stem = name[:-1] if name[-1] in "aeiou" else name
    return len(stem) >= STEM_LETTERS_MIN and word.startswith(stem) and len(word) - len(stem) <= ENDING_LETTERS_MAX
