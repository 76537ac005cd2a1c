"""Too many messages of one person: one polite line, then a refusal that costs one read; danger always gets through."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

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
    assert flood.room(full, 1000 + flood.wait_seconds() - 1) == flood.FULL
    assert flood.room(full, 1000 + flood.wait_seconds()) == flood.FITS
    danger = [*full, (bytes(8), 1001)]  # which is always heard
    assert flood.room(danger, 1000 + flood.wait_seconds()) == flood.FULL
    assert flood.room(full[-2:], 1000) == flood.FITS
    assert flood.room([], 0) == flood.FITS


def _counted(times: list[int], now: int) -> int:
    """What `room` answers, message by message."""
    left, before, resting = float(flood.BURST), 0, False
    for at in times:
        left = min(flood.BURST, left + (at - before) / flood.SECONDS_PER_MESSAGE)
        resting = (resting and left < flood.RESTED) or left < 2
        left, before = left - 1, at
    left = min(flood.BURST, left + (now - before) / flood.SECONDS_PER_MESSAGE)
    if left < 1 or (resting and left < flood.RESTED):
        return flood.FULL
    return flood.LAST if left < 2 else flood.FITS


@settings(max_examples=300)
@given(st.lists(st.integers(0, 4), max_size=64), st.integers(0, 60))
def test_a_glance_at_the_times_tells_what_counting_every_message_tells(pauses: list[int], since: int) -> None:
    times = list(itertools.accumulate(pauses, initial=1000))[1:]
    now = (times[-1] if times else 1000) + since
    assert flood.room([(bytes(8), at) for at in times], now) == _counted(times, now)


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
