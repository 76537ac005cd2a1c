"""Slots whose answer has a shape of its own: dates, phone numbers, e-mail, personal numbers, quantities."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from itertools import pairwise
from typing import Any, ClassVar

from chalicelib.days import day_in
from chalicelib.dialogue.own_words import folded_words
from chalicelib.dialogue.slots.base import Complaint, Heard, Sealed, Slot
from chalicelib.language.folding import fold, words
from chalicelib.model import Line
from chalicelib.patterns import pattern
from chalicelib.small_classes import dataclass
from chalicelib.understanding.entities.dates import date_in
from chalicelib.understanding.entities.numbers import MASK, PERSONAL_NUMBER_DIGITS, personal_number_flaw
from chalicelib.understanding.entities.phones import phone_of, take_phones

EMAIL_CHARS_MAX = 120
PERSONAL_NUMBER_EXAMPLE = "2405978661006"  # its region was never assigned, so it is nobody's
_MASK_IN_A_WORD = pattern(rf"\w{MASK}|{MASK}\w")
_REASONS = {
    "length": "invalid_personal_length",
    "date": "invalid_personal_date",
    "checksum": "invalid_personal_no",
}
_EMAIL = pattern(r"(?<![\w.+-])[\w.+-]{1,64}+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*\.[A-Za-z]{2,}")
_PHONE_EXAMPLES = {"RS": "060 123 4567", "BA": "061 123 456", "ME": "067 123 456", "XK": "044 123 456"}
_DIGITS = pattern(r"(?<![\w.,-])\d{1,6}(?![\w-]|[.,]\d)")
_NUMBER_WORDS = {
    fold(word): number
    for number, line in enumerate(
        (
            "jedan jedna jedno një nje one ein eine",
            "dva dvije dve dy two zwei",
            "tri tre three drei",
            "četiri katër four vier",
            "pet pesë five fünf",
        ),
        1,
    )
    for word in line.split()
}


@dataclass(frozen=True, kw_only=True)
class Date(Slot):
    """A day, kept as `YYYY-MM-DD`. `past` and `future` say how many days from today it may lie away."""

    ASKS: ClassVar[str] = "date"
    FIGURES: ClassVar[bool] = True
    NOUNS: ClassVar[frozenset[str]] = folded_words("datum dan data dita date day tag")

    past_days_max: int = 120 * 366
    future_days_max: int = 3 * 366

    def take(self, heard: Heard) -> Any:
        if not heard.text:
            return None
        today = day_in(heard.town.core["time_zone"], heard.now)
        found = date_in(heard.text, today)
        if (
            found is None
            or not -self.past_days_max <= (dt.date.fromisoformat(found) - today).days <= self.future_days_max
        ):
            return Complaint(Line("invalid_date", {"example": f"{today.day}. {today.month}. {today.year}."}))
        return found

    def shown(self, value: Any) -> Line:
        day = dt.date.fromisoformat(value)
        return Line("days.date_format", {"d": day.day, "m": day.month, "y": day.year})


@dataclass(frozen=True, kw_only=True)
class Phone(Slot):
    """A phone number, kept as E.164."""

    ASKS: ClassVar[str] = "phone"
    FIGURES: ClassVar[bool] = True
    NOUNS: ClassVar[frozenset[str]] = folded_words("telefon telefona mobilni telefoni phone handy telefonnummer")

    def take(self, heard: Heard) -> Any:
        region = str(heard.town.core["country"])
        written = heard.inbound.phone if heard.inbound.kind == "phone" else heard.text
        if not written:
            return None
        found = phone_of(written, region) or next(iter(take_phones(written, region)[0]), None)
        return found or Complaint(Line("invalid_phone", {"example": _PHONE_EXAMPLES.get(region, "+49 170 1234567")}))

    def glean(self, heard: Heard) -> Any:
        if heard.inbound.kind == "phone":
            return phone_of(heard.inbound.phone, str(heard.town.core["country"]))
        return next(iter(take_phones(heard.text, str(heard.town.core["country"]))[0]), None) if heard.text else None


@dataclass(frozen=True, kw_only=True)
class Email(Slot):
    """An e-mail address."""

    ASKS: ClassVar[str] = "email"
    NOUNS: ClassVar[frozenset[str]] = folded_words("email mejl imejl pošta email mail")

    def take(self, heard: Heard) -> Any:
        if not heard.text:
            return None
        return self.glean(heard) or Complaint(Line("invalid_email", {"example": "ime.prezime@example.com"}))

    def glean(self, heard: Heard) -> Any:
        found = _EMAIL.search(heard.text)
        return found[0].lower() if found and len(found[0]) <= EMAIL_CHARS_MAX else None


@dataclass(frozen=True, kw_only=True)
class PersonalNumber(Slot):
    """A personal number, checked at once and never stored in clear; of the answer the draft keeps only under which
    name it is sealed.

    `other_digits`: how long another country's number is, whose check rule nobody has published (0: there is none).
    """

    ASKS: ClassVar[str] = "personal_number"
    FIGURES: ClassVar[bool] = True
    NOUNS: ClassVar[frozenset[str]] = folded_words("jmbg jmb matični lični numri personal")

    other_digits: int = 0

    def take(self, heard: Heard) -> Any:
        if not heard.text:
            return None
        alone = MASK in heard.text and not _MASK_IN_A_WORD.search(heard.text)
        number = heard.numbers[0] if heard.numbers and alone else ""
        if self.other_digits and len(number) == self.other_digits and number.isdecimal():
            return Sealed(number)
        flaw = personal_number_flaw(number)
        return Complaint(self._reason(flaw)) if flaw in _REASONS else Sealed(number)

    def _reason(self, flaw: str) -> Line:
        args: dict[str, str | int] = {"digits": PERSONAL_NUMBER_DIGITS, "example": PERSONAL_NUMBER_EXAMPLE}
        if flaw == "length" and self.other_digits:
            return Line("invalid_personal_lengths", args | {"other": self.other_digits})
        return Line(_REASONS[flaw], args)

    def glean(self, heard: Heard) -> Any:
        found = self.take(heard) if MASK in heard.text else None
        return found if isinstance(found, Sealed) else None

    def holds(self, value: Any) -> bool:
        return isinstance(value, Mapping) and bool(value.get("sealed"))

    def shown(self, value: Any) -> Line:
        return Line("raw", {"text": MASK})


@dataclass(frozen=True, kw_only=True)
class Quantity(Slot):
    """A whole number within bounds. `units`: folded beginnings of what is counted, by which it is heard unasked."""

    ASKS: ClassVar[str] = "quantity"
    FIGURES: ClassVar[bool] = True
    NOUNS: ClassVar[frozenset[str]] = folded_words("količina broj komada sasia quantity amount menge anzahl")

    least: int = 1
    most: int = 99
    units: tuple[str, ...] = ()

    def take(self, heard: Heard) -> Any:
        if not heard.text:
            return None
        figures = [int(each) for each in _DIGITS.findall(heard.text)]
        spoken = [_NUMBER_WORDS[word] for word in words(fold(heard.text)) if word in _NUMBER_WORDS]
        found = (figures or spoken)[:2]
        if len(found) != 1 or not self.least <= found[0] <= self.most:
            return Complaint(Line("invalid_quantity", {"least": self.least, "most": self.most}))
        return found[0]

    def glean(self, heard: Heard) -> Any:
        spoken = words(fold(heard.text)) if self.units else []
        for figure, unit in pairwise(spoken):
            number = int(figure) if figure.isdecimal() and len(figure) < 4 else _NUMBER_WORDS.get(figure, 0)
            if unit.startswith(self.units) and self.least <= number <= self.most:
                return number
        return None
