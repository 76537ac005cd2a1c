"""Announcements: `T#<town>#AN#<id>` / `HEAD`, its pages' states `P#n`, their receivers `IDS#<cut>#n` (written
once, gone by themselves), receipts `R#n`; the list of all, and what was sent lately for citizens to read.

A page that nobody touched has no state stored. Receivers stand under the name of the cut they belong to, so that a cut
somebody was killed at is simply not the one the head names.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields
from typing import Any

from chalicelib.compact_json import as_json
from chalicelib.model import Announcement, Audience, Page, PageState, Receiver, Voice
from chalicelib.storage import dynamo, keys
from chalicelib.storage.dynamo import Item, Write
from chalicelib.wire import Deadline

TABLE = "outbox"
RECEIPTS_TABLE = "conversations"
SHAPE = 1
KEPT_DAYS = 3 * 366
RECEIPT_PARTS = 8  # a page's receipts lie in so many items, so that the last ones cost as little as the first
RECEIVERS_KEPT_DAYS = 7
ANNOUNCING_KEPT_DAYS = 15  # Viber tries for fourteen
NEWS_KEPT_DAYS = 90
LISTED_MAX = 30
NEWS_READ_MAX = 20
PAGES_READ_MAX = 2000
# What an older version cannot read is stored only where it says something.
LATER_NAMES: Mapping[str, Any] = {"picture": {}, "leaves_at": 0, "proved": True}
_NAMES = frozenset(one.name for one in fields(Announcement))


class AnnouncementStore:
    """The announcements of one town."""

    def __init__(self, town: str) -> None:
        self.town = town

    # --- the head ------------------------------------------------------------------------------------------------

    def load(self, identifier: str, deadline: Deadline) -> Announcement | None:
        item = dynamo.get(TABLE, keys.announcement(self.town, identifier), keys.HEAD, deadline)
        return _from_item(self.town, item) if item else None

    def item(self, after: Announcement) -> Write:
        """It as part of a transaction, written over the version it was read in."""
        body = asdict(after)
        for name in ("id", "tenant", "state", "v"):
            del body[name]
        for name, without in LATER_NAMES.items():
            if body[name] == without:
                del body[name]
        item = {
            "pk": keys.announcement(self.town, after.id),
            "sk": keys.HEAD,
            "shape": SHAPE,
            "v": after.v + 1,
            "kind": "announcement",
            "town": self.town,
            "state": after.state,
            "body": _packed(body),
            "exp": after.created_at + KEPT_DAYS * 86400,
        }
        return Write(TABLE, item, expected_v=after.v)

    def listed(self, new: Announcement) -> Write:
        """A new one's place in the list."""
        sk = f"{new.created_at:012d}#{new.id}"
        item = {"pk": keys.announcements(self.town), "sk": sk, "exp": new.created_at + KEPT_DAYS * 86400}
        return Write(TABLE, item | {"shape": SHAPE, "kind": "announcement", "town": self.town, "state": "listed"})

    def newest(self, deadline: Deadline) -> list[Announcement]:
        """The newest announcements, whatever their state; two requests."""
        partition = ("pk", keys.announcements(self.town))
        listed = dynamo.page(TABLE, None, partition, deadline, sort="sk", limit=LISTED_MAX, newest_first=True)
        wanted = [(keys.announcement(self.town, item["sk"].partition("#")[2]), keys.HEAD) for item in listed]
        found = dynamo.batch_get(TABLE, wanted, deadline) if wanted else {}
        return [_from_item(self.town, found[key]) for key in wanted if key in found]

    # --- pages ---------------------------------------------------------------------------------------------------

    def put_receivers(self, identifier: str, cut: str, n: int, people: Sequence[Receiver], now: float) -> Write:
        """Whom a page reaches: id there and topics."""
        item = {
            "pk": keys.announcement(self.town, identifier),
            "sk": keys.page_receivers(cut, n),
            "shape": SHAPE,
            "body": _packed([[one.citizen, *one.topics] for one in people]),
            "exp": int(now) + RECEIVERS_KEPT_DAYS * 86400,
        }
        return Write(TABLE, item)

    def receivers(self, found: Announcement, page: Page, now: float, deadline: Deadline) -> list[Receiver] | None:
        """Whom a page reaches; None once that is forgotten, and a page still waiting then reaches nobody."""
        sk = keys.page_receivers(found.cut, page.n)
        item = dynamo.get(TABLE, keys.announcement(self.town, found.id), sk, deadline)
        if item is None or item["exp"] <= now:
            return None
        return [Receiver(page.account, citizen, page.voice, tuple(topics)) for citizen, *topics in _body(item)]

    def page_state(self, identifier: str, n: int, deadline: Deadline) -> PageState:
        item = dynamo.get(TABLE, keys.announcement(self.town, identifier), keys.page_state(n), deadline)
        return _state(item) if item else PageState(n)

    def page_states(self, identifier: str, deadline: Deadline) -> dict[int, PageState]:
        """The states of all pages somebody touched."""
        found = self._beside(identifier, keys.PAGES, deadline)
        return {state.n: state for state in map(_state, found)}

    def page_item(self, found: Announcement, after: PageState) -> Write:
        """A page's state as part of a transaction, written over the version it was read in."""
        body = {"token": after.token, "failed": dict(after.failed), "skipped": after.skipped, "error": after.error}
        item = {
            "pk": keys.announcement(self.town, found.id),
            "sk": keys.page_state(after.n),
            "shape": SHAPE,
            "v": after.v + 1,
            "state": after.state,
            "lease_by": after.holder or None,
            "body": _packed(body),
            "exp": found.created_at + KEPT_DAYS * 86400,
        }
        return Write(TABLE, item, expected_v=after.v)

    def save_page(self, found: Announcement, after: PageState, deadline: Deadline) -> None:
        """Write a page's state. Raises Conflict, Unknown."""
        write = self.page_item(found, after)
        dynamo.put(TABLE, write.item, deadline, expected_v=write.expected_v)

    # --- receipts ------------------------------------------------------------------------------------------------

    def got(self, identifier: str, deadline: Deadline) -> dict[int, frozenset[bytes]]:
        """Receipts by page, as `cases.announcements.mark` wrote them."""
        found = self._beside(identifier, keys.GOT, deadline)
        by_page: dict[int, frozenset[bytes]] = {}
        for item in found:
            n = int(item["sk"].removeprefix(keys.GOT).partition("#")[0])
            by_page[n] = by_page.get(n, frozenset()) | item["got"]
        return by_page

    def add_receipt(self, identifier: str, n: int, mark: bytes, now: float, deadline: Deadline) -> None:
        part = mark[-1] % RECEIPT_PARTS  # of whoever it is from
        key = (keys.announcement(self.town, identifier), keys.page_receipts(n, part))
        kept = {"shape": SHAPE, "exp": int(now) + KEPT_DAYS * 86400}
        dynamo.join(TABLE, key, "got", frozenset((mark,)), kept, deadline)

    def receipt_item(self, found: Announcement, page: Page, token: str, now: float) -> Write:
        """By which a receipt with this token finds its page, as part of the transaction that marks the page."""
        item = {
            "pk": keys.receipt(page.account, token),
            "sk": keys.NOW,
            "shape": SHAPE,
            "town": self.town,
            "about": f"{found.id}#{page.n}",
            "exp": int(now) + ANNOUNCING_KEPT_DAYS * 86400,
        }
        return Write(RECEIPTS_TABLE, item)

    def announcing_item(self, found: Announcement, account: str, now: float) -> Write:
        """That receipts of this account may be of this announcement for a while."""
        item = {
            "pk": keys.announcing(account),
            "sk": f"{self.town}#{found.id}",
            "shape": SHAPE,
            "town": self.town,
            "about": found.id,
            "exp": int(now) + ANNOUNCING_KEPT_DAYS * 86400,
        }
        return Write(RECEIPTS_TABLE, item)

    # --- what citizens may read again ----------------------------------------------------------------------------

    def news_item(self, found: Announcement, now: float) -> Write:
        """Its words among the town's latest, as part of the transaction that begins the sending."""
        body = {"text": dict(found.text), "topics": found.audience.topics, "settlements": found.audience.settlements}
        item = {
            "pk": keys.sent_news(self.town),
            "sk": f"{int(now):012d}#{found.id}",
            "shape": SHAPE,
            "body": _packed(body),
            "exp": int(now) + NEWS_KEPT_DAYS * 86400,
        }
        return Write(TABLE, item)

    def news(self, now: float, deadline: Deadline) -> list[dict[str, Any]]:
        """What was announced lately, newest first: `at, text, topics, settlements`. One request."""
        partition = ("pk", keys.sent_news(self.town))
        items = dynamo.page(TABLE, None, partition, deadline, sort="sk", limit=NEWS_READ_MAX, newest_first=True)
        live = [item for item in items if item["exp"] > now]
        return [{"at": int(item["sk"].partition("#")[0])} | _body(item) for item in live]

    # --- the web -------------------------------------------------------------------------------------------------

    def told_item(self, identifier: str, person: str, now: float) -> Write:
        """That a web visitor has it in the conversation: once, beside the words."""
        item = {
            "pk": keys.announcement(self.town, identifier),
            "sk": keys.announced_to(person),
            "shape": SHAPE,
            "exp": int(now) + RECEIVERS_KEPT_DAYS * 86400,
        }
        return Write(TABLE, item)

    def was_told(self, identifier: str, person: str, deadline: Deadline) -> bool:
        pk = keys.announcement(self.town, identifier)
        return dynamo.get(TABLE, pk, keys.announced_to(person), deadline) is not None

    def _beside(self, identifier: str, prefix: str, deadline: Deadline) -> list[Item]:
        partition = ("pk", keys.announcement(self.town, identifier))
        end = f"{prefix}~"
        most = PAGES_READ_MAX * (RECEIPT_PARTS if prefix == keys.GOT else 1)
        return list(dynamo.walk(TABLE, None, partition, deadline, sort="sk", start=prefix, end=end, limit=most))


