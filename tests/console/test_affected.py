"""After a breach: whose cases somebody got at, within a minute, off the audit trail."""

from __future__ import annotations

import datetime as dt
import time

import pytest

from infra import cli
from tests.console.clerk import employed, filed, seated
from tests.shows import Measure
from tests.world import World


def _asks(capsys: pytest.CaptureFixture[str], slug: str, by: str, first: float, last: float) -> list[str]:
    times = [dt.datetime.fromtimestamp(at, dt.UTC).isoformat() for at in (first, last)]
    assert cli.main(["town", "affected", slug, "--by", by, "--from", times[0], "--to", times[1]]) == 0
    return capsys.readouterr().out.splitlines()


@pytest.mark.shows("D12")
def test_whose_cases_a_member_of_staff_opened_in_an_hour_is_listed(
    town: World, capsys: pytest.CaptureFixture[str], measured: Measure
) -> None:
    began, person = town.now, employed(town.slug, "clerk")
    early, seen, other = (filed(town.slug, town.now) for _ in range(3))
    clerk = seated(person, town.now)
    assert clerk.get(f"/console/cases/{early.reference}").status == 200
    town.now += 1200
    assert clerk.get(f"/console/cases/{seen.reference}").status == 200
    assert seated(employed(town.slug, "clerk"), town.now).get(f"/console/cases/{other.reference}").status == 200
    at = time.monotonic()
    assert _asks(capsys, town.slug, person.by, began + 600, town.now + 60) == [
        f"{seen.reference}: case_opened",
        "1 cases",
    ]
    measured("D12", f"{time.monotonic() - at:.1f} s")
    assert len(_asks(capsys, town.slug, person.by, began, town.now)) == 3


@pytest.mark.shows("D12")
def test_of_a_key_every_case_there_was_counts(town: World, capsys: pytest.CaptureFixture[str]) -> None:
    before = filed(town.slug, town.now)
    told = _asks(capsys, town.slug, "api:dms", town.now, town.now + 3600)
    assert told == [f"{before.reference}: readable by the key", "1 cases"]


@pytest.mark.parametrize("times", [("yesterday", "today"), ("2026-03-10T10:00", "2026-03-10T11:00")])
def test_times_that_say_too_little_are_refused_in_words(
    town: World, times: tuple[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["town", "affected", town.slug, "--by", "staff:x", "--from", times[0], "--to", times[1]]) == 1
    assert "time" in capsys.readouterr().err
