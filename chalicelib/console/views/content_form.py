"""The forms of a town's content: one unit in one language; what was typed is kept whatever happens."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import field
from typing import Any

from chalicelib.actions import edit_content, trail
from chalicelib.actions.edit_content import Workspace
from chalicelib.console.door import Answer, Visit
from chalicelib.console.views import content_remove
from chalicelib.console.views import content_words as words
from chalicelib.console.wording import wording
from chalicelib.days import day_in
from chalicelib.language import catalogue
from chalicelib.language.detect import language_of
from chalicelib.language.folding import fold
from chalicelib.model import CYRILLIC, Conflict, Refused
from chalicelib.small_classes import dataclass, replace
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

    @property
    def ticked(self) -> list[str]:
        """Which of its choices are ticked."""
        return [choice for choice in self.field.choices if self.values.get(f"{self.field.name}.{choice}")]


@dataclass(frozen=True, slots=True)
class Typed:
    """What a form holds: what stands there or what was typed, the questions it deals with, and what is wrong: beside
    fields, in general, or 409 for what somebody saved meanwhile."""

    values: Mapping[str, str]
    asked: Sequence[str] = ()
    wrong: Mapping[str, Complaint] = field(default_factory=dict)
    general: str = ""
    status: int = 200


def edit(visit: Visit) -> Answer:
    """The form of one unit, in one of the town's languages; of what was taken away, the way back."""
    desk, unit, language = words.workspace(visit), unit_of(visit), words.language_of(visit)
    if unit in words.removed(desk, content.SHEETS):
        return content_remove.gone(visit, desk, unit)
    words.check_there(desk, unit)
    return _form(visit, desk, unit, language, Typed(content.shown(desk.tree, unit, language)))


def save(visit: Visit) -> Answer:
    """Keep what was typed as a draft; what is wrong is told beside its field, and nothing typed is lost."""
    desk, unit, language = words.workspace(visit), unit_of(visit), words.language_of(visit)
    words.check_there(desk, unit)
    if visit.form.get("seen") != desk.seen(unit, language):
        return _form(visit, desk, unit, language, Typed(visit.form, _asked(visit), status=409))
    changes = content.taken(desk.tree, unit, language, visit.form, desk.languages)
    if not changes:
        return visit.go(words.way_of(unit, language, "nothing"))
    after = edit_content.with_changes(desk, unit, changes, visit.person.by, visit.now)
    if refused := _refused(visit, desk, unit, after):
        desk = words.workspace(visit) if refused.status == 409 else desk
        return _form(visit, desk, unit, language, refused)
    return visit.go(words.way_of(unit, language, "saved"))


def _refused(visit: Visit, desk: Workspace, unit: str, after: Workspace) -> Typed | None:
    """Keep the drafts of `after`; if that cannot be, what the form has to say."""
    asked = _asked(visit)
    wrong = words.wrong_fields(edit_content.check(after).complaints, unit)
    if wrong:
        general = words.told(visit, wrong[""]) if "" in wrong else ""
        return Typed(visit.form, asked, wrong, general, 422)
    try:
        edit_content.save(desk, visit.person, unit, after, visit.now, visit.deadline, asked)
    except Conflict:  # somebody saved the same, or made one of this name; the next try finds what they did
        return Typed(visit.form, asked, status=409)
    except Refused as error:
        return Typed(visit.form, asked, general=words.refused(visit, error), status=422)
    return None


def undo(visit: Visit) -> Answer:
    """What is drafted for one unit is taken back."""
    desk, unit = words.workspace(visit), unit_of(visit)
    try:
        edit_content.undo(desk, visit.person, unit, visit.now, visit.deadline)
    except Conflict as error:
        raise Refused(409, "changed", "Somebody changed this meanwhile. Look at it once more.") from error
    still = content.exists(desk.in_force, unit)
    return visit.go(words.way_of(unit, words.language_of(visit), "undone") if still else "console/content?said=undone")


def new(visit: Visit) -> Answer:
    """An empty form for a sheet or an office."""
    return _new_form(visit, words.workspace(visit), _new_room(visit), Typed({}))


def add(visit: Visit) -> Answer:
    """A new sheet or office, as a draft; its id is made of its title."""
    desk, room, language = words.workspace(visit), _new_room(visit), words.language_of(visit)
    name = content.free_id(fold(visit.form.get("title", "")), words.ids(desk, words.ROOMS[room]))
    unit = f"{words.ROOMS[room]}/{name}"
    begun = _begun(visit, desk, unit, language)
    changes = content.taken(begun.tree, unit, language, visit.form, desk.languages)
    after = edit_content.with_changes(begun, unit, changes, visit.person.by, visit.now)
    if room == "sheets":
        after = _with_phrases(visit, after, content.node_of(desk.tree, unit), _asked(visit))
    if refused := _refused(visit, desk, unit, after):
        desk = words.workspace(visit) if refused.status == 409 else desk
        return _new_form(visit, desk, room, refused)
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
    typed = typed | {"examples": "\n".join(dict.fromkeys([*known, *asked]))}
    return _form(visit, desk, unit, language, Typed(typed, asked))


