"""Every call of every journey fails or kills the process, before or after it took effect: cases, notices, uploads and
answers come out as if nothing had happened. Only a message or letter that was taken while we died may be said twice."""

from __future__ import annotations

import os
from collections.abc import Callable

import pytest

from chalicelib import wire
from chalicelib.actions.sweep import sweep
from tests.faults.breaking import FEW, Breaker
from tests.faults.journeys import (
    VOLUNTEERS,
    Make,
    document_request,
    doubled,
    operator_chat,
    report_with_photo,
    run,
    staff_invitation,
    status_notice,
    volunteer_claim,
)
from tests.media.host import MediaHost
from tests.neighbours import volunteers
from tests.shows import Measure
from tests.world import NOON, World

LINE = """  - id: operator
    kind: operator
    office: biro
    hours: {weekdays: "08:00-15:00"}
"""
JOURNEYS = [report_with_photo, document_request, status_notice, operator_chat, volunteer_claim, staff_invitation]
CALLS_MAX = 120
DEAD = 137  # the exit code of a process killed by SIGKILL


def ready(world: World, journey: Make) -> None:
    """What the journey needs to be there."""
    if journey is operator_chat:
        world.offers(LINE)
    if journey is volunteer_claim:
        volunteers(world, *VOLUNTEERS)


@pytest.mark.shows("F1", "R1", "R2", "R3", "T1")
@pytest.mark.parametrize("journey", JOURNEYS, ids=lambda journey: journey.__name__)
@pytest.mark.parametrize(("when", "how", "every"), FEW)
def test_whatever_call_of_a_journey_breaks_it_ends_as_if_nothing_had_happened(
    quiet: World, host: MediaHost, journey: Make, when: str, how: str, every: int, measured: Measure
) -> None:
    ready(quiet, journey)
    whole = journey(quiet, host)
    run(whole, Breaker(CALLS_MAX * 2, when, how))
    expected = whole.outcome()
    words = [(whole.said(citizen), len(whole.sent(citizen))) for citizen in whole.citizens]
    points = 0
    for nth in range(1, CALLS_MAX, every):
        quiet.now = NOON  # of a working day: the office is there
        broken, breaker = journey(quiet, host), Breaker(nth, when, how)
        run(broken, breaker)
        if not breaker.broke:
            break
        points += 1
        where = (nth, breaker.broke)
        assert broken.outcome() == expected, where
        for citizen, (said, sent) in zip(broken.citizens, words, strict=True):
            assert broken.said(citizen) == said, where
            assert broken.owed(citizen) == 0, where
            extra = len(broken.sent(citizen)) - sent
            assert extra == doubled(broken, citizen), (where, broken.sent(citizen))
            assert extra <= in_the_window(breaker), (where, broken.sent(citizen))
    else:
        raise AssertionError("it never came to its end")
    measured("T1", f"{journey.__name__}: {points} points {when} a call, the process {how}: 0 lost, 0 cases doubled")


MARKS = ("dynamodb.UpdateItem", "dynamodb.PutItem")  # the latter where more than the lane is another


def in_the_window(breaker: Breaker) -> int:
    """How many messages may be said twice: one, if Viber or the post office took it and we could not note so."""
    taken_unheard = breaker.broke in ("viber.send_message", "ses.SendEmail") and breaker.when == "after"
    dead_before_the_mark = breaker.how == "killed" and breaker.when == "before" and breaker.broke in MARKS
    return int(taken_unheard or dead_before_the_mark)


@pytest.mark.campaign
@pytest.mark.shows("F1", "F40", "R1", "R2", "R3", "T1")
@pytest.mark.parametrize("when", ["before", "after"])
def test_a_process_that_really_dies_at_any_call_of_a_filing_leaves_the_next_one_to_finish(
    quiet: World, host: MediaHost, when: str, measured: Measure
) -> None:
    """A child is forked, takes the callback that files, and is gone at its nth call; the callback is then repeated."""
    points = 0
    for nth in range(1, CALLS_MAX):
        quiet.now = NOON
        journey = report_with_photo(quiet, host)
        *talk, send = journey.steps
        for step in talk:
            step()
        died = died_at(nth, when, send)
        quiet.warm()
        send()
        for _ in range(3):
            quiet.now += 61
            sweep(quiet.now)
        (citizen,) = journey.citizens
        assert journey.outcome() == [("problem", "received", [("photo", "checked")], 1)], nth
        assert (len(journey.said(citizen)), journey.owed(citizen)) == (3, 0), nth
        extra = len(journey.sent(citizen)) - 3
        assert extra == doubled(journey, citizen), nth
        assert extra <= int(died), nth
        if not died:
            break
        points += 1
    measured("T1", f"a forked process gone at each of {points} calls, {when}: 1 case each, 0 lost")


def died_at(nth: int, when: str, act: Callable[[], object]) -> bool:
    """Whether a child that does `act` was gone at its nth call to the outside."""
    child = os.fork()
    if not child:
        breaker = Breaker(nth, when, "killed")
        wire.taps.append(breaker)
        try:
            act()
        finally:
            os._exit(DEAD if breaker.broke else 0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == DEAD
