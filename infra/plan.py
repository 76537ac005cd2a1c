"""What publishing a folder would change, in words: offices, sheets, services, texts, phrases and the town itself."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from chalicelib.model import Town
from chalicelib.storage import tenants
from chalicelib.storage.tenants import Pointer
from chalicelib.tenancy.kinds.built_in import RESERVED
from chalicelib.wire import Deadline

SHOWN_MAX = 60
VALUE_CHARS_MAX = 70
READ_SECONDS = 10.0
ADDED, REMOVED, CHANGED = "+", "-", "~"
# The kinds of change, of one thing and of several.
_SEVERAL = {
    "setting": "settings",
    "language": "languages",
    "office": "offices",
    "sheet": "sheets",
    "service": "services",
    "duty": "duties",
    "intent": "intents",
    "text": "texts",
    "phrases": "sets of phrases",
}
_MARKS = {ADDED: "added", REMOVED: "removed", CHANGED: "changed"}
NOTHING = "nothing"
# How the parts of a town are called; what is missing here follows from something that is not.
_TOWN = {
    "number": "number",
    "kind": "kind of body",
    "country": "country",
    "time_zone": "time zone",
    "prefix": "prefix of references",
    "reopen_days": "days to reopen a case",
    "sms": "notices by SMS",
    "retention": "days that cases are kept",
    "announcements": "announcements",
    "names": "name",
    "bot": "name of the bot",
    "viber": "Viber",
    "web": "web chat",
    "colours": "colours",
    "map_tiles": "map pictures",
    "emergency": "emergency numbers",
    "centre": "centre",
    "person": "office for whoever wants a person",
    "settlements": "settlements",
    "latin_words": "words kept in Latin",
    "menu": "menu",
    "closed": "closed days",
}


@dataclass(frozen=True)
class Change:
    """One difference. `what` is one of the kinds of thing a town consists of, `name` which of them."""

    mark: str
    what: str
    name: str
    words: str = ""

    def __str__(self) -> str:
        return f"{self.mark} {self.what} {self.name}" + (f": {self.words}" if self.words else "")


def changes(slug: str, compiled: Mapping[str, Any]) -> list[str]:
    """One line a change against the version in force, after a line that counts them."""
    pointer = tenants.pointer(slug, Deadline(READ_SECONDS))
    if pointer is None:
        return [f"{slug} is new: {_counted(compiled)}."]
    if pointer.digest == tenants.digest(compiled):
        return [f"{slug}: nothing changes (version {pointer.version}, {pointer.state})."]
    town = tenants.town(slug, pointer.version, Deadline(READ_SECONDS))
    if town is None:
        return [f"{slug}: version {pointer.version} cannot be read; everything would be written anew."]
    return _told(slug, pointer.version, pointer.version + 1, differences(_version(town), compiled))


def between(pointer: Pointer, back: Town) -> list[str]:
    """One line a change from the version in force to another that is kept."""
    if back.version == pointer.version:
        return [f"{pointer.slug}: nothing changes (version {pointer.version}, {pointer.state})."]
    town = tenants.town(pointer.slug, pointer.version, Deadline(READ_SECONDS))
    if town is None:
        return [f"{pointer.slug}: version {pointer.version} cannot be read; version {back.version} can."]
    return _told(pointer.slug, pointer.version, back.version, differences(_version(town), _version(back)))


def _version(town: Town) -> dict[str, Any]:
    return {"core": town.core, "texts": {**town.texts}, "sheets": {**town.sheets}, "index": town.index}


def _told(slug: str, before: int, after: int, found: Sequence[Change]) -> list[str]:
    left = [f"… and {len(found) - SHOWN_MAX} more"] if len(found) > SHOWN_MAX else []
    return [f"{slug}: version {before} → {after}: {summed(found)}.", *map(str, found[:SHOWN_MAX]), *left]


def differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Change]:
    """Every difference between two versions of a town: `+` added, `-` removed, `~` changed."""
    return [
        *_town(before["core"], after["core"]),
        *_languages(before["core"], after["core"]),
        *_sheets(before, after, "contacts", "office"),
        *_sheets(before, after, "procedures", "sheet"),
        *_services(before["core"], after["core"]),
        *_texts(before, after),
        *_phrases(before["index"], after["index"]),
    ]


def summed(found: Sequence[Change]) -> str:
    """`1 office added, 2 texts changed`; a thing that differs in several places counts once."""
    things = dict.fromkeys((change.what, change.mark, change.name) for change in found)
    counts = Counter((what, mark) for what, mark, _ in things)
    words = [f"{n} {what if n == 1 else _SEVERAL[what]} {_MARKS[mark]}" for (what, mark), n in counts.items()]
    return ", ".join(words) or "only parts that nobody reads"


def _counted(compiled: Mapping[str, Any]) -> str:
    core = compiled["core"]
    spoken = ", ".join(entry["name"] for entry in core["languages"])
    services = ", ".join(service for service in core["services"] if service not in RESERVED)
    counts = f"{len(core['procedures'])} sheets, {len(core['offices'])} offices"
    return f"{counts}; it would speak {spoken} and offer {services}"


# --- the town ---------------------------------------------------------------------------------------------------


def _town(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Change]:
    for key, called in _TOWN.items():
        for change in _values(called, before.get(key), after.get(key)):
            yield replace(change, what="setting")


def _values(called: str, before: Any, after: Any) -> Iterator[Change]:
    """What differs in one value; of a mapping the entries, of a list what came and went."""
    if before == after:
        return
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        for key in dict.fromkeys((*before, *after)):
            yield from _values(f"{called}, {key}", before.get(key), after.get(key))
    elif _are_lists(before, after) and set(before) != set(after):
        yield from (Change(ADDED, "", called, each) for each in after if each not in before)
        yield from (Change(REMOVED, "", called, each) for each in before if each not in after)
    elif before is None or after is None:
        mark = ADDED if before is None else REMOVED
        yield Change(mark, "", called, _short(after if before is None else before))
    else:
        yield Change(CHANGED, "", called, _turned(before, after))


def _are_lists(*values: Any) -> bool:
    return all(isinstance(value, list) and all(isinstance(each, str) for each in value) for value in values)


def _languages(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Change]:
    old, new = ({entry["id"]: entry for entry in core["languages"]} for core in (before, after))
    yield from (Change(REMOVED, "language", entry["name"]) for each, entry in old.items() if each not in new)
    for language, entry in new.items():
        if language not in old:
            yield Change(ADDED, "language", entry["name"])
        elif old[language]["scripts"] != entry["scripts"]:
            yield Change(CHANGED, "language", entry["name"], _turned(old[language]["scripts"], entry["scripts"]))
    if [*old] != [*new] and set(old) == set(new):
        yield Change(CHANGED, "setting", "order of languages", _turned([*old], [*new]))


# --- sheets and offices -----------------------------------------------------------------------------------------


def _sheets(before: Mapping[str, Any], after: Mapping[str, Any], kind: str, called: str) -> Iterator[Change]:
    """Offices or procedures: what citizens read of each, in every language that both versions have."""
    languages = [language for language in after["sheets"] if language in before["sheets"]]
    native = next(iter(languages or after["sheets"]))
    old, new = (_of_kind(version, kind, native) for version in (before, after))
    for choice in dict.fromkeys((*old, *new)):
        name = f"{choice.partition('.')[2]} ({(new.get(choice) or old[choice])['title']})"
        if choice not in new or choice not in old:
            yield Change(ADDED if choice in new else REMOVED, called, name)
            continue
        for language in languages:
            sheets = (version["sheets"][language][choice] for version in (before, after))
            yield from (Change(CHANGED, called, name, f"in {language}, {line}") for line in _sheet(*sheets))


def _of_kind(version: Mapping[str, Any], kind: str, language: str) -> Mapping[str, Any]:
    named = {service for service, entry in version["core"]["services"].items() if entry["kind"] == kind}
    sheets = version["sheets"].get(language, {})
    return {choice: sheet for choice, sheet in sheets.items() if choice.partition(".")[0] in named}


def _sheet(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[str]:
    """`Telefon: Pitajte na šalteru → +381 …` for every part that differs."""
    old, new = _parts(before), _parts(after)
    for label in dict.fromkeys((*old, *new)):
        if old.get(label) != new.get(label):
            yield f"{label}: {_turned(old.get(label), new.get(label))}"


def _parts(sheet: Mapping[str, Any]) -> dict[str, Any]:
    parts = {section["label"]: section.get("text") or section.get("items") for section in sheet["sections"]}
    own = {"title": sheet["title"], "introduction": sheet["lead"], "foot": sheet["foot"], "link": sheet["link"]}
    return {label: value for label, value in {**own, **parts}.items() if value}


# --- services ---------------------------------------------------------------------------------------------------


def _services(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Change]:
    old, new = before["services"], after["services"]
    for service in dict.fromkeys((*old, *new)):
        if service in old and service in new:
            for change in _values("", _by_id(old[service]), _by_id(new[service])):
                where = change.name.removeprefix(", ")
                yield Change(CHANGED, "service", service, f"{change.mark} {where} {change.words}".rstrip())
        else:
            kind = (new.get(service) or old[service])["kind"]
            yield Change(ADDED if service in new else REMOVED, "service", f"{service} ({kind})")
    was, now = _duties(before["routing"]), _duties(after["routing"])
    for name in dict.fromkeys((*was, *now)):
        for change in _values(name, was.get(name), now.get(name)):
            yield replace(change, what="duty")
    for intent in dict.fromkeys((*before["routes"], *after["routes"])):
        was, now = before["routes"].get(intent, []), after["routes"].get(intent, [])
        if was != now:
            yield Change(CHANGED, "intent", intent, f"leads to {_turned(was, now)}")


def _duties(routing: Mapping[str, Any]) -> dict[str, str]:
    """Kind of case and category → which office has it until when."""
    return {
        f"of {kind}, {category or 'all else'}": f"{entry['office']}, {_term(entry['term'])}"
        for kind, categories in routing.items()
        for category, entry in categories.items()
    }


def _term(term: Mapping[str, Any] | None) -> str:
    if not term:
        return "without a confirmed term"
    unit = next(name for name in term if name != "starts")
    return f"{term[unit]} {unit.replace('_', ' ')} from {term.get('starts', 'receipt')}"


def _by_id(value: Any) -> Any:
    """Lists of entries with an `id` as mappings by it, so that one entry added is one change."""
    if isinstance(value, Mapping):
        return {key: _by_id(each) for key, each in value.items()}
    if isinstance(value, list) and value and all(isinstance(each, Mapping) and "id" in each for each in value):
        return {str(each["id"]): _by_id({key: part for key, part in each.items() if key != "id"}) for each in value}
    return value


# --- texts and phrases ------------------------------------------------------------------------------------------


def _texts(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Change]:
    """Single lines; the titles of sheets and offices were told with them."""
    for language in after["texts"]:
        if language not in before["texts"]:
            continue
        old, new = before["texts"][language], after["texts"][language]
        told = {*before["sheets"][language], *after["sheets"][language]}
        for key in sorted({*old, *new} - told):
            for change in _values(key, old.get(key), new.get(key)):
                yield replace(change, what="text", name=f"{change.name} in {language}")


def _phrases(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Change]:
    old, new = _phrase_counts(before), _phrase_counts(after)
    for name in sorted({*old, *new}):
        if old[name] != new[name]:
            yield Change(CHANGED, "phrases", f"for {name}", f"{old[name]} → {new[name]}")
    if old == new and any(before[part] != after[part] for part in ("postings", "keywords")):
        yield Change(CHANGED, "phrases", "that are worded anew")


def _phrase_counts(index: Mapping[str, Any]) -> Counter[str]:
    said = Counter(index["nodes"][number] for number in index["of"])
    said.update(index["nodes"][number] for _, number in index["keywords"])
    return said


def _turned(before: Any, after: Any) -> str:
    return f"{_short(before)} → {_short(after)}"


def _short(value: Any) -> str:
    if value is None or value == []:
        return NOTHING
    if isinstance(value, Mapping):
        return _cut(", ".join(f"{key} {_short(each)}" for key, each in value.items()))
    if isinstance(value, list):
        return _cut(", ".join(map(_short, value)))
    return "yes" if value is True else "no" if value is False else _cut(str(value))


def _cut(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= VALUE_CHARS_MAX else line[: VALUE_CHARS_MAX - 1] + "…"
