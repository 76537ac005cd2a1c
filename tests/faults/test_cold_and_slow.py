"""Cold processes before a slow store and a slow Viber: two thousand first turns, each in a process of its own."""

from __future__ import annotations

import json
import os
import random
import statistics
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from chalicelib import wire
from chalicelib.actions import breaker, heard, known, take_receipt
from chalicelib.actions.sweep import sweep
from chalicelib.channels import Request
from chalicelib.model import Unavailable
from chalicelib.storage import secrets, views
from chalicelib.wire import CallFailed, Reply
from tests.product import ROOT
from tests.shows import Measure
from tests.viber import FakeViber, callback, message
from tests.world import World

VIBERS_PATIENCE_SECONDS = 4.0
TURNS = 2000
AT_ONCE = 48  # each waits nearly all the time
# How long the store takes over a call, in seconds, by how many turns of a hundred meet such a one. What takes longer
# than a call may is cut off, half of it after it took effect.
STORE_SECONDS = ((50, 0.02, 0.2), (35, 0.2, 0.6), (15, 0.6, 2.0))
VIBER_SECONDS = (0.1, 4.0)
OWED_ROUNDS_MAX = 12


@dataclass(frozen=True)
class Slow:
    """The way out of a process whose neighbours take their time; time-outs are kept to as on a real wire."""

    chance: random.Random
    store: float
    viber: float

    def __call__(
        self, method: str, url: str, headers: dict[str, str], body: bytes, timeout: float, bytes_max: int
    ) -> Reply:
        takes = self.chance.uniform(0.5, 1.5) * (self.viber if "/pa/" in url else self.store)
        if takes < timeout:
            time.sleep(takes)
            return _exchange(method, url, headers, body, timeout - takes, bytes_max)
        time.sleep(max(0.0, timeout))
        if timeout > 0 and self.chance.random() < 0.5:
            _exchange(method, url, headers, body, 5.0, bytes_max)
        raise CallFailed("timed out", sent=timeout > 0)


_exchange = wire._exchange


def slow(number: int) -> Slow:
    chance = random.Random(number)
    (least, most), *_ = chance.choices([kind[1:] for kind in STORE_SECONDS], [kind[0] for kind in STORE_SECONDS])
    return Slow(chance, chance.uniform(least, most), chance.uniform(*VIBER_SECONDS))


def seconds_to_start() -> float:
    """What a fresh interpreter takes for the product's imports; the middle of a few."""
    taken = []
    for _ in range(5):
        began = time.monotonic()
        subprocess.run([sys.executable, "-c", "import app"], cwd=ROOT, check=True)
        taken.append(time.monotonic() - began)
    return statistics.median(taken)


class Turns:
    """First turns of fresh processes, many at a time; `told` has what each came to."""

    def __init__(self, world: World, starting: float) -> None:
        self.world, self.starting = world, starting
        self.told: dict[int, tuple[str, float]] = {}
        self._open: dict[int, tuple[int, int]] = {}

    def begin(self, number: int, request: Request) -> None:
        reads, writes = os.pipe()
        child = os.fork()
        if not child:
            self._answer(number, request, writes)
        os.close(writes)
        self._open[child] = (number, reads)
        while len(self._open) >= AT_ONCE:
            self._end_one()

    def end(self) -> None:
        while self._open:
            self._end_one()

    def _answer(self, number: int, request: Request, writes: int) -> None:
        outcome, neighbours, began, queued = "broke", slow(number), time.monotonic(), _queued()
        try:
            wire._exchange = neighbours
            time.sleep(self.starting)
            self.world.takes(request)
            outcome = "answered"
        except Unavailable:
            outcome = "refused"
        finally:
            seconds = time.monotonic() - began - (_queued() - queued)
            os.write(writes, json.dumps([outcome, seconds]).encode())
            os._exit(0)

    def _end_one(self) -> None:
        child, _ = os.wait()
        number, reads = self._open.pop(child)
        with os.fdopen(reads, "rb") as pipe:
            outcome, seconds = json.loads(pipe.read())
        self.told[number] = (outcome, seconds)


def _queued() -> float:
    """Seconds this process could have worked, but the others on this machine had its processors."""
    try:
        return int(Path("/proc/self/schedstat").read_text().split()[1]) / 1e9
    except OSError:
        return 0.0


def forget_everything() -> None:
    """What a process knows before it was ever asked."""
    for module in (known, secrets, heard, take_receipt):
        module.forget()
    breaker._states.clear()


@pytest.mark.alone
@pytest.mark.campaign
@pytest.mark.shows("F40", "F41", "F10", "R5", "R2")
def test_two_thousand_cold_starts_before_a_slow_store_and_a_slow_viber_stay_within_vibers_patience(
    aws: Any, town_slug: str, viber: FakeViber, measured: Measure, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = World(town_slug, viber)
    requests = [callback(world.token, message(f"person{number}", "zdravo")) for number in range(TURNS)]
    turns = Turns(world, seconds_to_start())
    forget_everything()
    for number, request in enumerate(requests):
        turns.begin(number, request)
    turns.end()
    taken = {number for number, (outcome, _) in turns.told.items() if outcome == "answered"}
    refused = {number for number, (outcome, _) in turns.told.items() if outcome == "refused"}
    assert len(taken) + len(refused) == TURNS
    for number in taken:
        assert _said_of(world, number) == ["citizen", "bot"], number
    assert len(taken) > TURNS // 10  # of a machine that does other work beside; else nothing would have been shown
    answers, refusals = (sorted(turns.told[number][1] for number in numbers) for numbers in (taken, refused))
    slowest = sorted([*answers, *refusals])[-1 - TURNS // 1000]
    assert slowest < VIBERS_PATIENCE_SECONDS
    world.now += 5
    for number in sorted(refused):
        world.takes(requests[number])  # Viber calls again, and the neighbours are as they should be
    _let_minutes_pass(world, monkeypatch)
    assert all(_said_of(world, number) == ["citizen", "bot"] for number in range(TURNS))
    times = Counter(body["receiver"] for body in viber.sent)
    assert set(times) == {f"person{number}" for number in range(TURNS)}
    assert set(times.values()) <= {1, 2}  # cut off after Viber took it: the one window there is
    measured(
        "F41",
        f"{TURNS:,} cold starts ({turns.starting:.1f} s), the store {_range(STORE_SECONDS)} s a call, Viber "
        f"{_range((VIBER_SECONDS,))} s: {len(taken):,} taken within {answers[-1]:.2f} s, {len(refused):,} refused "
        f"within {refusals[-1]:.2f} s and taken when called again, p99.9 of all {slowest:.2f} s; nothing lost, "
        f"{sum(many == 2 for many in times.values())} replies said twice",
    )


def _range(seconds: tuple[tuple[float, ...], ...]) -> str:
    return f"{seconds[0][-2]:g} to {seconds[-1][-1]:g}"


def _said_of(world: World, number: int) -> list[str]:
    conversation = world.conversation(f"person{number}")
    return [entry.origin for entry in conversation.log] if conversation else []


def _let_minutes_pass(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Until nobody of this town is owed anything."""
    lanes = views.due_lanes
    monkeypatch.setattr(views, "due_rows", lambda now, limit: [])
    monkeypatch.setattr(
        views, "due_lanes", lambda now, limit: [pk for pk in lanes(now, limit) if f":{world.slug}#" in pk]
    )
    for _ in range(OWED_ROUNDS_MAX):
        world.now += 61
        world.warm()
        if not sum(sweep(world.now).values()):
            return
    raise AssertionError("somebody is still owed something")
