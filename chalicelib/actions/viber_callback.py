"""Viber's callback, from signature to answer: 200 for all that is genuine, the welcome in the answer where due."""

from __future__ import annotations

import contextlib
import json
from typing import Any

from chalicelib.actions import heard, known
from chalicelib.actions.journal import log
from chalicelib.actions.receive_message import (
    TURN_SECONDS,
    NoTown,
    TooMany,
    follow_or_leave,
    open_chat,
    receive_message,
)
from chalicelib.actions.speaking import Mouth
from chalicelib.channels import Received, Request, channel
from chalicelib.channels.viber.send import welcome
from chalicelib.dialogue import words
from chalicelib.model import Account, Inbound, Refused
from chalicelib.patterns import pattern
from chalicelib.storage import keys, outbox, secrets
from chalicelib.storage.conversations import ConversationStore
from chalicelib.understanding.entities.numbers import hide_personal_numbers
from chalicelib.wire import Deadline

_NAME = pattern(r"[a-z][a-z0-9-]{1,39}$")
WELCOME_ID = "0" * 12
WEBHOOK = "webhook"  # sent once, while the webhook is being set; whoever sets it waits for our note of it


def take_callback(name: str, request: Request, now: float, holder: str) -> dict[str, Any]:
    """Handle one callback of the account `name`. Returns the body of the 200.

    Raises Refused: 404 for an account there is not, 403 for a wrong signature, 413; Unavailable if nothing could be
    stored, so that Viber repeats.
    """
    deadline = Deadline(TURN_SECONDS)
    account = known.account("viber", name, deadline) if _NAME.match(name) else None
    token = secrets.viber_token(name, deadline) if account else None
    if account is None or not token:
        raise Refused(404, "unknown_account", "There is no such account.")
    try:
        received = channel("viber").receive(request, account, token)
    except Refused as error:
        if error.status != 403 or not secrets.doubted(name):
            raise
        received = channel("viber").receive(request, account, secrets.viber_token(name, deadline) or token)
    if received.odd:
        _keep_odd(received, request, account, now, deadline)
    if received.about:
        from chalicelib.actions import hear_receipt  # only a receipt pays for it

        hear_receipt.hear(received.event, received.about, account, now, deadline)
    answer = _answer(received, account, token, now, holder, deadline)
    heard.note(account.id, now, deadline, always=received.event == WEBHOOK)
    return answer


def _answer(
    received: Received, account: Account, token: str, now: float, holder: str, deadline: Deadline
) -> dict[str, Any]:
    if received.inbound is None:
        return {}
    try:
        return _handle(received.inbound, account, token, now, holder, deadline)
    except NoTown as error:
        raise Refused(404, "unknown_account", "There is no such account.") from error


def _handle(
    inbound: Inbound, account: Account, token: str, now: float, holder: str, deadline: Deadline
) -> dict[str, Any]:
    if inbound.event == "started":
        town, turn = open_chat(inbound, account, now, deadline)
        message = words.message(turn.says[0], town, turn.voice, WELCOME_ID, now)
        return welcome(message, Mouth(account, token).credentials(turn.says[0], town, turn.voice))
    if inbound.event in ("subscribed", "unsubscribed"):
        follow_or_leave(inbound, account, now, deadline)
        return {}
    with contextlib.suppress(TooMany):  # they were told; Viber shall not repeat it
        receive_message(inbound, account, now, holder, deadline)
    return {}


def _keep_odd(received: Received, request: Request, account: Account, now: float, deadline: Deadline) -> None:
    """An event or message of a kind we do not know yet, kept for the platform admin to look at."""
    raw, _ = hide_personal_numbers(request.body.decode("utf-8", "replace"))
    row = keys.handled(f"{account.id} {raw}").hex()
    citizen = received.inbound.citizen if received.inbound else ""
    head = ConversationStore(account).load(citizen, now, deadline) if citizen and len(account.towns) > 1 else None
    body = {"event": received.event, "raw": raw if len(raw) < 8000 else json.dumps(raw[:8000])}
    outbox.write_dead(
        (head.town if head else "") or account.towns[0],
        row,
        "odd",
        body,
        "unknown kind",
        now,
        deadline,
        account=account.id,
        citizen=citizen,
    )
    log.info("odd_callback", account=account.id, kind=received.event)
