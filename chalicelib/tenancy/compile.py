"""A checked folder → one published version of a town, as JSON-ready data. Pure.

Everything a turn will need is worked out here once: texts of every language with the town's overrides, sheets in the
one order all towns share, which intent leads where, the index of phrases, colours, closed days.
"""

from __future__ import annotations

import tomllib
import zoneinfo
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from chalicelib.cases import callbacks, retention
from chalicelib.language import catalogue
from chalicelib.tenancy.complaints import Complaint, Rejected
from chalicelib.tenancy.kinds import Service, built_in
from chalicelib.tenancy.kinds.base import OFFICES
from chalicelib.tenancy.kinds.contacts import ContactsService
from chalicelib.tenancy.kinds.operator import OperatorService
from chalicelib.tenancy.kinds.procedures import ordered
from chalicelib.tenancy.load import TownFiles, check
from chalicelib.tenancy.look import colours
from chalicelib.tenancy.overlay import Edits, Source, edits_data, laid
from chalicelib.tenancy.schema import UNCONFIRMED, Office, TenantFile
from chalicelib.tenancy.sheets import competent_url, week
from chalicelib.understanding.model import platform_model
from chalicelib.understanding.town import IndexTooLarge, build_index

SHAPE = 1
_CALENDARS = Path(__file__).parent / "calendars"
_SCRIPT_NAMES = {
    "latin": {"sr": "latinica", "bs": "latinica", "cnr": "latinica"},
    "cyrillic": {"sr": "ћирилица", "bs": "ћирилица", "cnr": "ћирилица"},
}
_CYRILLIC_NAMES = {"sr": "српски", "bs": "босански", "cnr": "црногорски"}
# A town's ready replies for chats are texts of its own: `ready_own_water: "…"`.
OWN_ANSWERS = "ready_own_"
_PLATFORM_CHOICES = {
    "menu": "btn_main_menu",
    "person": "menu_person",
    "language": "menu_language",
    "emergency": "menu_emergency",
    "form.back": "btn_back",
    "form.skip": "btn_skip",
    "form.cancel": "btn_cancel",
    "form.send": "btn_send",
    "form.change": "btn_change",
    "form.keep": "btn_keep",
    "form.done": "btn_done",
    "form.resume": "btn_continue",
    "form.restart": "btn_start_over",
    "form.leave": "btn_leave",
    "form.follow": "btn_follow",
    "form.new": "btn_new_report",
}


def compile_town(files: TownFiles) -> dict[str, Any]:
    """The version as {"core", "texts", "sheets", "index", "source"}. Raises Rejected if the parts do not fit together.

    `source` is what the files say and what the console changed of it: enough to compile the version again.
    """
    complaints = [*_loose_ends(files), *_override_complaints(files)]
    if complaints:
        raise Rejected(complaints)
    texts = {offer.id: _texts(files, offer.id) for offer in files.tenant.languages}
    return {
        "core": _core(files),
        "texts": texts,
        "sheets": {language: _sheets(files, language, texts[language]) for language in texts},
        "index": _index(files),
        "source": {"files": files.source, "edits": {}},
    }


def compile_edited(slug: str, source: Source, edits: Edits) -> dict[str, Any]:
    """The version that the console's edits over `source` make. Raises Rejected as `check` and `compile_town` do."""
    compiled = compile_town(check(slug, laid(source, edits)))
    return compiled | {"source": {"files": source, "edits": edits_data(edits)}}


def _index(files: TownFiles) -> dict[str, Any]:
    try:
        return build_index(_own_words(files), _parents(files), files.tenant.country, files.tenant.settlements)
    except IndexTooLarge as error:
        problem = "phrases of all services together are too many"
        raise Rejected([files.complaint("phrases.yaml", (), problem, str(error), "too_many_phrases")]) from error


# --- what must fit together -------------------------------------------------------------------------------------


@cache
def _time_zones() -> frozenset[str]:
    """Every zone there is: looking for them goes through hundreds of files."""
    return frozenset(zoneinfo.available_timezones())


