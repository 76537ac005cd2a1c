"""Forms: questions in order, and what was answered so far.

A form is data (its slots); what was answered is a `Draft`, which lies in the conversation's memory and survives days.
Around this module: `opening` begins and resumes, `asking` words the questions, `pressing` and `answering` take buttons
and words, `filling` leads through it. All of it is pure.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import field
from typing import Any, Protocol

from chalicelib.dialogue.slots import Complaint, Heard, Media, Sealed, Slot, Text
from chalicelib.dialogue.slots.where import of_photo
from chalicelib.model import Case, Choice, Conversation, Effect, Facts, Inbound, Line, Need, Say, Town
from chalicelib.small_classes import dataclass, replace

SHAPE = 1
STATE = "form"
KEPT = "kept"  # answers that hold for the whole conversation, by slot
GLEANING_ROUNDS_MAX = 5  # further ones for questions that only an earlier round's answers brought up
SHORT_WORDS_MAX = 4
# An answer {"sealed": name} stands sealed under this name in the conversation and stays so; one of a private slot is
# {"private": name} in the same way, and is opened for every step of its form.
SEALED, PRIVATE = "sealed", "private"
OF_PHOTO = "place_of_photo"  # among a draft's answers, yet no slot of any form: so it enters no summary and no case
OTHER = "=other"  # the name under which the words of the form that wants to begin instead are private
SUMMARY, SIMILAR, CHANGING = "=summary", "=similar", "=change"


@dataclass(frozen=True)
class Form:
    """One form: its title and its slots in the order of asking.

    `notes` is the text slot that gathers further words, `hint` something to be said once, as soon as it is known;
    `closing` what the citizen should know before sending.
    """

    title: Line
    slots: tuple[Slot, ...]
    notes: str = ""
    hint: Line | None = None
    closing: tuple[Line, ...] = ()
    family: str = ""  # of intents that speak of this form's own matter, e.g. "report."

    def slot(self, key: str) -> Slot | None:
        return next((slot for slot in self.slots if slot.key == key), None)


@dataclass(frozen=True)
class Draft:
    """A form being filled. `answers` holds None for what was skipped; `other` is what wants to begin instead.

    `secrets` are answers that may be stored only sealed, by name: given in this very turn, or private ones opened for
    it. They are never part of `data`.
    """

    service: str
    asked: str = ""
    answers: Mapping[str, Any] = field(default_factory=dict)
    tries: int = 0
    started: int = 0
    at: int = 0
    media_at: int = 0
    paused: bool = False
    changing: bool = False
    picked: tuple[str, ...] = ()
    page: int = 1
    similar: Mapping[str, Any] = field(default_factory=dict)
    similar_seen: bool = False
    other: Mapping[str, str] = field(default_factory=dict)
    hinted: str = ""
    secrets: Mapping[str, str] = field(default_factory=dict)
    shape: int = SHAPE

    def data(self) -> dict[str, Any]:
        """As JSON, without what says nothing."""
        empty = Draft(self.service)
        kept = {name: getattr(self, name) for name in self.__dataclass_fields__ if name != "secrets"}
        data = {name: value for name, value in kept.items() if value != getattr(empty, name) or name == "shape"}
        if self.picked:
            data["picked"] = list(self.picked)
        if self.secrets:
            data["answers"] = {name: self._kept(name, value) for name, value in self.answers.items()}
        if OTHER in self.secrets and self.other:
            data["other"] = {**self.other, "text": {PRIVATE: OTHER}}
        return data | {"service": self.service}

    def _kept(self, name: str, value: Any) -> Any:
        return {PRIVATE: name} if name in self.secrets and isinstance(value, str) else value


@dataclass(frozen=True)
class Similar:
    """Something like it was filed before: its reference, how the citizen is asked about it, a link to its photo."""

    reference: str
    key: str
    args: Mapping[str, str | int]
    photo: str = ""


@dataclass(frozen=True)
class Done:
    """What a filled form causes: the words of the receipt, the effects, and what can be done about it at once."""

    lines: tuple[Line, ...]
    effects: tuple[Effect, ...] = ()
    choices: tuple[Choice, ...] = ()


class Kind(Protocol):
    """A kind of service: what each of its choices says."""

    def answer(self, town: Town, service: str, item: str, page: int, facts: Facts) -> tuple[Say, ...] | Need | None: ...


class FormKind(Kind, Protocol):
    """What a kind of service that is filled in by a form offers beside `answer`.

    `similar` may ask for facts; it is asked once, when everything is answered and before the summary.
    """

    def form(self, town: Town, service: str, answers: Mapping[str, Any]) -> Form: ...
    def opening(self, town: Town, service: str, heard: Heard) -> Mapping[str, Any]: ...
    def similar(self, town: Town, service: str, answers: Mapping[str, Any], facts: Facts) -> Similar | Need | None: ...
    def follow(self, reference: str) -> Done: ...
    def done(
        self, town: Town, service: str, answers: Mapping[str, Any], filer: Conversation, heard: Heard, facts: Facts
    ) -> Done: ...


class Pressed(Protocol):
    """What a button about a case says and causes."""

    @property
    def say(self) -> Say: ...
    @property
    def effects(self) -> tuple[Effect, ...]: ...


class Desk(Protocol):
    """What can be said and done about one case, whatever its town offers in its menu."""

    def state(self, town: Town, case: Case, *, own: bool, now: float) -> Say: ...
    def pressed(self, town: Town, verb: str, case: Case, *, own: bool, now: float) -> Pressed: ...
    def may_add(self, case: Case, files: int) -> bool: ...
    def reports(self, town: Town) -> tuple[str, ...]: ...


@dataclass(frozen=True)
class Scene:
    """Everything a step looks at besides an open form's draft."""

    town: Town
    heard: Heard
    facts: Facts
    conversation: Conversation
    kind_of: Callable[[str], FormKind]  # by service
    desk: Callable[[], Desk]
    made: list[tuple[str, Mapping[str, Any], Form]] = field(default_factory=list, compare=False, repr=False)

    def form(self, draft: Draft) -> Form:
        """The questions of a draft; a step looks at the same ones again and again."""
        for service, answers, form in self.made:
            if service == draft.service and answers == draft.answers:
                return form
        form = self.kind_of(draft.service).form(self.town, draft.service, draft.answers)
        self.made.append((draft.service, draft.answers, form))
        return form

    @property
    def now(self) -> int:
        return int(self.facts.now)

    @property
    def inbound(self) -> Inbound:
        return self.heard.inbound

    def pressing(self, choice: str) -> Scene:
        """The same with a button pressed, where words meant it."""
        return replace(self, heard=replace(self.heard, inbound=replace(self.inbound, kind="choice", choice=choice)))


