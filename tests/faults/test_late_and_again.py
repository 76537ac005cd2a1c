"""Messages that come again, late, in another order or all at once; long lanes; clocks that disagree."""

from __future__ import annotations

import itertools
import random
import threading
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from chalicelib.actions.sweep import sweep
from chalicelib.dialogue import forms
from chalicelib.model import Account
from chalicelib.storage import keys
from chalicelib.storage.cases import CaseStore
from chalicelib.wire import Deadline
from tests.faults.journeys import street
from tests.media.host import MediaHost
from tests.shows import Measure
from tests.viber import message
from tests.world import World

BELGRADE = ZoneInfo("Europe/Belgrade")
HOLE = "Velika rupa u Venca Petrovića 12 kod škole"
ROUNDS, THREADS = 500, 12
REPORT = (HOLE, "preskoči", "pošalji")


def _cases(world: World, citizen: str = "mira", account: Account | None = None) -> int:
    person = keys.person((account or world.account).id, citizen)
    return len(CaseStore(world.slug).own(person, Deadline(5)))


def _answers(world: World, citizen: str = "mira") -> list[str]:
    """The bot's words in the order of the conversation."""
    conversation = world.conversation(citizen)
    assert conversation is not None
    return [line.key for entry in conversation.log if entry.say for line in entry.say.lines[:1]]


@pytest.mark.campaign
@pytest.mark.shows("F3", "R1")
@pytest.mark.parametrize("after", [1, 59 * 60, 23 * 3600, 25 * 3600], ids=["1 s", "59 minutes", "23 hours", "25 hours"])
def test_a_filing_delivered_again_has_no_effect(world: World, after: int) -> None:
    events = [message("mira", text) for text in REPORT]
    for event in events:
        world.calls(event)
    said = len(world.viber.sent)
    world.now += after
    for event in events:
        world.calls(event)
    assert (_cases(world), len(world.viber.sent)) == (1, said)


@pytest.mark.campaign
@pytest.mark.shows("F4")
def test_a_late_message_is_kept_and_answered_but_rewinds_nothing(world: World) -> None:
    for text in REPORT[:2]:
        world.calls(message("mira", text))
    late = message("mira", "radno vreme") | {"timestamp": 1763700010000 - 3_600_000}
    world.calls(late)
    world.calls(message("mira", REPORT[2]))
    assert _cases(world) == 1
    again = message("mira", "pošalji") | {"timestamp": 1763700010000 - 3_600_000}
    world.calls(again)
    assert _cases(world) == 1


@pytest.mark.campaign
@pytest.mark.shows("F5")
def test_four_events_in_any_order_leave_one_report_and_whoever_left_is_left_in_peace(
    quiet: World, host: MediaHost
) -> None:
    """Words, photo, somebody else's menu and the word of leaving, in all 24 orders."""
    from tests.media import samples

    link = host.link("/9.jpg", samples.photo())
    reports: dict[tuple[int, ...], dict[str, Any]] = {}
    for number, order in enumerate(itertools.permutations(range(4))):
        citizen = f"person{number}"
        events = [
            message(citizen, HOLE),
            message(citizen, type="picture", media=link),
            message(citizen, "meni"),
            {"event": "unsubscribed", "user_id": citizen, "timestamp": 1, "message_token": 10**9 + number},
        ]
        for at in order:
            assert quiet.calls(events[at]) == {}
        conversation = quiet.conversation(citizen)
        if conversation is None:
            continue
        gone = order[-1] == 3
        assert conversation.subscribed is not gone, order
        assert conversation.lane == (), order
        assert _cases(quiet, citizen) == 0  # nothing is filed that nobody confirmed
        draft = forms.open_draft(conversation.state)
        assert draft is not None, order
        reports[order] = {name: len(value) if name == "media" else value for name, value in draft.answers.items()}
    assert all(report == reports[0, 1, 2, 3] for report in reports.values()), reports


@pytest.mark.shows("F2", "R1", "T3")
def test_the_same_filing_from_twelve_threads_files_one_case_and_answers_once(world: World, measured: Measure) -> None:
    rounds = 3
    for number in range(rounds):
        _files_at_once(world, f"person{number}")
    measured("T3", f"{rounds} rounds of {THREADS} threads: 1 case, 1 step and 1 answer each")


@pytest.mark.campaign
@pytest.mark.shows("F2", "R1", "T3")
def test_the_same_message_from_twelve_threads_five_hundred_times(world: World, measured: Measure) -> None:
    for number in range(ROUNDS):
        _files_at_once(world, f"person{number}")
    measured("T3", f"{ROUNDS} rounds of {THREADS} threads: 1 case, 1 step and 1 answer each")


def _files_at_once(world: World, citizen: str) -> None:
    for text in (f"Velika rupa, {street()} 12", "preskoči"):
        world.calls(message(citizen, text))
    said, event = len(world.viber.texts(citizen)), message(citizen, REPORT[2])
    _at_once(world, event)
    (answer,) = world.viber.texts(citizen)[said:]
    assert "PR-" in answer
    conversation = world.conversation(citizen)
    assert conversation is not None
    assert (_cases(world, citizen), [entry.origin for entry in conversation.log]) == (1, ["citizen", "bot"] * 3)


