"""What a turn costs, counted at the outside."""

import statistics
import time

import pytest

from chalicelib.actions import known, web_chat
from chalicelib.channels import Request
from chalicelib.model import Refused
from infra import bench_counts
from tests import scenes
from tests.meter import Meter
from tests.viber import callback, message
from tests.web import Visitor
from tests.world import World


def test_a_plain_turn_on_the_web_is_two_requests_one_read_and_two_write_units(world: World, meter: Meter) -> None:
    visitor = Visitor(world)
    visitor.says("zdravo")
    meter.reset()
    visitor.says("Kako da dobijem izvod iz matične knjige rođenih?")
    assert meter.operations == ["dynamodb.GetItem", "dynamodb.PutItem"]
    assert (meter.reads, meter.writes) <= (1, 2)


def test_a_plain_turn_on_viber_is_three_requests_one_read_and_six_write_units(world: World, meter: Meter) -> None:
    world.says("mira", "zdravo")
    meter.reset()
    world.says("mira", "izvod iz matične knjige rođenih")
    assert meter.operations == ["dynamodb.GetItem", "dynamodb.PutItem", "viber.send_message", "dynamodb.UpdateItem"]
    assert meter.reads <= 1
    assert meter.writes <= 6


@pytest.mark.shows("F6")
def test_a_duplicate_is_one_read_and_a_forged_callback_is_nothing(world: World, meter: Meter) -> None:
    event = message("mira", "zdravo")
    world.calls(event)
    meter.reset()
    world.calls(event)
    assert meter.operations == ["dynamodb.GetItem"]
    meter.reset()
    with pytest.raises(Refused) as refused:
        world.takes(callback("another-token", message("mira", "zdravo")))
    assert refused.value.status == 403
    assert meter.operations == []


def test_receipts_nobody_asked_for_cost_nothing(world: World, meter: Meter) -> None:
    for event in ("delivered", "seen", "failed"):
        world.calls({"event": event, "message_token": 1, "user_id": "mira"})
    assert meter.operations == []


def test_the_conversation_item_stays_small_over_fifty_turns(world: World, meter: Meter) -> None:
    asked = [
        "zdravo",
        "izvod iz matične knjige rođenih",
        "нема воде",
        "radno vreme",
        "meni",
        "hvala",
        "Wo ist das Amt?",
    ]
    for turn in range(50):
        world.now += 40  # slow enough not to be a flood
        world.says("mira", f"{asked[turn % len(asked)]} {turn}")
    assert len(meter.item_sizes) == 100
    assert statistics.median(meter.item_sizes) <= 1536
    assert sorted(meter.item_sizes)[int(0.95 * len(meter.item_sizes))] <= 3072


def test_every_act_costs_at_most_what_was_promised_and_what_is_written_down(world: World, meter: Meter) -> None:
    counted = scenes.counts(world, meter)
    assert not scenes.complaints(counted)
    assert not scenes.differences(counted, bench_counts.written()), "make bench writes it down anew"


def test_a_warm_process_reads_town_and_account_once_a_minute(
    world: World, meter: Meter, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.says("mira", "zdravo")
    plain = ["GetItem", "PutItem", "send_message", "UpdateItem"]
    for minute in (1, 2):
        later = time.monotonic() + minute * 60
        monkeypatch.setattr(known, "monotonic", lambda later=later: later)
        for operations in (["GetItem", "GetItem", *plain], plain, plain):
            meter.reset()
            world.now += 10
            world.says("mira", "radno vreme")
            assert [operation.partition(".")[2] for operation in meter.operations] == operations
            assert meter.reads == operations.count("GetItem")
            assert meter.requests["kms"] == 0


def test_opening_a_web_chat_writes_nothing(world: World, meter: Meter) -> None:
    web_chat.open_session(world.slug, Request(b"{}", {}, {}), world.now)
    assert "dynamodb.PutItem" not in meter.operations
