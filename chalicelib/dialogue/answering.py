"""What a form makes of words, photos, pins and phone numbers: answers, corrections, or not its matter at all."""

from __future__ import annotations

from typing import Any

from chalicelib.dialogue import about_sheet, own_words
from chalicelib.dialogue.asking import (
    answer_line,
    ask,
    ask_next,
    ask_once_more,
    complain,
    in_brief,
    is_late,
)
from chalicelib.dialogue.forms import (
    CHANGING,
    SHORT_WORDS_MAX,
    SIMILAR,
    SUMMARY,
    Draft,
    Filled,
    Outcome,
    Scene,
    first_missing,
    glean_all,
    is_answer,
    is_answered,
    put,
    with_place_of_photo,
)
from chalicelib.dialogue.pressing import on_command
from chalicelib.dialogue.slots import Complaint, Consent, Media, OneOf, Slot, Text, nouns
from chalicelib.dialogue.slots.media import ITEMS_MAX
from chalicelib.dialogue.words import line
from chalicelib.model import Line, Need
from chalicelib.small_classes import replace

ALBUM_SECONDS = 2 * 60
PERSON_WORDS_MAX = 8  # "hoću da pričam sa čovekom, molim vas": nobody is to be kept from a person by a form
NO_PLACE_SCORE_MIN = 0.95  # so sure of another matter are words no place, unless they look like one
_PERSON = "chat.operator"
_PLACES = frozenset(("address", "settlements"))
_AT_ONCE = ("chat.operator", "chat.menu", "settings.")


def on_text(scene: Scene, draft: Draft, landed: bool) -> Outcome:
    heard, form = scene.heard, scene.form(draft)
    command = heard.command
    if draft.other:
        meant = {"yes": "leave", "no": "resume", "resume": "resume", "cancel": "cancel"}.get(command or "")
        return on_command(scene, draft, meant) if meant else ask_once_more(scene, draft)
    if draft.paused:
        return on_command(scene, draft, command) if command in ("resume", "cancel") else None
    slot = form.slot(draft.asked)
    told = _command_told(draft, slot, command)
    if told:
        return on_command(scene, draft, told)
    corrected = _on_correction(scene, draft, slot)
    if corrected:
        return corrected
    if landed:
        after, gleaned = glean_all(scene, draft, heard)
        return ask_next(scene, after) if gleaned else ask_once_more(scene, draft)
    if slot is None:
        return _beside_a_slot(scene, draft)
    return _on_answer(scene, draft, slot)


def _command_told(draft: Draft, slot: Slot | None, command: str | None) -> str | None:
    """The button a word stands for, at this step."""
    if command in ("back", "cancel", "change", "resume"):
        return command
    if command == "done":
        return "done" if draft.picked else None
    if isinstance(slot, Consent):
        return None
    if command == "skip" or (command == "no" and slot is not None and slot.optional):
        return "skip"
    if command == "keep" and slot is not None and is_answered(slot, draft):
        return "keep"
    at_step = {
        SUMMARY: {"yes": "send", "send": "send", "no": "change"},
        SIMILAR: {"yes": "follow", "no": "new", "send": "new"},
    }
    return at_step.get(draft.asked, {}).get(command or "")


def _on_correction(scene: Scene, draft: Draft, asked: Slot | None) -> Filled | Need | None:
    """An earlier answer corrected in own words, or named as the one to change."""
    heard, form = scene.heard, scene.form(draft)
    called = {slot.key: _nouns(scene, slot) for slot in form.slots}
    everything = frozenset().union(*called.values())
    wanted = own_words.change_in(heard.text, everything)
    if wanted:
        slot = next(slot for slot in form.slots if wanted in called[slot.key])
        return ask(scene, draft, slot, changing=first_missing(form, draft) is None)
    correction = own_words.correction_in(heard.text, everything)
    if correction is None:
        return None
    said = heard.saying(correction.text)
    if correction.noun:
        named = [slot for slot in form.slots if correction.noun in called[slot.key]]
        named = [slot for slot in named if slot.key in draft.answers or slot is asked]
        if not named or (isinstance(asked, Text) and not correction.marked):
            return None
        return _taken(scene, draft, named[0], named[0].take(said), named[0] is asked)
    for slot in form.slots:
        value = slot.glean(said) if slot.FREE else slot.take(said)
        if slot.key in draft.answers and is_answer(value) and value != draft.answers[slot.key]:
            return _taken(scene, draft, slot, value, slot is asked)
    return None


