"""The town's content: what there is, what would change, tried in a chat, published, put back."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from chalicelib import services
from chalicelib.actions import edit_content, publish_content, trail
from chalicelib.actions.edit_content import Workspace
from chalicelib.console.door import Answer, Visit
from chalicelib.console.pages import page
from chalicelib.console.views import content_words as words
from chalicelib.dialogue import rehearsal
from chalicelib.language import catalogue
from chalicelib.language.folding import fold
from chalicelib.model import Refused
from chalicelib.small_classes import dataclass, replace
from chalicelib.storage import edits, publications
from chalicelib.tenancy import content

FOUND_MAX = 60
QUERY_CHARS_MAX = 60
MOVE_FIGURES_MAX = 8


def show(visit: Visit) -> Answer:
    """Everything there is to edit, one room at a time, and what waits to be published."""
    desk = words.workspace(visit)
    room = visit.query.get("room", "sheets")
    room = room if room in words.ROOMS else "sheets"
    asked = visit.query.get("q", "")[:QUERY_CHARS_MAX].strip()
    units = [unit for unit in _units(visit, desk, words.ROOMS[room], asked) if _matches(asked, *unit)]
    drafted = {content.unit_of(path) for path in desk.drafts}
    gone = [] if asked else words.removed(desk, words.ROOMS[room])[:FOUND_MAX]
    return words.drawn(
        visit,
        desk,
        "content",
        room=room,
        rooms=words.ROOMS,
        asked=asked,
        units=units[:FOUND_MAX],
        drafted=drafted,
        cut=len(units) > FOUND_MAX,
        removed=[(unit.rpartition("/")[2], words.title_of(visit, desk, unit)) for unit in gone],
        new=room in words.NEW,
    )


def _units(visit: Visit, desk: Workspace, room: str, asked: str) -> list[tuple[str, str, str]]:
    """Name, title and a further word of each unit of a room."""
    speaks = visit.say.voice.language
    if room == content.SHEETS:
        found = [(name, content.title_at(desk.tree, f"{room}/{name}", speaks), "") for name in desk.tree["procedures"]]
        return sorted(found, key=lambda unit: fold(unit[1]))
    if room == content.OFFICES:
        ids = [str(office["id"]) for office in desk.tree["contacts"]["offices"]]
        return [(name, content.title_at(desk.tree, f"{room}/{name}", speaks), "") for name in ids]
    if room == content.PHRASES:
        return [(node, title, _first_phrase(desk, node)) for node, title in words.nodes(visit, desk).items()]
    native = desk.languages[0]
    own = desk.tree["texts"]
    base = catalogue.load(words.catalogue_of(desk, native))["texts"]
    changed = {key for texts in own.values() for key in texts}
    keys = [key for key, text in base.items() if isinstance(text, str) and (asked or key in changed)]
    return [(key, str(own.get(native, {}).get(key) or base[key]), key) for key in keys]


def _matches(asked: str, *said: str) -> bool:
    return not asked or fold(asked) in " ".join(map(fold, said))


def _first_phrase(desk: Workspace, node: str) -> str:
    examples = desk.tree["phrases"].get(node, {}).get("examples", {})
    return next((str(text) for texts in examples.values() for text in texts), "")


def look(visit: Visit, problem: str = "", status: int = 200) -> Answer:
    """What publishing would change, in words; what is wrong; which phrases collide. `problem`: why it was not done."""
    desk = words.workspace(visit)
    checked = edit_content.check(desk)
    complaints = [(words.place(visit, desk, one.path), words.told(visit, one)) for one in checked.complaints]
    told = [(path, publish_content.told(old), publish_content.told(new)) for path, old, new in desk.differences()]
    stale = [words.place(visit, desk, path) for path in desk.stale]
    return words.drawn(
        visit,
        desk,
        "content_look",
        status,
        problem=problem,
        changes=_by_unit(visit, desk, told),
        complaints=complaints,
        stale=stale,
        digest=desk.digest,
        collisions=[
            (text, [words.node_title(visit, desk, node) for node in nodes]) for text, nodes in checked.collisions
        ],
        good=checked.version is not None,
    )


def publish(visit: Visit) -> Answer:
    """Order what was looked at."""
    desk, digest = words.workspace(visit), visit.form.get("digest", "")
    try:
        edit_content.order(desk, visit.person, digest, visit.now, visit.deadline)
    except Refused as error:
        return look(visit, error.code, error.status)
    return visit.go("console/content/versions?said=ordered")


def rehearse(visit: Visit) -> Answer:
    """A chat with the drafts: what was said so far travels in the form and is played anew, nothing is stored."""
    desk = words.workspace(visit)
    version = edit_content.check(desk).version
    if version is None:
        return visit.go("console/content/look")
    said = _said_so_far(visit.form)
    town = edit_content.town_of(version)
    played, voice = rehearsal.play(town, said, visit.now, services.kind)
    return words.drawn(
        visit,
        desk,
        "content_try",
        played=played,
        said=json.dumps(said, ensure_ascii=False),
        labels=_labels(played),
        full=len(said) >= rehearsal.SAID_MAX,
        voice=voice,
    )


rehearse_on = rehearse


def _is_move(written: str) -> bool:
    return written.isdecimal() and len(written) <= MOVE_FIGURES_MAX


def versions(visit: Visit) -> Answer:
    """Which version came in force when, by whom and why; those that are kept can be put in force again."""
    desk = words.workspace(visit)
    below = visit.query.get("below", "")
    found = publications.newest(visit.here.slug, visit.deadline, int(below) if _is_move(below) else 0)
    kept = {one.version for one in desk.pointer.kept} - {desk.pointer.version}
    shown = [(one, _by_unit(visit, desk, one.changes)) for one in found]
    return words.drawn(
        visit,
        desk,
        "content_versions",
        publications=shown,
        kept=kept,
        more=_more(found),
        names=trail.names(visit.here, visit.deadline),
        asked_again=visit.query.get("return", ""),
    )


def put_back(visit: Visit) -> Answer:
    """Order an earlier version."""
    version = visit.form.get("version", "")
    number = int(version) if version.isdecimal() else 0
    edit_content.order_return(words.workspace(visit), visit.person, number, visit.now, visit.deadline)
    return visit.go("console/content/versions?said=ordered")


def state(visit: Visit) -> Answer:
    """What became of the order; asked for until it is carried out."""
    order = edits.order(visit.here.slug, visit.deadline)
    answer = page(visit, "content_state", order=order, waits=edits.WAITS)
    over = order is None or order.state != edits.WAITS
    return replace(answer, headers={"HX-Refresh": "true"}) if over and visit.is_htmx else answer


@dataclass(frozen=True, slots=True)
class Changed:
    """One unit with what changes in it: where, what was said, what is said then. `gone`: it is taken away."""

    title: str
    way: str
    gone: bool
    rows: list[tuple[dict[str, str], str, str]]


def _by_unit(visit: Visit, desk: Workspace, changes: Iterable[tuple[str, str, str]]) -> list[Changed]:
    units: dict[str, list[tuple[str, str, str]]] = {}
    for path, old, new in changes:
        units.setdefault(content.unit_of(path), []).append((path, old, new))
    return [_changed(visit, desk, unit, rows) for unit, rows in units.items()]


def _changed(visit: Visit, desk: Workspace, unit: str, changes: Sequence[tuple[str, str, str]]) -> Changed:
    rows = [
        (words.place(visit, desk, path), words.in_words(visit, path, old), words.in_words(visit, path, new))
        for path, old, new in changes
    ]
    titles = [(old, new) for path, old, new in changes if content.place_of(path)[1] == "title"]
    gone = bool(titles) and all(old and not new for old, new in titles)
    known = content.exists(desk.tree, unit) or bool(rows[0][0]["way"])
    title = rows[0][0]["title"] if known or not titles else titles[0][0] or titles[0][1]
    return Changed(title, rows[0][0]["way"], gone, rows)


def _said_so_far(form: Mapping[str, str]) -> list[tuple[str, str]]:
    """What the form carries, with what was just typed or pressed."""
    try:
        said = [(str(kind), str(what)) for kind, what in json.loads(form.get("so_far", "[]"))]
    except (ValueError, TypeError) as error:
        raise Refused(422, "malformed", "The chat could not be read; begin it once more.") from error
    if form.get("choice"):
        said.append(("choice", form["choice"][: rehearsal.SAID_CHARS_MAX]))
    elif form.get("text", "").strip():
        said.append(("text", form["text"].strip()[: rehearsal.SAID_CHARS_MAX]))
    return said[: rehearsal.SAID_MAX]


def _labels(played: Sequence[tuple[tuple[str, str], Sequence[Any]]]) -> dict[str, str]:
    """What stood on the buttons that were pressed."""
    return {choice: label for _, told in played for message in told for choice, label in message.choices}


def _more(found: Sequence[publications.Publication]) -> int:
    return found[-1].move if len(found) == publications.PAGE_MAX else 0
