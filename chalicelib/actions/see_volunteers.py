"""Volunteers as their coordinator sees them: who wants to help, who does, and what there is to do."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from chalicelib.actions import decide_volunteer
from chalicelib.cases import helping, lifecycle, routing
from chalicelib.model import Case, Town, Volunteer
from chalicelib.services import volunteer as signing_up
from chalicelib.small_classes import dataclass
from chalicelib.storage import volunteers
from chalicelib.storage.cases import CaseStore
from chalicelib.wire import Deadline

TASKS_LOOKED_AT_MAX = 200
DONE_SHOWN_MAX = 30
ACTIVE, PAUSED, SUSPENDED = STATES = ("active", "paused", "suspended")


@dataclass(frozen=True, slots=True)
class Helper:
    """One volunteer. `state`: active, paused, suspended; `busy`: how many tasks they have now, `done` lately."""

    volunteer: Volunteer
    state: str
    busy: int
    done: int


@dataclass(frozen=True, slots=True)
class Board:
    """`waiting`: sign-ups; `tasks`: open requests for help; `past`: those that were closed last."""

    waiting: tuple[Case, ...]
    helpers: tuple[Helper, ...]
    tasks: tuple[Case, ...]
    past: tuple[Case, ...]


def board(town: Town, now: float, deadline: Deadline) -> Board:
    """Everything on one page; about seven requests."""
    store = CaseStore(town.slug)
    office = routing.route(town.core, helping.KIND).office
    tasks = store.open_page(TASKS_LOOKED_AT_MAX, deadline, desk=office).cases
    tasks = tuple(case for case in tasks if case.kind == helping.KIND)
    past = store.changed_page(DONE_SHOWN_MAX, deadline, wanted=_is_past, kind=helping.KIND).cases
    busy, done = _by_helper(tasks), _by_helper(past)
    everyone = [one for one in volunteers.everyone(town.slug, now, deadline) if one.state != "left"]
    helpers = [Helper(one, _state(one, now), busy[one.id], done[one.id]) for one in everyone]
    helpers.sort(key=lambda helper: (STATES.index(helper.state), helper.volunteer.areas, helper.volunteer.name))
    return Board(tuple(decide_volunteer.waiting(town.slug, deadline)), tuple(helpers), tasks, past)


def areas(town: Town) -> tuple[str, ...]:
    """The areas volunteers are called by; () where the town is one."""
    services: Mapping[str, Mapping[str, object]] = town.core["services"]
    entry = next((entry for entry in services.values() if entry["kind"] == signing_up.KIND), {})
    found = entry.get("areas") or ()
    return tuple(found) if isinstance(found, (list, tuple)) else ()


def _state(volunteer: Volunteer, now: float) -> str:
    if volunteer.state == SUSPENDED:
        return SUSPENDED
    return PAUSED if volunteer.paused_until > now else ACTIVE


def _by_helper(cases: tuple[Case, ...]) -> Counter[str]:
    return Counter(case.assignee[1] for case in cases if case.assignee and case.assignee[0] == "volunteer")


def _is_past(case: Case) -> bool:
    return not lifecycle.is_open(case)
