"""A checked folder → one published version of a town, as JSON-ready data. Pure.

Everything a turn will need is worked out here once: texts of every language with the town's overrides, sheets in the
one order all towns share, which intent leads where, the index of phrases, colours, closed days.
"""

from __future__ import annotations

import tomllib
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

from chalicelib.language import catalogue
from chalicelib.tenancy.complaints import Complaint, Rejected
from chalicelib.tenancy.load import TownFiles
from chalicelib.tenancy.look import colours
from chalicelib.tenancy.schema import (
    CATEGORY_TEXTS,
    GROUPS,
    UNCONFIRMED,
    WEEKDAYS,
    Office,
    Problem,
    Procedure,
    ReportService,
)
from chalicelib.understanding.model import platform_model
from chalicelib.understanding.town import build_index

SHAPE = 1
OFFICE_INTENT = "contact.office"
# What a sheet is about that serves none of the platform's intents.
GROUP_INTENTS = {"documents": "doc.generic", "building": "info.building", "business": "info.business"}
_CALENDARS = Path(__file__).parent / "calendars"
_SOUTH_SLAVIC = ("sr", "bs", "cnr")
_SCRIPT_NAMES = {
    "latin": {"sr": "latinica", "bs": "latinica", "cnr": "latinica"},
    "cyrillic": {"sr": "ћирилица", "bs": "ћирилица", "cnr": "ћирилица"},
}
_CYRILLIC_NAMES = {"sr": "српски", "bs": "босански", "cnr": "црногорски"}
STATUS_INTENT = "case.status"
_MENU_TEXTS = {
    "procedures": "menu_procedures",
    "contacts": "menu_contacts",
    "report_problem": "menu_report",
    "case_status": "menu_status",
}
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
# What a report that says no kind is about.
REPORT_INTENT = "report.generic"


def compile_town(files: TownFiles) -> dict[str, Any]:
    """The version as {"core", "texts", "sheets", "index"}. Raises Rejected if the parts do not fit together."""
    complaints = [*_loose_ends(files), *_override_complaints(files)]
    if complaints:
        raise Rejected(complaints)
    languages = [offer.id for offer in files.tenant.languages]
    return {
        "core": _core(files),
        "texts": {language: _texts(files, language) for language in languages},
        "sheets": {language: _sheets(files, language) for language in languages},
        "index": build_index(_own_words(files), _parents(files), files.tenant.country, files.tenant.settlements),
    }


# --- what must fit together -------------------------------------------------------------------------------------


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
    for position, offer in enumerate(tenant.languages):
        known_scripts = catalogue.load(offer.catalogue)["language"]["scripts"]
        for script in set(offer.scripts) - set(known_scripts):
            yield files.complaint(
                "tenant.yaml", ("languages", position), f"{offer.id} has no {script}", "remove the script"
            )
    yield from _duplicates(files)
    intents = platform_model().names
    native = tenant.languages[0].id
    for position, office in enumerate(files.contacts.offices):
        where = ("offices", position)
        yield from _unknown_intents(files, "contacts.yaml", where, office.intents, intents)
        if native not in office.title:
            yield files.complaint("contacts.yaml", where, f'office "{office.id}" has no title in {native}', "add it")
    for identifier, procedure in files.procedures.items():
        name = f"procedures/{identifier}.yaml"
        yield from _unknown_intents(files, name, ("intents",), procedure.intents, intents)
        if procedure.office and procedure.office not in offices:
            yield files.complaint(name, ("office",), f'no office "{procedure.office}"', "add it to contacts.yaml")
        if native not in procedure.title:
            yield files.complaint(name, ("title",), f"has no title in {native}", "add it")
    yield from _loose_problems(files, offices, intents)
    choices = set(_choice_labels(files, native))
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


def _loose_problems(files: TownFiles, offices: Collection[str], intents: Collection[str]) -> Iterator[Complaint]:
    known = catalogue.load(files.tenant.languages[0].catalogue)["texts"]
    native = files.tenant.languages[0].id
    seen: set[str] = set()
    for at, service in enumerate(files.services.services):
        for position, problem in enumerate(service.problems if isinstance(service, ReportService) else ()):
            where = ("services", at, "problems", position)
            yield from _unknown_intents(files, "services.yaml", where, problem.intents, intents)
            complaint = None
            if problem.office not in offices:
                complaint = (f'no office "{problem.office}"', "add it to contacts.yaml")
            elif problem.id in seen:
                complaint = (f'problem "{problem.id}" stands twice', "keep one of them")
            elif problem.title is None and _category_text(problem) not in known:
                complaint = (f'problem "{problem.id}" has no title', "give it a title in every language")
            elif problem.title is not None and native not in problem.title:
                complaint = (f'problem "{problem.id}" has no title in {native}', "add it")
            if complaint:
                yield files.complaint("services.yaml", where, *complaint)
            seen.add(problem.id)


