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
    *,
    town: str = "",
) -> Conversation:
    """Append `say` and deliver it if the lane is free; `beside` gives what must be written with it, all or nothing.
    `town`: who says it, wherever the citizen is by now; "" for the one they are with.

    Raises Unreachable, Unavailable, and whatever `beside` does.
    """
    pushes = channel(account.channel).PUSHES
    for attempt in range(APPEND_TRIES_MAX):
        head = ConversationStore(account).load(citizen, now, deadline)
        slug = town or (head.town if head else "")
        if head is None or not head.town or slug not in account.towns:
            raise Unreachable(account.id)
        speaker = known.town(slug, deadline)
        store = ConversationStore(account, speaker.core["time_zone"] if speaker else "UTC")
        stored = store.with_town(head, slug, now, deadline)
        if not stored.subscribed:
            raise Unreachable(account.id)
        spoken = voice or stored.voice or (speaker.default_voice if speaker else Voice("en"))
        after = memory.appended(stored, say, spoken, origin, now, push=pushes)
        try:
            saved = store.save_placed(head, after, now, deadline, beside(now, deadline) if beside else ())
        except Conflict:
            time.sleep(random.random() * JITTER_SECONDS * (attempt + 1))
            continue
        return deliver.deliver_lane(store, saved, now, holder, deadline) if pushes else saved
    raise Unavailable("conflicts")
