"""Neighbours that answer late, indexes that lag behind, clerks who work on one case at once."""

from __future__ import annotations

import threading
import time
from collections import Counter
from typing import Any
from urllib.parse import urlsplit

import pytest

from chalicelib import wire
from chalicelib.actions.change_case import Superseded, change_case
from chalicelib.actions.sweep import sweep
from chalicelib.cases.lifecycle import Event
from chalicelib.connections import Connection, Host, Pool
from chalicelib.model import Case
from chalicelib.storage import keys, views
from chalicelib.storage.cases import CaseStore
from chalicelib.wire import Call, Deadline, Reply
from tests.faults.journeys import report_with_photo
from tests.media.host import MediaHost
from tests.shows import Measure
from tests.viber import SILENT, FakeViber, message
from tests.world import World

VIBERS_PATIENCE_SECONDS = 4.0
RACES = 1000


@pytest.fixture
def impatient(aws: Any, town_slug: str, viber: FakeViber) -> World:
    """A town with the bounds it has on AWS."""
    return World(town_slug, viber)


@pytest.mark.campaign
@pytest.mark.shows("F10", "F17", "R5", "R3")
def test_while_viber_keeps_silent_its_callbacks_are_answered_in_time_and_the_reply_comes_later(
    impatient: World, measured: Measure
) -> None:
    slowest = 0.0
    for number in range(3):
        impatient.warm()
        impatient.viber.script = [SILENT]
        began = time.monotonic()
        assert impatient.calls(message(f"person{number}", "zdravo")) == {}
        slowest = max(slowest, time.monotonic() - began)
    assert slowest < VIBERS_PATIENCE_SECONDS
    impatient.now += 61
    impatient.warm()
    sweep(impatient.now)
    assert all(1 <= len(impatient.viber.texts(f"person{number}")) <= 2 for number in range(3))
    measured("F17", f"answered after {slowest:.1f} s at the latest")


@pytest.mark.shows("F10", "R3", "R5")
def test_while_viber_cannot_be_reached_its_callbacks_are_answered_and_the_reply_comes_later_once(
    quiet: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    opens = Pool.open
    viber = urlsplit(quiet.viber.url).port

    def unreachable(pool: Pool, host: Host, seconds: float) -> Connection:
        if host[2] == viber:
            raise TimeoutError("timed out")
        return opens(pool, host, seconds)

    with monkeypatch.context() as away:
        away.setattr(Pool, "open", unreachable)
        away.setattr(Pool, "take", lambda *_: None)
        assert quiet.calls(message("mira", "zdravo")) == {}
        assert quiet.viber.asked == []
    quiet.now += 61
    quiet.warm()
    sweep(quiet.now)
    assert len(quiet.viber.texts("mira")) == 1


class _Slow:
    """A neighbour that takes its time."""

    def __init__(self, seconds: float, service: str = "dynamodb") -> None:
        self.seconds, self.service = seconds, service

    def before(self, call: Call) -> None:
        if call.service == self.service:
            time.sleep(self.seconds)

    def after(self, call: Call, reply: Reply) -> None: ...


@pytest.mark.campaign
@pytest.mark.shows("F11", "R11")
def test_a_town_with_few_who_wait_is_served_though_another_has_more_than_there_is_time_for(
    world: World, town_slug: str, viber: FakeViber, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = World(f"{town_slug}-b", viber)
    viber.token = None
    viber.otherwise = 503
    for town, people in ((world, 30), (other, 3)):
        for number in range(people):
            world.warm()
            other.warm()
            town.calls(message(f"{town.slug}{number}", "meni"))
    viber.otherwise = None
    lanes = views.due_lanes
    ours = [f":{town.slug}#" for town in (world, other)]
    found = [pk for pk in lanes(world.now + 61, 2000) if any(one in pk for one in ours)]
    monkeypatch.setattr(views, "due_lanes", lambda now, limit: sorted(found, key=lambda pk: ours[1] in pk))
    monkeypatch.setattr(views, "due_rows", lambda now, limit: [])
    world.warm()
    slow = _Slow(0.1, "viber")
    wire.taps.append(slow)
    try:
        sweep(world.now + 61, seconds=16.5)  # a lane is begun only while there are ten seconds left of two thirds
    finally:
        wire.taps.remove(slow)
    served = Counter(body["receiver"].startswith(other.slug) for body in viber.sent)
    assert served[True] == 3
    assert served[False] < 30  # otherwise nothing would have been shown


@pytest.mark.shows("F44")
def test_an_index_that_lags_behind_says_nothing_twice(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The sweeper is told of a lane and of a photo's row that are long done."""
    world.says("mira", "zdravo")
    stale = keys.conversation(world.account.id, "mira")
    monkeypatch.setattr(views, "due_lanes", lambda now, limit: [stale, stale])
    monkeypatch.setattr(views, "due_rows", lambda now, limit: [keys.outbox(world.slug, "gone")])
    before = world.conversation("mira")
    sweep(world.now + 61)
    assert (len(world.viber.sent), world.conversation("mira")) == (1, before)


def _raced(world: World, case: Case) -> Counter[str]:
    outcomes: Counter[str] = Counter()

    def change(who: str) -> None:
        event = Event(int(world.now), f"staff:{who}", note=f"by {who}")
        try:
            change_case(world.town, case.reference, event, world.now, who, Deadline(40), only=case.v)
            outcomes["won"] += 1
        except Superseded:
            outcomes["told"] += 1

    threads = [threading.Thread(target=change, args=(who,)) for who in ("ana", "boro")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return outcomes


@pytest.mark.campaign
@pytest.mark.shows("F34", "R12")
def test_of_two_clerks_who_save_the_same_version_one_is_told_a_thousand_times(
    quiet: World, host: MediaHost, measured: Measure
) -> None:
    journey = report_with_photo(quiet, host)
    for step in journey.steps:
        step()
    store = CaseStore(quiet.slug)
    (case,) = store.own(keys.person(quiet.account.id, journey.citizens[0]), Deadline(5))
    for number in range(RACES):
        loaded = store.load(case.reference, Deadline(5))
        assert loaded is not None
        assert _raced(quiet, loaded) == {"won": 1, "told": 1}, number
    measured("R12", f"{RACES} races: one won, the other was told, each time")