@dataclass(frozen=True)
class Filled:
    """What the form's step decided; without a draft the form is closed."""

    says: tuple[Say, ...]
    draft: Draft | None
    effects: tuple[Effect, ...] = ()
    counts: tuple[str, ...] = ()
    kept: Mapping[str, Any] = field(default_factory=dict)


Outcome = Filled | Need | None


def is_open(state: Mapping[str, Any]) -> bool:
    """Whether a conversation remembers a draft."""
    return _data(state) is not None


def open_draft(state: Mapping[str, Any], opened: Mapping[str, str] | None = None) -> Draft | None:
    """The draft a conversation remembers, with its private answers in clear as far as they were opened: one that was
    not is asked anew. What a newer shape added is left aside."""
    data = _data(state)
    if data is None:
        return None
    known = {name: data[name] for name in Draft.__dataclass_fields__ if name in data and name != "secrets"}
    draft = Draft(**known | {"picked": tuple(known.get("picked", ()))})
    return _in_clear(draft, opened or {}) if private_names(state) else draft


def _data(state: Mapping[str, Any]) -> Mapping[str, Any] | None:
    data = state.get(STATE)
    if not isinstance(data, dict) or data.get("shape", SHAPE) > SHAPE + 1 or not data.get("service"):
        return None
    return data


def _in_clear(draft: Draft, opened: Mapping[str, str]) -> Draft:
    answers = {
        name: opened.get(value[PRIVATE]) if _is_private(value) else value for name, value in draft.answers.items()
    }
    answers = {name: value for name, value in answers.items() if value is not None or draft.answers[name] is None}
    other = {name: opened.get(OTHER, "") if _is_private(value) else value for name, value in draft.other.items()}
    return replace(draft, answers=answers, other=other, secrets=dict(opened))


