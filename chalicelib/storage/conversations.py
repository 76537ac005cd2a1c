"""Conversations of one account: read whole, decided on elsewhere, written whole if nobody was faster.

Every writer raises the item's version, so no append is ever lost. A store is made for one account and refuses a town
that the account does not list: there is no call with which one town could read another's talk.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from operator import attrgetter, is_
from typing import Any

from chalicelib.days import day_in
from chalicelib.model import Account, Conversation, Follower, SalterError
from chalicelib.small_classes import replace
from chalicelib.storage import aside, dynamo, keys, shapes
from chalicelib.storage.shapes import KEPT_DAYS, LANE_INSIDE_MAX
from chalicelib.wire import Deadline

TABLE = "conversations"
BLOCKED = "blocked"  # a mark in a conversation's memory
ERASED_KEPT_SECONDS = 86400
RING_MAX = 64
RING_HOURS = 24


class ForeignTown(SalterError):
    """The account does not serve this town. Nobody's retry helps; the account's list must be changed."""


class ConversationStore:
    def __init__(self, account: Account, time_zone: str = "UTC") -> None:
        self.account = account
        self._zone = time_zone

    def load(self, citizen: str, now: float, deadline: Deadline) -> Conversation | None:
        """What is remembered of `citizen`; None if nothing, or nothing that may still be read.

        What expired, and what belongs to a town this account no longer serves, is absent; its version is kept, so
        that the next save replaces it.
        """
        item = dynamo.get(TABLE, keys.conversation(self.account.id, citizen), keys.NOW, deadline)
        if item is None:
            return None
        conversation = shapes.from_item(item)
        if item.get("exp", now + 1) <= now or conversation.town not in self.account.towns:
            return Conversation(self.account.id, citizen, town="", v=conversation.v, seq=conversation.seq)
        return conversation

    def save(
        self, conversation: Conversation, now: float, deadline: Deadline, beside: Sequence[dynamo.Write] = ()
    ) -> Conversation:
        """Write `conversation` as the version after its `v`, together with what stands `beside` it or not at all.

        Raises Conflict, Unknown, ForeignTown, Unavailable.
        """
        if conversation.town not in self.account.towns:
            raise ForeignTown(f"{self.account.id} does not serve {conversation.town}")
        moved: list[dynamo.Write] = []
        if len(conversation.lane) > LANE_INSIDE_MAX or conversation.parked:
            from chalicelib.storage import overflow  # only where a lane is long

            conversation, moved = overflow.balanced(conversation, now, deadline)
        saved = replace(conversation, v=conversation.v + 1)
        if moved or beside:
            head = dynamo.Write(TABLE, self.item(saved, now), expected_v=conversation.v)
            dynamo.transact([head, *moved, *beside], deadline)
            return saved
        dynamo.put(TABLE, self.item(saved, now), deadline, expected_v=conversation.v)
        return saved

    def mark(self, stored: Conversation, after: Conversation, now: float, deadline: Deadline) -> Conversation:
        """`save` of `after`, which came of `stored`. If nothing happened but that the lane was taken or all of it sent,
        no more than that is written.

        Raises as `save` does.
        """
        if after.parked or not (after.lane is stored.lane or not after.lane) or not _alike(stored, after):
            return self.save(after, now, deadline)
        saved = replace(after, v=after.v + 1)
        pk = keys.conversation(after.account, after.citizen)
        changed = {**shapes.marks(saved), "v": saved.v}
        dynamo.change(TABLE, (pk, keys.NOW), changed, deadline, expected_v=after.v)
        return saved

    def item(self, conversation: Conversation, now: float) -> dict[str, Any]:
        """The attributes `conversation` is stored as."""
        day = self._day(conversation, now) if aside.is_decided(conversation) else None
        forgotten = _is_forgotten(conversation) and len(self.account.towns) < 2  # else other towns need the address
        return shapes.to_item(conversation, day, _expires(forgotten, now))

    def _day(self, conversation: Conversation, now: float) -> str:
        return day_in(self._zone, conversation.last_at or now).isoformat()

    # --- towns of a shared account -------------------------------------------------------------------------------

    def with_town(self, head: Conversation, town: str, now: float, deadline: Deadline) -> Conversation:
        """The conversation of `head` as it is with `town`; one read if the citizen is with another one. Its `last_at`
        is 0 if they never were with this one, or so long ago that it is forgotten."""
        return aside.with_town(head, town, self._waiting(head, town, now, deadline)) if head.town != town else head

    def entered(
        self, head: Conversation, town: str, now: float, deadline: Deadline
    ) -> tuple[Conversation, list[dynamo.Write]]:
        """The conversation after the citizen turned to `town`, and what must be written with it: what they leave is
        laid aside, what waited here no longer waits. One read. Raises ForeignTown."""
        own = self._waiting(head, town, now, deadline)
        writes = [self._laid_aside(head, now)] if aside.is_decided(head) and head.town != town else []
        if own:
            place = {"pk": keys.conversation(head.account, head.citizen), "sk": keys.parked_town(town)}
            writes.append(dynamo.Write(TABLE, place, gone=True))
        return aside.with_town(head, town, own), writes

    def placed(self, head: Conversation, after: Conversation, now: float) -> list[dynamo.Write]:
        """What is written when `after` happened in its town, wherever the citizen of `head` is at the moment."""
        there = aside.put_back(head, after)
        writes = [dynamo.Write(TABLE, self.item(replace(there, v=head.v + 1), now), expected_v=head.v)]
        return writes if there is after else [*writes, self._laid_aside(after, now)]

    def save_placed(
        self,
        head: Conversation,
        after: Conversation,
        now: float,
        deadline: Deadline,
        beside: Sequence[dynamo.Write] = (),
    ) -> Conversation:
        """`save` for what happened in one town, wherever the citizen is. Returns what the conversation is then."""
        if after.town == head.town:
            return self.save(after, now, deadline, beside)
        dynamo.transact([*self.placed(head, after, now), *beside], deadline)
        return replace(aside.put_back(head, after), v=head.v + 1)

    def _waiting(self, head: Conversation, town: str, now: float, deadline: Deadline) -> Conversation | None:
        """What of a conversation waits in a town the citizen is not with."""
        if town not in self.account.towns:
            raise ForeignTown(f"{self.account.id} does not serve {town}")
        if len(self.account.towns) < 2:
            return None
        item = dynamo.get(TABLE, keys.conversation(head.account, head.citizen), keys.parked_town(town), deadline)
        return shapes.from_item(item) if item and item["exp"] > now else None

    def _laid_aside(self, conversation: Conversation, now: float) -> dynamo.Write:
        day = self._day(conversation, now)
        return dynamo.Write(TABLE, aside.item(conversation, day, _expires(_is_forgotten(conversation), now)))

    # --- handled ids -------------------------------------------------------------------------------------------

    def was_handled(self, conversation: Conversation | None, inbound: str, now: float, deadline: Deadline) -> bool:
        """Whether this inbound id was answered before; ids pushed out of a full ring are looked up beside it."""
        if conversation is None:
            return False
        mark = keys.handled(inbound)
        if any(handled == mark for handled, _ in conversation.ring):
            return True
        if not conversation.state.get(aside.SPILT):
            return False
        item = dynamo.get(TABLE, keys.conversation(self.account.id, conversation.citizen), keys.seen(mark), deadline)
        return item is not None and item["exp"] > now

    def remember(self, conversation: Conversation, inbound: str, now: float, deadline: Deadline) -> Conversation:
        """The conversation with `inbound` in its ring; what a full ring pushes out too early is kept beside it."""
        ring = [*conversation.ring, (keys.handled(inbound), int(now))]
        state = dict(conversation.state)
        while len(ring) > RING_MAX:
            mark, at = ring.pop(0)
            if at > now - RING_HOURS * 3600:
                self._spill(conversation.citizen, mark, at, deadline)
                state[aside.SPILT] = True
        return replace(conversation, ring=tuple(ring), state=state)

    def _spill(self, citizen: str, mark: bytes, at: int, deadline: Deadline) -> None:
        item = {
            "pk": keys.conversation(self.account.id, citizen),
            "sk": keys.seen(mark),
            "shape": shapes.SHAPE,
            "exp": at + RING_HOURS * 3600,
        }
        dynamo.put(TABLE, item, deadline)


def with_open_session(people: Sequence[Follower], now: float, deadline: Deadline) -> set[Follower]:
    """Those among `people` to whom a message costs nothing now, because they wrote within the last day."""
    wanted = {(keys.conversation(each.account, each.citizen), keys.NOW): each for each in people}
    found = dynamo.batch_get(TABLE, list(wanted), deadline) if wanted else {}
    return {wanted[key] for key, item in found.items() if item.get("session_until", 0) > now}


def last_heard(people: Sequence[Follower], deadline: Deadline) -> dict[Follower, int]:
    """When those among `people` whom we remember last wrote, in epoch seconds; one request."""
    wanted = {(keys.conversation(each.account, each.citizen), keys.NOW): each for each in people}
    found = dynamo.batch_get(TABLE, list(wanted), deadline) if wanted else {}
    return {wanted[key]: item.get("last_at", 0) for key, item in found.items()}


_standing = attrgetter(*(field.name for field in fields(Conversation) if field.name not in ("lane", "lease")))


def _alike(stored: Conversation, after: Conversation) -> bool:
    """Whether nothing but lane and lease is another; what is not the very same counts as another."""
    return all(map(is_, _standing(stored), _standing(after)))


def _expires(forgotten: bool, now: float) -> int:
    """From when on nobody may read what is written now, in epoch seconds."""
    return int(now) + (ERASED_KEPT_SECONDS if forgotten else KEPT_DAYS * 86400)


def _is_forgotten(conversation: Conversation) -> bool:
    """Erased, and nobody blocked: what is left of it goes after a day."""
    return bool(conversation.state.get(aside.ERASED)) and not conversation.state.get(BLOCKED)
