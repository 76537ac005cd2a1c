"""A town that no other test's leftovers disturb."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.media.host import MediaHost
from tests.world import World


@pytest.fixture
def host(monkeypatch: pytest.MonkeyPatch) -> Iterator[MediaHost]:
    monkeypatch.setenv("VIBER_MEDIA_HOSTS", "127.0.0.1,localhost")
    running = MediaHost()
    yield running
    running.stop()


@pytest.fixture
def quiet(world: World, monkeypatch: pytest.MonkeyPatch) -> World:
    """The town alone: the sweeper finds nothing of anybody else, so that every call broken is one of the journey."""
    from chalicelib.storage import views  # its tables take their names from the environment that pytest sets first

    rows, lanes = views.due_rows, views.due_lanes
    ours = f"#{world.slug}#", f":{world.slug}#"
    monkeypatch.setattr(views, "due_rows", lambda now, limit: [pk for pk in rows(now, limit) if ours[0] in pk])
    monkeypatch.setattr(views, "due_lanes", lambda now, limit: [pk for pk in lanes(now, limit) if ours[1] in pk])
    return world
