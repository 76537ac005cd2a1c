"""The simulator fails on demand: the way it is told, as often as it is told, for whom it is told."""

import http.client
import time
from typing import Any

import pytest

from infra.local.simulator import Citizen, Simulator
from infra.local.simulator.callbacks import as_bytes
from tests.simulator.bot import ACCOUNT, TOKEN, Bot, Call, Heard, request, text_to


@pytest.mark.parametrize(
    ("kind", "which", "code", "starts"),
    [
        ("http", {"code": 500}, 500, b"<!doctype html>"),
        ("http", {"code": 502}, 502, b"<!doctype html>"),
        ("html", {}, 200, b"<!doctype html>"),
        ("empty", {}, 200, b""),
        ("garbage", {}, 200, b'{"status":0,'),
        ("body", {"text": "[]"}, 200, b"[]"),
        ("redirect", {}, 302, b""),
    ],
)
def test_a_broken_answer_looks_as_told_and_nothing_was_accepted(
    kind: str, which: dict[str, Any], code: int, starts: bytes, viber: Simulator, mira: Citizen, call: Call
) -> None:
    viber.fault(kind, calls=1, **which)
    answer = call("send_message", text_to(mira.id))
    assert (answer.code, answer.raw.startswith(starts)) == (code, True)
    assert mira.messages == []
    assert call("send_message", text_to(mira.id)).status == 0


@pytest.mark.parametrize("status", range(1, 25))
def test_any_status_can_be_answered(status: int, viber: Simulator, mira: Citizen, call: Call) -> None:
    viber.fault("status", code=status, calls=2)
    assert [call("send_message", text_to(mira.id)).status for _ in range(3)] == [status, status, 0]
    assert len(mira.messages) == 1


def test_a_status_may_come_without_its_message(viber: Simulator, call: Call) -> None:
    viber.fault("status", code=1, text="", method="set_webhook")
    assert set(call("set_webhook", {"url": ""}).json) == {"status", "chat_hostname"}


def test_drop_accepts_nothing_and_answers_nothing(viber: Simulator, mira: Citizen, call: Call) -> None:
    viber.fault("drop", calls=1)
    with pytest.raises(http.client.RemoteDisconnected):
        call("send_message", text_to(mira.id))
    assert mira.messages == [] and viber.messages() == []


def test_accept_then_drop_delivers_the_message_and_loses_the_answer(
    viber: Simulator, mira: Citizen, call: Call
) -> None:
    viber.fault("drop", accept=True, calls=1)
    with pytest.raises(http.client.RemoteDisconnected):
        call("send_message", text_to(mira.id))
    assert mira.texts == ["Dobar dan"]
    [entry] = viber.messages()
    assert (entry.accepted, entry.fault) == (True, "drop, accepted")


@pytest.mark.parametrize("kind", ["http", "html", "empty", "garbage"])
def test_any_broken_answer_can_follow_an_accepted_message(
    kind: str, viber: Simulator, mira: Citizen, call: Call
) -> None:
    viber.fault(kind, accept=True, calls=1)
    call("send_message", text_to(mira.id))
    assert len(mira.messages) == 1


@pytest.mark.parametrize("accept", [True, False])
def test_a_slow_answer_is_late_but_right(accept: bool, viber: Simulator, mira: Citizen, call: Call) -> None:
    viber.fault("slow", seconds=0.2, accept=accept, calls=1)
    began = time.monotonic()
    assert call("send_message", text_to(mira.id)).status == 0
    assert time.monotonic() - began >= 0.2
    assert len(mira.messages) == 1


@pytest.mark.parametrize("accept", [True, False])
def test_a_caller_that_does_not_wait_is_served_only_if_its_call_was_accepted_before(
    accept: bool, viber: Simulator, mira: Citizen
) -> None:
    viber.fault("slow", seconds=0.2, accept=accept, calls=1)
    with pytest.raises(TimeoutError):
        request(
            f"{viber.api_url}/send_message", as_bytes(text_to(mira.id)), {"X-Viber-Auth-Token": TOKEN}, timeout=0.05
        )
    assert viber.ledger.wait_until(lambda: len(viber.ledger.read()) == 1, 2)
    assert (len(mira.messages), viber.ledger.read()[0].accepted) == (int(accept), accept)


def test_a_message_can_be_accepted_and_then_refused_by_the_app(
    viber: Simulator, mira: Citizen, bot: Bot, call: Call
) -> None:
    viber.fault("failed", text="keyboard is not valid", calls=1)
    assert call("send_message", text_to(mira.id)).status == 0
    viber.callbacks.wait("failed", 1, timeout=2)
    assert bot.events("failed")[0]["desc"] == "keyboard is not valid"


