"""Empties a lane: strictly in order, one holder at a time, each outcome by its name.

A retryable failure stops the lane until its head is due again; a final one keeps the entry as a dead letter and goes
on. Whatever happens, entries that others appended meanwhile are kept, because every write is conditional.
"""

from __future__ import annotations

import random
import time
from dataclasses import field
from typing import Any

from chalicelib.actions import account_pace, breaker, heard, known, speaking
from chalicelib.actions.journal import log
from chalicelib.actions.speaking import Mouth
from chalicelib.cases import helping, notices
from chalicelib.channels import Credentials, channel
from chalicelib.days import day_in
from chalicelib.dialogue.chat import is_emergency
from chalicelib.model import (
    Conflict,
    Conversation,
    Follower,
    Lease,
    Owed,
    Say,
    SendFailed,
    Told,
    Town,
    Unavailable,
)
from chalicelib.small_classes import dataclass, replace
from chalicelib.storage import budget, consents, doorbell, keys, outbox, secrets, shapes, told
from chalicelib.storage.aws import Unknown
from chalicelib.storage.conversations import ConversationStore
from chalicelib.storage.outbox import UNCERTAIN
from chalicelib.wire import Deadline

LEASE_SECONDS = 12
SEND_SECONDS_NEEDED = 1.5  # a send begun with less might be cut off after Viber took it
MARK_SECONDS_KEPT = 0.6
RING_SECONDS_MIN = 0.3
# A mark may take longer than the turn: a late answer only makes Viber repeat, a lost mark says something twice.
MARK_SECONDS_MAX = 4.0
ROUNDS_MAX = 8
MARK_TRIES_MAX = 60  # a mark that is lost is a message said twice: it must outlast any crowd of writers
MARK_JITTER_SECONDS = 0.02
BACKOFF_SECONDS_FIRST = 2.0
BACKOFF_SECONDS_MAX = 60.0
TRIES_MAX = 1500  # at the longest pause about a day
DOUBTFUL_SENDS_MAX = 2
CONSENT_FRESH_SECONDS = 10  # a notice this young was put here with the consent just read
HELD_MAX = (
    8  # notices that wait in one lane; of more the oldest goes into the next (its case is on the call list by then)
)
TOLD_MAX = 8  # notices whose receipts are waited for
CHARGED = 5  # Viber's `billing_status` of a message the town pays for
IN_SESSION = "in_session"
IN_TURN = "in_turn"  # why words wait whose place in the account's queue is drawn: they are counted
_NO_MONEY = ("free_messages_used_up", "no_balance")


@dataclass(slots=True)
class _Round:
    """One holder's round over a lane: what it works with (`now` is its beginning), and what it did so far: entries
    done, entries to be held, messages billed by town, what became of notices, the head as it stands and what goes out
    as one message with it, whether the citizen is gone, why the account as a whole was refused."""

    conversation: Conversation
    store: ConversationStore
    mouth: Mouth | None
    now: float
    deadline: Deadline
    done: set[int] = field(default_factory=set)
    held: set[int] = field(default_factory=set)
    billed: dict[str, int] = field(default_factory=dict)
    sent: dict[int, str] = field(default_factory=dict)  # notices by their number → the channel's id
    became: dict[int, str] = field(default_factory=dict)  # notices that went otherwise than expected → how
    head: Owed | None = None
    tail: set[int] = field(default_factory=set)
    refused: str = ""
    gone: bool = False
    stopped: bool = False


def is_due(conversation: Conversation, now: float) -> bool:
    """Whether somebody should speak: something is owed and due, and nobody holds the lane."""
    leased = conversation.lease is not None and conversation.lease.until > now
    first = conversation.next_owed
    return first is not None and not leased and first.due_at <= now


def has_time(deadline: Deadline) -> bool:
    """Whether a message can still be sent and marked; if not, whoever has more time shall."""
    return deadline.left() >= SEND_SECONDS_NEEDED + MARK_SECONDS_KEPT


def deliver_lane(
    store: ConversationStore, conversation: Conversation, now: float, holder: str, deadline: Deadline
) -> Conversation:
    """Take the lane if it is due and free, and deliver it. Somebody faster is not an error."""
    if not (is_due(conversation, now) and has_time(deadline)):
        return conversation
    leased = replace(conversation, lease=Lease(holder, now + LEASE_SECONDS))
    try:
        saved = store.mark(conversation, leased, now, deadline)
    except Conflict:
        return conversation
    return deliver(store, saved, now, deadline)


