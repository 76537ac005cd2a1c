"""Invitations by SMS: `T#<town>#INV#<id>` / `HEAD`, the numbers of each page `P#n` until it is done, what became of it
`R#n`; the list of all. That a number was invited stands under its keyed hash for a year, so that nobody gets two.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, field
from typing import Any

from chalicelib.compact_json import as_json
from chalicelib.small_classes import dataclass
from chalicelib.storage import dynamo, keys, phones, register
from chalicelib.storage.dynamo import Item, Write
from chalicelib.wire import Deadline

TABLE = "outbox"
SHAPE = 1
KEPT_DAYS = 3 * 366
NUMBERS_KEPT_DAYS = 30
INVITED_KEPT_DAYS = 365
LISTED_MAX = 30
PAGES_READ_MAX = 500
DRAFT, SENDING, STOPPED = "draft", "sending", "stopped"
TRYING = "trying"  # claimed, and nobody wrote down what became of it


@dataclass(frozen=True, slots=True)
class Invitation:
    """`text` as it is sent; `basis` and `where`: on what ground they may be written to, and where that is kept; `size`
    numbers in `pages` pages. Times in epoch seconds; `v` is the stored version."""

    town: str
    id: str
    text: str
    basis: str
    where: str
    by: str
    at: int
    size: int
    pages: int
    bad: Sequence[int] = ()
    doubles: int = 0
    state: str = DRAFT
    approved_by: str = ""
    approved_at: int = 0
    v: int = 0


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a page: how many were sent, left out because they were invited before, refused and why, or may
    have got it or not."""

    sent: int = 0
    before: int = 0
    uncertain: int = 0
    failed: Mapping[str, int] = field(default_factory=dict)


def load(town: str, identifier: str, deadline: Deadline) -> Invitation | None:
    item = dynamo.get(TABLE, keys.invitation(town, identifier), keys.HEAD, deadline)
    return _from_item(town, item) if item else None


def item(after: Invitation) -> Write:
    """It as part of a transaction, written over the version it was read in."""
    body = asdict(after)
    for name in ("town", "id", "state", "v"):
        del body[name]
    stored = _kept(after.town, after.id, keys.HEAD, after.state, after.at + KEPT_DAYS * 86400)
    return Write(TABLE, stored | {"v": after.v + 1, "body": _packed(body)}, expected_v=after.v)


def listed(new: Invitation) -> Write:
    """A new one's place in the list."""
    stored = _kept(new.town, new.id, f"{new.at:012d}#{new.id}", "listed", new.at + KEPT_DAYS * 86400)
    return Write(TABLE, stored | {"pk": keys.invitations(new.town)})


def newest(town: str, deadline: Deadline) -> list[Invitation]:
    """The newest ones; two requests."""
    partition = ("pk", keys.invitations(town))
    found = dynamo.page(TABLE, None, partition, deadline, sort="sk", limit=LISTED_MAX, newest_first=True)
    wanted = [(keys.invitation(town, entry["sk"].partition("#")[2]), keys.HEAD) for entry in found]
    heads = dynamo.batch_get(TABLE, wanted, deadline) if wanted else {}
    return [_from_item(town, heads[key]) for key in wanted if key in heads]


# --- pages ------------------------------------------------------------------------------------------------------


def numbers_item(new: Invitation, n: int, numbers: Sequence[str]) -> Write:
    """The numbers of a page, kept until it is done."""
    expires = new.at + NUMBERS_KEPT_DAYS * 86400
    stored = _kept(new.town, new.id, keys.invited_page(n), "waiting", expires)
    return Write(TABLE, stored | {"body": _packed(list(numbers))})


def numbers(town: str, identifier: str, n: int, deadline: Deadline) -> list[str]:
    """The numbers of a page; none once it is done or forgotten."""
    found = dynamo.get(TABLE, keys.invitation(town, identifier), keys.invited_page(n), deadline)
    return list(_unpacked(found)) if found else []


def settled(found: Invitation, n: int, outcome: Outcome) -> list[Write]:
    """A page is done: what became of it stands there, its numbers are gone. As part of a transaction."""
    stored = _kept(found.town, found.id, keys.invited_outcome(n), "done", found.at + KEPT_DAYS * 86400)
    gone = {"pk": keys.invitation(found.town, found.id), "sk": keys.invited_page(n)}
    return [Write(TABLE, stored | {"body": _packed(asdict(outcome))}), Write(TABLE, gone, gone=True)]


def outcomes(town: str, identifier: str, deadline: Deadline) -> list[Outcome]:
    """What became of the pages that are done."""
    partition, start = ("pk", keys.invitation(town, identifier)), keys.invited_outcome(0)[:2]
    found = dynamo.walk(TABLE, None, partition, deadline, sort="sk", start=start, end="R#~", limit=PAGES_READ_MAX)
    return [Outcome(**_unpacked(entry)) for entry in found]


# --- one number -------------------------------------------------------------------------------------------------


def claim(found: Invitation, phone: str, now: float, deadline: Deadline) -> None:
    """From here on nobody else writes to this number. Raises Conflict if somebody has, Unknown, NoPhoneKey."""
    dynamo.put(phones.TABLE, _claim(found, phone, TRYING, now, deadline), deadline, expected_v=0)


def claimed(found: Invitation, phone: str, now: float, deadline: Deadline) -> tuple[str, str]:
    """By which invitation a number was claimed and what became of it; ("", "") if it was not."""
    item = dynamo.get(phones.TABLE, phones.hashed(found.town, phone, deadline), keys.INVITED, deadline)
    return (item["about"], item["state"]) if item and item["exp"] > now else ("", "")


def note(found: Invitation, phone: str, what: str, now: float, deadline: Deadline) -> None:
    """Write down what became of it."""
    dynamo.put(phones.TABLE, _claim(found, phone, what, now, deadline), deadline)


def unclaim(found: Invitation, phone: str, deadline: Deadline) -> None:
    """It surely was not sent."""
    dynamo.delete(phones.TABLE, phones.hashed(found.town, phone, deadline), keys.INVITED, deadline)


def _claim(found: Invitation, phone: str, what: str, now: float, deadline: Deadline) -> Item:
    pk = phones.hashed(found.town, phone, deadline)
    return {
        "pk": pk,
        "sk": keys.INVITED,
        "shape": SHAPE,
        "about": found.id,
        "state": what,
        "exp": int(now) + INVITED_KEPT_DAYS * 86400,
    } | register.of_people(found.town, pk)


def _kept(town: str, identifier: str, sk: str, state: str, expires: int) -> Item:
    pk = keys.invitation(town, identifier)
    return {"pk": pk, "sk": sk, "shape": SHAPE, "kind": "invitation", "town": town, "state": state, "exp": expires}


def _from_item(town: str, stored: Item) -> Invitation:
    identifier = stored["pk"].rpartition("#")[2]
    return Invitation(town=town, id=identifier, state=stored["state"], v=stored["v"], **_unpacked(stored))


def _packed(body: Any) -> bytes:
    return zlib.compress(as_json(body).encode("utf-8", "replace"))


def _unpacked(stored: Item) -> Any:
    return json.loads(zlib.decompress(stored["body"]))
