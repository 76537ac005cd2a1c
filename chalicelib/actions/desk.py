"""What lies on a member of staff's desk: one list of open cases, what must not wait first.

A long list comes in two answers. The first holds the most urgent cases and costs one request. What lies apart from them
(new cases and waiting chats, which have no deadline near; offices and the own desk) is asked for as soon as those are
shown. It only ever stands after them in its shelf, for by deadline it comes later.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from typing import Any
from zoneinfo import ZoneInfo

from chalicelib.actions.call_list import call_list
from chalicelib.cases import deadlines, lifecycle
from chalicelib.cases.deadlines import Left
from chalicelib.model import Case, Staff, Town
from chalicelib.small_classes import dataclass
from chalicelib.storage.cases import CaseStore, Page, Recent, changed_sort, open_sort
from chalicelib.wire import Deadline

SHOWN_MAX = 50
NEWEST_MAX = 40
CALLS_SHOWN_MAX = 60
OFFICES_ASKED_MAX = 4  # with more, the town's whole list is asked and sifted
FIRST_REQUESTS_MAX = 1
REST_REQUESTS_MAX = 5  # newest changes and their cases (two to four), chats
OWN_DESKS_REQUESTS_MAX = OFFICES_ASKED_MAX + 1  # those of the offices and one's own come before these
COMMIT_SECONDS_MAX = 2  # from the moment a change is dated to its being read
SECOND_FIGURES = 12  # of an index's key
CALL = "call"  # a list of its own: `calls`
LATE, TODAY, WAITING, NEW, OPEN = SHELVES = ("late", "today", "wait", "new", "open")


@dataclass(frozen=True, slots=True)
class Row:
    """One case as a list shows it; `left` is None where no deadline runs."""

    case: Case
    shelf: str
    left: Left | None


@dataclass(frozen=True, slots=True)
class Desk:
    """Rows by shelf, most urgent first, and where the next page begins ("" when this is all).

    `known`: what the town's newest change is compared with to tell whether there is anything that the list lacks.
    `cut`: shelves of which there is, or may be, more than the list has.
    """

    rows: tuple[Row, ...]
    cursor: str = ""
    known: str = ""
    cut: frozenset[str] = frozenset()

    def counts(self) -> tuple[int, ...]:
        """How many rows each of the SHELVES has."""
        return tuple(sum(row.shelf == shelf for row in self.rows) for shelf in SHELVES)


class Calendar:
    """One moment in a town, and the working time of its offices from then on: looked up once for many cases."""

    def __init__(self, town: Town, now: float) -> None:
        self.now = now
        self._zone = ZoneInfo(town.core["time_zone"])
        self._moment = dt.datetime.fromtimestamp(now, self._zone)
        self._closed = town.core["closed"]
        self._weeks = {office["id"]: office["hours"] for office in town.core["offices"]}
        tomorrow = self._moment.date() + dt.timedelta(days=1)
        self.end_of_day = dt.datetime.combine(tomorrow, dt.time(), self._zone).timestamp()

    def left(self, case: Case) -> Left | None:
        """The working time a case still has by the town's calendar and its office's hours."""
        if not case.due_at or not lifecycle.is_open(case):
            return None
        end = dt.datetime.fromtimestamp(case.due_at, self._zone)
        return deadlines.time_left(self._moment, end, self._closed, self._weeks.get(case.office))

    def shelf(self, case: Case, person: Staff) -> str:
        """On which shelf a case stands for this person."""
        if case.due_at and case.due_at < self.now:
            return LATE
        if case.due_at and case.due_at < self.end_of_day:
            return TODAY
        if case.kind == "chat" or (is_mine(case, person) and _citizen_spoke_last(case)):
            return WAITING
        return NEW if is_new(case) else OPEN

    def row(self, case: Case, person: Staff) -> Row:
        return Row(case, self.shelf(case, person), self.left(case))


def desk(town: Town, person: Staff, sees: Any, now: float, deadline: Deadline, cursor: str = "") -> Desk:
    """What `person` has to do, most urgent first; `sees(person, case)` says what is theirs to see. One request.

    With a cursor of its own the next page; if offices and the own desk are asked for it, a request each.
    """
    if cursor and _asks_desks(person):
        cases, more = _desks(town, person, cursor, deadline)
    else:
        page = CaseStore(town.slug).open_page(SHOWN_MAX, deadline, cursor)
        cases, more = list(page.cases), page.cursor or ""
    return _listed(town, person, sees, now, cases, more)


def rest(town: Town, person: Staff, sees: Any, now: float, deadline: Deadline, cursor: str, known: str) -> Desk:
    """What the first answer, shown up to `cursor` and knowing of changes up to `known`, left out.

    At most REST_REQUESTS_MAX requests, and OWN_DESKS_REQUESTS_MAX where offices are asked.
    """
    store = CaseStore(town.slug)
    cases, more = _desks(town, person, cursor, deadline) if _asks_desks(person) else ([], cursor)
    recent = Recent()
    if more:
        recent = store.recent(
            NEWEST_MAX, now, deadline, lambda case: is_new(case) and open_sort(case) > cursor and sees(person, case)
        )
        cases += [*recent.cases, *store.listed_apart("chat", NEWEST_MAX, deadline)]
    found = _listed(town, person, sees, now, [case for case in cases if open_sort(case) > cursor], more)
    settled = {WAITING} if recent.is_cut else {WAITING, NEW}
    return Desk(found.rows, more, _known_then(known, found, recent.changes), found.cut - settled)


def whole(town: Town, person: Staff, sees: Any, now: float, deadline: Deadline) -> Desk:
    """Both in one, for a browser that asks for nothing by itself."""
    first = desk(town, person, sees, now, deadline)
    if not first.cursor:
        return first
    apart = rest(town, person, sees, now, deadline, first.cursor, first.known)
    return Desk(_in_order([*first.rows, *apart.rows]), apart.cursor, first.known, apart.cut)


def calls(town: Town, person: Staff, sees: Any, now: float, deadline: Deadline, cursor: str = "") -> Desk:
    """Cases whose citizen somebody should call, because no notice reached them; open ones or closed. An entry goes
    with a `called` event."""
    found, calendar = call_list(town, now, CALLS_SHOWN_MAX, deadline, cursor), Calendar(town, now)
    rows = tuple(Row(case, CALL, calendar.left(case)) for case in found.cases if sees(person, case))
    return Desk(rows, found.cursor or "")


def has_news(town: Town, known: str, now: float, deadline: Deadline) -> bool:
    """Whether anything in the town changed that a list knowing of changes up to `known` lacks. One request."""
    return CaseStore(town.slug).newest_change(now, deadline) > known


def left(town: Town, case: Case, now: float) -> Left | None:
    """The working time one case still has; `Calendar` tells it of many."""
    return Calendar(town, now).left(case)


def is_new(case: Case) -> bool:
    """Whether nobody has taken it up yet."""
    return case.status == "received" and case.assignee is None


def is_mine(case: Case, person: Staff) -> bool:
    return case.assignee is not None and case.assignee[:2] == ("staff", person.id)


def of_kinds(rows: Iterable[Row], kinds: tuple[str, ...]) -> tuple[Row, ...]:
    """Those rows whose case is of one of `kinds`; all for no kinds."""
    return tuple(row for row in rows if not kinds or row.case.kind in kinds)


# --- parts ------------------------------------------------------------------------------------------------------


def _asks_desks(person: Staff) -> bool:
    """Whether a long list is read from this person's offices and own desk instead of the town's list."""
    return person.role in ("clerk", "head") and 0 < len(person.offices) <= OFFICES_ASKED_MAX


def _desks(town: Town, person: Staff, cursor: str, deadline: Deadline) -> tuple[list[Case], str]:
    """Open cases after `cursor` of somebody's offices and own desk, and where the next page of these begins."""
    store = CaseStore(town.slug)
    pages: list[Page] = [
        store.open_page(SHOWN_MAX, deadline, cursor, desk=name) for name in (*person.offices, person.by)
    ]
    return [case for page in pages for case in page.cases], min(
        (page.cursor for page in pages if page.cursor), default=""
    )


