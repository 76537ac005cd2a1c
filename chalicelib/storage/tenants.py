"""Published versions of towns, and which towns an account serves.

A version is written in parts first, then the town's pointer moves to it in one write: readers see the old version or
the new one, never a mix. Parts are packed JSON; texts and sheets lie by language, so that a process reads only what
it speaks.
"""

from __future__ import annotations

import hashlib
import json
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from chalicelib.model import Account, Conflict, SalterError, Town
from chalicelib.storage import dynamo, keys
from chalicelib.wire import Deadline

TABLE = "tenants"
SHAPE = 1
TOWNS_MAX = 2000
PART_BYTES_MAX = 380 * 1024
LIVE, TRIAL, SUSPENDED = "live", "trial", "suspended"


class PartTooLarge(SalterError):
    """A part of a version does not fit into one item; shorten the town's texts."""


@dataclass(frozen=True, slots=True)
class Pointer:
    """Which version of a town is in force, and the town's state (live, trial, suspended)."""

    slug: str
    version: int
    state: str
    digest: str
    published_at: int
    previous: int | None = None


def pointer(slug: str, deadline: Deadline) -> Pointer | None:
    item = dynamo.get(TABLE, keys.town(slug), keys.NOW, deadline)
    return _pointer(slug, item) if item else None


def pointers(slugs: Sequence[str], deadline: Deadline) -> list[Pointer]:
    """The pointers of those towns that have one, in the order given; one request a hundred."""
    wanted = {slug: (keys.town(slug), keys.NOW) for slug in slugs}
    items = dynamo.batch_get(TABLE, list(wanted.values()), deadline)
    found = [_pointer(slug, items[key]) for slug, key in wanted.items() if key in items]
    return [one for one in found if one]


def _pointer(slug: str, item: Mapping[str, Any]) -> Pointer | None:
    if not item.get("version"):
        return None
    return Pointer(slug, item["version"], item["state"], item["digest"], item["published_at"], item.get("previous"))


def published(deadline: Deadline) -> list[str]:
    """Every town that was ever published, by slug."""
    items = dynamo.page(TABLE, None, ("pk", keys.TOWNS), deadline, sort="sk", limit=TOWNS_MAX)
    return [item["sk"] for item in items]


def town(slug: str, version: int, deadline: Deadline) -> Town | None:
    """One version, read in one query."""
    prefix = keys.version_prefix(version)
    items = dynamo.query(TABLE, keys.town(slug), prefix, deadline)
    parts = {item["sk"].removeprefix(prefix): item["body"] for item in items}
    return from_parts(slug, version, parts) if "core" in parts else None


def core(slug: str, deadline: Deadline) -> Mapping[str, Any] | None:
    """The core of the version in force alone, without texts, sheets and phrases; two reads."""
    current = pointer(slug, deadline)
    key = keys.version_prefix(current.version) + "core" if current else ""
    item = dynamo.get(TABLE, keys.town(slug), key, deadline) if key else None
    found: Mapping[str, Any] | None = _unpack(item["body"]) if item else None
    return found


def to_parts(compiled: Mapping[str, Any]) -> dict[str, bytes]:
    """A compiled version as named, packed parts."""
    plain = {"core": compiled["core"], "index": compiled["index"]}
    for kind in ("texts", "sheets"):
        plain |= {f"{kind}.{language}": data for language, data in compiled[kind].items()}
    parts = {name: zlib.compress(_json(data), 9) for name, data in plain.items()}
    for name, body in parts.items():
        if len(body) > PART_BYTES_MAX:
            raise PartTooLarge(f"{name}: {len(body)} bytes packed, at most {PART_BYTES_MAX}")
    return parts


def digest(compiled: Mapping[str, Any]) -> str:
    """A fingerprint of a version's content."""
    return hashlib.sha256(_json(dict(compiled))).hexdigest()[:16]


