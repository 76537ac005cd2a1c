"""The working-day clock against the published calendars."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

import pytest

from chalicelib.cases import deadlines, routing
from chalicelib.cases.deadlines import EndlessTerm, Term
from chalicelib.tenancy.compile import _closed_days

SARAJEVO, BELGRADE = ZoneInfo("Europe/Sarajevo"), ZoneInfo("Europe/Belgrade")
SPLIT = dict.fromkeys(("mon", "tue", "wed", "thu", "fri"), (("08:00", "12:00"), ("16:00", "18:00")))


@pytest.mark.parametrize(
    ("calendar", "start", "days", "end"),
    [
        ("RS", "2026-02-13", 1, "2026-02-18"),
        ("RS", "2026-04-08", 3, "2026-04-15"),
        ("RS", "2027-04-29", 1, "2027-05-05"),
        ("BA-FBIH", "2026-02-27", 1, "2026-03-03"),
        ("BA-FBIH", "2026-11-24", 1, "2026-11-26"),
        ("BA-SRP", "2026-01-13", 1, "2026-01-15"),
        ("BA-SRP", "2026-11-20", 2, "2026-11-24"),
        ("ME", "2026-11-12", 1, "2026-11-16"),
        ("ME", "2026-05-20", 8, "2026-06-03"),
        ("ME", "2027-11-12", 2, "2027-11-17"),
        ("XK", "2026-05-08", 1, "2026-05-12"),
        ("XK", "2026-04-03", 4, "2026-04-14"),
    ],
)
def test_working_days_are_counted_as_the_calendars_say(calendar: str, start: str, days: int, end: str) -> None:
    closed, first, last = _closed_days(calendar), dt.date.fromisoformat(start), dt.date.fromisoformat(end)
    assert deadlines.add_working_days(first, days, closed) == last
    assert deadlines.working_days_between(first, last, closed) == days
    assert deadlines.working_days_between(last, first, closed) == -days


@pytest.mark.parametrize(
    ("calendar", "year", "days"),
    [("RS", 2026, 252), ("RS", 2027, 253), ("BA-FBIH", 2026, 256), ("BA-FBIH", 2027, 257), ("BA-SRP", 2026, 255)]
    + [("BA-SRP", 2027, 254), ("ME", 2026, 253), ("ME", 2027, 255), ("XK", 2026, 249), ("XK", 2027, 249)],
)
def test_a_year_has_as_many_working_days_as_the_lists_make(calendar: str, year: int, days: int) -> None:
    last = dt.date(year - 1, 12, 31), dt.date(year, 12, 31)
    assert deadlines.working_days_between(*last, _closed_days(calendar)) == days


def test_forty_eight_hours_by_the_clock_and_as_two_working_days() -> None:
    closed, friday = _closed_days("BA-FBIH"), dt.datetime(2026, 2, 27, 10, tzinfo=SARAJEVO)
    assert deadlines.due(Term(48, "hours"), friday, closed) == dt.datetime(2026, 3, 1, 10, tzinfo=SARAJEVO)
    two_days = deadlines.due(Term(2), friday, closed, {"wed": (("07:30", "15:30"),)})
    assert two_days == dt.datetime(2026, 3, 4, 15, 30, tzinfo=SARAJEVO)


@pytest.mark.shows("F33")
def test_an_hour_is_an_hour_on_the_night_the_clocks_change() -> None:
    evening = dt.datetime(2026, 3, 28, 20, tzinfo=BELGRADE)
    end = deadlines.due(Term(10, "hours"), evening, {})
    assert end is not None
    assert end.isoformat() == "2026-03-29T07:00:00+02:00"


def test_working_hours_run_only_while_the_office_is_open() -> None:
    closed = {"2026-03-10": "new_year"}
    monday = dt.datetime(2026, 3, 9, 11, tzinfo=BELGRADE)
    for hours, end in ((1, (9, 12)), (2, (9, 17)), (3, (9, 18)), (4, (11, 9)), (9, (11, 18)), (10, (12, 9))):
        assert deadlines.due(Term(hours, "working_hours"), monday, closed, SPLIT) == dt.datetime(
            2026, 3, *end, tzinfo=BELGRADE
        )
    at_night = dt.datetime(2026, 3, 9, 23, tzinfo=BELGRADE)
    assert deadlines.due(Term(1, "working_hours"), at_night, closed, SPLIT) == dt.datetime(
        2026, 3, 11, 9, tzinfo=BELGRADE
    )


def test_a_term_from_validation_does_not_run_before_it() -> None:
    term, received = Term(2, starts="validation"), dt.datetime(2026, 3, 9, 11, tzinfo=BELGRADE)
    assert deadlines.due(term, received, {}) is None
    found_complete = dt.datetime(2026, 3, 12, 9, tzinfo=BELGRADE)
    end = deadlines.due(term, received, {}, validated=found_complete)
    assert end is not None
    assert end.date() == dt.date(2026, 3, 16)


def test_a_term_nothing_can_meet_is_an_error_and_not_an_endless_search() -> None:
    with pytest.raises(EndlessTerm):
        deadlines.due(Term(1, "working_hours"), dt.datetime(2026, 3, 9, tzinfo=BELGRADE), {}, {"mon": ()})


CORE = {
    "person": "contacts.biro",
    "time_zone": "Europe/Belgrade",
    "closed": _closed_days("RS"),
    "offices": [{"id": "biro", "hours": None}, {"id": "voda", "hours": {"wed": [["07:00", "14:00"]]}}],
    "routing": {
        "problem": {"water": {"office": "voda", "term": {"working_days": 3}}, "road_damage": {"office": "voda"}},
        "question": {"": {"term": {"hours": 48}}},
    },
}


def test_a_category_leads_to_its_office_and_term_and_the_rest_to_the_front_office() -> None:
    friday = dt.datetime(2026, 2, 13, 10, tzinfo=BELGRADE).timestamp()
    water = routing.route(CORE, "problem", "water")
    assert (water.office, water.term) == ("voda", Term(3))
    assert routing.due_at(CORE, water, friday) == dt.datetime(2026, 2, 20, 16, tzinfo=BELGRADE).timestamp()
    assert routing.route(CORE, "problem", "road_damage").term == routing.DEFAULT_TERM
    assert routing.route(CORE, "problem", "noise").office == "biro"
    assert routing.route(CORE, "question").term == Term(48, "hours")
    paper = routing.route(CORE, "administrative")
    assert (paper.office, routing.due_at(CORE, paper, friday)) == ("biro", 0)


def test_an_office_is_found_by_its_id_or_exact_title_in_any_language() -> None:
    texts = {"sr": {"contacts.voda": "JKP Voda"}, "en": {"contacts.voda": "Water company"}}
    for written in ("voda", "JKP Voda", " Water  company "):
        assert routing.office_of(CORE, texts, written) == "voda"
    for written in ("", "Voda", "JKP", "contacts.voda"):
        assert routing.office_of(CORE, texts, written) is None
