"""How far a town's deadlines have been looked after: until when all is done, and of which day the digest is sent."""

from __future__ import annotations

from chalicelib.small_classes import dataclass, replace
from chalicelib.storage import dynamo, keys
from chalicelib.wire import Deadline

TABLE = "cases"
SHAPE = 1


@dataclass(frozen=True, slots=True)
class Watch:
    """`until` and `saved_until` (what is stored of it) in epoch seconds; `digest_day` the town's ISO date."""

    until: int = 0
    digest_day: str = ""
    saved_until: int = 0


def load(town: str, deadline: Deadline) -> Watch:
    """The town's watch; a new town's has seen nothing."""
    item = dynamo.get(TABLE, keys.watch(town), keys.NOW, deadline)
    if item is None:
        return Watch()
    return Watch(item["watched_until"], item.get("digest_day", ""), item["watched_until"])


def save(town: str, watch: Watch, deadline: Deadline) -> Watch:
    """Write it down. Of two at once either may win: whoever looks again finds in the cases what was done."""
    item = {"pk": keys.watch(town), "sk": keys.NOW, "shape": SHAPE, "watched_until": watch.until}
    dynamo.put(TABLE, item | {"digest_day": watch.digest_day or None}, deadline)
    return replace(watch, saved_until=watch.until)
