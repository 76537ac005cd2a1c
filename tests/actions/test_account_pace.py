"""What an account's calls to Viber add up to, whichever process makes them."""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from chalicelib.actions import account_pace, send_page
from chalicelib.actions.account_pace import (
    BUCKET,
    CALLS_MAX,
    FOR_REPLIES,
    HANDFUL,
    HANDFUL_SECONDS,
    LATE,
    PAGE,
    PROCESSES,
    QUIET_CALLS,
    WINDOW_SECONDS,
    wait,
)
from chalicelib.actions.sweep import sweep
from chalicelib.cases import announcements as rules
from chalicelib.wire import Call, CallFailed, Deadline, Reply
from tests.actions.test_announcements import NEWS, approved, reached, some, subscribe, told
from tests.meter import Meter
from tests.shows import Measure
from tests.taps import tapped
from tests.viber import Window, message
from tests.world import NOON, World

SOON = Deadline(1e6)
ACCOUNT = "viber:anybody"


class Processes:
    """So many functions of one account, each with a memory of its own."""

    def __init__(self) -> None:
        self._memories: dict[str, dict[str, account_pace._Held]] = {}

    @contextmanager
    def at(self, name: str) -> Iterator[None]:
        account_pace._held = self._memories.setdefault(name, {})
        yield


