"""Everything Viber, or somebody who pretends to be Viber, may post. Numbers are those of the case list in
facts about the channel: envelope 1-21, sender 22-28, messages 29-51, chats 52-62, receipts 63-72."""

from __future__ import annotations

import hashlib
import hmac
import json
from typing import Any

import pytest

from chalicelib.channels import Request
from chalicelib.channels.viber import receive
from chalicelib.model import Account, Refused
from tests.viber import callback, message

ACCOUNT = Account("viber", "primer", ("primer",))
TOKEN = "test-token-0001-not-a-real-one"
EVENT = (
    b'{"event":"webhook","timestamp":1763700000000,"chat_hostname":"SN-CHAT-02_","message_token":6017000000000000001}'
)
DIGEST = "de06dc87810a7b5e94019f4149decd66d1c8f626511301c28fb4bbcfab4c9b88"


def received(event: Any) -> Any:
    body = event if isinstance(event, bytes) else json.dumps(event, ensure_ascii=False).encode("utf-8", "surrogatepass")
    return receive(callback(TOKEN, body), ACCOUNT, TOKEN)


def inbound(event: Any) -> Any:
    return received(event).inbound


@pytest.mark.shows("F6")
def test_the_published_signature_vector_verifies() -> None:
    assert receive(Request(EVENT, {"x-viber-content-signature": DIGEST}, {}), ACCOUNT, TOKEN).event == "webhook"


@pytest.mark.shows("F6")
@pytest.mark.parametrize("signature", [DIGEST.upper(), f" {DIGEST} "])
def test_hex_in_capitals_and_blanks_around_it_are_the_same_signature(signature: str) -> None:
    assert receive(Request(EVENT, {"x-viber-content-signature": signature}, {}), ACCOUNT, TOKEN).event == "webhook"


def test_the_signature_may_come_in_the_query_but_the_header_decides() -> None:
    assert receive(Request(EVENT, {}, {"sig": DIGEST}), ACCOUNT, TOKEN).event == "webhook"
    with pytest.raises(Refused):
        receive(Request(EVENT, {"x-viber-content-signature": "00"}, {"sig": DIGEST}), ACCOUNT, TOKEN)


@pytest.mark.shows("F6")
@pytest.mark.parametrize("signature", ["", "0", DIGEST[:-1], DIGEST[:-1] + "0", "ž" * 64, "x" * 5000])
def test_a_wrong_signature_is_refused_with_403(signature: str) -> None:
    with pytest.raises(Refused) as refused:
        receive(Request(EVENT, {"x-viber-content-signature": signature}, {}), ACCOUNT, TOKEN)
    assert refused.value.status == 403


@pytest.mark.shows("F6")
def test_a_reserialised_body_another_token_and_an_empty_token_are_refused() -> None:
    respelt = json.dumps(json.loads(EVENT)).encode()
    for body, token in ((respelt, TOKEN), (EVENT, "other")):
        with pytest.raises(Refused):
            receive(Request(body, {"x-viber-content-signature": DIGEST}, {}), ACCOUNT, token)
    empty = hmac.new(b"", EVENT, hashlib.sha256).hexdigest()
    with pytest.raises(Refused):
        receive(Request(EVENT, {"x-viber-content-signature": empty}, {}), ACCOUNT, "")


def test_a_body_over_the_limit_is_413() -> None:
    with pytest.raises(Refused) as refused:
        received(b" " * (256 * 1024 + 1))
    assert refused.value.status == 413


@pytest.mark.shows("B1", "B2", "B3", "B4", "B5", "B6", "B8", "B9", "B12")
@pytest.mark.parametrize(
    "body",
    [b"", b"null", b"[]", b'"x"', b"1", b"{", b"{}{}", b"\xff\xfe{", b"[" * 100_000, b'{"event":null}', b'{"event":7}']
    + [b'{"event":""}', b"NaN", b'[{"event":"message"}]', b"\xef\xbb\xbf{}", b"{\x00}", b'{"event":"message"}'],
)
def test_signed_nonsense_is_taken_and_dropped(body: bytes) -> None:
    assert inbound(body) is None


@pytest.mark.parametrize("event", ["client_status", "action", "unexpected", "x" * 5000])
def test_an_unknown_event_is_kept_as_odd(event: str) -> None:
    kept = received({"event": event, "message_token": 1})
    assert kept.odd
    assert kept.inbound is None


