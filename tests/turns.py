"""Fixtures for tests that let people talk to a published town in this process, on the embedded AWS."""

from __future__ import annotations

from collections.abc import Iterator
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
def world(aws: Any, town_slug: str, viber: FakeViber) -> World:
    return World(town_slug, viber)


@pytest.fixture
def meter(world: World) -> Iterator[Meter]:
    """Counts from here on; what making the town cost is not in it."""
    tap = Meter()
    wire.taps.append(tap)
    yield tap
    wire.taps.remove(tap)