def _loose_ends(files: TownFiles) -> Iterator[Complaint]:
    tenant, offices = files.tenant, {office.id for office in files.contacts.offices}
    if tenant.slug != files.slug:
        yield files.complaint(
            "tenant.yaml", ("slug",), f'slug "{tenant.slug}" is not the folder\'s name', "make them equal"
        )
    if tenant.person.office not in offices:
        yield files.complaint(
            "tenant.yaml", ("person",), f'person: no office "{tenant.person.office}"', "add it to contacts.yaml"
        )
    if not (_CALENDARS / f"{tenant.calendar}.toml").is_file():
        known = ", ".join(sorted(path.stem for path in _CALENDARS.glob("*.toml")))
        yield files.complaint("tenant.yaml", ("calendar",), f"no calendar {tenant.calendar}", f"use one of: {known}")
    if tenant.time_zone not in _time_zones():
        problem = f"there is no time zone {tenant.time_zone}"
        yield files.complaint("tenant.yaml", ("time_zone",), problem, "write it as Europe/Belgrade")
    for position, offer in enumerate(tenant.languages):
        known_scripts = catalogue.load(offer.catalogue)["language"]["scripts"]
        for script in set(offer.scripts) - set(known_scripts):
            yield files.complaint(
                "tenant.yaml", ("languages", position), f"{offer.id} has no {script}", "remove the script"
            )
    yield from _duplicates(files)
    yield from _reserved(files)
    intents = platform_model().names
    native = tenant.languages[0].id
    for position, office in enumerate(files.contacts.offices):
        where = ("offices", position)
        yield from files.unknown_intents("contacts.yaml", where, office.intents, intents)
        if native not in office.title:
            yield files.complaint(
                "contacts.yaml", where, f'office "{office.id}" has no title in {native}', "add it", "missing"
            )
    for identifier, procedure in files.procedures.items():
        name = f"procedures/{identifier}.yaml"
        yield from files.unknown_intents(name, ("intents",), procedure.intents, intents)
        if procedure.office and procedure.office not in offices:
            yield files.complaint(name, ("office",), f'no office "{procedure.office}"', "add it to contacts.yaml")
        if native not in procedure.title:
            yield files.complaint(name, ("title",), f"has no title in {native}", "add it", "missing")
    for position, service in enumerate(_services(files)):
        yield from service.complaints(files, position, intents)
    choices = set(_choice_labels(files, native, _Wordless()))
    for position, choice in enumerate(files.services.menu):
        if choice not in choices:
            yield files.complaint(
                "services.yaml",
                ("menu", position),
                f'menu: no choice "{choice}"',
                "name a service, an office or a procedure",
            )
    for intent in files.phrases:
        if intent not in intents and intent not in choices:
            yield files.complaint(
                "phrases.yaml", (intent,), f'"{intent}" is neither an intent nor a choice', "mend the name"
            )


class _Wordless(dict[str, Any]):
    """A catalogue for asking which texts there will be, not what they say."""

    def __missing__(self, key: str) -> str:
        return ""


def _services(files: TownFiles) -> list[Service]:
    """The town's services in the order of its file, then what every town has."""
    return [*files.services.services, *built_in.services(files)]


def _duplicates(files: TownFiles) -> Iterator[Complaint]:
    for name, key, ids in (
        ("contacts.yaml", "offices", [office.id for office in files.contacts.offices]),
        ("tenant.yaml", "open311", [endpoint.id for endpoint in files.tenant.open311.endpoints]),
        ("services.yaml", "services", [service.id for service in files.services.services]),
        ("tenant.yaml", "languages", [offer.id for offer in files.tenant.languages]),
        ("tenant.yaml", "callbacks", [callback.id for callback in files.tenant.callbacks]),
    ):
        for position, identifier in enumerate(ids):
            if identifier in ids[:position]:
                yield files.complaint(name, (key, position), f'"{identifier}" stands twice', "keep one of them")


