"""Web chat tokens: signed and stateless (town, session, voice, when issued), so that opening a chat writes nothing."""

from __future__ import annotations

import base64
import binascii
import json

from chalicelib import signed
from chalicelib.model import Refused
from chalicelib.small_classes import dataclass

VALID_SECONDS = 30 * 86400
RENEWED_AFTER_SECONDS = 86400
TOKEN_CHARS_MAX = 600
PURPOSE = "chat"


@dataclass(frozen=True, slots=True)
class Session:
    """A citizen's web chat with one town. `voice` is what the page asked for, e.g. `en` or `sr-cyrillic`."""

    town: str
    id: str
    issued_at: int
    voice: str = ""


def issue(session: Session, key: str) -> str:
    payload = _encode(json.dumps([session.town, session.id, session.issued_at, session.voice]).encode())
    return signed.sign(PURPOSE, payload, key)


def read(token: str, town: str, key: str, now: float) -> Session:
    """The session of a token. Raises Refused 401 for a forged, expired or other town's token."""
    refused = Refused(401, "bad_token", "Open a new session.")
    payload = signed.read(PURPOSE, token, key) if len(token) <= TOKEN_CHARS_MAX else None
    if payload is None:
        raise refused
    try:
        fields = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        session = Session(*fields)
    except (ValueError, TypeError, binascii.Error) as error:
        raise refused from error
    if session.town != town or session.issued_at + VALID_SECONDS <= now:
        raise refused
    return session


def _encode(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")
