"""The list of what there is to do, and finding a case."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from chalicelib.actions import desk, find_case
from chalicelib.console import permissions
from chalicelib.console.door import Answer, Visit
from chalicelib.console.pages import page

# What the buttons above the list leave in it.
FILTERS = {
    "all": (),
    "problem": ("problem",),
    "document": ("document", "administrative"),
    "question": ("question",),
    "assistance": ("assistance", "volunteer"),
    "chat": ("chat",),
}
MINE = "mine"
QUERY_CHARS_MAX = 120
OFFSET_FIGURES_MAX = 6
KNOWN_CHARS_MAX = 60


def show(visit: Visit) -> Answer:
    """Open cases by shelf, the most urgent at once, what lies apart as soon as the page asks; the rest of a long list
    comes on the next pages. `whole` puts all of it into one answer."""
    if visit.query.get("only") == desk.CALL:
        return _calls(visit)
    if visit.query.get("whole"):
        found = desk.whole(visit.here, visit.person, permissions.sees, visit.now, visit.deadline)
    else:
        after = visit.query.get("after", "")
        found = desk.desk(visit.here, visit.person, permissions.sees, visit.now, visit.deadline, after)
    rows = _chosen(visit, found)
    return page(
        visit,
        "inbox",
        **_shown(visit, found, rows, found.counts(), len(rows)),
        filters=(*FILTERS, MINE, desk.CALL),
        follows=bool(found.cursor) and not (visit.query.get("whole") or visit.query.get("after")),
        so_far=".".join(map(str, (*found.counts(), len(rows)))),
    )


def rest(visit: Visit) -> Answer:
    """What the first answer left out, to be put behind it."""
    after, known = visit.query.get("after", ""), visit.query.get("known", "")[:KNOWN_CHARS_MAX]
    found = desk.rest(visit.here, visit.person, permissions.sees, visit.now, visit.deadline, after, known)
    *had, shown = _so_far(visit.query.get("so_far", ""))
    counts = [before + more for before, more in zip(had, found.counts(), strict=True)]
    rows = _chosen(visit, found)
    return page(visit, "inbox_rest", **_shown(visit, found, rows, counts, shown + len(rows)))


def _chosen(visit: Visit, found: desk.Desk) -> tuple[desk.Row, ...]:
    """What the filter leaves."""
    chosen = visit.query.get("only", "all")
    rows = desk.of_kinds(found.rows, FILTERS.get(chosen, ()))
    return tuple(row for row in rows if _is_mine(row, visit)) if chosen == MINE else rows


def _shown(
    visit: Visit, found: desk.Desk, rows: Sequence[desk.Row], counts: Sequence[int], shown: int
) -> dict[str, Any]:
    """What both parts of the list are drawn from; `counts` and `shown` are of all that is on the page then."""
    return {
        "by_shelf": {shelf: [row for row in rows if row.shelf == shelf] for shelf in desk.SHELVES},
        "counts": dict(zip(desk.SHELVES, counts, strict=True)),
        "shown": shown,
        "cut": found.cut,
        "chosen": visit.query.get("only", "all"),
        "more": found.cursor,
        "known": found.known,
        "mine": lambda row: _is_mine(row, visit),
    }


def _so_far(written: str) -> list[int]:
    """How many rows of each shelf the first answer had, and how many the filter left, as it wrote it."""
    figures = written.split(".")
    parts = len(desk.SHELVES) + 1
    is_ours = len(figures) == parts and all(each.isascii() and each.isdecimal() for each in figures)
    return [min(int(each[:3]), desk.SHOWN_MAX) for each in figures] if is_ours else [0] * parts


def _calls(visit: Visit) -> Answer:
    """Whom somebody should ring up: a notice of theirs did not arrive, or was not seen for days."""
    found = desk.calls(
        visit.here, visit.person, permissions.sees, visit.now, visit.deadline, visit.query.get("after", "")
    )
    return page(
        visit, "calls", rows=found.rows, filters=(*FILTERS, MINE, desk.CALL), chosen=desk.CALL, more=found.cursor
    )


def news(visit: Visit) -> Answer:
    """Asked every few seconds: nothing (204) while nothing changed, else a line that says so. One read of cases."""
    known = visit.query.get("known", "")
    is_there = desk.has_news(visit.here, known, visit.now, visit.deadline)
    return page(visit, "inbox_news") if is_there else Answer(status=204)


def search(visit: Visit) -> Answer:
    """By reference, file number, phone or words; straight to the case where there is but one."""
    asked, after = visit.query.get("q", "").strip()[:QUERY_CHARS_MAX], _offset(visit.query.get("after", ""))
    found = (
        find_case.find(visit.here, visit.person, permissions.sees, asked, visit.deadline, after)
        if asked
        else find_case.Found()
    )
    if len(found.cases) == 1 and not (found.after or after):
        return visit.go(f"console/cases/{found.cases[0].reference}")
    calendar = desk.Calendar(visit.here, visit.now)
    rows = [calendar.row(case, visit.person) for case in found.cases]
    return page(visit, "search", rows=rows, asked=asked, more=found.after, mine=lambda row: _is_mine(row, visit))


def _offset(written: str) -> int:
    known = written.isascii() and written.isdecimal() and len(written) <= OFFSET_FIGURES_MAX
    return min(int(written), find_case.OFFSET_MAX) if known else 0


def _is_mine(row: desk.Row, visit: Visit) -> bool:
    return desk.is_mine(row.case, visit.person)
