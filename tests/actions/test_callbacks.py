"""Viber's callbacks from door to answer."""

from __future__ import annotations

import json
import logging
import time
from typing import Any

import boto3
import pytest

from chalicelib.actions import choose_town
from chalicelib.actions import receive_message as receiving
from chalicelib.actions.receive_message import receive_message
from chalicelib.model import Account, Facts, Inbound, Line, Need, Refused, Say, Turn, Unavailable, Voice
from chalicelib.storage import secrets, tenants, views
from chalicelib.wire import CallFailed, Deadline, taps
from tests.meter import Meter
from tests.viber import callback, message
from tests.world import World

PERSON = "+381641234567"


def test_a_stranger_is_welcomed_in_the_answer_and_nothing_is_stored(world: World) -> None:
    user = {"id": "nova", "language": "de"}
    answer = world.calls({"event": "conversation_started", "type": "open", "user": user, "subscribed": False})
    assert answer["type"] == "text"
    assert "Stadt Primer" in answer["text"]
    assert answer["sender"] == {"name": "Grad Primer"}
    assert {"receiver", "auth_token"} & set(answer) == set()
    assert world.conversation("nova") is None
    assert world.viber.asked == []


def test_pressing_a_deep_link_again_gets_the_menu_and_not_another_greeting(world: World) -> None:
    world.says("mira", "zdravo")
    event = {"event": "conversation_started", "type": "open", "user": {"id": "mira"}, "subscribed": True}
    for _ in range(5):
        assert "Izaberite uslugu" in world.calls(event)["text"]
    assert len(world.viber.sent) == 1


@pytest.mark.parametrize(
    "content",
    [
        {"type": "text", "text": "ђ" * 7000},
        {"type": "text", "text": "😀"},
        {"type": "sticker", "sticker_id": 46105},
        {"type": "file", "media": "https://m.example/zahtev.pdf", "file_name": "zahtev.pdf", "size": 90211},
        {"type": "voice", "media": "https://m.example/x.ogg"},
        {"type": "picture", "media": "https://m.example/i.jpg", "text": "rupa"},
        {"type": "location", "location": {"lat": 45.77, "lon": 19.11}},
        {"type": "contact", "contact": {"phone_number": "38761000111"}},
        {},
        {"type": "text", "text": "<script>alert(1)</script> {{7*7}} %s"},
    ],
)
def test_whatever_a_citizen_sends_is_answered_with_a_next_step(world: World, content: dict[str, Any]) -> None:
    assert world.calls(message("mira", **content)) == {}
    (body,) = world.viber.sent
    assert body["text"]
    assert body["keyboard"]["Buttons"]


def test_an_unknown_event_is_taken_and_kept_for_people_to_look_at(world: World) -> None:
    assert world.calls({"event": "something_new", "message_token": 5}) == {}
    (row,) = views.owed(world.slug)
    assert (row["kind"], row["state"]) == ("odd", "dead")


def test_unknown_accounts_are_404_and_big_bodies_413(world: World) -> None:
    for request, status in ((callback(world.token, b" " * 300_000), 413),):
        with pytest.raises(Refused) as refused:
            world.takes(request)
        assert refused.value.status == status
    from chalicelib.actions.viber_callback import take_callback

    for name in ("nobody", "../x", "", "UPPER"):
        with pytest.raises(Refused) as refused:
            take_callback(name, callback(world.token, b"{}"), world.now, "h")
        assert refused.value.status == 404


@pytest.mark.shows("R2")
def test_a_bug_in_a_step_parks_the_message_apologises_and_loses_nothing(world: World) -> None:
    def broken(*_: Any) -> Turn:
        raise ZeroDivisionError

    inbound = Inbound(id="message:1", citizen="mira", text="moj problem")
    receive_message(inbound, world.account, world.now, "h", Deadline(5), step=broken)
    assert "greške na našoj strani" in world.viber.texts()[0]
    (row,) = views.owed(world.slug)
    assert (row["kind"], row["error"]) == ("parked", "ZeroDivisionError")


def test_a_step_may_ask_the_world_once_and_is_stepped_again_with_the_answer(world: World) -> None:
    asked: list[Need] = []

    def step(town: Any, conversation: Any, inbound: Any, facts: Facts) -> Turn | Need:
        if "queue" not in facts.found:
            return Need(("queue",))
        return Turn((Say((Line("raw", {"text": f"ispred vas: {facts.found['queue']}"}),)),), Voice("sr"))

    def load(need: Need, *_: Any) -> dict[str, Any]:
        asked.append(need)
        return {"queue": 3}

    inbound = Inbound(id="message:2", citizen="mira", text="operater")
    receive_message(inbound, world.account, world.now, "h", Deadline(5), step=step, load_facts=load)
    assert world.viber.texts() == ["ispred vas: 3"]
    assert asked == [Need(("queue",))]


@pytest.mark.shows("F18", "R5")
def test_a_silent_store_stores_nothing_and_says_so_in_time(world: World) -> None:
    class Silence:
        def before(self, call: Any) -> None:
            if call.service == "dynamodb":
                raise CallFailed("silent", sent=False)

        def after(self, call: Any, reply: Any) -> None:
            return

    tap = Silence()
    taps.append(tap)
    try:
        with pytest.raises(Unavailable):
            world.calls(message("mira", "zdravo"))
    finally:
        taps.remove(tap)
    assert world.conversation("mira") is None


def test_leaving_ends_everything_owed_and_strangers_leave_no_trace(world: World) -> None:
    world.viber.otherwise = 503
    world.calls(message("mira", "zdravo"))
    world.calls({"event": "unsubscribed", "user_id": "mira"})
    world.calls({"event": "unsubscribed", "user_id": "niko"})
    conversation = world.conversation("mira")
    assert conversation is not None
    assert (conversation.subscribed, conversation.lane) == (False, ())
    assert world.conversation("niko") is None


