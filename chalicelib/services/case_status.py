"""Case status: own cases at once and without limit, one case in full, and nothing at all to strangers.

Choice: `<service>` (own cases). About one case, in every town: `case.<verb>.<reference>`; its owner may say that it is
settled or not, rate it, withdraw it, switch its notices. Somebody else's case and a case there is not get the same
answer at the same cost. Behind one account may be a whole household: lists show kind and date, no names.
"""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

from chalicelib.cases import lifecycle, notices
from chalicelib.dialogue.chat import choices
from chalicelib.dialogue.paging import CHOICES_SHOWN_MAX
from chalicelib.model import (
    CASE_CHOICE,
    AgreeToNotices,
    Case,
    ChangeCase,
    Choice,
    Effect,
    Facts,
    Line,
    Need,
    Say,
    Town,
    case_choice,
)
from chalicelib.small_classes import dataclass

OWN = "own_cases"
OPEN_TO_FOLLOWERS = ("agree", "refuse", "look")


def answer(town: Town, service: str, item: str, page: int, facts: Facts) -> tuple[Say, ...] | Need | None:
    """Own cases. Everything about one case is said by `state` and `pressed`, whatever its town offers in its menu."""
    if item:
        return None
    if OWN not in facts.found:
        return Need((OWN,))
    return (_list(town, service, facts.found[OWN], page, facts.now),)


def _list(town: Town, service: str, cases: tuple[Case, ...], page: int, now: float) -> Say:
    if not cases:
        return Say(lines=(Line("no_cases"), Line("case_ask_number")), choices=choices("person", "menu"))
    if len(cases) == 1:
        return state(town, cases[0], own=True, now=now)
    first = (max(1, page) - 1) * CHOICES_SHOWN_MAX
    shown = cases[first : first + CHOICES_SHOWN_MAX] or cases[:CHOICES_SHOWN_MAX]
    ways = [Choice(f"{CASE_CHOICE}look.{case.reference}", _label(town, case)) for case in shown]
    if first + CHOICES_SHOWN_MAX < len(cases):
        ways.append(Choice(f"{service}~{page + 1}", Line("btn_more")))
    return Say(lines=(Line("my_cases"),), choices=(*ways, *choices("menu")))


def _label(town: Town, case: Case) -> Line:
    return Line("case_line", {"what": what(case), "date": date(town, case.created_at), "case_no": case.reference})


def what(case: Case) -> Line:
    """The kind of thing a case is about, without a name."""
    if case.kind == "question":
        return Line("terms.question")
    named = {"problem": "category", "document": "document"}.get(case.kind) if case.category else None
    return Line(f"{named}.{case.category}") if named else Line("terms.case")


def date(town: Town, at: int) -> Line:
    """A day in the town's time, as the reader's language writes it."""
    local = dt.datetime.fromtimestamp(at, ZoneInfo(town.core["time_zone"]))
    return Line("days.date_format", {"d": local.day, "m": local.month, "y": local.year})


# --- one case ---------------------------------------------------------------------------------------------------


def state(town: Town, case: Case, *, own: bool, now: float) -> Say:
    """How a case stands; with what its owner can do about it."""
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
    ways = _ways(town, case, now) if own else ()
    return Say(lines=tuple(lines), choices=(*ways, *choices("person", "menu")), case=case.reference)


def _ways(town: Town, case: Case, now: float) -> tuple[Choice, ...]:
    if case.status == notices.RESOLVED and now <= lifecycle.reopen_until(case, _reopen_days(town)):
        return notices.settled_or_not(case.reference)
    if not lifecycle.is_open(case):
        return ()
    switch = ("refuse", "btn_notices_off") if case.consent else ("agree", "btn_notices_on")
    return case_choice("withdraw", case.reference, "btn_withdraw"), case_choice(switch[0], case.reference, switch[1])


@dataclass(frozen=True)
class Pressed:
    """What a button about a case says and causes."""

    say: Say
    effects: tuple[Effect, ...] = ()


def pressed(town: Town, verb: str, case: Case, *, own: bool, now: float) -> Pressed:
    """A button about one case, or the words for it; what it no longer can do is answered with how the case stands."""
    stands = Pressed(state(town, case, own=own, now=now))
    if not own and verb not in OPEN_TO_FOLLOWERS:
        return stands
    resolved, rating = case.status == notices.RESOLVED, verb.removeprefix("rate")
    match verb:
        case "agree" | "refuse":
            return _agreed(case, verb == "agree")
        case "withdraw" if lifecycle.is_open(case):
            return Pressed(_withdraw_question(case))
        case "withdrawn" if lifecycle.is_open(case):
            return _moved(case, lifecycle.WITHDRAWN, "case_withdrawn")
        case "fixed" if resolved:
            return Pressed(_rating_question(case))
        case "unfixed" if not lifecycle.is_open(case):
            return _unfixed(town, case, now)
    if resolved and rating.isdecimal() and 1 <= int(rating) <= lifecycle.RATING_MAX:
        thanks = Say((Line("thanks"),), choices=choices("menu"), case=case.reference)
        return Pressed(thanks, (ChangeCase(case.reference, lifecycle.RATED, rating),))
    return stands


def may_add(case: Case, files: int) -> bool:
    """Whether what its owner sends now can still join the case."""
    return lifecycle.is_open(case) and len(case.attachments) + files <= lifecycle.ATTACHMENTS_MAX


def _agreed(case: Case, given: bool) -> Pressed:
    number = notices.number_for_citizen(case)
    lines = (
        (Line("consent_given"), Line("notices_come_here")) if given else (Line("consent_refused", {"case_no": number}),)
    )
    say = Say(lines, choices=choices("menu"), case=case.reference)
    return Pressed(say, (AgreeToNotices(case.reference, given),))


def _withdraw_question(case: Case) -> Say:
    yes = case_choice("withdrawn", case.reference, "btn_yes")
    no = case_choice("look", case.reference, "btn_no")
    line = Line("case_withdraw_ask", {"case_no": notices.number_for_citizen(case)})
    return Say((line,), choices=(yes, no), ask="confirmation", case=case.reference)


def _rating_question(case: Case) -> Say:
    stars = tuple(
        Choice(f"{CASE_CHOICE}rate{number}.{case.reference}", Line("raw", {"text": f"{number} {'★' * number}"}))
        for number in range(1, lifecycle.RATING_MAX + 1)
    )
    lines = (Line("case_settled"), Line("rate_service"))
    return Say(lines, choices=(*stars, *choices("menu")), ask="rating", case=case.reference)


def _unfixed(town: Town, case: Case, now: float) -> Pressed:
    days = _reopen_days(town)
    if now <= lifecycle.reopen_until(case, days):
        return _moved(case, lifecycle.REOPENED, "case_reopened", notices.next_step("received"))
    late = Line("case_reopen_late", {"case_no": notices.number_for_citizen(case), "n": days})
    return Pressed(Say((late,), choices=choices(*reports(town), "person", "menu"), case=case.reference))


def _moved(case: Case, event: str, key: str, *after: Line) -> Pressed:
    line = Line(key, {"case_no": notices.number_for_citizen(case)})
    say = Say((line, *after), choices=choices("menu"), case=case.reference)
    return Pressed(say, (ChangeCase(case.reference, event),))


def reports(town: Town) -> tuple[str, ...]:
    """Where a new report begins in this town."""
    return tuple(name for name, entry in town.core["services"].items() if entry["kind"] == "report_problem")[:1]


def _reopen_days(town: Town) -> int:
    return int(town.core.get("reopen_days", lifecycle.REOPEN_DAYS))
