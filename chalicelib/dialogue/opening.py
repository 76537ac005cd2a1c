"""How a form begins, is left for another, and is come back to."""

from __future__ import annotations

from typing import Any

from chalicelib.dialogue import chat
from chalicelib.dialogue.asking import ask_next, is_late, land, question, where_it_was
from chalicelib.dialogue.forms import (
    OTHER,
    Draft,
    Filled,
    Form,
    Scene,
    glean_all,
    is_answer,
    is_private,
    kept_before,
    put,
    with_place_of_photo,
)
from chalicelib.dialogue.slots import Slot
from chalicelib.model import Line, Need
from chalicelib.small_classes import replace


def start(scene: Scene, service: str, option: str = "", text: str = "") -> Filled | Need:
    """Open a form. `option` is a button of it (`category.road`), `text` what was said before the button was pressed."""
    return ask_next(scene, _begun(scene, service, option, text))


def take_up(scene: Scene, draft: Draft, service: str, option: str = "") -> Filled | Need | None:
    """Words that would begin the very form that waits since shortly, tell it something and contradict nothing it was
    given, go on with it instead."""
    if service != draft.service or not draft.paused or is_late(scene, draft) or scene.inbound.kind == "choice":
        return None
    told = _begun(scene, service, option, "")
    given = {name: value for name, value in draft.answers.items() if value is not None}
    is_new = bool(told.answers.keys() - given.keys())
    if not is_new or any(name in given and given[name] != value for name, value in told.answers.items()):
        return None
    answers = {**draft.answers, **told.answers, **given}
    return ask_next(scene, replace(draft, answers=answers, secrets={**told.secrets, **draft.secrets}, other={}))


def _begun(scene: Scene, service: str, option: str, text: str) -> Draft:
    """A form as its first words leave it."""
    heard = scene.heard.saying(text) if text else scene.heard
    draft = Draft(service, started=scene.now, at=scene.now)
    draft = replace(draft, answers=kept_before(scene.form(draft), scene.conversation.state))
    slot, value = picked_by(scene.form(draft), option)
    if slot and is_answer(value):
        draft = put(draft, slot, value)
    if text or heard.inbound.kind != "choice":
        opening = scene.kind_of(service).opening(scene.town, service, heard)
        draft = replace(draft, answers={**opening, **draft.answers})
        draft, _ = glean_all(scene, draft, heard)
    if heard.inbound.media:
        draft = with_place_of_photo(scene, replace(draft, media_at=scene.now))
    return draft


def ask_to_leave(scene: Scene, draft: Draft, service: str, option: str = "", text: str = "") -> Filled:
    """Another form wants to begin: the open one is left only if the citizen says so."""
    other = {"service": service, "option": option, "text": text}
    draft = replace(draft, other={name: value for name, value in other.items() if value}, paused=False)
    if text and is_private(scene.kind_of(service).form(scene.town, service, {})):
        draft = replace(draft, secrets={**draft.secrets, OTHER: text})
    return Filled((question(scene, draft),), draft)


def ask_to_resume(scene: Scene, draft: Draft, *before: Line) -> Filled:
    """Where the form stands, and its question again."""
    draft = replace(draft, paused=False, at=scene.now)
    if draft.other:
        return Filled((question(scene, draft, *before),), draft)
    draft = land(scene, draft)[0]
    say = question(scene, draft, *before, *where_it_was(scene, draft))
    ways = [choice for choice in say.choices if choice.id not in ("form.cancel", "form.back")]
    return Filled((replace(say, choices=(*ways, *chat.choices("form.restart", "form.cancel"))),), draft)


def ask_again(scene: Scene, draft: Draft) -> Filled:
    """The open question once more, after something else was answered."""
    draft = replace(land(scene, draft)[0], paused=False)
    reminder = where_it_was(scene, draft) if is_late(scene, draft) and not draft.other else ()
    return Filled((question(scene, draft, *reminder),), replace(draft, at=scene.now))


def picked_by(form: Form, item: str) -> tuple[Slot | None, Any]:
    key, _, option = item.partition(".")
    slot = form.slot(key) if option else None
    value = slot.pick(option) if slot else None
    return (slot, value) if value is not None else (None, None)
