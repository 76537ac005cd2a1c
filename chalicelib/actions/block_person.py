"""Blocks somebody who abuses staff, and takes it back: on record among the acts of the town's staff.

The mark lies in the conversation and goes with it, thirty days after the last message.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from secrets import token_hex
from typing import Any

from chalicelib.actions import known
from chalicelib.dialogue import blocking, handover
from chalicelib.model import Account, Conflict, Conversation, Refused, Staff, Town, Unavailable
from chalicelib.storage import audit, conversations
from chalicelib.storage.cases import CaseStore
from chalicelib.storage.conversations import ConversationStore
from chalicelib.storage.dynamo import Write, transact
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
        account, stored = _conversation(town, reference, now, deadline)
        after = replace(stored, state=change(stored.state), v=stored.v + 1)
        lane = ConversationStore(account, town.core["time_zone"])
        act = audit.item(town.slug, audit.Act(now, staff.by, what, reference), token_hex(8))
        try:
            transact([Write(conversations.TABLE, lane.item(after, now), expected_v=stored.v), act], deadline)
            return
        except Conflict:
            time.sleep(random.random() * JITTER_SECONDS * (attempt + 1))
    raise Unavailable("conflicts")


def _conversation(town: Town, reference: str, now: float, deadline: Deadline) -> tuple[Account, Conversation]:
    case = CaseStore(town.slug).load(reference, deadline)
    if case is None:
        raise Refused(404, "unknown_case", "There is no such case.")
    if case.owner is None:
        raise Refused(409, "no_citizen", "This case has no citizen who writes here.")
    kind, _, name = case.owner.account.partition(":")
    account = known.account(kind, name, deadline)
    stored = ConversationStore(account).load(case.owner.citizen, now, deadline) if account else None
    if account is None or (stored is not None and stored.town not in ("", town.slug)):
        raise Refused(409, "gone", "This citizen no longer writes to this town.")
    if stored is None or not stored.town:
        version, seq = (stored.v, stored.seq) if stored else (0, 0)
        stored = Conversation(case.owner.account, case.owner.citizen, town.slug, v=version, seq=seq)
    return account, stored
