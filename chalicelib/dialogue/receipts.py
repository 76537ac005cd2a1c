"""What follows a filed or followed case: its receipt, and once, with the receipt, whether notices may be sent here.

The question comes after the case is safe, so it costs nobody a report: who does not answer it simply gets no notices.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from chalicelib.dialogue import chat, going_on
from chalicelib.dialogue.forms import Done, Filled, Scene
from chalicelib.model import AddToCase, Effect, FollowCase, Line, Need, OpenCase, Say, case_choice
from chalicelib.small_classes import replace

AGREED = "agreed"  # the fact: whether a consent to notices is in force
STATE = "filed"  # the last case filed here: what is sent soon afterwards may belong to it
APPS = {"viber": "Viber"}  # channels that are an app of their own; any other is the chat one is reading


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
    code = "" if opened.case.access_hash else scene.facts.ids.code  # a kind may give a code of its own
    lines = (*done.lines, *_code_lines(scene, code))
    filed = replace(
        opened,
        case=replace(opened.case, consent=asked),
        code=code,
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


def consent_line(account: str) -> Line:
    """The wording of the consent for the channel of an account."""
    app = APPS.get(account.partition(":")[0])
    return Line("consent_ask", {"channel": app}) if app else Line("consent_ask_web")


def _about(reference: str, lines: tuple[Line, ...], agreed: bool, scene: Scene) -> Say:
    if agreed:
        ways = (*going_on.offered(scene, reference), *chat.choices("menu"))
        return Say((*lines, Line("notices_come_here")), choices=ways, case=reference)
    yes, no = case_choice("agree", reference, "btn_yes"), case_choice("refuse", reference, "btn_no")
    ways = (yes, no, *going_on.offered(scene, reference), *chat.choices("menu"))
    return Say((*lines, consent_line(scene.conversation.account)), choices=ways, ask="consent", case=reference)


def _code_lines(scene: Scene, code: str) -> tuple[Line, ...]:
    """The code, and what it is for where the conversation ends with the page."""
    if not code:
        return ()
    told = Line("case_code", {"code": code})
    closes = scene.conversation.account.startswith("web:")
    return (told, Line("case_code_web")) if closes else (told,)
