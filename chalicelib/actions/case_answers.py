"""What a citizen answered, as the form that asked knows it: each answer with its label, choices by their titles.

Labels and titles are lines of the citizens' catalogues, so that every reader is shown them in their own language;
words that the citizen typed stay as typed.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from chalicelib import services
from chalicelib.dialogue.slots import Confirmation, Slot
from chalicelib.model import Case, Line, Town
from chalicelib.small_classes import dataclass

# Kind of case → the kind of service that files it, and the slot whose answer became the case's category.
FILED_BY = {
    "problem": ("report_problem", "category"),
    "document": ("document_request", "document"),
    "question": ("question", "topic"),
    "assistance": ("assistance", "category"),
    "volunteer": ("volunteer", ""),
}
# What a citizen says in whole sentences; it stands first.
WORDS = ("description", "question", "what", "text")
_NOT_SHOWN = ("street_folded", "rating")


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer. `shown` is its value as a line; `typed`: in the citizen's own words; `long`: more than a word or two
    of them, to be quoted."""

    name: str
    label: Line
    shown: Line
    typed: bool = False
    long: bool = False


def of_case(town: Town, case: Case) -> tuple[Answer, ...]:
    """The answers of a case, its citizen's words first, then in the order of asking; nothing of what is sealed."""
    slots = _slots(town, case)
    names = [name for name in slots if name in case.fields and name not in _NOT_SHOWN]
    names += [name for name in case.fields if name not in slots and name not in _NOT_SHOWN]
    found = [_answer(name, case.fields[name], slots.get(name)) for name in names]
    return tuple(sorted((answer for answer in found if answer), key=lambda answer: not answer.long))


def label(town: Town, case: Case, name: str) -> Line:
    """What an answer is called, e.g. one that stands sealed."""
    slot = _slots(town, case).get(name)
    return slot.label if slot else Line(f"slot_{name}")


def _slots(town: Town, case: Case) -> Mapping[str, Slot]:
    """The questions of the form this case came from, by name; none for a case without one, or whose form is gone."""
    kind, first = FILED_BY.get(case.kind, ("", ""))
    answers = {**case.fields, **({first: case.category} if first else {})}
    for service, settings in town.core["services"].items():
        if settings["kind"] != kind:
            continue
        module = cast(Any, services.kind(kind))
        try:
            slots = {slot.key: slot for slot in module.form(town, service, answers).slots}
        except (LookupError, AttributeError):  # answers of an older form
            continue
        if not first or slots[first].holds(case.category):
            return slots
    return {}


def _answer(name: str, value: Any, slot: Slot | None) -> Answer | None:
    if value in ("", None) or value == []:
        return None
    shown = _shown(value, slot)
    typed = shown.key == "raw"
    return Answer(name, slot.label if slot else Line(f"slot_{name}"), shown, typed, typed and name in WORDS)


def _shown(value: Any, slot: Slot | None) -> Line:
    try:
        if isinstance(slot, Confirmation):  # kept by the edition of the words that were confirmed
            return slot.shown("yes")
        if slot is not None and slot.holds(value):
            return slot.shown(value)
    except (LookupError, TypeError, ValueError, StopIteration):  # an answer that the form of today does not know
        pass
    return Line("raw", {"text": str(value)})
