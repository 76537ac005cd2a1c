"""Requests of the web chat, checked field by field; the caller's own id makes a repeat harmless."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from chalicelib import bounds
from chalicelib.channels import Received, Request
from chalicelib.channels.text import clean
from chalicelib.channels.web import token as tokens
from chalicelib.model import Account, Inbound, Media, Refused
from chalicelib.patterns import pattern

TEXT_CHARS_MAX = 7000
CHOICE_CHARS_MAX = 120
_ID = pattern(r"[\x21-\x7e]{1,80}$")
_ATTACHMENT = pattern(r"[A-Za-z0-9_-]{16,64}$")
_PHONE = pattern(r"[+\d][\d /().-]{4,24}$")


def receive(request: Request, account: Account, token: str) -> Received:
    """A posted message. `token` is the stage's signing key; the bearer token in the request names the citizen.

    Raises Refused: 413 body, 400 malformed, 401 token, 422 a field we understand but do not take.
    """
    data = body_of(request)
    session = session_of(request, account.name, token)
    identifier = data.get("id")
    if not isinstance(identifier, str) or not _ID.match(identifier):
        raise Refused(422, "bad_id", "Give every message an id of 1 to 80 ASCII characters of your own.", "id")
    return Received("message", _message(data, f"message:{identifier}", session))


def body_of(request: Request) -> Mapping[str, Any]:
    """The JSON object of a request. Raises Refused 413 or 400."""
    if len(request.body) > bounds.MESSAGE:
        raise Refused(413, "too_large", f"At most {bounds.MESSAGE // 1024} kB.")
    try:
        data = json.loads(request.body or b"{}")
    except (ValueError, RecursionError) as error:
        raise Refused(400, "malformed", "The body is not JSON.") from error
    if not isinstance(data, dict):
        raise Refused(400, "malformed", "The body must be a JSON object.")
    return data


def session_of(request: Request, town: str, key: str, now: float | None = None) -> tokens.Session:
    """The session of the bearer token. Token ages are counted by the machine's clock."""
    import time

    scheme, _, value = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not value:
        raise Refused(401, "no_token", "Send the session's token as Authorization: Bearer.")
    return tokens.read(value.strip(), town, key, time.time() if now is None else now)


def _message(data: Mapping[str, Any], identifier: str, session: tokens.Session) -> Inbound:
    kind = data.get("type")
    common: dict[str, Any] = {"id": identifier, "citizen": session.id, "language_hint": session.voice, "level": 99}
    match kind:
        case "text":
            return Inbound(**common, kind="text", text=_text(data))
        case "choice":
            return Inbound(**common, kind="choice", choice=_choice(data))
        case "location":
            return Inbound(**common, kind="location", place=_place(data))
        case "attachment":
            return Inbound(**common, kind="attachment", media=Media("file", _attachment(data)))
        case "phone":
            return Inbound(**common, kind="phone", phone=_phone(data))
        case _:
            raise Refused(422, "bad_type", "type is text, choice, location, attachment or phone.", "type")


def _text(data: Mapping[str, Any]) -> str:
    text = data.get("text")
    if not isinstance(text, str) or not text.strip():
        raise Refused(422, "no_text", "Write something.", "text")
    if len(text) > TEXT_CHARS_MAX:
        raise Refused(422, "too_long", f"At most {TEXT_CHARS_MAX} characters.", "text")
    return clean(text)


def _choice(data: Mapping[str, Any]) -> str:
    choice = data.get("choice")
    if not isinstance(choice, str) or not 0 < len(choice) <= CHOICE_CHARS_MAX:
        raise Refused(422, "bad_choice", "Send the id of a choice.", "choice")
    return clean(choice)


def _place(data: Mapping[str, Any]) -> tuple[float, float]:
    place = []
    for name, bound in (("latitude", 90), ("longitude", 180)):
        value = data.get(name)
        # Said so that NaN is refused, and a whole number that no float can hold is never made one.
        if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) <= bound:
            raise Refused(422, "bad_place", f"{name} is a number of degrees.", name)
        place.append(float(value))
    return place[0], place[1]


def _attachment(data: Mapping[str, Any]) -> str:
    attachment = data.get("attachment")
    if not isinstance(attachment, str) or not _ATTACHMENT.match(attachment):
        raise Refused(422, "bad_attachment", "Send the id of an attachment.", "attachment")
    return attachment


def _phone(data: Mapping[str, Any]) -> str:
    phone = data.get("phone")
    if not isinstance(phone, str) or not _PHONE.match(phone.strip()):
        raise Refused(422, "bad_phone", "Write the number with digits.", "phone")
    return phone.strip()