def _category_text(problem: Problem) -> str:
    return f"category.{CATEGORY_TEXTS.get(problem.id, problem.id)}"


def _duplicates(files: TownFiles) -> Iterator[Complaint]:
    for name, key, ids in (
        ("contacts.yaml", "offices", [office.id for office in files.contacts.offices]),
        ("services.yaml", "services", [service.id for service in files.services.services]),
        ("tenant.yaml", "languages", [offer.id for offer in files.tenant.languages]),
    ):
        for position, identifier in enumerate(ids):
            if identifier in ids[:position]:
                yield files.complaint(name, (key, position), f'"{identifier}" stands twice', "keep one of them")


def _unknown_intents(
    files: TownFiles, name: str, where: tuple[str | int, ...], used: list[str], known: Collection[str]
) -> Iterator[Complaint]:
    for intent in used:
        if intent not in known:
            yield files.complaint(
                name, where, f'"{intent}" is no intent', "see understanding/phrases.toml for the names"
            )


def _override_complaints(files: TownFiles) -> Iterator[Complaint]:
    for offer in files.tenant.languages:
        base = catalogue.load(offer.catalogue)["texts"]
        for key, text in files.texts.get(offer.id, {}).items():
            name = f"texts.{offer.id}.yaml"
            if key not in base:
                yield files.complaint(name, (key,), f'there is no text "{key}"', "see language/catalogues for the keys")
            elif extra := catalogue.placeholders(text) - catalogue.placeholders(base[key]):
                yield files.complaint(
                    name, (key,), f"unknown placeholder {', '.join(sorted(extra))}", "use the original's"
                )
    offered = {offer.id for offer in files.tenant.languages}
    for language in set(files.texts) - offered:
        yield files.complaint(
            f"texts.{language}.yaml", (), f"the town does not offer {language}", "add the language or remove the file"
        )


# --- core -------------------------------------------------------------------------------------------------------


def _core(files: TownFiles) -> dict[str, Any]:
    tenant = files.tenant
    return {
        "shape": SHAPE,
        "slug": tenant.slug,
        "number": tenant.number,
        "kind": tenant.kind,
        "country": tenant.country,
        "time_zone": tenant.time_zone,
        "prefix": tenant.reference_prefix,
        "languages": [_language(offer.id, offer.catalogue, list(offer.scripts)) for offer in tenant.languages],
        "names": {language: forms.plain for language, forms in tenant.name.items()},
        "bot": tenant.bot.name,
        "viber": {"account": _viber_account(files), "name": tenant.bot.viber_name},
        "web": {"origins": list(tenant.channels.web.origins) if tenant.channels.web else None},
        "colours": colours(tenant.look.colour),
        "emergency": _emergency(files),
        "centre": tenant.centre.model_dump() if tenant.centre else None,
        "person": f"{_contacts_service(files)}.{tenant.person.office}",
        "settlements": list(tenant.settlements),
        "latin_words": list(tenant.latin_words),
        "services": {service.id: _service(service) for service in files.services.services},
        "problems": {problem.id: {"office": problem.office, "term": _term(problem)} for _, problem in _problems(files)},
        "menu": list(files.services.menu),
        "procedures": [
            {"id": identifier, "group": procedure.group, "link": _url(procedure)}
            for identifier, procedure in _ordered_procedures(files)
        ],
        "offices": [_office(office) for office in files.contacts.offices],
        "closed": _closed_days(tenant.calendar),
        "routes": _routes(files),
    }


def _service(service: Any) -> dict[str, Any]:
    if not isinstance(service, ReportService):
        return {"kind": service.kind}
    return {"kind": service.kind, "problems": [_problem(problem) for problem in service.problems]}


