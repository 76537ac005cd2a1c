"""Questions without an answer: grouped; each leads into the form where it becomes a phrase or an answer."""

from __future__ import annotations

from chalicelib.actions import missed
from chalicelib.console.door import Answer, Visit
from chalicelib.console.pages import page
from chalicelib.model import Refused
from chalicelib.storage import edits

SPANS = {"week": 7, "month": 30}
TEXT_CHARS_MAX = 200
SAID = ("dismissed",)


def show(visit: Visit) -> Answer:
    """What was not understood in the last week or month."""
    span = visit.query.get("span", "week")
    span = span if span in SPANS else "week"
    said = visit.query.get("said", "")
    return page(
        visit,
        "missed",
        found=missed.missed(visit.here, SPANS[span], visit.now, visit.deadline),
        examples_max=missed.EXAMPLES_MAX,
        texts_max=edits.TEXTS_MAX,
        span=span,
        spans=SPANS,
        title=lambda node: _title(visit, node),
        said=said if said in SAID else "",
    )


def dismiss(visit: Visit) -> Answer:
    """None of the town's business."""
    missed.dismiss(visit.here, visit.person, _texts(visit), visit.now, visit.deadline)
    return visit.go("console/missed?said=dismissed")


def _texts(visit: Visit) -> list[str]:
    written = [line.strip()[:TEXT_CHARS_MAX] for line in visit.form.get("texts", "").splitlines()]
    texts = [line for line in written if line][: edits.TEXTS_MAX]
    if not texts:
        raise Refused(422, "no_texts", "There are no questions.")
    return texts


def _title(visit: Visit, node: str) -> str:
    """What the nearest known thing is called in the reader's language, else its name in the files."""
    sheets = visit.here.sheets
    sheet = sheets.get(visit.say.voice.language, {}).get(node) or sheets[visit.here.native_language].get(node)
    return str(sheet["title"]) if sheet else visit.say.own(node)
