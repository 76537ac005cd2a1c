"""Too many messages of one person: one polite line, then a refusal that costs one read; danger always gets through."""

from __future__ import annotations

import pytest

from chalicelib.dialogue import flood
from chalicelib.model import Refused
from tests.meter import Meter
from tests.web import Visitor
from tests.world import World


def test_a_bucket_fills_and_drains_with_time() -> None:
    ring = [(bytes(8), 1000)] * (flood.BURST - 2)
    assert flood.room(ring, 1000) == flood.FITS
    assert flood.room([*ring, (bytes(8), 1000)], 1000) == flood.LAST
    full = [*ring, (bytes(8), 1000), (bytes(8), 1000)]
    assert flood.room(full, 1000) == flood.FULL
    assert flood.room(full, 1000 + 3 * flood.SECONDS_PER_MESSAGE) == flood.FITS
    assert flood.room([], 0) == flood.FITS


@pytest.mark.shows("A1")
def test_a_flood_gets_one_polite_line_and_then_costs_one_read(world: World, meter: Meter) -> None:
    said = [world.says("mira", f"zdravo {number}") for number in range(flood.BURST)]
    assert "Sačekajte minut" in said[-1][0]
    assert sum("Sačekajte minut" in text for text in world.viber.texts("mira")) == 1
    meter.reset()
    assert world.says("mira", "zdravo još jednom") == []
    assert meter.operations == ["dynamodb.GetItem"]
    assert "193" in world.says("mira", "Upomoć, gori kuća!")[0]
    assert world.says("jovo", "zdravo") != []
    world.now += 120
    assert world.says("mira", "zdravo ponovo") != []


def test_on_the_web_it_is_refused_until_later(world: World) -> None:
    visitor = Visitor(world)
    for number in range(flood.BURST):
        visitor.says(f"zdravo {number}")
    with pytest.raises(Refused) as refused:
        visitor.says("još jedna")
    assert refused.value.status == 429


def test_a_repeat_of_what_was_answered_is_no_flood(world: World) -> None:
    visitor = Visitor(world)
    first = visitor.posts(id="prva", type="text", text="zdravo")
    for number in range(8):
        visitor.says(f"zdravo {number}")
    for _ in range(flood.BURST):
        assert visitor.posts(id="prva", type="text", text="zdravo") == first
