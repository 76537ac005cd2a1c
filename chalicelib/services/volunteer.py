"""Volunteers: sign up (staff approves), pause, come back, leave.

Choices: `<service>` (begins a sign-up), `<service>.<slot>.<option>`; acts of approved volunteers:
`vol.pause.<day or "open">`, `vol.on`, `vol.leave` (asks once), `vol.leave.yes`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any
from zoneinfo import ZoneInfo

from chalicelib.cases import filing, helping, routing
from chalicelib.cases.working_time import WEEKDAYS
from chalicelib.days import day_in
from chalicelib.dialogue import chat, own_words, slots
from chalicelib.dialogue.acting import Act
from chalicelib.dialogue.forms import Done, Form, Scene, Similar
from chalicelib.dialogue.slots import Heard, Option, Slot
from chalicelib.language.folding import fold, words
from chalicelib.model import (
    Case,
    ChangeVolunteer,
    Choice,
    Conversation,
    Facts,
    Line,
    Need,
    OpenCase,
    Say,
    Town,
    Volunteer,
)
from chalicelib.small_classes import replace
from chalicelib.understanding.entities.dates import date_in

ACTS = "vol."
KIND = "volunteer"
INTENT = "help.volunteer"
VOLUNTEER = "volunteer"  # the fact: who presses, if that is a volunteer
CALLED_CHARS_MAX = 40
PAUSE_DAYS_MAX = 366
OPEN_END = "open"  # a pause without an end


def answer(town: Town, service: str, item: str, page: int, facts: Facts) -> tuple[Say, ...] | None:
    """Nothing to look up here: every choice of this kind belongs to its form."""
    return None


# --- the form ---------------------------------------------------------------------------------------------------


def form(town: Town, service: str, answers: Mapping[str, Any]) -> Form:
    """Who offers help, by which name to introduce them, where, when, with what."""
    settings = town.core["services"][service]
    asked: list[Slot] = [
        slots.Name(key="name", ask=Line("ask_full_name"), label=Line("slot_name")),
        slots.Text(key="called", ask=Line("vol_ask_called"), label=Line("vol_called"), chars_max=CALLED_CHARS_MAX),
        slots.Phone(key="phone", ask=Line("aid_ask_phone"), label=Line("slot_phone")),
    ]
    if settings["areas"]:
        areas = tuple(Option(each, Line(f"aid.area.{each}")) for each in settings["areas"])
        asked.append(slots.SomeOf(key="areas", ask=Line("vol_ask_areas"), label=Line("vol_areas"), options=areas))
    days = tuple(Option(each, Line(f"days.{each}")) for each in WEEKDAYS)
    asked.append(_any_of("days", days))
    if settings["kinds"]:
        asked.append(_any_of("skills", tuple(Option(each, Line(f"aid.kind.{each}")) for each in settings["kinds"])))
    asked += [
        slots.Confirmation(key="adult", ask=Line("vol_ask_adult"), label=Line("vol_adult")),
        slots.Consent(key="consent", ask=Line("vol_ask_consent"), label=Line("vol_consent"), required=True),
    ]
    return Form(Line(service), tuple(asked), family=INTENT)


def _any_of(key: str, options: tuple[Option, ...]) -> Slot:
    """Some of the options; skipped, there is no limit."""
    return slots.SomeOf(key=key, ask=Line(f"vol_ask_{key}"), label=Line(f"vol_{key}"), options=options, optional=True)


def opening(town: Town, service: str, heard: Heard) -> Mapping[str, Any]:
    """The wish to help says nothing the form asks for."""
    return {}


def similar(town: Town, service: str, answers: Mapping[str, Any], facts: Facts) -> Similar | None:
    """Every sign-up is looked at by itself."""
    return None


def follow(reference: str) -> Done:
    """There is nothing to follow."""
    raise LookupError(reference)


def done(town: Town, service: str, answers: Mapping[str, Any], filer: Conversation, heard: Heard, facts: Facts) -> Done:
    """The sign-up waits for staff."""
    case = _case(town, answers, filer, heard, facts)
    return Done((Line("vol_created", {"case_no": case.reference}), Line("vol_next")), (OpenCase(case),))


def _case(town: Town, answers: Mapping[str, Any], filer: Conversation, heard: Heard, facts: Facts) -> Case:
    return filing.filed(
        town,
        KIND,
        "vol_subject",
        filer,
        heard.voice,
        facts,
        office=routing.route(town.core, KIND).office,
        fields={key: answers[key] for key in ("called", "areas", "days", "skills", "adult") if key in answers},
        consent=True,
        applicant=filing.person(answers),
    )


def approved(case: Case) -> Volunteer:
    """The volunteer whom staff approves, from the sign-up. Raises LookupError if it is none."""
    if case.kind != KIND or case.owner is None:
        raise LookupError(case.reference)
    fields = case.fields
    return Volunteer(
        id=case.reference,
        name=str(fields.get("called") or case.applicant.get("name", "").partition(" ")[0]),
        at=case.owner,
        phone=case.applicant.get("phone", ""),
        areas=tuple(fields.get("areas") or ()),
        days=tuple(fields.get("days") or ()),
        skills=tuple(fields.get("skills") or ()),
        voice=case.voice,
    )


def welcome(reference: str) -> Say:
    """What somebody reads who was approved."""
    return Say(lines=(Line("vol_approved", {"case_no": reference}), Line("vol_how")))


def suspended() -> Say:
    """What somebody reads whom staff suspended."""
    return Say(lines=(Line("vol_suspended"),), choices=chat.choices("person", "menu"))


# --- acts -------------------------------------------------------------------------------------------------------


def act(scene: Scene, service: str, item: str) -> Act | Need:
    """A pause, its end, or the end of volunteering."""
    if VOLUNTEER not in scene.facts.found:
        return Need((VOLUNTEER,))
    volunteer: Volunteer | None = scene.facts.found[VOLUNTEER]
    state = scene.conversation.state
    if volunteer is None or volunteer.state != "approved":
        return Act((Say(lines=(Line("vol_not_one"),), choices=chat.choices("menu")),))
    verb, _, rest = item.partition(".")
    match verb:
        case "pause":
            return _paused(scene, volunteer, rest)
        case "on":
            return _changed(scene, replace(volunteer, paused_until=0), Line("vol_on"))
        case "leave" if rest == "yes":
            gone = {name: known for name, known in state.items() if name != helping.STATE}
            return replace(_changed(scene, replace(volunteer, state="left", mail=""), Line("vol_left")), state=gone)
        case "leave":
            ways = (Choice("vol.leave.yes", Line("btn_yes")), Choice("menu", Line("btn_no")))
            return Act((Say(lines=(Line("vol_leave_ask"),), choices=ways),))
    return Act((chat.menu(scene.town),))


def _paused(scene: Scene, volunteer: Volunteer, until: str) -> Act:
    zone = ZoneInfo(scene.town.core["time_zone"])
    today = day_in(scene.town.core["time_zone"], scene.facts.now)
    day = _day(until) or today + dt.timedelta(days=PAUSE_DAYS_MAX)
    line = Line("vol_paused", {"date": helping.until_line(until)}) if _day(until) else Line("vol_paused_open")
    if not 0 < (day - today).days <= PAUSE_DAYS_MAX:
        return _changed(scene, replace(volunteer, paused_until=0), Line("vol_on"))
    ends = int(dt.datetime.combine(day, dt.time(), zone).timestamp())
    acted = _changed(scene, replace(volunteer, paused_until=ends), line)
    ways = (Choice("vol.on", Line("btn_vol_on")), *chat.choices("menu"))
    return replace(acted, says=(replace(acted.says[0], choices=ways),))


def _changed(scene: Scene, volunteer: Volunteer, line: Line) -> Act:
    say = Say(lines=(line,), choices=chat.choices("menu"))
    return Act((say,), (ChangeVolunteer(volunteer),))


def _day(text: str) -> dt.date | None:
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        return None


# --- words that mean an act -------------------------------------------------------------------------------------

_PAUSES = ("pauz", "pauze", "pause", "pusho", "pausier")
_BACK = own_words.whole_phrases(
    """vratio sam se|vratila sam se|kraj pauze|prekini pauzu|prekidam pauzu|ponovo mogu|opet mogu|
    opet sam tu|u ktheva|fund i pauzës|i'm back|i am back|end pause|end of pause|ich bin zurück|
    pause beenden"""
)
_LEAVES = own_words.whole_phrases(
    """ne želim više da volontiram|odjavljujem se kao volonter|odjavljujem se kao volonterka|više ne volontiram|
    ne mogu više da volontiram|prestajem da volontiram|nuk dua të jem më vullnetar|nuk dua të jem më vullnetare|
    largohem si vullnetar|i no longer want to volunteer|stop volunteering|i want to stop volunteering|
    ich möchte nicht mehr helfen"""
)
_WEEKDAY_STEMS = (
    ("ponedel", "ponedjel", "hene", "monday", "montag"),
    ("utor", "marte", "tuesday", "dienstag"),
    ("sred", "srijed", "merkure", "wednesday", "mittwoch"),
    ("cetvrt", "enjte", "thursday", "donnerstag"),
    ("petk", "petak", "premte", "friday", "freitag"),
    ("subot", "shtune", "saturday", "samstag"),
    ("nedelj", "nedjelj", "diel", "sunday", "sonntag"),
)


def meant(scene: Scene, service: str) -> str | None:
    """A volunteer's wish to pause, to be back, or to leave."""
    if helping.TASK not in scene.conversation.state.get(helping.STATE, {}):
        return None
    spoken = words(fold(scene.heard.text))
    sentence = " ".join(spoken)
    if sentence in _BACK:
        return "vol.on"
    if sentence in _LEAVES:
        return "vol.leave"
    if spoken and spoken[0].startswith(_PAUSES):
        return f"vol.pause.{_pause_end(scene, spoken)}"
    return None


def _pause_end(scene: Scene, spoken: list[str]) -> str:
    """The day on which a pause ends: a date, or the next such weekday."""
    today = day_in(scene.town.core["time_zone"], scene.facts.now)
    found = date_in(scene.heard.text, today)
    if found:
        return found
    for number, stems in enumerate(_WEEKDAY_STEMS):
        if any(word.startswith(stems) for word in spoken[1:]):
            ahead = (number - today.weekday() - 1) % 7 + 1
            return (today + dt.timedelta(days=ahead)).isoformat()
    return OPEN_END