def _taken(scene: Scene, draft: Draft, slot: Slot, value: Any, was_asked: bool) -> Filled | Need | None:
    if isinstance(value, Complaint):
        return complain(scene, draft, value.line)
    if value is None:
        return None
    asked = draft.asked
    after = put(draft, slot, value)
    if was_asked or asked in (SUMMARY, SIMILAR, CHANGING):
        return ask_next(scene, after)
    form = scene.form(after)
    changed = Line("form_answer", {"label": slot.label, "value": slot.said(after.answers[slot.key])})
    still = form.slot(asked)
    if still is None:
        return ask_next(scene, after, changed)
    return ask_once_more(scene, replace(after, asked=asked), changed)


def _beside_a_slot(scene: Scene, draft: Draft) -> Outcome:
    """Words at the summary and its like: a place or number said there corrects, a question is answered."""
    if draft.asked == CHANGING:
        spoken = own_words.folded(scene.heard.text)
        for slot in scene.form(draft).slots:
            if _nouns(scene, slot).intersection(spoken):
                return ask(scene, draft, slot, changing=True)
    if _is_other_matter(scene, draft, free=False):
        return None
    after, gleaned = glean_all(scene, draft, scene.heard, over=True)
    if gleaned:
        return ask_next(scene, replace(after, asked="", similar_seen=draft.similar_seen))
    return complain(scene, draft, Line("form_choose"))


def _on_answer(scene: Scene, draft: Draft, slot: Slot) -> Outcome:
    heard = scene.heard
    certain = is_answer(slot.glean(heard)) and not own_words.asks_something(heard.text)
    if slot.FREE and not certain and _is_other_matter(scene, draft, free=True):
        return None
    value = slot.take(heard)
    if is_answer(value):
        after = put(draft, slot, value)
        if isinstance(slot, OneOf):
            opening = scene.kind_of(draft.service).opening(scene.town, draft.service, heard)
            after = replace(after, answers={**opening, **after.answers})
        return ask_next(scene, glean_all(scene, after, heard, beside=slot)[0])
    after, gleaned = glean_all(scene, draft, heard)
    noticed = _noticed(scene, draft, after) if slot.key not in after.answers else ()
    if gleaned and not own_words.asks_something(heard.text):
        return ask_next(scene, after, *noticed)
    if _is_other_matter(scene, draft, free=False):
        return None
    if gleaned:
        return ask_next(scene, after, *noticed)
    if isinstance(value, Complaint):
        return complain(scene, draft, value.line)
    return _noted(scene, draft, slot)


def _noticed(scene: Scene, draft: Draft, after: Draft) -> tuple[Line, ...]:
    """What words answered of questions that were not asked yet, said back before the one that was is asked again."""
    new = (slot for slot in scene.form(after).slots if after.answers.get(slot.key) != draft.answers.get(slot.key))
    return tuple(answer_line(slot, after) for slot in new)


def _noted(scene: Scene, draft: Draft, slot: Slot) -> Filled:
    """Words that answer nothing asked: kept with the description where the form has one, and the question again. A word
    that presses a button is none of them, though there is no such button here."""
    form = scene.form(draft)
    notes = form.slot(form.notes)
    reason = Line("form_choose") if isinstance(slot, OneOf) else Line("form_not_an_answer")
    pressed = scene.heard.command is not None
    if notes is None or notes is slot or pressed or not is_answer(notes.take(scene.heard)):
        return complain(scene, draft, reason)
    kept = notes.merged(draft.answers.get(notes.key), scene.heard.text)
    draft = replace(draft, answers={**draft.answers, notes.key: kept})
    return complain(scene, draft, Line("form_noted") if isinstance(slot, Media) else reason)


