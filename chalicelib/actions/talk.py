"""Whatever happens to a chat beside the citizen's own turns: case, conversation and thread change in one commit, then
the words are delivered."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from chalicelib.actions import deliver, known, tell_systems
from chalicelib.actions.change_case import NoCase
from chalicelib.actions.owe import Unreachable
from chalicelib.channels import channel
from chalicelib.dialogue import handover, memory
from chalicelib.model import Account, Case, Conflict, Conversation, Say, Town, Unavailable
from chalicelib.small_classes import dataclass, replace
from chalicelib.storage import aside, keys, thread
from chalicelib.storage.aws import Unknown
from chalicelib.storage.cases import CaseStore
from chalicelib.storage.conversations import ConversationStore
from chalicelib.storage.dynamo import Write, transact
from chalicelib.wire import Deadline

TALK_TRIES_MAX = 12
JITTER_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class Next:
    """How it goes on: the chat as it will be, the conversation's memory, and what is said by whom (origin, words)."""

    case: Case
    state: Mapping[str, Any]
    says: tuple[tuple[str, Say], ...] = ()
    beside: Sequence[Write] = ()


def go_on(
    town: Town,
    reference: str,
    decide: Callable[[Case, Conversation], Next | None],
    now: float,
    holder: str,
    deadline: Deadline,
) -> Case:
    """The chat after `decide`; None from it changes nothing. What `decide` raises is raised.

    Raises NoCase, Unreachable (the citizen left or erased everything), Unavailable.
    """
    store = CaseStore(town.slug)
    for attempt in range(TALK_TRIES_MAX):
        case = store.load(reference, deadline)
        if case is None or case.kind != "chat":
            raise NoCase(reference)
        lane, head = _conversation(town, case, now, deadline)
        stored = lane.with_town(head, town.slug, now, deadline)
        if not stored.subscribed:
            raise Unreachable(case.reference)
        decided = decide(case, stored)
        if decided is None:
            return case
        account = lane.account
        after = _after(decided, stored, account, town, now)
        try:
            beside = _beside(town, decided, stored, after, now, deadline)
            transact([*lane.placed(head, after, now), *beside], deadline)
        except (Conflict, Unknown):
            time.sleep(random.random() * JITTER_SECONDS * (attempt + 1))
            continue
        if channel(account.channel).PUSHES:
            there = replace(aside.put_back(head, after), v=head.v + 1)
            deliver.deliver_lane(lane, there, now, holder, deadline)
        return replace(decided.case, v=case.v + 1)
    raise Unavailable("conflicts")


def _conversation(town: Town, case: Case, now: float, deadline: Deadline) -> tuple[ConversationStore, Conversation]:
    """The conversation the chat belongs to, whichever town of the account it is with by now."""
    if case.owner is None:
        raise Unreachable(case.reference)
    kind, _, name = case.owner.account.partition(":")
    account = known.account(kind, name, deadline)
    if account is None or town.slug not in account.towns:
        raise Unreachable(case.reference)
    lane = ConversationStore(account, town.core["time_zone"])
    head = lane.load(case.owner.citizen, now, deadline)
    if head is None or not head.town:
        raise Unreachable(case.reference)
    return lane, head


def _after(decided: Next, stored: Conversation, account: Account, town: Town, now: float) -> Conversation:
    after = replace(stored, state=decided.state)
    voice = stored.voice or town.default_voice
    for origin, say in decided.says:
        after = memory.appended(after, say, voice, origin, now, push=channel(account.channel).PUSHES)
    return after


def _beside(
    town: Town, decided: Next, stored: Conversation, after: Conversation, now: float, deadline: Deadline
) -> list[Write]:
    """What is written with the conversation: the thread, the chat, and whatever the verb asks for."""
    person = keys.person(stored.account, stored.citizen)
    writes: list[Write] = []
    taken_over = handover.reference(after.state) and not handover.reference(stored.state)
    said = after.log if taken_over else [entry for entry in after.log if entry.seq > stored.seq]
    if said:
        writes.append(thread.item(town.slug, person, said, now))
    return [*writes, *tell_systems.cases(town).items_for_change(decided.case, deadline), *decided.beside]