def deliver(store: ConversationStore, conversation: Conversation, now: float, deadline: Deadline) -> Conversation:
    """Send what is owed and mark it. The conversation's lease must be the caller's; it is given back at the end."""
    assert conversation.lease is not None
    holder = conversation.lease.holder
    token = secrets.viber_token(store.account.name, deadline)
    mouth = Mouth(store.account, token) if token else None
    began = time.monotonic()
    for _ in range(ROUNDS_MAX):
        work = _Round(conversation, store, mouth, now + time.monotonic() - began, deadline)
        _send_all(work)
        conversation, finished = _mark(work, holder, now + time.monotonic() - began)
        _count_billed(work, now)
        _note_notices(work, now)
        if work.refused:
            secrets.doubted(store.account.name, by_viber=True)
            heard.refused(store.account.id, work.refused, now, Deadline(MARK_SECONDS_MAX))
        if finished:
            break
    return conversation


def _whose(owed: Owed, conversation: Conversation) -> str:
    """The town that says it: another than the citizen is with, where the bot serves several."""
    return owed.town or conversation.town


# --- sending ----------------------------------------------------------------------------------------------------


def _send_all(work: _Round) -> None:
    for owed in work.conversation.lane:
        if _rests(owed, work.now) or owed.seq in work.done | work.held:
            continue
        together = _together(owed, work.conversation, work.now)
        owed = together[0]
        work.head, work.tail = owed, {other.seq for other in together[1:]}
        if owed.due_at > work.now or not has_time(work.deadline):
            work.stopped = True
            return
        town = known.town(_whose(owed, work.conversation), work.deadline)
        if town is None or work.mouth is None:
            work.head, work.stopped = _later(owed, "no token for this account", work.now), True
            return
        _settle(owed, together, town, work.mouth, work)
        if work.gone or work.stopped:
            return
    work.head, work.tail = None, set()


def _rests(owed: Owed, now: float) -> bool:
    """Whether it waits for the citizen to write, or for more news of its case."""
    return owed.held and not 0 < owed.due_at <= now


def _together(owed: Owed, conversation: Conversation, now: float) -> tuple[Owed, ...]:
    """`owed` and what goes out with it as one message, in order: news of one case that waited for each other, and once
    they were tried together, none that came later. In an open session each is a message of its own, for it is free."""
    if conversation.session_until > now or not (notices.may_wait(owed.say) and owed.say.case):
        return (owed,)
    wanted = _kinship(owed)
    return tuple(
        other
        for other in conversation.lane
        if other.seq >= owed.seq and notices.may_wait(other.say) and _kinship(other) == wanted
    )


def _kinship(owed: Owed) -> tuple[Any, ...]:
    return (owed.say.case, owed.town, owed.voice, owed.due_at, owed.held, owed.tries, owed.part, owed.plain)


def _settle(owed: Owed, together: tuple[Owed, ...], town: Town, mouth: Mouth, work: _Round) -> None:
    """Send one message, or note why it is not sent; what becomes of it becomes of all that went into it."""
    topic = notices.stands_on(owed.say)
    if topic and not _still_agreed(owed, topic, work):
        if work.stopped:
            return
        work.done.add(owed.seq)
        work.became[owed.seq] = told.DROPPED
    elif _must_wait(owed, work):
        if work.stopped:
            return
        work.held.add(owed.seq)
        work.became[owed.seq] = told.WAITS
    else:
        whole = replace(owed, held=False, say=notices.bundled([other.say for other in together]))
        left = _send_one(whole, town, mouth, work)
        work.head = left and replace(left, say=owed.say)
    for other in work.tail:
        for settled in (work.done, work.held):
            settled |= {other} if owed.seq in settled else set()
        for known_of in (work.sent, work.became):
            known_of |= {other: known_of[owed.seq]} if owed.seq in known_of else {}


