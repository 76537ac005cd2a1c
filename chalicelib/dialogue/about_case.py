"""Buttons and words about one case: how it stands, what its citizen does about it, what is sent to it later.

Choices `case.<verb>.<reference or file number>` work in every town, whatever its menu offers. What they say and cause
is the desk's to decide (`Scene.desk`); here it is found out whose case it is, and nothing is told to strangers.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from chalicelib.dialogue import case_codes, chat, going_on, late_things, sharing
from chalicelib.dialogue.forms import Scene
from chalicelib.dialogue.late_things import Taken
from chalicelib.model import CASE_CHOICE, AddToCase, Case, Effect, Line, Need, Say
from chalicelib.small_classes import dataclass, replace

ANOTHER = "another"


@dataclass(frozen=True)
class Told:
    """What is said, the memory afterwards, what it causes."""

    say: Say
    state: Mapping[str, Any]
    effects: tuple[Effect, ...] = ()


def look(scene: Scene, number: str, code: str = "") -> Told | Need:
    """How the case under a number stands, for whoever may know."""
    looked = case_codes.look(scene, number, code)
    if isinstance(looked, Need):
        return looked
    if looked.case is None:
        assert looked.say is not None
        return Told(*sharing.offered(scene, looked.say, looked.state))
    return Told(_stands(scene, looked.case, own=looked.own), looked.state)


def pressed(scene: Scene, choice: str) -> Told | Need:
    """A button about a case, or words that mean it."""
    verb, _, reference = choice.removeprefix(CASE_CHOICE).partition(".")
    looked = case_codes.look(scene, reference)
    if isinstance(looked, Need):
        return looked
    if looked.case is None or verb == "look":
        return look(scene, reference)
    if verb == "add" and looked.own:
        return _to_case(scene, late_things.agreed(scene, looked.case.reference), looked.case)
    if verb == going_on.VERB and looked.own and (linked := going_on.link(scene, looked.case)):
        return Told(linked[0], looked.state, linked[1])
    done = scene.desk().pressed(scene.town, verb, looked.case, own=looked.own, now=scene.facts.now)
    return Told(done.say, looked.state, done.effects)


def _stands(scene: Scene, case: Case, *, own: bool) -> Say:
    say = scene.desk().state(scene.town, case, own=own, now=scene.facts.now)
    onward = going_on.offered(scene, case.reference) if own else ()
    return replace(say, choices=(*onward, *say.choices))


def taken(scene: Scene, sent: Taken) -> Told | Need:
    """Something sent soon after a case was filed; before it is added it is seen whether the case still takes it."""
    if not sent.effects:
        return Told(sent.say, sent.state)
    looked = case_codes.look(scene, str(sent.say.case))
    if isinstance(looked, Need):
        return looked
    if looked.case is None or not looked.own:
        return look(scene, str(sent.say.case))
    return _to_case(scene, sent, looked.case)


def _to_case(scene: Scene, sent: Taken, case: Case) -> Told:
    files = sum(len(effect.attachments) for effect in sent.effects if isinstance(effect, AddToCase))
    if scene.desk().may_add(case, files):
        return Told(sent.say, sent.state, sent.effects)
    line = Line("case_late_closed", {"case_no": case.reference})
    ways = chat.choices(*scene.desk().reports(scene.town), "menu")
    return Told(Say((line,), choices=ways, case=case.reference), late_things.forgotten(scene.conversation.state))
