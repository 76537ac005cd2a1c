"""A town's token: good for its own address alone, and exchanged without losing anything."""

from __future__ import annotations

import hashlib
import hmac
import json
from typing import Any

import boto3
import pytest

from chalicelib.actions.sweep import sweep
from chalicelib.actions.viber_callback import take_callback
from chalicelib.channels import Request
from chalicelib.model import Refused
from chalicelib.storage import secrets
from tests.meter import Meter
from tests.viber import FakeViber, callback, message
from tests.world import World


def refused(world: World, request: Request) -> int:
    with pytest.raises(Refused) as refusal:
        take_callback(world.slug, request, world.now, "h")
    return refusal.value.status


@pytest.mark.shows("F7", "R6")
def test_a_genuine_callback_of_one_town_is_forged_at_anothers_address(
    world: World, town_slug: str, viber: FakeViber, meter: Meter
) -> None:
    other = World(f"{town_slug}-b", viber)
    request = callback(other.token, message("mira", "zdravo"))
    world.warm()
    meter.reset()
    assert refused(world, request) == 403
    assert (meter.operations, viber.sent) == ([], [])
    assert world.conversation("mira") is None


@pytest.mark.shows("F6")
def test_a_signature_that_is_off_by_anything_is_refused_before_anything_is_asked(world: World, meter: Meter) -> None:
    body = json.dumps(message("mira", "zdravo")).encode()
    good = hmac.new(world.token.encode(), body, hashlib.sha256).hexdigest()
    others = {name: hashlib.new(name, body).hexdigest() for name in ("md5", "sha1", "sha256", "sha512")}
    for signature in ("", " ", good[:-1], good + "0", good[::-1], "0" * 64, "ђ" * 64, *others.values()):
        assert refused(world, Request(body, {"x-viber-content-signature": signature}, {})) == 403, signature
    for at in (0, len(body) // 2, len(body) - 1):
        changed = body[:at] + bytes([body[at] ^ 1]) + body[at + 1 :]
        assert refused(world, Request(changed, {"x-viber-content-signature": good}, {})) == 403, at
    assert (meter.operations, world.viber.sent) == ([], [])


def exchanged(world: World, token: str) -> None:
    """The town's new token, in the Parameter Store and at Viber."""
    name = f"/salter/test/accounts/{world.slug}/viber-token"
    boto3.client("ssm").put_parameter(Name=name, Type="SecureString", Value=token, Overwrite=True)
    world.viber.token = token


@pytest.mark.shows("F8", "F14")
def test_a_token_is_exchanged_without_a_reply_or_a_message_lost(quiet: World) -> None:
    old, new = quiet.token, f"another-{quiet.token}"
    exchanged(quiet, new)
    quiet.calls(message("mira", "meni"))  # signed before the exchange; its reply is refused with the old token
    assert quiet.viber.sent == []
    late: dict[str, Any] = message("jovo", "meni")
    quiet.token = new
    for _ in range(2):  # Viber repeats what was refused
        quiet.now += 61
        quiet.calls(late)
        sweep(quiet.now)
    assert [len(quiet.viber.texts(person)) for person in ("mira", "jovo")] == [1, 1]
    secrets.forget()
    assert refused(quiet, callback(old, message("mira", "zdravo"))) == 403
