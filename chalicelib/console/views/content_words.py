"""What the content's pages call things: units, fields, choices, changes, complaints, in the reader's words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from chalicelib.actions import edit_content
from chalicelib.actions.edit_content import Workspace
from chalicelib.console.door import Answer, Visit
from chalicelib.console.pages import page
from chalicelib.console.wording import texts
from chalicelib.language import catalogue
from chalicelib.model import Refused
from chalicelib.storage import edits
from chalicelib.tenancy import content
from chalicelib.tenancy.complaints import Complaint
from chalicelib.tenancy.schema import UNCONFIRMED, WEEKDAYS

ROOMS = {
    "sheets": content.SHEETS,
    "offices": content.OFFICES,
    "phrases": content.PHRASES,
    "texts": content.TEXTS,
}
NEW = ("sheets", "offices")
SAID = ("saved", "undone", "ordered", "nothing", "removed", "restored")
_REFUSED = ("too_many_drafts", "too_many_edits")
# What is wrong with a field, by the field itself; anything else goes by the schema's word for it.
_WRONG_BY_FIELD = {
    "phones": "phone",
    "emails": "mail",
    "hours": "hours",
    "web": "web",
    "competent_url": "web",
    "checked": "date",
    "order": "order",
}
_WRONG_BY_CODE = {
    "string_too_long": "long",
    "too_long": "many",
    "missing": "missing",
    "string_too_short": "missing",
    "unknown_placeholder": "placeholder",
    "too_many_phrases": "phrases",
    "no_competent": "competent",
    "no_office": "office",
}
# Complaints about a sheet as a whole, by the field that mends them.
_FIELD_OF_CODE = {"missing": "title", "no_competent": "competent_body", "no_office": "office"}
_DOCUMENT = "doc."  # intents whose names the citizens' catalogue has already
# Fields whose choices have names.
_NAMED = ("group", "office", "intents", "mode", "competent")


def drawn(visit: Visit, desk: Workspace, template: str, status: int = 200, **data: Any) -> Answer:
    said = visit.query.get("said", "")
    waiting = len({content.unit_of(path) for path in desk.drafts})
    shared = {
        "waiting": waiting,
        "desk": desk,
        "order": desk.order,
        "waits": edits.WAITS,
        "said": said if said in SAID else "",
    }
    return page(visit, template, status, **shared | data)


def workspace(visit: Visit) -> Workspace:
    return edit_content.workspace(visit.here.slug, visit.deadline)


def room_name(unit: str) -> str:
    return next(name for name, room in ROOMS.items() if room == content.room_of(unit))


def nodes(visit: Visit, desk: Workspace) -> dict[str, str]:
    """What phrases can stand for: sheets, offices and services, and the intents the town has phrases for."""
    titles = {
        f"{service}.{name.rpartition('/')[2]}": content.title_at(desk.tree, name, visit.say.voice.language)
        for service, name in _choices(desk)
    }
    known = {
        node: visit.say.own(node) for node in visit.here.texts[visit.here.native_language] if _is_choice(visit, node)
    }
    routes = visit.here.core["routes"]
    served = {intent: next((titles[one] for one in choices if one in titles), "") for intent, choices in routes.items()}
    named = dict.fromkeys(desk.tree["phrases"], "")
    every = {**named, **titles, **known}
    return {
        node: titles.get(node) or known.get(node) or served.get(node) or intent_title(visit, node) or node
        for node in every
    }


def intent_title(visit: Visit, intent: str) -> str:
    """What citizens ask about by it; "" for what has no name here."""
    known = f"document_{intent.removeprefix(_DOCUMENT)}"
    if intent.startswith(_DOCUMENT) and known in catalogue.load(visit.say.name)["texts"]:
        return visit.say.platform(known)
    key = f"content_i_{intent.replace('.', '_')}"
    return str(visit.say(key)) if key in texts(visit.say.name) else ""


def _choices(desk: Workspace) -> list[tuple[str, str]]:
    kinds = {str(one["kind"]): str(one["id"]) for one in desk.tree["services"]["services"]}
    sheets = (
        [(kinds["procedures"], f"procedures/{name}") for name in desk.tree["procedures"]]
        if "procedures" in kinds
        else []
    )
    return sheets + [(kinds["contacts"], f"contacts/offices/{one['id']}") for one in desk.tree["contacts"]["offices"]]


def _is_choice(visit: Visit, node: str) -> bool:
    services_of_town = visit.here.core["services"]
    return node in services_of_town or (
        node.partition(".")[0] in services_of_town and ".group." not in node and node in visit.here.index["nodes"]
    )


def title_of(visit: Visit, desk: Workspace, unit: str) -> str:
    if content.room_of(unit) == content.PHRASES:
        return node_title(visit, desk, unit.removeprefix(f"{content.PHRASES}/"))
    trees = (desk.tree, desk.in_force, desk.files)
    tree = next((one for one in trees if content.exists(one, unit)), desk.tree)  # what is taken away keeps its name
    return content.title_at(tree, unit, visit.say.voice.language)


def check_there(desk: Workspace, unit: str) -> None:
    """Raises Refused for a unit that is not there."""
    if not content.exists(desk.tree, unit):
        raise Refused(404, "unknown", "There is no such content.")


def removed(desk: Workspace, room: str) -> list[str]:
    """Sheets that are taken away here: drafted so, or of the files and not in force."""
    if room != content.SHEETS:
        return []
    there = {**desk.in_force["procedures"], **desk.files["procedures"]}
    return [f"{room}/{name}" for name in there if name not in desk.tree["procedures"]]


def node_title(visit: Visit, desk: Workspace, node: str) -> str:
    return nodes(visit, desk).get(node, node)


def place(visit: Visit, desk: Workspace, path: str) -> dict[str, str]:
    """Where a change or a complaint stands: its form and its words."""
    try:
        unit, field, language = content.place_of(path)
    except (KeyError, IndexError):
        return {"title": path, "field": "", "language": "", "way": ""}
    known = content.names(unit)
    there = content.exists(desk.tree, unit) or unit in removed(desk, content.SHEETS)
    return {
        "title": title_of(visit, desk, unit),
        "field": str(visit.say(f"content_f_{field}")) if field in known else "",
        "language": _part(visit, desk, language),
        "way": way_of(unit, language if language in desk.languages else desk.languages[0], "") if there else "",
    }


def _part(visit: Visit, desk: Workspace, name: str) -> str:
    """A language or a day of the week, as it follows a field's name."""
    if name in desk.languages:
        return str(visit.say(f"speaks_{name}"))
    days = [
        visit.say.platform(f"days.{day}")
        for day in (WEEKDAYS if name == "weekdays" else (name,) if name in WEEKDAYS else ())
    ]
    return f"{days[0]} – {days[4]}" if len(days) > 1 else "".join(days)


