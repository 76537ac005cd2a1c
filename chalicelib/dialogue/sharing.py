"""The second way from paper to chat: Viber's own button shares the phone's number, the office's record must hold it.

Choice `share.<nonce>`, good once and for an hour; a card picked from the phone book carries none and links nothing, nor
does a typed number. Cases found are bound only after the consent is read and answered: choice `claim.<nonce>`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from chalicelib.dialogue import chat
from chalicelib.dialogue.forms import Scene
from chalicelib.dialogue.receipts import consent_line
from chalicelib.model import Case, Choice, ClaimCases, Effect, Line, Need, Say
from chalicelib.small_classes import replace
from chalicelib.understanding.entities.phones import phone_of

SHARE, CLAIM = "share.", "claim."
FACT = "phone_cases"
STATE = "sharing"
VALID_SECONDS = 60 * 60
CHANNEL, LEVEL_MIN = "viber", 3  # only there does the phone itself vouch for the number; from this version of the app

Told = tuple[Say, Mapping[str, Any], tuple[Effect, ...]]


def offered(scene: Scene, say: Say, state: Mapping[str, Any]) -> tuple[Say, Mapping[str, Any]]:
    """`say` with the share button, where the number could find a case."""
    nonce = scene.facts.ids.nonce
    able = scene.conversation.account.startswith(f"{CHANNEL}:") and scene.inbound.level >= LEVEL_MIN
    if not (able and nonce):
        return say, state
    button = Choice(f"{SHARE}{nonce}", Line("btn_share_phone"))
    after = (*say.after, Line("case_share_offer"))
    return replace(say, after=after, choices=(button, *say.choices)), {
        **state,
        STATE: {"nonce": nonce, "at": scene.now},
    }


def received(scene: Scene) -> Told | Need | None:
    """A contact that came by our button; None for any other card, which proves nothing."""
    kept, state = _taken(scene, SHARE, scene.inbound.choice)
    if kept is None:
        return None
    number = scene.inbound.phone
    phone = phone_of(number if number.startswith("+") else f"+{number}", str(scene.town.core["country"]))
    if phone is None:
        return _nothing(state)
    if FACT not in scene.facts.found:
        return Need((f"{FACT}:{phone}",))
    cases: tuple[Case, ...] = scene.facts.found[FACT]
    if not cases or not scene.facts.ids.nonce:
        return _nothing(state)
    numbers = ", ".join(case.number or case.reference for case in cases)
    lines = (Line("case_share_found", {"cases": numbers}), consent_line(scene.conversation.account))
    yes = Choice(f"{CLAIM}{scene.facts.ids.nonce}", Line("btn_yes"))
    claim = {"nonce": scene.facts.ids.nonce, "at": scene.now, "cases": [case.reference for case in cases]}
    return Say(lines, choices=(yes, Choice("menu", Line("btn_no"))), ask="consent"), {**state, STATE: claim}, ()


def claimed(scene: Scene, choice: str) -> Told | None:
    """Yes to the notices of the cases that the number found; None for a button that no longer holds."""
    kept, state = _taken(scene, CLAIM, choice)
    if kept is None or not kept.get("cases"):
        return None
    say = Say((Line("consent_given"), Line("case_share_bound")), choices=chat.choices("menu"))
    return say, state, (ClaimCases(tuple(kept["cases"])),)


def _taken(scene: Scene, prefix: str, choice: str) -> tuple[Mapping[str, Any] | None, Mapping[str, Any]]:
    """What was kept under the nonce of `choice`, and the memory without it: it is good once."""
    kept = scene.conversation.state.get(STATE, {})
    fits = choice.startswith(prefix) and choice == f"{prefix}{kept.get('nonce', '')}" and "nonce" in kept
    if not fits or scene.now - kept["at"] > VALID_SECONDS or (prefix == CLAIM) != ("cases" in kept):
        return None, scene.conversation.state
    return kept, {name: value for name, value in scene.conversation.state.items() if name != STATE}


def _nothing(state: Mapping[str, Any]) -> Told:
    return Say((Line("case_share_none"),), choices=chat.choices("person", "menu")), state, ()
