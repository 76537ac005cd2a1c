"""What an announcement to everybody costs: calls, units, time, and that another town's citizens do not notice it."""

from __future__ import annotations

import base64
import itertools
import math
import secrets
import threading
import time
from collections import Counter
from collections.abc import Iterator
from statistics import median

import pytest

from chalicelib.actions import announce
from chalicelib.actions.sweep import sweep
from chalicelib.actions.take_receipt import take_receipt
from chalicelib.cases import announcements as rules
from chalicelib.storage import dynamo, keys
from chalicelib.storage.announcements import TABLE
from chalicelib.wire import Call, Reply
from tests.actions.test_announcements import NEWS, sent, some, soon, subscribe, told, written
from tests.meter import Meter, size
from tests.shows import Measure
from tests.taps import tapped
from tests.viber import Window
from tests.world import World

RECEIVERS, CALLS = 12_946, 44
CALL_SECONDS, REPLY_SECONDS = 0.2, 0.1  # how long Viber takes to answer
LEDGER_UNITS_MAX, RECEIPT_UNITS_MAX = 700, 2
WINDOW_SECONDS, CALLS_IN_WINDOW_MAX = 10.0, 500
SECONDS_MAX, SLOWER_MAX = 15.0, 1.5
REPLIES, REPLY_PAUSE_SECONDS = 40, 0.05
ROUNDS_MAX = 5
_people = itertools.count(1)


class _OfOneThread(Meter):
    """Counts what the thread that made it asks for, and when it asked Viber."""

    def __init__(self) -> None:
        super().__init__()
        self.thread, self.called = threading.get_ident(), list[float]()  # seconds, of each call to everybody

    def before(self, call: Call) -> None:
        if threading.get_ident() == self.thread:
            super().before(call)
            if call.operation == "broadcast_message":
                self.called.append(time.monotonic())

    def after(self, call: Call, reply: Reply) -> None:
        if threading.get_ident() == self.thread:
            super().after(call, reply)


@pytest.fixture
def ledger() -> Iterator[_OfOneThread]:
    with tapped(_OfOneThread()) as meter:
        yield meter


@pytest.mark.alone
@pytest.mark.campaign
@pytest.mark.shows("F28", "R4", "T2")
def test_everybody_is_told_once_in_15_seconds_for_at_most_700_units_while_another_town_is_answered(
    world: World, ledger: _OfOneThread, measured: Measure
) -> None:
    everybody = [base64.b64encode(secrets.token_bytes(16)).decode() for _ in range(RECEIVERS)]  # as Viber's ids are
    world.offers(NEWS)
    subscribe(world, everybody)
    neighbour = World(f"{world.slug}-b", world.viber)
    world.warm()
    neighbour.warm()
    world.viber.token = None  # both towns' messages are taken
    world.viber.takes = {"broadcast_message": CALL_SECONDS, "send_message": REPLY_SECONDS}
    alone = [_reply_seconds(neighbour) for _ in range(REPLIES)]

    window = world.viber.window = Window(CALLS_IN_WINDOW_MAX, WINDOW_SECONDS)
    ledger.reset()
    draft = written(world)
    beside, done = list[tuple[float, float]](), threading.Event()
    asking = threading.Thread(target=_keep_asking, args=(neighbour, beside, done))
    asking.start()
    announce.approve(world.town, draft.id, "staff:boro", world.now, soon(), proved=True)
    for _ in range(ROUNDS_MAX):
        sweep(world.now)
        if told(world, draft.id).state == rules.DONE:
            break
        world.now += 100
    seconds = time.monotonic() - ledger.called[0]  # the cut before is read at the embedded AWS's pace
    done.set()
    asking.join()

    reached = Counter(one for body in world.viber.broadcasts for one in body["broadcast_list"])
    # While pages leave: before, the cut reads everybody at the embedded AWS's pace, which does one thing at a time.
    meanwhile = [took for began, took in beside if began >= ledger.called[0]]
    slower = _p95(meanwhile) / _p95(alone)
    figure = (
        f"{len(world.viber.broadcasts)} calls, {ledger.writes:.0f} write units, {seconds:.1f} s with "
        f"{CALL_SECONDS * 1000:.0f} ms a call, "
        f"{window.busiest} calls, replies among them, in the busiest {WINDOW_SECONDS:.0f} s; "
        f"{sum(reached.values()) - len(reached)} twice, {RECEIVERS - len(reached)} missed"
    )
    for number in ("P15", "T2", "F28"):
        measured(number, figure)
    measured(
        "P15",
        f"a second town's replies, median / p95: alone {median(alone) * 1000:.0f} / {_p95(alone) * 1000:.0f} "
        f"ms, meanwhile {median(meanwhile) * 1000:.0f} / {_p95(meanwhile) * 1000:.0f} ms ({slower:.2f} times)",
    )
    assert (len(world.viber.broadcasts), reached) == (CALLS, Counter(everybody))
    assert ledger.writes <= LEDGER_UNITS_MAX
    assert (window.refused, window.busiest <= CALLS_IN_WINDOW_MAX) == (0, True)
    assert seconds <= SECONDS_MAX
    assert slower <= SLOWER_MAX


def _reply_seconds(world: World) -> float:
    began = time.monotonic()
    assert world.says(f"mira{next(_people)}", "radno vreme")
    return time.monotonic() - began


def _keep_asking(world: World, took: list[tuple[float, float]], done: threading.Event) -> None:
    """When each answer was asked for, and how long it took."""
    while not done.wait(REPLY_PAUSE_SECONDS):
        began = time.monotonic()
        took.append((began, _reply_seconds(world)))


def _p95(values: list[float]) -> float:
    return sorted(values)[math.ceil(len(values) * 0.95) - 1]


def test_the_last_receipt_of_a_page_costs_as_little_as_the_first(world: World, measured: Measure) -> None:
    world.offers(NEWS)
    people = some(300)
    subscribe(world, people)
    draft = written(world)
    announce.approve(world.town, draft.id, "staff:boro", world.now, soon(), proved=True)
    sent(world)
    page = told(world, draft.id).pages[0]
    for event in ("delivered", "seen"):
        for citizen in people:
            assert take_receipt(world.account.id, page.token, citizen, event, world.now, soon())
    partition = ("pk", keys.announcement(world.slug, draft.id))
    items = dynamo.walk(TABLE, None, partition, soon(), sort="sk", start=keys.GOT, end=f"{keys.GOT}~", limit=1000)
    units = max(math.ceil(size(dynamo.pack(item)) / 1024) for item in items)
    counts = told(world, draft.id).counts
    assert (counts["delivered"], counts["seen"]) == (300, 300)
    measured("P15", f"a receipt costs at most {units} write units, the 600th of a page as well")
    assert units <= RECEIPT_UNITS_MAX