def _is_other_matter(scene: Scene, draft: Draft, *, free: bool) -> bool:
    """Whether the words are a question or wish of their own instead of an answer; `free`: any words could be one."""
    heard, family = scene.heard, scene.form(draft).family
    understood = heard.understood
    asked = scene.form(draft).slot(draft.asked)
    if not (asked and asked.QUESTIONS) and own_words.asks_something(heard.text) and about_sheet.asked(scene):
        return True
    if understood.decision == "unknown" or not understood.intents:
        return False
    best, sure = understood.intents[0][0], understood.decision == "answer"
    few = len(heard.text.split()) <= SHORT_WORDS_MAX
    if best.startswith(_AT_ONCE) and sure:
        return not free or few or (best == _PERSON and len(heard.text.split()) <= PERSON_WORDS_MAX)
    if best.startswith((f"{draft.service}.", family or f"{draft.service}.")):
        return False
    asks = own_words.asks_something(heard.text)
    if not free:
        return sure or asks
    if best.startswith("chat."):
        return sure and few
    if asked is not None and asked.QUESTIONS:
        return False
    if asked is not None and asked.PLACE and understood.intents[0][1] >= NO_PLACE_SCORE_MIN:
        named = understood.entities.keys() & _PLACES
        return asks or not (named or own_words.may_be_a_place(heard.text))
    return asks or (sure and is_late(scene, draft) and not own_words.names_a_place(heard.text))


def _nouns(scene: Scene, slot: Slot) -> frozenset[str]:
    return nouns(slot, line(slot.label, scene.town, scene.heard.voice))


def on_thing(scene: Scene, draft: Draft) -> Outcome:
    form, heard = scene.form(draft), scene.heard
    asked = form.slot(draft.asked)
    before = draft.answers
    for slot in form.slots:
        value = slot.take(heard) if slot is asked and heard.inbound.kind != "attachment" else slot.glean(heard)
        if isinstance(value, Complaint):
            return complain(scene, draft, value.line)
        if value is not None and heard.inbound.kind != "attachment":
            kept = slot.merged(before.get(slot.key), value) if slot is not asked else value
            return _after_thing(scene, draft, put(draft, slot, kept), slot)
    media = next((slot for slot in form.slots if isinstance(slot, Media)), None)
    if media is None or heard.inbound.kind != "attachment":
        return None
    return _on_media(scene, draft, media)


def _on_media(scene: Scene, draft: Draft, slot: Media) -> Outcome:
    """A photo joins the report whatever was asked; an album's further photos do so in one line."""
    value, old = slot.glean(scene.heard), draft.answers.get(slot.key)
    if value is None:
        return None
    old = old or []
    album = bool(old) and scene.now - draft.media_at <= ALBUM_SECONDS
    full = len(old) >= ITEMS_MAX
    after = replace(put(draft, slot, slot.merged(old, value)), media_at=scene.now)
    after = with_place_of_photo(scene, _with_caption(scene, after))
    if full:
        return ask_once_more(scene, replace(after, asked=draft.asked), Line("media_enough", {"max": ITEMS_MAX}))
    if album and not scene.heard.text:
        after = replace(after, asked=draft.asked)
        return Filled((in_brief(scene, after, _media_line(slot, after)),), after)
    return _after_thing(scene, draft, after, slot)


def _with_caption(scene: Scene, draft: Draft) -> Draft:
    """What is written under a photo counts as said."""
    if not scene.heard.text:
        return draft
    form = scene.form(draft)
    notes = form.slot(form.notes)
    if notes and is_answer(notes.take(scene.heard)):
        kept = notes.merged(draft.answers.get(notes.key), scene.heard.text)
        draft = replace(draft, answers={**draft.answers, notes.key: kept})
    return glean_all(scene, draft, scene.heard.saying(scene.heard.text))[0]


def _after_thing(scene: Scene, draft: Draft, after: Draft, slot: Slot) -> Filled | Need:
    """On to the next question if this one was answered; else thanks and the same question."""
    if draft.asked in (slot.key, SUMMARY, SIMILAR, CHANGING):
        return ask_next(scene, after)
    asked = scene.form(after).slot(draft.asked)
    if asked is None or (is_answered(asked, after) and not is_answered(asked, draft)):
        return ask_next(scene, after)
    line_ = _media_line(slot, after) if isinstance(slot, Media) else answer_line(slot, after)
    return ask_once_more(scene, replace(after, asked=draft.asked), line_)


def _media_line(slot: Slot, draft: Draft) -> Line:
    return Line("media_added", {"count": slot.shown(draft.answers[slot.key])})