def _is_private(value: Any) -> bool:
    return isinstance(value, dict) and PRIVATE in value


def remembered(state: Mapping[str, Any], draft: Draft | None) -> Mapping[str, Any]:
    """The conversation's memory with this draft in it, or without any."""
    rest = {name: value for name, value in state.items() if name != STATE}
    return rest | {STATE: draft.data()} if draft else rest


def sealed_names(state: Mapping[str, Any]) -> frozenset[str]:
    """The names of the sealed values that the draft a conversation remembers still needs."""
    answers = (_data(state) or {}).get("answers", {}).values()
    sealed = [str(value[SEALED]) for value in answers if isinstance(value, dict) and value.get(SEALED)]
    return private_names(state).union(sealed)


def private_names(state: Mapping[str, Any]) -> frozenset[str]:
    """The names of the sealed values that every step of the open form needs in clear."""
    data = _data(state) or {}
    values = (*data.get("answers", {}).values(), *data.get("other", {}).values())
    return frozenset([str(value[PRIVATE]) for value in values if _is_private(value)])


def marked(form: Form, draft: Draft) -> Draft:
    """The draft with the answers of its private slots among what may be stored only sealed."""
    secrets = {name: str(draft.answers[name]) for name in private_of(form, draft.answers)}
    return replace(draft, secrets={**draft.secrets, **secrets}) if secrets else draft


def private_of(form: Form, answers: Mapping[str, Any]) -> tuple[str, ...]:
    """The private slots of a form that are answered, by name."""
    return tuple(slot.key for slot in form.slots if slot.private and isinstance(answers.get(slot.key), str))


def with_place_of_photo(scene: Scene, draft: Draft) -> Draft:
    """The draft with the place that a photo names, to be proposed where the form asks for one; no answer by itself."""
    media = scene.inbound.media
    place = of_photo(scene.town, media.place) if media and media.place else None
    return replace(draft, answers={**draft.answers, OF_PHOTO: place}) if place else draft


def is_private(form: Form) -> bool:
    return any(slot.private for slot in form.slots)


def kept_before(form: Form, state: Mapping[str, Any]) -> dict[str, Any]:
    """What earlier forms of this conversation know already of this one's slots."""
    known = state.get(KEPT, {})
    return {slot.key: known[slot.key] for slot in form.slots if slot.KEPT and slot.holds(known.get(slot.key))}


def first_missing(form: Form, draft: Draft) -> Slot | None:
    return next((slot for slot in form.slots if not is_answered(slot, draft)), None)


def is_answered(slot: Slot, draft: Draft) -> bool:
    if slot.key not in draft.answers:
        return slot.unasked
    value = draft.answers[slot.key]
    return slot.optional if value is None else slot.holds(value)


def is_answer(value: Any) -> bool:
    return value is not None and not isinstance(value, Complaint)


def put(draft: Draft, slot: Slot, value: Any) -> Draft:
    """The answer stands; what had been found alike is looked for anew if it was the place or the kind."""
    if isinstance(value, Sealed):
        draft = replace(draft, secrets={**draft.secrets, slot.key: value.clear})
        value = {SEALED: slot.key}
    seen = draft.similar_seen and draft.answers.get(slot.key) == value
    seen = seen or (draft.similar_seen and isinstance(slot, Media | Text))
    return replace(draft, answers={**draft.answers, slot.key: value}, similar_seen=seen)


def glean_all(
    scene: Scene, draft: Draft, heard: Heard, *, over: bool = False, beside: Slot | None = None
) -> tuple[Draft, bool]:
    """What a message says of unanswered slots, and whether it said anything.

    `over`: of answered ones too. `beside`: the slot it answered; another of the same name would take the same words.
    """
    found = False
    for _ in range(GLEANING_ROUNDS_MAX):
        before = draft.answers
        for slot in scene.form(draft).slots:
            if slot.key in draft.answers and not (over and not isinstance(slot, Media)):
                continue
            if beside and slot.NOUNS and slot.NOUNS == beside.NOUNS:
                continue
            value = slot.glean(heard)
            if is_answer(value) and value != draft.answers.get(slot.key):
                draft, found = put(draft, slot, value), True
        if draft.answers == before:
            break
    return draft, found
