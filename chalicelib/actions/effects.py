"""What a turn causes beside words, as writes of the same commit: a case opened, followed or changed.

Imported only where a turn has effects, so that a plain turn pays nothing for it.
"""

from __future__ import annotations

from secrets import token_hex
from typing import assert_never
from zoneinfo import ZoneInfo

from chalicelib.actions import (
    call_volunteers,
    change_case,
    keep_media,
    notify,
    open_case,
    pass_on,
    purge,
    tell_systems,
    work_outbox,
)
from chalicelib.actions.keep_media import Arrival
from chalicelib.cases import helping, lifecycle, references
from chalicelib.cases.helping import Moved
from chalicelib.cases.lifecycle import CITIZEN, Event, NotAllowed
from chalicelib.model import (
    REMINDERS,
    AddToCase,
    Agree,
    AgreeToNotices,
    BeginTalk,
    BindCase,
    Case,
    ChangeCase,
    ChangeVolunteer,
    ClaimCases,
    Conflict,
    Conversation,
    Effect,
    Errand,
    FollowCase,
    Follower,
    LinkCase,
    MoveHelp,
    OpenCase,
    Subscribe,
    TakeReminders,
    Talk,
    Town,
    Turn,
    Unsubscribe,
)
from chalicelib.services.news import TOPIC
from chalicelib.small_classes import dataclass, replace
from chalicelib.storage import audit, consents, keys, links, near, outbox, people, staff, thread, volunteers
from chalicelib.storage.audit import Act
from chalicelib.storage.cases import FOLLOWERS_MAX, CaseStore
from chalicelib.storage.dynamo import Write
from chalicelib.wire import Deadline

TALK_FILES_MAX = 12  # of one chat
REMINDERS_WORDING = "reminders_ask.1"  # the catalogue's text and its edition: raise it when the text changes


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
        elif isinstance(effect, AddToCase):
            effect = replace(effect, attachments=keep_media.attachments(effect.attachments, known, arrived))
        elif isinstance(effect, Talk) and effect.file:
            effect = replace(effect, file=keep_media.attachments((effect.file,), known, arrived)[0])
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
            return Caused(tuple(_followed(reference, _person(conversation), town, now, deadline)))
        case ChangeCase(reference, name, note):
            event = Event(int(now), CITIZEN, name=name, note=note)
            return _changed(reference, _person(conversation), event, town, now, deadline)
        case AddToCase():
            return Caused(tuple(_added(effect, _person(conversation), town, now, deadline)))
        case AgreeToNotices(reference, given):
            return Caused(tuple(_agreed(reference, given, _person(conversation), town, now, deadline)))
        case BindCase(context, reference):
            return Caused(tuple(_bound(context, reference, town, conversation, now, deadline)))
        case TakeReminders(context, mail):
            return Caused(tuple(_reminded(context, mail, town, conversation, now, deadline)))
        case LinkCase(reference, context):
            return Caused(tuple(_linked(reference, context, town, conversation, now, deadline)))
        case ClaimCases(wanted):
            return Caused(tuple(_claimed(wanted, town, conversation, now, deadline)))
        case MoveHelp():
            return _helped(effect, town, conversation, now, deadline)
        case ChangeVolunteer(volunteer):
            return Caused(tuple(volunteers.items(town.slug, volunteer, now)))
        case Subscribe() | Unsubscribe() | Agree():
            return Caused(tuple(_sent_unasked(effect, town, conversation, now)))
        case BeginTalk():
            return Caused((thread.item(town.slug, _key(conversation), conversation.log, now),))
        case Talk():
            return Caused(tuple(_talked(effect, town, conversation, now, deadline)))
        case Errand(kind, body, seconds, personal):
            whom = {"account": conversation.account, "citizen": conversation.citizen} if personal else {}
            asked = {**body, **whom, "at": int(now)}
            return Caused((outbox.write(town.slug, kind, asked, now, due_at=now + seconds),))
        case _:
            assert_never(effect)


def _person(conversation: Conversation) -> Follower:
    return Follower(conversation.account, conversation.citizen)


def _key(conversation: Conversation) -> str:
    return keys.person(conversation.account, conversation.citizen)


def _sent_unasked(
    effect: Subscribe | Unsubscribe | Agree, town: Town, conversation: Conversation, now: float
) -> list[Write]:
    """What may be sent unasked, changed: each yes and no is a record of its own."""
    person, writes = _key(conversation), list[Write]()
    match effect:
        case Subscribe(topic, _, settlement):
            voice = conversation.voice or town.default_voice
            writes.append(people.subscription(town.slug, _person(conversation), topic, settlement, voice, now))
            said = {f"{TOPIC}{topic}": True}
        case Unsubscribe(topics):
            writes += [people.ended(town.slug, person, topic) for topic in topics]
            said = {f"{TOPIC}{topic}": False for topic in topics}
        case Agree(topic, given):
            said = {topic: given}
    channel = conversation.account.partition(":")[0]
    for topic, given in said.items():
        consent = consents.Consent(topic, given, int(now), channel, CITIZEN, effect.wording)
        writes.append(consents.item(town.slug, person, consent))
    return writes


