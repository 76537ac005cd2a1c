"""Keys of a town's systems in people's hands: made, looked through, revoked. All of it is on record."""

from __future__ import annotations

from collections.abc import Sequence
from secrets import token_hex, token_urlsafe

from chalicelib.model import Conflict, SalterError, Town, Unavailable
from chalicelib.storage import api_keys, audit, dynamo
from chalicelib.storage.api_keys import KEYS_MAX, NAME_CHARS_MAX, ApiKey, UnknownScope
from chalicelib.storage.audit import Act
from chalicelib.wire import Deadline

REVOKE_TRIES_MAX = 4
SECRET_BYTES = 32


class NotPossible(SalterError):
    """What was asked for cannot be done; `code` says why, in words of the page's texts."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def make(town: Town, name: str, scopes: Sequence[str], by: str, now: float, deadline: Deadline) -> str:
    """A new key, told this once. Raises NotPossible."""
    name = " ".join(name.split())[:NAME_CHARS_MAX]
    if not name:
        raise NotPossible("key_name")
    if not scopes:
        raise NotPossible("key_scopes")
    if len(api_keys.all_of(town.slug, now, deadline)) >= KEYS_MAX:
        raise NotPossible("key_many")
    token = f"slt_{town.slug}_{token_urlsafe(SECRET_BYTES)}"
    try:
        items = api_keys.items(town.slug, name, scopes, token, now)
    except UnknownScope as error:
        raise NotPossible("key_scopes") from error
    act = Act(now, by, "key_made", name, {"scopes": " ".join(sorted(set(scopes)))})
    dynamo.transact([*items, audit.item(town.slug, act, token_hex(4))], deadline)
    return token


def all_of(town: Town, now: float, deadline: Deadline) -> tuple[ApiKey, ...]:
    """The town's keys: those that work first, each newest first."""
    return tuple(sorted(api_keys.all_of(town.slug, now, deadline), key=lambda key: bool(key.revoked_at)))


def revoke(town: Town, identifier: str, by: str, now: float, deadline: Deadline) -> ApiKey:
    """End a key, at once for every process: each request reads it. Again is the same. Raises NotPossible."""
    for _ in range(REVOKE_TRIES_MAX):
        key = next((one for one in api_keys.all_of(town.slug, now, deadline) if one.id == identifier), None)
        if key is None:
            raise NotPossible("key_unknown")
        if key.revoked_at:
            return key
        act = Act(now, by, "key_revoked", key.name)
        try:
            dynamo.transact([*api_keys.ending(key, now), audit.item(town.slug, act, token_hex(4))], deadline)
        except Conflict:  # its use was noted at this moment
            continue
        return key
    raise Unavailable("api key")
