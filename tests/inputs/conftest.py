"""A published town for all tests of one file, and the product's clock as it has it."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from typing import Any

import pytest

from chalicelib import wire
from chalicelib.actions import clock
from tests.conftest import fresh_slug
from tests.viber import FakeViber
from tests.world import World

PATIENT = {
    "channels.viber.send.SEND_SECONDS_MAX": 20.0,
    "storage.aws.CALL_SECONDS_MAX": 20.0,
    "actions.viber_callback.TURN_SECONDS": 40.0,
    "actions.web_chat.REQUEST_SECONDS": 40.0,
    "actions.case_api.REQUEST_SECONDS": 40.0,
    "console.door.PAGE_SECONDS": 40.0,
}


@pytest.fixture(scope="module")
def town(aws: Any) -> Iterator[World]:
    """One town for a file: every test brings people and cases of its own."""
    viber = FakeViber()
    made = World(fresh_slug(), viber)
    wire.taps.append(made.meter)
    with pytest.MonkeyPatch.context() as patch:
        for name, seconds in PATIENT.items():
            module, _, bound = name.rpartition(".")
            patch.setattr(import_module(f"chalicelib.{module}"), bound, seconds)
        patch.setattr(clock, "now", lambda: made.now)
        yield made
    wire.taps.remove(made.meter)
    made.leaves()
    viber.stop()


@pytest.fixture(autouse=True)
def metered(request: pytest.FixtureRequest) -> None:
    """Each test counts what it writes itself."""
    if "town" in request.fixturenames:
        request.getfixturevalue("town").meter.reset()