def _talked(effect: Talk, town: Town, conversation: Conversation, now: float, deadline: Deadline) -> list[Write]:
    """The turn's words in the thread, in full, and the chat moved to where staff look for what is new."""
    case = effect.case
    if case.owner != _person(conversation):
        return []
    asked_at = max(at for at, entry in enumerate(conversation.log) if entry.origin == CITIZEN)
    asked, *said = conversation.log[asked_at:]
    asked = replace(asked, text=effect.text or asked.text)
    after = replace(case, updated_at=max(int(now), case.updated_at), fields={**case.fields, "last_from": CITIZEN})
    if effect.file and len(case.attachments) < TALK_FILES_MAX:
        file = replace(effect.file, id=str(len(case.attachments) + 1))
        after = replace(after, attachments=(*case.attachments, file))
    if effect.ends:
        after = lifecycle.change(after, Event(int(now), CITIZEN, name=lifecycle.WITHDRAWN))
    return [
        thread.item(town.slug, _key(conversation), (asked, *said), now),
        *tell_systems.cases(town).items_for_change(after, deadline),
    ]


def _opened(effect: OpenCase, town: Town, conversation: Conversation, now: float, deadline: Deadline) -> list[Write]:
    filed = replace(
        effect.case,
        tenant=town.slug,
        owner=_person(conversation),
        channel=conversation.account.partition(":")[0],
        voice=effect.case.voice or conversation.voice,
    )
    if effect.code:
        filed = replace(filed, access_hash=references.access_hash(filed.reference, effect.code))
    complete = open_case.completed(town, filed, CITIZEN, now)
    rows: list[Write] = []
    if complete.kind == helping.KIND:
        moved = helping.begun(complete)
        complete, rows = moved.case, call_volunteers.rows(town.slug, moved, now)
    place = near.item(complete, complete.created_at)
    writes = open_case.items(complete, now, deadline, agreed_before=effect.agreed, store=tell_systems.cases(town))
    return [*writes, *([place] if place else []), *rows, *pass_on.items(town, complete, now)]


def _followed(reference: str, follower: Follower, town: Town, now: float, deadline: Deadline) -> list[Write]:
    store = CaseStore(town.slug)
    case = store.load(reference, deadline)
    if case is None or follower in (case.owner, *case.followers) or len(case.followers) >= FOLLOWERS_MAX:
        return []
    person = keys.person(follower.account, follower.citizen)
    after = replace(case, followers=(*case.followers, follower))
    return [*store.items_for_change(after, deadline), people.following(town.slug, person, reference, now)]


def _bound(
    context: str, reference: str, town: Town, conversation: Conversation, now: float, deadline: Deadline
) -> list[Write]:
    """The link used up, the case this person's, the consent on record: all in the turn's own commit. Raises Conflict
    when somebody has used it since the step looked: the turn then looks again."""
    store, owner = CaseStore(town.slug), _person(conversation)
    link, case = links.find(town.slug, context, now, deadline), store.load(reference, deadline)
    if link is None or case is None or link.reference != reference:
        raise Conflict(reference)
    before = keys.person(case.owner.account, case.owner.citizen) if case.owner and case.owner != owner else ""
    return [
        links.item_for_use(link, now),
        *store.items_for_change(_owned(case, conversation), deadline),
        *([people.following(town.slug, before, reference, now)] if before else []),
        _consent(owner, True, town, now),
    ]


def _reminded(
    context: str, mail: str, town: Town, conversation: Conversation, now: float, deadline: Deadline
) -> list[Write]:
    """The link used up, this chat the one of the member of staff, their yes and the change on record. Raises Conflict
    as above."""
    link, member = links.find(town.slug, context, now, deadline), staff.load(town.slug, mail, deadline)
    if link is None or link.mail != mail or member is None or member.disabled:
        raise Conflict(town.slug)
    who, person = _person(conversation), _key(conversation)
    said = consents.Consent(
        REMINDERS, True, int(now), conversation.account.partition(":")[0], CITIZEN, REMINDERS_WORDING
    )
    return [
        links.item_for_use(link, now),
        staff.item_for(replace(member, reminders=person)),
        *([people.reminded_no_more(town.slug, member.reminders)] if member.reminders not in ("", person) else []),
        people.reminded(town.slug, who, now),
        consents.item(town.slug, person, said),
        audit.item(town.slug, Act(now, member.by, "account_chat_on", member.id), token_hex(4)),
    ]