def _reserved(files: TownFiles) -> Iterator[Complaint]:
    """Names of what every town has, names of the console's own pages, and a second line to a person."""
    for position, callback in enumerate(files.tenant.callbacks):
        if callback.id in callbacks.RESERVED:
            problem = f'"{callback.id}" is a page of the console'
            yield files.complaint("tenant.yaml", ("callbacks", position), problem, "choose another id")
    operators = 0
    for position, service in enumerate(files.services.services):
        where = ("services", position)
        operators += isinstance(service, OperatorService)
        if service.id in built_in.RESERVED:
            yield files.complaint("services.yaml", where, f'"{service.id}" is what every town has', "choose another id")
        elif isinstance(service, OperatorService) and operators > 1:
            yield files.complaint("services.yaml", where, "a second operator", "keep one of them")


def _override_complaints(files: TownFiles) -> Iterator[Complaint]:
    for offer in files.tenant.languages:
        base = catalogue.load(offer.catalogue)["texts"]
        for key, text in files.texts.get(offer.id, {}).items():
            name = f"texts.{offer.id}.yaml"
            if key.startswith(OWN_ANSWERS) and not catalogue.placeholders(text):
                continue
            if key not in base:
                yield files.complaint(name, (key,), f'there is no text "{key}"', "see language/catalogues for the keys")
            elif extra := catalogue.placeholders(text) - catalogue.placeholders(base[key]):
                yield files.complaint(
                    name,
                    (key,),
                    f"unknown placeholder {', '.join(sorted(extra))}",
                    "use the original's",
                    "unknown_placeholder",
                )
    offered = {offer.id for offer in files.tenant.languages}
    for language in set(files.texts) - offered:
        yield files.complaint(
            f"texts.{language}.yaml", (), f"the town does not offer {language}", "add the language or remove the file"
        )


# --- core -------------------------------------------------------------------------------------------------------


def _core(files: TownFiles) -> dict[str, Any]:
    tenant = files.tenant
    requests = {sheet: choice for service in _services(files) for sheet, choice in service.requests(files)}
    return {
        "shape": SHAPE,
        "slug": tenant.slug,
        "number": tenant.number,
        "kind": tenant.kind,
        "country": tenant.country,
        "time_zone": tenant.time_zone,
        "prefix": tenant.reference_prefix,
        "reopen_days": tenant.reopen_days,
        "sms": tenant.sms,
        "sms_price": None if isinstance(tenant.sms_price, str) else tenant.sms_price.model_dump(),
        "retention": {**retention.DAYS, **tenant.retention},
        "public_figures": tenant.public_figures,
        "announcements": tenant.announcements.model_dump(),
        "callbacks": [callback.model_dump() for callback in tenant.callbacks],
        "open311": _open311(files),
        "languages": [_language(offer.id, offer.catalogue, list(offer.scripts)) for offer in tenant.languages],
        "names": {language: forms.plain for language, forms in tenant.name.items()},
        "called": _called(tenant),
        "bot": tenant.bot.name,
        "viber": {"account": _viber_account(files), "name": tenant.bot.viber_name} | _on_viber(files),
        "web": _on_web(files),
        "colours": colours(tenant.look.colour),
        "map_tiles": tenant.look.map_tiles.model_dump() if tenant.look.map_tiles else None,
        "emergency": _emergency(files),
        "centre": tenant.centre.model_dump() if tenant.centre else None,
        "person": f"{_contacts_service(files)}.{tenant.person.office}",
        "operator": next((one.id for one in files.services.services if isinstance(one, OperatorService)), None),
        "settlements": list(tenant.settlements),
        "latin_words": list(tenant.latin_words),
        "services": {service.id: {"kind": service.kind} | service.core(files) for service in _services(files)},
        "routing": _routing(files),
        "menu": list(files.services.menu),
        "procedures": [
            {
                "id": identifier,
                "group": procedure.group,
                "link": competent_url(procedure),
                "request": requests.get(identifier),
            }
            for identifier, procedure in ordered(files)
        ],
        "offices": [_office(office) for office in files.contacts.offices],
        "closed": _closed_days(tenant.calendar),
        "routes": _routes(files),
    }


