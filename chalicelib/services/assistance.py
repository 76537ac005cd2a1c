"""Help by volunteers: food, medicine, errands, for oneself or somebody else; and what volunteers do about it.

Choices: `<service>` (begins a request), `<service>.<slot>.<option>`; acts: `aid.<verb>.<reference>`, verbs take, back
and done of volunteers, yes, no and off of the person helped. Which kinds of help and areas there are is the town's.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any
from zoneinfo import ZoneInfo

from chalicelib.cases import filing, helping, routing
from chalicelib.days import day_in
from chalicelib.dialogue import chat, own_words, slots
from chalicelib.dialogue.acting import Act
from chalicelib.dialogue.forms import Done, Form, Scene, Similar, private_of
from chalicelib.dialogue.slots import Complaint, Heard, Option, Slot
from chalicelib.dialogue.slots.wording import TEXT_CHARS_MIN
from chalicelib.language.folding import fold, words
from chalicelib.model import (
    PLACE,
    Case,
    Choice,
    Conversation,
    Facts,
    Follower,
    Line,
    MoveHelp,
    Need,
    OpenCase,
    Place,
    Say,
    Town,
    Volunteer,
)
from chalicelib.small_classes import dataclass, replace
from chalicelib.understanding.entities.dates import date_in

ACTS = "aid."
BEGUN_BY_WISHES = True
INTENT = "help.food_medicine"
WHAT_CHARS_MAX = 400
REACH_CHARS_MAX = 120
DAYS_AHEAD_MAX = 60
SELF, OTHER = "self", "other"
HELP, VOLUNTEER = "help", "volunteer"  # facts: the request a button names, and whether a volunteer pressed it

# Beginnings of words, folded, by which kinds of help are told apart; a town's own kinds go by their names.
_STEMS = {
    "food": "hran namirnic hleb hljeb kruh mlek mlijek prodavnic radnj market ushqim buk qumesht dyqan food grocer "
    "bread milk shop lebensmittel brot",
    "medicine": "lek lijek apotek recept tablet barn ilac farmaci medicin pharmac prescri pill medikament arznei",
    "errands": "racun posta poste postu paket prevoz faktur fatur errand bill parcel paket besorgung",
}
_COUNTED = own_words.folded_words(
    """kilo kg kila kilogram litar litra l kutija kutije kutiju pakovanje komad komada vekna vekne flasa flase dva dve
    dvije tri cetiri pet kuti pako litra cope dy tre two three box boxes pack loaf bottle zwei drei packung"""
)
_OTHERS = own_words.folded_words(
    """komsinic komsij komsiluk susjed sused baba babi bake baka majci mami tati ocu dedi djed fqinj gjyshj nenen
    neighbour neighbor grandmother nachbar"""
)


def answer(town: Town, service: str, item: str, page: int, facts: Facts) -> tuple[Say, ...] | None:
    """Nothing to look up here: every choice of this kind belongs to its form."""
    return None


# --- the form ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class HelpKind(slots.OneOf):
    """One of the kinds of help, also by the words that go with it."""

    def take(self, heard: Heard) -> Any:
        return slots.OneOf.take(self, heard) or self.glean(heard)

    def glean(self, heard: Heard) -> Any:
        spoken = words(fold(heard.text))
        named = [
            option.id
            for option in self.options
            if any(word.startswith(stem) for word in spoken for stem in _STEMS.get(option.id, "").split())
        ]
        return named[0] if len(named) == 1 else None


@dataclass(frozen=True, kw_only=True)
class Wanted(slots.Text):
    """The list of what is needed. "Aspirin 2" is no address here."""

    def take(self, heard: Heard) -> Any:
        text = heard.text
        if len(text) > self.chars_max:
            return Complaint(Line("text_too_long", {"max_chars": self.chars_max}))
        return text if sum(letter.isalpha() for letter in text) >= TEXT_CHARS_MIN else None


@dataclass(frozen=True, kw_only=True)
class HomeAddress(slots.Address):
    """Where to bring it: always asked, for a list may look like a street and a number."""

    def glean(self, heard: Heard) -> Any:
        return None


@dataclass(frozen=True, kw_only=True)
class Whom(slots.OneOf):
    """For oneself or for somebody else, who is often named at once: "komšinici", "baba"."""

    def glean(self, heard: Heard) -> Any:
        spoken = words(fold(heard.text))
        return OTHER if any(word.startswith(stem) for word in spoken for stem in _OTHERS) else None


@dataclass(frozen=True, kw_only=True)
class Until(slots.OneOf):
    """By when: as soon as possible, or a day, kept as `YYYY-MM-DD`."""

    def take(self, heard: Heard) -> Any:
        if not heard.text:
            return None
        labelled = self._labelled(heard.text, heard)
        if labelled:
            return self._day(labelled[0], heard)
        today = _today(heard.town, heard.now)
        found = date_in(heard.text, today)
        if found is None or not 0 <= (dt.date.fromisoformat(found) - today).days <= DAYS_AHEAD_MAX:
            example = today + dt.timedelta(days=2)
            return Complaint(Line("aid_invalid_until", {"example": f"{example.day}. {example.month}. {example.year}."}))
        return found

    def glean(self, heard: Heard) -> Any:
        today = _today(heard.town, heard.now)
        found = date_in(heard.text, today) if heard.text else None
        return found if found and 0 <= (dt.date.fromisoformat(found) - today).days <= DAYS_AHEAD_MAX else None

    def holds(self, value: Any) -> bool:
        return isinstance(value, str) and (self._is_option(value) or _is_day(value))

    def shown(self, value: Any) -> Line:
        return Line(f"aid_{value}") if self._is_option(value) else helping.until_line(value)

    def _is_option(self, value: Any) -> bool:
        return any(option.id == value for option in self.options)

    def _day(self, option: str, heard: Heard) -> str:
        return on_day(option, _today(heard.town, heard.now))


def on_day(value: str, today: dt.date) -> str:
    """A pressed "today" or "tomorrow" as the day it means."""
    ahead = {"today": 0, "tomorrow": 1}.get(value)
    return value if ahead is None else (today + dt.timedelta(days=ahead)).isoformat()


def _is_day(value: str) -> bool:
    try:
        dt.date.fromisoformat(value)
    except ValueError:
        return False
    return True


def _today(town: Town, now: float) -> dt.date:
    return day_in(town.core["time_zone"], now)


def form(town: Town, service: str, answers: Mapping[str, Any]) -> Form:
    """What a volunteer has to know; of a neighbour also who it is and how to reach that person. Never payment data."""
    settings = town.core["services"][service]
    kinds = tuple(Option(each, Line(f"aid.kind.{each}")) for each in settings["kinds"])
    areas = tuple(Option(each, Line(f"aid.area.{each}"), ()) for each in settings["areas"])
    asked: list[Slot] = [
        HelpKind(key="category", ask=Line("aid_ask_kind"), label=Line("slot_kind"), options=kinds),
        Wanted(key="what", ask=Line("aid_ask_what"), label=Line("aid_what"), chars_max=WHAT_CHARS_MAX, private=True),
        Whom(key="whom", ask=Line("aid_ask_whom"), label=Line("aid_whom"), options=_options("aid_", SELF, OTHER)),
    ]
    if answers.get("whom") == OTHER:
        asked.append(slots.Text(key="for_name", ask=Line("aid_ask_other"), label=Line("aid_other_name"), chars_max=80))
        ask, label = Line("aid_ask_reach"), Line("aid_reach")
        asked.append(slots.Text(key="for_reach", ask=ask, label=label, chars_max=REACH_CHARS_MAX, private=True))
    until = _options("aid_", helping.ASAP, "today", "tomorrow")
    asked.append(Until(key="until", ask=Line("aid_ask_until"), label=Line("aid_until_label"), options=until))
    if areas:
        asked.append(slots.OneOf(key="area", ask=Line("aid_ask_area"), label=Line("aid_area_label"), options=areas))
    asked += [
        HomeAddress(key="address", ask=Line("aid_ask_address"), label=Line("aid_address"), private=True),
        slots.Name(key="name", ask=Line("ask_full_name"), label=Line("slot_name")),
        slots.Phone(key="phone", ask=Line("aid_ask_phone"), label=Line("slot_phone")),
        slots.Consent(key="consent", ask=Line("aid_ask_consent"), label=Line("aid_consent"), required=True),
    ]
    return Form(Line(service), tuple(asked), notes="what", hint=Line("aid_hint"), family=INTENT)


def _options(prefix: str, *ids: str) -> tuple[Option, ...]:
    return tuple(Option(each, Line(f"{prefix}{each}")) for each in ids)


def opening(town: Town, service: str, heard: Heard) -> Mapping[str, Any]:
    """The words that began the request are the list itself where they count something: "dva hleba i mleko"."""
    text = heard.text[:WHAT_CHARS_MAX]
    spoken = words(fold(text))
    counts = any(word in _COUNTED or word.isdigit() for word in spoken)
    return {"what": text} if counts and heard.inbound.kind != "choice" else {}


def similar(town: Town, service: str, answers: Mapping[str, Any], facts: Facts) -> Similar | None:
    """Two requests for help are never the same."""
    return None


def follow(reference: str) -> Done:
    """There is nothing to follow."""
    raise LookupError(reference)


def done(town: Town, service: str, answers: Mapping[str, Any], filer: Conversation, heard: Heard, facts: Facts) -> Done:
    """The case, and honest words: volunteers are asked now, and may not find the time."""
    private = {_KEPT_AS.get(name, name): "" for name in private_of(form(town, service, answers), answers)}
    case = replace(_case(town, answers, filer, heard, facts), private=private)
    lines = (
        Line("aid_created", {"case_no": case.reference}),
        Line("aid_next", {"unit": Line(str(town.core["person"]))}),
        Line("aid_emergency"),
    )
    return Done(lines, (OpenCase(helping.begun(case).case),), (helping.choice("off", case),))


_KEPT_AS = {"address": PLACE}  # where an answer stands in the case, if not under its own name


def _case(town: Town, answers: Mapping[str, Any], filer: Conversation, heard: Heard, facts: Facts) -> Case:
    category = str(answers["category"])
    until = on_day(str(answers["until"]), _today(town, facts.now))
    kept = {key: answers[key] for key in ("what", "whom", "for_name", "for_reach", "area") if key in answers}
    return filing.filed(
        town,
        helping.KIND,
        f"aid.kind.{category}",
        filer,
        heard.voice,
        facts,
        category=category,
        office=routing.route(town.core, helping.KIND, category).office,
        fields=kept | {"until": until},
        place=Place(str(answers["address"])),
        consent=answers.get("consent") == "yes",
        applicant=filing.person(answers),
    )


# --- acts -------------------------------------------------------------------------------------------------------


def act(scene: Scene, service: str, item: str) -> Act | Need:
    """What a button of a card, of a taken request or of the question "is it all right" does."""
    verb, _, reference = item.partition(".")
    if verb == "which":
        return Act((_which(scene, reference),))
    found = scene.facts.found
    if HELP not in found:
        return Need((VOLUNTEER, f"{HELP}:{reference}"))
    case: Case | None = found[HELP]
    if verb in ("yes", "no", "off"):
        return _by_helped(scene, verb, case)
    return _by_volunteer(scene, verb, case, found[VOLUNTEER])


def _by_helped(scene: Scene, verb: str, case: Case | None) -> Act:
    did = case and MoveHelp(case.reference, verb)
    if not case or not did or helping.act(case, did, _here(scene), scene.facts.now, _zone(scene.town)) is None:
        return _said(scene, "aid_no_more", case)
    state = helping.noted(scene.conversation.state, case.reference, "")
    lines = [_line(f"aid_{verb}_said", case)]
    if verb == "no":
        lines.append(Line("aid_next", {"unit": Line(str(scene.town.core["person"]))}))
    return Act((Say(lines=tuple(lines), choices=chat.choices("person", "menu")),), (did,), state)


def _by_volunteer(scene: Scene, verb: str, case: Case | None, volunteer: Volunteer | None) -> Act:
    standing = helping.standing(case, volunteer)
    if case is None or standing == "unknown":
        return _said(scene, "aid_no_more", None)
    if standing in ("taken", "over"):
        return _said(scene, f"aid_{standing}", case)
    if standing == "done" and verb != "photo":
        return _said(scene, "aid_done_said", case)
    if verb == "photo":
        return _photographed(scene, case, volunteer)
    if standing == "free" and verb != "take":
        return _said(scene, "aid_no_more", None)
    effects = () if (standing, verb) == ("mine", "take") else (MoveHelp(case.reference, verb, volunteer),)
    place = "" if verb == "back" else helping.TASK
    state = helping.noted(scene.conversation.state, case.reference, place)
    return Act((_to_volunteer(verb, case),), effects, state, forgets=case.reference if verb == "back" else "")


def _to_volunteer(verb: str, case: Case) -> Say:
    """What a volunteer reads who has just taken a request, given it back, or done it."""
    if verb == "take":
        ways = (helping.choice("done", case), helping.choice("back", case))
        return Say(lines=(*helping.details(case), Line("aid_rules", {"case_no": case.reference})), choices=ways)
    return Say(lines=(_line(f"aid_{verb}_said", case),))


def _photographed(scene: Scene, case: Case, volunteer: Volunteer | None) -> Act:
    media = scene.inbound.media
    if media is None or media.type != "photo" or len(case.attachments) >= helping.PHOTOS_MAX:
        return _said(scene, "file_type_not_taken", case)
    did = MoveHelp(case.reference, "photo", volunteer, (media.type, media.url, media.size))
    return Act((Say(lines=(_line("aid_photo_said", case),)),), (did,))


def _said(scene: Scene, key: str, case: Case | None) -> Act:
    """Words alone: nothing is done; a request that is taken or over is no longer remembered as a card."""
    state = scene.conversation.state
    if case and key in ("aid_taken", "aid_over"):
        state = helping.noted(state, case.reference, "")
    line = _line(key, case) if case else Line(key)
    return Act((Say(lines=(line,), choices=chat.choices("menu")),), state=state)


def _line(key: str, case: Case) -> Line:
    return Line(key, {"case_no": case.reference, "kind": helping.kind(case)})


def _here(scene: Scene) -> Follower:
    return Follower(scene.conversation.account, scene.conversation.citizen)


def _zone(town: Town) -> ZoneInfo:
    return ZoneInfo(town.core["time_zone"])


# --- words that mean an act -------------------------------------------------------------------------------------


_TAKES = own_words.whole_phrases(
    """preuzimam|ja preuzimam|preuzeo bih|preuzela bih|mogu ja|ja mogu|ja ću|idem ja|prihvatam|može ja ću|
    i'll take it|i will take it|i can|i can do it|mine|unë|une|e marr unë|e marr une|mundem unë|unë mundem|mund unë|
    ich übernehme|ich übernehme es|ich kann"""
)
_BACKS = own_words.whole_phrases(
    """ne mogu ipak|ipak ne mogu|ne mogu|ne stižem|ne stizem|vraćam|vracam|odustajem|ne mogu stići|nuk mundem|
    nuk mundem më|e kthej|i can't|i cannot|i can't after all|can't do it|ich kann doch nicht|ich kann nicht"""
)
_DONES = own_words.whole_phrases(
    """gotovo|završeno|zavrseno|gotovo je|odneto|odnijeto|odneo sam|odnela sam|predato|kupljeno i predato|isporučeno|
    u krye|u krye puna|gati|mbarova|e kreva|done|it's done|delivered|finished|fertig|erledigt"""
)


