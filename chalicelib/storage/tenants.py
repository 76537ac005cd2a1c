"""Published versions of towns, the state each town is in, and which towns an account serves.

A version is written in parts first, then the town's pointer moves to it in one write: readers see the old version or
the new one, never a mix. The pointer also says the town's state; whatever changes it is one conditional write, with
what must stand beside it (the audit trail). Parts are packed JSON; texts and sheets lie by language, so that a process
reads only what it speaks.
"""

from __future__ import annotations

import hashlib
import json
import zlib
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from sys import intern
from typing import Any

from chalicelib.model import Account, SalterError, Town, Unavailable
from chalicelib.small_classes import dataclass, replace
from chalicelib.storage import dynamo, keys
from chalicelib.storage.dynamo import Write
from chalicelib.wire import Deadline

TABLE = "tenants"
SHAPE = 1
TOWNS_MAX = 2000
PART_BYTES_MAX = 380 * 1024
VERSIONS_KEPT = 5  # to roll back to; older ones are removed when the next is published
PARTS_MAX = 100  # of one version: core, index, texts and sheets of each language
REASON_CHARS_MAX = 300
LIVE, TRIAL, SUSPENDED = "live", "trial", "suspended"


class PartTooLarge(SalterError):
    """A part of a version does not fit into one item; shorten the town's texts."""


class NoSuchVersion(SalterError):
    """The town has no such version, or none any more."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A version that can be rolled back to. `digest` "" where it was not noted down."""

    version: int
    digest: str
    published_at: int


@dataclass(frozen=True, slots=True)
class Pointer:
    """Which version of a town is in force, and the town's state (live, trial, suspended).

    `published_at`: since when this version is in force. `account`: the town's Viber account, "" without one. `before`:
    the state a suspension ends in; `reason`, `by`, `changed_at`: of the last change of state. `v`: stored version of
    the pointer itself, 0 for one written before there was such a number.
    """

    slug: str
    version: int
    state: str
    digest: str
    published_at: int
    previous: int | None = None
    kept: tuple[Kept, ...] = ()
    account: str = ""
    before: str = ""
    reason: str = ""
    by: str = ""
    changed_at: int = 0
    v: int = 0


Beside = Callable[[Pointer], Sequence[Write]]


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
    return Pointer(
        slug,
        item["version"],
        item["state"],
        item["digest"],
        item["published_at"],
        item.get("previous"),
        kept=_kept(item),
        account=item.get("account", ""),
        before=item.get("before", ""),
        reason=item.get("reason", ""),
        by=item.get("by", ""),
        changed_at=item.get("changed_at", 0),
        v=item.get("v", 0),
    )


def _kept(item: Mapping[str, Any]) -> tuple[Kept, ...]:
    """What the pointer says is kept; one written before it said so names its own version and the one before."""
    if item.get("kept"):
        return tuple(Kept(*entry) for entry in json.loads(item["kept"]))
    before = (Kept(item["previous"], "", item["published_at"]),) if item.get("previous") else ()
    return (*before, Kept(item["version"], item["digest"], item["published_at"]))


def published(deadline: Deadline, after: str = "", limit: int = TOWNS_MAX) -> list[str]:
    """The towns that were ever published, by slug: all of them, or so many after the one named."""
    start = f"{after} " if after else ""  # the blank sorts before whatever a slug may go on with
    items = dynamo.page(TABLE, None, ("pk", keys.TOWNS), deadline, sort="sk", start=start, limit=limit)
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


def source(slug: str, version: int, deadline: Deadline) -> Mapping[str, Any] | None:
    """What a version was compiled from: {"files", "edits"}; None for one published before that was kept."""
    item = dynamo.get(TABLE, keys.town(slug), keys.version_prefix(version) + "source", deadline)
    found: Mapping[str, Any] | None = _unpack(item["body"]) if item else None
    return found


def to_parts(compiled: Mapping[str, Any]) -> dict[str, bytes]:
    """A compiled version as named, packed parts."""
    plain = {"core": compiled["core"], "index": compiled["index"], "source": compiled["source"]}
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
            self._open[language] = _shared(_unpack(self._packed[language]))
        return self._open[language]

    def __iter__(self) -> Any:
        return iter(self._packed)

    def __len__(self) -> int:
        return len(self._packed)


def _shared(data: dict[str, Any]) -> dict[str, Any]:
    """The same, its words kept once however many towns use them: most texts are the platform's own."""
    return {intern(name): intern(value) if isinstance(value, str) else value for name, value in data.items()}


# --- accounts ---------------------------------------------------------------------------------------------------


