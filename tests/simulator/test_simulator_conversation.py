"""A citizen in the simulator does what a citizen with Viber does, and sees what Viber would show."""

from typing import Any

import pytest

from infra.local.simulator import Citizen, Simulator
from tests.simulator.bot import ACCOUNT, Bot, Call, keyboard, text_to

WELCOME = {"type": "text", "text": "Dobro došli", "sender": {"name": "Grad Proba"}, "keyboard": keyboard()}


def test_the_answer_to_an_opened_chat_is_shown_as_the_welcome(viber: Simulator, bot: Bot) -> None:
    bot.welcomes_with(WELCOME)
    zora = viber.citizen(ACCOUNT)
    zora.opens(context="lnk.7fQ2")
    [event] = bot.events()
    assert (event["type"], event["context"], event["subscribed"]) == ("open", "lnk.7fQ2", False)
    assert (zora.texts, zora.buttons) == (["Dobro došli"], ["Meni"])
    assert [entry.method for entry in viber.messages(receiver=zora.id)] == ["welcome"]
    assert not zora.subscribed


def test_a_plain_open_carries_no_context(viber: Simulator, bot: Bot) -> None:
    viber.citizen(ACCOUNT).opens()
    assert "context" not in bot.events()[0]


@pytest.mark.parametrize("answer", ["ok", [], {"type": "text"}, {**WELCOME, "min_api_version": 11}])
def test_a_welcome_that_is_no_proper_message_is_not_shown(answer: Any, viber: Simulator, bot: Bot) -> None:
    bot.welcomes_with(answer)
    zora = viber.citizen(ACCOUNT)
    zora.opens()
    assert zora.messages == []
    assert [(entry.method, entry.accepted) for entry in viber.ledger.read()] == [("welcome", False)]


def test_a_token_in_the_welcome_is_remarked_upon(viber: Simulator, bot: Bot) -> None:
    bot.welcomes_with({**WELCOME, "auth_token": "secret"})
    viber.citizen(ACCOUNT).opens()
    assert "auth_token" in viber.ledger.read()[0].problems[0].says


def test_the_first_message_subscribes_without_an_event_of_its_own(viber: Simulator, bot: Bot) -> None:
    zora = viber.citizen(ACCOUNT)
    zora.says("Добар дан")
    assert zora.subscribed
    assert [event["event"] for event in bot.events()] == ["message"]


def test_names_travel_only_when_the_webhook_asked_for_them(viber: Simulator, bot: Bot, call: Call) -> None:
    zora = viber.citizen(ACCOUNT, name="Zora")
    zora.says("a")
    call("set_webhook", {"url": f"{bot.url}/viber/{ACCOUNT}", "send_name": True})
    zora.says("b")
    senders = [event["sender"] for event in bot.events("message")]
    assert [sender.get("name") for sender in senders] == [None, "Zora"]
    assert all("avatar" not in sender and sender["id"] == zora.id for sender in senders)


def test_every_type_of_message_has_its_fields(viber: Simulator, mira: Citizen, bot: Bot) -> None:
    mira.sends_picture(text="rupa na putu")
    mira.sends_video()
    mira.sends_file(file_name="zahtjev.pdf")
    mira.sends_sticker()
    mira.sends_location(45.7733, 19.1151)
    mira.sends_contact()
    mira.sends_unknown("voice")
    mira.says(" https://www.example.org/obrazac ")
    messages = [event["message"] for event in bot.events("message")]
    assert [message["type"] for message in messages] == [
        "picture", "video", "file", "sticker", "location", "contact", "voice", "url",
    ]  # fmt: skip
    picture, video, paper, sticker, place, contact, _, link = messages
    assert picture["text"] == "rupa na putu" and picture["media"].endswith("/photo.jpg")
    assert video["size"] > 0 and video["duration"] > 0
    assert (paper["file_name"], paper["size"]) == ("zahtjev.pdf", viber.media.size_of(paper["media"]))
    assert sticker["sticker_id"] == "46105" and "text" not in sticker
    assert place["location"] == {"lat": 45.7733, "lon": 19.1151}
    assert contact["contact"]["phone_number"].isdigit()
    assert link["media"] == "https://www.example.org/obrazac"
    assert all(message["tracking_data"] == "" for message in messages)


