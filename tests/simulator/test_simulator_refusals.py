"""The simulator refuses what Viber refuses, with Viber's own status."""

import json
from typing import Any

import pytest

from infra.local.simulator import Citizen, Simulator
from tests.simulator.bot import ACCOUNT, TOKEN, Bot, Call, keyboard, request, text_to

HOUR = 3600
NOON = 1_763_722_800.0  # a full hour, so that tests know when the next one begins
PICTURE = "https://media.example.org/a/rupa.jpg?signature=1"
VIDEO = "https://media.example.org/a/clip.mp4"
PAPER = "https://media.example.org/a/zahtjev.pdf"


def button(**fields: Any) -> dict[str, Any]:
    return {"ActionBody": "x", "Text": "X", **fields}


GOOD: dict[str, dict[str, Any]] = {
    "a text of 7,000 Cyrillic letters": {"text": "ш" * 7000},
    "a picture with an empty caption": {"type": "picture", "media": PICTURE, "text": ""},
    "a video": {"type": "video", "media": VIDEO, "size": 27_262_976, "duration": 180},
    "a paper": {"type": "file", "media": PAPER, "size": 52_428_800, "file_name": "zahtjev.pdf"},
    "a contact": {"type": "contact", "contact": {"name": "Šalter", "phone_number": "+38125468000"}},
    "a place on the edge": {"type": "location", "location": {"lat": -90, "lon": 180}},
    "a link": {"type": "url", "media": "https://www.example.org/obrazac"},
    "a sticker": {"type": "sticker", "sticker_id": 46105},
    "a keyboard": {"keyboard": keyboard(button(Columns=3, Rows=2), button(Columns=3))},
    "a location button at level 3": {"min_api_version": 3, "keyboard": keyboard(button(ActionType="location-picker"))},
    "an input field's state at level 4": {"min_api_version": 4, "keyboard": keyboard(InputFieldState="hidden")},
    "twelve rows of two": {"keyboard": keyboard(*[button(Columns=3)] * 24)},
    "a carousel": {
        "type": "rich_media",
        "min_api_version": 2,
        "rich_media": {"Type": "rich_media", "ButtonsGroupRows": 7, "Buttons": [button(Rows=7), button(Rows=7)]},
    },
}

BAD: dict[str, tuple[dict[str, Any], int]] = {
    "no receiver": ({"receiver": ...}, 4),
    "a receiver that is a number": ({"receiver": 7}, 3),
    "no text": ({"text": ...}, 4),
    "an empty text": ({"text": ""}, 3),
    "7,001 characters": ({"text": "a" * 7001}, 3),
    "no sender": ({"sender": ...}, 4),
    "a sender without a name": ({"sender": {}}, 4),
    "a sender's name of 29 characters": ({"sender": {"name": "n" * 29}}, 3),
    "an avatar that is null": ({"sender": {"name": "n", "avatar": None}}, 3),
    "a keyboard that is null": ({"keyboard": None}, 3),
    "tracking data of 4,001 characters": ({"tracking_data": "t" * 4001}, 3),
    "tracking data as an object": ({"tracking_data": {}}, 3),
    "a level as a text": ({"min_api_version": "3"}, 3),
    "an unknown type": ({"type": "voice"}, 3),
    "no type and no keyboard": ({"type": ...}, 4),
    "a picture without its ending": ({"type": "picture", "media": "https://example.org/a/rupa?x=a.jpg"}, 3),
    "a picture without a caption": ({"type": "picture", "media": PICTURE, "text": ...}, 4),
    "a caption of 513 characters": ({"type": "picture", "media": PICTURE, "text": "c" * 513}, 3),
    "a picture that is no address": ({"type": "picture", "media": "rupa.jpg"}, 3),
    "a video without its size": ({"type": "video", "media": VIDEO}, 4),
    "a video over 26 MB": ({"type": "video", "media": VIDEO, "size": 27_262_977}, 3),
    "a video of 181 seconds": ({"type": "video", "media": VIDEO, "size": 1, "duration": 181}, 3),
    "a paper over 50 MB": ({"type": "file", "media": PAPER, "size": 52_428_801, "file_name": "a.pdf"}, 3),
    "a paper without a name": ({"type": "file", "media": PAPER, "size": 1}, 4),
    "a paper's name without an ending": ({"type": "file", "media": PAPER, "size": 1, "file_name": "zahtjev"}, 3),
    "a program": ({"type": "file", "media": PAPER, "size": 1, "file_name": "zahtjev.EXE"}, 3),
    "a contact's long number": ({"type": "contact", "contact": {"name": "n", "phone_number": "1" * 19}}, 3),
    "a place beyond the pole": ({"type": "location", "location": {"lat": 90.1, "lon": 0}}, 3),
    "a place as texts": ({"type": "location", "location": {"lat": "45", "lon": "19"}}, 3),
    "a link over 2,000 characters": ({"type": "url", "media": "https://example.org/" + "a" * 2000}, 3),
    "a keyboard without Type": ({"keyboard": {"Buttons": [button()]}}, 3),
    "a keyboard without buttons": ({"keyboard": {"Type": "keyboard", "Buttons": []}}, 3),
    "a keyboard as a text": ({"keyboard": "{}"}, 3),
    "a button without ActionBody": ({"keyboard": keyboard({"Text": "X"})}, 3),
    "a button of seven columns": ({"keyboard": keyboard(button(Columns=7))}, 3),
    "a button of three rows": ({"keyboard": keyboard(button(Rows=3))}, 3),
    "thirteen rows": ({"keyboard": keyboard(*[button()] * 13)}, 3),
    "twenty-five buttons": ({"keyboard": keyboard(*[button(Columns=1)] * 25)}, 3),
    "a colour by name": ({"keyboard": keyboard(button(BgColor="red"))}, 3),
    "an action Viber does not know": ({"keyboard": keyboard(button(ActionType="call"))}, 3),
    "a link button without a link": ({"keyboard": keyboard(button(ActionType="open-url"))}, 3),
    "a carousel as a text": ({"type": "rich_media", "min_api_version": 2, "rich_media": "{}"}, 3),
    "a location button at level 1": ({"keyboard": keyboard(button(ActionType="location-picker"))}, 14),
    "a share-phone button at level 2": (
        {"min_api_version": 2, "keyboard": keyboard(button(ActionType="share-phone"))},
        14,
    ),
    "an input field's state at level 3": ({"min_api_version": 3, "keyboard": keyboard(InputFieldState="hidden")}, 14),
    "a font size at level 3": (
        {"min_api_version": 3, "keyboard": keyboard(button(Text='<font size="12">a</font>'))},
        14,
    ),
    "a frame at level 4": ({"min_api_version": 4, "keyboard": keyboard(button(Frame={"BorderWidth": 1}))}, 14),
}


