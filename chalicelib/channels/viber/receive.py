"""Viber's callbacks: signature first, on the raw bytes; then a parser that minds nothing but the citizen's id.

Viber repeats for an hour whatever is not answered with 200, so nothing genuine is refused: unknown events and types
come out as odd, broken ones as ignored.
"""

from __future__ import annotations

import hashlib
import hmac
import math
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from chalicelib import bounds
from chalicelib.channels import Received, Request, Sent
from chalicelib.channels.text import clean
from chalicelib.compact_json import from_json
from chalicelib.model import Account, Inbound, Media, Refused
from chalicelib.patterns import pattern

CITIZEN_BYTES_MAX = 256
TEXT_CHARS_MAX = 7000
CONTEXT_CHARS_MAX = 400
PHONE_CHARS_MAX = 24
LINK_CHARS_MAX = 2000
MEDIA_BYTES_TOLD_MAX = 2**40
SHARE = "share."  # a choice that shares the phone's own number
# An ActionBody of ours: version 1, whose button it is where the bot serves several towns, then a choice id.
_BUTTON = pattern(r"~1:(?:(?P<town>[a-z][a-z0-9-]{1,39}):)?(?P<choice>[a-z][\w.~-]{0,99})$")
_OF_NO_TOWN = ("town.", "towns")  # buttons that choose one
_OLD_BUTTON = pattern(r"~\d{1,3}:\S*$")
_EMOJI_WORD = pattern(r"(?:\s*\([a-z_]{2,20}\))+\s*$")  # old clients send (like), (smiley) for emoji
_RECEIPTS = frozenset({"delivered", "seen", "failed"})
TOKENS_KEPT_MAX = 512
TOKEN_MIN = 2**53  # Viber's ids of messages are larger: what is smaller was never one of ours
_MEDIA = {"picture": "photo", "video": "video", "file": "file"}


def action_body(choice: str, town: str) -> str:
    """What comes back when a button is pressed. `town`: whose it is, "" on a bot of one town."""
    whose = f"{town}:" if town and not choice.startswith(_OF_NO_TOWN) else ""
    return f"~1:{whose}{choice}"


def receive(request: Request, account: Account, token: str) -> Received:
    """What a callback means. Raises Refused 413 for a body over the limit, 403 for a wrong signature."""
    if len(request.body) > bounds.CALLBACK:
        raise Refused(413, "too_large", "A callback of this size is not Viber's.")
    check_signature(request, token)
    data = _decode(request.body)
    event = data.get("event")
    if not isinstance(event, str) or not event:
        return Received("none")
    if event in _RECEIPTS or event == "webhook":
        return Received(event, about=_receipt(data) if event in _RECEIPTS else None)
    if event in ("conversation_started", "subscribed", "unsubscribed"):
        return _about_chat(event, data, request.body)
    if event == "message":
        return _message(data, request.body)
    return Received(event[:40], odd=True)


def check_signature(request: Request, token: str) -> None:
    """HMAC-SHA256 of the raw body under the account's token, hex, in the header or else in `?sig=`."""
    given = request.headers.get("x-viber-content-signature") or request.query.get("sig") or ""
    signed = _signer(token).copy()
    signed.update(request.body)
    wanted = signed.hexdigest().encode()
    if not token or not hmac.compare_digest(given.strip().lower().encode("utf-8", "replace"), wanted):
        raise Refused(403, "bad_signature", "The signature does not fit the body.")


@lru_cache(maxsize=TOKENS_KEPT_MAX)
def _signer(token: str) -> hmac.HMAC:
    """What signs with this token, to be copied for each body: to begin with the key takes longer than to sign."""
    return hmac.new(token.encode("utf-8", "replace"), digestmod="sha256")


def _decode(body: bytes) -> Mapping[str, Any]:
    try:
        data = from_json(body.decode("utf-8", "replace").removeprefix("\ufeff"))
    except (ValueError, RecursionError):
        return {}
    return data if isinstance(data, dict) else {}


def _receipt(data: Mapping[str, Any]) -> Sent | None:
    """Which message of ours a receipt is about; Viber names it by a whole number, some clients as text."""
    citizen, token = _citizen(data.get("user_id")), str(data.get("message_token"))
    known = citizen is not None and token.isascii() and token.isdecimal() and len(token) < 21
    return Sent(citizen, token) if citizen is not None and known and int(token) > TOKEN_MIN else None


# --- chats opened, followed, left -------------------------------------------------------------------------------


def _about_chat(event: str, data: Mapping[str, Any], body: bytes) -> Received:
    user = data.get("user") if isinstance(data.get("user"), dict) else {}
    assert isinstance(user, dict)
    citizen = _citizen(user.get("id") if user else data.get("user_id"))
    if citizen is None:
        return Received(event)
    subscribed = data.get("subscribed", user.get("subscribed"))
    return Received(
        event,
        Inbound(
            id=_event_id(event, data, body),
            citizen=citizen,
            event={"conversation_started": "started"}.get(event, event),
            context=clean(str(data.get("context") or ""))[:CONTEXT_CHARS_MAX],
            language_hint=_hint(user),
            subscribed=subscribed if isinstance(subscribed, bool) else None,
            level=_level(user),
        ),
    )


