"""Keys of towns' systems: shown once when made, stored as a hash, each for one town with its scopes.

A key names its town (`slt_<town>_…`), so checking it is one read in that town's part of the table:
`T#<town>#KEY#<hash>` / `NOW`. `T#<town>#KEYS` / `<when made>#<hash>` lists them; one that was revoked leaves the list
after `REVOKED_SHOWN_DAYS`, its record stays, so that a history can still be read.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import field
from typing import Any

from chalicelib.model import Conflict, SalterError, Unavailable
from chalicelib.patterns import pattern
from chalicelib.small_classes import dataclass
from chalicelib.storage import dynamo, keys, register
from chalicelib.storage.dynamo import Write
from chalicelib.wire import Deadline

TABLE = "people"
SHAPE = 1
# `chats` and `help` unmask what other keys read masked: conversations, and who asked for assistance.
SCOPES = ("cases:read", "cases:write", "announcements", "figures", "open311", "chats", "help")
NAME_CHARS_MAX = 60
KEYS_MAX = 100  # of one town, those shown as revoked among them
ID_CHARS = 12
REVOKED_SHOWN_DAYS = 90
USE_NOTED_SECONDS = 3600  # how exactly the last use is known: a note costs a write, so it is made once an hour
NOTE_SECONDS = 0.5
_KEY = pattern(r"slt_([a-z][a-z0-9-]{1,39})_[A-Za-z0-9_-]{32,64}")
_LOCAL_KEY = pattern(r"local-key-([a-z][a-z0-9-]{1,39})")
_LOCAL = "local"


class UnknownScope(SalterError):
    """There is no such scope; whoever makes the key must name some of SCOPES."""


@dataclass(frozen=True, slots=True)
class ApiKey:
    """What is known of a key: its town, its id (no secret, fit for histories), its name, what it may. Times in epoch
    seconds: when it was made, about when it was last used, when it was revoked; 0 for never. `item` is what is stored.
    """

    town: str
    id: str
    name: str
    scopes: frozenset[str]
    made_at: int = 0
    used_at: int = 0
    revoked_at: int = 0
    item: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)


def make(town: str, name: str, scopes: Iterable[str], secret: str, now: float, deadline: Deadline) -> str:
    """Store a new key and return it, this once. `secret` is at least 32 random url-safe characters."""
    token = f"slt_{town}_{secret}"
    if not _KEY.fullmatch(token):
        raise ValueError("the secret must be 32 to 64 url-safe characters")
    dynamo.transact(items(town, name, scopes, token, now), deadline)
    return token


def items(town: str, name: str, scopes: Iterable[str], token: str, now: float) -> list[Write]:
    """A new key as part of a transaction. Raises UnknownScope."""
    wanted = sorted(set(scopes))
    if (strange := set(wanted) - set(SCOPES)) or not wanted:
        raise UnknownScope(f"no scope {', '.join(sorted(strange))}; there are {', '.join(SCOPES)}")
    digest = keys.secret_digest(token)
    stored: dict[str, Any] = {
        "pk": keys.api_key(town, digest),
        "sk": keys.NOW,
        "shape": SHAPE,
        "v": 1,
        "name": name[:NAME_CHARS_MAX],
        "scopes": " ".join(wanted),
        "at": int(now),
    }
    return [Write(TABLE, stored | register.of_people(town, stored["pk"])), _listed(town, int(now), digest)]


def ensure_local_key(town: str, now: float, deadline: Deadline) -> str:
    """The well-known key of a town on the local stack, with every scope. Refuses on any other stage."""
    if os.environ.get("SALTER_STAGE") != _LOCAL:
        raise RuntimeError(f"local keys belong to stage {_LOCAL} alone")
    token = f"local-key-{town}"
    if find(token, deadline) is None:
        dynamo.transact(items(town, "local", SCOPES, token, now), deadline)
    return token


def find(token: str, deadline: Deadline) -> ApiKey | None:
    """Whose key this is; None for one that was never made or was revoked. One read, none for what is no key."""
    town = _town_of(token)
    if town is None:
        return None
    item = dynamo.get(TABLE, keys.api_key(town, keys.secret_digest(token)), keys.NOW, deadline)
    return None if item is None or item.get("revoked_at") else _key(town, item)


def note_use(key: ApiKey, now: float, deadline: Deadline) -> None:
    """Remember that it was used, at most once an hour; whoever waits for an answer does not wait for this."""
    if now - key.used_at < USE_NOTED_SECONDS or "v" not in key.item:
        return
    with suppress(Conflict, Unavailable):
        write = _write(key, used_at=int(now))
        dynamo.put(TABLE, write.item, Deadline(deadline.within(NOTE_SECONDS)), expected_v=write.expected_v)


def all_of(town: str, now: float, deadline: Deadline) -> tuple[ApiKey, ...]:
    """A town's keys, newest first; two requests."""
    partition = ("pk", keys.api_keys(town))
    listed = dynamo.page(TABLE, None, partition, deadline, sort="sk", limit=KEYS_MAX, newest_first=True)
    digests = [found["sk"].partition("#")[2] for found in listed if found.get("exp", now + 1) > now]
    if not digests:
        return ()
    there = dynamo.batch_get(TABLE, [(keys.api_key(town, digest), keys.NOW) for digest in digests], deadline)
    stored = [there.get((keys.api_key(town, digest), keys.NOW)) for digest in digests]
    return tuple(_key(town, item) for item in stored if item)


def revoke(token: str, now: float, deadline: Deadline) -> bool:
    """End a key; False if it was none."""
    key = find(token, deadline)
    if key is None:
        return False
    dynamo.transact(ending(key, now), deadline)
    return True


def ending(key: ApiKey, now: float) -> list[Write]:
    """The end of a key as part of a transaction. Raises Conflict there if its use was noted at this moment."""
    digest = str(key.item["pk"]).rpartition("#")[2]
    return [_write(key, revoked_at=int(now)), _listed(key.town, key.made_at, digest, int(now))]


# --- parts ------------------------------------------------------------------------------------------------------


def _town_of(token: str) -> str | None:
    if match := _KEY.fullmatch(token):
        return match[1]
    local = _LOCAL_KEY.fullmatch(token) if os.environ.get("SALTER_STAGE") == _LOCAL else None
    return local[1] if local else None


def _key(town: str, item: Mapping[str, Any]) -> ApiKey:
    return ApiKey(
        town,
        str(item["pk"]).rpartition("#")[2][:ID_CHARS],
        item["name"],
        frozenset(item["scopes"].split()),
        made_at=item["at"],
        used_at=item.get("used_at", 0),
        revoked_at=item.get("revoked_at", 0),
        item=item,
    )


def _listed(town: str, made_at: int, digest: str, revoked_at: int = 0) -> Write:
    gone = {"exp": revoked_at + REVOKED_SHOWN_DAYS * 86400} if revoked_at else {}
    return Write(TABLE, {"pk": keys.api_keys(town), "sk": f"{made_at:012d}#{digest}", "shape": SHAPE, **gone})


def _write(key: ApiKey, **changed: int) -> Write:
    version = key.item.get("v")
    return Write(TABLE, {**key.item, **changed, "v": (version or 0) + 1}, expected_v=version)
