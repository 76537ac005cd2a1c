"""The list of what there is to do, and finding a case."""

from __future__ import annotations

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


def show(visit: Visit) -> Answer:
    """Open cases by shelf. The rest of a long list comes on the next pages."""
    chosen = visit.query.get("only", "all")
    if chosen == desk.CALL:
        return _calls(visit)
    found = desk.desk(
        visit.here, visit.person, permissions.sees, visit.now, visit.deadline, visit.query.get("after", "")
    )
    rows = desk.of_kinds(found.rows, FILTERS.get(chosen, ()))
    if chosen == MINE:
        rows = tuple(row for row in rows if _is_mine(row, visit))
    return page(
        visit,
        "inbox",
        rows=rows,
        counts={shelf: sum(row.shelf == shelf for row in found.rows) for shelf in desk.SHELVES},
        shelves=desk.SHELVES,
        filters=(*FILTERS, MINE, desk.CALL),
        chosen=chosen,
        more=found.cursor,
        newest=desk.newest_change(visit.here, visit.now, visit.deadline),
        mine=lambda row: _is_mine(row, visit),
    )


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
    newest = desk.newest_change(visit.here, visit.now, visit.deadline)
    if newest == visit.query.get("since", ""):
        return Answer(status=204)
    return page(visit, "inbox_news", since=newest)


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
    rows = [desk.row(visit.here, case, visit.person, visit.now) for case in found.cases]
    return page(visit, "search", rows=rows, asked=asked, more=found.after, mine=lambda row: _is_mine(row, visit))


def _offset(written: str) -> int:
    known = written.isascii() and written.isdecimal() and len(written) <= OFFSET_FIGURES_MAX
    return min(int(written), find_case.OFFSET_MAX) if known else 0


def _is_mine(row: desk.Row, visit: Visit) -> bool:
    return row.case.assignee is not None and row.case.assignee[:2] == ("staff", visit.person.id)
