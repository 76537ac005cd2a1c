"""What every slot of a form has, and what it hears."""

from __future__ import annotations

from abc import ABC, abstractmethod
from functools import cached_property
from typing import Any, ClassVar

from chalicelib.dialogue.own_words import command_in
from chalicelib.language.folding import fold, words
from chalicelib.model import PRIVATE, Choice, Inbound, Line, Town, Voice
from chalicelib.small_classes import dataclass, replace
from chalicelib.understanding.understand import Understood, danger_of, understand

NOUN_LETTERS_MIN = 4


@dataclass(frozen=True)
class Heard:
    """One message of a citizen as slots read it. `now` in epoch seconds.

    Personal numbers are masked in the words; their digits stand apart in `numbers`, for the slot that asks for one.
    """

    inbound: Inbound
    town: Town
    voice: Voice
    now: float
    numbers: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """The words of a message or under a photo; nothing for a button."""
        return "" if self.inbound.kind == "choice" else self.inbound.text.strip()

    @cached_property
    def understood(self) -> Understood:
        return understand(self.text, self.town.index)

    @cached_property
    def danger(self) -> str | None:
        """The danger the words speak of; an answer to a form needs no more of their meaning."""
        if "understood" in self.__dict__:
            return self.understood.danger
        return danger_of(self.text, self.town.index) if self.text else None

    @cached_property
    def command(self) -> str | None:
        """What the whole message tells a form to do: see `own_words.command_in`."""
        return command_in(self.text)

    def saying(self, text: str) -> Heard:
        """The same citizen with other words: a part of the message, or what stood in an earlier one."""
        return replace(self, inbound=replace(self.inbound, kind="text", text=text, choice=""))


@dataclass(frozen=True, slots=True)
class Complaint:
    """Why an answer cannot be taken, with an example of what can."""

    line: Line


@dataclass(frozen=True, slots=True)
class Sealed:
    """An answer that is stored nowhere in clear: the draft keeps that it was given; who commits the turn seals it."""

    clear: str


@dataclass(frozen=True, kw_only=True)
class Slot(ABC):
    """One question of a form. Subclasses say what counts as an answer.

    `ask` is the question, `label` what the answer is called in the summary. An answer is JSON-ready data. An `unasked`
    slot takes what is sent of itself and never asks for it. A `private` answer is words that are stored only sealed,
    wherever they stand: in the draft, in what was said, in the case.
    """

    key: str
    ask: Line
    label: Line
    optional: bool = False
    unasked: bool = False
    private: bool = False

    ASKS: ClassVar[str] = "text"  # the input a channel may offer, by the contract's word
    FIGURES: ClassVar[bool] = False  # a bare number is an answer here, not the number of a button
    FREE: ClassVar[bool] = False  # nearly any words are an answer here
    QUESTIONS: ClassVar[bool] = False  # a question is an answer here, too
    PLACE: ClassVar[bool] = False  # of free words, those that may be a place are an answer
    KEPT: ClassVar[bool] = False  # holds for the whole conversation: the next form of this citizen need not ask
    NOUNS: ClassVar[frozenset[str]] = frozenset()  # what citizens call it, folded, besides its label

    @abstractmethod
    def take(self, heard: Heard) -> Any:
        """The answer to this slot's question, a Complaint, or None if the message does not speak to it."""

    def glean(self, heard: Heard) -> Any:
        """What a message says of this slot without having been asked; None if nothing certain."""
        return None

    def holds(self, value: Any) -> bool:
        """Whether a stored answer still is one; a newer version of the form may think otherwise."""
        return True

    def merged(self, old: Any, new: Any) -> Any:
        """What stands when something was gleaned beside an earlier answer."""
        return new

    def shown(self, value: Any) -> Line:
        """The answer as the summary shows it."""
        return Line("raw", {"text": str(value)})

    def said(self, value: Any) -> Line:
        """The answer as it is said back."""
        shown = self.shown(value)
        return Line(shown.key, {**shown.args, PRIVATE: 1}) if self.private else shown

    def choices(self, prefix: str, page: int) -> tuple[Choice, ...]:
        """The buttons of this slot; their ids begin with `prefix`."""
        return ()

    def pick(self, option: str) -> Any:
        """The answer a button means, or a Complaint; None if there is no such button (any more)."""
        return None


def nouns(slot: Slot, worded: str) -> frozenset[str]:
    """The folded words by which a citizen may name the slot; `worded` is its label in the citizen's language."""
    return slot.NOUNS | {word for word in words(fold(worded)) if len(word) >= NOUN_LETTERS_MIN}
