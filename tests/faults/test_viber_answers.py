"""Whatever Viber answers is taken for what it means: say it again, say it plainly, give it up in the open, forget."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from chalicelib.actions.sweep import sweep
from chalicelib.model import Conversation
from chalicelib.storage import account_health, keys, outbox, views
from chalicelib.wire import Deadline
from tests.shows import Measure
from tests.viber import CUT, DROP, message
from tests.world import World

LATER, GONE, DEAD, PLAIN, PAUSED, SAID = "later", "gone", "dead", "plain", "paused", "said"
STATUSES = {
    **dict.fromkeys((1, 12, 16, 17, 18, 22, 25, 99, -1), LATER),
    **dict.fromkeys((2, 7, 8, 9, 10, 15), PAUSED),
    **dict.fromkeys((3, 4, 19, 20, 23, 24), DEAD),
    **dict.fromkeys((5, 6, 11, 21), GONE),
    **dict.fromkeys((13, 14), PLAIN),
}
HTTP = {500: LATER, 502: LATER, 503: LATER, 504: LATER, 429: LATER, 301: PAUSED, 400: PAUSED, 401: PAUSED, 404: PAUSED}
GARBAGE = (
    *(b"", b" ", b"null", b"[]", b"{}", b"0", b'"ok"', b"{", b'{"status": 0', b"<html>502 Bad Gateway</html>"),
    *(b'{"status": null}', b'{"status": "ok"}', b'{"status": [0]}', b'{"status": NaN}', b'{"status": 1e999}'),
    *(b'{"status_message": "ok"}', b"\xff\xfe\x00", b"[" * 100_000, b"{" * 3, b"ok" * 1000),
)
MINUTES = 3
SAID = ("meni", "izvod iz matične knjige rođenih", "hvala", "xyzzy", "meni")


def _minutes(world: World, number: int = MINUTES) -> None:
    for _ in range(number):
        world.now += 61
        sweep(world.now)


def _lane(world: World, citizen: str) -> int:
    conversation = world.conversation(citizen)
    assert conversation is not None
    return len(conversation.lane)


def _is_dead(world: World, conversation: Conversation) -> bool:
    """Whether the last reply lies where people look for what could not be said."""
    row = keys.handled(f"{conversation.account} {conversation.citizen} {conversation.seq}").hex()
    found = outbox.load(keys.outbox(world.slug, row), world.now, Deadline(5))
    return found is not None and (found.kind, found.state) == ("reply", "dead")


def _became(world: World, answer: Any) -> str:
    """What came of a reply that was answered so."""
    world.warm()
    citizen = f"person {answer}"
    world.viber.script = [answer]
    assert world.calls(message(citizen, "meni")) == {}
    conversation = world.conversation(citizen)
    assert conversation is not None
    if _is_dead(world, conversation):
        return DEAD
    if not conversation.subscribed:
        return GONE
    if not conversation.lane:
        return SAID if "keyboard" in world.viber.sent[-1] else PLAIN
    asked = len(world.viber.asked)
    world.calls(message(f"after {answer}", "zdravo"))
    return LATER if len(world.viber.asked) > asked else PAUSED


@pytest.mark.shows("F11", "F13", "F14", "F15", "F16")
def test_every_status_of_vibers_leads_to_what_it_means(quiet: World, measured: Measure) -> None:
    found = {status: _became(quiet, {"status": status}) for status in STATUSES}
    assert found == STATUSES
    quiet.warm()
    _minutes(quiet)
    for status, outcome in found.items():
        person = f"person { ({'status': status}) }"
        said = len(quiet.viber.texts(person))
        assert (_lane(quiet, person), said) == (0, outcome in (LATER, PAUSED, PLAIN)), status
    measured("F13", f"{len(STATUSES)} statuses, each taken for what it means; nothing final is tried again")


@pytest.mark.shows("F9", "F14")
def test_every_http_answer_is_waited_out_and_the_reply_said_once(quiet: World) -> None:
    found = {status: _became(quiet, status) for status in HTTP}
    assert found == HTTP
    quiet.warm()
    _minutes(quiet)
    for status in HTTP:
        assert (_lane(quiet, f"person {status}"), len(quiet.viber.texts(f"person {status}"))) == (0, 1), status


@pytest.mark.campaign
@pytest.mark.shows("F12")
@pytest.mark.parametrize("taken", [False, True])
def test_what_is_no_answer_of_vibers_is_asked_about_and_said_again_once(quiet: World, taken: bool) -> None:
    """`taken`: the text arrived nevertheless, and the answer broke on its way back; then it is there twice."""
    answers = (DROP, CUT) if taken else GARBAGE
    for number, garbage in enumerate(answers):
        quiet.warm()
        quiet.viber.script = [garbage]
        assert quiet.calls(message(f"person{number}", "meni")) == {}
        assert _lane(quiet, f"person{number}") == 1, garbage
    quiet.viber.asked.clear()
    quiet.warm()
    _minutes(quiet)
    assert Counter(quiet.viber.asked) == {"get_account_info": len(answers), "send_message": len(answers)}
    for number, garbage in enumerate(answers):
        said = len(quiet.viber.texts(f"person{number}"))
        assert (_lane(quiet, f"person{number}"), said) == (0, 1 + taken), garbage


@pytest.mark.campaign
@pytest.mark.shows("F12")
def test_garbage_for_ever_becomes_a_dead_letter_and_the_next_reply_is_said(quiet: World) -> None:
    quiet.viber.script = [b"<html>"] * 2
    quiet.calls(message("mira", "meni"))
    _minutes(quiet)
    (row,) = views.owed(quiet.slug)
    assert (row["state"], row["kind"]) == ("uncertain", "reply")  # Viber may have taken it
    assert len(quiet.says("mira", "radno vreme")) == 1


@pytest.mark.shows("F11")
def test_who_is_throttled_waits_alone(quiet: World) -> None:
    quiet.viber.script = [{"status": 12}]
    quiet.calls(message("mira", "meni"))
    assert [len(quiet.says(name, "meni")) for name in ("jovo", "ana", "bane")] == [1, 1, 1]
    _minutes(quiet)
    assert len(quiet.viber.texts("mira")) == 1


@pytest.mark.shows("F14")
def test_a_refused_token_is_said_to_the_towns_page_and_nothing_is_dropped(quiet: World) -> None:
    quiet.viber.otherwise = {"status": 2}
    for number in range(5):
        quiet.calls(message(f"person{number}", "meni"))
    assert quiet.viber.asked == ["send_message"]  # the others are not even tried
    health = account_health.of([quiet.account.id], Deadline(5))[quiet.account.id]
    assert health.refused == "token_refused (2)"
    quiet.viber.otherwise = None
    _minutes(quiet)
    assert sorted(body["receiver"] for body in quiet.viber.sent) == [f"person{number}" for number in range(5)]


@pytest.mark.campaign
@pytest.mark.shows("F9", "F42", "R9", "T9")
def test_after_ten_minutes_without_viber_everybody_is_answered_in_order_and_once(
    quiet: World, measured: Measure
) -> None:
    for text in SAID:
        quiet.calls(message("somebody before", text))
    wanted = quiet.viber.texts()
    quiet.viber.sent.clear()
    quiet.viber.otherwise = 503
    people = [f"person{number}" for number in range(6)]
    for text in SAID:
        for person in people:
            quiet.calls(message(person, text))
        quiet.now += 61
        _minutes(quiet, 1)
    assert quiet.viber.sent == []
    quiet.viber.otherwise = None
    _minutes(quiet, 2)
    for person in people:
        conversation = quiet.conversation(person)
        assert conversation is not None and conversation.lane == ()
        assert quiet.viber.texts(person) == wanted
    measured("T9", f"{len(people) * len(wanted)} replies owed for ten minutes: 0 lost, 0 doubled, nobody's hand")
