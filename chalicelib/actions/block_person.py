"""Blocks somebody who abuses staff, and takes it back: on record among the acts of the town's staff.

The mark lies in the conversation and goes with it, thirty days after the last message.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping
from secrets import token_hex
from typing import Any

from chalicelib.actions import known
from chalicelib.dialogue import blocking, handover
from chalicelib.model import Conflict, Conversation, Refused, Staff, Town, Unavailable
from chalicelib.small_classes import replace
from chalicelib.storage import audit
from chalicelib.storage.cases import CaseStore
from chalicelib.storage.conversations import ConversationStore
from chalicelib.storage.dynamo import transact
from chalicelib.wire import Deadline

BLOCK_TRIES_MAX = 8
JITTER_SECONDS = 0.05


def block_person(town: Town, reference: str, staff: Staff, now: float, deadline: Deadline) -> None:
    """From here on the citizen of this case gets a polite line, the emergency numbers, and their own data."""
    _mark(town, reference, staff, "blocked", lambda state: blocking.blocked(handover.ended(state), now), now, deadline)


def unblock_person(town: Town, reference: str, staff: Staff, now: float, deadline: Deadline) -> None:
    """Everything is as before."""
    _mark(town, reference, staff, "unblocked", blocking.unblocked, now, deadline)


def _mark(
    town: Town,
    reference: str,
    staff: Staff,
    what: str,
    change: Callable[[Mapping[str, Any]], Mapping[str, Any]],
    now: float,
    deadline: Deadline,
) -> None:
    for attempt in range(BLOCK_TRIES_MAX):
        lane, head = _conversation(town, reference, now, deadline)
        stored = lane.with_town(head, town.slug, now, deadline)
        after = replace(stored, state=change(stored.state))
        act = audit.item(town.slug, audit.Act(now, staff.by, what, reference), token_hex(8))
        try:
            transact([*lane.placed(head, after, now), act], deadline)
            return
        except Conflict:
            time.sleep(random.random() * JITTER_SECONDS * (attempt + 1))
    raise Unavailable("conflicts")


def _conversation(town: Town, reference: str, now: float, deadline: Deadline) -> tuple[ConversationStore, Conversation]:
    case = CaseStore(town.slug).load(reference, deadline)
    if case is None:
        raise Refused(404, "unknown_case", "There is no such case.")
    if case.owner is None:
        raise Refused(409, "no_citizen", "This case has no citizen who writes here.")
    kind, _, name = case.owner.account.partition(":")
    account = known.account(kind, name, deadline)
    if account is None or town.slug not in account.towns:
        raise Refused(409, "gone", "This citizen no longer writes to this town.")
    lane = ConversationStore(account, town.core["time_zone"])
    head = lane.load(case.owner.citizen, now, deadline)
    if head is None or not head.town:
        version, seq = (head.v, head.seq) if head else (0, 0)
        head = Conversation(case.owner.account, case.owner.citizen, town.slug, v=version, seq=seq)
    return lane, head
