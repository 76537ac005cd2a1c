"""Sealing: what is sealed for one place opens there and nowhere else, and KMS is asked once a process and town."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from chalicelib import wire
from chalicelib.storage import sealing
from chalicelib.storage.aws import AwsError
from chalicelib.wire import Deadline
from tests.meter import Meter

CLEAR = "1506985665057"
ITEM = "T#x#K#PR-7KM4-2A9"
SOON = Deadline(1e6)


@pytest.fixture
def meter(aws: Any) -> Iterator[Meter]:
    counting = Meter()
    sealing.forget()
    wire.taps.append(counting)
    yield counting
    wire.taps.remove(counting)


@pytest.mark.shows("D6")
def test_a_sealed_value_opens_where_it_was_sealed_for_and_never_looks_the_same(meter: Meter, town_slug: str) -> None:
    first, second = (sealing.seal(town_slug, ITEM, "number", CLEAR, SOON) for _ in range(2))
    assert CLEAR not in first
    assert first != second
    assert sealing.unseal(town_slug, ITEM, "number", first, SOON) == CLEAR


@pytest.mark.shows("D6")
@pytest.mark.parametrize("moved", ["item", "name", "town", "changed", "cut", "plain"])
def test_a_value_moved_to_another_place_or_changed_does_not_open(meter: Meter, town_slug: str, moved: str) -> None:
    sealed = sealing.seal(town_slug, ITEM, "number", CLEAR, SOON)
    place = {"town": town_slug, "item": ITEM, "name": "number", "sealed": sealed, "deadline": SOON}
    place |= {
        "item": {"item": "T#x#K#PR-7KM4-2AA"},
        "name": {"name": "other"},
        "town": {"town": f"{town_slug}-b"},
        "changed": {"sealed": sealed[:-6] + ("A" if sealed[-6] != "A" else "B") + sealed[-5:]},
        "cut": {"sealed": sealed[:12]},
        "plain": {"sealed": CLEAR},
    }[moved]
    with pytest.raises(sealing.NotOpened):
        sealing.unseal(**place)


def test_a_value_taken_over_opens_at_its_new_place(meter: Meter, town_slug: str) -> None:
    sealed = sealing.seal(town_slug, "A#viber:x#U#mira", "number", CLEAR, SOON)
    taken = sealing.moved(town_slug, "A#viber:x#U#mira", "number", sealed, ITEM, "number", SOON)
    assert sealing.unseal(town_slug, ITEM, "number", taken, SOON) == CLEAR


@pytest.mark.shows("D7")
def test_kms_is_asked_once_a_process_and_town(meter: Meter, town_slug: str) -> None:
    for _ in range(3):
        sealed = sealing.seal(town_slug, ITEM, "number", CLEAR, SOON)
    assert [each for each in meter.operations if each.startswith("kms")] == ["kms.GenerateDataKey"]
    sealing.forget()  # as another process
    meter.reset()
    for _ in range(3):
        assert sealing.unseal(town_slug, ITEM, "number", sealed, SOON) == CLEAR
    assert meter.operations == ["dynamodb.GetItem", "kms.Decrypt"]


def test_of_two_keys_made_at_once_the_first_to_be_written_counts(meter: Meter, town_slug: str) -> None:
    first = sealing._made(town_slug, SOON)
    assert sealing._made(town_slug, SOON) == first


@pytest.mark.shows("D7")
def test_a_towns_key_is_unwrapped_for_that_town_only(meter: Meter, town_slug: str) -> None:
    from chalicelib.storage import dynamo, keys

    sealing.seal(town_slug, ITEM, "number", CLEAR, SOON)
    stolen = dynamo.get(sealing.TABLE, keys.town(town_slug), keys.DATA_KEY, SOON)
    assert stolen is not None
    dynamo.put(sealing.TABLE, stolen | {"pk": keys.town(f"{town_slug}-b")}, SOON)
    with pytest.raises(AwsError):
        sealing.seal(f"{town_slug}-b", ITEM, "number", CLEAR, SOON)


@pytest.mark.shows("D6")
def test_a_value_does_not_open_for_another_town_even_if_the_key_is_the_same(meter: Meter, town_slug: str) -> None:
    sealed = sealing.seal(town_slug, ITEM, "number", CLEAR, SOON)
    sealing._keys[f"{town_slug}-b"] = sealing._keys[town_slug]
    with pytest.raises(sealing.NotOpened):
        sealing.unseal(f"{town_slug}-b", ITEM, "number", sealed, SOON)