def _json(data: Any) -> bytes:
    return json.dumps(data, ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode()


def from_parts(slug: str, version: int, parts: Mapping[str, bytes]) -> Town:
    core = _unpack(parts["core"])
    return Town(
        slug=slug,
        version=version,
        core=core,
        texts=Unpacked(parts, "texts."),
        sheets=Unpacked(parts, "sheets."),
        index=_unpack(parts["index"]),
    )


def _unpack(body: bytes) -> Any:
    return json.loads(zlib.decompress(body))


class Unpacked(Mapping[str, Any]):
    """Parts by language, opened when somebody first speaks it."""

    def __init__(self, parts: Mapping[str, bytes], prefix: str) -> None:
        self._packed = {name.removeprefix(prefix): body for name, body in parts.items() if name.startswith(prefix)}
        self._open: dict[str, Any] = {}

    def __getitem__(self, language: str) -> Any:
        if language not in self._open:
            self._open[language] = _unpack(self._packed[language])
        return self._open[language]

    def __iter__(self) -> Any:
        return iter(self._packed)

    def __len__(self) -> int:
        return len(self._packed)


# --- accounts ---------------------------------------------------------------------------------------------------


def account(channel: str, name: str, deadline: Deadline) -> Account | None:
    """The account's record: which towns it serves."""
    item = dynamo.get(TABLE, keys.account(f"{channel}:{name}"), keys.NOW, deadline)
    if item is None or not item.get("towns"):
        return None
    names, numbers = (json.loads(item.get(part) or "{}") for part in ("names", "numbers"))
    return Account(channel, name, tuple(item["towns"].split(",")), names, numbers)


# --- writing ----------------------------------------------------------------------------------------------------


def publish(
    slug: str, compiled: Mapping[str, Any], now: float, deadline: Deadline, state: str | None = None
) -> Pointer:
    """Write the next version and move the pointer. The same content again changes nothing but the state asked for.

    Raises Conflict when another publication moved the pointer meanwhile.
    """
    dynamo.put(TABLE, {"pk": keys.TOWNS, "sk": slug, "shape": SHAPE}, deadline)
    current = pointer(slug, deadline)
    fingerprint = digest(compiled)
    version = current.version if current else 0
    if current is None or current.digest != fingerprint:
        version = _free_version(slug, version + 1, deadline)
        for name, body in to_parts(compiled).items():
            item = {"pk": keys.town(slug), "sk": keys.version_prefix(version) + name, "shape": SHAPE, "body": body}
            # The first part (core) claims the number: of two publications at once, one conflicts before it wrote.
            dynamo.put(TABLE, item, deadline, expected_v=0 if name == "core" else None)
    elif state in (None, current.state):
        return current
    moved = Pointer(
        slug=slug,
        version=version,
        state=state or (current.state if current else TRIAL),
        digest=fingerprint,
        published_at=int(now),
        previous=current.version if current and current.version != version else (current.previous if current else None),
    )
    _move(moved, current)
    return moved


def _free_version(slug: str, wanted: int, deadline: Deadline) -> int:
    """A number nobody wrote under: an interrupted publication leaves parts no pointer names."""
    while dynamo.query(TABLE, keys.town(slug), keys.version_prefix(wanted), deadline):
        wanted += 1
    return wanted


def _move(moved: Pointer, current: Pointer | None) -> None:
    from pynamodb.exceptions import PutError

    from chalicelib.storage.tables import TenantItem

    item = TenantItem(
        keys.town(moved.slug),
        keys.NOW,
        shape=SHAPE,
        version=moved.version,
        previous=moved.previous,
        state=moved.state,
        digest=moved.digest,
        published_at=moved.published_at,
    )
    unchanged = (TenantItem.version == current.version) if current else TenantItem.pk.does_not_exist()
    try:
        item.save(condition=unchanged)
    except PutError as error:
        if error.cause_response_code == "ConditionalCheckFailedException":
            raise Conflict(moved.slug) from error
        raise


def suspend(current: Pointer) -> None:
    """The town serves nobody from now on. Raises Conflict if the pointer was moved meanwhile."""
    _move(replace(current, state=SUSPENDED), current)


def note_served(slug: str, account_id: str, deadline: Deadline) -> None:
    """Beside the town, before the account lists it: so whoever takes the town away finds every account that does."""
    dynamo.put(TABLE, {"pk": keys.town(slug), "sk": keys.served(account_id), "shape": SHAPE}, deadline)


def accounts_of(slug: str, deadline: Deadline) -> list[str]:
    """The accounts that list a town, by id; perhaps one more than do."""
    found = dynamo.query(TABLE, keys.town(slug), keys.SERVED, deadline)
    return [item["sk"].removeprefix(keys.SERVED) for item in found]


def forget_account(account_id: str, deadline: Deadline) -> None:
    """An account that serves no town any more is none: its record goes, with whatever stands beside it."""
    for item in dynamo.every(TABLE, None, ("pk", keys.account(account_id)), deadline):
        dynamo.delete(TABLE, item["pk"], item["sk"], deadline)


def save_account(account_record: Account) -> None:
    """Which towns an account serves, replacing what was recorded."""
    from chalicelib.storage.tables import TenantItem

    names, numbers = (
        json.dumps(dict(part), ensure_ascii=False) for part in (account_record.names, account_record.numbers)
    )
    towns = ",".join(account_record.towns)
    TenantItem(keys.account(account_record.id), keys.NOW, shape=SHAPE, towns=towns, names=names, numbers=numbers).save()
