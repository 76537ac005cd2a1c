"""An approved announcement at its time: its receivers looked up and cut into pages, a row for every few.

Killed before the head names the cut, the next holder cuts anew; killed after it, only the rows still missing are
written. The rows of one transaction are there together or not at all.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from secrets import token_hex
from typing import Any

from chalicelib.actions import announce, known, work_outbox
from chalicelib.actions.journal import log
from chalicelib.cases import announcements as rules
from chalicelib.model import Announcement, Conflict, Page, SendFailed, Town
from chalicelib.storage import outbox
from chalicelib.storage.announcements import TABLE, AnnouncementStore
from chalicelib.storage.dynamo import Duplicate, Write, batch_write, transact
from chalicelib.wire import Deadline

ROWS_TOGETHER = 50
PAGES_TOGETHER = 4  # pages in one row: a row's own writes cost more than its page's


def work(body: Mapping[str, Any], town: str, now: float, deadline: Deadline) -> None:
    """Begin it, or write the rows of its next round. Raises SendFailed, Unavailable; then it goes on where it was."""
    here = known.town(town, deadline)
    if here is None:
        raise SendFailed("no_town", retryable=True)
    store = AnnouncementStore(town)
    found = store.load(str(body["id"]), deadline)
    if found is not None and found.state == rules.APPROVED and rules.is_due(found, now):
        found = _begin(here, store, found, now, deadline)
    if found is not None and found.state == rules.SENDING:
        _rows(store, found, now, deadline)


def _begin(town: Town, store: AnnouncementStore, found: Announcement, now: float, deadline: Deadline) -> Announcement:
    people = announce.receivers(town, found.audience, deadline)
    if not rules.may_reach(found, len(people), announce.bound(town)):
        after = rules.sent_back(found)
        transact([store.item(after)], deadline)
        return after
    pages = rules.cut_up((one, announce.spoken(town, found.text, one.voice)[0]) for one in people)
    cut = token_hex(4)
    # Not as one: nobody reads a cut that the head does not name.
    batch_write(
        TABLE, [store.put_receivers(found.id, cut, page.n, part, now).item for page, part in pages], (), deadline
    )
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
    """Rows for the pages nobody has settled, and a ring for the first: each row rings for the next."""
    states = store.page_states(found.id, deadline) if found.round > 1 else {}
    open_pages = [page for page in found.pages if page.n not in states or states[page.n].state == rules.WAITING]
    # The first goes alone: whoever sees a mistake on their own phone may stop the others.
    others = range(1, len(open_pages), PAGES_TOGETHER)
    together = [open_pages[:1], *(open_pages[first : first + PAGES_TOGETHER] for first in others)] if open_pages else []
    rows = [
        _row_of(store.town, found, pages, now, following[0].n if following else 0)
        for pages, following in zip(together, [*together[1:], []], strict=True)
    ]
    for first in range(0, len(rows), ROWS_TOGETHER):
        try:
            transact(rows[first : first + ROWS_TOGETHER], deadline)
        except Duplicate:
            continue
    work_outbox.ring(tuple(rows[:1]), now, deadline)


def _row_of(town: str, found: Announcement, pages: Sequence[Page], now: float, after: int) -> Write:
    """The row of `pages`, named by the first; `after` is the page whose row to ring for when they are done."""
    round_of = f"{found.id}-{found.round}"
    body = {"id": found.id, "ns": [page.n for page in pages], "next": f"{round_of}-{after}" if after else ""}
    return outbox.write(town, announce.PAGE_KIND, body, now, row=f"{announce.PAGE_KIND}-{round_of}-{pages[0].n}")