def test_a_fault_strikes_only_whom_it_is_meant_for(viber: Simulator, mira: Citizen, call: Call) -> None:
    zora = viber.citizen(ACCOUNT, subscribed=True)
    viber.fault("status", code=12, receiver=mira.id, method="send_message", account=ACCOUNT)
    viber.fault("http", account="somebody-else")
    assert call("send_message", text_to(zora.id)).status == 0
    assert call("get_user_details", {"id": mira.id}).status == 0
    assert call("send_message", text_to(mira.id)).status == 12
    viber.faults.clear()
    assert call("send_message", text_to(mira.id)).status == 0


def test_a_fault_that_does_not_exist_is_refused(viber: Simulator) -> None:
    with pytest.raises(ValueError, match="no such fault"):
        viber.fault("tired")


# --- callbacks --------------------------------------------------------------------------------------------------------


def test_a_callback_comes_again_until_it_is_answered_200(viber: Simulator, bot: Bot) -> None:
    codes = iter([500, 403, 200, 200])
    bot.answers = lambda heard: (next(codes), b"")
    callback = viber.citizen(ACCOUNT).says("rupa")
    assert callback is not None
    assert [one.status for one in callback.tries] == [500, 403, 200]
    assert callback.state == "delivered"
    assert len({one.body for one in bot.heard}) == len({one.signature for one in bot.heard}) == 1


def test_a_webhook_that_stays_broken_is_given_up_after_the_repeats(viber: Simulator, bot: Bot) -> None:
    bot.answers = lambda heard: (500, b"")
    callback = viber.citizen(ACCOUNT).says("rupa")
    assert callback is not None and (callback.state, len(callback.tries)) == ("lost", 4)


def test_slow_repeats_come_later_by_themselves(bot: Bot) -> None:
    codes = iter([500, 500, 200])
    bot.answers = lambda heard: (next(codes), b"")
    with Simulator(bot.url, {ACCOUNT: TOKEN}, repeats=(0.01, 1.01)) as viber:
        callback = viber.citizen(ACCOUNT).says("rupa")
        assert callback is not None and callback.state == "waiting"
        deadline = time.monotonic() + 3
        while callback.state == "waiting" and time.monotonic() < deadline:
            time.sleep(0.02)
        assert (callback.state, len(bot.heard)) == ("delivered", 3)


def test_an_answer_that_comes_too_late_does_not_count(bot: Bot) -> None:
    def slow_at_first(heard: Heard) -> tuple[int, bytes]:
        time.sleep(0.15 if len(bot.heard) == 1 else 0)
        return 200, b""

    bot.answers = slow_at_first
    with Simulator(bot.url, {ACCOUNT: TOKEN}, patience_s=0.1) as viber:
        callback = viber.citizen(ACCOUNT).says("rupa")
    assert callback is not None and [one.status for one in callback.tries] == [200, 200]


def test_nobody_listening_is_no_error_of_the_simulator() -> None:
    with Simulator("http://127.0.0.1:9", {ACCOUNT: TOKEN}, repeats=()) as viber:
        callback = viber.citizen(ACCOUNT).says("ima li koga")
    assert callback is not None and (callback.state, callback.status) == ("lost", None)


def test_only_this_machine_is_ever_called() -> None:
    with Simulator("http://town.example", {ACCOUNT: TOKEN}, repeats=()) as viber:
        callback = viber.citizen(ACCOUNT).says("ima li koga")
    assert callback is not None and callback.tries[0].trouble == "ConnectionError"


def test_each_callback_can_be_doubled(viber: Simulator, bot: Bot) -> None:
    viber.behave(ACCOUNT, copies=3)
    viber.citizen(ACCOUNT).says("rupa")
    assert len(bot.heard) == 3
    assert len({event["message_token"] for event in bot.events()}) == 1


def test_one_callback_can_be_sent_many_times_at_once(viber: Simulator, bot: Bot) -> None:
    callback = viber.citizen(ACCOUNT).says("rupa")
    assert callback is not None
    assert [one.status for one in viber.callbacks.again(viber.account(ACCOUNT), callback, 9, at_once=True)] == [200] * 9
    assert len({one.body for one in bot.heard}) == 1 and len(bot.heard) == 10


def test_held_callbacks_arrive_in_reverse(viber: Simulator, bot: Bot) -> None:
    viber.behave(ACCOUNT, hold=3)
    mira = viber.citizen(ACCOUNT)
    for text in "abc":
        mira.says(text)
    mira.says("d")
    assert [event["message"]["text"] for event in bot.events()] == ["c", "b", "a", "d"]


def test_the_product_can_be_called_without_http() -> None:
    def product(url: str, body: bytes, headers: dict[str, str]) -> tuple[int, bytes]:
        called.append(url)
        return 200, '{"type": "text", "text": "Dobro došli", "sender": {"name": "P"}}'.encode()

    called: list[str] = []
    with Simulator("http://product", {ACCOUNT: TOKEN}, post=product) as viber:
        zora = viber.citizen(ACCOUNT)
        zora.opens()
    assert (called, zora.texts) == ([f"http://product/viber/{ACCOUNT}"], ["Dobro došli"])