def changed(message: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in {**message, **changes}.items() if value is not ...}


@pytest.mark.parametrize("changes", GOOD.values(), ids=GOOD.keys())
def test_a_proper_message_is_accepted_and_shown(
    changes: dict[str, Any], viber: Simulator, mira: Citizen, call: Call
) -> None:
    answer = call("send_message", changed(text_to(mira.id), changes))
    assert answer.status == 0, answer.json
    assert len(str(answer.json["message_token"])) == 19
    assert len(mira.messages) == 1
    assert viber.messages(receiver=mira.id)[0].problems == ()


@pytest.mark.parametrize(("changes", "status"), BAD.values(), ids=BAD.keys())
def test_an_improper_message_is_refused_and_explained(
    changes: dict[str, Any], status: int, viber: Simulator, mira: Citizen, call: Call
) -> None:
    answer = call("send_message", changed(text_to(mira.id), changes))
    assert (answer.code, answer.status) == (200, status), answer.json
    assert "message_token" not in answer.json
    [entry] = viber.ledger.read()
    assert not entry.accepted
    assert status in [problem.status for problem in entry.problems]
    assert mira.messages == []


@pytest.mark.parametrize(
    "body", [b"", b"not json", b"[1]", b'{"type": NaN}', b'{"type": "\xff"}', b"[" * 5000], ids=range(6)
)
def test_a_body_that_is_no_object_is_bad_data(body: bytes, call: Call) -> None:
    assert call("send_message", body).status == 3


@pytest.mark.parametrize(("size", "status"), [(29_999, 0), (30_000, 3)])
def test_a_request_must_stay_below_30000_bytes_on_the_wire(size: int, status: int, mira: Citizen, call: Call) -> None:
    body = json.dumps(text_to(mira.id)).encode()
    assert call("send_message", body.ljust(size)).status == status


def test_a_keyboard_may_travel_without_a_message(mira: Citizen, call: Call) -> None:
    assert call("send_message", {"receiver": mira.id, "sender": {"name": "P"}, "keyboard": keyboard()}).status == 0
    assert (mira.messages, mira.buttons) == ([], ["Meni"])


def test_a_field_viber_does_not_know_is_remarked_upon_but_passes(viber: Simulator, mira: Citizen, call: Call) -> None:
    assert call("send_message", text_to(mira.id, keyboard=keyboard(Colour="#ffffff"))).status == 0
    assert "keyboard.Colour" in viber.ledger.read()[0].problems[0].says


# --- whose call it is -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("token", [None, "", "another-token", TOKEN.upper()])
def test_a_wrong_token_is_refused(token: str | None, viber: Simulator, mira: Citizen, call: Call) -> None:
    assert call("send_message", text_to(mira.id), token).status == 2
    assert mira.messages == []
    assert not viber.ledger.read()[0].accepted


