"""How a procedure or an office is laid out as a sheet: the same order of parts in every town. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from chalicelib.tenancy.schema import UNCONFIRMED, WEEKDAYS, Office, Procedure

_SOUTH_SLAVIC = ("sr", "bs", "cnr")


def procedure_sheet(
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
                "sheet_hours": None if isinstance(office.hours, str) else hours_text(week(office.hours), texts),
                "sheet_phone": None if isinstance(office.phones, str) else ", ".join(office.phones),
            }
        )
    section.add("sheet_note", procedure.note)
    section.add("legal_basis", procedure.law)
    return {
        "title": local(procedure.title, language),
        "lead": texts["not_ours"] if procedure.mode == "redirect" else None,
        "sections": section.done,
        "foot": _foot(texts, local(procedure.source, language), procedure.checked, procedure.confirmed),
        "only": section.foreign,
        "link": competent_url(procedure),
    }


def office_sheet(office: Office, texts: Mapping[str, Any], language: str) -> dict[str, Any]:
    section = _Sections(texts, language)
    contact = {
        "sheet_phone": None if isinstance(office.phones, str) else ", ".join(office.phones),
        "sheet_hours": None if isinstance(office.hours, str) else hours_text(week(office.hours), texts),
        "sheet_address": None if office.address == UNCONFIRMED else local(office.address, language),
    }
    if office.emails:
        contact["sheet_email"] = None if isinstance(office.emails, str) else ", ".join(office.emails)
    section.known_or_asked(contact)
    return {
        "title": local(office.title, language),
        "lead": local(office.about, language) if office.about else None,
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
            self.raw(label, None if unknown else local(value, self._language), half)
            if not unknown:
                self.foreign = self.foreign or foreign(value, self._language)

    def items(self, label: str, value: Any) -> None:
        if value is None:
            return
        if value == UNCONFIRMED:
            self.raw(label, None)
            return
        language = _language_of_list(value, self._language)
        self.foreign = self.foreign or foreign(value, self._language)
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
    title = local(office.title, language)
    return title if office.address == UNCONFIRMED else f"{title}, {local(office.address, language)}"


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


def local(value: Any, language: str) -> str:
    """The text in `language`, else the nearest there is: a South Slavic sibling, English, any."""
    if isinstance(value, str):
        return value
    order = [language, *(_SOUTH_SLAVIC if language in _SOUTH_SLAVIC else ()), "en", *_SOUTH_SLAVIC, *value]
    return str(next(value[candidate] for candidate in order if candidate in value))


def foreign(value: Any, language: str) -> str | None:
    """The language a text falls back to when the reader may not know it."""
    if isinstance(value, str) or language in value or (language in _SOUTH_SLAVIC and set(value) & set(_SOUTH_SLAVIC)):
        return None
    return str(next(candidate for candidate in ("en", *_SOUTH_SLAVIC, *value) if candidate in value))


def week(hours: Mapping[Any, str]) -> dict[str, list[list[str]]]:
    """Weekday → opening spans as [from, to]."""
    week: dict[str, list[list[str]]] = {}
    for day in WEEKDAYS:
        spans = hours.get(day) or (hours.get("weekdays") if day in WEEKDAYS[:5] else None)
        if spans:
            week[day] = [[part.strip() for part in span.split("-")] for span in spans.split(",")]
    return week


def competent_url(procedure: Procedure) -> str | None:
    return procedure.competent.url if procedure.competent else None
