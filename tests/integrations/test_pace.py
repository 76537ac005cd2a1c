"""A key may ask only so fast; then it is told when to come back, and nobody else notices."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from chalicelib.actions import clock, pace
from chalicelib.storage.pace import Bucket
from tests.integrations.system import System
from tests.world import World

SMALL = Bucket(burst=6, per_second=0.5)


@pytest.fixture
def dms(world: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[System]:
    monkeypatch.setattr(clock, "now", lambda: world.now)
    monkeypatch.setattr("chalicelib.actions.case_api.REQUEST_SECONDS", 60.0)
    monkeypatch.setattr(pace, "BUCKET", SMALL)
    monkeypatch.setattr(pace, "HANDFUL", 4)
    pace.forget()
    yield System(world.slug)
    pace.forget()


def asked(dms: System, times: int) -> list[int]:
    return [dms.get("cases").status for _ in range(times)]


def test_beyond_the_burst_a_key_is_refused_and_told_when_to_come_back(dms: System, world: World) -> None:
    assert asked(dms, 6) == [200] * 6
    refused = dms.get("cases")
    assert (refused.status, refused.code) == (429, "too_many_requests")
    assert int(refused.headers["Retry-After"]) == 2
    world.now += 2
    assert asked(dms, 2) == [200, 429]


def test_another_key_of_the_same_town_is_not_slowed_down(dms: System, world: World) -> None:
    asked(dms, 7)
    assert asked(System(world.slug), 3) == [200] * 3


def test_the_bound_holds_over_all_processes_together(dms: System) -> None:
    taken = 0
    for _ in range(10):
        pace.forget()  # another process
        taken += asked(dms, 1).count(200)
    assert taken <= 2  # what the first ones took by the handful went with them


def test_most_requests_pay_nothing_for_it(dms: System, world: World) -> None:
    asked(dms, 1)
    world.meter.reset()
    asked(dms, 1)
    assert "dynamodb.PutItem" not in world.meter.operations


def test_nothing_is_stored_by_a_refused_request(dms: System) -> None:
    asked(dms, 6)
    body = {"subject": "Legalizacija", "applicant": {"name": "Mira"}}
    assert dms.post("cases", body).status == 429