def _at_once(world: World, event: dict[str, Any]) -> None:
    threads = [threading.Thread(target=world.calls, args=(event,)) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


@pytest.mark.shows("F22", "F9", "R2")
def test_a_report_filed_as_viber_comes_back_waits_for_its_turn_in_a_long_lane(quiet: World) -> None:
    """More replies are owed than the conversation item holds; a case is committed with the next one."""
    quiet.calls(message("mira", HOLE))
    quiet.calls(message("mira", "preskoči"))
    quiet.viber.otherwise = 503
    for _ in range(20):
        quiet.now += 10
        quiet.calls(message("mira", "radno vreme"))
    parked = quiet.conversation("mira")
    assert parked is not None and parked.parked > 0
    before = len(quiet.viber.sent)
    quiet.viber.otherwise = None
    quiet.now += 61
    quiet.warm()
    quiet.calls(message("mira", "~1:form.send"))
    for _ in range(3):
        quiet.now += 61
        sweep(quiet.now)
    told = quiet.viber.texts("mira")[before:]
    assert (_cases(quiet), len(told)) == (1, 41)  # hours and the form's question, twenty times, and the receipt
    assert ["PR-" in text for text in told] == [False] * 40 + [True]


@pytest.mark.shows("F22", "F46")
def test_who_leaves_while_a_long_lane_waits_never_hears_of_it_again(quiet: World) -> None:
    quiet.calls(message("mira", "zdravo"))
    quiet.viber.otherwise = 503
    for round_ in range(2):
        for _ in range(16):
            quiet.now += 10
            quiet.calls(message("mira", "meni" if round_ else "radno vreme"))
        if not round_:
            quiet.calls({"event": "unsubscribed", "user_id": "mira", "timestamp": 1, "message_token": 77})
    quiet.viber.otherwise = None
    quiet.warm()
    for _ in range(4):
        quiet.now += 61
        sweep(quiet.now)
    heard = quiet.viber.texts("mira")[1:]
    conversation = quiet.conversation("mira")
    assert conversation is not None and (conversation.lane, conversation.parked) == ((), 0)
    assert (len(heard), len(set(heard))) == (16, 1)  # the menus asked for after coming back, nothing from before


@pytest.mark.campaign
@pytest.mark.shows("F22")
def test_the_longest_talk_while_viber_is_down_stays_far_from_the_largest_item(
    quiet: World, meter: Any, measured: Measure
) -> None:
    """Everybody's longest words, for hours: the item is bounded, a write is never refused."""
    quiet.viber.otherwise = 503
    noise = random.Random(7)
    meter.reset()
    for number in range(90):
        words = "".join(chr(noise.randrange(0x410, 0x4FF)) for _ in range(6900))
        quiet.now += 15
        quiet.calls(message("mira", f"{number} {words}"))
    quiet.calls(message("mira", HOLE))
    largest = max(meter.item_sizes)
    assert largest < 100_000
    measured("F22", f"the largest conversation item was {largest:,} bytes of 409,600")


NIGHTS = {
    "clocks go forward": "2026-03-29T01:58:00+01:00",
    "clocks go back": "2026-10-25T02:58:00+02:00",
    "leap day": "2028-02-29T23:58:00+01:00",
    "new year": "2026-12-31T23:58:00+01:00",
    "leap second": "2016-12-31T23:59:58+00:00",
}


@pytest.mark.campaign
@pytest.mark.shows("F33")
@pytest.mark.parametrize("night", NIGHTS)
def test_a_conversation_over_an_odd_night_is_one_conversation(quiet: World, night: str) -> None:
    quiet.now = datetime.fromisoformat(NIGHTS[night]).timestamp()
    quiet.warm()
    for text in REPORT:
        quiet.calls(message("mira", text))
        quiet.now += 90
    assert _cases(quiet) == 1
    (case,) = CaseStore(quiet.slug).own(keys.person(quiet.account.id, "mira"), Deadline(5))
    assert case.due_at and case.due_at > quiet.now
    assert datetime.fromtimestamp(case.due_at, BELGRADE).year - 2015 > 0
    conversation = quiet.conversation("mira")
    assert conversation is not None and conversation.lane == ()


@pytest.mark.campaign
@pytest.mark.shows("F33")
@pytest.mark.parametrize("skew", [-300, 300])
def test_processes_whose_clocks_are_five_minutes_apart_lose_and_double_nothing(quiet: World, skew: int) -> None:
    began = quiet.now
    for number, text in enumerate((*REPORT, "hvala", "meni")):
        quiet.now = began + 20 * number + (skew if number % 2 else 0)
        event = message("mira", text)
        quiet.calls(event)
        quiet.now = began + 20 * number + (0 if number % 2 else skew)
        quiet.calls(event)
    for minute in range(1, 8):
        quiet.now = began + 400 + 61 * minute
        sweep(quiet.now)
    conversation = quiet.conversation("mira")
    assert conversation is not None and conversation.lane == ()
    assert (_cases(quiet), len(quiet.viber.texts("mira"))) == (1, len([e for e in conversation.log if e.say]))


@pytest.mark.shows("F43")
def test_what_ran_out_is_absent_to_every_reader_though_it_is_deleted_days_later(world: World) -> None:
    world.says("mira", HOLE)
    world.now += 31 * 86400
    assert world.conversation("mira").town == ""  # type: ignore[union-attr]
    assert "Ja sam PRIMA" in world.says("mira", "zdravo")[0]
    assert _answers(world) == _answers(world)[:1]
