"""Things with a shape inside a message: numbers of cases, people and phones, dates, places. Pure.

What is found first is masked before the next reader looks: a file number reads like a date or a phone, and none of them
says anything about what the citizen wants.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from chalicelib.patterns import pattern
from chalicelib.understanding.entities import places
from chalicelib.understanding.entities.masking import without_links

TEXT_CHARS_MAX = 1000
_DIGIT = pattern(r"\d")
_CAPITALS = pattern(r"\b[^\W\d_a-zа-я]{2}-?[AEJKMTАЕЈКМТ]{4}-?[AEJKMTАЕЈКМТ]{3}\b")  # a reference may have no digit


def entities_of(text: str, region: str = "", settlements: Sequence[str] = ()) -> dict[str, Any]:
    """What `text` names: lists under `references`, `file_numbers`, `personal_numbers`, `dates`, `phones` and
    `settlements`, an `address` as street and number.

    `region`: the country whose phone numbers may lack their country code.
    """
    return read(text, region, settlements)[0]


def read(text: str, region: str = "", settlements: Sequence[str] = ()) -> tuple[dict[str, Any], str]:
    """The entities, and the text with links, numbers and dates blanked out (places stay: they are words)."""
    found: dict[str, Any] = {}
    rest = without_links(text[:TEXT_CHARS_MAX])
    if _DIGIT.search(rest) or _CAPITALS.search(rest):
        for name, take in _readers(region):
            values, rest = take(rest)
            if values:
                found[name] = values
    address = places.address_in(rest)
    if address:
        found["address"] = address
    named = places.settlements_in(rest, settlements)
    if named:
        found["settlements"] = named
    return found, rest


def _readers(region: str) -> tuple[tuple[str, Callable[[str], tuple[list[str], str]]], ...]:
    """In the order in which they must look; opened only when a message holds a number."""
    from chalicelib.understanding.entities import dates, numbers, phones

    return (
        ("personal_numbers", numbers.take_personal_numbers),
        ("references", numbers.take_references),
        ("file_numbers", numbers.take_file_numbers),
        ("dates", dates.take_dates),
        ("phones", lambda text: phones.take_phones(text, region)),
    )