def _still_agreed(owed: Owed, topic: str, work: _Round) -> bool:
    """Whether a notice that had to wait still stands on its consent; one read, for such a notice only."""
    conversation = work.conversation
    if not (owed.tries or owed.held) and work.now - owed.due_at < CONSENT_FRESH_SECONDS:
        return True
    person, town = keys.person(conversation.account, conversation.citizen), _whose(owed, conversation)
    try:
        agreed = consents.is_live(town, person, topic, work.deadline)
    except Unavailable:
        work.stopped = True  # what was sent before it must still be marked
        return False
    if not agreed:
        log.info("notice_dropped", tenant=town, account=conversation.account)
    return agreed


def _must_wait(owed: Owed, work: _Round) -> bool:
    """Whether these words would cost the town money and it wants them to wait until the citizen writes.

    One read where the town has bounded a month's messages and the citizen has not written within the day.
    """
    if work.conversation.session_until > work.now or not notices.may_wait(owed.say):
        return False
    try:
        town = known.town(_whose(owed, work.conversation), work.deadline)
        return town is not None and saves(town, work.now, work.deadline)
    except Unavailable:
        work.stopped = True
        return True


def saves(town: Town, now: float, deadline: Deadline) -> bool:
    """Whether the town pays for no message now that can go another way or wait. Raises Unavailable."""
    said = town.core["viber"]
    if said.get("notices") == IN_SESSION:
        return True
    bound = said.get("monthly_messages")
    return bound is not None and budget.of_month(town.slug, _day(town, now)[:7], deadline) >= bound


def _day(town: Town | None, now: float) -> str:
    return day_in(town.core["time_zone"] if town else "UTC", now).isoformat()


def _count_billed(work: _Round, now: float) -> None:
    """After the mark, on time of its own: a message counted too little must not become one said twice."""
    for slug, messages in work.billed.items():
        deadline = Deadline(MARK_SECONDS_MAX)
        try:
            budget.count(slug, _day(known.town(slug, deadline), now), messages, deadline)
        except Unavailable:
            log.warning("budget_not_counted", tenant=slug)


def _send_one(owed: Owed, town: Town, mouth: Mouth, work: _Round) -> Owed | None:
    """Send one entry. Returns what is left of it (None when it is done), and notes in `work` how to go on."""
    account, conversation = work.store.account, work.conversation
    carrier, credentials = channel(account.channel), mouth.credentials(owed.say, town, owed.voice)
    sending = Deadline(work.deadline.left() - MARK_SECONDS_KEPT)
    if owed.error.startswith(UNCERTAIN) and not _account_answers(credentials, sending):
        work.stopped = True
        return _later(owed, owed.error, work.now)
    for _ in range(2):
        message = speaking.message(owed, town, account, conversation, work.now, sending)
        pieces = carrier.pieces(message, plain=owed.plain, credentials=credentials)[owed.part :]
        if seconds := _must_queue(owed, len(pieces), work, sending):
            work.stopped = True
            return replace(owed, tries=max(1, owed.tries), error=IN_TURN, due_at=work.now + seconds)
        try:
            for number, piece in enumerate(pieces, owed.part):
                owed = replace(owed, part=number)
                receipt = carrier.send(conversation.citizen, piece, credentials, sending)
                if receipt.billing == CHARGED:
                    work.billed[town.slug] = work.billed.get(town.slug, 0) + 1
        except SendFailed as failure:
            if failure.plain and not owed.plain:
                owed = replace(owed, plain=True, part=0)
                continue
            return _after_failure(owed, failure, work)
        breaker.succeeded(account.id)
        work.done.add(owed.seq)
        if _about(owed.say):
            work.sent[owed.seq] = receipt.id
        return None
    return owed


def _must_queue(owed: Owed, calls: int, work: _Round, deadline: Deadline) -> float:
    """In how many seconds the account may make these calls; 0: at once. What comes when its turn is does not ask again.
    The numbers to call in danger wait for nobody, nor does what is in doubt: how often it was doubted stands where the
    wait would be noted."""
    if owed.error == IN_TURN:
        return 0.0
    late = owed.tries or work.now - owed.due_at > account_pace.WINDOW_SECONDS
    kind = account_pace.LATE if late else account_pace.REPLY
    seconds = account_pace.wait(work.store.account.id, work.now, deadline, calls=calls, kind=kind)
    return 0.0 if is_emergency(owed.say) or owed.error.startswith(UNCERTAIN) else seconds


