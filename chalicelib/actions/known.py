"""What a warm process keeps of the world: towns in force and accounts, looked at again after a minute.

One pointer read a minute and town; a new version or state is in force everywhere within 60 seconds, without a
deployment.
"""

from __future__ import annotations

import os
from collections import OrderedDict
from time import monotonic

from chalicelib.model import Account, Town
from chalicelib.small_classes import dataclass
from chalicelib.storage import tenants
from chalicelib.storage.tenants import Pointer
from chalicelib.wire import Deadline

KEPT_SECONDS = 55.0
# A town takes half a megabyte, a language more or less; half of the function's memory is for them. One read anew costs
# as much as twenty turns read.
TOWNS_KEPT_MAX = int(os.environ.get("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "512")) // 2
ACCOUNTS_KEPT_MAX = 2048


@dataclass(slots=True)
class _KeptTown:
    town: Town
    pointer: Pointer
    until: float


_towns: OrderedDict[str, _KeptTown] = OrderedDict()
_accounts: OrderedDict[str, tuple[Account | None, float]] = OrderedDict()


def town(slug: str, deadline: Deadline) -> Town | None:
    """The version of a town that is in force; None for a town nobody published."""
    kept = _towns.get(slug)
    if kept and kept.until > monotonic():
        _towns.move_to_end(slug)
        return kept.town
    pointer = tenants.pointer(slug, deadline)
    if pointer is None:
        _towns.pop(slug, None)
        return None
    loaded = (
        kept.town if kept and kept.town.version == pointer.version else tenants.town(slug, pointer.version, deadline)
    )
    if loaded is None:
        return None
    _towns[slug] = _KeptTown(loaded, pointer, monotonic() + KEPT_SECONDS)
    _towns.move_to_end(slug)
    while len(_towns) > TOWNS_KEPT_MAX:
        _towns.popitem(last=False)
    return loaded


def state(slug: str, deadline: Deadline) -> str:
    """The town's state (live, trial, suspended), as old as the version that `town` gives; read together with it."""
    return _towns[slug].pointer.state if town(slug, deadline) else ""


def account(channel: str, name: str, deadline: Deadline) -> Account | None:
    """An account and the towns it serves. A web account is the town's own and needs no record."""
    if channel == "web":
        return Account("web", name, (name,))
    key = f"{channel}:{name}"
    kept = _accounts.get(key)
    if kept and kept[1] > monotonic():
        return kept[0]
    found = tenants.account(channel, name, deadline)
    _accounts[key] = (found, monotonic() + (KEPT_SECONDS if found else 5.0))
    while len(_accounts) > ACCOUNTS_KEPT_MAX:
        _accounts.popitem(last=False)
    return found


def forget() -> None:
    """Drop everything kept; the next look reads again."""
    _towns.clear()
    _accounts.clear()
