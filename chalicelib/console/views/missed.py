"""Questions without an answer: grouped, and turned into drafts for the town's files."""

from __future__ import annotations

from chalicelib.actions import missed
from chalicelib.console.door import Answer, Visit
from chalicelib.console.pages import page
from chalicelib.model import Refused
from chalicelib.storage import drafts

SPANS = {"week": 7, "month": 30}
TEXT_CHARS_MAX = 200
NODE_CHARS_MAX = 80
SAID = ("kept", "dismissed", "removed")


def show(visit: Visit) -> Answer:
    """What was not understood in the last week or month, and the drafts made of it."""
    span = visit.query.get("span", "week")
    span = span if span in SPANS else "week"
    kept = drafts.all_of(visit.here.slug, visit.now, visit.deadline)
    said = visit.query.get("said", "")
    return page(
        visit,
        "missed",
        found=missed.missed(visit.here, SPANS[span], visit.now, visit.deadline),
        examples_max=missed.EXAMPLES_MAX,
        texts_max=drafts.TEXTS_MAX,
        span=span,
        spans=SPANS,
        drafts=[(draft, missed.yaml_of(visit.here, draft)) for draft in kept],
        title=lambda node: _title(visit, node),
        said=said if said in SAID else "",
    )


def keep(visit: Visit) -> Answer:
    """A draft of a phrase for what is known, or of an answer."""
    kind, node = visit.form.get("kind", ""), visit.form.get("node", "")[:NODE_CHARS_MAX]
    if kind not in drafts.KINDS or (kind == drafts.PHRASE and not node):
        raise Refused(422, "unknown_kind", "Make a phrase for something, or an answer.")
    node = node if kind == drafts.PHRASE else ""
    missed.keep_draft(visit.here, visit.person, kind, node, _texts(visit), visit.now, visit.deadline)
    return visit.go("console/missed?said=kept")


def dismiss(visit: Visit) -> Answer:
    """None of the town's business."""
    missed.dismiss(visit.here, visit.person, _texts(visit), visit.now, visit.deadline)
    return visit.go("console/missed?said=dismissed")


def remove(visit: Visit) -> Answer:
    """The draft was copied, or is not wanted."""
    missed.remove_draft(visit.here, visit.person, visit.params["draft"], visit.now, visit.deadline)
    return visit.go("console/missed?said=removed")


def _texts(visit: Visit) -> list[str]:
    written = [line.strip()[:TEXT_CHARS_MAX] for line in visit.form.get("texts", "").splitlines()]
    texts = [line for line in written if line][: drafts.TEXTS_MAX]
    if not texts:
        raise Refused(422, "no_texts", "There are no questions.")
    return texts


def _title(visit: Visit, node: str) -> str:
    """What the nearest known thing is called in the reader's language, else its name in the files."""
    sheets = visit.here.sheets
    sheet = sheets.get(visit.say.voice.language, {}).get(node) or sheets[visit.here.native_language].get(node)
    return str(sheet["title"]) if sheet else visit.say.own(node)