def _account_answers(credentials: Credentials, deadline: Deadline) -> bool:
    from chalicelib.channels.viber.send import account_answers

    return account_answers(credentials, deadline)


def _after_failure(owed: Owed, failure: SendFailed, work: _Round) -> Owed | None:
    account, tenant = work.store.account.id, _whose(owed, work.conversation)
    log.warning("send_failed", account=account, tenant=tenant, reason=failure.reason, tries=owed.tries + 1)
    if failure.gone:
        work.gone = True
        return None
    if failure.reason.startswith(_NO_MONEY) and notices.may_wait(owed.say):
        work.held.add(owed.seq)
        work.became[owed.seq] = told.WAITS
        return None
    work.refused = failure.reason if failure.account_wide else ""
    if failure.account_wide or failure.reason == "no_answer" or failure.reason.startswith(("http_5", "not_viber")):
        breaker.failed(account, work.now, at_once=failure.account_wide)
    doubtful = int(failure.uncertain) + (int(owed.error.rpartition(" ")[2]) if owed.error.startswith(UNCERTAIN) else 0)
    if failure.retryable and owed.tries + 1 < TRIES_MAX and doubtful < DOUBTFUL_SENDS_MAX:
        work.stopped = True
        reason = f"{UNCERTAIN} {doubtful}" if doubtful else failure.reason
        return _later(owed, reason, work.now, failure.after_seconds)
    _bury(owed, f"{UNCERTAIN} {doubtful} {failure.reason}" if doubtful else failure.reason, work)
    work.done.add(owed.seq)
    work.became[owed.seq] = told.FAILED
    return None


def _later(owed: Owed, reason: str, now: float, at_least: float = 0.0) -> Owed:
    pause = min(BACKOFF_SECONDS_MAX, BACKOFF_SECONDS_FIRST * 2 ** min(owed.tries, 6))
    return replace(owed, tries=owed.tries + 1, error=reason, due_at=now + max(pause, at_least))


def _bury(owed: Owed, reason: str, work: _Round) -> None:
    """Keep what cannot be delivered where people look for it."""
    conversation, tenant = work.conversation, _whose(owed, work.conversation)
    row = keys.handled(f"{conversation.account} {conversation.citizen} {owed.seq}").hex()
    outbox.write_dead(
        tenant,
        row,
        "reply",
        shapes.owed_data(owed),
        reason,
        work.now,
        work.deadline,
        account=conversation.account,
        citizen=conversation.citizen,
        tries=owed.tries + 1,
    )
    log.error("dead_letter", account=conversation.account, tenant=tenant, reason=reason)


# --- marking ----------------------------------------------------------------------------------------------------


def _mark(work: _Round, holder: str, now: float) -> tuple[Conversation, bool]:
    """Write down what was sent. Returns the conversation and whether this holder is finished with the lane."""
    conversation, store = work.conversation, work.store
    deadline = Deadline(max(work.deadline.left(), MARK_SECONDS_MAX))
    for _ in range(MARK_TRIES_MAX):
        marked = _marked(conversation, holder, work, now)
        try:
            saved = store.mark(conversation, marked, now, deadline)
        except (Conflict, Unknown):
            reloaded = store.load(conversation.citizen, now, deadline)
            if reloaded is None:
                return conversation, True
            conversation = reloaded
            time.sleep(random.random() * MARK_JITTER_SECONDS)
            continue
        except Unavailable:
            # The lease runs out and the sweeper comes: a sent reply may then be said twice, none is lost.
            log.warning("mark_failed", account=store.account.id, tenant=conversation.town)
            return conversation, True
        if saved.lease and saved.lease.holder == holder:
            return saved, False
        if saved.next_owed:
            ringing = Deadline(max(work.deadline.left(), RING_SECONDS_MIN))
            doorbell.ring(store.account.id, saved.citizen, saved.next_owed.due_at - now, ringing)
        return saved, True
    return conversation, True


