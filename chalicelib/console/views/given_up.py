"""What a town could not deliver, and a second try: for whoever runs the platform. Nobody's words are shown."""

from __future__ import annotations

from chalicelib.actions import given_up
from chalicelib.console.door import Answer, Visit
from chalicelib.console.pages import page

GROUPS = {
    "reply": "reply",
    "parked": "parked",
    "email": "mail",
    "sms": "sms",
    "media": "file",
    "forget_media": "file",
    "callback": "system",
    "open311": "system",
    "open311_told": "system",
    "open311_news": "system",
    "import_cases": "import",
    "announce": "announcement",
    "announce_page": "announcement",
    "help": "announcement",
    "invite": "invitation",
}
ALL = "all"


def show(visit: Visit) -> Answer:
    """Everything given up, the newest first."""
    slug = visit.params["town"]
    rows = given_up.of_town(slug, visit.deadline)
    return page(visit, "given_up", slug=slug, rows=rows, done=visit.said, group=_group, shown_max=given_up.SHOWN_MAX)


def again(visit: Visit) -> Answer:
    """One of them, or all that are shown and surely did not arrive, tried once more."""
    slug, wanted = visit.params["town"], visit.form.get("row", "")
    rows = given_up.of_town(slug, visit.deadline)
    chosen = [row.id for row in rows if row.repeatable and (wanted == row.id or (wanted == ALL and not row.uncertain))]
    done = given_up.again(slug, chosen, visit.person.by, visit.now, visit.deadline)
    return visit.go(f"console/towns/{slug}/given-up?said={done}")


def _group(kind: str) -> str:
    """What it is, in a word people know; the platform's own work has none."""
    return GROUPS.get(kind, "own")
