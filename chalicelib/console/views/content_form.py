"""The forms of a town's content: one unit in one language; what was typed is kept whatever happens."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from chalicelib.actions import edit_content, trail
from chalicelib.actions.edit_content import Workspace
from chalicelib.console.door import Answer, Visit
from chalicelib.console.views import content_words as words
from chalicelib.console.wording import wording
from chalicelib.language import catalogue
from chalicelib.language.detect import language_of
from chalicelib.language.folding import fold
from chalicelib.model import CYRILLIC, Conflict, Refused
from chalicelib.storage import edits
from chalicelib.tenancy import content
from chalicelib.tenancy.complaints import Complaint
from chalicelib.tenancy.content import Field
from chalicelib.tenancy.schema import TITLE_CHARS_MAX

ASKED_CHARS_MAX = 2500
NODE_CHARS_MAX = 80
ROWS_MIN, ROWS_MAX, ROW_CHARS = 2, 14, 70


@dataclass(frozen=True, slots=True)
class Shown:
    """One field of a form as the page draws it: its strings, its complaint, and its text in Cyrillic where that is
    derived."""

    field: Field
    values: Mapping[str, str]
    wrong: str = ""
    cyrillic: str = ""

    @property
    def rows(self) -> int:
        """How high its box is."""
        text = self.values.get(self.field.name, "")
        return max(ROWS_MIN, min(ROWS_MAX, text.count("\n") + len(text) // ROW_CHARS + 1))


def edit(visit: Visit) -> Answer:
    """The form of one unit, in one of the town's languages."""
    desk, unit, language = words.workspace(visit), _unit(visit), words.language_of(visit)
    if not content.exists(desk.tree, unit):
        raise Refused(404, "unknown", "There is no such content.")
    return _form(visit, desk, unit, language, content.shown(desk.tree, unit, language))


def save(visit: Visit) -> Answer:
    """Keep what was typed as a draft; what is wrong is told beside its field, and nothing typed is lost."""
    desk, unit, language = words.workspace(visit), _unit(visit), words.language_of(visit)
    if not content.exists(desk.tree, unit):
        raise Refused(404, "unknown", "There is no such content.")
    if visit.form.get("seen") != desk.seen(unit, language):
        return _form(visit, desk, unit, language, visit.form, status=409)
    changes = content.taken(desk.tree, unit, language, visit.form, desk.languages)
    if not changes:
        return visit.go(words.way_of(unit, language, "nothing"))
    return _keep(visit, desk, unit, language, changes)


def _keep(visit: Visit, desk: Workspace, unit: str, language: str, changes: Mapping[str, Any]) -> Answer:
    after = edit_content.with_changes(desk, unit, changes, visit.person.by, visit.now)
    wrong = words.wrong_fields(edit_content.check(after).complaints, unit)
    if wrong:
        return _form(visit, desk, unit, language, visit.form, wrong=wrong, status=422)
    try:
        edit_content.save(desk, visit.person, unit, after, visit.now, visit.deadline, _asked(visit))
    except Conflict:
        return _form(visit, words.workspace(visit), unit, language, visit.form, status=409)
    except Refused as error:
        return _form(visit, desk, unit, language, visit.form, general=words.refused(visit, error), status=422)
    return visit.go(words.way_of(unit, language, "saved"))


def undo(visit: Visit) -> Answer:
    """What is drafted for one unit is taken back."""
    desk, unit = words.workspace(visit), _unit(visit)
    try:
        edit_content.undo(desk, visit.person, unit, visit.now, visit.deadline)
    except Conflict as error:
        raise Refused(409, "changed", "Somebody changed this meanwhile. Look at it once more.") from error
    still = content.exists(desk.in_force, unit)
    return visit.go(words.way_of(unit, words.language_of(visit), "undone") if still else "console/content?said=undone")


def new(visit: Visit) -> Answer:
    """An empty form for a sheet or an office."""
    return _new_form(visit, words.workspace(visit), _new_room(visit), {}, ())


