"""How fast one API key may ask, or one account call its channel: a bucket of tokens that fills by itself,
`T#<town>#PACE#<key>` and `A#<account>` / `PACE`.

A process takes tokens out by the handful, one conditional write for many requests, and spends them by itself; so the
bound holds over all processes together and a request mostly costs nothing.
"""

from __future__ import annotations

from chalicelib.small_classes import dataclass
from chalicelib.storage import dynamo, keys
from chalicelib.wire import Deadline

SHAPE = 1
KEPT_SECONDS = 86400


@dataclass(frozen=True, slots=True)
class Bucket:
    """At most `burst` tokens, `per_second` more of them as time goes by."""

    burst: int
    per_second: float


@dataclass(frozen=True, slots=True)
class Place:
    """Where a bucket stands."""

    table: str
    pk: str
    sk: str = keys.NOW


def of_key(town: str, key: str) -> Place:
    return Place("people", keys.pace(town, key))


def of_account(account: str) -> Place:
    return Place("conversations", keys.account(account), keys.PACE)


def take(
    place: Place, bucket: Bucket, wanted: int, now: float, deadline: Deadline, *, leaving: float | None = 0.0
) -> tuple[int, float]:
    """How many tokens (at most `wanted`) were taken; with none, in how many seconds there will be one.

    So many tokens stay in it as `leaving` says. With None all that is wanted is taken, and the seconds say when the
    bucket will have filled so far that they may be spent: a place in the queue, so to speak.

    Raises Conflict if another process took some at this moment.
    """
    item = dynamo.get(place.table, place.pk, place.sk, deadline)
    tokens, version = float(bucket.burst), 0
    if item is not None:
        version = item["v"]
        elapsed = max(0.0, now - item["at"] / 1000)
        tokens = min(tokens, item["tokens"] / 1000 + elapsed * bucket.per_second)
    taken = wanted if leaving is None else max(0, min(wanted, int(tokens - leaving)))
    if leaving is not None and not taken:
        return 0, (leaving + 1 - tokens) / bucket.per_second
    left = tokens - taken
    stored = {
        "pk": place.pk,
        "sk": place.sk,
        "shape": SHAPE,
        "v": version + 1,
        "tokens": int(left * 1000),
        "at": int(now * 1000),
        "exp": int(now) + KEPT_SECONDS,
    }
    dynamo.put(place.table, stored, deadline, expected_v=version)
    return taken, max(0.0, -left) / bucket.per_second
