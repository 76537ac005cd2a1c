"""How much the web takes. Nobody signs in to a chat, so a program could open chats without end, and each costs.

Two bounds beside the one for each person (`dialogue/flood.py`). What one internet address may ask is counted in this
process's memory alone: nothing is stored about it. Chats and links have less of it than pages and what belongs to them
(`bounds.CROWD`), which a whole town hall or mobile network may look at from one address. What a town's chat takes a day
is a bucket stored once, paid for by the handful *after* it was used: an unknown process may overdraw by a handful, and
whoever is refused costs nothing.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable

from chalicelib import bounds
from chalicelib.actions import pace
from chalicelib.actions.journal import log
from chalicelib.model import TooMany, Town
from chalicelib.small_classes import dataclass
from chalicelib.storage.pace import Bucket, of_key
from chalicelib.wire import Deadline

ADDRESS = Bucket(burst=300, per_second=10.0)  # a school or a mobile network may share one address
CROWD = Bucket(burst=3000, per_second=100.0)
LOCAL = Bucket(burst=100_000, per_second=10_000.0)  # on the local stack nobody is to be slowed down
MESSAGES_A_DAY = 20_000  # where the town's file says nothing else
HANDFUL = 100  # messages a process takes before it settles, by one read and one write
REST_SECONDS = 60  # a process that was told there is nothing left asks again after these
ADDRESSES_REMEMBERED_MAX = 5000
NAME = "web"


@dataclass(slots=True)
class _Used:
    """What this process has left of an address's bucket, or of a handful of a town's."""

    left: float
    at: float = 0.0
    refused_until: float = 0.0


_addresses: dict[str, _Used] = {}
_towns: dict[str, _Used] = {}
_lock = threading.Lock()


def by_address(source: str, now: float, counted: str = bounds.VISITOR) -> None:
    """One request from this internet address ("" where it is not known). Raises TooMany; nothing is asked or stored."""
    if not source:
        return
    bucket = LOCAL if pace.is_local() else CROWD if counted == bounds.CROWD else ADDRESS
    with _lock:
        used = _kept(_addresses, f"{counted} {source}", lambda: _Used(bucket.burst, now))
        left = min(bucket.burst, used.left + max(0.0, now - used.at) * bucket.per_second)
        used.left, used.at = (left - 1 if left >= 1 else left), now
    if left < 1:
        raise TooMany(max(1, math.ceil((1 - left) / bucket.per_second)))


def by_town(town: Town, now: float, deadline: Deadline) -> None:
    """One message to this town's chat. Raises TooMany once the day's are used up; a silent store slows nobody down."""
    with _lock:
        used = _kept(_towns, town.slug, lambda: _Used(HANDFUL))
        wait = used.refused_until - now
        settle = wait <= 0 and used.left < 1
        if wait <= 0 and not settle:
            used.left -= 1
    if wait > 0:
        raise TooMany(math.ceil(wait))
    if settle:
        _settle(town, used, now, deadline)


def forget() -> None:
    """Know of nobody, as a new process."""
    with _lock:
        _addresses.clear()
        _towns.clear()


# --- parts ------------------------------------------------------------------------------------------------------


def _settle(town: Town, used: _Used, now: float, deadline: Deadline) -> None:
    a_day = int(town.core["web"].get("daily_messages") or MESSAGES_A_DAY)
    bucket = LOCAL if pace.is_local() else Bucket(a_day, a_day / 86400)
    taken, _ = pace.drawn(of_key(town.slug, NAME), bucket, HANDFUL, now, deadline)
    with _lock:
        used.left = max(0, taken - 1)
        used.refused_until = 0.0 if taken else now + REST_SECONDS
    if not taken:
        log.warning("web_chat_full", tenant=town.slug)
        raise TooMany(REST_SECONDS)


def _kept(known: dict[str, _Used], name: str, fresh: Callable[[], _Used]) -> _Used:
    """What is known under this name; the memory is bounded and then begins anew."""
    if name not in known:
        if len(known) >= ADDRESSES_REMEMBERED_MAX:
            known.clear()
        known[name] = fresh()
    return known[name]
