"""One-time links from paper to chat: a slip's QR carries a context, the store knows only its hash and its case.

The context is `<town's number>.<secret>`, short enough for Viber's deep link and naming the town on a shared account.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from chalicelib.storage import dynamo, keys, register
from chalicelib.storage.dynamo import Write
from chalicelib.wire import Deadline

TABLE = "people"
SHAPE = 1
VALID_DAYS = 30
CONTEXT = re.compile(r"(\d{1,4})\.([A-Za-z0-9_-]{16,64})")


@dataclass(frozen=True, slots=True)
class CaseLink:
    """A link that binds a case to whoever opens it first. `v` is the stored version, `used_at` 0 while unused."""

    town: str
    digest: str
    reference: str
    expires: int
    by: str
    used_at: int = 0
    v: int = 0


def context(town_number: int, secret: str) -> str:
    """What the link carries, from at least 16 random url-safe characters."""
    made = f"{town_number}.{secret}"
    if not CONTEXT.fullmatch(made):
        raise ValueError("the secret must be 16 to 64 url-safe characters")
    return made


def item_for_new(town: str, made: str, reference: str, by: str, now: float) -> Write:
    """A new link as part of the transaction that files its case. `by` gave the slip ("api:<key>", "staff:<id>")."""
    link = CaseLink(town, keys.secret_digest(made), reference, expires_at(now), by, v=1)
    return Write(TABLE, _item(link), unique=True)


def item_for_use(link: CaseLink, now: float) -> Write:
    """The link marked as used, as part of the transaction that binds its case: of two who try, one gets a Conflict."""
    used = CaseLink(link.town, link.digest, link.reference, link.expires, link.by, int(now), link.v + 1)
    return Write(TABLE, _item(used), expected_v=link.v)


def items_for_end(town: str, digest: str, now: float, deadline: Deadline) -> list[Write]:
    """The link of this digest ended, as part of the transaction that gives another one; nothing where there is none
    that could still be used. One read."""
    item = dynamo.get(TABLE, keys.link(town, digest), keys.NOW, deadline) if digest else None
    if item is None or item.get("used_at") or item["exp"] <= now:
        return []
    return [item_for_use(_from_item(town, item), now)]


def find(town: str, made: str, now: float, deadline: Deadline) -> CaseLink | None:
    """The link of a context, if it may still be used; one read."""
    if not CONTEXT.fullmatch(made):
        return None
    item = dynamo.get(TABLE, keys.link(town, keys.secret_digest(made)), keys.NOW, deadline)
    if item is None or item.get("used_at") or item["exp"] <= now:
        return None
    return _from_item(town, item)


def expires_at(now: float) -> int:
    return int(now) + VALID_DAYS * 86400


def _item(link: CaseLink) -> dict[str, Any]:
    return {
        "pk": keys.link(link.town, link.digest),
        "sk": keys.NOW,
        "shape": SHAPE,
        "v": link.v,
        "reference": link.reference,
        "by": link.by,
        "used_at": link.used_at or None,
        "exp": link.expires,
    } | register.of_people(link.town, keys.link(link.town, link.digest))


def _from_item(town: str, item: Mapping[str, Any]) -> CaseLink:
    digest = item["pk"].rpartition("#")[2]
    return CaseLink(town, digest, item["reference"], item["exp"], item["by"], item.get("used_at", 0), item["v"])
