"""A town's figures: counted from what really happened, the same however often they are counted."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

import pytest

from chalicelib.actions import collect_figures
from chalicelib.actions.change_case import change_case
from chalicelib.actions.introduce import introduce
from chalicelib.actions.open_case import open_case
from chalicelib.cases.lifecycle import Event
from chalicelib.model import Case
from chalicelib.wire import Deadline
from tests.integrations.system import System
from tests.world import World

DAY = 86400


@pytest.fixture
def noon(world: World) -> float:
    """The world at noon of a Tuesday, so that an hour more is the same day."""
    zone = ZoneInfo(world.town.core["time_zone"])
    world.now = dt.datetime(2026, 3, 10, 12, tzinfo=zone).timestamp()
    return world.now


def _collected(world: World) -> collect_figures.Figures:
    collect_figures.collect(world.slug, world.now, Deadline(20))
    day = dt.datetime.fromtimestamp(world.now, ZoneInfo(world.town.core["time_zone"])).date()
    return collect_figures.read(world.town, day - dt.timedelta(days=6), day, Deadline(20))


def _file(world: World) -> Case:
    def make(reference: str) -> Case:
        now = int(world.now)
        return Case(
            world.slug, reference, "problem", "received", "Rupa", now, now, category="road_damage", due_at=now + 5 * DAY
        )

    return open_case(world.town, make, Deadline(20))


def _change(world: World, case: Case, **event: str) -> None:
    change = Event(int(world.now), "staff:a", **event)
    change_case(world.town, case.reference, change, world.now, "t", Deadline(9))


def test_people_conversations_and_messages_are_counted_once(world: World, noon: float) -> None:
    for citizen in ("mira", "ana"):
        world.says(citizen, "dobar dan")
        world.says(citizen, "xqzw plokij")
    for _ in range(3):
        figures = _collected(world)
    assert (figures.people, figures.conversations) == (2, 2)
    assert figures.counts["in"] == 4
    assert figures.unanswered == 0.5


def test_who_talks_on_the_next_day_is_one_person_and_two_conversations(world: World, noon: float) -> None:
    world.says("mira", "dobar dan")
    _collected(world)
    world.now += DAY + 3600
    world.says("mira", "dobar dan")
    figures = _collected(world)
    assert (figures.people, figures.conversations) == (1, 2)
    assert [number for _, number in figures.by_day][-2:] == [1, 1]


def test_cases_count_on_the_days_they_came_and_went(world: World, noon: float) -> None:
    case = _file(world)
    _collected(world)
    world.now += 2 * 3600
    change_case(
        world.town, case.reference, Event(int(world.now), "staff:a", "in_progress"), world.now, "t", Deadline(9)
    )
    world.now += DAY
    change_case(world.town, case.reference, Event(int(world.now), "staff:a", "resolved"), world.now, "t", Deadline(9))
    figures = _collected(world)
    assert figures.cases == (("problem", "road_damage", 1, 1),)
    assert (figures.answer_median, figures.kept, figures.missed) == (120, 1, 0)


def test_a_reopened_case_no_longer_counts_as_closed(world: World, noon: float) -> None:
    case = _file(world)
    _change(world, case, status="resolved")
    assert _collected(world).by_kind["problem"]["closed"] == 1
    world.now += DAY
    _change(world, case, name="reopened")
    assert _collected(world).by_kind["problem"]["closed"] == 0


def test_a_towns_system_reads_the_figures_with_its_scope_alone(world: World) -> None:
    answer = System(world.slug, ["figures"]).get("figures")
    assert answer.status == 200
    assert set(answer.json) == {
        "from",
        "to",
        "people",
        "conversations",
        "messages",
        "cases",
        "first_answer_minutes",
        "deadlines",
        "unanswered",
        "ratings",
        "cost",
    }
    assert System(world.slug, ["cases:read"]).get("figures").code == "scope_missing"
    assert System(world.slug).get("figures", **{"from": "2026-03-10", "to": "2026-03-01"}).status == 422


def test_the_public_page_shows_last_month_as_far_as_the_town_publishes_it(world: World, noon: float) -> None:
    world.says("mira", "dobar dan")
    case = _file(world)
    _change(world, case, status="in_progress")
    _change(world, case, status="resolved")
    _collected(world)
    voice = {"language": "sr", "script": "cyrillic"}
    none = introduce(world.slug, voice, "http://localhost", noon)
    shown = introduce(world.slug, voice, "http://localhost", noon + 30 * DAY)
    assert (none.month, none.figures) == ("Како радимо: фебруар 2026.", ())
    assert shown.month == "Како радимо: март 2026."
    assert [(figure.label, figure.number) for figure in shown.figures] == [
        ("Завршено у року", "100 %"),
        ("Први одговор", "0 min"),
        ("Грађани који су се јавили", "1"),
        ("Завршене пријаве проблема", "1"),
    ]
    assert shown.scan == shown.viber == f"viber://pa?chatURI={world.slug}&context={world.town.core['number']}"
