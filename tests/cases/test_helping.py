"""Help by volunteers: who may be asked, what a card may say, how long somebody has."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from chalicelib.cases import helping
from chalicelib.model import Case, Follower, MoveHelp, Place, Volunteer

ZONE = ZoneInfo("Europe/Belgrade")
MONDAY_NOON = dt.datetime(2026, 11, 23, 12, tzinfo=ZONE).timestamp()
MIRA, ANA = Follower("web:primer", "mira"), Volunteer("PR-1", "Ana", Follower("viber:primer", "ana"))


def _case(**fields: Any) -> Case:
    filed = Case(
        "primer",
        "PR-7KM4-2A9",
        "assistance",
        "received",
        "Hrana",
        int(MONDAY_NOON),
        int(MONDAY_NOON),
        category="food",
        fields={"what": "2 vekne", "until": "asap", "area": "centre"} | fields,
        applicant={"name": "Mira Anić", "phone": "+381631234567"},
        place=Place("Kralja Petra 12, stan 5"),
        owner=MIRA,
    )
    return helping.begun(filed).case


def _changed(volunteer: Volunteer, **fields: Any) -> Volunteer:
    return replace(volunteer, **fields)


@pytest.mark.parametrize(
    ("fields", "free"),
    [
        ({}, True),
        ({"areas": ("centre", "upper")}, True),
        ({"areas": ("upper",)}, False),
        ({"skills": ("medicine",)}, False),
        ({"days": ("mon",)}, True),
        ({"days": ("tue",)}, False),
        ({"state": "suspended"}, False),
        ({"paused_until": int(MONDAY_NOON) + 60}, False),
        ({"paused_until": int(MONDAY_NOON) - 60}, True),
        ({"at": MIRA}, False),
    ],
)
def test_whoever_is_free_that_day_there_and_for_that_is_asked(fields: dict[str, Any], free: bool) -> None:
    assert helping.is_free(_changed(ANA, **fields), _case(), MONDAY_NOON, ZONE) is free


def test_until_later_in_the_week_the_days_in_between_count() -> None:
    wednesday_person = _changed(ANA, days=("wed",))
    assert helping.is_free(wednesday_person, _case(until="2026-11-26"), MONDAY_NOON, ZONE)
    assert not helping.is_free(wednesday_person, _case(until="2026-11-24"), MONDAY_NOON, ZONE)


@pytest.mark.parametrize(
    ("what", "shown"),
    [
        ("Aspirin 2 kutije, mleko 1 l", "Aspirin 2 kutije, mleko 1 l"),
        ("hleb, zvati 063 123 4567", "hleb, zvati"),
        ("hleb za Miru Anić", "hleb za"),
        ("hleb u ulicu Kralja Petra 12", "hleb u"),
        ("hleb, stan 5", "hleb,"),
        ("хлеб, Краља Петра", "хлеб,"),
        ("063 123 4567", "…"),
    ],
)
def test_what_slipped_into_the_list_does_not_stand_on_the_card(what: str, shown: str) -> None:
    assert helping.discreet(_case(what=what), "RS") == shown


@pytest.mark.parametrize(
    ("until", "hour", "ends"),
    [
        ("asap", 12, "2026-11-23 16:00"),
        ("2026-11-23", 12, "2026-11-23 20:00"),
        ("2026-11-23", 19, "2026-11-23 21:00"),
        ("2026-11-25", 12, "2026-11-25 20:00"),
    ],
)
def test_whoever_takes_it_has_until_the_evening_of_the_day_or_some_hours(until: str, hour: int, ends: str) -> None:
    now = dt.datetime(2026, 11, 23, hour, tzinfo=ZONE).timestamp()
    ended = dt.datetime.fromtimestamp(helping.time_up(_case(until=until), now, ZONE), ZONE)
    assert f"{ended:%Y-%m-%d %H:%M}" == ends


def test_only_the_person_helped_confirms_and_only_what_was_said_to_be_done() -> None:
    case = helping.cards(_case(), [ANA], 1, 0, MONDAY_NOON, "RS").case
    taken = helping.act(case, MoveHelp(case.reference, "take", ANA), ANA.at, MONDAY_NOON, ZONE)
    assert taken is not None
    yes = MoveHelp(case.reference, "yes")
    assert helping.act(taken.case, yes, MIRA, MONDAY_NOON, ZONE) is None
    done = helping.act(taken.case, MoveHelp(case.reference, "done", ANA), ANA.at, MONDAY_NOON, ZONE)
    assert done is not None
    assert helping.act(done.case, yes, ANA.at, MONDAY_NOON, ZONE) is None
    confirmed = helping.act(done.case, yes, MIRA, MONDAY_NOON, ZONE)
    assert confirmed is not None and confirmed.case.status == "resolved"


def test_a_conversation_remembers_a_request_in_one_place_and_only_so_many() -> None:
    state: dict[str, Any] = {}
    for number in range(8):
        state = helping.noted(state, f"R{number}", helping.CARD)
    state = helping.noted(state, "R7", helping.TASK)
    assert state[helping.STATE] == {"card": ["R3", "R4", "R5", "R6"], "task": ["R7"]}
    assert helping.noted(state, "R7", "")[helping.STATE]["task"] == []
