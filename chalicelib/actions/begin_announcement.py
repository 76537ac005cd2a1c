"""An approved announcement at its time: its receivers looked up and cut into pages, a row for each page.

Killed before the head names the cut, the next holder cuts anew; killed after it, only the rows still missing are
written. The rows of one transaction are there together or not at all.
"""

from __future__ import annotations

from collections.abc import Mapping
from secrets import token_hex
from typing import Any

from chalicelib.actions import announce, known, work_outbox
from chalicelib.actions.journal import log
from chalicelib.cases import announcements as rules
from chalicelib.model import Announcement, Conflict, SendFailed, Town
from chalicelib.storage import outbox
from chalicelib.storage.announcements import AnnouncementStore
from chalicelib.storage.dynamo import Duplicate, Write, transact
from chalicelib.wire import Deadline

ROWS_TOGETHER = 50
RECEIVERS_TOGETHER = 20  # items of about 9 kB in one transaction


def work(body: Mapping[str, Any], town: str, now: float, deadline: Deadline) -> None:
    """Begin it, or write the rows of its next round. Raises SendFailed, Unavailable; then it goes on where it was."""
    here = known.town(town, deadline)
    if here is None:
        raise SendFailed("no_town", retryable=True)
    store = AnnouncementStore(town)
    found = store.load(str(body["id"]), deadline)
    if found is not None and found.state == rules.APPROVED:
        found = _begin(here, store, found, now, deadline)
    if found is not None and found.state == rules.SENDING:
        _rows(store, found, now, deadline)


def _begin(town: Town, store: AnnouncementStore, found: Announcement, now: float, deadline: Deadline) -> Announcement:
    people = announce.receivers(town, found.audience, deadline)
    if found.approved_by == found.by and len(people) > announce.bound(town):
        after = rules.sent_back(found)
        transact([store.item(after)], deadline)
        return after
    pages = rules.cut_up((one, announce.spoken(town, found.text, one.voice)[0]) for one in people)
    cut = token_hex(4)
    writes = [store.put_receivers(found.id, cut, page.n, part, now) for page, part in pages]
    for first in range(0, len(writes), RECEIVERS_TOGETHER):
        transact(writes[first : first + RECEIVERS_TOGETHER], deadline)
    after = rules.begun(found, [page for page, _ in pages], cut, now)
    accounts = sorted({page.account for page in after.pages if page.channel == "viber"})
    beside = [store.announcing_item(after, account, now) for account in accounts]
    try:
        transact([store.item(after), store.news_item(after, now), *beside], deadline)
    except Conflict as error:  # stopped meanwhile
        raise SendFailed("changed_meanwhile", retryable=True) from error
    log.info("announcement_begun", tenant=town.slug, kind=rules.SENDING)
    return store.load(found.id, deadline) or after


def _rows(store: AnnouncementStore, found: Announcement, now: float, deadline: Deadline) -> None:
    """A row for each page nobody has settled, and a ring for the first: each page rings for the next."""
    states = store.page_states(found.id, deadline) if found.round > 1 else {}
    open_pages = [page for page in found.pages if page.n not in states or states[page.n].state == rules.WAITING]
    rows = [
        row_of(store.town, found, page.n, now, open_pages[at + 1].n if at + 1 < len(open_pages) else 0)
        for at, page in enumerate(open_pages)
    ]
    for first in range(0, len(rows), ROWS_TOGETHER):
        try:
            transact(rows[first : first + ROWS_TOGETHER], deadline)
        except Duplicate:
            continue
    work_outbox.ring(tuple(rows[:1]), now, deadline)


def row_of(town: str, found: Announcement, n: int, now: float, after: int) -> Write:
    """The row of page `n`; `after` is the page to ring for when it is done."""
    body = {"id": found.id, "n": n, "next": f"{found.id}-{found.round}-{after}" if after else ""}
    return outbox.write(town, announce.PAGE_KIND, body, now, row=f"{announce.PAGE_KIND}-{found.id}-{found.round}-{n}")