def _listed(town: Town, person: Staff, sees: Any, now: float, cases: Iterable[Case], more: str) -> Desk:
    calendar = Calendar(town, now)
    unique = {case.reference: case for case in cases if lifecycle.is_open(case) and sees(person, case)}
    rows = _in_order([calendar.row(case, person) for case in unique.values()])
    known = max((changed_sort(row.case) for row in rows), default="")
    return Desk(rows, more, max(known, _moment(now - COMMIT_SECONDS_MAX)), _cut(more, calendar))


def _in_order(rows: Sequence[Row]) -> tuple[Row, ...]:
    order = {name: at for at, name in enumerate(SHELVES)}
    return tuple(sorted(rows, key=lambda row: (order[row.shelf], row.case.due_at or 2**40, row.case.created_at)))


def _cut(more: str, calendar: Calendar) -> frozenset[str]:
    """Where a page ends within what is late or due today, more of that follows; what is new or waits lies apart."""
    if not more:
        return frozenset()
    ends = {LATE: calendar.now, TODAY: calendar.end_of_day}
    return frozenset({shelf for shelf, end in ends.items() if more < _moment(end)} | {WAITING, NEW})


def _known_then(known: str, found: Desk, changes: Sequence[str]) -> str:
    """What the whole list knows of: as much as the first answer did, and all changes since if it shows each of them."""
    since = [change for change in changes if change > known]
    shown = {changed_sort(row.case) for row in found.rows}
    return max([known, *since]) if shown.issuperset(since) else known


def _moment(at: float) -> str:
    """A moment as the keys of lists begin."""
    return f"{int(at):0{SECOND_FIGURES}d}"


def _citizen_spoke_last(case: Case) -> bool:
    return bool(case.history) and case.history[-1].by == lifecycle.CITIZEN
