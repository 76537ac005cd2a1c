"""A town's reports of problems as Open311 knows them: services, their attributes, statuses, what the public may see.

Pure. The words of both sides are mapped here and nowhere else: ours → theirs for whoever reads, theirs → ours for a
system that a category is sent to. The extended statuses are those FixMyStreet uses.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from chalicelib.cases import lifecycle, routing
from chalicelib.model import Case, Happening, Place, Town
from chalicelib.patterns import pattern
from chalicelib.small_classes import dataclass

KIND = "problem"
CHANNEL = "open311"
OPEN, CLOSED = "open", "closed"
EXTENDED: Mapping[str, str] = {
    "received": "open",
    "in_progress": "in_progress",
    "forwarded": "investigating",
    "awaiting_opinion": "investigating",
    "awaiting_citizen": "investigating",
    "stayed": "action_scheduled",
    "discontinued": "no_further_action",
    "dismissed": "not_councils_responsibility",
    "rejected": "no_further_action",
    "resolved": "fixed",
    "withdrawn": "closed",
}
# What another system says → what the case becomes, unless the town says otherwise; "" only tells its words.
STATUSES: Mapping[str, str] = {
    "open": "",
    "in_progress": "in_progress",
    "investigating": "in_progress",
    "action_scheduled": "in_progress",
    "internal_referral": "",
    "for_triage": "",
    "reopen": "",
    "fixed": "resolved",
    "closed": "resolved",
    "duplicate": "dismissed",
    "not_councils_responsibility": "dismissed",
    "no_further_action": "rejected",
}
DATATYPES: Mapping[str, str] = {
    "text": "text",
    "choice": "singlevaluelist",
    "multi_choice": "multivaluelist",
    "quantity": "number",
    "date": "datetime",
}
TEXT_CHARS_MAX = 1000  # of an answer, as a form in the chat takes it
QUANTITY_MIN, QUANTITY_MAX = 1, 99  # as there
DECIMALS_NEAR = 3  # of a degree, about 100 metres
_MOVES = ("status", "forwarded", lifecycle.REOPENED, lifecycle.WITHDRAWN)  # told by an entry that stands alone
_ISO_DAY = pattern(r"\d{4}-\d\d-\d\d")
_HOUSE_NUMBER = pattern(r"(?<!\s)\s+\d{1,4}\s?[A-Za-zА-Яа-я]?(?:/\d{1,3})?\b")


@dataclass(frozen=True, slots=True)
class Service:
    """One kind of problem a town takes reports of: `code` is its id, `id` the service of the town it belongs to."""

    id: str
    code: str
    problem: Mapping[str, Any]

    @property
    def questions(self) -> Sequence[Mapping[str, Any]]:
        return tuple(self.problem.get("questions", ()))

    @property
    def public(self) -> bool:
        """Whether reports of it are shown to whoever asks. Where a name is asked for, they are about people."""
        return bool(self.problem.get("public", self.problem.get("anonymous", True)))

    def slot(self, question: Mapping[str, Any]) -> str:
        """Under which name a case keeps the answer: the same as when a citizen gives it in the chat."""
        return f"{self.code}_{question['id']}"


class BadValue(Exception):
    """An answer that cannot be; the text says to whom it was not clear why."""


def services(town: Town) -> Iterator[Service]:
    """What can be reported in this town, in the order of its menu; each code once."""
    seen: set[str] = set()
    for identifier, service in town.core["services"].items():
        if service["kind"] != "report_problem":
            continue
        for problem in service["problems"]:
            if problem["id"] not in seen:
                seen.add(problem["id"])
                yield Service(identifier, problem["id"], problem)


def service(town: Town, code: str) -> Service | None:
    """The service of that code."""
    return next((each for each in services(town) if each.code == code), None)


def service_data(town: Town, each: Service) -> dict[str, Any]:
    """A service as lists tell it. Its keywords are what it is called in the town's languages."""
    names = dict.fromkeys(str(texts[f"{each.id}.category.{each.code}"]) for texts in town.texts.values())
    return {
        "service_code": each.code,
        "service_name": title(town, each),
        "description": _text(town, f"{each.id}.hint.{each.code}") if each.problem.get("hint") else title(town, each),
        "metadata": bool(each.questions),
        "type": "realtime",
        "keywords": ", ".join(name.replace(",", " ") for name in names),
        "group": office(town, routing.route(town.core, KIND, each.code).office),
    }