@pytest.mark.parametrize("event", ["webhook", "delivered", "seen", "failed"])
def test_what_concerns_nobodys_conversation_is_just_taken(event: str) -> None:
    for extra in ({}, {"user_id": "u"}, {"udid": None, "desc": "keyboard is not valid"}):
        taken = received({"event": event, "message_token": 6017000000000000101} | extra)
        assert (taken.inbound, taken.odd) == (None, False)


# --- sender -----------------------------------------------------------------------------------------------------


@pytest.mark.shows("B16", "B17")
@pytest.mark.parametrize(
    "sender", [None, {}, [], {"id": None}, {"id": ""}, {"id": 7}, {"id": "x" * 300}, {"id": "a#b"}]
)
def test_a_message_from_nobody_we_can_name_is_dropped(sender: Any) -> None:
    assert inbound(message("mira", "zdravo") | {"sender": sender}) is None


@pytest.mark.parametrize("citizen", ["bWlyYS10ZXN0LXVzZXItMQ==", "a/b+c=", "a b$", "ж" * 100, "x" * 256])
def test_any_other_id_is_kept_as_it_is(citizen: str) -> None:
    assert inbound(message(citizen, "zdravo")).citizen == citizen


@pytest.mark.parametrize("name", [None, "", "n" * 300, "\u202eabc", 7])
def test_names_do_not_matter(name: Any) -> None:
    event = message("mira", "zdravo")
    event["sender"] = {"id": "mira", "name": name, "Name": "x", "api_version": "seven", "language": 5}
    assert inbound(event).level == 1


@pytest.mark.shows("B38")
def test_group_chats_are_not_answered_but_an_empty_chat_id_is_a_normal_message() -> None:
    assert inbound(message("mira", "zdravo") | {"chat_id": "group"}) is None
    assert inbound(message("mira", "zdravo") | {"chat_id": None}).text == "zdravo"


# --- dedupe -----------------------------------------------------------------------------------------------------


def test_a_token_as_number_or_text_is_the_same_event_and_other_tokens_differ() -> None:
    event = message("mira", "zdravo")
    token = event["message_token"]
    assert inbound(event).id == inbound(event | {"message_token": str(token)}).id
    assert inbound(event).id != inbound(event | {"message_token": token + 1}).id
    assert str(token) in inbound(event).id


@pytest.mark.parametrize("token", [None, 6.017e18, True, "", "x" * 50])
def test_without_a_usable_token_the_bytes_decide(token: Any) -> None:
    first = {
        "event": "message",
        "sender": {"id": "mira"},
        "message": {"type": "text", "text": "a"},
        "message_token": token,
    }
    other = first | {"message": {"type": "text", "text": "b"}}
    assert inbound(first).id == inbound(first).id
    assert inbound(first).id != inbound(other).id


# --- messages ---------------------------------------------------------------------------------------------------


def test_seven_thousand_letters_or_emoji_are_kept_whole() -> None:
    assert inbound(message("mira", "ђ" * 7000)).text == "ђ" * 7000
    assert len(inbound(message("mira", "🚰" * 7000)).text) == 7000


@pytest.mark.parametrize("text", [None, "", "   ", "\n" * 10, 7, ["x"]])
def test_a_text_without_text_is_empty(text: Any) -> None:
    event = message("mira", "x")
    event["message"]["text"] = text
    assert inbound(event).kind == "empty"


def test_what_cannot_be_stored_is_replaced() -> None:
    body = json.dumps(message("mira", "a\ud83db\x00c")).encode()
    assert inbound(body).text == "a\ufffdb\ufffdc"


@pytest.mark.shows("B30", "B31")
def test_our_button_is_a_choice_an_old_one_the_menu_and_typed_words_are_words() -> None:
    assert inbound(message("mira", "~1:procedures.birth")).choice == "procedures.birth"
    assert inbound(message("mira", "~9:whatever")).choice == "menu"
    assert inbound(message("mira", "procedures.birth")).kind == "text"


@pytest.mark.parametrize("text", ["(like)", "(smiley) (like)"])
def test_emoji_written_as_words_are_no_words(text: str) -> None:
    assert inbound(message("mira", text)).kind == "sticker"