@pytest.fixture(autouse=True)
def paced(patient: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """As on AWS."""
    monkeypatch.setattr(account_pace, "QUIET_CALLS", QUIET_CALLS)
    monkeypatch.setattr(account_pace, "BUCKET", BUCKET)


@pytest.fixture
def processes(world: World, monkeypatch: pytest.MonkeyPatch) -> Processes:
    monkeypatch.setattr(account_pace, "_held", {})
    return Processes()


def test_what_is_drawn_and_what_is_not_counted_stay_below_what_viber_takes() -> None:
    drawn = BUCKET.burst + BUCKET.per_second * (WINDOW_SECONDS + HANDFUL_SECONDS)
    assert drawn + PROCESSES * QUIET_CALLS <= CALLS_MAX
    assert BUCKET.burst > FOR_REPLIES


def test_a_quiet_account_costs_nothing_and_a_busy_one_two_requests_a_handful(world: World, meter: Meter) -> None:
    meter.reset()
    for turn in range(20):
        assert wait(world.account.id, NOON + turn * WINDOW_SECONDS / QUIET_CALLS, SOON) == 0
    assert meter.operations == []
    now = NOON + 1000
    for _ in range(QUIET_CALLS + 4 * HANDFUL):
        assert wait(world.account.id, now, SOON) == 0
    assert meter.operations == ["dynamodb.GetItem", "dynamodb.PutItem"] * 4


def test_whoever_comes_when_there_is_nothing_left_gets_a_place_further_on_and_pages_none(processes: Processes) -> None:
    for number in range(BUCKET.burst // HANDFUL):
        with processes.at(f"{number}"):
            assert [wait(ACCOUNT, NOON, SOON, kind=LATE) for _ in range(HANDFUL)] == [0] * HANDFUL
    with processes.at("one more"):
        assert [wait(ACCOUNT, NOON, SOON, kind=LATE) for _ in range(HANDFUL + 1)] == [0.25] * HANDFUL + [0.5]
    with processes.at("a page's"):
        seconds = wait(ACCOUNT, NOON, SOON, kind=PAGE)
        assert seconds == (FOR_REPLIES + 1 + 2 * HANDFUL) / BUCKET.per_second
        assert wait(ACCOUNT, NOON + seconds + 0.01, SOON, kind=PAGE) == 0
    with processes.at("another"):
        assert wait(ACCOUNT, NOON + 1000, SOON, kind=LATE) == 0


class _Silent:
    """A tap: nobody answers."""

    def before(self, call: Call) -> None:
        raise CallFailed("silent", sent=False)

    def after(self, call: Call, reply: Reply) -> None:
        return


def test_a_store_that_is_silent_holds_nobody_up(world: World) -> None:
    with tapped(_Silent()):
        assert [wait(ACCOUNT, NOON, Deadline(0.2), kind=LATE) for _ in range(3)] == [0, 0, 0]


def test_whoever_is_in_danger_is_answered_before_everybody_who_waits(quiet: World, processes: Processes) -> None:
    with processes.at("a crowd's"):
        while not wait(quiet.account.id, quiet.now, SOON):
            pass
    assert quiet.says("mira", "meni") == []
    assert "193" in quiet.says("ana", "Upomoć, gori kuća!")[0]
    quiet.now += 10
    sweep(quiet.now)
    assert len(quiet.viber.texts("mira")) == 1


@pytest.mark.shows("F28")
def test_a_crowd_served_by_many_processes_beside_an_announcement_is_answered_within_vibers_bound_and_in_turn(
    quiet: World, processes: Processes, measured: Measure, monkeypatch: pytest.MonkeyPatch
) -> None:
    quiet.offers(NEWS)
    monkeypatch.setattr(send_page, "PAGES_PER_SECOND", 1e6)
    monkeypatch.setattr(send_page, "PACE_SECONDS_MAX", 0.0)  # a page that has to wait comes again
    people, guests = some(1200), [f"guest{number}" for number in range(600)]
    subscribe(quiet, people)
    window = quiet.viber.window = Window(CALLS_MAX, WINDOW_SECONDS, clock=lambda: quiet.now)
    identifier = approved(quiet)
    for number, guest in enumerate(guests):
        with processes.at(f"turns {number % PROCESSES}"):
            quiet.calls(message(guest, "meni"))
        quiet.now += 0.005
    waiting = len(guests) - len(quiet.viber.texts())
    while told(quiet, identifier).state != rules.DONE or len(quiet.viber.texts()) < len(guests):
        assert quiet.now < NOON + 600
        quiet.now += 1
        with processes.at("sweeper"):
            sweep(quiet.now)
    assert (window.refused, window.busiest <= CALLS_MAX) == (0, True)
    assert waiting > 0, "otherwise nothing would have been shown"
    assert Counter(body["receiver"] for body in quiet.viber.sent) == Counter(guests)
    assert reached(quiet) == Counter(people)
    measured(
        "F28",
        f"{len(guests)} people in 3 s and an announcement, {PROCESSES} processes: at most {window.busiest} calls in "
        f"{WINDOW_SECONDS:.0f} s, 0 refused, 0 lost, 0 doubled; {waiting} waited for their turn, "
        f"all done after {quiet.now - NOON:.0f} s",
    )


@pytest.mark.campaign
@pytest.mark.shows("F28")
def test_what_six_processes_say_at_once_as_fast_as_they_can_stays_within_vibers_bound(
    quiet: World, measured: Measure
) -> None:
    began, many, each = time.monotonic(), 6, 150
    window = quiet.viber.window = Window(CALLS_MAX, WINDOW_SECONDS)
    children = [_forked(quiet, [f"guest{process}.{number}" for number in range(each)]) for process in range(many)]
    while children:
        ended, _ = os.waitpid(-1, os.WNOHANG)
        children = [child for child in children if child != ended]
        time.sleep(0.05)
    waiting = many * each - len(quiet.viber.texts())
    while len(quiet.viber.texts()) < many * each:
        assert time.monotonic() < began + 300
        time.sleep(0.5)
        sweep(NOON + time.monotonic() - began)
    assert (window.refused, window.busiest <= CALLS_MAX) == (0, True)
    assert waiting > 0, "otherwise nothing would have been shown"
    assert set(Counter(body["receiver"] for body in quiet.viber.sent).values()) == {1}
    measured(
        "F28",
        f"{many * each} people, {many} processes: at most {window.busiest} calls in {WINDOW_SECONDS:.0f} s, 0 refused, "
        f"0 lost, 0 doubled; {waiting} waited for their turn, all done after {time.monotonic() - began:.0f} s",
    )


def _forked(world: World, guests: list[str]) -> int:
    began, child = time.monotonic(), os.fork()
    if not child:
        try:
            for guest in guests:
                world.now = NOON + time.monotonic() - began
                world.calls(message(guest, "meni"))
        finally:
            os._exit(0)
    return child