def _routing(files: TownFiles) -> dict[str, dict[str, Any]]:
    """Which office has which cases until when: kind → category → {"office", "term"}."""
    routing: dict[str, dict[str, Any]] = {}
    for service in _services(files):
        for kind, categories in service.routing(files).items():
            routing.setdefault(kind, {}).update(categories)
    return routing


def _language(identifier: str, name: str, scripts: list[str]) -> dict[str, Any]:
    language = catalogue.load(name)["language"]
    labels = {script: _language_label(identifier, language["name"], script, len(scripts) > 1) for script in scripts}
    return {
        "id": identifier,
        "catalogue": name,
        "scripts": scripts,
        "plural": language["plural"],
        "name": language["name"],
        "labels": labels,
    }


def _language_label(identifier: str, name: str, script: str, several: bool) -> str:
    own = _CYRILLIC_NAMES[identifier] if script == "cyrillic" else name.split(" (")[0]
    return f"{own} · {_SCRIPT_NAMES[script][identifier]}" if several else own


def _called(tenant: TenantFile) -> list[str]:
    """Every form of the town's name, in every language: what citizens may write."""
    return [form for forms in tenant.name.values() for form in (forms.plain, forms.genitive, forms.locative) if form]


def _viber_account(files: TownFiles) -> str | None:
    viber = files.tenant.channels.viber
    return (viber.account or files.tenant.slug) if viber else None


def _on_viber(files: TownFiles) -> dict[str, Any]:
    """The bot's name in links, what billed messages cost and how the town spends on them; None: not confirmed."""
    viber = files.tenant.channels.viber
    if viber is None:
        return {}
    price = None if isinstance(viber.price, str) else viber.price.model_dump()
    links = {"uri": viber.uri or _viber_account(files)}
    spending = {name: getattr(viber, name) for name in ("monthly_messages", "notices", "quiet_minutes")}
    return links | {"price": price, **spending}


def _open311(files: TownFiles) -> dict[str, Any]:
    """What is shown by Open311, and where reports go; an endpoint is called as the town's own language does."""
    rules, native = files.tenant.open311.model_dump(), files.tenant.languages[0].id
    endpoints = [each | {"title": each["title"].get(native, each["id"])} for each in rules["endpoints"]]
    return rules | {"endpoints": endpoints}


def _on_web(files: TownFiles) -> dict[str, Any]:
    """The sites with the town's chat (None: it has none) and how many messages a day it takes."""
    web = files.tenant.channels.web
    return {"origins": list(web.origins), "daily_messages": web.daily_messages} if web else {"origins": None}


def _emergency(files: TownFiles) -> dict[str, Any]:
    numbers = files.tenant.emergency.model_dump()
    return numbers | {"general": None if numbers["general"] == UNCONFIRMED else numbers["general"]}


def _contacts_service(files: TownFiles) -> str:
    return next(service.id for service in files.services.services if isinstance(service, ContactsService))


def _office(office: Office) -> dict[str, Any]:
    hours = None if isinstance(office.hours, str) else week(office.hours)
    emails = list(office.emails) if office.confirmed and isinstance(office.emails, list) else []
    return {
        "id": office.id,
        "hours": hours,
        "listed": office.listed,
        "link": office.web,
        "competent": office.competent,
        "emails": emails,
    }


def _closed_days(calendar: str) -> dict[str, str]:
    raw = tomllib.loads((_CALENDARS / f"{calendar}.toml").read_text(encoding="utf-8"))
    return {day: key for section in ("all", "declared") for day, key in raw.get(section, {}).items()}


def _routes(files: TownFiles) -> dict[str, list[str]]:
    """Intent → the choices it may mean: what can be filed here before sheets, sheets before offices."""
    routes: dict[str, list[str]] = {}
    ranks: dict[str, int] = {}
    alone: set[str] = set()
    for service in sorted(_services(files), key=lambda service: service.RANK):
        for intent, choice in service.routes(files):
            beaten = intent in alone or (service.RANK == OFFICES and ranks.get(intent, OFFICES) < OFFICES)
            if not beaten:
                routes.setdefault(intent, []).append(choice)
                ranks.setdefault(intent, service.RANK)
        alone |= service.ALONE & set(routes)
    return routes


