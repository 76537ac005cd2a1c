"""The product's clock as the test's town has it."""

import pytest

from chalicelib.actions import clock
from chalicelib.console import door
from tests.world import World


@pytest.fixture
def town(world: World, monkeypatch: pytest.MonkeyPatch) -> World:
    """A published town whose clock the pages go by; move it by `town.now`."""
    monkeypatch.setattr(clock, "now", lambda: world.now)
    monkeypatch.setattr(door, "PAGE_SECONDS", 40.0)
    return world