def test_a_bot_of_two_towns_asks_which_one_and_keeps_them_apart(aws: Any, town_slug: str, viber: Any) -> None:
    other = f"{town_slug}-b"
    world = World(town_slug, viber, other)
    opened = world.calls({"event": "conversation_started", "user": {"id": "mira"}})
    assert [button["ActionBody"] for button in opened["keyboard"]["Buttons"]] == [
        f"~1:town.{town_slug}",
        f"~1:town.{other}",
    ]
    assert "Izaberite grad" in world.says("mira", "zdravo")[0]
    assert "Izaberite grad" in world.says("mira", "izvod rođenih")[0]
    assert "Ja sam PRIMA" in world.says("mira", f"~1:town.{town_slug}")[0]
    assert "Izvod iz matične knjige rođenih" in world.says("mira", "izvod rođenih")[0]
    world.says("mira", f"~1:town.{other}")
    second = world.conversation("mira")
    assert second is not None
    assert (second.town, len(second.log)) == (other, 2)


def test_a_deep_link_picks_the_town_of_a_shared_bot(aws: Any, town_slug: str, viber: Any) -> None:
    other = f"{town_slug}-b"
    world = World(town_slug, viber, other)
    event = {"event": "conversation_started", "user": {"id": "mira"}, "context": f"{other}.abc"}
    for _ in range(2):
        assert "Ja sam PRIMA" in world.calls(event)["text"]
    world.says("mira", "radno vreme")
    conversation = world.conversation("mira")
    assert conversation is not None
    assert (conversation.town, len(conversation.log)) == (other, 2)


@pytest.mark.shows("A12")
def test_no_word_number_name_or_token_enters_the_log(
    world: World, caplog: pytest.LogCaptureFixture, capsys: Any
) -> None:
    caplog.set_level(logging.DEBUG)
    said = f"zovem se Ćirilo Proba, moj broj je {PERSON}, JMBG 0101990660019"
    world.viber.script = [500, {"status": 3}, b"<html>"]
    for text in (said, said + "!", said + "?"):
        world.calls(message("citizen-of-the-log-test", text))
    with pytest.raises(Refused):
        world.takes(callback("wrong", message("citizen-of-the-log-test", said)))
    out = capsys.readouterr()
    written = caplog.text + out.out + out.err + json.dumps([record.__dict__ for record in caplog.records], default=str)
    for secret in (PERSON, "Ćirilo", "0101990660019", world.token, "citizen-of-the-log-test", "test-key"):
        assert secret not in written
    assert receiving.TURN_SECONDS <= 3.5


def test_a_slips_link_picks_its_town_of_a_shared_bot_by_number(aws: Any, town_slug: str, viber: Any) -> None:
    other = f"{town_slug}-b"
    world = World(town_slug, viber, other)
    shared = Account("viber", town_slug, (town_slug, other), {}, {town_slug: 9001, other: 9002})
    tenants.save_account(shared)
    world.warm()
    secret = "k" * 24
    for link in (f"9002.{secret}", "9002"):
        assert choose_town.named(shared, Inbound(id="1", citizen="mira", event="started", context=link)) == other
    assert choose_town.named(shared, Inbound(id="1", citizen="mira", context="9003.x")) is None
    welcome = world.calls({"event": "conversation_started", "user": {"id": "mira"}, "context": f"9002.{secret}"})
    assert "iskorišćena ili je istekla" in welcome["text"]
    stored = world.conversation("mira")
    assert stored is not None
    assert stored.town == other
    assert "iskorišćena" in world.says("jovo", f"~1:bind.9002.{secret}")[0]
    pressed = world.conversation("jovo")
    assert pressed is not None
    assert pressed.town == other


def test_publishing_a_town_writes_its_number_beside_those_of_the_others(aws: Any, town_slug: str, viber: Any) -> None:
    World(town_slug, viber, f"{town_slug}-b")
    record = tenants.account("viber", town_slug, Deadline(20))
    assert record is not None
    assert dict(record.numbers) == {town_slug: 9001, f"{town_slug}-b": 9001}


# --- the token -----------------------------------------------------------------------------------------------------


def _new_token(world: World, monkeypatch: pytest.MonkeyPatch, minutes_ago: int) -> None:
    """The town's token was changed at Viber and in the Parameter Store; this process knows the old one so long."""
    name = secrets.parameter(f"accounts/{world.slug}/viber-token")
    boto3.client("ssm").put_parameter(Name=name, Type="SecureString", Value="rotated", Overwrite=True)
    world.viber.token = "rotated"
    later = time.monotonic() + minutes_ago * 60
    monkeypatch.setattr(secrets.time, "monotonic", lambda: later)


def test_a_token_that_no_longer_fits_is_read_anew_and_the_message_answered(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.says("mira", "zdravo")
    _new_token(world, monkeypatch, minutes_ago=6)
    world.takes(callback("rotated", message("mira", "radno vreme")))
    assert len(world.viber.texts("mira")) == 2


def test_whoever_forges_signatures_makes_us_read_the_token_once_in_five_minutes_at_most(
    world: World, meter: Meter, monkeypatch: pytest.MonkeyPatch
) -> None:
    _new_token(world, monkeypatch, minutes_ago=6)
    meter.reset()
    for _ in range(20):
        with pytest.raises(Refused):
            world.takes(callback("forged", message("mira", "zdravo")))
    assert [operation for operation in meter.operations if operation.startswith("ssm")] == ["ssm.GetParameter"]
