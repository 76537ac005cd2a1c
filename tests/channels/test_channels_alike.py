"""One suite over every channel: the same few names, the same manners."""

from __future__ import annotations

import inspect
import json

import pytest

from chalicelib import channels
from chalicelib.channels import Credentials, Request, channel
from chalicelib.channels.web import token as tokens
from chalicelib.model import Account, Message, Refused
from tests.viber import callback, message

KEY = "key-of-the-suite"


def _request(name: str, identifier: str, key: str = KEY, text: str = "zdravo") -> Request:
    if name == "viber":
        return callback(key, message("mira", text) | {"message_token": identifier})
    session = tokens.Session("primer", "mira", 2**31)
    body = json.dumps({"id": identifier, "type": "text", "text": text}).encode()
    return Request(body, {"authorization": f"Bearer {tokens.issue(session, key)}"}, {})


@pytest.mark.parametrize("name", channels.NAMES)
def test_every_channel_offers_the_same_names(name: str) -> None:
    module = channel(name)
    assert {"LIMITS", "PUSHES", "receive", "pieces", "send"} <= set(dir(module))
    assert list(inspect.signature(module.receive).parameters) == ["request", "account", "token"]
    assert list(inspect.signature(module.send).parameters) == ["citizen", "piece", "credentials", "deadline"]


@pytest.mark.parametrize("name", channels.NAMES)
def test_a_genuine_request_is_understood_and_a_forged_one_refused(name: str) -> None:
    account = Account(name, "primer", ("primer",))
    received = channel(name).receive(_request(name, "7"), account, KEY)
    assert received.inbound is not None
    assert (received.inbound.citizen, received.inbound.text) == ("mira", "zdravo")
    with pytest.raises(Refused) as refused:
        channel(name).receive(_request(name, "7", key="forged"), account, KEY)
    assert refused.value.status in (401, 403)


@pytest.mark.parametrize("name", channels.NAMES)
def test_a_repeat_has_the_same_dedupe_id_and_another_message_another(name: str) -> None:
    account = Account(name, "primer", ("primer",))
    ids = [channel(name).receive(_request(name, given), account, KEY).inbound.id for given in ("7", "7", "8")]  # type: ignore[union-attr]
    assert ids[0] == ids[1] != ids[2]


@pytest.mark.parametrize("name", channels.NAMES)
def test_a_body_over_the_limit_is_413(name: str) -> None:
    with pytest.raises(Refused) as refused:
        channel(name).receive(Request(b"x" * 300_000, {}, {}), Account(name, "primer", ("primer",)), KEY)
    assert refused.value.status == 413


@pytest.mark.parametrize("name", channels.NAMES)
def test_a_message_becomes_pieces_within_the_limits(name: str) -> None:
    said = Message("1", 0, "bot", "Zdravo. " * 100, (("menu", "Meni"),))
    limits = channel(name).LIMITS
    for piece in channel(name).pieces(said, plain=False, credentials=Credentials("t", "Grad")):
        assert len(piece["text"]) <= limits.text_chars
        assert len(json.dumps(piece, ensure_ascii=False).encode()) <= limits.request_bytes
