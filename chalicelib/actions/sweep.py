"""The minute's safety net: every lane that is due and that nobody holds is delivered, fairly among accounts."""

from __future__ import annotations

from collections import deque
from secrets import token_hex

from chalicelib.actions import deliver, known
from chalicelib.actions.journal import log
from chalicelib.model import Account, Conflict, SalterError
from chalicelib.storage import views
from chalicelib.storage.conversations import ConversationStore
from chalicelib.wire import Deadline

SWEEP_SECONDS = 45.0
LANE_SECONDS = 8.0
LANES_MAX = 2000


def sweep(now: float, seconds: float = SWEEP_SECONDS) -> dict[str, int]:
    """Deliver what is due. Returns how many lanes were `delivered` (emptied) and how many `failed` (still owed)."""
    deadline = Deadline(seconds)
    counts = {"delivered": 0, "failed": 0}
    for account, citizen in _fairly(views.due_lanes(now, LANES_MAX)):
        if deadline.left() < LANE_SECONDS / 4:
            break
        try:
            emptied = ring(account, citizen, now, Deadline(deadline.within(LANE_SECONDS)))
        except SalterError as error:
            log.error("lane_failed", account=account, error=type(error).__name__)
            emptied = False
        if emptied is not None:
            counts["delivered" if emptied else "failed"] += 1
    return counts


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
    return not after.lane and not after.parked


def _in_town(account: Account, slug: str, deadline: Deadline) -> ConversationStore:
    town = known.town(slug, deadline)
    return ConversationStore(account, town.core["time_zone"] if town else "UTC")


def _fairly(lanes: list[str]) -> list[tuple[str, str]]:
    """The lanes' owners, one of each account in turn."""
    queues: dict[str, deque[str]] = {}
    for pk in lanes:
        account, citizen = pk.removeprefix("A#").split("#U#", 1)
        queues.setdefault(account, deque()).append(citizen)
    fair: list[tuple[str, str]] = []
    while queues:
        for account in list(queues):
            fair.append((account, queues[account].popleft()))
            if not queues[account]:
                del queues[account]
    return fair
