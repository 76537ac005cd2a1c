"""Asking after a case by its number, and from another channel or phone with the access code of its receipt.

Whoever is not known to a case hears the same words at the same cost whether it exists or not. A number whose code is
still wanted, and how often a wrong code was tried today, lie in the conversation's memory.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from chalicelib.days import day_in
from chalicelib.dialogue import chat
from chalicelib.dialogue.forms import Scene
from chalicelib.model import Case, Follower, Line, Need, Say
from chalicelib.small_classes import dataclass
from chalicelib.understanding.entities.numbers import access_code_in, as_access_code

FACT = "my_case"
STATE = "asked_case"
NUMBER_CHARS_MAX = 60
CODE_TRIES_MAX = 5  # wrong codes a conversation and day; after them codes are no longer looked at
CODE_WAIT_SECONDS = 15 * 60
CODE_TOKENS_MAX = 6  # "šifra je A2E 4J6"


@dataclass(frozen=True)
class Looked:
    """What is said, and the memory afterwards. `case` was found; `own`: it is this citizen's."""

    say: Say | None
    state: Mapping[str, Any]
    case: Case | None = None
    own: bool = False


def awaited(scene: Scene) -> tuple[str, str] | None:
    """The number asked about before and the code that is this message; None if it is no code."""
    asked = scene.conversation.state.get(STATE, {})
    if not asked.get("number") or scene.now - asked.get("at", 0) > CODE_WAIT_SECONDS:
        return None
    tokens = scene.heard.text.split()
    code = as_access_code(scene.heard.text) or (access_code_in(scene.heard.text) if len(tokens) > 1 else "")
    return (str(asked["number"]), code) if code and len(tokens) <= CODE_TOKENS_MAX else None


def look(scene: Scene, number: str, code: str = "") -> Looked | Need:
    """The case under a number for whoever may see it; the answer for strangers otherwise."""
    number = number.replace("|", "")[:NUMBER_CHARS_MAX]
    wrong = _wrong_today(scene)
    tired = bool(code) and wrong >= CODE_TRIES_MAX
    if FACT not in scene.facts.found:
        return Need((f"{FACT}:{number}|{'' if tired else code}",))
    case: Case | None = scene.facts.found[FACT]
    if case:
        return Looked(None, _remembered(scene, "", wrong), case, owns(scene, case))
    if tired:
        waits = Say((Line("case_code_wait"),), choices=chat.choices("person", "menu"))
        return Looked(waits, _remembered(scene, "", wrong))
    return Looked(_not_here(number, code), _remembered(scene, number, wrong + bool(code)))


def owns(scene: Scene, case: Case) -> bool:
    """Whether the citizen of this conversation opened the case or had it bound."""
    return case.owner == Follower(scene.conversation.account, scene.conversation.citizen)


def _not_here(number: str, code: str) -> Say:
    known = (Line("case_code_wrong"),) if code else (Line("case_not_found", {"case_no": number}), Line("case_bound"))
    return Say((*known, Line("case_ask_code")), choices=chat.choices("person", "menu"), ask="text")


def _remembered(scene: Scene, number: str, wrong: int) -> Mapping[str, Any]:
    state = {name: value for name, value in scene.conversation.state.items() if name != STATE}
    asked: dict[str, Any] = {"number": number, "at": scene.now} if number else {}
    if wrong:
        asked |= {"day": _day(scene), "wrong": wrong}
    return {**state, STATE: asked} if asked else state


def _wrong_today(scene: Scene) -> int:
    asked = scene.conversation.state.get(STATE, {})
    return int(asked.get("wrong", 0)) if asked.get("day") == _day(scene) else 0


def _day(scene: Scene) -> str:
    return day_in(scene.town.core["time_zone"], scene.facts.now).isoformat()
