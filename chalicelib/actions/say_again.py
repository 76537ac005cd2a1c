"""What was given up about one citizen, done after all: a reply that could not be said, a message that met a bug."""

from __future__ import annotations

from secrets import token_hex

from chalicelib.actions import known, seal
from chalicelib.actions.owe import Unreachable, owe
from chalicelib.actions.receive_message import receive_message
from chalicelib.model import BOT, Inbound, Refused
from chalicelib.storage import outbox, shapes
from chalicelib.storage.outbox import Row
from chalicelib.wire import Deadline

REPLY, PARKED = "reply", "parked"
KINDS = (REPLY, PARKED)


def again(row: Row, now: float, deadline: Deadline) -> None:
    """Say the reply, or take the message as if it came now; twice is once. Raises Refused, Unavailable."""
    channel, _, name = row.account.partition(":")
    account = known.account(channel, name, deadline)
    if account is None:
        raise Refused(422, "not_repeatable", f"The account {row.account} is no longer there.")
    holder = token_hex(4)
    if row.kind == PARKED:
        receive_message(_parked(row, deadline), account, now, holder, deadline)
        outbox.done(row, now, deadline)
        return
    try:
        owed = shapes.owed_from(row.body)
    except (KeyError, TypeError, ValueError) as error:
        raise Refused(422, "not_repeatable", "What was to be said can no longer be read.") from error
    try:
        owe(
            *(account, row.citizen, owed.say, BOT, now, holder, deadline, owed.voice),
            beside=lambda at, _: [outbox.settled(row, at)],
            town=row.town,
        )
    except Unreachable as error:
        raise Refused(409, "gone", "This citizen has left and can no longer be reached here.") from error


def _parked(row: Row, deadline: Deadline) -> Inbound:
    """The message as it was kept: its words without personal numbers, nothing that was attached."""
    event, kind, choice = (str(row.body.get(part, "")) for part in ("event", "kind", "choice"))
    text = seal.text_of({"text": "", **row.body}, row.town, deadline)
    return Inbound(f"again {row.key}", row.citizen, event=event, kind=kind, text=text, choice=choice)
