"""A worded message as the web chat's JSON. Nothing is pushed: replies travel in the answer, the rest is fetched."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from chalicelib.channels import Credentials, Receipt
from chalicelib.model import Message, SendFailed, SharedFile
from chalicelib.wire import Deadline


def as_json(message: Message, time_zone: str = "UTC") -> dict[str, Any]:
    """M of the public contract; what a message does not have is left out. Times carry the town's offset."""
    at = datetime.fromtimestamp(message.at, UTC).astimezone(ZoneInfo(time_zone))
    data: dict[str, Any] = {
        "id": message.id,
        "at": at.isoformat(timespec="seconds"),
        "from": message.origin,
        "text": message.text,
        "choices": [{"id": choice, "label": label} for choice, label in message.choices],
    }
    if message.ask:
        data["ask"] = message.ask
    if message.link:
        data["link"] = {"label": message.link[0], "url": message.link[1]}
    optional = {"sheet": message.sheet, "media": _media(message.media), "case": message.case}
    return data | {name: value for name, value in optional.items() if value}


def _media(file: SharedFile | None) -> dict[str, Any] | None:
    return {"url": file.url, "type": file.type, "name": file.name, "size": file.size} if file else None


def pieces(message: Message, *, plain: bool, credentials: Credentials) -> list[dict[str, Any]]:
    return [as_json(message)]


def send(citizen: str, piece: dict[str, Any], credentials: Credentials, deadline: Deadline) -> Receipt:
    """The web is never spoken to first; a lane there would be a mistake of ours."""
    raise SendFailed("not_pushed", retryable=False)
