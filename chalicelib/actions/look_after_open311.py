"""A town's Open311 in the hands of its admin: how other systems reach it, how those fare that its reports go to."""

from __future__ import annotations

from collections.abc import Sequence

from chalicelib.actions.revive_row import revive_row
from chalicelib.cases import open311
from chalicelib.model import Conflict, Refused, Town
from chalicelib.small_classes import dataclass
from chalicelib.storage import keys
from chalicelib.storage import open311 as away
from chalicelib.storage.open311 import Health, Report
from chalicelib.wire import Deadline

SECONDS_NEEDED = 1.5  # to have one more report sent again
WELL, FAILING, NEVER = "well", "failing", "never"


@dataclass(frozen=True, slots=True)
class System:
    """Another system that reports go to: what it is called, how it fares, what is there, what it did not take."""

    id: str
    title: str
    url: str
    health: Health
    there: int
    given_up: Sequence[Report]

    @property
    def state(self) -> str:
        if self.health.failing_since or self.given_up:
            return FAILING
        return WELL if self.there or self.health.heard_at else NEVER


def systems(town: Town, now: float, deadline: Deadline) -> list[System]:
    """Every one the town sends reports to; a town without any costs nothing."""
    return [_system(town, str(each["id"]), now, deadline) for each in open311.rules(town)["endpoints"]]


def again(town: Town, endpoint: str, by: str, now: float, deadline: Deadline) -> int:
    """Have what was given up sent again, as far as the time reaches: how many are. Raises Refused 404, Unavailable."""
    if open311.endpoint(town.core, endpoint) is None:
        raise Refused(404, "unknown_endpoint", "There is no such system.")
    done = 0
    for report in _system(town, endpoint, now, deadline).given_up:
        if deadline.left() < SECONDS_NEEDED:
            break
        try:
            revive_row(town.slug, keys.report_row(report.reference), by, now, deadline)
            done += 1
        except (Conflict, Refused):  # a colleague was faster, or its time is over
            continue
    return done


def _system(town: Town, identifier: str, now: float, deadline: Deadline) -> System:
    rules = open311.endpoint(town.core, identifier)
    assert rules is not None
    reports = away.open_reports(town.slug, identifier, now, deadline)
    return System(
        id=identifier,
        title=str(rules["title"]),
        url=str(rules["url"]),
        health=away.health(town.slug, identifier, deadline),
        there=sum(report.is_there for report in reports),
        given_up=[report for report in reports if report.state == away.FAILED],
    )
