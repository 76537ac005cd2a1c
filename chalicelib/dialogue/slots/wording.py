"""Slots whose answer is words: free text, a person's name."""

from __future__ import annotations

import re
from typing import Any, ClassVar

from chalicelib.dialogue.own_words import asks_something, folded_words
from chalicelib.dialogue.slots.base import Complaint, Heard, Slot
from chalicelib.model import Line
from chalicelib.patterns import pattern
from chalicelib.small_classes import dataclass
from chalicelib.understanding.entities.places import address_in

TEXT_CHARS_MIN = 2
TEXT_CHARS_MAX = 1000
NAME_CHARS_MAX = 80
_NAME = pattern(r"[^\W\d_][^\W\d_'’.-]*(?:[ '’.-]+[^\W\d_][^\W\d_'’.-]*)+\.?")
OWN_NAME = pattern(
    r"\b(?=[zmijuqзмиј])"
    r"(?:zovem se|moje ime je|ime mi je|ja sam|зовем се|моје име је|ја сам|quhem|unë jam|my name is|i am|ich heiße|"
    r"ich bin|mein name ist)\s+",
    re.IGNORECASE,
)
# Words are parted by a blank: were it left out, a run of capitals could be cut up in endless ways.
_CAPITAL = r"[^\W\d_a-zа-яčćšžđђјљњћџëçäöü][^\W\d_'’-]*(?:['’-][^\W\d_]+)?"
_CAPITALISED = pattern(rf"{_CAPITAL}(?:\s+{_CAPITAL}){{1,3}}(?=[\s,.;!]|$)")


@dataclass(frozen=True, kw_only=True)
class Text(Slot):
    """The citizen's own words. A bare address is none: it says where, not what."""

    FREE: ClassVar[bool] = True
    NOUNS: ClassVar[frozenset[str]] = folded_words("opis tekst përshkrimi description text beschreibung")

    chars_max: int = TEXT_CHARS_MAX

    def take(self, heard: Heard) -> Any:
        text = heard.text
        if len(text) > self.chars_max:
            return Complaint(Line("text_too_long", {"max_chars": self.chars_max}))
        if len(text) < TEXT_CHARS_MIN or not any(letter.isalnum() for letter in text) or _is_address(text):
            return None
        return text

    def merged(self, old: Any, new: Any) -> Any:
        """More words come after the earlier ones."""
        if not old or str(new) in str(old):
            return old or new
        return f"{old}\n{new}"[: self.chars_max]


@dataclass(frozen=True, kw_only=True)
class Question(Text):
    """A question to somebody else: what is put as a question is the answer here, not a matter beside the form."""

    QUESTIONS: ClassVar[bool] = True
    NOUNS: ClassVar[frozenset[str]] = folded_words("pitanje pitanja pyetja pyetje question frage anfrage")


def _is_address(text: str) -> bool:
    found = address_in(text)
    return found is not None and len(text.split()) <= len(f"{found['street']} {found['number']}".split())


def _name_alone(text: str) -> str:
    opened = OWN_NAME.match(text)
    return text[opened.end() :] if opened else text


@dataclass(frozen=True, kw_only=True)
class Name(Slot):
    """First and last name. `said_after`: what a name heard unasked must follow ("zovem se")."""

    ASKS: ClassVar[str] = "name"
    NOUNS: ClassVar[frozenset[str]] = folded_words("ime prezime emri mbiemri name surname nachname vorname")

    said_after: re.Pattern[str] | None = None

    def take(self, heard: Heard) -> Any:
        if not heard.text:
            return None
        if asks_something(heard.text):
            return Complaint(Line("invalid_name"))
        name = " ".join(_name_alone(heard.text).strip(" .,!").split())
        if len(name) > NAME_CHARS_MAX or not _NAME.fullmatch(name):
            return Complaint(Line("invalid_name"))
        return name

    def glean(self, heard: Heard) -> Any:
        """Two to four words with capitals, right after what introduces a name."""
        opened = self.said_after.search(heard.text) if self.said_after and heard.text else None
        found = _CAPITALISED.match(heard.text[opened.end() :]) if opened else None
        return found[0].strip() if found else None
