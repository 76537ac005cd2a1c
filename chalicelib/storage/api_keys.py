"""Keys of towns' systems: shown once when made, stored as a hash, each for one town with its scopes.

A key names its town (`slt_<town>_…`), so checking it is one read in that town's part of the table.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from dataclasses import dataclass

from chalicelib.model import SalterError
from chalicelib.storage import dynamo, keys, register
from chalicelib.wire import Deadline

TABLE = "people"
SHAPE = 1
# `chats` and `help` unmask what other keys read masked: conversations, and who asked for assistance.
SCOPES = ("cases:read", "cases:write", "announcements", "figures", "open311", "chats", "help")
NAME_CHARS_MAX = 60
_KEY = re.compile(r"slt_([a-z][a-z0-9-]{1,39})_[A-Za-z0-9_-]{32,64}")
_LOCAL_KEY = re.compile(r"local-key-([a-z][a-z0-9-]{1,39})")
_LOCAL = "local"


class UnknownScope(SalterError):
    """There is no such scope; the platform admin must name one of SCOPES."""


@dataclass(frozen=True, slots=True)
class ApiKey:
    """What is known of a key: its town, its id (no secret, fit for histories), its name, what it may."""

    town: str
    id: str
    name: str
    scopes: frozenset[str]


def make(town: str, name: str, scopes: Iterable[str], secret: str, now: float, deadline: Deadline) -> str:
    """Store a new key and return it, this once. `secret` is at least 32 random url-safe characters."""
    token = f"slt_{town}_{secret}"
    if not _KEY.fullmatch(token):
        raise ValueError("the secret must be 32 to 64 url-safe characters")
    _store(town, name, scopes, token, now, deadline)
    return token


def ensure_local_key(town: str, now: float, deadline: Deadline) -> str:
    """The well-known key of a town on the local stack, with every scope. Refuses on any other stage."""
    if os.environ.get("SALTER_STAGE") != _LOCAL:
        raise RuntimeError(f"local keys belong to stage {_LOCAL} alone")
    token = f"local-key-{town}"
    _store(town, "local", SCOPES, token, now, deadline)
    return token


def find(token: str, deadline: Deadline) -> ApiKey | None:
    """Whose key this is; None for one that was never made or was revoked. One read, none for what is no key."""
    town = _town_of(token)
    if town is None:
        return None
    digest = keys.secret_digest(token)
    item = dynamo.get(TABLE, keys.api_key(town, digest), keys.NOW, deadline)
    if item is None or item.get("revoked_at"):
        return None
    return ApiKey(town, digest[:12], item["name"], frozenset(item["scopes"].split()))


def revoke(token: str, now: float, deadline: Deadline) -> bool:
    """End a key; False if it was none. The record stays, so that a history can still be read."""
    town = _town_of(token)
    key = keys.api_key(town, keys.secret_digest(token)) if town else ""
    item = dynamo.get(TABLE, key, keys.NOW, deadline) if key else None
    if item is None:
        return False
    dynamo.put(TABLE, item | {"revoked_at": int(now)}, deadline)
    return True


def _town_of(token: str) -> str | None:
    if match := _KEY.fullmatch(token):
        return match[1]
    local = _LOCAL_KEY.fullmatch(token) if os.environ.get("SALTER_STAGE") == _LOCAL else None
    return local[1] if local else None


def _store(town: str, name: str, scopes: Iterable[str], token: str, now: float, deadline: Deadline) -> None:
    wanted = sorted(set(scopes))
    if strange := set(wanted) - set(SCOPES):
        raise UnknownScope(f"no scope {', '.join(sorted(strange))}; there are {', '.join(SCOPES)}")
    pk = keys.api_key(town, keys.secret_digest(token))
    item = {
        "pk": pk,
        "sk": keys.NOW,
        "shape": SHAPE,
        "name": name[:NAME_CHARS_MAX],
        "scopes": " ".join(wanted),
        "at": int(now),
    }
    dynamo.put(TABLE, item | register.of_people(town, pk), deadline)
