"""What staff may edit of a town, as forms: which fields a sheet, an office, a node's phrases or a text has. Pure.

A *unit* is what one form shows: `procedures/birth`, `contacts/offices/registry`, `phrases/doc.birth`, `texts/greeting`.
A form holds strings; `shown` makes them of what stands in the town's tree, `taken` makes edits of those that changed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from chalicelib.patterns import pattern
from chalicelib.small_classes import dataclass, replace
from chalicelib.tenancy import overlay
from chalicelib.tenancy.schema import (
    COMPETENT,
    GROUPS,
    LIST_ITEMS_MAX,
    MODES,
    TEXT_CHARS_MAX,
    TITLE_CHARS_MAX,
    UNCONFIRMED,
    WEEKDAYS,
)
from chalicelib.tenancy.sheets import week
from chalicelib.understanding.model import platform_model

LINE, TEXT, LINES, HOURS, CHOICE, FLAG, DATE = "line", "text", "lines", "hours", "choice", "flag", "date"
TICKS, NUMBER = "ticks", "number"
SHEETS, OFFICES, PHRASES, TEXTS = ROOMS = ("procedures", "contacts/offices", "phrases", "texts")
ASK = ".ask"  # beside a field: citizens read "ask at the office"
LINE_CHARS_MAX = 200
PHRASES_MAX = 60
NEW_ID = pattern(r"[a-z][a-z0-9_]{1,38}")
# What every bot answers by itself; no sheet and no office is asked for by these.
_NOT_OFFERED = ("chat.", "settings.", "out_of_scope")
_CONTROL = pattern(r"[\x00-\x08\x0b-\x1f\x7f\u2028\u2029]")


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a form. `spoken`: said per language; `ask`: may be left to "ask at the office", which is also what a
    field means that says nothing where `unsaid`; `usual`: what it means that says nothing; `most`: characters (of a
    line), `lines`: how many; `at`: where in the unit it stands, if not under its name."""

    name: str
    kind: str
    spoken: bool = False
    ask: bool = False
    unsaid: bool = False
    most: int = TEXT_CHARS_MAX
    lines: int = LIST_ITEMS_MAX
    choices: tuple[str, ...] = ()
    usual: str = ""
    at: str = ""

    @property
    def steps(self) -> list[str]:
        """The way to it inside its unit."""
        return (self.at or self.name).split("/")


_SOURCE = (
    Field("confirmed", FLAG),
    Field("source", LINE, spoken=True, most=LINE_CHARS_MAX),
    Field("checked", DATE),
)
_SHEET = (
    Field("title", LINE, spoken=True, most=TITLE_CHARS_MAX),
    Field("who", TEXT, spoken=True, ask=True),
    Field("bring", LINES, spoken=True, ask=True, most=LINE_CHARS_MAX),
    Field("fee", TEXT, spoken=True, ask=True),
    Field("term", TEXT, spoken=True, ask=True),
    Field("how", TEXT, spoken=True, ask=True),
    Field("note", TEXT, spoken=True),
    Field("law", TEXT, spoken=True),
    Field("mode", CHOICE, choices=MODES),
    Field("office", CHOICE),
    Field("competent_body", TEXT, spoken=True, at="competent/body"),
    Field("competent_url", LINE, most=300, at="competent/url"),
    Field("intents", TICKS),
    Field("group", CHOICE, choices=GROUPS),
    Field("order", NUMBER),
    *_SOURCE,
)
_OFFICE = (
    Field("title", LINE, spoken=True, most=TITLE_CHARS_MAX),
    Field("about", TEXT, spoken=True),
    Field("phones", LINES, ask=True, unsaid=True, most=30, lines=6),
    Field("emails", LINES, ask=True, most=LINE_CHARS_MAX),
    Field("address", TEXT, spoken=True, ask=True, unsaid=True),
    Field("hours", HOURS, ask=True, unsaid=True),
    Field("web", LINE, most=300),
    Field("competent", CHOICE, choices=COMPETENT, usual=COMPETENT[0]),
    Field("intents", TICKS),
    Field("listed", FLAG, usual="1"),
    Field("confirmed", FLAG),
    Field("source", LINE, most=LINE_CHARS_MAX),
    Field("checked", DATE),
)
_PHRASES = (
    Field("examples", LINES, spoken=True, most=LINE_CHARS_MAX, lines=PHRASES_MAX),
    Field("keywords", LINES, most=LINE_CHARS_MAX, lines=PHRASES_MAX),
)
_TEXT = (Field("text", TEXT, spoken=True),)
_FIELDS = {SHEETS: _SHEET, OFFICES: _OFFICE, PHRASES: _PHRASES, TEXTS: _TEXT}


