"""Speaking to Viber: requests within its limits, on a kept-alive connection, every failure by its name.

The token travels in the header, never in a body. Redirects are refused, because a followed one would turn the
request into a GET and somebody else's answer into success.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from typing import Any

from chalicelib import wire
from chalicelib.channels import Credentials, Receipt
from chalicelib.channels.text import clean, split
from chalicelib.channels.viber.receive import SHARE, action_body
from chalicelib.compact_json import as_json
from chalicelib.model import Message, SendFailed, SharedFile

API = "https://chatapi.viber.com/pa"
SEND_SECONDS_MAX = 2.0
BROADCAST_SECONDS_MAX = 8.0
RECEIVERS_MAX = 300
TEXT_CHARS_MAX = 7000
PICTURE_BYTES_MAX = 1_000_000  # 1 MB on iPhones, 3 on Android
REQUEST_BYTES_MAX = 29_900  # the limit is "30 kB", which may mean 30,000
CHAR_BYTES_MAX = 6  # as JSON writes a control character
BUTTON_BYTES_MAX = 2000  # of 120 characters, each maybe an entity, with its body
BUTTONS_MAX = 24
BUTTON_CHARS_MAX = 120
SHORT_LABEL_CHARS = 16
SENDER_CHARS_MAX = 28
LEVEL_PICKERS = 3

# Viber's JSON status → (our word, how to take it).
_STATUS: dict[int, tuple[str, dict[str, Any]]] = {
    2: ("token_refused", {"retryable": True, "account_wide": True}),
    3: ("bad_request", {"retryable": False}),
    4: ("bad_request", {"retryable": False}),
    5: ("not_registered", {"retryable": False, "gone": True}),
    6: ("not_subscribed", {"retryable": False, "gone": True}),
    7: ("account_blocked", {"retryable": True, "account_wide": True}),
    8: ("account_unknown", {"retryable": True, "account_wide": True}),
    9: ("account_suspended", {"retryable": True, "account_wide": True}),
    10: ("webhook_not_set", {"retryable": True, "account_wide": True}),
    11: ("device_too_old", {"retryable": False, "gone": True}),
    12: ("too_many_requests", {"retryable": True, "after_seconds": 60.0}),
    13: ("client_too_old", {"retryable": False, "plain": True}),
    14: ("level_missing", {"retryable": False, "plain": True}),  # a text without a keyboard needs no level
    15: ("account_not_authorised", {"retryable": True, "account_wide": True}),
    19: ("broadcast_refused", {"retryable": False, "account_wide": True}),
    20: ("broadcast_not_allowed", {"retryable": False, "account_wide": True}),
    21: ("country_not_supported", {"retryable": False, "gone": True}),
    23: ("free_messages_used_up", {"retryable": False}),
    24: ("no_balance", {"retryable": False}),
}


def pieces(message: Message, *, plain: bool, credentials: Credentials) -> list[dict[str, Any]]:
    """The requests that carry `message`, without receiver. `plain`: no keyboard, for the oldest clients."""
    parts = split(_text(message, plain), TEXT_CHARS_MAX)
    keyboard = None if plain else _keyboard(message, credentials.town)
    requests = [_picture(message.media, credentials.sender)] if message.media and message.media.type == "photo" else []
    requests += [_request(part, credentials.sender, None) for part in parts[:-1]]
    requests.append(_request(parts[-1], credentials.sender, keyboard))
    return [smaller for request in requests for smaller in _within_bytes(request)]


def captioned(message: Message, credentials: Credentials) -> dict[str, Any]:
    """The one request that carries a short message without buttons: the words alone, or under their picture."""
    if message.media and message.media.type == "photo":
        return _picture(message.media, credentials.sender) | {"text": clean(message.text)}
    (piece,) = pieces(message, plain=True, credentials=credentials)
    return piece


def welcome(message: Message, credentials: Credentials) -> dict[str, Any]:
    """The body that answers `conversation_started`: one message, no receiver, no token."""
    return pieces(message, plain=False, credentials=credentials)[0]


def send(citizen: str, piece: dict[str, Any], credentials: Credentials, deadline: wire.Deadline) -> Receipt:
    """One piece to one citizen. Raises SendFailed."""
    answer = post("send_message", {"receiver": citizen, **piece}, credentials.token, deadline)
    return Receipt(str(answer.get("message_token", "")), answer.get("billing_status"))


def broadcast(
    citizens: Sequence[str], piece: dict[str, Any], credentials: Credentials, deadline: wire.Deadline
) -> tuple[str, dict[str, str]]:
    """One piece to up to 300 citizens in one call: Viber's token of it, and whom it did not reach and why.

    Raises SendFailed, `uncertain` whenever Viber may have taken it: a second call would reach everybody twice.
    """
    assert 0 < len(citizens) <= RECEIVERS_MAX
    payload = {"broadcast_list": list(citizens), **piece}
    try:
        answer = post("broadcast_message", payload, credentials.token, deadline, BROADCAST_SECONDS_MAX)
    except SendFailed as failure:
        if failure.reason.startswith("http_5"):  # whoever answered so may have handed it on
            raise SendFailed(failure.reason, retryable=True, uncertain=True) from failure
        raise
    listed = answer.get("failed_list")
    refused = [entry for entry in listed if isinstance(entry, dict)] if isinstance(listed, list) else []
    asked = frozenset(citizens)
    failed = {str(entry.get("receiver")): _reason(entry.get("status")) for entry in refused}
    return str(answer.get("message_token", "")), {citizen: why for citizen, why in failed.items() if citizen in asked}


def _reason(status: Any) -> str:
    return _STATUS.get(status, ("general_error", {}))[0] if isinstance(status, int) else "general_error"


def account_answers(credentials: Credentials, deadline: wire.Deadline) -> bool:
    """Whether Viber talks to this account at all: a harmless question, before a doubtful message is sent again."""
    try:
        post("get_account_info", {}, credentials.token, deadline)
    except SendFailed:
        return False
    return True


def post(
    method: str, payload: dict[str, Any], token: str, deadline: wire.Deadline, seconds: float = SEND_SECONDS_MAX
) -> dict[str, Any]:
    """One call of Viber's API. Raises SendFailed for everything but status 0."""
    base = os.environ.get("VIBER_API_URL") or API
    body = as_json(payload).encode("utf-8", "replace")
    headers = {"content-type": "application/json", "x-viber-auth-token": token}
    try:
        url = f"{base.rstrip('/')}/{method}"
        reply = wire.call("viber", method, "POST", url, headers, body, deadline.within(seconds))
    except wire.CallFailed as failure:
        raise SendFailed("no_answer", retryable=True, uncertain=failure.sent) from failure
    return _checked(reply)