def add(visit: Visit) -> Answer:
    """A new sheet or office, as a draft; its id is made of its title."""
    desk, room, language = words.workspace(visit), _new_room(visit), words.language_of(visit)
    name = content.free_id(fold(visit.form.get("title", "")), words.ids(desk, words.ROOMS[room]))
    unit = f"{words.ROOMS[room]}/{name}"
    start = content.blank(words.ROOMS[room], desk.tree, language, _today(visit), _source(visit))
    begun = edit_content.with_changes(desk, unit, {f"{unit}/{key}": value for key, value in start.items()})
    changes = start | _by_name(unit, content.taken(begun.tree, unit, language, visit.form, desk.languages))
    given = {f"{unit}/{key}": value for key, value in changes.items() if value is not None}
    after = edit_content.with_changes(desk, unit, given, visit.person.by, visit.now)
    asked = _asked(visit)
    if asked and room == "sheets":
        after = _with_phrases(visit, after, f"{words.service_id(desk, 'procedures')}.{name}", asked)
    wrong = words.wrong_fields(edit_content.check(after).complaints, unit)
    if wrong:
        return _new_form(visit, desk, room, visit.form, asked, wrong=wrong, status=422)
    try:
        edit_content.save(desk, visit.person, unit, after, visit.now, visit.deadline, asked)
    except Conflict:  # somebody made one of this name at the same moment; the next try finds another
        return _new_form(visit, words.workspace(visit), room, visit.form, asked, status=409)
    except Refused as error:
        return _new_form(visit, desk, room, visit.form, asked, general=words.refused(visit, error), status=422)
    return visit.go(words.way_of(unit, language, "saved"))


def add_phrase(visit: Visit) -> Answer:
    """A missed question leads here: the form of what it stands for, with the question among the phrases."""
    desk, language = words.workspace(visit), visit.here.native_language
    node = visit.form.get("node", "")[:NODE_CHARS_MAX]
    if node not in words.nodes(visit, desk):
        raise Refused(422, "unknown_kind", "Choose what the question stands for.")
    asked = _asked(visit)
    if not asked:
        raise Refused(422, "no_texts", "There are no questions.")
    unit, language = f"{content.PHRASES}/{node}", _language_of(visit, asked[0])
    typed = content.shown(desk.tree, unit, language)
    known = typed["examples"].split("\n") if typed["examples"] else []
    typed = typed | {"examples": "\n".join(dict.fromkeys([*known, *asked])), "asked": "\n".join(asked)}
    return _form(visit, desk, unit, language, typed)


def answer(visit: Visit) -> Answer:
    """A missed question leads here: a new sheet with the question as its title and as its phrases."""
    asked = _asked(visit)
    if not asked:
        raise Refused(422, "no_texts", "There are no questions.")
    title = asked[0][:TITLE_CHARS_MAX]
    return _new_form(visit, words.workspace(visit), "sheets", {"title": title}, asked)


def _form(
    visit: Visit,
    desk: Workspace,
    unit: str,
    language: str,
    typed: Mapping[str, str],
    *,
    wrong: Mapping[str, Complaint] | None = None,
    general: str = "",
    status: int = 200,
) -> Answer:
    """`status` 409: somebody saved meanwhile; what they saved stands beside what was typed."""
    now = content.shown(desk.tree, unit, language)
    room = words.room_name(unit)
    theirs = {name: value for name, value in now.items() if status == 409 and value != typed.get(name, "")}
    mine = [edit for path, edit in desk.drafts.items() if content.unit_of(path) == unit]
    names = trail.names(visit.here, visit.deadline) if mine else {}
    last = max(mine, key=lambda edit: edit.at, default=None)
    name = unit.rpartition("/")[2]
    return words.drawn(
        visit,
        desk,
        "content_edit",
        status,
        unit=unit,
        room=room,
        name=name,
        language=language,
        title=words.title_of(visit, desk, unit),
        fields=_fields(visit, desk, unit, language, typed, wrong or {}),
        general=general or (words.told(visit, wrong[""]) if wrong and "" in wrong else ""),
        theirs=theirs,
        seen=desk.seen(unit, language),
        last=last,
        who=names.get(last.by, "") if last else "",
        asked=typed.get("asked", ""),
        base=_base(desk, unit, language),
        way=f"console/content/edit/{room}/{name}",
    )