def test_buttons_do_what_their_action_says(mira: Citizen, bot: Bot, call: Call) -> None:
    link = "https://www.example.org"
    buttons = keyboard(
        {"ActionBody": "v1|act:menu", "Text": "<b>Meni</b> &amp; sve", "Silent": True},
        {"ActionBody": "loc.report", "Text": "Lokacija", "ActionType": "location-picker"},
        {"ActionBody": "share.self", "Text": "Broj", "ActionType": "share-phone"},
        {"ActionBody": link, "Text": "Sajt", "ActionType": "open-url"},
        {"ActionBody": "nothing", "Text": "—", "ActionType": "none"},
    )
    call("send_message", text_to(mira.id, min_api_version=3, keyboard=buttons))
    mira.presses("Meni  & sve")
    mira.presses("Lokacija", latitude=45.1, longitude=19.2)
    mira.presses("share.self")
    mira.presses("Sajt")
    assert mira.presses("—") is None
    menu, place, number, site = bot.events("message")
    assert (menu["message"]["text"], menu["silent"]) == ("v1|act:menu", True)
    assert (place["message"]["location"], place["message"]["text"]) == ({"lat": 45.1, "lon": 19.2}, "loc.report")
    assert number["message"]["contact"]["phone_number"] == mira.phone_number
    assert number["message"]["text"] == "share.self"
    assert (site["message"]["text"], site["silent"]) == (link, False)
    with pytest.raises(LookupError, match="Nema ga"):
        mira.presses("Nema ga")


def test_a_desktop_has_neither_place_nor_number_to_share(viber: Simulator, call: Call) -> None:
    zora = viber.citizen(ACCOUNT, device="desktop", subscribed=True)
    place = {"ActionBody": "loc", "Text": "Lokacija", "ActionType": "location-picker"}
    call("send_message", text_to(zora.id, min_api_version=3, keyboard=keyboard(place)))
    with pytest.raises(LookupError, match="desktop"):
        zora.presses("Lokacija")


def test_a_message_without_a_keyboard_takes_the_one_before_away(mira: Citizen, call: Call) -> None:
    call("send_message", text_to(mira.id, keyboard=keyboard()))
    assert mira.buttons == ["Meni"]
    call("send_message", text_to(mira.id))
    assert mira.buttons == []


def test_tracking_data_comes_back_until_the_citizen_subscribes_anew(mira: Citizen, bot: Bot, call: Call) -> None:
    call("send_message", text_to(mira.id, tracking_data="v1.status"))
    mira.says("a")
    mira.unsubscribes()
    mira.subscribes()
    mira.says("b")
    assert [event["message"]["tracking_data"] for event in bot.events("message")] == ["v1.status", ""]


def test_leaving_tells_only_the_id(mira: Citizen, bot: Bot) -> None:
    mira.unsubscribes()
    [event] = bot.events("unsubscribed")
    assert event["user_id"] == mira.id and "user" not in event


def test_each_device_reports_delivery_and_one_look_reports_a_whole_burst(
    viber: Simulator, bot: Bot, call: Call
) -> None:
    viber.behave(report_delivered=True, report_seen=True)
    zora = viber.citizen(ACCOUNT, devices=2, subscribed=True)
    tokens = [call("send_message", text_to(zora.id)).json["message_token"] for _ in range(3)]
    viber.callbacks.wait("delivered", 6, timeout=2)
    viber.callbacks.wait("seen", 1, timeout=2)
    assert sorted(event["message_token"] for event in bot.events("delivered")) == sorted(tokens * 2)
    assert [(event["message_token"], event["user_id"]) for event in bot.events("seen")] == [(tokens[-1], zora.id)]


def test_receipts_nobody_asked_for_are_not_sent(viber: Simulator, mira: Citizen, bot: Bot, call: Call) -> None:
    viber.behave(ACCOUNT, report_delivered=True)
    call("set_webhook", {"url": f"{bot.url}/viber/{ACCOUNT}", "event_types": []})
    call("send_message", text_to(mira.id))
    assert mira.reports("delivered", 1) is None
    assert mira.opens() is None
    assert bot.events("delivered") == []


def test_ids_hold_what_urls_and_keys_must_not(viber: Simulator) -> None:
    ids = [viber.citizen(ACCOUNT).id for _ in range(30)]
    assert len(set(ids)) == 30
    assert all("/" in one or "+" in one for one in ids)


def test_message_tokens_rise(viber: Simulator, mira: Citizen, call: Call) -> None:
    tokens = [call("send_message", text_to(mira.id)).json["message_token"] for _ in range(5)]
    assert tokens == sorted(set(tokens))
    shown = [entry.shown()["message_token"] for entry in viber.ledger.read()]
    assert shown == [str(token) for token in tokens]