@pytest.mark.parametrize("kind", ["picture", "video", "file"])
def test_media_come_with_caption_and_without(kind: str) -> None:
    full = inbound(
        message("mira", type=kind, media="https://m.example/x.jpg", text="rupa", size=5, file_name="../a.pdf")
    )
    assert (full.kind, full.text, full.media.size) == ("attachment", "rupa", 5)
    assert ".." not in full.media.name
    assert "/" not in full.media.name
    bare = inbound(message("mira", type=kind, media="https://m.example/x.jpg", text=None, size="big"))
    assert (bare.kind, bare.media.size) == ("attachment", 0)
    assert inbound(message("mira", type=kind)).kind == "empty"


@pytest.mark.parametrize("place", [{"lat": 45.77, "lon": 19.1}, {"lat": "45.77", "lon": "19.1"}])
def test_a_place_may_be_numbers_or_text(place: dict[str, Any]) -> None:
    assert inbound(message("mira", type="location", location=place, text="loc")).place == (45.77, 19.1)


@pytest.mark.shows("B33")
@pytest.mark.parametrize(
    "place", [None, {}, {"lat": 123, "lon": 1}, {"lat": float("nan"), "lon": 1}, {"lat": "x", "lon": 1}]
)
def test_a_place_that_is_none_is_asked_again(place: Any) -> None:
    assert inbound(message("mira", type="location", location=place)).kind == "empty"


@pytest.mark.shows("B37")
@pytest.mark.parametrize("card", [None, {}, {"phone_number": "38761000111"}, {"name": "X", "phone_number": "+381 6"}])
def test_a_contact_card_never_becomes_a_phone_number(card: Any) -> None:
    taken = inbound(message("mira", type="contact", contact=card, text="share.self"))
    assert (taken.kind, taken.phone) == ("contact", "")


@pytest.mark.parametrize(
    ("text", "kind", "choice"),
    [("~1:share.abc", "contact", "share.abc"), ("~1:phone", "phone", ""), ("~1:menu", "contact", "")],
)
def test_a_card_that_came_by_one_of_our_buttons_for_it_keeps_its_number(text: str, kind: str, choice: str) -> None:
    taken = inbound(message("mira", type="contact", contact={"phone_number": "381641234567"}, text=text))
    assert (taken.kind, taken.choice) == (kind, choice)
    assert taken.phone == ("" if text == "~1:menu" else "+381641234567")


def test_stickers_links_and_unknown_types_are_told_apart() -> None:
    assert inbound(message("mira", type="sticker", sticker_id=46105)).kind == "sticker"
    link = inbound(message("mira", type="url", media="https://www.example.org/obrazac"))
    assert (link.kind, link.text) == ("link", "https://www.example.org/obrazac")
    for odd in ({"type": "voice"}, {"type": None}, {}, {"type": "rich_media", "rich_media": {}}, {"type": "keyboard"}):
        taken = received({"event": "message", "sender": {"id": "mira"}, "message": odd})
        assert taken.inbound.kind == "unsupported"
        assert taken.odd
    for broken in (None, [], "x"):
        assert received({"event": "message", "sender": {"id": "mira"}, "message": broken}).inbound.kind == "unsupported"


# --- chats ------------------------------------------------------------------------------------------------------


def test_an_opened_chat_carries_context_and_whether_the_person_follows() -> None:
    event = {"event": "conversation_started", "type": "open", "context": "lnk.7fQ2", "message_token": 2}
    opened = inbound(event | {"user": {"id": "mira", "language": "de"}, "subscribed": True})
    assert (opened.event, opened.context, opened.subscribed, opened.language_hint) == (
        "started",
        "lnk.7fQ2",
        True,
        "de",
    )
    inside = inbound(event | {"user": {"id": "mira", "subscribed": False}, "context": None})
    assert (inside.subscribed, inside.context) == (False, "")
    assert inbound(event | {"user": {"id": "mira"}, "context": "x" * 4096}).context == "x" * 400
    assert inbound(event) is None


def test_following_and_leaving_name_the_person_in_their_own_ways() -> None:
    assert inbound({"event": "subscribed", "user": {"id": "mira"}}).event == "subscribed"
    assert inbound({"event": "unsubscribed", "user_id": "mira"}).event == "unsubscribed"
    assert inbound({"event": "subscribed"}) is None
    assert inbound({"event": "unsubscribed"}) is None