def _checked(reply: wire.Reply) -> dict[str, Any]:
    if reply.status == 429:
        raise SendFailed("too_many_requests", retryable=True, after_seconds=_retry_after(reply))
    if reply.status >= 500:
        raise SendFailed(f"http_{reply.status}", retryable=True)
    if reply.status != 200:
        raise SendFailed(f"http_{reply.status}", retryable=True, account_wide=True)
    try:
        answer = json.loads(reply.body)
        status = int(answer["status"])
    except (ValueError, TypeError, KeyError, OverflowError, RecursionError) as error:
        raise SendFailed("not_viber", retryable=True, uncertain=True) from error
    if status == 0:
        return dict(answer)
    reason, how = _STATUS.get(status, ("general_error", {"retryable": True}))
    raise SendFailed(f"{reason} ({status})", **how)


def _retry_after(reply: wire.Reply) -> float:
    value = reply.headers.get("retry-after", "")
    return min(60.0, float(value)) if value.isdigit() else 10.0


# --- requests ---------------------------------------------------------------------------------------------------


def _text(message: Message, plain: bool) -> str:
    text = clean(message.text)
    if message.link:
        text += f"\n\n{message.link[1]}"
    if message.media and (message.media.type != "photo" or _is_large(message.media)):
        text += f"\n\n{message.media.url}"
    if plain and message.choices:
        text += "\n\n" + "\n".join(f"{number}. {label}" for number, (_, label) in enumerate(message.choices, 1))
    return text or "…"


