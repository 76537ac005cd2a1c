"""What lies on a member of staff's desk: one list of open cases, what must not wait first."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from chalicelib.actions.call_list import call_list
from chalicelib.cases import deadlines, lifecycle
from chalicelib.cases.deadlines import Left
from chalicelib.model import Case, Staff, Town
from chalicelib.storage.cases import CaseStore
from chalicelib.wire import Deadline

SHOWN_MAX = 60
NEWEST_MAX = 40
OFFICES_ASKED_MAX = 4  # with more, the town's whole list is asked and sifted
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
    """Rows by shelf, most urgent first, and where the next page begins ("" when this is all)."""

    rows: tuple[Row, ...]
    cursor: str = ""

    def shelf(self, name: str) -> tuple[Row, ...]:
        return tuple(row for row in self.rows if row.shelf == name)


def desk(town: Town, person: Staff, sees: Any, now: float, deadline: Deadline, cursor: str = "") -> Desk:
    """What `person` has to do; `sees(person, case)` says what is theirs to see. Two to five requests."""
    store = CaseStore(town.slug)
    cases, more = _open_cases(store, person, cursor, deadline)
    if more and not cursor:
        newest = store.changed_page(NEWEST_MAX, deadline, wanted=lambda case: is_new(case))
        cases = [*cases, *newest.cases, *store.listed_apart("chat", NEWEST_MAX, deadline)]
    unique = {case.reference: case for case in cases if lifecycle.is_open(case) and sees(person, case)}
    rows = [row(town, case, person, now) for case in unique.values()]
    order = {name: at for at, name in enumerate(SHELVES)}
    rows.sort(key=lambda row: (order[row.shelf], row.case.due_at or 2**40, row.case.created_at))
    return Desk(tuple(rows), more)


def calls(town: Town, person: Staff, sees: Any, now: float, deadline: Deadline, cursor: str = "") -> Desk:
    """Cases whose citizen somebody should call, because no notice reached them; open ones or closed. An entry goes
    with a `called` event."""
    found = call_list(town, now, SHOWN_MAX, deadline, cursor)
    rows = tuple(Row(case, CALL, left(town, case, now)) for case in found.cases if sees(person, case))
    return Desk(rows, found.cursor or "")


def _open_cases(store: CaseStore, person: Staff, cursor: str, deadline: Deadline) -> tuple[list[Case], str]:
    """The open cases of somebody's offices and own desk, or the town's; and the cursor of the town's next page."""
    if person.role in ("clerk", "head") and 0 < len(person.offices) <= OFFICES_ASKED_MAX:
        desks = (*person.offices, person.by)
        pages = [store.open_page(SHOWN_MAX, deadline, desk=name) for name in desks]
        return [case for page in pages for case in page.cases], ""
    page = store.open_page(SHOWN_MAX, deadline, cursor)
    return list(page.cases), page.cursor or ""


def row(town: Town, case: Case, person: Staff, now: float) -> Row:
    """A case with the shelf it stands on for this person."""
    return Row(case, _shelf(town, case, person, now), left(town, case, now))


def _shelf(town: Town, case: Case, person: Staff, now: float) -> str:
    if case.due_at and case.due_at < now:
        return LATE
    if case.due_at and case.due_at < _end_of_day(town, now):
        return TODAY
    if case.kind == "chat" or (_is_mine(case, person) and _citizen_spoke_last(case)):
        return WAITING
    return NEW if is_new(case) else OPEN


def is_new(case: Case) -> bool:
    """Whether nobody has taken it up yet."""
    return case.status == "received" and case.assignee is None


def _is_mine(case: Case, person: Staff) -> bool:
    return case.assignee is not None and case.assignee[:2] == ("staff", person.id)


def _citizen_spoke_last(case: Case) -> bool:
    return bool(case.history) and case.history[-1].by == lifecycle.CITIZEN


def left(town: Town, case: Case, now: float) -> Left | None:
    """The working time a case still has by the town's calendar and its office's hours."""
    if not case.due_at or not lifecycle.is_open(case):
        return None
    zone = ZoneInfo(town.core["time_zone"])
    moment, end = (dt.datetime.fromtimestamp(at, zone) for at in (now, case.due_at))
    week = next((office["hours"] for office in town.core["offices"] if office["id"] == case.office), None)
    return deadlines.time_left(moment, end, town.core["closed"], week)


def _end_of_day(town: Town, now: float) -> float:
    local = dt.datetime.fromtimestamp(now, ZoneInfo(town.core["time_zone"]))
    return dt.datetime.combine(local.date() + dt.timedelta(days=1), dt.time(), local.tzinfo).timestamp()


def newest_change(town: Town, now: float, deadline: Deadline) -> str:
    """A word that changes whenever a case of the town does: the newest entry of this month's change index. One read."""
    return CaseStore(town.slug).newest_change(now, deadline)


def of_kinds(rows: Iterable[Row], kinds: tuple[str, ...]) -> tuple[Row, ...]:
    """Those rows whose case is of one of `kinds`; all for no kinds."""
    return tuple(row for row in rows if not kinds or row.case.kind in kinds)