def title(town: Town, each: Service) -> str:
    """What the town calls it in its own language."""
    return _text(town, f"{each.id}.category.{each.code}")


def office(town: Town, identifier: str) -> str:
    """What an office of the directory is called; another word stays as it is."""
    return _text(town, f"{routing.contacts_service(town.core)}.{identifier}", identifier)


def status_label(town: Town, status: str) -> str:
    """A status in the town's own words."""
    return _text(town, f"status.{'awaiting_applicant' if status == 'awaiting_citizen' else status}", status)


def _text(town: Town, key: str, otherwise: str = "") -> str:
    found = town.texts[town.native_language].get(key, otherwise)
    return found if isinstance(found, str) else otherwise


# --- attributes -------------------------------------------------------------------------------------------------


def attributes(town: Town, each: Service) -> list[dict[str, Any]]:
    """The town's own questions about this kind of problem."""
    return [_attribute(town, each, question, order) for order, question in enumerate(each.questions, 1)]


def _attribute(town: Town, each: Service, question: Mapping[str, Any], order: int) -> dict[str, Any]:
    key = each.slot(question)
    values = [{"key": option, "name": _text(town, f"{each.id}.{key}.{option}")} for option in question["options"]]
    data = {
        "variable": True,
        "code": question["id"],
        "datatype": DATATYPES[question["type"]],
        "required": not question["optional"],
        "datatype_description": "YYYY-MM-DD" if question["type"] == "date" else None,
        "order": order,
        "description": _text(town, f"{each.id}.ask.{key}"),
    }
    return data | ({"values": values} if values else {})


def answered(question: Mapping[str, Any], given: Sequence[str]) -> Any:
    """What a case keeps of the values given for a question, None for none. Raises BadValue."""
    values = [value.strip() for value in given if value.strip()]
    if not values:
        return None
    match question["type"]:
        case "multi_choice":
            chosen = list(dict.fromkeys(values))
            _among(question, chosen)
            return [option for option in question["options"] if option in chosen]
        case _ if len(values) > 1:
            raise BadValue("takes one value")
        case "choice":
            _among(question, values)
            return values[0]
        case "quantity":
            return _quantity(values[0])
        case "date":
            return _day(values[0])
    if len(values[0]) > TEXT_CHARS_MAX:
        raise BadValue(f"takes at most {TEXT_CHARS_MAX} characters")
    return values[0]


def _among(question: Mapping[str, Any], values: Sequence[str]) -> None:
    if not set(values) <= set(question["options"]):
        raise BadValue(f"is one of {', '.join(question['options'])}")


def _quantity(value: str) -> int:
    if not re.fullmatch(r"[0-9]{1,6}", value) or not QUANTITY_MIN <= int(value) <= QUANTITY_MAX:
        raise BadValue(f"is a whole number from {QUANTITY_MIN} to {QUANTITY_MAX}")
    return int(value)


def _day(value: str) -> str:
    try:
        return dt.date.fromisoformat(value[:10] if _ISO_DAY.match(value) else value).isoformat()
    except ValueError as error:
        raise BadValue("is a date as 2026-03-10") from error


# --- what is told -----------------------------------------------------------------------------------------------


def is_shown(town: Town, case: Case, *, trusted: bool) -> bool:
    """Whether this case is a request of Open311 for whoever asks; `trusted` has a key of the town's."""
    if case.kind != KIND:
        return False
    each = service(town, case.category)
    if each is None:
        return False
    return trusted or (each.public and bool(rules(town)["public"]))


def rules(town: Town) -> Mapping[str, Any]:
    """What the town says of Open311; a version published before there was such a thing says the usual."""
    usual = {"public": True, "place": "exact", "descriptions": False, "photos": False, "endpoints": []}
    return {**usual, **(town.core.get("open311") or {})}


def status(case: Case) -> str:
    return OPEN if lifecycle.is_open(case) else CLOSED


