"""Taking a sheet away: what citizens get instead is shown first; and the way back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from chalicelib import services
from chalicelib.actions import edit_content
from chalicelib.actions.edit_content import Workspace
from chalicelib.console.door import Answer, Visit
from chalicelib.console.views import content_words as words
from chalicelib.dialogue import rehearsal
from chalicelib.model import Conflict, Message, Refused
from chalicelib.tenancy import content
from chalicelib.tenancy.complaints import Complaint

SHOWN_MAX = 3  # of what leads to a sheet: its title and some of its phrases


def ask(visit: Visit, status: int = 200) -> Answer:
    """Whether it shall be taken away, and what citizens get then; or what stands in the way."""
    desk, unit = words.workspace(visit), _sheet(visit)
    words.check_there(desk, unit)
    checked = edit_content.check(edit_content.without(desk, unit, visit.person.by, visit.now))
    return words.drawn(
        visit,
        desk,
        "content_remove",
        status,
        title=words.title_of(visit, desk, unit),
        way=_way(unit),
        obstacles=list(dict.fromkeys(_obstacle(visit, desk, one) for one in checked.complaints)),
        instead=_instead(visit, desk, unit, checked.version) if checked.version else [],
        phrases=len(_phrases(desk, unit)),
    )


def remove(visit: Visit) -> Answer:
    """Take it away, as a draft."""
    desk, unit = words.workspace(visit), _sheet(visit)
    words.check_there(desk, unit)
    after = edit_content.without(desk, unit, visit.person.by, visit.now)
    if edit_content.check(after).complaints:
        return ask(visit, 422)
    _save(visit, desk, unit, after)
    return visit.go("console/content?room=sheets&said=removed")


def restore(visit: Visit) -> Answer:
    """Bring a sheet of the town's files back, as a draft."""
    desk, unit = words.workspace(visit), _sheet(visit)
    if not content.exists(desk.files, unit) or content.exists(desk.tree, unit):
        raise Refused(404, "unknown", "There is no such content.")
    _save(visit, desk, unit, edit_content.brought_back(desk, unit, visit.person.by, visit.now))
    return visit.go(words.way_of(unit, visit.here.native_language, "restored"))


def gone(visit: Visit, desk: Workspace, unit: str) -> Answer:
    """A sheet that is taken away, and the way back."""
    return words.drawn(
        visit,
        desk,
        "content_gone",
        title=words.title_of(visit, desk, unit),
        way=_way(unit),
        drafted=unit in desk.drafts,
    )


def _sheet(visit: Visit) -> str:
    if visit.params["room"] != "sheets":
        raise Refused(404, "unknown", "There is no such content.")
    return f"{content.SHEETS}/{visit.params['name']}"


def _way(unit: str) -> str:
    return f"console/content/edit/sheets/{unit.rpartition('/')[2]}"


def _save(visit: Visit, desk: Workspace, unit: str, after: Workspace) -> None:
    try:
        edit_content.save(desk, visit.person, unit, after, visit.now, visit.deadline)
    except Conflict as error:
        raise Refused(409, "changed", "Somebody changed this meanwhile. Look at it once more.") from error


def _phrases(desk: Workspace, unit: str) -> list[str]:
    said = desk.tree["phrases"].get(content.node_of(desk.tree, unit), {}).get("examples", {})
    return [str(text) for texts in said.values() for text in texts]


def _instead(visit: Visit, desk: Workspace, unit: str, version: Mapping[str, Any]) -> list[tuple[str, list[Message]]]:
    """What led to the sheet, each with what the bot will say to it."""
    town = edit_content.town_of(version)
    title = content.title_at(desk.tree, unit, visit.here.native_language)
    asked = [title, *_phrases(desk, unit)][:SHOWN_MAX]
    played = [rehearsal.play(town, [("text", text)], visit.now, services.kind)[0][-1] for text in asked]
    return [(what, told) for (_, what), told in played]


def _obstacle(visit: Visit, desk: Workspace, complaint: Complaint) -> str:
    """What would be left without the sheet: the menu, a service, or another place of the content."""
    steps = complaint.path.split("/")
    if steps[:2] == ["services", "menu"]:
        return str(visit.say("content_in_menu"))
    if steps[:2] == ["services", "services"] and len(steps) > 2:
        return visit.say.own(steps[2])
    place = words.place(visit, desk, complaint.path)
    return f"{place['title']} · {place['field']}" if place["field"] else place["title"]
