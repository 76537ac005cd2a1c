"""A town's system may ask only so fast: one that runs wild must not eat up what other towns' citizens need.

A token bucket for each key, stored once and drawn from by the handful: a bucket in each process alone would let a key
have as many times its share as there are processes, and a stored one asked every time would cost each request a write.
"""

from __future__ import annotations

import math
import os
import threading

from chalicelib.model import Conflict, TooMany, Unavailable
from chalicelib.small_classes import dataclass
from chalicelib.storage import pace
from chalicelib.storage.api_keys import ApiKey
from chalicelib.storage.pace import Bucket, Place
from chalicelib.wire import Deadline

BUCKET = Bucket(burst=600, per_second=10.0)
LOCAL_BUCKET = Bucket(burst=20_000, per_second=1000.0)
HANDFUL = 20  # tokens a process takes at once
HANDFUL_SECONDS = 30.0  # after which it forgets those it did not need
TAKE_TRIES_MAX = 4
KEYS_REMEMBERED_MAX = 500


@dataclass(slots=True)
class _Held:
    tokens: int
    until: float


_held: dict[str, _Held] = {}
_lock = threading.Lock()


def take(key: ApiKey, now: float, deadline: Deadline) -> None:
    """One request of this key. Raises TooMany. A store that is silent or crowded slows nobody down here."""
    with _lock:
        held = _held.get(key.id)
        if held and held.tokens and now <= held.until:
            held.tokens -= 1
            return
    bucket = LOCAL_BUCKET if is_local() else BUCKET
    taken, wait = drawn(pace.of_key(key.town, key.id), bucket, HANDFUL, now, deadline)
    if not taken:
        raise TooMany(max(1, math.ceil(wait)))
    with _lock:
        if len(_held) >= KEYS_REMEMBERED_MAX:
            _held.clear()
        _held[key.id] = _Held(taken - 1, now + HANDFUL_SECONDS)


def is_local() -> bool:
    """Whether this is the local stack, on which nobody is to be slowed down."""
    return os.environ.get("SALTER_STAGE") == "local"


def forget() -> None:
    """Hold no tokens, as a new process."""
    with _lock:
        _held.clear()


def drawn(
    place: Place, bucket: Bucket, handful: int, now: float, deadline: Deadline, *, leaving: float | None = 0.0
) -> tuple[int, float]:
    """How many tokens of a stored bucket were taken, at most a handful, and the seconds `storage.pace.take` says. A
    store that is silent or crowded gives one, at once."""
    for _ in range(TAKE_TRIES_MAX):
        try:
            return pace.take(place, bucket, handful, now, deadline, leaving=leaving)
        except Conflict:
            continue
        except Unavailable:
            break
    return 1, 0.0