def test_a_token_in_the_body_works_but_is_remarked_upon_and_never_kept(
    viber: Simulator, mira: Citizen, call: Call
) -> None:
    assert call("send_message", text_to(mira.id, auth_token=TOKEN), None).status == 0
    [entry] = viber.ledger.read()
    assert "X-Viber-Auth-Token" in entry.problems[0].says
    assert TOKEN not in request(f"{viber.url}/ledger").raw.decode()


def test_without_given_tokens_every_account_has_one_by_rule(bot: Bot) -> None:
    with Simulator(bot.url) as viber:
        zora = viber.citizen("druga-proba", subscribed=True)
        body, header = json.dumps(text_to(zora.id)).encode(), {"X-Viber-Auth-Token": "local-viber-token-druga-proba"}
        assert request(f"{viber.api_url}/send_message", body, header).status == 0
        assert request(f"{viber.api_url}/send_message", body, {"X-Viber-Auth-Token": "druga-proba"}).status == 2


def test_a_citizen_of_one_account_is_nobody_at_another(bot: Bot) -> None:
    with Simulator(bot.url) as viber:
        zora = viber.citizen("prva", subscribed=True)
        header = {"X-Viber-Auth-Token": "local-viber-token-druga"}
        assert request(f"{viber.api_url}/send_message", json.dumps(text_to(zora.id)).encode(), header).status == 5


# --- who can be reached -----------------------------------------------------------------------------------------------


def test_only_subscribers_can_be_written_to(viber: Simulator, call: Call) -> None:
    zora = viber.citizen(ACCOUNT)
    zora.opens()
    assert call("send_message", text_to(zora.id)).status == 6
    zora.says("Dobar dan")
    assert call("send_message", text_to(zora.id)).status == 0
    zora.unsubscribes()
    assert call("send_message", text_to(zora.id)).status == 6
    zora.subscribes()
    assert call("send_message", text_to(zora.id)).status == 0
    assert call("send_message", text_to("nobody==")).status == 5


def test_an_old_app_is_told_apart_from_a_level_that_was_not_stated(viber: Simulator, call: Call) -> None:
    old = viber.citizen(ACCOUNT, api_version=2, subscribed=True)
    assert call("send_message", text_to(old.id, min_api_version=3)).status == 13
    assert call("send_message", text_to(old.id, min_api_version=2)).status == 0


def test_the_101st_message_without_a_reply_in_a_clock_hour_is_too_many(bot: Bot) -> None:
    now = [NOON + 10]
    with Simulator(bot.url, {ACCOUNT: TOKEN}, clock=lambda: now[0]) as viber:
        mira = viber.citizen(ACCOUNT, subscribed=True)

        def send() -> int:
            raw = json.dumps(text_to(mira.id)).encode()
            return json.loads(viber.api.handle("send_message", TOKEN, raw).body)["status"]  # type: ignore[no-any-return]

        assert [send() for _ in range(101)] == [0] * 100 + [12]
        mira.says("hvala")
        assert [send() for _ in range(101)] == [0] * 100 + [12]
        now[0] = NOON + HOUR
        assert send() == 0


def test_a_session_is_free_for_24_hours_and_then_costs(bot: Bot) -> None:
    now = [NOON]
    with Simulator(bot.url, {ACCOUNT: TOKEN}, clock=lambda: now[0]) as viber:
        mira = viber.citizen(ACCOUNT, subscribed=True)

        def billing() -> int:
            raw = json.dumps(text_to(mira.id)).encode()
            answer: dict[str, Any] = json.loads(viber.api.handle("send_message", TOKEN, raw).body)
            return int(answer["billing_status"])

        assert billing() == 5
        mira.says("Dobar dan")
        assert billing() == 2
        now[0] += 24 * HOUR - 1
        mira.says("Još nešto")  # does not open a new session
        assert billing() == 2
        now[0] += 1
        assert billing() == 5
        viber.behave(ACCOUNT, billable=False)
        assert billing() == 3


# --- the other calls --------------------------------------------------------------------------------------------------


def test_a_broadcast_reaches_at_most_300_and_lists_who_cannot_be_reached(viber: Simulator, call: Call) -> None:
    people = [viber.citizen(ACCOUNT, f"p{n}", subscribed=n > 0) for n in range(299)]
    ids = [one.id for one in people] + ["nobody=="]
    message = {key: value for key, value in text_to("").items() if key != "receiver"}
    answer = call("broadcast_message", {**message, "broadcast_list": ids}).json
    assert answer["status"] == 0
    assert [(one["receiver"], one["status"]) for one in answer["failed_list"]] == [(people[0].id, 6), ("nobody==", 5)]
    assert sum(len(one.messages) for one in people) == 298
    assert len({one.thread[0].token for one in people[1:]}) == 1
    assert call("broadcast_message", {**message, "broadcast_list": [*ids, "x"]}).status == 3
    assert call("broadcast_message", message).status == 4


