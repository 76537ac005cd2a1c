"""Fixtures for tests that let people talk to a published town in this process, on the embedded AWS."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from typing import Any

import pytest

from chalicelib import wire
from tests.meter import Meter
from tests.viber import FakeViber
from tests.world import World


@pytest.fixture
def viber() -> Iterator[FakeViber]:
    fake = FakeViber()
    yield fake
    fake.stop()


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Time-outs wide enough for a machine that does other work: an answer that comes late would be a doubtful send,
    which is rightly repeated and not what most tests are about. Nor is how much Viber takes in ten seconds, which are
    over in no test whose clock stands still."""
    from chalicelib.storage.pace import Bucket  # storage reads the environment that pytest sets first

    for module, bound, seconds in (
        ("channels.viber.send", "SEND_SECONDS_MAX", 20.0),
        ("storage.aws", "CALL_SECONDS_MAX", 20.0),
        ("actions.viber_callback", "TURN_SECONDS", 40.0),
        ("actions.sweep", "LANE_SECONDS", 40.0),
        ("actions.account_pace", "QUIET_CALLS", 1_000_000),
        ("actions.account_pace", "BUCKET", Bucket(1_000_000, 1_000_000.0)),
    ):
        monkeypatch.setattr(import_module(f"chalicelib.{module}"), bound, seconds)


@pytest.fixture
def world(aws: Any, patient: None, town_slug: str, viber: FakeViber) -> Iterator[World]:
    """A published town; everything its people cause from here on is metered."""
    made = World(town_slug, viber)
    wire.taps.append(made.meter)
    yield made
    wire.taps.remove(made.meter)
    made.leaves()


@pytest.fixture
def meter(world: World) -> Meter:
    return world.meter


@pytest.fixture
def quiet(world: World, monkeypatch: pytest.MonkeyPatch) -> World:
    """The town alone: the sweeper finds nothing of anybody else, so that every call broken is one of the journey."""
    from chalicelib.storage import views  # its tables take their names from the environment that pytest sets first

    rows, lanes = views.due_rows, views.due_lanes
    ours = f"#{world.slug}#", f":{world.slug}#"
    monkeypatch.setattr(views, "due_rows", lambda now, limit: [pk for pk in rows(now, limit) if ours[0] in pk])
    monkeypatch.setattr(views, "due_lanes", lambda now, limit: [pk for pk in lanes(now, limit) if ours[1] in pk])
    return world
