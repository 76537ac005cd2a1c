"""A month of invented life: every page of the staff has something to show."""

from __future__ import annotations

import pytest

from chalicelib.actions import clock
from chalicelib.console import door
from chalicelib.storage import volunteers
from infra import towns
from infra.local import demo
from infra.proofs import town_of
from tests.console.clerk import employed, seated, soon
from tests.world import World


def test_a_town_filled_with_invented_life_has_something_of_everything_it_offers_and_is_filled_once(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(demo, "STAGE", "test")
    monkeypatch.setattr(demo, "DAYS", 6)
    monkeypatch.setattr(clock, "now", lambda: world.now)
    monkeypatch.setattr(door, "PAGE_SECONDS", 40.0)
    offered = {service["kind"] for service in world.town.core["services"].values()}
    assert demo.fill([world.slug], world.now) > 0
    admin = seated(employed(world.slug, "admin"), world.now)
    assert "console/cases/" in admin.get("/console/inbox?whole=1").body
    if "volunteer" in offered:
        assert len(volunteers.everyone(world.slug, world.now, soon())) == demo.VOLUNTEERS - 1
    assert demo.fill([world.slug], world.now) == 0


@pytest.mark.parametrize("slug", towns.slugs())
def test_of_every_service_that_files_cases_some_may_be_invented(slug: str) -> None:
    town = town_of(towns.compiled(slug))
    offered = {service["kind"] for service in town.core["services"].values()}
    filing = {"report_problem": "problem", "document_request": "document", "question": "question"}
    wanted = {filing.get(kind, kind) for kind in offered & {*filing, "assistance"}} | {"administrative"}
    matters = demo._matters(town)
    assert set(matters) == wanted == {kind for kind, each in matters.items() if each}
    texts = town.texts[town.native_language]
    assert all(one.subject in texts for kind, each in matters.items() if kind != "administrative" for one in each)
