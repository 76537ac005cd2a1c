"""How fast one API key may ask: a bucket of tokens that fills by itself, `T#<town>#PACE#<key>`.

A process takes tokens out by the handful, one conditional write for many requests, and spends them by itself; so the
bound holds over all processes together and a request mostly costs nothing.
"""

from __future__ import annotations

from chalicelib.small_classes import dataclass
from chalicelib.storage import dynamo, keys
from chalicelib.wire import Deadline

TABLE = "people"
SHAPE = 1
KEPT_SECONDS = 86400


@dataclass(frozen=True, slots=True)
class Bucket:
    """At most `burst` tokens, `per_second` more of them as time goes by."""

    burst: int
    per_second: float


def take(town: str, key: str, bucket: Bucket, wanted: int, now: float, deadline: Deadline) -> tuple[int, float]:
    """How many tokens (at most `wanted`) were taken; with none, in how many seconds there will be one.

    Raises Conflict if another process took some at this moment.
    """
    pk = keys.pace(town, key)
    item = dynamo.get(TABLE, pk, keys.NOW, deadline)
    tokens, version = float(bucket.burst), 0
    if item is not None:
        version = item["v"]
        elapsed = max(0.0, now - item["at"] / 1000)
        tokens = min(tokens, item["tokens"] / 1000 + elapsed * bucket.per_second)
    taken = min(wanted, int(tokens))
    if not taken:
        return 0, (1 - tokens) / bucket.per_second
    stored = {
        "pk": pk,
        "sk": keys.NOW,
        "shape": SHAPE,
        "v": version + 1,
        "tokens": int((tokens - taken) * 1000),
        "at": int(now * 1000),
        "exp": int(now) + KEPT_SECONDS,
    }
    dynamo.put(TABLE, stored, deadline, expected_v=version)
    return taken, 0.0