def answer(visit: Visit) -> Answer:
    """A missed question leads here: a new sheet with the question as its title and as its phrases."""
    asked = _asked(visit)
    if not asked:
        raise Refused(422, "no_texts", "There are no questions.")
    title = asked[0][:TITLE_CHARS_MAX]
    return _new_form(visit, words.workspace(visit), "sheets", Typed({"title": title}, asked))


def _form(visit: Visit, desk: Workspace, unit: str, language: str, typed: Typed) -> Answer:
    """`typed.status` 409: somebody saved meanwhile; what they saved stands beside what was typed."""
    last = max(edit_content.of_unit(desk, unit), key=lambda edit: edit.at, default=None)
    room, name = words.room_name(unit), unit.rpartition("/")[2]
    return _drawn(
        visit,
        desk,
        unit,
        language,
        typed,
        way=f"console/content/edit/{room}/{name}",
        name=name,
        title=words.title_of(visit, desk, unit),
        theirs=_theirs(visit, desk, unit, language, typed.values) if typed.status == 409 else {},
        seen=desk.seen(unit, language),
        last=last,
        who=trail.names(visit.here, visit.deadline).get(last.by, "") if last else "",
        base=_base(desk, unit, language),
        removable=content.room_of(unit) == content.SHEETS,
    )


def _theirs(visit: Visit, desk: Workspace, unit: str, language: str, mine: Mapping[str, str]) -> dict[str, str]:
    """What each field says by now that differs from what was typed, in words."""
    now = _fields(visit, desk, unit, language, Typed(content.shown(desk.tree, unit, language)))
    differ = [one for one in now if any(mine.get(name, "") != said for name, said in one.values.items())]
    return {one.field.name: words.said(visit, one.field, one.values) for one in differ}


def _new_form(visit: Visit, desk: Workspace, room: str, typed: Typed) -> Answer:
    language = words.language_of(visit)
    unit = f"{words.ROOMS[room]}/{content.free_id('', words.ids(desk, words.ROOMS[room]))}"
    begun = _begun(visit, desk, unit, language)
    shown = content.shown(begun.tree, unit, language) | dict(typed.values)
    way, title = f"console/content/new/{room}", str(visit.say(f"content_new_{room}"))
    return _drawn(visit, begun, unit, language, replace(typed, values=shown), way=way, title=title)


def _drawn(visit: Visit, desk: Workspace, unit: str, language: str, typed: Typed, **more: Any) -> Answer:
    of_something_new: dict[str, Any] = {
        "name": "",
        "theirs": {},
        "seen": "",
        "last": None,
        "who": "",
        "base": "",
        "removable": False,
    }
    shared = {
        "unit": unit,
        "room": words.room_name(unit),
        "language": language,
        "fields": _fields(visit, desk, unit, language, typed),
        "general": typed.general,
        "asked": "\n".join(typed.asked),
        "choice": lambda name, choice: words.choice_title(visit, name, choice),
    }
    return words.drawn(visit, desk, "content_edit", typed.status, **of_something_new | shared | more)


def _begun(visit: Visit, desk: Workspace, unit: str, language: str) -> Workspace:
    """With a new sheet or office that nobody filled in yet."""
    start = content.blank(content.room_of(unit), desk.tree, language, _today(visit), _source(visit))
    return edit_content.with_changes(desk, unit, {f"{unit}/{name}": value for name, value in start.items()})


def unit_of(visit: Visit) -> str:
    """The unit that the address names. Raises Refused."""
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
    return day_in(visit.here.core["time_zone"], visit.now).isoformat()


def _base(desk: Workspace, unit: str, language: str) -> str:
    """The platform's own text where a town may say it otherwise."""
    if content.room_of(unit) != content.TEXTS:
        return ""
    text = catalogue.load(words.catalogue_of(desk, language))["texts"].get(unit.removeprefix(f"{content.TEXTS}/"), "")
    return text if isinstance(text, str) else ""


def _fields(visit: Visit, desk: Workspace, unit: str, language: str, typed: Typed) -> list[Shown]:
    shown = content.shown(desk.tree, unit, language)
    fields = []
    for one in content.fields(unit, desk.tree):
        values = {name: typed.values.get(name, "") for name in shown if name.partition(".")[0] == one.name}
        told = words.told(visit, typed.wrong[one.name]) if one.name in typed.wrong else ""
        fields.append(Shown(one, values, told, _cyrillic(visit, one, language, values.get(one.name, ""))))
    return fields


def _cyrillic(visit: Visit, one: Field, language: str, text: str) -> str:
    if not one.spoken or not text or CYRILLIC not in visit.here.scripts(language):
        return ""
    return catalogue.cyrillic(text, tuple(visit.here.core["latin_words"]))
