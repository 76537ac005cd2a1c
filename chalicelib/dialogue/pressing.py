"""What a form's buttons do, and the words that mean the same."""

from __future__ import annotations

from chalicelib.dialogue import chat, receipts
from chalicelib.dialogue.asking import ask, ask_next, ask_once_more, complain, question
from chalicelib.dialogue.forms import (
    CHANGING,
    SIMILAR,
    SUMMARY,
    Draft,
    Filled,
    Outcome,
    Scene,
    first_missing,
    is_answered,
    kept_before,
    put,
)
from chalicelib.dialogue.opening import ask_to_resume, picked_by, start
from chalicelib.dialogue.slots import Complaint, SomeOf
from chalicelib.model import Line, Need
from chalicelib.small_classes import replace


def on_choice(scene: Scene, draft: Draft) -> Outcome:
    choice = scene.heard.inbound.choice
    if choice.startswith("form."):
        return on_command(scene, draft, choice.removeprefix("form."))
    if choice == draft.service:
        return ask_to_resume(scene, replace(draft, other={}))
    if choice.startswith(f"{draft.service}."):
        return _on_option(scene, replace(draft, other={}), choice.removeprefix(f"{draft.service}."))
    return None


def _on_option(scene: Scene, draft: Draft, item: str) -> Filled | Need:
    """A button of this form, of whichever step: it is taken as what it says, if that still exists."""
    form = scene.form(draft)
    name, _, page = item.partition("~")
    turned = form.slot(name)
    if turned and page.isascii() and page.isdigit() and len(page) < 3:
        return ask(scene, draft, turned, page=int(page))
    slot, value = picked_by(form, item)
    if slot is None:
        return ask_once_more(scene, draft)
    if isinstance(value, Complaint):
        return complain(scene, replace(draft, asked=slot.key), value.line)
    if isinstance(slot, SomeOf):
        picked = draft.picked if draft.asked == slot.key else ()
        draft = replace(draft, picked=tuple(slot.merged(list(picked), value)))
        if len(draft.picked) == len(slot.options):
            return ask_next(scene, put(draft, slot, list(draft.picked)))
        return ask(scene, draft, slot, picked=draft.picked)
    return ask_next(scene, put(draft, slot, value))


def on_command(scene: Scene, draft: Draft, command: str) -> Filled | Need:
    """What the form's own buttons, and the words for them, do."""
    if draft.other and command == "leave":
        return _leave(scene, draft)
    waiting = draft.other
    draft = replace(draft, other={}, paused=False)
    name, _, key = command.partition(".")
    slot = scene.form(draft).slot(key)
    if name == "change" and slot and key in draft.answers:
        return ask(scene, draft, slot, changing=True)
    if waiting or command == "resume":
        return _cancel(scene) if command == "cancel" else ask_once_more(scene, draft)
    match command:
        case "cancel":
            return _cancel(scene)
        case "restart":
            known = kept_before(scene.form(draft), scene.conversation.state)
            return ask_next(scene, Draft(draft.service, answers=known, started=scene.now, at=scene.now))
        case "back":
            return _back(scene, draft)
        case "skip":
            return _skip(scene, draft)
        case "keep":
            return ask_next(scene, replace(draft, asked=""))
        case "change":
            return _change(scene, draft)
        case "done" if draft.picked:
            return _done_picking(scene, draft)
        case "send":
            return _send(scene, draft)
        case "follow" if draft.asked == SIMILAR:
            return _follow(scene, draft)
        case "new" if draft.asked == SIMILAR:
            return ask_next(scene, replace(draft, similar={}, similar_seen=True))
    return ask_once_more(scene, draft)


def _leave(scene: Scene, draft: Draft) -> Filled | Need:
    other = draft.other
    begun = start(scene, other["service"], other.get("option", ""), other.get("text", ""))
    if isinstance(begun, Filled):
        first, *rest = begun.says
        begun = replace(begun, says=(replace(first, lines=(Line("cancelled"), *first.lines)), *rest))
    return begun


def _cancel(scene: Scene) -> Filled:
    return Filled((chat.said("cancelled", scene.town),), None, counts=("form_cancelled",))


def _back(scene: Scene, draft: Draft) -> Filled | Need:
    form = scene.form(draft)
    if draft.changing or draft.asked == CHANGING:
        return ask_next(scene, replace(draft, asked="", changing=False))
    keys = [slot.key for slot in form.slots]
    at = keys.index(draft.asked) if draft.asked in keys else len(keys)
    if at == 0:
        return ask_once_more(scene, draft, Line("form_first"))
    return ask(scene, draft, form.slots[at - 1])


def _skip(scene: Scene, draft: Draft) -> Filled | Need:
    slot = scene.form(draft).slot(draft.asked)
    if slot is None:
        return ask_once_more(scene, draft)
    if is_answered(slot, draft):
        return ask_next(scene, replace(draft, asked="", changing=False))
    if not slot.optional:
        return complain(scene, draft, Line("form_not_optional"))
    return ask_next(scene, put(draft, slot, None))


def _change(scene: Scene, draft: Draft) -> Filled | Need:
    if first_missing(scene.form(draft), draft):
        slot = scene.form(draft).slot(draft.asked)
        return ask_once_more(scene, draft) if slot or draft.asked == CHANGING else ask_next(scene, draft)
    draft = replace(draft, asked=CHANGING, tries=0)
    return Filled((question(scene, draft),), draft)


def _done_picking(scene: Scene, draft: Draft) -> Filled | Need:
    slot = scene.form(draft).slot(draft.asked)
    return ask_next(scene, put(draft, slot, list(draft.picked))) if slot else ask_once_more(scene, draft)


def _send(scene: Scene, draft: Draft) -> Filled | Need:
    """File it: only from the summary, only complete."""
    if draft.asked != SUMMARY or first_missing(scene.form(draft), draft):
        return ask_next(scene, replace(draft, asked=""))
    if not scene.facts.ids.reference:
        return ask_once_more(scene, draft, Line("error_service_down"))
    kind = scene.kind_of(draft.service)
    keys = [slot.key for slot in scene.form(draft).slots]
    answers = {key: draft.answers[key] for key in keys if draft.answers.get(key) is not None}
    done = kind.done(scene.town, draft.service, answers, scene.conversation, scene.heard, scene.facts)
    kept = {slot.key: answers[slot.key] for slot in scene.form(draft).slots if slot.KEPT and slot.key in answers}
    sent = _closed(receipts.given(scene, done), "form_sent")
    return sent if isinstance(sent, Need) else replace(sent, kept=kept)


def _follow(scene: Scene, draft: Draft) -> Filled | Need:
    done = scene.kind_of(draft.service).follow(str(draft.similar["reference"]))
    return _closed(receipts.given(scene, done), "form_followed")


def _closed(receipt: Filled | Need, counted: str) -> Filled | Need:
    return receipt if isinstance(receipt, Need) else replace(receipt, counts=(counted,))
