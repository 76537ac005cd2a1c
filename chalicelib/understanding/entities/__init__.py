"""Things with a shape inside a message: numbers of cases, people and phones, dates, places. Pure.

What is found first is masked before the next reader looks: a file number reads like a date or a phone, and none of them
says anything about what the citizen wants.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from chalicelib.understanding.entities import dates, numbers, phones, places

TEXT_CHARS_MAX = 1000


def entities_of(text: str, region: str = "", settlements: Sequence[str] = ()) -> dict[str, Any]:
    """What `text` names: lists under `references`, `file_numbers`, `personal_numbers`, `dates`, `phones`, `settlements`;
    `address` as street and number. `region`: the country whose phone numbers may lack their country code."""
    return read(text, region, settlements)[0]


def read(text: str, region: str = "", settlements: Sequence[str] = ()) -> tuple[dict[str, Any], str]:
    """The entities, and the text with links, numbers and dates blanked out (places stay: they are words)."""
    found: dict[str, Any] = {}
    rest = numbers.without_links(text[:TEXT_CHARS_MAX])
    if any(letter.isdigit() for letter in rest) or numbers.may_hold_reference(rest):
        for name, reader in (
            ("personal_numbers", numbers.take_personal_numbers),
            ("references", numbers.take_references),
            ("file_numbers", numbers.take_file_numbers),
            ("dates", dates.take_dates),
            ("phones", lambda each: phones.take_phones(each, region)),
        ):
            values, rest = reader(rest)
            if values:
                found[name] = values
    address = places.address_in(rest)
    if address:
        found["address"] = address
    named = places.settlements_in(rest, settlements)
    if named:
        found["settlements"] = named
    return found, rest
