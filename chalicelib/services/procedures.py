"""Procedures: sheets that explain who may, what to bring, what it costs, where and until when.

Choices: `<service>` (topics), `<service>.group.<topic>`, `<service>.<procedure>`; a `~2` at the end is the next page.
"""

from __future__ import annotations

from chalicelib.dialogue.chat import choices
from chalicelib.dialogue.paging import paged
from chalicelib.model import Choice, Facts, Line, Link, Say, Town

SHEETS_WITHOUT_TOPICS_MAX = 6


def answer(town: Town, service: str, item: str, page: int, facts: Facts) -> tuple[Say, ...] | None:
    """What to say when `item` of `service` was asked for; None if there is no such item (any more)."""
    procedures = town.core["procedures"]
    if item == "":
        if len(procedures) <= SHEETS_WITHOUT_TOPICS_MAX:
            return (
                paged(Line("procedures_choose"), service, [f"{service}.{entry['id']}" for entry in procedures], page),
            )
        groups = dict.fromkeys(entry["group"] for entry in procedures)
        return (paged(Line("procedures_intro"), service, [f"{service}.group.{group}" for group in groups], page),)
    if item.startswith("group."):
        chosen = [f"{service}.{entry['id']}" for entry in procedures if f"group.{entry['group']}" == item]
        return (paged(Line("procedures_choose"), f"{service}.{item}", chosen, page, back=service),) if chosen else None
    entry = next((entry for entry in procedures if entry["id"] == item), None)
    return (_sheet(service, entry),) if entry else None


def _sheet(service: str, entry: dict[str, str]) -> Say:
    """One procedure's sheet; where it can be asked for here, that is the first button."""
    choice = f"{service}.{entry['id']}"
    back = f"{service}.group.{entry['group']}"
    link = Link(Line(choice), entry["link"]) if entry["link"] else None
    request = (Choice(str(entry["request"]), Line("doc_request_here")),) if entry.get("request") else ()
    ways = choices(back, "person", "menu")
    return Say(sheet=choice, link=link, choices=(*request, *ways))
