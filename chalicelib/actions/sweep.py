"""The minute's safety net: every lane and every outbox row that is due and that nobody holds, fairly among accounts
and towns. Lanes go first, for people wait there; a third of the time is kept for the rows."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from secrets import token_hex

from chalicelib.actions import deliver, known, purge, send_page, work_outbox
from chalicelib.actions.journal import log
from chalicelib.model import Account, Conflict, SalterError
from chalicelib.storage import keys, views
from chalicelib.storage.conversations import ConversationStore
from chalicelib.wire import Deadline

SWEEP_SECONDS = 45.0
LANE_SECONDS = 8.0
LANES_MAX = 2000
ROWS_MAX = 1000
LANES_SHARE = 2 / 3  # of the round's time, if there is enough to do


def sweep(now: float, seconds: float = SWEEP_SECONDS) -> dict[str, int]:
    """Do what is due. Returns how many lanes and rows were `delivered` (nothing owed any more) and `failed` (still
    owed, or given up), how many `pages` of announcements were worked off, and how many cases were `purged` of what
    they held sealed."""
    deadline = Deadline(seconds)
    counts = {"delivered": 0, "failed": 0, "pages": 0, "purged": 0}
    for emptied in _lanes(now, Deadline(seconds * LANES_SHARE)):
        counts["delivered" if emptied else "failed"] += 1
    for row, settled in _rows(now, deadline):
        counts[_kind(row) if settled else "failed"] += 1
    return counts


def _kind(row: str) -> str:
    """As what a settled row is counted."""
    return "purged" if purge.is_row(row) else "pages" if send_page.is_row(row) else "delivered"


def _lanes(now: float, deadline: Deadline) -> list[bool]:
    """One entry for each lane there was something to do for: whether it is empty now."""
    outcomes = list[bool | None]()
    lanes = [pk.removeprefix("A#").split("#U#", 1) for pk in views.due_lanes(now, LANES_MAX)]
    for account, citizen in _fairly((account, citizen) for account, citizen in lanes):
        if deadline.left() < LANE_SECONDS / 4:
            log.warning("left_undone", kind="lanes", count=len(lanes) - len(outcomes))
            break
        try:
            outcomes.append(ring(account, citizen, now, Deadline(deadline.within(LANE_SECONDS))))
        except SalterError as error:
            log.error("lane_failed", account=account, error=type(error).__name__)
            outcomes.append(False)
    return [emptied for emptied in outcomes if emptied is not None]


def _rows(now: float, deadline: Deadline) -> list[tuple[str, bool]]:
    """Each row there was something to do for, and whether it is settled now."""
    outcomes = list[tuple[str, bool | None]]()
    due = _fairly((keys.town_of(pk), pk) for pk in views.due_rows(now, ROWS_MAX))
    for town, row in due:
        if deadline.left() < work_outbox.ROW_SECONDS_NEEDED:
            log.warning("left_undone", kind="rows", count=len(due) - len(outcomes))
            break
        try:
            outcomes.append((row, work_outbox.work(row, now, deadline)))
        except Exception as error:  # a row that cannot even be read must not hold up the others
            log.error("row_failed", tenant=town, error=type(error).__name__)
            outcomes.append((row, False))
    return [(row, settled) for row, settled in outcomes if settled is not None]


def ring(account: str, citizen: str, now: float, deadline: Deadline) -> bool | None:
    """Deliver one lane. True if nothing is owed any more, False if something is, None if there was nothing to do."""
    channel, _, name = account.partition(":")
    record = known.account(channel, name, deadline)
    if record is None:
        return None
    store = ConversationStore(record)
    conversation = store.load(citizen, now, deadline)
    if conversation is None or not deliver.is_due(conversation, now):
        return None
    store = _in_town(record, conversation.town, deadline)
    try:
        after = deliver.deliver_lane(store, conversation, now, token_hex(4), deadline)
    except Conflict:
        return None
    return all(owed.held for owed in after.lane) and not after.parked


def _in_town(account: Account, slug: str, deadline: Deadline) -> ConversationStore:
    town = known.town(slug, deadline)
    return ConversationStore(account, town.core["time_zone"] if town else "UTC")


def _fairly(owned: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """What there is to do as (owner, what), one of each owner in turn."""
    queues: dict[str, deque[str]] = {}
    for owner, what in owned:
        queues.setdefault(owner, deque()).append(what)
    fair: list[tuple[str, str]] = []
    while queues:
        for owner in list(queues):
            fair.append((owner, queues[owner].popleft()))
            if not queues[owner]:
                del queues[owner]
    return fair
