"""What the bot understood by some words: intents with their scores, what else is in them, what the open form took."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from chalicelib.dialogue import forms
from chalicelib.language.detect import language_of
from chalicelib.language.scripts import script_of
from chalicelib.model import Town
from chalicelib.understanding.understand import Understood, understand

_DECIDED = {"answer": "sure enough to answer", "choose": "offers what it may be", "unknown": "not understood"}


def reasons(town: Town, text: str, state: Mapping[str, Any]) -> list[str]:
    """Lines to read; `state` is the conversation's memory after the words."""
    if not text:
        return ["A button, a file or a place was sent: there were no words to understand."]
    understood = understand(text, town.index)
    return [
        f"“{text}”: {_DECIDED[understood.decision]}; language {language_of(text) or '?'}, "
        f"script {script_of(text) or '?'}",
        *_intents(understood),
        *([f"danger: {understood.danger}, answered before all else"] if understood.danger else []),
        *([f"besides: {understood.also}"] if understood.also else []),
        *(f"in the words: {name} = {_shown(value)}" for name, value in understood.entities.items() if value),
        *_form(state),
    ]


def _intents(understood: Understood) -> list[str]:
    lines = []
    for place, (intent, score) in enumerate(understood.intents):
        narrowed = understood.narrowed.get(intent)
        about = f", here {narrowed}" if narrowed else ""
        lines.append(f"{'rather than' if place else 'meant'} {intent} {score:.2f}{about}")
    return lines or ["no intent at all"]


def _form(state: Mapping[str, Any]) -> list[str]:
    draft = forms.open_draft(state)
    if draft is None:
        return ["no form is open"]
    answers = [f"slot {name} = {_shown(value)}" for name, value in draft.answers.items()]
    return [f"form {draft.service}, asking for {draft.asked or 'nothing'}", *answers]


def _shown(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {part}" for name, part in value.items() if part not in (None, ""))
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
