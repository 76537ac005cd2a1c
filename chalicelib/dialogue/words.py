"""From what a turn decided to what a person reads: lines worded from the town's texts, sheets laid out. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from chalicelib.language import catalogue
from chalicelib.model import BOT, CYRILLIC, Line, Message, Say, Town, Voice

PARAGRAPH = "\n\n"
_PICKED = {"location": "btn_share_location", "phone": "btn_share_phone"}
_OFFICE = ("sheet_competent", "sheet_where", "sheet_address", "sheet_phone", "sheet_hours")
# What is asked about a sheet → its sections that say so.
PARTS: Mapping[str, tuple[str, ...]] = {
    "fee": ("fee",),
    "term": ("deadline",),
    "papers": ("required_documents",),
    "who": ("who_is_entitled",),
    "how": ("sheet_how",),
    "where": _OFFICE,
    "hours": ("sheet_where", "sheet_hours"),
    "phone": ("sheet_where", "sheet_phone"),
    "law": ("legal_basis",),
}
MISSING = "menu_title"  # said instead of a text that a newer version no longer has


def message(say: Say, town: Town, voice: Voice, identifier: str, at: float, origin: str = BOT) -> Message:
    """`say` worded for a person who is spoken to in `voice`."""
    voice = spoken(town, voice)
    before, after = (PARAGRAPH.join(line(part, town, voice) for part in lines) for lines in (say.lines, say.after))
    sheet = sheet_of(say, town, voice)
    paragraphs = [before, sheet_text(sheet) if sheet else "", after]
    link = (line(say.link.label, town, voice), say.link.url) if say.link else None
    return Message(
        id=identifier,
        at=at,
        origin=origin,
        text=PARAGRAPH.join(part for part in paragraphs if part),
        choices=tuple((choice.id, line(choice.label, town, voice)) for choice in say.choices),
        ask=say.ask,
        ask_label=line(Line(_PICKED[say.ask]), town, voice) if say.ask in _PICKED else "",
        link=link,
        sheet=_drawn(sheet, before, after) if sheet else None,
        media=say.file,
        case=say.case,
    )


def _drawn(sheet: Mapping[str, Any], before: str, after: str) -> Mapping[str, Any]:
    """A sheet as parts for channels that draw it; `before` and `note` are the words around it."""
    drawn = {name: sheet[name] for name in ("title", "lead", "sections", "foot") if sheet[name]}
    return drawn | ({"before": before} if before else {}) | ({"note": after} if after else {})


def spoken(town: Town, voice: Voice) -> Voice:
    """`voice` if the town speaks it, else the nearest it does."""
    if voice.language not in town.texts:
        return town.default_voice
    scripts = town.scripts(voice.language)
    return voice if voice.script in scripts else Voice(voice.language, scripts[0])


def line(part: Line, town: Town, voice: Voice) -> str:
    """One line as text; lines inside it are worded too, a citizen's own words stay as typed."""
    texts = town.texts[voice.language]
    template = texts.get(part.key, texts[MISSING])
    if isinstance(template, str) and "{" not in template and voice.script != CYRILLIC:
        return template  # as most labels are
    values = {name: line(value, town, voice) if isinstance(value, Line) else value for name, value in part.args.items()}
    return catalogue.word(template, _plural(town, voice.language), voice.script, values, latin_words(town))


def name_of(town: Town, voice: Voice) -> str:
    """What the town is called in a voice; in one it does not speak, as in its own language."""
    names = town.core["names"]
    name = str(names.get(voice.language, names[town.native_language]))
    return catalogue.cyrillic(name, latin_words(town)) if voice.script == CYRILLIC else name


def latin_words(town: Town) -> tuple[str, ...]:
    """Names this town keeps in Latin."""
    return tuple(town.core["latin_words"])


def _plural(town: Town, language: str) -> str:
    return next(str(entry["plural"]) for entry in town.core["languages"] if entry["id"] == language)


def sheet_of(say: Say, town: Town, voice: Voice) -> Mapping[str, Any] | None:
    """The parts of the sheet that `say` shows, in the script of `voice`."""
    if say.sheet is None:
        return None
    sheet: Mapping[str, Any] | None = town.sheets[voice.language].get(say.sheet)
    if sheet is None:
        return None
    if say.part:
        sheet = _part_of(sheet, say.part, town.texts[voice.language])
    if sheet["only"]:
        name = next((entry["name"] for entry in town.core["languages"] if entry["id"] == sheet["only"]), sheet["only"])
        note = catalogue.word(town.texts[voice.language]["only_in_language"], "two", "latin", {"language": name})
        sheet = {**sheet, "foot": f"{note}\n{sheet['foot']}"}
    return dict(_in_cyrillic(sheet, latin_words(town))) if voice.script == CYRILLIC else sheet


def _part_of(sheet: Mapping[str, Any], part: str, texts: Mapping[str, Any]) -> Mapping[str, Any]:
    """A sheet with the sections alone that answer one question; where that is to be asked at the office, with the
    office's. Whole if it has none of them. Of its foot the last line is enough: how far it is to be trusted."""
    wanted = _labelled(sheet, PARTS.get(part, ()), texts)
    if any(section.get("ask") for section in wanted):
        office = _labelled(sheet, _OFFICE, texts)
        wanted += [section for section in office if section not in wanted]
    shorter = {"lead": None, "sections": wanted, "foot": sheet["foot"].rpartition("\n")[2]}
    return {**sheet, **shorter} if wanted else sheet


def _labelled(sheet: Mapping[str, Any], keys: tuple[str, ...], texts: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The sections of these names; what nobody confirmed stands together under several."""
    names = {str(texts[key]).rstrip(":").lower() for key in keys}
    return [section for section in sheet["sections"] if names.intersection(section["label"].lower().split(", "))]


def _in_cyrillic(value: Any, kept: tuple[str, ...]) -> Any:
    if isinstance(value, str):
        return catalogue.cyrillic(value, kept)
    if isinstance(value, Mapping):
        return {name: part if name in ("link", "only") else _in_cyrillic(part, kept) for name, part in value.items()}
    return [_in_cyrillic(part, kept) for part in value] if isinstance(value, list) else value


def sheet_text(sheet: Mapping[str, Any]) -> str:
    """A sheet as plain text, in the same order in which it is drawn."""
    parts = [sheet["title"]]
    if sheet["lead"]:
        parts.append(sheet["lead"])
    for section in sheet["sections"]:
        if "items" in section:
            parts.append("\n".join([f"{section['label']}:", *(f"• {item}" for item in section["items"])]))
        else:
            parts.append(f"{section['label']}: {section['text']}")
    return PARAGRAPH.join([*_pairs(parts), sheet["foot"]])


def _pairs(parts: list[str]) -> list[str]:
    """Short neighbouring facts stand on lines of one paragraph, so that a small screen shows more of the sheet."""
    laid: list[str] = []
    for part in parts:
        short = len(part) <= 60 and "\n" not in part
        if laid and short and laid[-1].startswith("\0"):
            laid[-1] += "\n" + part
        else:
            laid.append(("\0" if short and len(laid) >= 1 else "") + part)
    return [part.removeprefix("\0") for part in laid]
