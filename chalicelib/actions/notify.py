"""Tells the citizens of a case what happened to it: whoever opened or follows it and consented to notices.

The words are put into the citizens' lanes in the same transaction as the change, so that neither is ever without the
other; they are sent afterwards. Consent is looked at when they are put there.
"""

from __future__ import annotations

from chalicelib.actions import deliver, known, seal
from chalicelib.actions.journal import log
from chalicelib.actions.owe import Unreachable, owe
from chalicelib.cases import helping, lifecycle, notices
from chalicelib.channels import channel
from chalicelib.dialogue import forms, memory, words
from chalicelib.model import BOT, Account, Case, Conversation, Follower, Say, Town, Unavailable, Voice
from chalicelib.small_classes import dataclass, replace
from chalicelib.storage import aside, consents, keys, shapes, told
from chalicelib.storage.conversations import ConversationStore
from chalicelib.storage.dynamo import Write
from chalicelib.wire import Deadline

RECIPIENTS_MAX = 21  # the owner and twenty followers: more do not fit into one transaction's reading
DELIVER_SECONDS_NEEDED = 2.0  # with less left, the sweeper sends


@dataclass(frozen=True, slots=True)
class Notice:
    """Words for one citizen, in the town's conversation as it will be once written; `head` is the one the citizen has
    now, maybe with another town of the account. `late`: the lane is too long to share a transaction; the words are
    owed right after it. `about`: the case, if it is this person's own."""

    account: Account
    store: ConversationStore
    head: Conversation
    conversation: Conversation
    say: Say
    voice: Voice
    late: bool = False
    about: Case | None = None


def notices_about(town: Town, case: Case, now: float, deadline: Deadline) -> tuple[Notice, ...]:
    """What is to be said to whom about the last entry of a case's history.

    Nobody who did not consent, or left, is among them, nor a citizen who caused it: they had their answer in the chat.
    """
    say = notices.notice(case, town.core)
    if say is None:
        return ()
    people = _interested(case)[:RECIPIENTS_MAX]
    found = (
        (each, notice_to(town, each, say, now, deadline, voice=case.voice, buttons=each == case.owner))
        for each in people
    )
    return tuple(replace(notice, about=case if each == case.owner else None) for each, notice in found if notice)


def remembered(
    town: Town, follower: Follower, reference: str, place: str, now: float, deadline: Deadline
) -> list[Write]:
    """A volunteer's conversation after they did something about a request elsewhere: under what it remembers the
    request from now on (`place`, "" no longer: then without its details). Nothing where there is no conversation."""
    account = known.account(*_named(follower.account), deadline)
    if account is None or town.slug not in account.towns:
        return []
    store = ConversationStore(account, town.core["time_zone"])
    head = store.load(follower.citizen, now, deadline)
    if head is None or not head.town:
        return []
    stored = store.with_town(head, town.slug, now, deadline)
    log_kept = stored.log if place else memory.without_details(stored.log, reference)
    after = replace(stored, state=helping.noted(stored.state, reference, place), log=log_kept)
    return store.placed(head, after, now)


def items(notes: tuple[Notice, ...], now: float) -> list[Write]:
    """The lanes with the notices in them, as part of the transaction that changes the case, and what is remembered of
    each in its history."""
    return [*_lanes(notes, now), *(_remembered(note, note.about, now) for note in notes if note.about)]


def _remembered(note: Notice, case: Case, now: float) -> Write:
    person = keys.person(note.account.id, note.conversation.citizen)
    number = 0 if note.late else note.conversation.seq
    state = told.WAITS if note.late or _rests(note) or not channel(note.account.channel).PUSHES else told.SENT
    place = (case.tenant, case.reference, person, number)
    return told.write(*place, state=state, channel=note.account.channel, status=case.status, now=now)


def _rests(note: Notice) -> bool:
    """Whether it waits for more news of its case."""
    return any(owed.held for owed in note.conversation.lane[-1:])


def _lanes(notes: tuple[Notice, ...], now: float) -> list[Write]:
    placed = (note.store.placed(note.head, note.conversation, now) for note in notes if not note.late)
    return [write for writes in placed for write in writes]


