"""One-time links into a chat: a QR code carries a context, the store knows only its hash and what it leads to.

A slip's leads to its case, one of the console to the member of staff who wants to be reminded in that chat.

The context is `<town's number>.<secret>`, short enough for Viber's deep link and naming the town on a shared account.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from chalicelib.patterns import pattern
from chalicelib.small_classes import dataclass, replace
from chalicelib.storage import dynamo, keys, register
from chalicelib.storage.dynamo import Write
from chalicelib.wire import Deadline

TABLE = "people"
SHAPE = 1
VALID_DAYS = 30
STAFF_HOURS = 1
SECRET_BYTES = 18  # of chance in a context
CONTEXT = pattern(r"(\d{1,4})\.([A-Za-z0-9_-]{16,64})")


@dataclass(frozen=True, slots=True)
class OneTimeLink:
    """A link that whoever opens it first uses up: it binds the case of `reference`, or has the member of staff `mail`
    reminded there; the other is "". `v` is the stored version, `used_at` 0 while unused."""

    town: str
    digest: str
    reference: str
    expires: int
    by: str
    used_at: int = 0
    v: int = 0
    mail: str = ""


def context(town_number: int, secret: str) -> str:
    """What the link carries, from at least 16 random url-safe characters."""
    made = f"{town_number}.{secret}"
    if not CONTEXT.fullmatch(made):
        raise ValueError("the secret must be 16 to 64 url-safe characters")
    return made


def item_for_new(town: str, made: str, reference: str, by: str, now: float) -> Write:
    """A new link as part of the transaction that files its case. `by` gave the slip ("api:<key>", "staff:<id>")."""
    link = OneTimeLink(town, keys.secret_digest(made), reference, expires_at(now), by, v=1)
    return Write(TABLE, _item(link), unique=True)


def item_for_staff(town: str, made: str, mail: str, by: str, now: float) -> Write:
    """A new link to a chat of a member of staff, as part of the transaction that puts it on record."""
    link = OneTimeLink(town, keys.secret_digest(made), "", int(now) + STAFF_HOURS * 3600, by, v=1, mail=mail)
    return Write(TABLE, _item(link), unique=True)


def item_for_use(link: OneTimeLink, now: float) -> Write:
    """The link marked as used, as part of the transaction of what it is for: of two who try, one gets a Conflict."""
    return Write(TABLE, _item(replace(link, used_at=int(now), v=link.v + 1)), expected_v=link.v)


def items_for_end(town: str, digest: str, now: float, deadline: Deadline) -> list[Write]:
    """The link of this digest ended, as part of the transaction that gives another one; nothing where there is none
    that could still be used. One read."""
    item = dynamo.get(TABLE, keys.link(town, digest), keys.NOW, deadline) if digest else None
    if item is None or item.get("used_at") or item["exp"] <= now:
        return []
    return [item_for_use(_from_item(town, item), now)]


def find(town: str, made: str, now: float, deadline: Deadline) -> OneTimeLink | None:
    """The link of a context, if it may still be used; one read."""
    if not CONTEXT.fullmatch(made):
        return None
    item = dynamo.get(TABLE, keys.link(town, keys.secret_digest(made)), keys.NOW, deadline)
    if item is None or item.get("used_at") or item["exp"] <= now:
        return None
    return _from_item(town, item)


def expires_at(now: float) -> int:
    return int(now) + VALID_DAYS * 86400


def _item(link: OneTimeLink) -> dict[str, Any]:
    return {
        "pk": keys.link(link.town, link.digest),
        "sk": keys.NOW,
        "shape": SHAPE,
        "v": link.v,
        "reference": link.reference or None,
        "mail": link.mail or None,
        "by": link.by,
        "used_at": link.used_at or None,
        "exp": link.expires,
    } | register.of_people(link.town, keys.link(link.town, link.digest))


def _from_item(town: str, item: Mapping[str, Any]) -> OneTimeLink:
    digest = item["pk"].rpartition("#")[2]
    leads = {"reference": item.get("reference", ""), "mail": item.get("mail", "")}
    return OneTimeLink(
        town, digest, expires=item["exp"], by=item["by"], used_at=item.get("used_at", 0), v=item["v"], **leads
    )
