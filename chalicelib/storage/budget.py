"""What a town pays for messages: how many were billed, one counter a day (`T#<town>#BUDGET` / day).

Counted by the answers of the channel that bills. Counters are only ever added to, so any number of senders may count
at once; one cut off between sending and counting counts too little, never too much.
"""

from __future__ import annotations

from chalicelib.storage import dynamo, keys
from chalicelib.wire import Deadline

TABLE = "people"
DAYS_MAX = 400


def count(town: str, day: str, messages: int, deadline: Deadline) -> None:
    """So many more messages of this day (the town's date) were billed. Raises Unavailable."""
    dynamo.add(TABLE, keys.budget(town), day, {"billed": messages}, deadline)


def of_month(town: str, month: str, deadline: Deadline) -> int:
    """How many messages of a month (`2026-03`) were billed so far; one read."""
    return sum(int(item["billed"]) for item in dynamo.query(TABLE, keys.budget(town), month, deadline))


def between(town: str, first: str, last: str, deadline: Deadline) -> int:
    """How many messages were billed from one day to another, both in."""
    found = dynamo.page(
        TABLE, None, ("pk", keys.budget(town)), deadline, sort="sk", start=first, end=last, limit=DAYS_MAX
    )
    return sum(int(item["billed"]) for item in found)
