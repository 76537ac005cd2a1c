"""Whatever happens to a chat beside the citizen's own turns: case, conversation and thread change in one commit, then
the words are delivered."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from chalicelib.actions import deliver, known, tell_systems
from chalicelib.actions.change_case import NoCase
from chalicelib.actions.owe import Unreachable
from chalicelib.channels import channel
from chalicelib.dialogue import handover, memory
from chalicelib.model import Account, Case, Conflict, Conversation, Say, Town, Unavailable
from chalicelib.storage import conversations, keys, thread
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

    Raises NoCase, Unreachable (the citizen left, erased everything, or talks to another town now), Unavailable.
    """
    store = CaseStore(town.slug)
    for attempt in range(TALK_TRIES_MAX):
        case = store.load(reference, deadline)
        if case is None or case.kind != "chat":
            raise NoCase(reference)
        account, stored = _conversation(town, case, now, deadline)
        decided = decide(case, stored)
        if decided is None:
            return case
        after = _after(decided, stored, account, town, now)
        lane = ConversationStore(account, town.core["time_zone"])
        try:
            transact(_writes(town, decided, stored, after, lane, now, deadline), deadline)
        except (Conflict, Unknown):
            time.sleep(random.random() * JITTER_SECONDS * (attempt + 1))
            continue
        if channel(account.channel).PUSHES:
            deliver.deliver_lane(lane, replace(after, v=stored.v + 1), now, holder, deadline)
        return replace(decided.case, v=case.v + 1)
    raise Unavailable("conflicts")


def _conversation(town: Town, case: Case, now: float, deadline: Deadline) -> tuple[Account, Conversation]:
    """The conversation the chat belongs to."""
    if case.owner is None:
        raise Unreachable(case.reference)
    kind, _, name = case.owner.account.partition(":")
    account = known.account(kind, name, deadline)
    stored = ConversationStore(account).load(case.owner.citizen, now, deadline) if account else None
    if account is None or stored is None or stored.town != town.slug or not stored.subscribed:
        raise Unreachable(case.reference)
    return account, stored


def _after(decided: Next, stored: Conversation, account: Account, town: Town, now: float) -> Conversation:
    after = replace(stored, state=decided.state)
    voice = stored.voice or town.default_voice
    for origin, say in decided.says:
        after = memory.appended(after, say, voice, origin, now, push=channel(account.channel).PUSHES)
    return after


def _writes(
    town: Town,
    decided: Next,
    stored: Conversation,
    after: Conversation,
    lane: ConversationStore,
    now: float,
    deadline: Deadline,
) -> list[Write]:
    person = keys.person(stored.account, stored.citizen)
    item = lane.item(replace(after, v=stored.v + 1), now)
    writes = [Write(conversations.TABLE, item, expected_v=stored.v)]
    taken_over = handover.reference(after.state) and not handover.reference(stored.state)
    said = after.log if taken_over else [entry for entry in after.log if entry.seq > stored.seq]
    if said:
        writes.append(thread.item(town.slug, person, said, now))
    return [*writes, *tell_systems.cases(town).items_for_change(decided.case, deadline), *decided.beside]
