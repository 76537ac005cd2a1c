"""STOP and START: what is sent unasked ends at once, and the answer says what stops and what does not.

Built in for every town. Announcements end with STOP; notices about own cases are asked apart.
Reminders to staff who linked their chat end with it, too, and are linked again in the console.
Choices: `<service>.stop`, `.start`, `.end_cases`, `.keep_cases`, `.start_cases`, `.end_reminders`.
"""

from __future__ import annotations

from chalicelib.dialogue import chat, own_words
from chalicelib.dialogue.acting import Act
from chalicelib.dialogue.forms import Scene
from chalicelib.model import CASES, REMINDERS, Agree, Effect, Facts, Line, Need, Say, Standing, Town, Unsubscribe
from chalicelib.services import news

STOP_WORDING, CASES_WORDING = "stop.1", "consent_start_cases.1"


_STOP = own_words.whole_phrases(
    """stop|odjava|odjavi|odjavi me|odjavite me|stop obaveštenja|stop obavještenja|stop obavijesti|stop poruke|
    ndal|ndalo|çregjistrohem|unsubscribe|stop notifications|stopp|abmelden"""
)
_START = own_words.whole_phrases(
    """start|uključi obaveštenja|uključi obavještenja|uključi obavijesti|uključite obaveštenja|vrati obaveštenja|
    ponovo uključi obaveštenja|ponovo uključi obavještenja|fillo|ndiz njoftimet|subscribe|turn on notifications|
    starten|benachrichtigungen einschalten"""
)


def answer(town: Town, service: str, item: str, page: int, facts: Facts) -> tuple[Say, ...] | None:
    """See `act`."""
    return None


def meant(scene: Scene, service: str) -> str | None:
    """STOP or START as a whole message."""
    spoken = " ".join(own_words.folded(scene.heard.text))
    item = "stop" if spoken in _STOP else "start" if spoken in _START else ""
    return f"{service}.{item}" if item else None


def act(scene: Scene, service: str, item: str) -> Act | Need | None:
    """End, keep or take up again what is sent unasked."""
    if item == "keep_cases":
        return Act((_said(scene.town, "stop_cases_kept", "stop_stays"),))
    if item == "end_cases":
        return Act((_said(scene.town, "stop_cases_done", "stop_stays"),), (Agree(CASES, False, STOP_WORDING),))
    if item == "end_reminders":
        return Act((_said(scene.town, "reminders_off"),), (Agree(REMINDERS, False, STOP_WORDING),))
    if item == "start_cases":
        return Act((_said(scene.town, "start_cases_done", "unsubscribe_hint"),), (Agree(CASES, True, CASES_WORDING),))
    if item not in ("stop", "start"):
        return None
    if news.STANDING not in scene.facts.found:
        return Need((news.STANDING,))
    known: Standing = scene.facts.found[news.STANDING]
    return _stop(scene.town, service, known) if item == "stop" else Act((_start(scene.town, service, known),))


def _stop(town: Town, service: str, known: Standing) -> Act:
    topics = tuple(known.subscriptions)
    told, effects = list[Line](), list[Effect]()
    if topics:
        offered = news.service_of(town)
        named = {"topics": news.titles(offered, topics)} if offered else {}
        told.append(Line("stop_done" if offered else "unsubscribe_ok", named))
        effects.append(Unsubscribe(topics, STOP_WORDING))
    if known.consents.get(REMINDERS):
        told.append(Line("reminders_off"))
        effects.append(Agree(REMINDERS, False, STOP_WORDING))
    lines = told or [Line("stop_nothing")]
    if known.consents.get(CASES):
        ways = chat.choices(f"{service}.keep_cases", f"{service}.end_cases", "menu")
        return Act((Say(lines=(*lines, Line("stop_cases_ask")), choices=ways, ask="choice"),), tuple(effects))
    ways = chat.choices("my_data", "menu")
    return Act((Say(lines=(*lines, Line("stop_stays")), choices=ways),), tuple(effects))


def _start(town: Town, service: str, known: Standing) -> Say:
    """What can be taken up again: nothing is, before it is chosen."""
    ways = []
    offered = news.service_of(town)
    if offered:
        topics = [entry["id"] for entry in town.core["services"][offered]["topics"]]
        ways += [f"{offered}.on.{topic}" for topic in topics if topic not in known.subscriptions]
    if known.consents.get(CASES) is False:
        ways.append(f"{service}.start_cases")
    line = Line("start_choose" if ways else "start_nothing")
    return Say(lines=(line,), choices=chat.choices(*ways, "menu"))


def _said(town: Town, *keys: str) -> Say:
    return Say(lines=tuple(Line(key) for key in keys), choices=chat.choices("my_data", "menu"))