def room_of(unit: str) -> str:
    """Which of ROOMS a unit or a path is in. Raises KeyError."""
    found = next((room for room in ROOMS if unit.startswith(f"{room}/")), None)
    if found is None:
        raise KeyError(unit)
    return found


def unit_of(path: str) -> str:
    """The unit that the path of an edit or a complaint belongs to."""
    room = room_of(path)
    steps = path.removeprefix(f"{room}/").split("/")
    return f"{room}/{steps[1] if room == TEXTS and len(steps) > 1 else steps[0]}"


def fields(unit: str, tree: overlay.Source) -> tuple[Field, ...]:
    """The fields of a unit's form; a sheet's office is one of the town's."""
    return tuple(_offering(field, unit, tree) for field in _FIELDS[room_of(unit)])


def names(unit: str) -> set[str]:
    """What the fields of a unit's form are called."""
    return {field.name for field in _FIELDS[room_of(unit)]}


def _offering(field: Field, unit: str, tree: overlay.Source) -> Field:
    """The field with the choices that this town has, and whatever it chose."""
    if field.name == "office":
        return replace(field, choices=("", *(str(office["id"]) for office in tree["contacts"]["offices"])))
    if field.name == "intents":
        offered = [intent for intent in platform_model().names if not intent.startswith(_NOT_OFFERED)]
        said = overlay.value_at(tree, f"{unit}/intents") or ()
        return replace(field, choices=tuple(dict.fromkeys([*offered, *map(str, said)])))
    return field


def exists(tree: overlay.Source, unit: str) -> bool:
    """Whether there is such a sheet or office; phrases and texts are there as soon as somebody writes them."""
    return room_of(unit) in (PHRASES, TEXTS) or overlay.value_at(tree, unit) is not None


def path_of(unit: str, field: Field, language: str) -> str:
    """Where a field's value stands. A sheet's text is one value in all languages, for it may also be unconfirmed."""
    room = room_of(unit)
    if room == TEXTS:
        return f"{TEXTS}/{language}/{unit.removeprefix(f'{TEXTS}/')}"
    return f"{unit}/{'/'.join(field.steps)}" + (f"/{language}" if room == PHRASES and field.spoken else "")


def place_of(path: str) -> tuple[str, str, str]:
    """Unit, field and language ("" for none said) of an edit's or a complaint's path."""
    unit = unit_of(path)
    room = room_of(unit)
    if room == TEXTS:
        return unit, "text", path.split("/")[1]
    steps = path.removeprefix(f"{unit}").strip("/").split("/")
    field = next((one for one in _FIELDS[room] if one.steps == steps[: len(one.steps)]), None)
    name, rest = (field.name, steps[len(field.steps) :]) if field else (steps[0], steps[1:])
    return unit, name, rest[0] if rest and not rest[0].isdigit() else ""


# --- what a form shows ------------------------------------------------------------------------------------------


def shown(tree: overlay.Source, unit: str, language: str) -> dict[str, str]:
    """The form's strings by field; a ticked box is "1"."""
    form: dict[str, str] = {}
    for field in fields(unit, tree):
        value = overlay.value_at(tree, path_of(unit, field, language))
        if field.ask:
            form[field.name + ASK] = "1" if value == UNCONFIRMED or (value is None and field.unsaid) else ""
        form |= _strings(field, None if value == UNCONFIRMED else value, language)
    return form


