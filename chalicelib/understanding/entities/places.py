"""Where something is: street and number as people write them, and the town's settlements in any case ending."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

from chalicelib.language.folding import fold, words
from chalicelib.patterns import pattern

STEM_LETTERS_MIN = 4
ENDING_LETTERS_MAX = 3
BEGINNING_LETTERS = 3  # that no ending changes
TOWNS_KEPT_MAX = 64
_NAME = r"[^\W\d_][\w'’.-]*"
_PROPER = r"(?:[A-ZČĆŠŽĐÇËÄÖÜА-ЯЂЈЉЊЋЏ][\w'’-]*|[IVX]{1,4}\b)"
_NUMBER = (
    r"(?:br(?:oj|\.)?\s?|бр(?:ој|\.)?\s?|nr\.?\s?|no\.?\s?)?(\d{1,4}\s?[a-zа-шA-F]?(?:/\d{1,3})?|b\.?b\.?|бб)(?![\w:%])"
)
# What is counted here is no house number.
_COUNTED = (
    "dan|sat|čas|mes|mjes|god|nedelj|nedjelj|minut|metar|metr|km|din|eur|rsd|put|let|osob|ljud|lamp|sijalic|kontejner"
    "|дан|сат|час|мес|мјес|год|нед|мет|ком|пут|лет|dit|orë|jav|day|hour|week|month|year|tage|stunden|wochen|monat|jahr"
    r"|uhr|h\b|m\b"
)
_UNITS = rf"(?!\s*(?:{_COUNTED}))"
_STREET = r"(?:ulic[aeiou]m?|ul\.?|улиц[аеиоу]м?|ул\.?|rrug[aeën]+s?|rr\.?|sokak\w*|сокак\w*)"
_SQUARE = r"(?:bulevar\w*|булевар\w*|trg\w*|трг\w*|sheshi\w*)"
_AT = r"(?i:\s*,?\s+|\s+kod broja\s+|\s+код броја\s+)"
_HOUSE = pattern(r"\d|(?i:\bb\.?b\b|\bбб\b)")
_BEFORE = frozenset(
    """na u kod iz ispred iza pored preko kraj do od at in on near ne te prej an der ulici ulica""".split()  # noqa: SIM905
)
_NO_STREETS = frozenset(
    """imam zivim nema ima vec treba nas nam ovde tu za dodatak zakon clan obrazac broj zgrada stan sprat ulaz predmet
    nr no we i the my there since wir ich es wo wann das die hat seit kam une ka dobar postovani""".split()  # noqa: SIM905
)


def has_house(text: str) -> bool:
    """Whether the words hold a house number, or the "bb" of a house that has none."""
    return _HOUSE.search(text) is not None


def address_in(text: str) -> dict[str, str] | None:
    """Street and number if the message names both; "bb" is a number (without number)."""
    if not _HOUSE.search(text):
        return None
    patterns, number_first = _patterns()
    english = number_first.search(text)
    if english:
        return {"street": english[2], "number": english[1]}
    for written in patterns:
        for match in written.finditer(text):
            street = _street(match[1])
            if street:
                return {"street": street, "number": match[2].replace(" ", "").lower()}
    return None


@lru_cache(maxsize=1)
def _patterns() -> tuple[tuple[re.Pattern[str], ...], re.Pattern[str]]:
    """Street before number in four ways, number before street in English; made when a message first holds a number."""
    return (
        (
            pattern(rf"(?<!\w)(?i:{_STREET})\s+({_NAME}(?:\s+{_NAME}){{0,3}}?){_AT}(?i:{_NUMBER}){_UNITS}"),
            pattern(rf"(?<!\w)((?i:{_SQUARE})\s+{_NAME}(?:\s+{_NAME}){{0,3}}?){_AT}(?i:{_NUMBER}){_UNITS}"),
            pattern(rf"(?<!\w)([A-ZÄÖÜ][\wäöüß-]*(?:straße|strasse|str\.|gasse|weg|platz)){_AT}(?i:{_NUMBER}){_UNITS}"),
            pattern(
                rf"(?<!\w)({_PROPER}(?:\s+(?:{_PROPER}|i)){{0,3}})(?:\s+(?i:ulica|улица))?{_AT}(?i:{_NUMBER}){_UNITS}"
            ),
        ),
        pattern(
            r"(?<!\w)(\d{1,4}[a-zA-F]?)\s+([A-Z][\w'’-]*(?:\s+[A-Z][\w'’-]*){0,3}\s+(?:Street|Road|Avenue|Square|Lane|St|Rd))\b"
        ),
    )


def _street(written: str) -> str:
    """The name without the preposition before it; empty if it is no street."""
    parts = written.rstrip(",").split()
    while parts and fold(parts[0]) in _BEFORE:
        parts.pop(0)
    return " ".join(parts) if parts and fold(parts[0]) not in _NO_STREETS else ""


def settlements_in(text: str, settlements: Sequence[str]) -> list[str]:
    """The town's settlements a message names, as the town writes them, whatever the case ending."""
    spoken = words(fold(text))
    begun = {word[:BEGINNING_LETTERS] for word in spoken}
    named = _in_words(tuple(settlements))
    return [name for name, parts in named if parts[0][:BEGINNING_LETTERS] in begun and _named(parts, spoken)]


@lru_cache(maxsize=TOWNS_KEPT_MAX)
def _in_words(settlements: tuple[str, ...]) -> tuple[tuple[str, list[str]], ...]:
    """Each settlement that has letters, and its words."""
    return tuple((name, parts) for name in settlements if (parts := words(fold(name))))


def _named(name: list[str], spoken: list[str]) -> bool:
    width = len(name)
    return any(
        all(_inflected(part, word) for part, word in zip(name, spoken[start : start + width], strict=True))
        for start in range(len(spoken) - width + 1)
    )


def _inflected(name: str, word: str) -> bool:
    """Whether `word` is `name` with another ending (Gakovo, u Gakovu; Bezdan, iz Bezdana)."""
    if name == word:
        return True
    stems = [name[:-1] if name[-1] in "aeiou" else name]
    if len(name) > STEM_LETTERS_MIN and name[-2] == "a":
        stems.append(name[:-2] + name[-1])  # Petrovac, u Petrovcu
    return any(
        len(stem) >= STEM_LETTERS_MIN and word.startswith(stem) and len(word) - len(stem) <= ENDING_LETTERS_MAX
        for stem in stems
    )