def _marked(conversation: Conversation, holder: str, work: _Round, now: float) -> Conversation:
    """The conversation with `work` applied; the lease is kept only if there is more to say at once."""
    awaited = _told(conversation, work)
    if work.gone:
        return replace(conversation, told=awaited, lane=(), parked=0, lease=None, subscribed=False)
    lane = tuple(_as_tried(owed, work) for owed in conversation.lane if owed.seq not in work.done)
    if conversation.session_until <= now:  # else the citizen has written meanwhile, and it goes out
        lane = _held(lane, work)
    ours = conversation.lease is not None and conversation.lease.holder == holder
    if not ours:
        return replace(conversation, told=awaited, lane=lane)
    more = not work.stopped and (any(not _rests(owed, now) for owed in lane) or conversation.parked)
    lease = Lease(holder, now + LEASE_SECONDS) if more else None
    return replace(conversation, told=awaited, lane=lane, lease=lease)


def _as_tried(owed: Owed, work: _Round) -> Owed:
    """An entry after a try that left it in the lane; what was tried as one message stays one."""
    if work.head is None or owed.seq not in work.tail | {work.head.seq}:
        return owed
    return replace(work.head, seq=owed.seq, say=owed.say, town=owed.town)


def _held(lane: tuple[Owed, ...], work: _Round) -> tuple[Owed, ...]:
    """The lane with what must wait for the citizen marked so. Of more than there is room for, the oldest goes into the
    next one of its case, if there is one.

    It is due since ever: when it goes out, consent is looked at again, however soon that is.
    """
    marked = {owed.seq: replace(owed, held=True, due_at=0.0) if owed.seq in work.held else owed for owed in lane}
    waiting = [owed.seq for owed in marked.values() if owed.held and not owed.due_at]
    for surplus in waiting[:-HELD_MAX]:
        old = marked.pop(surplus)
        heir = next((each for each in marked.values() if each.held and each.say.case == old.say.case), None)
        if heir:
            marked[heir.seq] = replace(heir, say=notices.bundled((old.say, heir.say)))
    return tuple(marked.values())


def _told(conversation: Conversation, work: _Round) -> tuple[Told, ...]:
    """The notices whose receipts are waited for, with those just sent."""
    new = [
        Told(work.sent[owed.seq], _whose(owed, conversation), _about(owed.say), owed.seq)
        for owed in conversation.lane
        if work.sent.get(owed.seq)
    ]
    return (*conversation.told, *new)[-TOLD_MAX:] if new else conversation.told


def _note_notices(work: _Round, now: float) -> None:
    """What became of notices that did not go out at once and as they should, written beside their cases after the
    mark. One that fails to be written stays on the call list."""
    conversation = work.conversation
    person = keys.person(conversation.account, conversation.citizen)
    for owed in conversation.lane:
        state, about = _became(owed, work), _about(owed.say)
        if not (state and about):
            continue
        town, deadline = _whose(owed, conversation), Deadline(MARK_SECONDS_MAX)
        try:
            if helping.card_of(owed.say):
                _call_otherwise(town, owed, conversation, state, now, deadline)
                continue
            told.note(town, about, person, owed.seq, state, now, deadline)
            if state == told.FAILED:
                from chalicelib.actions import second_way  # nobody else pays for it

                second_way.instead(town, about, person, owed.say, now, deadline)
        except (Unavailable, Conflict):
            log.warning("notice_not_noted", tenant=town, account=conversation.account)


def _about(say: Say) -> str:
    """The case of words for which it matters what becomes of them: a notice's, or the request of a volunteer's card."""
    return (notices.is_notice(say) and say.case) or helping.card_of(say)


def _call_otherwise(
    town: str, owed: Owed, conversation: Conversation, state: str, now: float, deadline: Deadline
) -> None:
    """A card that no chat carries goes as a link."""
    if state == told.FAILED:
        from chalicelib.actions import call_by_link  # nobody else pays for it

        whom = Follower(conversation.account, conversation.citizen)
        call_by_link.instead(town, helping.card_of(owed.say), whom, owed.say, now, deadline)


def _became(owed: Owed, work: _Round) -> str:
    """What is new about a notice or card; "" where it went as was expected when it was put into the lane."""
    if work.gone and owed.seq not in work.sent:
        return told.FAILED
    if owed.seq in work.sent:
        return told.SENT if owed.tries or owed.held or not owed.due_at else ""
    first_failure = work.stopped and work.head is not None and work.head.seq == owed.seq and work.head.tries == 1
    return told.WAITS if first_failure and not owed.tries else work.became.get(owed.seq, "")
