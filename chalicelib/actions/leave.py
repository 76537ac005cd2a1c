"""Somebody left the bot: whatever was sent unasked has ended, in every town the bot serves."""

from __future__ import annotations

from chalicelib.model import Account
from chalicelib.storage import keys, people
from chalicelib.storage.dynamo import transact
from chalicelib.wire import Deadline

WORDING = "left.1"


def end_all(account: Account, citizen: str, now: float, deadline: Deadline) -> None:
    """Every subscription gone, every consent withdrawn, on record as such."""
    person = keys.person(account.id, citizen)
    for town in account.towns:
        found = people.standing(town, person, now, deadline)
        writes = people.all_ended(town, person, found, account.channel, WORDING, now)
        if writes:
            transact(writes, deadline)