def account(channel: str, name: str, deadline: Deadline) -> Account | None:
    """The account's record: which towns it serves."""
    item = dynamo.get(TABLE, keys.account(f"{channel}:{name}"), keys.NOW, deadline)
    return _account(channel, name, item) if item else None


def _account(channel: str, name: str, item: Mapping[str, Any]) -> Account | None:
    if not item.get("towns"):
        return None
    names, numbers, spoken = (json.loads(item.get(part) or "{}") for part in ("names", "numbers", "spoken"))
    called = {slug: tuple(forms) for slug, forms in spoken.items()}
    return Account(channel, name, tuple(item["towns"].split(",")), names, numbers, called)


# --- writing ----------------------------------------------------------------------------------------------------


def nothing(_: Pointer) -> Sequence[Write]:
    """Nothing stands beside a change."""
    return ()


def publish(
    slug: str,
    compiled: Mapping[str, Any],
    now: float,
    deadline: Deadline,
    state: str | None = None,
    beside: Beside = nothing,
) -> Pointer:
    """Write the next version and move the pointer. The same content again changes nothing but the state asked for.

    Raises Conflict when another publication or a change of state moved the pointer meanwhile.
    """
    dynamo.put(TABLE, {"pk": keys.TOWNS, "sk": slug, "shape": SHAPE}, deadline)
    current = pointer(slug, deadline)
    fingerprint = digest(compiled)
    if current and current.digest == fingerprint:
        same = replace(current, state=state or current.state, account=_account_of(compiled["core"]))
        return current if same == current else change(same, deadline, beside)
    youngest = max((one.version for one in current.kept), default=0) if current else 0
    new = Kept(_free_version(slug, youngest + 1, deadline), fingerprint, int(now))
    for name, body in to_parts(compiled).items():
        item = {"pk": keys.town(slug), "sk": keys.version_prefix(new.version) + name, "shape": SHAPE, "body": body}
        # The first part (core) claims the number: of two publications at once, one conflicts before it wrote.
        dynamo.put(TABLE, item, deadline, expected_v=0 if name == "core" else None)
    moved = _moved_on(current, new, now) if current else Pointer(slug, new.version, TRIAL, fingerprint, int(now))
    moved = replace(
        moved,
        state=state or moved.state,
        kept=moved.kept or (new,),
        account=_account_of(compiled["core"]),
    )
    moved = change(moved, deadline, beside)
    with suppress(Unavailable):  # the next publication removes them
        _remove_older(moved, deadline)
    return moved


def roll_back(slug: str, to: int | None, now: float, deadline: Deadline, beside: Beside = nothing) -> Pointer:
    """Put the version before, or the one named, in force again. Raises NoSuchVersion, Conflict."""
    current = pointer(slug, deadline)
    kept = earlier(current, to) if current else None
    back = town(slug, kept.version, deadline) if kept else None
    if current is None or kept is None or back is None:
        raise NoSuchVersion(slug)
    if kept.version == current.version:
        return current
    return change(
        replace(
            current,
            version=kept.version,
            digest=kept.digest,
            published_at=int(now),
            previous=current.version,
            account=_account_of(back.core),
        ),
        deadline,
        beside,
    )


def earlier(current: Pointer, to: int | None) -> Kept | None:
    """The version a town can go back to: the one named, else the one in force before; None if it is not kept."""
    wanted = current.previous if to is None else to
    return next((one for one in current.kept if one.version == wanted), None)


def _account_of(core: Mapping[str, Any]) -> str:
    return str(core["viber"]["account"] or "")


def change(after: Pointer, deadline: Deadline, beside: Beside = nothing) -> Pointer:
    """Write the pointer, as changed from the one read, with what stands beside it. Raises Conflict."""
    saved = replace(after, v=after.v + 1)
    head = Write(TABLE, _item(saved), expected_v=after.v or dynamo.UNCOUNTED)
    dynamo.transact([head, *beside(saved)], deadline)
    return saved


def _moved_on(current: Pointer, new: Kept, now: float) -> Pointer:
    """The pointer at a new version; the one before is kept whatever its age."""
    younger = (*current.kept, new)[-VERSIONS_KEPT:]
    before = tuple(one for one in current.kept if one.version == current.version and one not in younger)
    return replace(
        current,
        version=new.version,
        digest=new.digest,
        published_at=int(now),
        previous=current.version,
        kept=(*before, *younger),
    )


def _free_version(slug: str, wanted: int, deadline: Deadline) -> int:
    """A number nobody wrote under: an interrupted publication leaves parts no pointer names."""
    while dynamo.get(TABLE, keys.town(slug), keys.version_prefix(wanted) + "core", deadline):
        wanted += 1
    return wanted


