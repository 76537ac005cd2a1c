"""Puts words into a citizen's lane that no message of theirs asked for: a notice, an operator's answer.

Any number of writers may do so at once, beside turns: each reads, appends and writes only if nobody was faster.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence

from chalicelib.actions import deliver, known
from chalicelib.channels import channel
from chalicelib.dialogue import memory
from chalicelib.model import Account, Conflict, Conversation, Say, Unavailable, Voice
from chalicelib.storage.conversations import ConversationStore
from chalicelib.storage.dynamo import Write
from chalicelib.wire import Deadline

APPEND_TRIES_MAX = 12
JITTER_SECONDS = 0.05

# Asked afresh for every attempt to commit.
Beside = Callable[[float, Deadline], Sequence[Write]]


class Unreachable(Exception):
    """This citizen has never written here, or has left."""


def owe(
    account: Account,
    citizen: str,
    say: Say,
    origin: str,
    now: float,
    holder: str,
    deadline: Deadline,
    voice: Voice | None = None,
    beside: Beside | None = None,
) -> Conversation:
    """Append `say` and deliver it if the lane is free; `beside` gives what must be written with it, all or nothing.

    Raises Unreachable, Unavailable, and whatever `beside` does.
    """
    pushes = channel(account.channel).PUSHES
    for attempt in range(APPEND_TRIES_MAX):
        store = ConversationStore(account)
        stored = store.load(citizen, now, deadline)
        if stored is None or not stored.town or not stored.subscribed:
            raise Unreachable(account.id)
        town = known.town(stored.town, deadline)
        store = ConversationStore(account, town.core["time_zone"] if town else "UTC")
        spoken = voice or stored.voice or (town.default_voice if town else Voice("en"))
        after = memory.appended(stored, say, spoken, origin, now, push=pushes)
        try:
            saved = store.save(after, now, deadline, beside(now, deadline) if beside else ())
        except Conflict:
            time.sleep(random.random() * JITTER_SECONDS * (attempt + 1))
            continue
        return deliver.deliver_lane(store, saved, now, holder, deadline) if pushes else saved
    raise Unavailable("conflicts")