def send(notes: tuple[Notice, ...], now: float, holder: str, deadline: Deadline) -> None:
    """After the commit: first delivery where there is time. What fails here is owed and found by the sweeper."""
    for note in notes:
        try:
            if note.late:
                whom, slug = note.conversation.citizen, note.conversation.town
                owe(note.account, whom, note.say, BOT, now, holder, deadline, note.voice, town=slug)
            elif channel(note.account.channel).PUSHES and deadline.left() > DELIVER_SECONDS_NEEDED:
                saved = replace(aside.put_back(note.head, note.conversation), v=note.head.v + 1)
                deliver.deliver_lane(note.store, saved, now, holder, deadline)
        except Unavailable:
            log.warning("notice_waits", tenant=note.conversation.town, account=note.account.id)
        except Unreachable:
            continue


def _interested(case: Case) -> list[Follower]:
    """The owner, if notices of this case were agreed to, and the followers, each once."""
    by_owner = case.history[-1].by == lifecycle.CITIZEN
    owner = [case.owner] if case.owner and case.consent and not by_owner else []
    others = [follower for follower in case.followers if follower != case.owner]
    return list(dict.fromkeys([*owner, *others]))


def notice_to(
    town: Town,
    follower: Follower,
    say: Say,
    now: float,
    deadline: Deadline,
    *,
    voice: Voice | None = None,
    buttons: bool = True,
    request: tuple[str, str] | None = None,
    topic: str = consents.CASES,
) -> Notice | None:
    """`say` for one citizen; None for whoever did not consent to the topic, left, or has never been here.

    `voice`: where no other is known; `buttons`: whether they are this person's to press. `request`: one for help and
    what it is to this person from now on; such people (volunteers above all), and staff who are reminded, are spoken to
    even if their last word was so long ago that it is forgotten; they may press at once even where a form is open.
    """
    if not consents.is_live(town.slug, keys.person(follower.account, follower.citizen), topic, deadline):
        return None
    account = known.account(*_named(follower.account), deadline)
    if account is None or town.slug not in account.towns:
        return None
    store = ConversationStore(account, town.core["time_zone"])
    head = store.load(follower.citizen, now, deadline)
    at_any_time = request is not None or topic == consents.REMINDERS
    if at_any_time and (head is None or not head.town):
        v, seq = (head.v, head.seq) if head else (0, 0)
        head = Conversation(account.id, follower.citizen, town.slug, v=v, seq=seq)
    if head is None or not head.town:
        return None
    stored = store.with_town(head, town.slug, now, deadline)
    if not stored.subscribed:
        return None
    if request:
        reference, place = request
        log_kept = stored.log if place else memory.without_details(stored.log, reference)
        stored = replace(stored, state=helping.noted(stored.state, reference, place), log=log_kept)
    voice = words.spoken(town, stored.voice or voice or town.default_voice)
    if say.is_private:
        say = seal.closed(say, town.slug, follower.account, follower.citizen, deadline)
    if not buttons or (forms.is_open(stored.state) and not at_any_time):
        say = notices.without_buttons(say)  # an open form keeps its own
    late = bool(stored.parked) or len(stored.lane) >= shapes.LANE_INSIDE_MAX
    pushes = channel(account.channel).PUSHES
    quiet = quiet_seconds(town, stored, say, now)
    after = stored if late else memory.appended(stored, say, voice, BOT, now, push=pushes, quiet=quiet)
    return Notice(account, store, head, after, say, voice, late)


def quiet_seconds(town: Town, conversation: Conversation, say: Say, now: float) -> float:
    """How long words that would cost the town wait for more news of their case: until it has been quiet for so long.

    0 where they are free, cannot wait, or wait for the citizen to write anyway.
    """
    said = town.core["viber"]
    if conversation.session_until > now or not notices.may_wait(say) or said.get("notices") == deliver.IN_SESSION:
        return 0.0
    return 60.0 * float(said.get("quiet_minutes", 0))


def _named(account: str) -> tuple[str, str]:
    kind, _, name = account.partition(":")
    return kind, name