def _remove_older(current: Pointer, deadline: Deadline) -> None:
    """The parts of every version older than the oldest kept, whole or interrupted; so many at once, oldest first."""
    oldest = keys.version_prefix(min(one.version for one in current.kept))
    partition = ("pk", keys.town(current.slug))
    found = dynamo.page(TABLE, None, partition, deadline, sort="sk", start="V#", end=oldest, limit=PARTS_MAX)
    dynamo.batch_write(TABLE, [], [(item["pk"], item["sk"]) for item in found], deadline)


def _item(current: Pointer) -> dict[str, Any]:
    kept = [[one.version, one.digest, one.published_at] for one in current.kept]
    return {
        "pk": keys.town(current.slug),
        "sk": keys.NOW,
        "shape": SHAPE,
        "v": current.v,
        "version": current.version,
        "previous": current.previous,
        "kept": json.dumps(kept, separators=(",", ":")),
        "state": current.state,
        "account": current.account or None,
        "before": current.before or None,
        "reason": current.reason[:REASON_CHARS_MAX] or None,
        "by": current.by or None,
        "changed_at": current.changed_at or None,
        "digest": current.digest,
        "published_at": current.published_at,
    }


def accounts_of(slug: str, deadline: Deadline) -> list[str]:
    """The accounts that list a town, by id; perhaps one more than do."""
    found = dynamo.query(TABLE, keys.town(slug), keys.SERVED, deadline)
    return [item["sk"].removeprefix(keys.SERVED) for item in found]


def save_account(account_record: Account) -> None:
    """Which towns an account serves, replacing what was recorded."""
    from chalicelib.storage.tables import TenantItem

    item = _account_item(account_record)
    TenantItem(item.pop("pk"), item.pop("sk"), **item).save()


def serving(
    name: str, slug: str, called: str, number: int | None, spoken: Sequence[str], deadline: Deadline
) -> list[Write]:
    """What must be written so that the Viber account serves the town, beside those it serves already; [] if it does.

    `called` stands on the town's button, `number` in the links of its slips, `spoken` is what citizens call it.
    Somebody faster is a Conflict. Beside the town stands that the account lists it, so that whoever takes the town away
    finds every account that does.
    """
    item = dynamo.get(TABLE, keys.account(f"viber:{name}"), keys.NOW, deadline) or {}
    record = _account("viber", name, item) or Account("viber", name, ())
    after = Account(
        "viber",
        name,
        record.towns if slug in record.towns else (*record.towns, slug),
        {**record.names, slug: called},
        {**record.numbers} | ({slug: number} if number else {}),
        {**record.spoken, slug: tuple(spoken)},
    )
    if after == record:
        return []
    noted = Write(TABLE, {"pk": keys.town(slug), "sk": keys.served(record.id), "shape": SHAPE})
    return [noted, _account_write(after, item.get("v", 0))]


def serving_no_more(account_id: str, slug: str, deadline: Deadline) -> Write | None:
    """What must be written so that the account serves the town no more, None if it does not. One that would serve
    nobody goes. Somebody faster is a Conflict."""
    channel, _, name = account_id.partition(":")
    item = dynamo.get(TABLE, keys.account(account_id), keys.NOW, deadline) or {}
    record = _account(channel, name, item)
    if record is None or slug not in record.towns:
        return None
    left = tuple(town for town in record.towns if town != slug)
    if not left:
        return Write(TABLE, {"pk": item["pk"], "sk": keys.NOW}, expected_v=item.get("v"), gone=True)
    names, numbers, spoken = (_without(slug, part) for part in (record.names, record.numbers, record.spoken))
    return _account_write(Account(channel, name, left, names, numbers, spoken), item.get("v", 0))


def _without(slug: str, said: Mapping[str, Any]) -> dict[str, Any]:
    return {town: value for town, value in said.items() if town != slug}


def _account_write(after: Account, v: int) -> Write:
    return Write(TABLE, _account_item(after) | {"v": v + 1}, expected_v=v or dynamo.UNCOUNTED)


def _account_item(record: Account) -> dict[str, Any]:
    names, numbers, spoken = (
        json.dumps(dict(part), ensure_ascii=False) for part in (record.names, record.numbers, record.spoken)
    )
    place = {"pk": keys.account(record.id), "sk": keys.NOW, "shape": SHAPE}
    return place | {"towns": ",".join(record.towns), "names": names, "numbers": numbers, "spoken": spoken}