def _strings(field: Field, value: Any, language: str) -> dict[str, str]:
    if field.kind == HOURS:
        days = week(value or {})
        return {f"{field.name}.{day}": ", ".join("-".join(span) for span in days.get(day, ())) for day in WEEKDAYS}
    if field.kind == TICKS:
        return {f"{field.name}.{choice}": "1" if choice in (value or ()) else "" for choice in field.choices}
    if field.kind == FLAG and value is not None:
        return {field.name: "1" if value else ""}
    if field.spoken and isinstance(value, Mapping):
        value = value.get(language)
    if field.kind == LINES and isinstance(value, Sequence) and not isinstance(value, str):
        return {field.name: "\n".join(map(str, value))}
    return {field.name: field.usual if value is None else str(value)}


# --- what a form changes ----------------------------------------------------------------------------------------


def taken(
    tree: overlay.Source, unit: str, language: str, form: Mapping[str, str], languages: Sequence[str]
) -> dict[str, Any]:
    """The paths that the form changes and their new values, None for none. What it does not change is not touched."""
    before = shown(tree, unit, language)
    changes: dict[str, Any] = {}
    for field in fields(unit, tree):
        names = [name for name in before if name.partition(".")[0] == field.name]
        typed = {name: _clean(form.get(name, ""), field.kind) for name in names}
        if typed == {name: _clean(before[name], field.kind) for name in names}:
            continue
        path = path_of(unit, field, language)
        changes[path] = _value(field, typed, overlay.value_at(tree, path), language, languages, path)
    return changes


def _clean(typed: str, kind: str) -> str:
    lines = [_CONTROL.sub("", line).strip() for line in typed.replace("\r\n", "\n").replace("\r", "\n").split("\n")]
    return "\n".join(line for line in lines if line) if kind == LINES else "\n".join(lines).strip()


def _value(field: Field, typed: Mapping[str, str], now: Any, language: str, languages: Sequence[str], path: str) -> Any:
    if field.kind == FLAG:
        return typed[field.name] == "1"
    if field.kind == TICKS:
        ticked = [choice for choice in field.choices if typed[f"{field.name}.{choice}"] == "1"]
        return sorted(ticked, key=lambda choice: choice not in (now or ())) or None
    said = _hours(field, typed) if field.kind == HOURS else _said(field, typed[field.name])
    if said is None and typed.get(field.name + ASK):
        return UNCONFIRMED
    if not field.spoken or path.endswith(f"/{language}") or room_of(path) == TEXTS:
        return said
    return _with(now, language, said, languages)


def _said(field: Field, typed: str) -> Any:
    if field.kind == LINES:
        return typed.split("\n") if typed else None
    if field.kind == NUMBER and typed.isdecimal():
        return int(typed)
    return typed or None


def _hours(field: Field, typed: Mapping[str, str]) -> dict[str, str] | None:
    """By day, and by `weekdays` where Monday to Friday are the same."""
    days = {day: re.sub(r"\s*[-–]\s*", "-", typed[f"{field.name}.{day}"]) for day in WEEKDAYS}
    said = {day: spans for day, spans in days.items() if spans}
    working = {said.get(day) for day in WEEKDAYS[:5]}
    if len(working) == 1 and None not in working:
        rest = {day: spans for day, spans in said.items() if day not in WEEKDAYS[:5]}
        said = {"weekdays": str(said["mon"])} | rest
    return said or None


def _with(now: Any, language: str, said: Any, languages: Sequence[str]) -> dict[str, Any] | None:
    """The other languages as they are; what was said once for all is kept for each of them."""
    by_language = dict(now) if isinstance(now, Mapping) else {}
    if isinstance(now, str) and now != UNCONFIRMED:
        by_language = dict.fromkeys(languages, now)
    by_language.pop(language, None)
    return by_language | ({language: said} if said is not None else {}) or None


