"""The towns of one account that a citizen is not with now: what waits there, and what all of them share. Pure.

A citizen has one conversation item for each account (`NOW`): what reached us, what is owed and who speaks is the
account's. What was said, the open form, counters and voice are a town's own; of every other town they lie beside the
item (`TOWN#<slug>`) until the citizen comes back. Whoever writes such a part writes `NOW` in the same transaction, so
that its version guards both.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from chalicelib.model import Conversation, Owed
from chalicelib.small_classes import replace
from chalicelib.storage import keys, shapes

ERASED, CHOOSING, SPILT = "erased", "choosing", "spilt"  # marks in a conversation's memory


def with_town(common: Conversation, town: str, own: Conversation | None) -> Conversation:
    """The conversation as it is with `town`: what is `own` to it, and what the account's towns have in `common`."""
    own = own or Conversation(common.account, common.citizen, town, voice=common.voice)
    return replace(
        own,
        town=town,
        v=common.v,
        seq=common.seq,
        ring=common.ring,
        lane=tuple(_owed_in(owed, common.town, town) for owed in common.lane),
        parked=common.parked,
        parked_from=common.parked_from,
        told=common.told,
        lease=common.lease,
        state=_with_spilt(own.state, common.state),
        subscribed=own.subscribed and not _has_left(common),
        session_until=common.session_until,
    )


def put_back(head: Conversation, after: Conversation) -> Conversation:
    """What `NOW` becomes when something happened in a town: `after` itself, if the citizen is with that town."""
    return after if after.town == head.town else with_town(after, head.town, head)


def is_decided(conversation: Conversation) -> bool:
    """Whether it is with a town at all; while the citizen is asked which one, it is nobody's."""
    return bool(conversation.town) and not conversation.state.get(CHOOSING)


def item(conversation: Conversation, day: str | None, expires: int) -> dict[str, Any]:
    """What is a town's own of a conversation, as it is stored while the citizen is elsewhere."""
    own = replace(conversation, ring=(), lane=(), parked=0, told=(), lease=None, session_until=0)
    return shapes.to_item(own, day, expires) | {"sk": keys.parked_town(conversation.town)}


def _owed_in(owed: Owed, before: str, after: str) -> Owed:
    whose = owed.town or before
    return replace(owed, town="" if whose == after else whose)


def _with_spilt(own: Mapping[str, Any], common: Mapping[str, Any]) -> Mapping[str, Any]:
    """Handled ids beside the item are the account's, wherever the citizen is."""
    return {**own, SPILT: True} if common.get(SPILT) else own


def _has_left(conversation: Conversation) -> bool:
    """Left the bot, rather than had one town forget everything."""
    return not conversation.subscribed and not conversation.state.get(ERASED)