def test_a_broadcast_fills_in_its_placeholders_for_each_receiver(viber: Simulator, mira: Citizen, call: Call) -> None:
    text = "replace_me_with_user_name replace_me_with_receiver_id replace_me_with_url_encoded_receiver_id"
    body = {"type": "text", "text": text, "sender": {"name": "P"}, "broadcast_list": [mira.id]}
    assert call("broadcast_message", body).status == 0
    name, plain, encoded = mira.texts[0].split(" ")
    assert (name, plain) == ("Mira", mira.id)
    assert "/" not in encoded and "=" not in encoded


def test_details_of_one_person_are_told_twice_in_twelve_hours(mira: Citizen, call: Call) -> None:
    answers = [call("get_user_details", {"id": mira.id}) for _ in range(3)]
    assert [answer.status for answer in answers] == [0, 0, 12]
    assert answers[0].json["user"]["api_version"] == 10


def test_presence_is_told_for_a_hundred_people_at_once(mira: Citizen, call: Call) -> None:
    answer = call("get_online", {"ids": [mira.id, "nobody=="]}).json
    assert [one["online_status"] for one in answer["users"]] == [0, 4]
    assert call("get_online", {"ids": ["x"] * 101}).status == 3


def test_set_webhook_calls_the_new_address_before_it_answers(viber: Simulator, bot: Bot, call: Call) -> None:
    url = f"{bot.url}/elsewhere/{ACCOUNT}"
    answer = call("set_webhook", {"url": url, "event_types": ["seen"], "send_name": True}).json
    assert answer["status"] == 0
    assert {"message", "subscribed", "unsubscribed", "seen"} <= set(answer["event_types"])
    assert [(one.path, one.event["event"]) for one in bot.heard] == [(f"/elsewhere/{ACCOUNT}", "webhook")]
    assert call("get_account_info", {}).json["webhook"] == url


def test_set_webhook_fails_and_keeps_the_old_address_when_the_new_one_does_not_answer_200(
    viber: Simulator, bot: Bot, call: Call
) -> None:
    before = call("get_account_info", {}).json["webhook"]
    bot.answers = lambda heard: (419, b"")
    answer = call("set_webhook", {"url": f"{bot.url}/new"}).json
    assert (answer["status"], "419" in answer["status_message"]) == (1, True)
    assert "status_message" not in call("set_webhook", {"url": "http://127.0.0.1:9/nobody-there"}).json
    assert call("set_webhook", {"url": "http://town.example/viber"}).status == 1
    assert call("get_account_info", {}).json["webhook"] == before


def test_without_a_webhook_nothing_can_be_sent(viber: Simulator, mira: Citizen, bot: Bot, call: Call) -> None:
    answer = call("set_webhook", {"url": ""}).json
    assert (answer["status"], "event_types" in answer) == (0, False)
    assert call("send_message", text_to(mira.id)).status == 10
    assert mira.says("čuje li me ko") is None
    assert bot.heard == []


# --- what only the app notices ----------------------------------------------------------------------------------------


def test_a_carousel_that_does_not_fit_is_accepted_and_then_fails(
    viber: Simulator, mira: Citizen, bot: Bot, call: Call
) -> None:
    cards = {"Type": "rich_media", "ButtonsGroupColumns": 3, "ButtonsGroupRows": 2, "Buttons": [button(Columns=4)]}
    answer = call("send_message", text_to(mira.id, type="rich_media", min_api_version=2, rich_media=cards)).json
    assert answer["status"] == 0
    viber.callbacks.wait("failed", 1, timeout=2)
    [failed] = bot.events("failed")
    assert failed["message_token"] == answer["message_token"]
    assert failed["user_id"] == mira.id and "does not fit" in failed["desc"]


def test_media_the_app_cannot_fetch_or_finds_too_large_fails_later(
    viber: Simulator, mira: Citizen, bot: Bot, call: Call
) -> None:
    large = viber.media.keep("rupa.jpg", b"\xff" * 1_048_577)
    dead = viber.media.keep("rupa.jpg", b"\xff", life_s=0)
    for media in (large, dead):
        assert call("send_message", text_to(mira.id, type="picture", media=media, text="")).status == 0
    viber.callbacks.wait("failed", 2, timeout=2)
    assert sorted(one["desc"] for one in bot.events("failed")) == [
        "media answers HTTP 404",
        "media has more than 1048576 bytes",
    ]