def _problem(problem: Problem) -> dict[str, Any]:
    return {
        "id": problem.id,
        "intents": list(problem.intents),
        "photo": problem.photo,
        "place": problem.place,
        "anonymous": problem.anonymous,
        "hint": problem.hint is not None,
        "questions": [
            {
                "id": question.id,
                "type": question.type,
                "optional": question.optional,
                "options": [option.id for option in question.options],
            }
            for question in problem.questions
        ],
    }


def _term(problem: Problem) -> dict[str, Any] | None:
    return None if isinstance(problem.term, str) else problem.term.model_dump(exclude_none=True)


def _problems(files: TownFiles) -> Iterator[tuple[str, Problem]]:
    """Every kind of problem, with the service it belongs to."""
    for service in files.services.services:
        if isinstance(service, ReportService):
            yield from ((service.id, problem) for problem in service.problems)


def _language(identifier: str, name: str, scripts: list[str]) -> dict[str, Any]:
    language = catalogue.load(name)["language"]
    labels = {script: _language_label(identifier, language["name"], script, len(scripts) > 1) for script in scripts}
    return {
        "id": identifier,
        "scripts": scripts,
        "plural": language["plural"],
        "name": language["name"],
        "labels": labels,
    }


def _language_label(identifier: str, name: str, script: str, several: bool) -> str:
    own = _CYRILLIC_NAMES[identifier] if script == "cyrillic" else name.split(" (")[0]
    return f"{own} · {_SCRIPT_NAMES[script][identifier]}" if several else own


def _viber_account(files: TownFiles) -> str | None:
    viber = files.tenant.channels.viber
    return (viber.account or files.tenant.slug) if viber else None


def _emergency(files: TownFiles) -> dict[str, Any]:
    numbers = files.tenant.emergency.model_dump()
    return numbers | {"general": None if numbers["general"] == UNCONFIRMED else numbers["general"]}


def _contacts_service(files: TownFiles) -> str:
    return next(service.id for service in files.services.services if service.kind == "contacts")


def _ordered_procedures(files: TownFiles) -> list[tuple[str, Procedure]]:
    return sorted(files.procedures.items(), key=lambda item: (GROUPS.index(item[1].group), item[1].order, item[0]))


def _url(procedure: Procedure) -> str | None:
    return procedure.competent.url if procedure.competent else None


def _office(office: Office) -> dict[str, Any]:
    hours = None if isinstance(office.hours, str) else _week(office.hours)
    return {"id": office.id, "hours": hours, "listed": office.listed, "link": office.web, "competent": office.competent}


def _week(hours: Mapping[Any, str]) -> dict[str, list[list[str]]]:
    """Weekday → opening spans as [from, to]."""
    week: dict[str, list[list[str]]] = {}
    for day in WEEKDAYS:
        spans = hours.get(day) or (hours.get("weekdays") if day in WEEKDAYS[:5] else None)
        if spans:
            week[day] = [[part.strip() for part in span.split("-")] for span in spans.split(",")]
    return week


def _closed_days(calendar: str) -> dict[str, str]:
    raw = tomllib.loads((_CALENDARS / f"{calendar}.toml").read_text(encoding="utf-8"))
    return {day: key for section in ("all", "declared") for day, key in raw.get(section, {}).items()}


def _routes(files: TownFiles) -> dict[str, list[str]]:
    """Intent → the choices it may mean: what can be filed here before sheets, sheets before offices."""
    routes: dict[str, list[str]] = {}
    for service in files.services.services:
        if service.kind == "case_status":
            routes[STATUS_INTENT] = [service.id]
    for identifier, problem in _problems(files):
        routes[REPORT_INTENT] = [identifier]
        for intent in problem.intents:
            if intent != REPORT_INTENT:
                routes.setdefault(intent, []).append(f"{identifier}.category.{problem.id}")
    for service in files.services.services:
        if service.kind == "procedures":
            for identifier, procedure in _ordered_procedures(files):
                for intent in procedure.intents:
                    if intent != STATUS_INTENT or intent not in routes:  # asking for one's case beats reading about it
                        routes.setdefault(intent, []).append(f"{service.id}.{identifier}")
    contacts = _contacts_service(files)
    for office in files.contacts.offices:
        for intent in office.intents:
            if not any(choice.split(".")[0] != contacts for choice in routes.get(intent, [])):
                routes.setdefault(intent, []).append(f"{contacts}.{office.id}")
    return routes


