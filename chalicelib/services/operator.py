"""A person of the town: in open hours the conversation is handed over, outside them a message is taken.

Choices: `<service>` (a person, please), `<service>.rate.<reference>.<1 to 5>`; `operator.end` ends a chat (`handover`).
"""

from __future__ import annotations

import datetime as dt
from typing import Any
from zoneinfo import ZoneInfo

from chalicelib.cases import filing
from chalicelib.cases.lifecycle import RATED, RATING_MAX
from chalicelib.cases.working_time import WEEKDAYS, next_opening, open_until
from chalicelib.dialogue import chat, handover
from chalicelib.dialogue.acting import Act
from chalicelib.dialogue.forms import Scene
from chalicelib.model import (
    BeginTalk,
    Case,
    ChangeCase,
    Choice,
    Effect,
    Errand,
    Facts,
    Line,
    Need,
    OpenCase,
    Say,
    Town,
)

QUEUE = "chat_queue"
WAIT = "chat_wait"  # the errand that looks whether somebody has answered


def answer(town: Town, service: str, item: str, page: int, facts: Facts) -> tuple[Say, ...] | None:
    """Nothing to look up here: see `act`."""
    return None


def act(scene: Scene, service: str, item: str) -> Act | Need | None:
    """Hand the conversation over, or say when somebody is there and who takes a message until then."""
    if item.startswith("rate."):
        return _rated(scene, item)
    if item:
        return None
    entry, now = scene.town.core["services"][service], scene.facts.now
    if entry["hours"] and not is_open(scene.town, entry, now):
        return Act((_closed(scene.town, entry, now),))
    asked = f"{QUEUE}:{entry['office']}"
    if QUEUE not in scene.facts.found:
        return Need((asked,))
    if not scene.facts.ids.reference:
        return Act((Say(lines=(Line("error_service_down"),), choices=chat.choices("menu")),))
    return _handed_over(scene, service, int(scene.facts.found[QUEUE] or 0))


def _handed_over(scene: Scene, service: str, waiting: int) -> Act:
    entry = scene.town.core["services"][service]
    case = _case(scene, entry["office"])
    effects: tuple[Effect, ...] = (OpenCase(case), BeginTalk())
    effects += (Errand(WAIT, {"reference": case.reference}, entry["silent_minutes"] * 60, personal=False),)
    lines = [Line("operator_waiting", {"n": waiting}), *_wait(entry, waiting), Line("operator_is_person")]
    sheet = None
    if not entry["hours"]:
        lines.append(Line("operator_hours_unknown"))
        sheet = str(scene.town.core["person"])
    end = (Choice(handover.END, Line(handover.END)),)
    state = handover.begun(scene.conversation.state, case.reference)
    return Act((Say(lines=tuple(lines), sheet=sheet, choices=end),), effects, state, ("operator",))


def _wait(entry: dict[str, Any], waiting: int) -> list[Line]:
    """The wait to expect, where the town said how long one conversation takes it; else nothing is promised."""
    if not entry["minutes_each"]:
        return []
    least, most = (each * (waiting + 1) for each in entry["minutes_each"])
    return [Line("operator_wait", {"least": least, "most": most})]


def _case(scene: Scene, office: str) -> Case:
    return filing.chat(scene.town, "operator_subject", office, scene.heard.voice, scene.facts)


def _closed(town: Town, entry: dict[str, Any], now: float) -> Say:
    message = (str(entry["message"]),) if entry["message"] else ()
    ways = (*chat.choices(*message), *chat.choices(str(town.core["person"]), "menu"))
    lines = (*opens(town, entry, now), Line("operator_leave_message")) if message else opens(town, entry, now)
    return Say(lines=lines, choices=ways)


def is_open(town: Town, entry: dict[str, Any], now: float) -> bool:
    """Whether somebody should be there now; where the hours are not known, nobody says no."""
    if not entry["hours"]:
        return True
    return open_until(entry["hours"], town.core["closed"], _local(town, now)) is not None


def opens(town: Town, entry: dict[str, Any], now: float) -> tuple[Line, ...]:
    """Why nobody is there, and when somebody is again."""
    local = _local(town, now)
    holiday = town.core["closed"].get(local.date().isoformat())
    lines = [Line("closed_today_holiday", {"holiday": Line(f"holiday.{holiday}")})] if holiday else []
    opening = next_opening(entry["hours"], town.core["closed"], local) if entry["hours"] else None
    if opening is None:
        return (*lines, Line("operator_closed"))
    when: dict[str, str | int | Line] = {
        "day": Line(f"days.{WEEKDAYS[opening.weekday()]}"),
        "date": Line("days.date_format", {"d": opening.day, "m": opening.month, "y": opening.year}),
        "time": f"{opening:%H:%M}",
    }
    return (*lines, Line("operator_opens", when))


def closes_at(town: Town, entry: dict[str, Any], now: float) -> float:
    """When the hours that run now end, in epoch seconds; 0 where none are known or none run."""
    local = _local(town, now)
    until = open_until(entry["hours"] or {}, town.core["closed"], local)
    return dt.datetime.combine(local.date(), until, local.tzinfo).timestamp() if until else 0.0


def _local(town: Town, now: float) -> dt.datetime:
    return dt.datetime.fromtimestamp(now, ZoneInfo(town.core["time_zone"]))


def _rated(scene: Scene, item: str) -> Act | None:
    _, reference, given = (*item.split("."), "", "")[:3]
    if not (given.isdecimal() and 1 <= int(given) <= RATING_MAX):
        return None
    thanks = Say(lines=(Line("thanks"),), choices=chat.menu_choices(scene.town))
    return Act((thanks,), (ChangeCase(reference, RATED, given),))


def rating(service: str, reference: str) -> tuple[Choice, ...]:
    """Buttons from one to five, for after the chat."""
    return tuple(
        Choice(f"{service}.rate.{reference}.{stars}", Line("raw", {"text": str(stars)}))
        for stars in range(1, RATING_MAX + 1)
    )
