"""Slots whose answer is one or more of what is offered."""

from __future__ import annotations

from typing import Any, ClassVar

from chalicelib.dialogue.own_words import folded_words
from chalicelib.dialogue.slots.base import Complaint, Heard, Slot
from chalicelib.dialogue.words import line
from chalicelib.language.folding import fold, words
from chalicelib.model import Choice, Line
from chalicelib.patterns import pattern
from chalicelib.small_classes import dataclass
from chalicelib.understanding.rules import Spoken, first_match

CHOICES_SHOWN_MAX = 6
_JOINTS = pattern(r"[,;\n]|\s(?:i|и|dhe|and|und)\s")


@dataclass(frozen=True, slots=True)
class Option:
    """One thing to choose: its id, its label, the intents (or the town's own choices) that mean it, and keyword rules
    in compiled form (`understanding.rules`) for saying it beside other things."""

    id: str
    label: Line
    intents: tuple[str, ...] = ()
    rules: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class OneOf(Slot):
    """One of the options, by button, number, label or own words."""

    ASKS: ClassVar[str] = "choice"
    NOUNS: ClassVar[frozenset[str]] = folded_words("vrsta kategorija lloji kategoria kind category type art kategorie")

    options: tuple[Option, ...]

    def take(self, heard: Heard) -> Any:
        if not heard.text:
            return None
        found = self._labelled(heard.text, heard)
        return found[0] if len(found) == 1 else self._ruled(heard) or self._meant(heard, ("answer", "choose"))

    def glean(self, heard: Heard) -> Any:
        return self._ruled(heard) or self._meant(heard, ("answer",)) if heard.text else None

    def _ruled(self, heard: Heard) -> str | None:
        """The one option whose words the message holds."""
        if not any(option.rules for option in self.options):
            return None
        said = Spoken(words(fold(heard.text)))
        named = [option.id for option in self.options if first_match(option.rules, said)]
        return named[0] if len(named) == 1 else None

    def _meant(self, heard: Heard, decisions: tuple[str, ...]) -> str | None:
        """The option that the best guess at the message stands for, if it is one of ours alone."""
        if not any(option.intents for option in self.options) or heard.understood.decision not in decisions:
            return None
        best = heard.understood.intents[0][0]
        for meant in (heard.understood.narrowed.get(best), best):
            named = [option.id for option in self.options if meant in option.intents]
            if len(named) == 1:
                return named[0]
        return None

    def holds(self, value: Any) -> bool:
        return any(option.id == value for option in self.options)

    def shown(self, value: Any) -> Line:
        return next(option.label for option in self.options if option.id == value)

    def pick(self, option: str) -> Any:
        return option if self.holds(option) else None

    def choices(self, prefix: str, page: int) -> tuple[Choice, ...]:
        pages = max(1, -(-len(self.options) // CHOICES_SHOWN_MAX))
        page = min(max(1, page), pages)
        shown = self.options[(page - 1) * CHOICES_SHOWN_MAX : page * CHOICES_SHOWN_MAX]
        ways = tuple(Choice(f"{prefix}.{option.id}", option.label) for option in shown)
        if pages > 1:
            ways += (Choice(f"{prefix}~{page % pages + 1}", Line("btn_more")),)
        return ways

    def _labelled(self, text: str, heard: Heard) -> list[str]:
        """The options whose label the words are, or begin."""
        wanted = " ".join(words(fold(text)))
        labels = {
            option.id: " ".join(words(fold(line(option.label, heard.town, heard.voice)))) for option in self.options
        }
        exact = [key for key, label in labels.items() if label == wanted]
        begun = [key for key, label in labels.items() if len(wanted) >= 4 and label.startswith(wanted)]
        return exact or begun


@dataclass(frozen=True, kw_only=True)
class SomeOf(OneOf):
    """Several of the options: one button after the other and "done", or typed at once with commas."""

    def take(self, heard: Heard) -> Any:
        if not heard.text:
            return None
        chosen: list[str] = []
        for part in _JOINTS.split(heard.text):
            if part.strip():
                found = self._named(part.strip(), heard)
                if found is None:
                    return Complaint(Line("form_choose_several"))
                chosen += [found] if found not in chosen else []
        return chosen or None

    def glean(self, heard: Heard) -> Any:
        return None

    def holds(self, value: Any) -> bool:
        return isinstance(value, list) and bool(value) and all(OneOf.holds(self, each) for each in value)

    def shown(self, value: Any) -> Line:
        labels = [OneOf.shown(self, each) for each in value]
        shown = labels[0]
        for label in labels[1:]:
            shown = Line("form_and", {"first": shown, "second": label})
        return shown

    def pick(self, option: str) -> Any:
        return [option] if OneOf.holds(self, option) else None

    def merged(self, old: Any, new: Any) -> Any:
        return [*(old or []), *(each for each in new if each not in (old or []))]

    def _named(self, part: str, heard: Heard) -> str | None:
        number = part.rstrip(".)")
        if number.isascii() and number.isdigit() and 1 <= int(number[:3]) <= len(self.options):
            return self.options[int(number[:3]) - 1].id
        found = self._labelled(part, heard)
        return found[0] if len(found) == 1 else None


_YES_NO = (Option("yes", Line("btn_yes")), Option("no", Line("btn_no")))


@dataclass(frozen=True, kw_only=True)
class Consent(OneOf):
    """Yes or no, in the citizen's own words. `required`: the form cannot go on without a yes."""

    ASKS: ClassVar[str] = "consent"
    NOUNS: ClassVar[frozenset[str]] = folded_words("saglasnost pelqimi consent einwilligung")

    options: tuple[Option, ...] = _YES_NO
    required: bool = False

    def take(self, heard: Heard) -> Any:
        said = {"yes": "yes", "no": "no", "send": "yes"}.get(heard.command or "")
        if said == "no" and self.required:
            return Complaint(Line("form_yes_needed"))
        if said is None and heard.text:
            return Complaint(Line("form_yes_or_no"))
        return said

    def pick(self, option: str) -> Any:
        refused = self.required and option == "no"
        return Complaint(Line("form_yes_needed")) if refused else OneOf.pick(self, option)

    def choices(self, prefix: str, page: int) -> tuple[Choice, ...]:
        return tuple(Choice(f"{prefix}.{option.id}", option.label) for option in self.options)


@dataclass(frozen=True, kw_only=True)
class Confirmation(Consent):
    """A statement the citizen has to confirm."""

    ASKS: ClassVar[str] = "confirmation"
    required: bool = True
