"""The outbox's kind `invite`: one page of an invitation by SMS, number by number.

Each number is claimed before it is written to, for SMS knows no repetition: whoever finds a claim that nobody settled
counts it as uncertain and does not send. So nobody gets two, neither of this invitation nor of the next within a year.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from chalicelib.actions import invite, work_outbox
from chalicelib.actions.journal import log
from chalicelib.integrations import sms
from chalicelib.model import Conflict, SendFailed, Unavailable
from chalicelib.storage import aws, dynamo, invitations, outbox
from chalicelib.storage.aws import Unknown
from chalicelib.storage.dynamo import Duplicate
from chalicelib.storage.invitations import SENDING, STOPPED, TRYING, Invitation, Outcome
from chalicelib.wire import Deadline

SECONDS_NEEDED = 6.0  # to begin one more number
LOOKED_EVERY = 10  # numbers: whether somebody stopped it
SENT, BEFORE, UNCERTAIN, FAILED = "sent", "before", "uncertain", "failed:"


def work(body: Mapping[str, Any], town: str, now: float, deadline: Deadline) -> None:
    """Send the page, or what is left of it. Raises SendFailed to go on later, Unavailable."""
    found, n = invitations.load(town, str(body["id"]), deadline), int(body["n"])
    if found is None or found.state not in (SENDING, STOPPED):
        return
    numbers = invitations.numbers(town, found.id, n, deadline)
    if numbers:
        _page(found, n, numbers, now, deadline)
    if found.state == SENDING and n < found.pages:
        _next(found, n + 1, now, deadline)


def _page(found: Invitation, n: int, numbers: list[str], now: float, deadline: Deadline) -> None:
    """Every number in turn; once it is stopped, only what became of those tried before is counted."""
    outcomes: Counter[str] = Counter()
    goes_on = found.state == SENDING
    for position, phone in enumerate(numbers):
        if deadline.left() < SECONDS_NEEDED:
            raise SendFailed("more_to_send", retryable=True)
        if position and position % LOOKED_EVERY == 0:
            goes_on = goes_on and _goes_on(found, deadline)
        outcomes[_one(found, phone, now, deadline) if goes_on else _tried(found, phone, now, deadline)] += 1
    failed = {what.removeprefix(FAILED): count for what, count in outcomes.items() if what.startswith(FAILED)}
    told = Outcome(outcomes[SENT], outcomes[BEFORE], outcomes[UNCERTAIN], failed)
    dynamo.transact(invitations.settled(found, n, told), deadline)
    log.info("invited", tenant=found.town, count=told.sent)


def _tried(found: Invitation, phone: str, now: float, deadline: Deadline) -> str:
    """What became of a number when the page was worked before; "" if it was not its turn yet."""
    by, what = invitations.claimed(found, phone, now, deadline)
    if by != found.id:
        return BEFORE if by else ""
    return UNCERTAIN if what == TRYING else what


def _goes_on(found: Invitation, deadline: Deadline) -> bool:
    current = invitations.load(found.town, found.id, deadline)
    return current is not None and current.state == SENDING


def _one(found: Invitation, phone: str, now: float, deadline: Deadline) -> str:
    """What became of one number, now or when the page was worked before."""
    try:
        invitations.claim(found, phone, now, deadline)
    except (Conflict, Unknown):  # somebody has it, or it is our own write whose answer was lost
        what = _tried(found, phone, now, deadline)
        if not what:
            raise SendFailed("not_claimed", retryable=True) from None
        return what
    what = _sent(found, phone, deadline)
    _note(found, phone, what, now, deadline)
    return what


def _sent(found: Invitation, phone: str, deadline: Deadline) -> str:
    try:
        sms.send(phone, found.text, lambda action, fields: aws.ask("sns", action, fields, deadline))
    except SendFailed as failure:
        if failure.uncertain:
            return UNCERTAIN
        if not failure.retryable:
            return f"{FAILED}{failure.reason}"
        invitations.unclaim(found, phone, deadline)
        raise
    return SENT


def _note(found: Invitation, phone: str, what: str, now: float, deadline: Deadline) -> None:
    """If this is lost the number counts as uncertain when the page is worked again; it is not written to."""
    try:
        invitations.note(found, phone, what, now, deadline)
    except Unavailable:
        log.warning("invitation_not_noted", tenant=found.town)


def _next(found: Invitation, n: int, now: float, deadline: Deadline) -> None:
    row = outbox.write(found.town, invite.KIND, {"id": found.id, "n": n}, now, row=invite.row_name(found.id, n))
    try:
        dynamo.transact([row], deadline)
    except Duplicate:
        return
    work_outbox.ring((row,), now, deadline)