def page_of(account: str, token: str, now: float, deadline: Deadline) -> tuple[str, str, int] | None:
    """Town, announcement and page of a channel's token; None for a token that is no announcement's."""
    item = dynamo.get(RECEIPTS_TABLE, keys.receipt(account, token), keys.NOW, deadline)
    if item is None or item["exp"] <= now or "#" not in item.get("about", ""):
        return None
    identifier, _, n = item["about"].partition("#")
    return item["town"], identifier, int(n)


def announcing(account: str, now: float, deadline: Deadline) -> list[tuple[str, str, int]]:
    """Town, id and beginning of what an account was used for lately; one query."""
    items = dynamo.page(RECEIPTS_TABLE, None, ("pk", keys.announcing(account)), deadline, sort="sk", limit=LISTED_MAX)
    kept = ANNOUNCING_KEPT_DAYS * 86400
    return [(item["town"], item["about"], int(item["exp"]) - kept) for item in items if item["exp"] > now]


def _from_item(town: str, item: Item) -> Announcement:
    body = _body(item)
    pages = [Page(**{**page, "voice": Voice(**page["voice"])}) for page in body.pop("pages")]
    audience = Audience(**{name: tuple(chosen) for name, chosen in body.pop("audience").items()})
    identifier = item["pk"].rpartition("#")[2]
    body = {name: value for name, value in body.items() if name in _NAMES}  # what a newer version added is not ours
    return Announcement(
        id=identifier, tenant=town, state=item["state"], v=item["v"], audience=audience, pages=tuple(pages), **body
    )


def _state(item: Item) -> PageState:
    n = int(item["sk"].removeprefix(keys.PAGES))
    return PageState(n=n, state=item["state"], holder=item.get("lease_by", ""), v=item["v"], **_body(item))


def _packed(body: Mapping[str, Any] | Sequence[Any]) -> bytes:
    return zlib.compress(as_json(body).encode("utf-8", "replace"))


def _body(item: Item) -> Any:
    return json.loads(zlib.decompress(item["body"]))
