"""An invitation by SMS: whom a pasted list names, how many messages the words are billed as, what it costs. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from chalicelib.small_classes import dataclass
from chalicelib.understanding.entities.phones import phone_of

PHONES_MAX = 5000
BAD_SHOWN_MAX = 50
LINE_CHARS_MAX = 60
BASES = ("consent", "asked")  # they agreed in writing; they asked for it themselves
# What a part of an SMS holds, alone and as one of several, by GSM 03.38; other letters make it UCS-2.
_PLAIN = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿"
    "abcdefghijklmnopqrstuvwxyzäöñüà"
)
_DOUBLE = frozenset("^{}\\[~]|€")
_PLAIN_ONE, _PLAIN_SEVERAL, _OTHER_ONE, _OTHER_SEVERAL = 160, 153, 70, 67


@dataclass(frozen=True, slots=True)
class Listed:
    """The numbers of a list (E.164, each once, in order), the lines that are none, how many came twice, and whether
    the list goes on beyond what is taken."""

    phones: tuple[str, ...]
    bad: tuple[int, ...]
    doubles: int
    too_many: bool


def listed(written: str, country: str) -> Listed:
    """Read a list, one number a line; what stands after a comma or semicolon is left alone."""
    phones: dict[str, None] = {}
    bad, doubles = [], 0
    for number, line in enumerate(written.splitlines(), 1):
        cell = line.replace(",", ";").partition(";")[0].strip().strip('"')
        if not cell:
            continue
        phone = phone_of(cell, country) if len(cell) <= LINE_CHARS_MAX else None
        if phone is None:
            bad.append(number)
        elif phone in phones:
            doubles += 1
        else:
            phones[phone] = None
    taken = tuple(phones)
    return Listed(taken[:PHONES_MAX], tuple(bad), doubles, len(taken) > PHONES_MAX)


def parts(text: str) -> int:
    """As how many messages a text is billed."""
    if all(letter in _PLAIN or letter in _DOUBLE for letter in text):
        length = sum(2 if letter in _DOUBLE else 1 for letter in text)
        return 1 if length <= _PLAIN_ONE else -(-length // _PLAIN_SEVERAL)
    length = len(text.encode("utf-16-le")) // 2
    return 1 if length <= _OTHER_ONE else -(-length // _OTHER_SEVERAL)


def price(count: int, text: str, each: Any) -> dict[str, Any] | None:
    """What it costs at most by the town's price of an SMS; None where none is entered."""
    if not each:
        return None
    return {"amount": round(count * parts(text) * each["amount"], 2), "currency": each["currency"]}


def cut(phones: Sequence[str], size: int) -> list[Sequence[str]]:
    """Pages of at most `size`."""
    return [phones[first : first + size] for first in range(0, len(phones), size)]
