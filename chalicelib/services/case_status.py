"""Case status: own cases at once and without limit, one case in full, and nothing at all to strangers.

Choices: `<service>` (own cases), `<service>.<reference or file number>`. Somebody else's case and a case there is not
get the same answer at the same cost. Behind one account may be a whole household: lists show kind and date, no names.
"""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

from chalicelib.cases import lifecycle, notices
from chalicelib.dialogue.chat import choices
from chalicelib.dialogue.paging import CHOICES_SHOWN_MAX
from chalicelib.model import Case, Choice, Facts, Line, Need, Say, Town

OWN, ONE = "own_cases", "my_case"
NUMBER_CHARS_MAX = 60


def answer(town: Town, service: str, item: str, page: int, facts: Facts) -> tuple[Say, ...] | Need | None:
    """What to say to somebody who asks how their case stands."""
    if item == "":
        if OWN not in facts.found:
            return Need((OWN,))
        return (_list(town, service, facts.found[OWN], page),)
    if ONE not in facts.found:
        return Need((f"{ONE}:{item[:NUMBER_CHARS_MAX]}",))
    case = facts.found[ONE]
    return (_state(town, case) if case else _unknown(service, item),)


def _list(town: Town, service: str, cases: tuple[Case, ...], page: int) -> Say:
    if not cases:
        return Say(lines=(Line("no_cases"), Line("case_ask_number")), choices=choices("person", "menu"))
    if len(cases) == 1:
        return _state(town, cases[0])
    first = (max(1, page) - 1) * CHOICES_SHOWN_MAX
    shown = cases[first : first + CHOICES_SHOWN_MAX] or cases[:CHOICES_SHOWN_MAX]
    ways = [Choice(f"{service}.{case.reference}", _label(town, case)) for case in shown]
    if first + CHOICES_SHOWN_MAX < len(cases):
        ways.append(Choice(f"{service}~{page + 1}", Line("btn_more")))
    return Say(lines=(Line("my_cases"),), choices=(*ways, *choices("menu")))


def _label(town: Town, case: Case) -> Line:
    return Line("case_line", {"what": what(case), "date": date(town, case.created_at), "case_no": case.reference})


def what(case: Case) -> Line:
    """The kind of thing a case is about, without a name."""
    return Line(f"category.{case.category}") if case.kind == "problem" and case.category else Line("terms.case")


def date(town: Town, at: int) -> Line:
    """A day in the town's time, as the reader's language writes it."""
    local = dt.datetime.fromtimestamp(at, ZoneInfo(town.core["time_zone"]))
    return Line("days.date_format", {"d": local.day, "m": local.month, "y": local.year})


def _state(town: Town, case: Case) -> Say:
    last_move = next((entry.at for entry in reversed(case.history) if entry.status == case.status), case.updated_at)
    args: dict[str, str | int | Line] = {
        "case_no": notices.number_for_citizen(case),
        "status": notices.status_label(case.status),
        "date": date(town, last_move),
        "unit": notices.unit(town.core, case.office) if case.office else Line("ask_office"),
    }
    lines = [Line("status_current", args)]
    if case.official:
        lines.append(Line("status_officer", {"officer": case.official}))
    if case.awaiting_institution:
        lines.append(Line("status_awaiting_opinion", {"institution": case.awaiting_institution}))
    if case.due_at and lifecycle.is_open(case):
        lines.append(Line("case_due", {"date": date(town, case.due_at)}))
    lines.append(notices.next_step(case.status))
    return Say(lines=tuple(lines), choices=choices("person", "menu"))


def _unknown(service: str, typed: str) -> Say:
    return Say(
        lines=(Line("case_not_found", {"case_no": typed}), Line("case_bound")), choices=choices("person", "menu")
    )