def _linked(
    reference: str, context: str, town: Town, conversation: Conversation, now: float, deadline: Deadline
) -> list[Write]:
    """A one-time link to a case of this person's own, in place of the one before it."""
    store, case = CaseStore(town.slug), _own(reference, _person(conversation), town, deadline)
    if case is None:
        return []
    after = replace(case, slip=keys.secret_digest(context))
    return [
        *links.items_for_end(town.slug, case.slip, now, deadline),
        links.item_for_new(town.slug, context, reference, CITIZEN, now),
        *store.items_for_change(after, deadline),
    ]


def _claimed(
    wanted: tuple[str, ...], town: Town, conversation: Conversation, now: float, deadline: Deadline
) -> list[Write]:
    """Cases nobody has taken meanwhile become this person's; who was faster by a slip keeps theirs."""
    store = CaseStore(town.slug)
    free = [case for case in store.several(wanted, deadline) if case.owner is None]
    if not free:
        return []
    bound = [write for case in free for write in store.items_for_change(_owned(case, conversation), deadline)]
    return [*bound, _consent(_person(conversation), True, town, now)]


def _owned(case: Case, conversation: Conversation) -> Case:
    """A case in the hands of whoever it is of, with notices in their voice; where it was before, it is followed."""
    owner = _person(conversation)
    voice, channel = conversation.voice or case.voice, owner.account.partition(":")[0]
    before = tuple(follower for follower in (*case.followers, case.owner) if follower and follower != owner)
    return replace(case, owner=owner, followers=before[-FOLLOWERS_MAX:], consent=True, voice=voice, channel=channel)


def _consent(person: Follower, given: bool, town: Town, now: float) -> Write:
    """The record of a yes or no to notices."""
    consent = open_case.consent(given, now, person.account.partition(":")[0])
    return consents.item(town.slug, keys.person(person.account, person.citizen), consent)


def _agreed(reference: str, given: bool, person: Follower, town: Town, now: float, deadline: Deadline) -> list[Write]:
    """The yes or no on record; on the owner's case it is seen, too."""
    store = CaseStore(town.slug)
    case = store.load(reference, deadline)
    if case is None or person not in (case.owner, *case.followers):
        return []
    writes = [_consent(person, given, town, now)]
    if person == case.owner and case.consent != given:
        writes += store.items_for_change(replace(case, consent=given), deadline)
    return writes


def _added(effect: AddToCase, person: Follower, town: Town, now: float, deadline: Deadline) -> list[Write]:
    store, case = tell_systems.cases(town), _own(effect.reference, person, town, deadline)
    if case is None:
        return []
    try:
        after = lifecycle.added_to(case, int(now), CITIZEN, effect.attachments, effect.place, effect.note)
    except NotAllowed:
        return []
    return store.items_for_change(after, deadline)


def _own(reference: str, person: Follower, town: Town, deadline: Deadline) -> Case | None:
    """A case this person opened or had bound: nobody else changes it from a chat."""
    case = CaseStore(town.slug).load(reference, deadline)
    return case if case and case.owner == person else None


def _changed(reference: str, person: Follower, event: Event, town: Town, now: float, deadline: Deadline) -> Caused:
    store, case = tell_systems.cases(town), _own(reference, person, town, deadline)
    if case is None:
        return Caused()
    if case.kind == helping.KIND and event.name == lifecycle.WITHDRAWN:  # the volunteers must hear of it
        moved = helping.act(case, MoveHelp(reference, "off"), person, now, ZoneInfo(town.core["time_zone"]))
        return _moved(town, moved, now, deadline) if moved else Caused()
    try:
        after = change_case.after(town, case, event)
    except NotAllowed:
        return Caused()  # somebody closed it meanwhile; the words the step chose stay true enough
    if case.kind == helping.KIND and event.name == lifecycle.REOPENED:
        return _moved(town, helping.called_again(after), now, deadline)
    notes = notify.notices_about(town, after, now, deadline)
    owed = purge.items(town, after, now)
    return Caused((*store.items_for_change(after, deadline), *notify.items(notes, now), *owed), notes)


def _helped(effect: MoveHelp, town: Town, conversation: Conversation, now: float, deadline: Deadline) -> Caused:
    """An act on a request for help. Raises Conflict when somebody was faster: the turn then looks again."""
    case = CaseStore(town.slug).load(effect.reference, deadline)
    zone = ZoneInfo(town.core["time_zone"])
    moved = case and helping.act(case, effect, _person(conversation), now, zone)
    if not moved:
        raise Conflict(effect.reference)
    return _moved(town, moved, now, deadline)


def _moved(town: Town, moved: Moved, now: float, deadline: Deadline) -> Caused:
    done = call_volunteers.caused(town, moved, now, deadline)
    return Caused(done.writes, done.notices)