def in_words(visit: Visit, path: str, value: str) -> str:
    """A value as staff read it: what is not known, ticked boxes, topics and offices by their names."""
    field = content.place_of(path)[1]
    if value == UNCONFIRMED:
        return str(visit.say("content_unknown"))
    if value in ("True", "False"):
        return str(visit.say("content_yes" if value == "True" else "content_no"))
    if field not in _NAMED or not value:
        return value
    return "\n".join(choice_title(visit, field, each) for each in value.split("\n"))


def said(visit: Visit, field: content.Field, values: Mapping[str, str]) -> str:
    """What the strings of one field of a form say."""
    if values.get(field.name + content.ASK):
        return str(visit.say("content_unknown"))
    if field.kind == content.FLAG:
        return str(visit.say("content_yes" if values[field.name] else "content_no"))
    parts = {name.removeprefix(f"{field.name}."): value for name, value in values.items() if value}
    if field.kind == content.TICKS:
        return " · ".join(choice_title(visit, field.name, choice) for choice in parts)
    if field.kind == content.HOURS:
        return "\n".join(f"{visit.say.platform(f'days.{day}')} {spans}" for day, spans in parts.items())
    return choice_title(visit, field.name, values[field.name])


def choice_title(visit: Visit, field: str, choice: str) -> str:
    """What one choice of a field is called."""
    if field == "group" and choice:
        return visit.say.platform(f"group_{choice}")
    if field == "office":
        return visit.say.office(choice) if choice else str(visit.say("content_no_office"))
    if field == "intents":
        return intent_title(visit, choice) or choice
    return str(visit.say(f"content_{field}_{choice}")) if choice and field in _NAMED else choice


def wrong_fields(complaints: Sequence[Complaint], unit: str) -> dict[str, Complaint]:
    """The complaints about one unit by its fields; "" for the unit itself."""
    known, found = content.names(unit), dict[str, Complaint]()
    for complaint in complaints:
        try:
            at, field, _ = content.place_of(complaint.path)
        except (KeyError, IndexError):
            continue
        if at == unit:
            field = field or _FIELD_OF_CODE.get(complaint.code, "")
            found.setdefault(field if field in known else "", complaint)
    return found


def refused(visit: Visit, error: Refused) -> str:
    """Why nothing was saved."""
    key = f"content_wrong_{error.code}"
    return str(visit.say(key if error.code in _REFUSED else "content_wrong_other", what=error.message))


def told(visit: Visit, complaint: Complaint) -> str:
    """What is wrong, in plain words."""
    try:
        field = content.place_of(complaint.path)[1]
    except (KeyError, IndexError):
        field = ""
    long = complaint.code in ("string_too_long", "too_long")
    kind = _WRONG_BY_CODE.get(complaint.code) if long else _WRONG_BY_FIELD.get(field)
    kind = kind or _WRONG_BY_CODE.get(complaint.code, "other")
    return str(visit.say(f"content_wrong_{kind}", n=complaint.bound, what=complaint.problem))


def language_of(visit: Visit) -> str:
    asked = visit.form.get("language") or visit.query.get("language", "")
    return asked if asked in visit.here.languages else visit.here.native_language


def way_of(unit: str, language: str, said: str) -> str:
    name = unit.removeprefix(f"{content.room_of(unit)}/")
    return f"console/content/edit/{room_name(unit)}/{name}?language={language}&said={said}"


def ids(desk: Workspace, room: str) -> list[str]:
    """Every id that stands for something, or did until it was taken away here."""
    trees = (desk.tree, desk.in_force, desk.files)
    if room == content.SHEETS:
        return [name for tree in trees for name in tree["procedures"]]
    return [str(office["id"]) for tree in trees for office in tree["contacts"]["offices"]]


def catalogue_of(desk: Workspace, language: str) -> str:
    offer = next(one for one in desk.files["tenant"]["languages"] if one["id"] == language)
    return "sr-ije" if language == "sr" and offer.get("variant") == "ijekavian" else language