# --- texts ------------------------------------------------------------------------------------------------------


def _texts(files: TownFiles, language: str) -> dict[str, Any]:
    offer = next(offer for offer in files.tenant.languages if offer.id == language)
    texts = dict(catalogue.load(offer.catalogue)["texts"]) | files.texts.get(language, {})
    if files.tenant.kind == "ngo":
        texts["greeting"] = texts["greeting_ngo"]
    constants = _constants(files, language)
    filled = {key: _fill(template, constants) for key, template in texts.items()}
    filled |= {choice: filled[key] for choice, key in _PLATFORM_CHOICES.items()}
    return filled | _choice_labels(files, language, filled) | {"raw": "{text}"}


def _constants(files: TownFiles, language: str) -> dict[str, str]:
    forms, numbers = files.tenant.name[language], _emergency(files)  # type: ignore[index]
    constants = {
        "town": forms.plain,
        "town_gen": forms.genitive or forms.plain,
        "town_loc": forms.locative or forms.plain,
        "bot_name": files.tenant.bot.name,
    }
    constants |= {key: numbers[key] for key in ("police", "fire", "ambulance", "general") if numbers[key]}
    constants["emergency_numbers"] = " · ".join(
        numbers[key] for key in ("police", "fire", "ambulance", "general") if numbers[key]
    )
    return constants


def _fill(template: Any, constants: Mapping[str, str]) -> Any:
    if not isinstance(template, str):
        return {form: _fill(text, constants) for form, text in template.items()}
    for name, value in constants.items():
        template = template.replace("{" + name + "}", value)
    return template


