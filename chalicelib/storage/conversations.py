"""Conversations of one account: read whole, decided on elsewhere, written whole if nobody was faster.

Every writer raises the item's version, so no append is ever lost. A store is made for one account and refuses a town
that the account does not list: there is no call with which one town could read another's talk.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from chalicelib.model import Account, Conversation, Follower, SalterError
from chalicelib.storage import dynamo, keys, shapes
from chalicelib.storage.shapes import KEPT_DAYS, LANE_INSIDE_MAX
from chalicelib.wire import Deadline

TABLE = "conversations"
ERASED, BLOCKED = "erased", "blocked"  # marks in a conversation's memory
ERASED_KEPT_SECONDS = 86400
RING_MAX = 64
RING_HOURS = 24


class ForeignTown(SalterError):
    """The account does not serve this town. Nobody's retry helps; the account's list must be changed."""


class ConversationStore:
    def __init__(self, account: Account, time_zone: str = "UTC") -> None:
        self.account = account
        self._zone = ZoneInfo(time_zone)

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
        if not beside and (len(conversation.lane) > LANE_INSIDE_MAX or conversation.parked):
            from chalicelib.storage import overflow  # transactions need PynamoDB: only where a lane is long

            return overflow.save(conversation, now, self.item)
        saved = replace(conversation, v=conversation.v + 1)
        if beside:
            head = dynamo.Write(TABLE, self.item(saved, now), expected_v=conversation.v)
            dynamo.transact([head, *beside], deadline)
            return saved
        dynamo.put(TABLE, self.item(saved, now), deadline, expected_v=conversation.v)
        return saved

    def item(self, conversation: Conversation, now: float) -> dict[str, Any]:
        """The attributes `conversation` is stored as."""
        day = datetime.fromtimestamp(conversation.last_at or now, UTC).astimezone(self._zone).date().isoformat()
        kept = ERASED_KEPT_SECONDS if _is_forgotten(conversation) else KEPT_DAYS * 86400
        return shapes.to_item(conversation, day, int(now) + kept)

    # --- handled ids -------------------------------------------------------------------------------------------

    def was_handled(self, conversation: Conversation | None, inbound: str, now: float, deadline: Deadline) -> bool:
        """Whether this inbound id was answered before; ids pushed out of a full ring are looked up beside it."""
        if conversation is None:
            return False
        mark = keys.handled(inbound)
        if any(handled == mark for handled, _ in conversation.ring):
            return True
        if not conversation.state.get("spilt"):
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
                state["spilt"] = True
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


def _is_forgotten(conversation: Conversation) -> bool:
    """Erased, and nobody blocked: what is left of it goes after a day."""
    return bool(conversation.state.get(ERASED)) and not conversation.state.get(BLOCKED)
