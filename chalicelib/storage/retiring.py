"""How far a town's old cases have been looked through: the day that is done, or where in it to go on."""

from __future__ import annotations

from chalicelib.small_classes import dataclass
from chalicelib.storage import dynamo, keys
from chalicelib.wire import Deadline

TABLE = "cases"
SHAPE = 1


@dataclass(frozen=True, slots=True)
class Progress:
    """`day` is the town's ISO date, `cursor` where in the cases to go on; "" when that day's look is done."""

    day: str = ""
    cursor: str = ""


def load(town: str, deadline: Deadline) -> Progress:
    item = dynamo.get(TABLE, keys.retiring(town), keys.NOW, deadline)
    return Progress(item["digest_day"], item.get("cursor", "")) if item else Progress()


def save(town: str, progress: Progress, deadline: Deadline) -> None:
    """Write it down. Of two at once either may win: looking twice forgets nothing twice."""
    item = {"pk": keys.retiring(town), "sk": keys.NOW, "shape": SHAPE, "digest_day": progress.day}
    dynamo.put(TABLE, item | {"cursor": progress.cursor or None}, deadline)