def _choice_labels(files: TownFiles, language: str, texts: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Choice id → what stands on its button."""
    text = texts or dict.fromkeys(
        list(_MENU_TEXTS.values())
        + [f"group_{group}" for group in GROUPS]
        + [_category_text(problem) for _, problem in _problems(files)],
        "",
    )
    labels: dict[str, Any] = dict.fromkeys(_PLATFORM_CHOICES, "") if texts is None else {}
    for service in files.services.services:
        labels[service.id] = text[_MENU_TEXTS[service.kind]]
        if isinstance(service, ReportService):
            for problem in service.problems:
                labels |= _problem_texts(service.id, problem, language, text)
        elif service.kind == "procedures":
            labels |= {f"{service.id}.group.{group}": text[f"group_{group}"] for group in GROUPS}
            labels |= {f"{service.id}.{key}": _local(sheet.title, language) for key, sheet in files.procedures.items()}
        elif service.kind == "contacts":
            labels |= {f"{service.id}.{office.id}": _local(office.title, language) for office in files.contacts.offices}
    return labels


def _problem_texts(service: str, problem: Problem, language: str, text: Mapping[str, Any]) -> dict[str, str]:
    """Everything a form says of one kind of problem, by the keys its slots use."""
    title = _local(problem.title, language) if problem.title else str(text[_category_text(problem)])
    texts = {f"{service}.category.{problem.id}": title, f"category.{problem.id}": title}
    if problem.hint:
        texts[f"{service}.hint.{problem.id}"] = _local(problem.hint, language)
    for question in problem.questions:
        key = f"{problem.id}_{question.id}"
        texts[f"{service}.ask.{key}"] = _local(question.ask, language)
        texts[f"{service}.label.{key}"] = _local(question.label, language)
        texts |= {f"{service}.{key}.{option.id}": _local(option.title, language) for option in question.options}
    return texts


def _local(value: Any, language: str) -> str:
    """The text in `language`, else the nearest there is: a South Slavic sibling, English, any."""
    if isinstance(value, str):
        return value
    order = [language, *(_SOUTH_SLAVIC if language in _SOUTH_SLAVIC else ()), "en", *_SOUTH_SLAVIC, *value]
    return str(next(value[candidate] for candidate in order if candidate in value))


def _foreign(value: Any, language: str) -> str | None:
    """The language a text falls back to when the reader may not know it."""
    if isinstance(value, str) or language in value or (language in _SOUTH_SLAVIC and set(value) & set(_SOUTH_SLAVIC)):
        return None
    return str(next(candidate for candidate in ("en", *_SOUTH_SLAVIC, *value) if candidate in value))


# --- sheets -----------------------------------------------------------------------------------------------------


def _sheets(files: TownFiles, language: str) -> dict[str, Any]:
    texts = _texts(files, language)
    offices = {office.id: office for office in files.contacts.offices}
    sheets: dict[str, Any] = {}
    for service in files.services.services:
        if service.kind == "procedures":
            for identifier, procedure in files.procedures.items():
                office = offices.get(procedure.office or "")
                sheets[f"{service.id}.{identifier}"] = _procedure_sheet(procedure, office, texts, language)
        elif service.kind == "contacts":
            for office in files.contacts.offices:
                sheets[f"{service.id}.{office.id}"] = _office_sheet(office, texts, language)
    return sheets


def _procedure_sheet(
    procedure: Procedure, office: Office | None, texts: Mapping[str, Any], language: str
) -> dict[str, Any]:
    section = _Sections(texts, language)
    if procedure.competent:
        section.add("sheet_competent", procedure.competent.body)
    section.add("who_is_entitled", procedure.who)
    section.items("required_documents", procedure.bring)
    section.add("fee", procedure.fee, half=True)
    section.add("deadline", procedure.term, half=True)
    section.add("sheet_how", procedure.how)
    if office:
        section.raw("sheet_where", _place(office, language))
        section.known_or_asked(
            {
                "sheet_hours": None if isinstance(office.hours, str) else hours_text(_week(office.hours), texts),
                "sheet_phone": None if isinstance(office.phones, str) else ", ".join(office.phones),
            }
        )
    section.add("sheet_note", procedure.note)
    section.add("legal_basis", procedure.law)
    return {
        "title": _local(procedure.title, language),
        "lead": texts["not_ours"] if procedure.mode == "redirect" else None,
        "sections": section.done,
        "foot": _foot(texts, _local(procedure.source, language), procedure.checked, procedure.confirmed),
        "only": section.foreign,
        "link": _url(procedure),
    }


def _office_sheet(office: Office, texts: Mapping[str, Any], language: str) -> dict[str, Any]:
    section = _Sections(texts, language)
    contact = {
        "sheet_phone": None if isinstance(office.phones, str) else ", ".join(office.phones),
        "sheet_hours": None if isinstance(office.hours, str) else hours_text(_week(office.hours), texts),
        "sheet_address": None if office.address == UNCONFIRMED else _local(office.address, language),
    }
    if office.emails:
        contact["sheet_email"] = None if isinstance(office.emails, str) else ", ".join(office.emails)
    section.known_or_asked(contact)
    return {
        "title": _local(office.title, language),
        "lead": _local(office.about, language) if office.about else None,
        "sections": section.done,
        "foot": _foot(texts, None, office.checked, office.confirmed),
        "only": section.foreign,
        "link": office.web,
    }


class _Sections:
    """The labelled parts of a sheet, in the order they are added; an unconfirmed value becomes "ask at the office"."""

    def __init__(self, texts: Mapping[str, Any], language: str) -> None:
        self._texts, self._language = texts, language
        self.done: list[dict[str, Any]] = []
        self.foreign: str | None = None

    def add(self, label: str, value: Any, half: bool = False) -> None:
        if value is not None:
            unknown = value == UNCONFIRMED
            self.raw(label, None if unknown else _local(value, self._language), half)
            if not unknown:
                self.foreign = self.foreign or _foreign(value, self._language)

    def items(self, label: str, value: Any) -> None:
        if value is None:
            return
        if value == UNCONFIRMED:
            self.raw(label, None)
            return
        language = _language_of_list(value, self._language)
        self.foreign = self.foreign or _foreign(value, self._language)
        self.done.append({"label": self._label(label), "items": list(value[language])})

    def raw(self, label: str, text: str | None, half: bool = False) -> None:
        entry: dict[str, Any] = {"label": self._label(label), "text": text or self._texts["ask_office"]}
        entry |= {"half": True} if half else {}
        self.done.append(entry if text else entry | {"ask": True})

    def known_or_asked(self, values: Mapping[str, str | None]) -> None:
        """Known values one by one; all unknown ones together in a single "ask at the office"."""
        for label, text in values.items():
            if text:
                self.raw(label, text)
        unknown = [self._label(label) for label, text in values.items() if not text]
        if unknown:
            rest = unknown[1:] if self._language == "de" else [name[0].lower() + name[1:] for name in unknown[1:]]
            label = ", ".join([unknown[0], *rest])
            self.done.append({"label": label, "text": self._texts["ask_office"], "ask": True})

    def _label(self, key: str) -> str:
        return str(self._texts[key]).rstrip(":")


def _language_of_list(value: Mapping[str, Any], language: str) -> str:
    order = [language, *(_SOUTH_SLAVIC if language in _SOUTH_SLAVIC else ()), "en", *_SOUTH_SLAVIC, *value]
    return str(next(candidate for candidate in order if candidate in value))


def _place(office: Office, language: str) -> str:
    title = _local(office.title, language)
    return title if office.address == UNCONFIRMED else f"{title}, {_local(office.address, language)}"


def _foot(texts: Mapping[str, Any], source: str | None, checked: str, confirmed: bool) -> str:
    year, month, day = (str(int(part)) for part in checked.split("-"))
    date = texts["days.date_format"].format(d=day, m=month, y=year)
    parts = [texts["sheet_source"].replace("{source}", source)] if source else []
    parts.append(texts["valid_as_of"].replace("{date}", date))
    if not confirmed:
        parts.append(texts["sheet_unconfirmed"])
    return "\n".join(parts)


def hours_text(week: Mapping[str, list[list[str]]], texts: Mapping[str, Any]) -> str:
    """Opening hours in one line: neighbouring days with the same spans are joined."""
    groups: list[tuple[list[str], str]] = []
    for day in WEEKDAYS:
        spans = ", ".join(f"{start}–{end}" for start, end in week.get(day, []))
        if groups and groups[-1][1] == spans and WEEKDAYS.index(groups[-1][0][-1]) == WEEKDAYS.index(day) - 1:
            groups[-1][0].append(day)
        elif spans:
            groups.append(([day], spans))
    return "; ".join(f"{_days(days, texts)} {spans}" for days, spans in groups)


def _days(days: list[str], texts: Mapping[str, Any]) -> str:
    first, last = (texts[f"days.{day}_short"] for day in (days[0], days[-1]))
    return str(first) if len(days) == 1 else f"{first}–{last}"


# --- phrases ----------------------------------------------------------------------------------------------------


def _own_words(files: TownFiles) -> dict[str, dict[str, list[str]]]:
    """Intent or choice → the town's own phrases for it, and for a choice the titles of its sheet or office."""
    phrases: dict[str, dict[str, list[str]]] = {}
    for name, own in files.phrases.items():
        target = phrases.setdefault(name, {})
        for spoken, entries in own.examples.items():
            target.setdefault(spoken, []).extend(entries)
        target.setdefault("keywords", []).extend(own.keywords)
    for choice, title in _titles(files):
        for language, text in title.items():
            phrases.setdefault(choice, {}).setdefault(language, []).append(text)
    return phrases


def _parents(files: TownFiles) -> dict[str, list[str]]:
    """Choice → the platform's intents it serves; an office is also what one asks for who wants an office."""
    parents: dict[str, list[str]] = {
        f"{_contacts_service(files)}.{o.id}": [OFFICE_INTENT] for o in files.contacts.offices
    }
    for intent, choices in _routes(files).items():
        for choice in choices:
            if intent not in parents.setdefault(choice, []):
                parents[choice].append(intent)
    for service in files.services.services:
        if service.kind == "procedures":
            for identifier, procedure in files.procedures.items():
                if procedure.group in GROUP_INTENTS:
                    parents.setdefault(f"{service.id}.{identifier}", [GROUP_INTENTS[procedure.group]])
    return parents


def _titles(files: TownFiles) -> Iterator[tuple[str, Mapping[str, str]]]:
    for service in files.services.services:
        if service.kind == "procedures":
            yield from ((f"{service.id}.{key}", sheet.title) for key, sheet in files.procedures.items())  # type: ignore[misc]
        elif service.kind == "contacts":
            yield from ((f"{service.id}.{office.id}", office.title) for office in files.contacts.offices)  # type: ignore[misc]
    for identifier, problem in _problems(files):
        yield f"{identifier}.category.{problem.id}", _problem_title(files, problem)


def _problem_title(files: TownFiles, problem: Problem) -> Mapping[str, str]:
    """A problem's name in the town's languages."""
    if problem.title:
        return problem.title  # type: ignore[return-value]
    key = _category_text(problem)
    return {offer.id: str(catalogue.load(offer.catalogue)["texts"][key]) for offer in files.tenant.languages}
