"""The turns that `bench` measures: the product's own, the same over PynamoDB's transport, and the pure part alone."""

from __future__ import annotations

import hashlib
import hmac
import itertools
import json
import time
from typing import Any

from chalicelib import services, wire
from chalicelib.actions.viber_callback import take_callback
from chalicelib.channels import Request
from chalicelib.dialogue import engine, words
from chalicelib.model import Conflict, Conversation, Facts, Inbound, Turn
from chalicelib.storage import dynamo, tables
from chalicelib.wire import Deadline
from infra.proofs import town_of
from infra.towns import compiled

TOKEN = "bench"
QUESTIONS = (
    "zdravo",
    "izvod iz matične knjige rođenih",
    "нема воде",
    "odustani",
    "radno vreme",
    "meni",
    "porez na imovinu",
)
SECONDS_BETWEEN = 10
CITIZENS, MESSAGES_EACH = 7, 50  # who writes more than sixty in a day costs more than a plain turn
_began, _turns = time.time(), itertools.count()
_tokens = itertools.count(6_017_000_000_000_000_000)
_lean = (dynamo.get, dynamo.put, dynamo.change)


def lean_turn(account: str, turns: int) -> float:
    """Milliseconds of CPU a turn, as the product does it."""
    return _measure(account, turns)


def pynamodb_turn(account: str, turns: int) -> float:
    """The same turns with the hot calls made by PynamoDB's models over botocore."""
    dynamo.get, dynamo.put, dynamo.change = _get, _put, _change
    try:
        return _measure(account, turns)
    finally:
        dynamo.get, dynamo.put, dynamo.change = _lean


def pure_step(account: str, turns: int) -> float:
    """Deciding and wording alone."""
    town = town_of(_compiled(account))
    talk = Conversation("viber:x", "c", town.slug)
    began = time.process_time()
    for number in range(turns):
        inbound = Inbound(id=str(number), citizen="c", text=QUESTIONS[number % len(QUESTIONS)])
        turn = engine.step(town, talk, inbound, Facts(0.0), services.kind)
        assert isinstance(turn, Turn)
        for say in turn.says:
            words.message(say, town, turn.voice, "1", 0.0)
    return (time.process_time() - began) * 1000 / turns


_versions: dict[str, Any] = {}


def _compiled(account: str) -> Any:
    if account not in _versions:
        _versions[account] = compiled(account)
    return _versions[account]


class Sent(wire.Tap):
    """How many messages went out: a turn that answers nothing, for it was one too many, is none."""

    def __init__(self) -> None:
        self.count = 0

    def before(self, call: wire.Call) -> None:
        self.count += call.service == "viber"

    def after(self, call: wire.Call, reply: wire.Reply) -> None:
        return


def _measure(account: str, turns: int) -> float:
    for _ in range(5):
        _turn(account)
    sent = Sent()
    wire.taps.append(sent)
    began = time.process_time()
    for _ in range(turns):
        _turn(account)
    took = (time.process_time() - began) * 1000 / turns
    wire.taps.remove(sent)
    if sent.count < turns:
        raise RuntimeError(f"{sent.count} answers to {turns} messages: these were no whole turns")
    return took


def citizen(turn: int) -> str:
    """Who writes the message of this turn: some people in turn, and others after them."""
    return f"citizen-{turn // (CITIZENS * MESSAGES_EACH)}-{turn % CITIZENS}"


def callback(turn: int) -> tuple[bytes, str]:
    """The message of this turn as Viber sends it, and its signature."""
    event = {
        "event": "message",
        "timestamp": 1763700010000,
        "message_token": next(_tokens),
        "sender": {"id": citizen(turn), "name": "Mira", "language": "sr", "country": "RS", "api_version": 7},
        "message": {"type": "text", "text": QUESTIONS[turn % len(QUESTIONS)]},
    }
    body = json.dumps(event, ensure_ascii=False).encode()
    return body, hmac.new(TOKEN.encode(), body, hashlib.sha256).hexdigest()


def _turn(account: str) -> None:
    at = next(_turns)
    body, signature = callback(at)
    now = _began + SECONDS_BETWEEN * at  # as people write: what comes faster is slowed down, and no whole turn
    take_callback(account, Request(body, {"x-viber-content-signature": signature}, {}), now, f"h{at}")


# --- the same three calls by PynamoDB ---------------------------------------------------------------------------


def _get(name: str, pk: str, sk: str, deadline: Deadline) -> dict[str, Any] | None:
    if name != "conversations":
        return _lean[0](name, pk, sk, deadline)
    try:
        item = tables.Conversation.get(pk, sk, consistent_read=True)
    except tables.Conversation.DoesNotExist:
        return None
    return {key: value for key, value in item.attribute_values.items() if value is not None}


def _put(name: str, item: dict[str, Any], deadline: Deadline, *, expected_v: int | None = None) -> None:
    from pynamodb.exceptions import PutError

    if name != "conversations":
        _lean[1](name, item, deadline, expected_v=expected_v)
        return
    condition = tables.Conversation.v == expected_v if expected_v else tables.Conversation.pk.does_not_exist()
    try:
        tables.Conversation(**{key: value for key, value in item.items() if value is not None}).save(
            condition=condition
        )
    except PutError as error:
        raise Conflict(name) from error


def _change(name: str, key: dynamo.Key, attributes: dict[str, Any], deadline: Deadline, *, expected_v: int) -> None:
    from pynamodb.exceptions import UpdateError

    if name != "conversations":
        _lean[2](name, key, attributes, deadline, expected_v=expected_v)
        return
    fields = {each: getattr(tables.Conversation, each) for each in attributes}
    actions = [
        fields[each].remove() if value is None else fields[each].set(value) for each, value in attributes.items()
    ]
    try:
        tables.Conversation(*key).update(actions=actions, condition=tables.Conversation.v == expected_v)
    except UpdateError as error:
        raise Conflict(name) from error