# --- messages ---------------------------------------------------------------------------------------------------


def _message(data: Mapping[str, Any], body: bytes) -> Received:
    sender = data.get("sender")
    citizen = _citizen(sender.get("id")) if isinstance(sender, dict) else None
    if citizen is None or data.get("chat_id"):
        return Received("message")
    assert isinstance(sender, dict)
    raw = data.get("message")
    message: Mapping[str, Any] = raw if isinstance(raw, dict) else {}
    fields = _content(message)
    inbound = Inbound(
        id=_event_id("message", data, body),
        citizen=citizen,
        language_hint=_hint(sender),
        level=_level(sender),
        **fields,
    )
    return Received("message", inbound, odd=inbound.kind == "unsupported")


def _content(message: Mapping[str, Any]) -> dict[str, Any]:
    kind, text = str(message.get("type")), _text(message.get("text"))
    if kind == "text":
        return _words(text)
    if kind in _MEDIA:
        return _attachment(kind, message, text)
    if kind == "location":
        place = _place(message.get("location"))
        return {"kind": "location", "place": place} if place else {"kind": "empty"}
    if kind == "contact":
        return _card(message.get("contact"), text)
    if kind == "sticker":
        return {"kind": "sticker"}
    if kind == "url":
        return {"kind": "link", "text": _text(message.get("media")) or text}
    return {"kind": "unsupported", "text": text}


def _card(contact: Any, text: str) -> dict[str, Any]:
    """A card can be anybody's: only one that came by our own button, which its text repeats, keeps its number.

    A form's button asks for any number; the one that links cases is marked for one use (`share.<nonce>`).
    """
    button, number = _BUTTON.match(text), contact.get("phone_number") if isinstance(contact, dict) else None
    digits = re.sub(r"[^\d]", "", number[:PHONE_CHARS_MAX]) if isinstance(number, str) else ""
    if button and digits and button["choice"] == "phone":
        return {"kind": "phone", "phone": f"+{digits}", "town": button["town"] or ""}
    if button and digits and button["choice"].startswith(SHARE):
        pressed = {"choice": button["choice"], "town": button["town"] or ""}
        return {"kind": "contact", "phone": f"+{digits}"} | pressed
    return {"kind": "contact"}


def _words(text: str) -> dict[str, Any]:
    button = _BUTTON.match(text)
    if button:
        return {"kind": "choice", "choice": button["choice"], "town": button["town"] or ""}
    if _OLD_BUTTON.match(text):
        return {"kind": "choice", "choice": "menu"}
    if not text.strip():
        return {"kind": "empty"}
    return {"kind": "sticker"} if _EMOJI_WORD.match(text) else {"kind": "text", "text": text}


def _attachment(kind: str, message: Mapping[str, Any], text: str) -> dict[str, Any]:
    url = message.get("media")
    if not isinstance(url, str) or not url:
        return {"kind": "empty", "text": text}
    name = re.sub(r"[\\/\x00-\x1f]|\.\.", "_", _text(message.get("file_name")))[-120:]
    size = message.get("size")
    if not isinstance(size, int) or isinstance(size, bool) or not 0 <= size < MEDIA_BYTES_TOLD_MAX:
        size = 0
    media = Media(_MEDIA[kind], clean(url[:LINK_CHARS_MAX]), name, size)
    return {"kind": "attachment", "media": media, "text": text}


def _place(location: Any) -> tuple[float, float] | None:
    if not isinstance(location, dict):
        return None
    try:
        latitude, longitude = float(location["lat"]), float(location["lon"])
    except (KeyError, TypeError, ValueError, OverflowError):
        return None
    if not (math.isfinite(latitude) and math.isfinite(longitude)) or abs(latitude) > 90 or abs(longitude) > 180:
        return None
    return latitude, longitude


# --- small parts ------------------------------------------------------------------------------------------------


def _citizen(value: Any) -> str | None:
    """Viber's opaque user id, if it is one we can keep."""
    if not isinstance(value, str) or not value or len(value.encode("utf-8", "replace")) > CITIZEN_BYTES_MAX:
        return None
    return None if "#" in value or clean(value) != value else value


def _event_id(event: str, data: Mapping[str, Any], body: bytes) -> str:
    """What a repeated callback has in common: Viber's token, or the bytes themselves where it is missing or a float."""
    token = data.get("message_token")
    if (isinstance(token, int) and not isinstance(token, bool)) or (isinstance(token, str) and 0 < len(token) <= 40):
        return f"{event}:{token}"
    return f"{event}:body:{hashlib.sha256(body).hexdigest()[:32]}"


def _text(value: Any) -> str:
    return clean(value[:TEXT_CHARS_MAX]) if isinstance(value, str) else ""


def _hint(user: Mapping[str, Any]) -> str:
    language = user.get("language")
    return language[:20] if isinstance(language, str) else ""


def _level(user: Mapping[str, Any]) -> int:
    level = user.get("api_version")
    return level if isinstance(level, int) and not isinstance(level, bool) and 0 < level < 100 else 1
