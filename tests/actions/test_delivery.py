"""The lane: in order, one holder at a time, each of Viber's answers taken as what it means."""

from __future__ import annotations

import threading
from collections import Counter

import pytest

from chalicelib.actions import breaker, deliver, known
from chalicelib.actions.owe import Unreachable, owe
from chalicelib.actions.sweep import ring, sweep
from chalicelib.model import Line, Say
from chalicelib.storage import views
from chalicelib.wire import Deadline
from tests.meter import Meter
from tests.viber import DROP, message
from tests.world import World


def _spoken(world: World, *texts: str) -> None:
    for text in texts:
        world.calls(message("mira", text))


@pytest.mark.shows("F9", "R9")
def test_while_viber_is_down_callbacks_are_answered_and_replies_follow_in_order_exactly_once(world: World) -> None:
    world.viber.otherwise = 503
    for number in range(30):
        world.calls(message("mira", f"xyzzy {number}"))
    assert world.viber.sent == []
    world.viber.otherwise = None
    for _ in range(4):
        world.now += 61
        sweep(world.now)
    assert len(world.viber.sent) == 30
    conversation = world.conversation("mira")
    assert conversation is not None
    assert (conversation.lane, conversation.parked) == ((), 0)


@pytest.mark.shows("F9")
def test_a_retry_waits_for_its_time_and_then_comes_once(world: World) -> None:
    world.viber.script = [500]
    _spoken(world, "zdravo")
    sweep(world.now)
    assert world.viber.sent == []
    world.now += 61
    sweep(world.now)
    sweep(world.now + 120)
    assert len(world.viber.sent) == 1


@pytest.mark.shows("F40", "F41", "R2")
def test_where_the_store_leaves_no_time_to_speak_the_callback_is_answered_and_the_doorbell_speaks_at_once(
    world: World, meter: Meter, monkeypatch: pytest.MonkeyPatch
) -> None:
    rung: list[float] = []
    monkeypatch.setattr(deliver.doorbell, "ring", lambda account, citizen, delay, deadline: rung.append(delay))
    monkeypatch.setattr("chalicelib.actions.viber_callback.TURN_SECONDS", deliver.SEND_SECONDS_NEEDED)
    meter.reset()
    assert world.calls(message("mira", "zdravo")) == {}
    assert (world.viber.sent, rung) == ([], [0])
    assert meter.operations == ["dynamodb.GetItem", "dynamodb.PutItem"]
    assert ring(world.account.id, "mira", world.now, Deadline(8))
    assert len(world.viber.sent) == 1


@pytest.mark.shows("F13")
@pytest.mark.parametrize("status", [5, 6, 11, 21])
def test_who_is_gone_is_owed_nothing_any_more(world: World, status: int) -> None:
    world.viber.script = [{"status": status}]
    _spoken(world, "zdravo")
    conversation = world.conversation("mira")
    assert conversation is not None
    assert (conversation.lane, conversation.subscribed) == ((), False)
    with pytest.raises(Unreachable):
        owe(world.account, "mira", Say((Line("thanks"),)), "bot", world.now, "h", Deadline(3))
    _spoken(world, "ipak sam tu")
    assert len(world.viber.sent) == 1


@pytest.mark.shows("F11")
def test_rate_control_waits_and_then_the_reply_comes_exactly_once(world: World) -> None:
    world.viber.script = [{"status": 12}]
    _spoken(world, "zdravo")
    sweep(world.now + 30)
    assert world.viber.sent == []
    world.now += 61
    sweep(world.now)
    assert len(world.viber.sent) == 1


@pytest.mark.shows("F15")
def test_a_client_too_old_for_a_keyboard_gets_the_choices_as_numbers(world: World) -> None:
    world.viber.script = [{"status": 13}]
    _spoken(world, "meni")
    (body,) = world.viber.sent
    assert "keyboard" not in body
    assert "1. " in body["text"]
    _spoken(world, "1")
    assert "oblast" in world.viber.texts()[-1] or "postupak" in world.viber.texts()[-1]


