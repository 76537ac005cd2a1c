"""What follows a filed or followed case: its receipt, and once, with the receipt, whether notices may be sent here.

The question comes after the case is safe, so it costs nobody a report: who does not answer it simply gets no notices.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from chalicelib.dialogue import chat
from chalicelib.dialogue.forms import Done, Filled, Scene
from chalicelib.model import AddToCase, Effect, FollowCase, Line, Need, OpenCase, Say, case_choice

AGREED = "agreed"  # the fact: whether a consent to notices is in force
STATE = "filed"  # the last case filed here: what is sent soon afterwards may belong to it
CHANNELS = {"viber": "Viber"}


def given(scene: Scene, done: Done) -> Filled | Need:
    """The receipt of what a form caused; about a case, with the access code and the question of notices."""
    opened = next((effect for effect in done.effects if isinstance(effect, OpenCase)), None)
    followed = next((effect for effect in done.effects if isinstance(effect, FollowCase)), None)
    if opened is None and followed is None:
        return Filled((Say(lines=done.lines, choices=(*done.choices, *chat.choices("menu"))),), None, done.effects)
    if AGREED not in scene.facts.found:
        return Need((AGREED,))
    agreed = bool(scene.facts.found[AGREED])
    if opened is None:
        assert followed is not None
        return Filled((_about(followed.reference, done.lines, agreed, scene),), None, done.effects)
    asked = agreed or opened.case.consent
    lines = (*done.lines, *_code_lines(scene))
    filed = replace(
        opened,
        case=replace(opened.case, consent=asked),
        code=scene.facts.new_code,
        agreed=agreed and not opened.case.consent,
    )
    effects = tuple(filed if effect is opened else effect for effect in done.effects)
    say = _about(filed.case.reference, lines, asked, scene)
    return Filled((replace(say, choices=(*done.choices, *say.choices)),), None, effects)


def noted(state: Mapping[str, Any], effects: tuple[Effect, ...], now: int) -> Mapping[str, Any]:
    """The conversation's memory of the case it filed last."""
    for effect in effects:
        if isinstance(effect, OpenCase):
            return {**state, STATE: {"case": effect.case.reference, "at": now}}
        if isinstance(effect, AddToCase):
            return {**state, STATE: {"case": effect.reference, "at": now}}
    return state


def ask_for_notices(scene: Scene) -> Line:
    """The wording of the consent for the channel this conversation is on."""
    return Line("consent_ask", {"channel": CHANNELS.get(_channel(scene), "web")})


def _about(reference: str, lines: tuple[Line, ...], agreed: bool, scene: Scene) -> Say:
    if agreed:
        return Say((*lines, Line("notices_come_here")), choices=chat.choices("menu"), case=reference)
    yes, no = case_choice("agree", reference, "btn_yes"), case_choice("refuse", reference, "btn_no")
    ways = (yes, no, *chat.choices("menu"))
    return Say((*lines, ask_for_notices(scene)), choices=ways, ask="consent", case=reference)


def _code_lines(scene: Scene) -> tuple[Line, ...]:
    if not scene.facts.new_code:
        return ()
    code = Line("case_code", {"code": scene.facts.new_code})
    return (code, Line("case_code_web")) if _channel(scene) == "web" else (code,)


def _channel(scene: Scene) -> str:
    return scene.conversation.account.partition(":")[0]
