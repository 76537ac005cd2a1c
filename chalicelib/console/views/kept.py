"""How long what is kept, and what was deleted when by which rule: numbers alone."""

from __future__ import annotations

from chalicelib.actions import kept
from chalicelib.console.door import Answer, Visit
from chalicelib.console.pages import page
from chalicelib.storage import runs


def show(visit: Visit) -> Answer:
    """The rules of the town, and their runs, the newest first."""
    return page(
        visit,
        "kept",
        rules=kept.rules(visit.here),
        runs=kept.lately(visit.here, visit.now, visit.deadline),
        shown_max=runs.SHOWN_MAX,
    )