@pytest.mark.shows("R2")
def test_our_own_mistakes_become_dead_letters_and_do_not_stop_the_lane(world: World) -> None:
    world.viber.script = [{"status": 3, "status_message": "keyboard is not valid"}]
    _spoken(world, "zdravo", "meni")
    assert len(world.viber.sent) == 1
    (row,) = views.owed(world.slug)
    assert (row["state"], row["kind"], row["error"]) == ("dead", "reply", "bad_request (3)")


@pytest.mark.shows("F14")
def test_a_refused_token_pauses_the_account_but_drops_nothing(world: World) -> None:
    world.viber.script = [{"status": 2}]
    _spoken(world, "zdravo")
    _spoken(world, "meni")
    assert world.viber.asked == ["send_message"]
    world.now += 61
    sweep(world.now)
    assert len(world.viber.sent) == 2


def test_an_account_that_fails_for_weeks_is_tried_once_a_minute() -> None:
    for at in range(3000):
        breaker.failed("viber:x", at, at_once=True)
    assert breaker.open_until("viber:x", 3000) == 2999 + breaker.OPEN_SECONDS_MAX
    breaker.succeeded("viber:x")


@pytest.mark.shows("F10", "R3")
def test_a_doubtful_message_is_sent_again_once_and_only_after_viber_answers(world: World) -> None:
    world.viber.script = [DROP]
    _spoken(world, "zdravo")
    world.viber.otherwise = 503
    world.now += 61
    sweep(world.now)
    assert world.viber.asked == ["send_message", "get_account_info"]
    world.viber.otherwise = None
    world.now += 61
    sweep(world.now)
    assert len(world.viber.sent) == 2  # once taken unheard, once for certain


@pytest.mark.shows("F12")
@pytest.mark.parametrize("garbage", [b"", b"<html>", b"[]", b"{}", b'{"status":"x"}'])
def test_an_answer_that_is_not_vibers_is_no_success(world: World, garbage: bytes) -> None:
    world.viber.script = [garbage]
    _spoken(world, "zdravo")
    conversation = world.conversation("mira")
    assert conversation is not None
    assert len(conversation.lane) == 1


def test_one_connection_carries_many_messages(world: World) -> None:
    _spoken(world, *(f"poruka {number}" for number in range(12)))
    assert world.viber.connections <= 2


def test_the_token_travels_in_the_header_alone(world: World) -> None:
    _spoken(world, "zdravo")
    assert world.viber.headers[0]["x-viber-auth-token"] == world.token
    assert "auth_token" not in world.viber.sent[0]


def test_the_same_callback_ten_times_at_once_is_answered_once(world: World) -> None:
    world.says("mira", "zdravo")
    event = message("mira", "radno vreme")
    threads = [threading.Thread(target=world.calls, args=(event,)) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(world.viber.sent) == 2


@pytest.mark.shows("F19")
def test_turns_notices_and_an_operators_words_at_once_all_arrive_and_keep_their_order(world: World) -> None:
    world.says("mira", "zdravo")
    problems: list[BaseException] = []

    def guarded(act) -> None:  # type: ignore[no-untyped-def]
        try:
            act()
        except BaseException as error:
            problems.append(error)

    def speak(who: str, number: int) -> None:
        say = Say((Line("raw", {"text": f"{who} {number}"}),))
        owe(world.account, "mira", say, who, world.now, f"{who}{number}", Deadline(10))

    acts = [lambda number=number: speak("bot", number) for number in range(4)]
    acts += [lambda number=number: speak("operator", number) for number in range(4)]
    acts += [lambda number=number: world.calls(message("mira", f"xyzzy {number}")) for number in range(4)]
    threads = [threading.Thread(target=guarded, args=(act,)) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert problems == []
    world.now += 61
    sweep(world.now)
    known.forget()
    texts = world.viber.texts()[1:]
    assert len(texts) == 12
    assert all(count == 1 for text, count in Counter(texts).items() if text.startswith(("bot", "operator")))
    conversation = world.conversation("mira")
    assert conversation is not None
    assert conversation.lane == ()
    said = [entry for entry in conversation.log if entry.say][-12:]
    assert [entry.seq for entry in said] == sorted(entry.seq for entry in said)
