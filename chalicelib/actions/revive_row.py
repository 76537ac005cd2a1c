"""A person's second try for what was given up: a dead row of the outbox is owed again, as if it were new."""

from __future__ import annotations

from secrets import token_hex

from chalicelib.actions import say_again
from chalicelib.actions.work_outbox import KINDS
from chalicelib.model import Refused
from chalicelib.storage import audit, doorbell, keys, outbox
from chalicelib.storage.audit import Act
from chalicelib.storage.outbox import Row
from chalicelib.wire import Deadline


def revive_row(town: str, identifier: str, by: str, now: float, deadline: Deadline) -> None:
    """Owe it again and have it worked at once; the act is in the town's audit trail before. Raises Refused, Conflict,
    Unavailable."""
    row = _dead(town, identifier, now, deadline)
    audit.record(town, Act(now, by, "row_revived", identifier, {"kind": row.kind}), token_hex(4), deadline)
    _owe(row, now, deadline)


def revive(town: str, identifier: str, now: float, deadline: Deadline) -> None:
    """The same for one of many, whose act stands in the trail once for all. Raises Refused, Conflict."""
    _owe(_dead(town, identifier, now, deadline), now, deadline)


def is_repeatable(kind: str) -> bool:
    """Whether a dead row of this kind can be tried again; else it is kept to be read."""
    return kind in KINDS or kind in say_again.KINDS


def _dead(town: str, identifier: str, now: float, deadline: Deadline) -> Row:
    row = outbox.load(keys.outbox(town, identifier), now, deadline)
    if row is None or row.state != "dead":
        raise Refused(404, "no_such_row", f"{town} has no dead row {identifier}.")
    if not is_repeatable(row.kind):
        raise Refused(422, "not_repeatable", f"A row of kind {row.kind} is kept to be read, it cannot be tried again.")
    return row


def _owe(row: Row, now: float, deadline: Deadline) -> None:
    if row.kind in say_again.KINDS:
        say_again.again(row, now, deadline)
        return
    outbox.revive(row, now, deadline)
    doorbell.ring_row(row.key, 0, deadline)