def _is_large(file: SharedFile) -> bool:
    return file.size > PICTURE_BYTES_MAX


def _picture(file: SharedFile, sender: str) -> dict[str, Any]:
    """A photo by its links; the words follow, for a keyboard stands with the last message alone. Of one that is too
    large for Viber the small copy is shown, and the words lead to the whole."""
    shown = file.small if _is_large(file) else file.url
    picture = {"type": "picture", "text": "", "media": shown, "sender": {"name": sender[:SENDER_CHARS_MAX]}}
    return picture | ({"thumbnail": file.small} if file.small else {})


def _request(text: str, sender: str, keyboard: dict[str, Any] | None) -> dict[str, Any]:
    request: dict[str, Any] = {"type": "text", "text": text, "sender": {"name": sender[:SENDER_CHARS_MAX]}}
    if keyboard:
        request["keyboard"] = keyboard
        level = (
            LEVEL_PICKERS
            if any("ActionType" in button and button["ActionType"] != "reply" for button in keyboard["Buttons"])
            else 1
        )
        request["min_api_version"] = level
    return request


def _within_bytes(request: dict[str, Any]) -> list[dict[str, Any]]:
    """The request, or several that are each small enough; the keyboard stays with the last."""
    if _surely_fits(request) or len(as_json(request).encode("utf-8", "replace")) <= REQUEST_BYTES_MAX:
        return [request]
    first, *rest = split(request["text"], max(200, len(request["text"]) // 2))
    head = {name: value for name, value in request.items() if name not in ("keyboard", "min_api_version")}
    return [head | {"text": first}, *_within_bytes(request | {"text": " ".join(rest)})]


def _surely_fits(request: dict[str, Any]) -> bool:
    """Whether it is small enough however its words are written down: most are, without being written down for it."""
    buttons = len(request.get("keyboard", {}).get("Buttons", ()))
    return CHAR_BYTES_MAX * len(request["text"]) + BUTTON_BYTES_MAX * (buttons + 1) <= REQUEST_BYTES_MAX


def _keyboard(message: Message, town: str) -> dict[str, Any] | None:
    buttons = [
        _sharing(choice, label, town) if choice.startswith(SHARE) else _button(choice, label, town)
        for choice, label in message.choices[:BUTTONS_MAX]
    ]
    if message.ask == "location":
        buttons.insert(0, _picker("location-picker", message, town))
    if message.ask == "phone":
        buttons.insert(0, _picker("share-phone", message, town))
    if not buttons:
        return None
    return {"Type": "keyboard", "DefaultHeight": False, "Buttons": _paired(buttons)}


def _escaped(label: str) -> str:
    """As Viber's buttons want it, which read a little HTML."""
    return label.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _button(choice: str, label: str, town: str) -> dict[str, Any]:
    # Silent: the press is not shown in the chat, where the reader would see the choice's id.
    return {
        "Columns": 6,
        "Rows": 1,
        "ActionType": "reply",
        "ActionBody": action_body(choice, town),
        "Text": _escaped(label[:BUTTON_CHARS_MAX]),
        "TextSize": "regular",
        "Silent": True,
    }


def _sharing(choice: str, label: str, town: str) -> dict[str, Any]:
    """Viber's own button: the phone asks its owner and sends its number, with the body to know the press by."""
    button = _button(choice, label, town) | {"ActionType": "share-phone"}
    del button["Silent"]
    return button


def _picker(action: str, message: Message, town: str) -> dict[str, Any]:
    label = _escaped(message.ask_label[:BUTTON_CHARS_MAX] or action)
    body = action_body(str(message.ask), town)
    return {"Columns": 6, "Rows": 1, "ActionType": action, "ActionBody": body, "Text": label}


def _paired(buttons: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Two short buttons that follow each other share a row."""
    at = 0
    while at + 1 < len(buttons):
        if all(len(button["Text"]) <= SHORT_LABEL_CHARS for button in buttons[at : at + 2]):
            buttons[at]["Columns"] = buttons[at + 1]["Columns"] = 3
            at += 1
        at += 1
    return buttons
