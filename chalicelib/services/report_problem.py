"""Reports of communal problems: what kind, where, with a photo, to whoever takes care of it.

Choices: `<service>` (begins a report), `<service>.category.<problem>` (begins one of that kind, or changes it).
A town's problems are data of its published version: office, term, photo, place, anonymity, own questions.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from chalicelib.cases import filing, moments
from chalicelib.dialogue import slots
from chalicelib.dialogue.forms import OF_PHOTO, Done, Form, Similar
from chalicelib.dialogue.own_words import names_a_place
from chalicelib.dialogue.slots import Heard, Option, Slot
from chalicelib.dialogue.slots.media import MEGABYTES_MAX
from chalicelib.dialogue.slots.where import metres
from chalicelib.dialogue.slots.wording import TEXT_CHARS_MAX
from chalicelib.language.folding import fold, words
from chalicelib.model import (
    Case,
    Conversation,
    Facts,
    FollowCase,
    Line,
    Need,
    OpenCase,
    Place,
    Say,
    Town,
)
from chalicelib.patterns import pattern
from chalicelib.understanding.entities.places import address_in

OPENED_BY = ("attachment", "location")  # what begins a report without a word
FAMILY = "report."
GENERIC = "report.generic"
NEAR = "near_problems"
SIMILAR_METRES_MAX = 120
SIMILAR_DAYS_MAX = 30
TELLING_WORDS_MIN = 2
WISH_WORDS_MAX = 7  # "I would like to report a problem, please" tells nothing of the problem
STREET_WORDS_MAX = 4
_DAY_SECONDS = 86400
_HOUSE_NUMBER = pattern(r"(?<!\s)\s+\d{1,4}\s?\w?(?:/\d{1,3})?$")


def answer(town: Town, service: str, item: str, page: int, facts: Facts) -> tuple[Say, ...] | None:
    """Nothing to look up here: every choice of this kind belongs to its form."""
    return None


# --- the form ---------------------------------------------------------------------------------------------------


def form(town: Town, service: str, answers: Mapping[str, Any]) -> Form:
    """The questions a report needs, which depend on what kind of problem it is, and on what was sent already."""
    problem = _problem(town, service, answers.get("category")) or {}
    sent = bool(answers.get("media"))
    of_photo = None if "place" in answers else answers.get(OF_PHOTO)
    if of_photo:
        return _form(town, service, problem, sent, of_photo)
    name = ("report_problem", service, problem.get("id", ""), "sent" if sent else "")
    form: Form = town.once(name, lambda: _form(town, service, problem, sent, None))
    return form


def _form(town: Town, service: str, problem: Mapping[str, Any], sent: bool, of_photo: Sequence[float] | None) -> Form:
    photo = problem.get("photo", "wanted")
    asked: list[Slot] = [
        slots.OneOf(key="category", ask=Line("ask_category"), label=Line("slot_kind"), options=_options(town, service)),
        slots.Text(
            key="description",
            ask=Line("ask_description"),
            label=Line("slot_description"),
            optional=sent,
        ),
        slots.Media(
            key="media",
            ask=Line("ask_photo_needed" if photo == "required" else "ask_photo", {"max_mb": MEGABYTES_MAX}),
            label=Line("slot_media"),
            optional=photo != "required",
            unasked=photo == "no",
        ),
        _place(of_photo, optional=not problem.get("place", True)),
    ]
    asked += [_own_question(service, problem["id"], question) for question in problem.get("questions", ())]
    if not problem.get("anonymous", True):
        asked.append(slots.Name(key="name", ask=Line("ask_full_name"), label=Line("slot_name")))
        asked.append(slots.Phone(key="phone", ask=Line("ask_phone"), label=Line("slot_phone")))
    hint = Line(f"{service}.hint.{problem['id']}") if problem.get("hint") else None
    return Form(Line(service), tuple(asked), notes="description", hint=hint, family=FAMILY)


def _place(of_photo: Sequence[float] | None, *, optional: bool) -> slots.Location:
    """Where the problem is; where a photo was taken is proposed until something was answered."""
    label = Line("slot_place")
    if of_photo is None:
        return slots.Location(key="place", ask=Line("ask_location"), label=label, optional=optional)
    latitude, longitude = of_photo
    ask = Line("ask_place_of_photo")
    return slots.PlaceOfPhoto(key="place", ask=ask, label=label, optional=optional, proposed=(latitude, longitude))


def _problem(town: Town, service: str, category: Any) -> Mapping[str, Any] | None:
    problems = town.core["services"][service]["problems"]
    return next((problem for problem in problems if problem["id"] == category), None)


def _options(town: Town, service: str) -> tuple[Option, ...]:
    options: tuple[Option, ...] = town.once(("report_problem", service), lambda: _options_of(town, service))
    return options


def _options_of(town: Town, service: str) -> tuple[Option, ...]:
    return tuple(
        Option(
            problem["id"],
            Line(f"{service}.category.{problem['id']}"),
            (*problem["intents"], f"{service}.category.{problem['id']}"),
        )
        for problem in town.core["services"][service]["problems"]
    )


def _own_question(service: str, problem: str, question: Mapping[str, Any]) -> Slot:
    """A town's own question of one kind of problem; the texts stand under the slot's key."""
    key = f"{problem}_{question['id']}"
    common: dict[str, Any] = {
        "key": key,
        "ask": Line(f"{service}.ask.{key}"),
        "label": Line(f"{service}.label.{key}"),
        "optional": question["optional"],
    }
    options = tuple(Option(each, Line(f"{service}.{key}.{each}")) for each in question["options"])
    match question["type"]:
        case "choice":
            return slots.OneOf(**common, options=options)
        case "multi_choice":
            return slots.SomeOf(**common, options=options)
        case "quantity":
            return slots.Quantity(**common)
        case "date":
            return slots.Date(**common)
    return slots.Text(**common)


def opening(town: Town, service: str, heard: Heard) -> Mapping[str, Any]:
    """What the words that began the report say of the problem itself."""
    text = heard.text[:TEXT_CHARS_MAX]
    if not text or not _tells_something(town, service, heard):
        return {}
    return {"description": text}


def _tells_something(town: Town, service: str, heard: Heard) -> bool:
    """Whether the words describe a problem, instead of only naming its kind or wishing to report one."""
    spoken = words(fold(heard.text))
    if len(spoken) < TELLING_WORDS_MIN:
        return False
    titles = {
        " ".join(words(fold(str(texts[option.label.key]))))
        for option in _options(town, service)
        for texts in town.texts.values()
    }
    if " ".join(spoken) in titles:
        return False
    if heard.inbound.kind == "attachment":
        return True
    best = next((intent for intent, _ in heard.understood.intents), "")
    return (best.startswith((FAMILY, f"{service}.")) and best != GENERIC) or len(spoken) > WISH_WORDS_MAX


# --- known already ----------------------------------------------------------------------------------------------


def similar(town: Town, service: str, answers: Mapping[str, Any], facts: Facts) -> Similar | Need | None:
    """A recent report of the same kind close by or in the same street. Of the other report nothing is told but that,
    and its photo is shown in small."""
    place = answers.get("place")
    if not place:
        return None
    if NEAR not in facts.found:
        return Need((f"{NEAR}:{answers['category']}",))
    known = [
        entry
        for entry in facts.found[NEAR] or ()
        if entry["category"] == answers["category"]
        and 0 <= facts.now - entry["created_at"] <= SIMILAR_DAYS_MAX * _DAY_SECONDS
        and _is_here(place, entry)
    ]
    if not known:
        return None
    best = min(known, key=lambda entry: (_distance(place, entry) or 0.0, -entry["created_at"], entry["reference"]))
    days = int((facts.now - best["created_at"]) // _DAY_SECONDS)
    away = _distance(place, best)
    where: dict[str, str | int] = {}
    if away is not None and away <= SIMILAR_METRES_MAX:
        where["metres"] = max(10, int(round(away, -1)))
    key = f"similar_{'near' if where else 'street'}{'' if days else '_today'}"
    args = (where or {"street": _street(place)}) | {"n": days}
    return Similar(str(best["reference"]), key, args, str(best.get("photo", "")))


def _is_here(place: Mapping[str, Any], entry: Mapping[str, Any]) -> bool:
    away = _distance(place, entry)
    if away is not None and away <= SIMILAR_METRES_MAX:
        return True
    street = fold(_street(place))
    return bool(street) and street == entry.get("street_folded")


def _distance(place: Mapping[str, Any], entry: Mapping[str, Any]) -> float | None:
    if "latitude" not in place or entry.get("latitude") is None:
        return None
    return metres(place["latitude"], place["longitude"], float(entry["latitude"]), float(entry["longitude"]))


def _street(place: Mapping[str, Any]) -> str:
    """The street of a place in words, with or without a number; empty for a landmark."""
    text = str(place.get("text", ""))
    found = address_in(text)
    if found:
        return found["street"]
    street = _HOUSE_NUMBER.sub("", text.partition(",")[0]).strip()
    return "" if names_a_place(street) or len(street.split()) > STREET_WORDS_MAX else street


def follow(reference: str) -> Done:
    """The citizen follows the report that exists instead of filing another."""
    return Done((Line("report_followed", {"case_no": reference}),), (FollowCase(reference),))


# --- filed ------------------------------------------------------------------------------------------------------


def done(town: Town, service: str, answers: Mapping[str, Any], filer: Conversation, heard: Heard, facts: Facts) -> Done:
    """The case, and the receipt: reference, deadline, what happens next."""
    case = _case(town, service, answers, filer, heard, facts)
    created = Line("report_created", {"case_no": case.reference})
    return Done((created, *moments.due_lines(town.core, case), Line("next_received")), (OpenCase(case),))


def _case(
    town: Town, service: str, answers: Mapping[str, Any], filer: Conversation, heard: Heard, facts: Facts
) -> Case:
    category, place = str(answers["category"]), answers.get("place")
    apart = ("category", "place", "media", "name", "phone")
    return filing.filed(
        town,
        "problem",
        f"{service}.category.{category}",
        filer,
        heard.voice,
        facts,
        **filing.routed(town, "problem", category, facts),
        fields={key: value for key, value in answers.items() if key not in apart} | _street_field(place),
        place=Place(place.get("text", ""), place.get("latitude"), place.get("longitude")) if place else None,
        attachments=filing.media(answers),
        followers=(filing.owner(filer),),
        applicant=filing.person(answers),
    )


def _street_field(place: Mapping[str, Any] | None) -> dict[str, str]:
    """The street in the form in which the next report of the same thing is compared with it."""
    street = fold(_street(place)) if place else ""
    return {"street_folded": street} if street else {}
