"""Links by which a public company works on a case without an account: one item beside the case for each.

The link is `<town>.<reference>.<secret>`; only its hash is stored. It lives for the days that were named, or until
somebody of the town revokes it; the item stays a while longer, so that the case can say what became of it.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping
from typing import Any

from chalicelib.patterns import pattern
from chalicelib.small_classes import dataclass
from chalicelib.storage import dynamo, keys
from chalicelib.storage.dynamo import Write
from chalicelib.wire import Deadline

TABLE = "cases"
SHAPE = 1
KEPT_AFTER_DAYS = 365
ID_LETTERS = 12
ORDERS_SHOWN_MAX = 20
_TOKEN = pattern(r"([a-z][a-z0-9-]{1,39})\.([A-Z]{2}[A-Z0-9]{7})\.([A-Za-z0-9_-]{20,64})")


@dataclass(frozen=True, slots=True)
class Order:
    """A case in a company's hands. `company` is an office of the directory or "", `name` how it is called, `by` who
    handed it over ("staff:<id>"), `shares` what is shown beside subject and place. Moments in epoch seconds, 0 = not
    yet. `v` is the stored version."""

    town: str
    reference: str
    digest: str
    name: str
    mail: str
    by: str
    at: int
    until: int
    company: str = ""
    shares: tuple[str, ...] = ()
    opened_at: int = 0
    taken_at: int = 0
    done_at: int = 0
    declined_at: int = 0
    revoked_at: int = 0
    v: int = 0

    @property
    def id(self) -> str:
        """By what histories and the audit name it."""
        return self.digest[:ID_LETTERS]

    def is_live(self, now: float) -> bool:
        """Whether its link still opens the case."""
        return not self.revoked_at and self.until > now


def token(town: str, reference: str, secret: str) -> str:
    """What the link carries; `secret` is at least 20 random url-safe characters."""
    made = f"{town}.{reference.replace('-', '')}.{secret}"
    if not _TOKEN.fullmatch(made):
        raise ValueError("the secret must be 20 to 64 url-safe characters")
    return made


def read(written: str) -> tuple[str, str] | None:
    """Town and compact reference that a link names; None for what can be no link."""
    found = _TOKEN.fullmatch(written)
    return (found[1], found[2]) if found else None


def load(town: str, reference: str, digest: str, now: float, deadline: Deadline) -> Order | None:
    """One order; one read."""
    item = dynamo.get(TABLE, keys.case(town, reference), keys.order(digest), deadline)
    return _from_item(town, reference, item) if item and item["exp"] > now else None


def of_case(town: str, reference: str, now: float, deadline: Deadline) -> tuple[Order, ...]:
    """What was handed over of a case, newest first; one query."""
    items = dynamo.query(TABLE, keys.case(town, reference), keys.ORDERS, deadline)
    found = [_from_item(town, reference, item) for item in items if item["exp"] > now]
    return tuple(sorted(found, key=lambda order: -order.at)[:ORDERS_SHOWN_MAX])


def item(order: Order) -> Write:
    """The order as part of a transaction, if nobody was faster."""
    body = {
        "name": order.name,
        "mail": order.mail,
        "by": order.by,
        "at": order.at,
        "until": order.until,
        "company": order.company,
        "shares": list(order.shares),
        "opened": order.opened_at,
        "taken": order.taken_at,
        "done": order.done_at,
        "declined": order.declined_at,
        "revoked": order.revoked_at,
    }
    stored = {
        "pk": keys.case(order.town, order.reference),
        "sk": keys.order(order.digest),
        "shape": SHAPE,
        "v": order.v + 1,
        "body": zlib.compress(json.dumps(body, ensure_ascii=False).encode("utf-8", "replace")),
        "exp": order.until + KEPT_AFTER_DAYS * 86400,
    }
    return Write(TABLE, stored, expected_v=order.v)


def _from_item(town: str, reference: str, item: Mapping[str, Any]) -> Order:
    body = json.loads(zlib.decompress(item["body"]))
    return Order(
        town=town,
        reference=reference,
        digest=item["sk"].removeprefix(keys.ORDERS),
        name=body["name"],
        mail=body["mail"],
        by=body["by"],
        at=body["at"],
        until=body["until"],
        company=body.get("company", ""),
        shares=tuple(body.get("shares", ())),
        opened_at=body.get("opened", 0),
        taken_at=body.get("taken", 0),
        done_at=body.get("done", 0),
        declined_at=body.get("declined", 0),
        revoked_at=body.get("revoked", 0),
        v=item["v"],
    )