def place(town: Town, case: Case, *, trusted: bool) -> tuple[str, float | None, float | None]:
    """The words and the pin of a case, as exactly as the town shows them to whoever asks."""
    if case.place is None:
        return "", None, None
    exact = (case.place.text, case.place.latitude, case.place.longitude)
    shown = "exact" if trusted else rules(town)["place"]
    if shown == "exact":
        return exact
    if shown == "none":
        return "", None, None
    text, *pin = exact
    latitude, longitude = (None if degrees is None else round(degrees, DECIMALS_NEAR) for degrees in pin)
    return _HOUSE_NUMBER.sub("", text), latitude, longitude


def words_are_shown(town: Town, case: Case, *, trusted: bool) -> bool:
    """Whether the words of whoever reported it are shown: in a chat nobody was told that they would be."""
    return trusted or case.channel == CHANNEL or bool(rules(town)["descriptions"])


def updates(case: Case) -> Iterator[tuple[str, Happening]]:
    """What happened to a case that others may know of, oldest first, each with an id that stays the same."""
    before = ""
    for entry in case.history:
        moved = entry.status != before if before else entry.event in _MOVES
        if moved or (entry.public and entry.note):
            yield update_id(case, entry), entry
        before = entry.status


def update_id(case: Case, entry: Happening) -> str:
    """The same entry has the same id, whenever it is read."""
    said = f"{case.reference} {entry.at} {entry.event} {entry.status} {entry.by} {entry.note}"
    return hashlib.blake2b(said.encode("utf-8", "replace"), digest_size=8).hexdigest()


# --- other systems ----------------------------------------------------------------------------------------------


def actor(identifier: str) -> str:
    """As histories name what an endpoint causes."""
    return f"{lifecycle.API}:open311-{identifier}"


def to_tell(history: Sequence[Happening], start: int, told_by: str) -> Iterator[tuple[int, Happening]]:
    """What a system that has the report must hear of, from the `start`th entry on, each with its position: that the
    case was closed or opened again here, and what its citizen adds. What `told_by`, the system itself, did it knows."""
    for position in range(max(1, start), len(history)):
        entry = history[position]
        if entry.by != told_by and (turned(history, position) or _is_added(entry)):
            yield position, entry


def turned(history: Sequence[Happening], position: int) -> bool:
    """Whether this entry closed the case, or opened it again."""
    before, after = history[position - 1].status, history[position].status
    return (before in lifecycle.CLOSED) != (after in lifecycle.CLOSED)


def _is_added(entry: Happening) -> bool:
    return entry.by == lifecycle.CITIZEN and entry.event == lifecycle.ATTACHED


def arrived_at(history: Sequence[Happening], told_by: str) -> int:
    """The position behind the first entry by that system, which is its taking the report."""
    return next((position for position, entry in enumerate(history, 1) if entry.by == told_by), len(history))


def pin(place: Place | None) -> str:
    """A place on the map as words ("45.774100, 19.112200"); "" where there is none."""
    if place is None or place.latitude is None or place.longitude is None:
        return ""
    return f"{place.latitude:.6f}, {place.longitude:.6f}"


def mark(reference: str, position: int) -> str:
    """What our update about an entry is called there, and by which it is found among others."""
    return f"{reference}/{position}"


def is_echo(words: str, reference: str) -> bool:
    """Whether an update that is heard is one of ours."""
    return f"[{reference}/" in words


def known(said: str) -> str:
    """A status as another system writes it, in one spelling."""
    return re.sub(r"[\s-]+", "_", said.strip().lower())


def ours(said: str, own: Mapping[str, str]) -> str:
    """What the case becomes when another system says this; "" for nothing. `own`: the town's table for that system."""
    return {**STATUSES, **own}.get(known(said), "")


def destination(core: Mapping[str, Any], case: Case) -> tuple[Mapping[str, Any], Mapping[str, Any]] | None:
    """Where a case goes beside its office: the endpoint, and how the category is called there; None for nowhere."""
    if case.kind != KIND:
        return None
    entry = core.get("routing", {}).get(KIND, {}).get(case.category, {}).get("open311")
    found = endpoint(core, entry["endpoint"]) if entry else None
    return (found, entry) if found else None


def endpoint(core: Mapping[str, Any], identifier: str) -> Mapping[str, Any] | None:
    """One of the other systems the town sends reports to."""
    endpoints = (core.get("open311") or {}).get("endpoints", ())
    return next((each for each in endpoints if each["id"] == identifier), None)