def as_edits(files: overlay.Source, tree: overlay.Source, unit: str, changes: Mapping[str, Any]) -> dict[str, Any]:
    """The changes as paths an overlay has: what only the console has is one edit as a whole."""
    if room_of(unit) in (PHRASES, TEXTS) or overlay.value_at(files, unit) is not None:
        return dict(changes)
    value = overlay.whole(tree, unit) or {}
    for path, said in changes.items():
        value = _placed(value, path.removeprefix(f"{unit}/").split("/"), said)
    return {unit: value}


def _placed(value: Mapping[str, Any], steps: Sequence[str], said: Any) -> dict[str, Any]:
    step, *rest = steps
    if rest:
        said = _placed(value.get(step) or {}, rest, said) or None
    return {key: each for key, each in value.items() if key != step} | ({} if said is None else {step: said})


# --- new ones, and lists ----------------------------------------------------------------------------------------


def blank(room: str, tree: overlay.Source, language: str, today: str, source: str) -> dict[str, Any]:
    """A new sheet or office before anybody filled it in."""
    if room == OFFICES:
        return {"title": {}, "source": source, "checked": today}
    office = str(tree["tenant"]["person"]["office"])
    unknown = dict.fromkeys(("who", "bring", "fee", "term", "how"), UNCONFIRMED)
    told = {"source": {language: source}, "checked": today}
    return {"group": "other", "mode": "explain", "title": {}, **unknown, "office": office, **told}


def node_of(tree: overlay.Source, unit: str) -> str:
    """What phrases call a sheet or an office: by the service that shows it."""
    kind = "procedures" if room_of(unit) == SHEETS else "contacts"
    service = next((str(one["id"]) for one in tree["services"]["services"] if one["kind"] == kind), kind)
    return f"{service}.{unit.rpartition('/')[2]}"


def companions(tree: overlay.Source, unit: str) -> tuple[str, ...]:
    """The units that come and go with a whole sheet: itself, and the phrases that lead to it."""
    return (unit, f"{PHRASES}/{node_of(tree, unit)}") if room_of(unit) == SHEETS else (unit,)


def free_id(title: str, taken_ids: Sequence[str]) -> str:
    """An id made of a title that is already folded to plain letters."""
    words = re.sub(r"[^a-z0-9]+", "_", title.casefold()).strip("_")
    stem = (words if words[:1].isalpha() else f"s_{words}")[:30].strip("_")
    stem = stem if NEW_ID.fullmatch(stem) else "new_one"
    return next(name for name in (stem, *(f"{stem}_{n}" for n in range(2, 999))) if name not in taken_ids)


def title_at(tree: overlay.Source, unit: str, language: str) -> str:
    """What a sheet or an office is called, in a language or the first there is."""
    title = overlay.value_at(tree, f"{unit}/title") if room_of(unit) in (SHEETS, OFFICES) else None
    if not isinstance(title, Mapping) or not title:
        return unit.rpartition("/")[2]
    return str(title.get(language) or next(iter(title.values())))


def differences(before: overlay.Source, after: overlay.Source, paths: Sequence[str]) -> Iterator[tuple[str, Any, Any]]:
    """Path, old and new value of what really differs, one by one: by language, by day, by field of a new unit."""
    for path in paths:
        for at, old, new in _leaves(path, overlay.whole(before, path), overlay.whole(after, path)):
            unit, field, _ = place_of(at)
            if old != new and field in names(unit):
                yield at, old, new


def _leaves(path: str, old: Any, new: Any) -> Iterator[tuple[str, Any, Any]]:
    if not isinstance(old, Mapping) and not isinstance(new, Mapping):
        yield path, old, new
        return
    olds, news = (
        each if isinstance(each, Mapping) else dict.fromkeys(other, each) for each, other in ((old, new), (new, old))
    )
    for key in {**olds, **news}:
        yield from _leaves(f"{path}/{key}", olds.get(key), news.get(key))