# --- texts ------------------------------------------------------------------------------------------------------


def _texts(files: TownFiles, language: str) -> dict[str, Any]:
    offer = next(offer for offer in files.tenant.languages if offer.id == language)
    texts = dict(catalogue.load(offer.catalogue)["texts"]) | files.texts.get(language, {})
    if files.tenant.kind == "ngo":
        texts["greeting"] = texts["greeting_ngo"]
    if not _person_phone(files):
        texts["town_suspended"] = texts["town_suspended_no_phone"]
    constants = _constants(files, language)
    filled = {key: _fill(template, constants) for key, template in texts.items()}
    return filled | _choice_labels(files, language, filled) | {"raw": "{text}"}


def _constants(files: TownFiles, language: str) -> dict[str, str]:
    forms, numbers = files.tenant.name[language], _emergency(files)  # type: ignore[index]
    constants = {
        "town": forms.plain,
        "town_gen": forms.genitive or forms.plain,
        "town_loc": forms.locative or forms.plain,
        "bot_name": files.tenant.bot.name,
        "person_phone": _person_phone(files),
    }
    constants |= {key: numbers[key] for key in ("police", "fire", "ambulance", "general") if numbers[key]}
    constants["emergency_numbers"] = " · ".join(
        numbers[key] for key in ("police", "fire", "ambulance", "general") if numbers[key]
    )
    return constants


def _person_phone(files: TownFiles) -> str:
    """The first phone of the office people turn to; "" while the town has not confirmed one."""
    office = next(office for office in files.contacts.offices if office.id == files.tenant.person.office)
    return "" if isinstance(office.phones, str) or not office.phones else office.phones[0]


def _fill(template: Any, constants: Mapping[str, str]) -> Any:
    if not isinstance(template, str):
        return {form: _fill(text, constants) for form, text in template.items()}
    if "{" in template:
        for name, value in constants.items():
            template = template.replace("{" + name + "}", value)
    return template


def _choice_labels(files: TownFiles, language: str, text: Mapping[str, Any]) -> dict[str, Any]:
    """Choice id → what stands on its button; and what services say of their own."""
    labels: dict[str, Any] = {choice: text[key] for choice, key in _PLATFORM_CHOICES.items()}
    for service in _services(files):
        labels[service.id] = text[service.MENU_TEXT]
        labels |= service.texts(files, language, text)
    return labels


# --- sheets -----------------------------------------------------------------------------------------------------


def _sheets(files: TownFiles, language: str, texts: Mapping[str, Any]) -> dict[str, Any]:
    sheets: dict[str, Any] = {}
    for service in _services(files):
        sheets |= service.sheets(files, language, texts)
    return sheets


# --- phrases ----------------------------------------------------------------------------------------------------


def _own_words(files: TownFiles) -> dict[str, dict[str, list[str]]]:
    """Intent or choice → the town's own phrases for it, and for a choice the titles of its sheet or office."""
    phrases: dict[str, dict[str, list[str]]] = {}
    for name, own in files.phrases.items():
        target = phrases.setdefault(name, {})
        for spoken, entries in own.examples.items():
            target.setdefault(spoken, []).extend(entries)
        target.setdefault("keywords", []).extend(own.keywords)
    for service in _services(files):
        for choice, title in service.titles(files):
            for language, text in title.items():
                phrases.setdefault(choice, {}).setdefault(language, []).append(text)
    return phrases


def _parents(files: TownFiles) -> dict[str, list[str]]:
    """Choice → the platform's intents it serves."""
    parents: dict[str, list[str]] = {}
    further = [(choice, intent) for service in _services(files) for choice, intent in service.parents(files)]
    routed = [(choice, intent) for intent, choices in _routes(files).items() for choice in choices]
    for choice, intent in (*further, *routed):
        if intent not in parents.setdefault(choice, []):
            parents[choice].append(intent)
    return parents
