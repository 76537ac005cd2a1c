"""A town that no other test's leftovers disturb."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.media.host import MediaHost


@pytest.fixture
def host(monkeypatch: pytest.MonkeyPatch) -> Iterator[MediaHost]:
    monkeypatch.setenv("VIBER_MEDIA_HOSTS", "127.0.0.1,localhost")
    running = MediaHost()
    yield running
    running.stop()