def meant(scene: Scene, service: str) -> str | None:
    """A volunteer's word about a card or a taken request, a photo of the receipt, or the answer "is it all right"."""
    known = scene.conversation.state.get(helping.STATE)
    if not known:
        return None
    tasks = known.get(helping.TASK, [])
    if scene.inbound.kind == "attachment":
        return f"aid.photo.{tasks[-1]}" if tasks else None
    spoken = " ".join(words(fold(scene.heard.text)))
    if helping.TASK in known:
        for phrases, verb, references in (
            (_TAKES, "take", known.get(helping.CARD, [])),
            (_BACKS, "back", tasks),
            (_DONES, "done", tasks),
        ):
            if spoken in phrases:
                return f"aid.{verb}.{references[0]}" if len(references) == 1 else f"aid.which.{verb}"
    return _about_what_was_done(scene, known.get(helping.ASK, []))


def _about_what_was_done(scene: Scene, asked: list[str]) -> str | None:
    """Yes or no to the question whether it is all right, where one is open."""
    said = scene.heard.command if asked else None
    return f"aid.{said}.{asked[-1]}" if said in ("yes", "no") else None


def _which(scene: Scene, verb: str) -> Say:
    """Several requests could be meant, or none."""
    known = scene.conversation.state.get(helping.STATE, {})
    references = known.get(helping.CARD if verb == "take" else helping.TASK, [])
    if not references:
        return Say(lines=(Line("aid_nothing_now"),), choices=chat.choices("menu"))
    ways = tuple(Choice(f"aid.{verb}.{each}", Line("raw", {"text": each})) for each in references)
    return Say(lines=(Line("aid_which"),), choices=ways)
