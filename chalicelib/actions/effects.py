"""What a turn causes beside words, as writes of the same commit: a case opened, followed or changed.

Imported only where a turn has effects, so that a plain turn pays nothing for it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import assert_never

from chalicelib.actions import change_case, keep_media, notify, open_case, work_outbox
from chalicelib.actions.keep_media import Arrival
from chalicelib.cases.lifecycle import CITIZEN, Event, NotAllowed
from chalicelib.model import BindCase, ChangeCase, Conversation, Effect, FollowCase, Follower, OpenCase, Town, Turn
from chalicelib.storage import consents, keys, links, near
from chalicelib.storage.cases import FOLLOWERS_MAX, CaseStore
from chalicelib.storage.dynamo import Write
from chalicelib.wire import Deadline


@dataclass(frozen=True, slots=True)
class Caused:
    """What must be true together with the conversation, and whom to tell once it is."""

    writes: tuple[Write, ...] = ()
    notices: tuple[notify.Notice, ...] = ()

    def __add__(self, other: Caused) -> Caused:
        return Caused(self.writes + other.writes, self.notices + other.notices)


def caused(
    turn: Turn, town: Town, conversation: Conversation, arrived: Arrival | None, now: float, deadline: Deadline
) -> Caused:
    """The effects of `turn`; `conversation` is the one after it, `arrived` what was attached to the message. Raises
    Conflict, as any commit does."""
    known = keep_media.known(turn, town.slug, arrived, now, deadline)
    total = Caused(keep_media.writes(turn, town.slug, arrived, known, now))
    for effect in turn.effects:
        if isinstance(effect, OpenCase) and effect.case.attachments:
            files = keep_media.attachments(effect.case.attachments, known, arrived)
            effect = replace(effect, case=replace(effect.case, attachments=files))
        total += _of(effect, town, conversation, now, deadline)
    return total


def tell(done: Caused, now: float, holder: str, deadline: Deadline) -> None:
    """After the commit: others who follow a changed case hear of it, and what became owed is worked at once."""
    work_outbox.ring(done.writes, now, deadline)
    notify.send(done.notices, now, holder, deadline)


def _of(effect: Effect, town: Town, conversation: Conversation, now: float, deadline: Deadline) -> Caused:
    match effect:
        case OpenCase():
            return Caused(tuple(_opened(effect, town, conversation, now, deadline)))
        case FollowCase(reference):
            return Caused(tuple(_followed(reference, _person(conversation), town, deadline)))
        case ChangeCase(reference, name, note):
            return _changed(reference, Event(int(now), CITIZEN, name=name, note=note), town, now, deadline)
        case BindCase(context, reference):
            return Caused(tuple(_bound(context, reference, town, conversation, now, deadline)))
        case _:
            assert_never(effect)


def _person(conversation: Conversation) -> Follower:
    return Follower(conversation.account, conversation.citizen)


def _opened(effect: OpenCase, town: Town, conversation: Conversation, now: float, deadline: Deadline) -> list[Write]:
    filed = replace(
        effect.case,
        tenant=town.slug,
        owner=_person(conversation),
        channel=conversation.account.partition(":")[0],
        voice=effect.case.voice or conversation.voice,
    )
    complete = open_case.completed(town, filed, CITIZEN, now)
    place = near.item(complete, complete.created_at)
    return [*open_case.items(complete, now, deadline), *([place] if place else [])]


def _followed(reference: str, follower: Follower, town: Town, deadline: Deadline) -> list[Write]:
    store = CaseStore(town.slug)
    case = store.load(reference, deadline)
    if case is None or follower in (case.owner, *case.followers) or len(case.followers) >= FOLLOWERS_MAX:
        return []
    return store.items_for_change(replace(case, followers=(*case.followers, follower)), deadline)


def _bound(
    context: str, reference: str, town: Town, conversation: Conversation, now: float, deadline: Deadline
) -> list[Write]:
    """The link used up, the case this person's, the consent on record: all in the turn's own commit."""
    store, owner = CaseStore(town.slug), _person(conversation)
    link, case = links.find(town.slug, context, now, deadline), store.load(reference, deadline)
    if link is None or case is None or link.reference != reference:
        return []
    bound = replace(
        case, owner=owner, consent=True, voice=conversation.voice or case.voice, channel=owner.account.partition(":")[0]
    )
    consent = consents.Consent(consents.CASES, True, int(now), bound.channel, CITIZEN, open_case.CONSENT_WORDING)
    return [
        links.item_for_use(link, now),
        *store.items_for_change(bound, deadline),
        consents.item(town.slug, keys.person(owner.account, owner.citizen), consent),
    ]


def _changed(reference: str, event: Event, town: Town, now: float, deadline: Deadline) -> Caused:
    store = CaseStore(town.slug)
    case = store.load(reference, deadline)
    if case is None:
        return Caused()
    try:
        after = change_case.after(town, case, event)
    except NotAllowed:
        return Caused()  # somebody closed it meanwhile; the words the step chose stay true enough
    notes = notify.notices_about(town, after, now, deadline)
    return Caused((*store.items_for_change(after, deadline), *notify.items(notes, now)), notes)