def _new_form(
    visit: Visit,
    desk: Workspace,
    room: str,
    typed: Mapping[str, str],
    asked: Sequence[str],
    *,
    wrong: Mapping[str, Complaint] | None = None,
    general: str = "",
    status: int = 200,
) -> Answer:
    language = words.language_of(visit)
    unit = f"{words.ROOMS[room]}/{content.free_id('', words.ids(desk, words.ROOMS[room]))}"
    start = content.blank(words.ROOMS[room], desk.tree, language, _today(visit), _source(visit))
    begun = edit_content.with_changes(desk, unit, {f"{unit}/{key}": value for key, value in start.items()})
    shown = content.shown(begun.tree, unit, language) | dict(typed)
    return words.drawn(
        visit,
        desk,
        "content_edit",
        status,
        unit=unit,
        room=room,
        name="",
        language=language,
        title=str(visit.say(f"content_new_{room}")),
        fields=_fields(visit, begun, unit, language, shown, wrong or {}),
        general=general or (words.told(visit, wrong[""]) if wrong and "" in wrong else ""),
        theirs={},
        seen="",
        last=None,
        who="",
        asked="\n".join(asked),
        base="",
        way=f"console/content/new/{room}",
    )


def _unit(visit: Visit) -> str:
    room, name = visit.params["room"], visit.params["name"]
    if room not in words.ROOMS:
        raise Refused(404, "unknown", "There is no such content.")
    return f"{words.ROOMS[room]}/{name}"


def _new_room(visit: Visit) -> str:
    room = visit.params["room"]
    if room not in words.NEW:
        raise Refused(404, "unknown", "There is no such content.")
    return room


def _language_of(visit: Visit, text: str) -> str:
    found = language_of(text)
    return found if found in visit.here.languages else visit.here.native_language


def _asked(visit: Visit) -> list[str]:
    written = (visit.form.get("asked") or visit.form.get("texts", ""))[:ASKED_CHARS_MAX]
    return [line.strip()[: content.LINE_CHARS_MAX] for line in written.splitlines() if line.strip()][: edits.TEXTS_MAX]


def _by_name(unit: str, changes: Mapping[str, Any]) -> dict[str, Any]:
    return {path.removeprefix(f"{unit}/"): value for path, value in changes.items()}


def _with_phrases(visit: Visit, desk: Workspace, node: str, asked: Sequence[str]) -> Workspace:
    """The questions as phrases of the new sheet, each in its language."""
    by_language: dict[str, list[str]] = {}
    for text in asked:
        by_language.setdefault(_language_of(visit, text), []).append(text)
    unit = f"{content.PHRASES}/{node}"
    changes = {f"{unit}/examples/{language}": texts for language, texts in by_language.items()}
    return edit_content.with_changes(desk, unit, changes, visit.person.by, visit.now)


def _source(visit: Visit) -> str:
    """Where a new unit's data come from, in the town's own language whatever the reader's is."""
    return str(wording(visit.here.native_language, visit.here)("content_source"))


def _today(visit: Visit) -> str:
    return dt.datetime.fromtimestamp(visit.now, ZoneInfo(visit.here.core["time_zone"])).date().isoformat()


def _base(desk: Workspace, unit: str, language: str) -> str:
    """The platform's own text where a town may say it otherwise."""
    if content.room_of(unit) != content.TEXTS:
        return ""
    text = catalogue.load(words.catalogue_of(desk, language))["texts"].get(unit.removeprefix(f"{content.TEXTS}/"), "")
    return text if isinstance(text, str) else ""


def _fields(
    visit: Visit,
    desk: Workspace,
    unit: str,
    language: str,
    typed: Mapping[str, str],
    wrong: Mapping[str, Complaint],
) -> list[Shown]:
    shown = content.shown(desk.tree, unit, language)
    fields = []
    for field in content.fields(unit, desk.tree):
        values = {name: typed.get(name, "") for name in shown if name.partition(".")[0] == field.name}
        told = words.told(visit, wrong[field.name]) if field.name in wrong else ""
        fields.append(Shown(field, values, told, _cyrillic(visit, field, language, values.get(field.name, ""))))
    return fields


def _cyrillic(visit: Visit, field: Field, language: str, text: str) -> str:
    if not field.spoken or not text or CYRILLIC not in visit.here.scripts(language):
        return ""
    return catalogue.cyrillic(text, tuple(visit.here.core["latin_words"]))
