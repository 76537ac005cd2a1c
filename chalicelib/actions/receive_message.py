"""A citizen's message: one read, one pure step, one conditional write; then, where we speak first, the first delivery.

Killed anywhere between, the repeated request or the sweeper finishes the turn. A duplicate costs one read.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from chalicelib import services
from chalicelib.actions import breaker, choose_town, deliver, known
from chalicelib.actions.choose_town import Goal
from chalicelib.actions.draw_ids import DrawnIds
from chalicelib.channels import channel
from chalicelib.days import day_in
from chalicelib.dialogue import chat, closing, engine, flood, forms, memory
from chalicelib.model import (
    Account,
    Conflict,
    Conversation,
    Entry,
    Facts,
    Inbound,
    Lease,
    Line,
    Need,
    Say,
    Town,
    Turn,
    Unavailable,
)
from chalicelib.small_classes import dataclass, replace
from chalicelib.storage import aside, doorbell, keys, outbox
from chalicelib.storage.aws import Unknown
from chalicelib.storage.conversations import ConversationStore
from chalicelib.understanding.understand import danger_of
from chalicelib.wire import Deadline

if TYPE_CHECKING:
    from chalicelib.actions.effects import Caused
    from chalicelib.actions.keep_media import Arrival
    from chalicelib.storage.dynamo import Write

TURN_SECONDS = 3.5
TURN_TRIES_MAX = 8
JITTER_SECONDS = 0.03
LANE_ENTRIES_MAX = 400
MILLISECONDS = "ms"  # counted by the day, read as `cases.figures.MILLISECONDS`

Step = Callable[[Town, Conversation, Inbound, Facts], Turn | Need]
FactLoader = Callable[[Need, Town, Conversation, Inbound, float, Deadline], dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Answered:
    """What became of an inbound: the conversation as stored, the replies, and whether it was a repeat."""

    town: Town
    conversation: Conversation
    replies: tuple[Entry, ...]
    repeated: bool = False


class TooOld(Exception):
    """A repeat of something answered so long ago that the words are no longer kept."""


class TooMany(Exception):
    """This person has written too much in too short a time, and was told so: nothing was stored, one read was made."""


class NoTown(Exception):
    """The account serves no published town."""


def default_step(town: Town, conversation: Conversation, inbound: Inbound, facts: Facts) -> Turn | Need:
    return engine.step(town, conversation, inbound, facts, services.kind)


def stored_facts(
    need: Need, town: Town, conversation: Conversation, inbound: Inbound, now: float, deadline: Deadline
) -> dict[str, Any]:
    from chalicelib.actions import facts  # only a turn that asks pays for it

    return facts.load(need, town, conversation, inbound, now, deadline)


def receive_message(
    inbound: Inbound,
    account: Account,
    now: float,
    holder: str,
    deadline: Deadline,
    *,
    step: Step = default_step,
    load_facts: FactLoader = stored_facts,
) -> Answered:
    """Handle one message of a citizen. `holder` names this worker in the lane's lease.

    Raises Unavailable if the store did not answer (nothing was stored, the sender should repeat), TooOld, NoTown.
    """
    pushes = channel(account.channel).PUSHES
    began = time.monotonic()
    for attempt in range(TURN_TRIES_MAX):
        head = _store(account).load(inbound.citizen, now, deadline)
        if head and _store(account).was_handled(head, inbound.id, now, deadline):
            return _repeated(head, inbound, account, now, holder, deadline)
        flooded = _flooded(head, inbound, now)
        if flooded == flood.FULL:
            raise TooMany(account.id)
        goal = choose_town.goal(account, head, inbound) if flooded == flood.FITS else choose_town.STAY
        town = _town(account, head, goal, deadline)
        store = ConversationStore(account, town.core["time_zone"])
        heard, arrived = _received(inbound, account, town)
        before, turned = _begun(store, head, inbound.citizen, town, goal, now, deadline)
        before = _with_answers(before, deadline)

        def decide(said: Inbound, town: Town = town, before: Conversation = before) -> Turn:
            return _decide(town, before, said, now, deadline, step, load_facts, account)

        if flooded == flood.LAST:
            turn = _slow_down(town, before)
        elif choose_town.is_shared(account):
            closed = bool(_closed(town, before, deadline))
            turn = choose_town.answer(goal, town, account, head, before, heard, decide, deadline, closed=closed)
        else:
            turn = decide(heard)
        turn = _closed_words(turn, before, deadline)
        day = _day(town, now)
        after = memory.after_turn(before, inbound, keys.handled(inbound.id).hex(), turn, now, day, push=pushes)
        if choose_town.is_shared(account):
            after = choose_town.kept_for_others(before, after)
        turn, after = _sealed(turn, before, after, deadline)
        after = store.remember(_bounded(after), inbound.id, now, deadline)
        after = _timed(after, day, time.monotonic() - began)
        if pushes:
            after = _leased(after, account, holder, now, deadline)
        try:
            done = _caused(turn, town, after, arrived, now, deadline)
            saved = store.save(after, now, deadline, (*turned, *(done.writes if done else ())))
        except (Conflict, Unknown):
            # Somebody was faster, or our own write took effect without our hearing of it: the next look tells.
            time.sleep(random.random() * JITTER_SECONDS * (attempt + 1))
            continue
        if pushes:
            saved = _spoken(store, saved, now, holder, deadline)
        if done:
            _tell(done, now, holder, deadline)
        return Answered(town, saved, _replies(saved, inbound))
    raise Unavailable("conflicts")


def _timed(after: Conversation, day: str, seconds: float) -> Conversation:
    """How long the answer took until it was about to be stored, beside the day's other counters."""
    if day not in after.counts:  # erased in this very turn
        return after
    today = dict(after.counts[day])
    today[MILLISECONDS] = today.get(MILLISECONDS, 0) + max(1, round(seconds * 1000))
    return replace(after, counts={**after.counts, day: today})


def open_chat(inbound: Inbound, account: Account, now: float, deadline: Deadline) -> tuple[Town, Turn]:
    """What a freshly opened chat is greeted with. Nothing is written, for the person has said nothing yet; but for
    the town a link picked on a shared bot, which no later message would tell."""
    for _ in range(TURN_TRIES_MAX):
        head = _store(account).load(inbound.citizen, now, deadline)
        elsewhere = head is not None and choose_town.named(account, inbound) not in (None, head.town)
        if elsewhere and _store(account).was_handled(head, inbound.id, now, deadline):
            inbound = replace(inbound, context="")  # repeated; they have turned to another town since
        goal = choose_town.goal(account, head, inbound)
        town = _town(account, head, goal, deadline)
        store = ConversationStore(account, town.core["time_zone"])
        before, turned = _begun(store, head, inbound.citizen, town, goal, now, deadline)
        before = _with_answers(before, deadline)
        admitted = False
        try:
            if inbound.context and _closed(town, before, deadline) == closing.TRIAL:
                from chalicelib.actions import testers  # only who opens such a link pays for it

                before, admitted = testers.admitted(inbound.context, before, account, town, now, deadline, turned)
            entered = goal.town and (head is None or goal.town != head.town or not aside.is_decided(head))
            if entered and not admitted:
                before = store.save(store.remember(before, inbound.id, now, deadline), now, deadline, turned)
        except (Conflict, Unknown):
            continue
        turn = _greeting(goal, town, account, head, before, inbound, now, deadline)
        return town, _with_word_for_testers(turn) if admitted else turn
    raise Unavailable("conflicts")


def _with_word_for_testers(turn: Turn) -> Turn:
    first = turn.says[0]
    return replace(turn, says=(replace(first, lines=(Line("town_trial_tester"), *first.lines)), *turn.says[1:]))


def _greeting(
    goal: Goal,
    town: Town,
    account: Account,
    head: Conversation | None,
    before: Conversation,
    inbound: Inbound,
    now: float,
    deadline: Deadline,
) -> Turn:
    def decide(said: Inbound) -> Turn:
        return _decide(town, before, said, now, deadline, default_step, stored_facts, account)

    if not choose_town.is_shared(account):
        return decide(inbound)
    closed = bool(_closed(town, before, deadline))
    return choose_town.answer(goal, town, account, head, before, inbound, decide, deadline, closed=closed)


def follow_or_leave(inbound: Inbound, account: Account, now: float, deadline: Deadline) -> None:
    """Subscribed or unsubscribed: who left is owed nothing any more and has ended whatever was sent unasked. Strangers
    need no record."""
    wanted = inbound.event == "subscribed"
    if not wanted:
        from chalicelib.actions import leave  # nobody else pays for it

        leave.end_all(account, inbound.citizen, now, deadline)
    store = _store(account)
    for _ in range(TURN_TRIES_MAX):
        stored = store.load(inbound.citizen, now, deadline)
        if stored is None or not stored.town or stored.subscribed == wanted:
            return
        left = replace(stored, subscribed=False, lane=(), parked=0, lease=None)
        after = replace(stored, subscribed=True) if wanted else left
        try:
            store.save(after, now, deadline)
            return
        except Conflict:
            continue
    raise Unavailable("conflicts")


def _flooded(stored: Conversation | None, inbound: Inbound, now: float) -> int:
    """How much room there is for this message; danger always has room."""
    room = flood.room(stored.ring, now) if stored else flood.FITS
    if room != flood.FITS and inbound.kind == "text" and danger_of(inbound.text):
        return flood.FITS
    return room


def _slow_down(town: Town, before: Conversation) -> Turn:
    """The polite line: said once, with the last message that is still taken."""
    say = Say(lines=(Line("rate_limited"),), choices=chat.choices("menu"))
    return Turn((say,), before.voice or town.default_voice, before.state, before.voice_chosen, ("flood",))


# --- parts ------------------------------------------------------------------------------------------------------


def _store(account: Account) -> ConversationStore:
    return ConversationStore(account)


def _town(account: Account, head: Conversation | None, goal: Goal, deadline: Deadline) -> Town:
    """The town this turn is with: the one it leads to, the one the citizen is with, else the account's first."""
    slug = goal.town or (head.town if head else "") or account.towns[0]
    town = known.town(slug, deadline)
    if town is None:
        raise NoTown(slug)
    return town


def _begun(
    store: ConversationStore,
    head: Conversation | None,
    citizen: str,
    town: Town,
    goal: Goal,
    now: float,
    deadline: Deadline,
) -> tuple[Conversation, list[Write]]:
    """The conversation this turn goes on from, and what must be written with it: a citizen who turns to another town
    leaves the old one's talk aside and takes up the new one's where it was. One read then, none otherwise."""
    if head is None:
        return Conversation(store.account.id, citizen, town.slug), []
    if head.town == town.slug and (aside.is_decided(head) or not goal.town):
        return head, []
    before, writes = store.entered(head, town.slug, now, deadline)
    return replace(before, voice=choose_town.voice_in(town, before.voice)), writes


def _closed(town: Town, conversation: Conversation, deadline: Deadline) -> str:
    """Why the town gives this person no service now; read with the configuration, so it costs nothing."""
    return closing.why(known.state(town.slug, deadline), conversation.state)


def _decide(
    town: Town,
    before: Conversation,
    inbound: Inbound,
    now: float,
    deadline: Deadline,
    step: Step,
    load_facts: FactLoader,
    account: Account,
) -> Turn:
    """The step, with its question to the world answered once. A bug in it parks the message and apologises."""
    closed = _closed(town, before, deadline)
    facts = Facts(now, DrawnIds(town), closed=closed)
    try:
        decided = step(town, before, inbound, facts)
        if isinstance(decided, Need):
            facts = replace(facts, found=load_facts(decided, town, before, inbound, now, deadline))
            decided = step(town, before, inbound, facts)
        if isinstance(decided, Turn):
            return decided
        raise LookupError(f"asked twice: {decided.what}")
    except Unavailable:
        raise
    except Exception as error:  # whatever it is, the citizen must not meet silence and the message must not be lost
        return _park(town, before, inbound, account, error, now, deadline)


def _park(
    town: Town,
    before: Conversation,
    inbound: Inbound,
    account: Account,
    error: Exception,
    now: float,
    deadline: Deadline,
) -> Turn:
    from chalicelib.actions.journal import log  # the alarm counts these lines

    row = keys.handled(f"{account.id} {inbound.citizen} {inbound.id}").hex()
    body = {
        "kind": inbound.kind,
        **_kept_words(town, before, memory.without_numbers(before, inbound.text)[0], row, deadline),
        "choice": memory.without_numbers(before, inbound.choice)[0],
        "event": inbound.event,
        "id": inbound.id,
    }
    outbox.write_dead(
        town.slug,
        row,
        "parked",
        body,
        type(error).__name__,
        now,
        deadline,
        account=account.id,
        citizen=inbound.citizen,
    )
    log.error("turn_parked", tenant=town.slug, row=row, error=type(error).__name__, where=_where(error))
    say = Say(lines=(Line("error_parked"),), choices=chat.choices("person", "menu"))
    voice = before.voice or town.default_voice
    hides = forms.is_open(before.state)
    return Turn((say,), voice, before.state, before.voice_chosen, ("parked",), hides=hides)


def _kept_words(town: Town, before: Conversation, text: str, row: str, deadline: Deadline) -> dict[str, str]:
    """The words of a parked message: sealed where a form was open, for they may be a private answer."""
    if not text or not forms.is_open(before.state):
        return {"text": text}
    from chalicelib.actions import seal

    return seal.closed_text(town.slug, row, text, deadline)


def _received(inbound: Inbound, account: Account, town: Town) -> tuple[Inbound, Arrival | None]:
    """The message as the dialogue sees it, and what was attached to it."""
    if inbound.media is None:
        return inbound, None
    from chalicelib.actions import keep_media

    arrived = keep_media.arrival(inbound.media, inbound.citizen, account, town.slug)
    return replace(inbound, media=replace(inbound.media, url=arrived.key)), arrived


def _with_answers(before: Conversation, deadline: Deadline) -> Conversation:
    """An open form's private answers in clear for the step."""
    if not before.sealed:
        return before
    from chalicelib.actions import seal

    return seal.with_answers(before, deadline)


def _closed_words(turn: Turn, before: Conversation, deadline: Deadline) -> Turn:
    """Private words of the answer reach log and lane only sealed."""
    if not any(say.is_private for say in turn.says):
        return turn
    from chalicelib.actions import seal

    says = (seal.closed(say, before.town, before.account, before.citizen, deadline) for say in turn.says)
    return replace(turn, says=tuple(says))


def _sealed(turn: Turn, before: Conversation, after: Conversation, deadline: Deadline) -> tuple[Turn, Conversation]:
    """Nothing that may be stored only sealed reaches the commit in clear."""
    if not turn.secrets and not turn.effects:
        return turn, after
    from chalicelib.actions import seal

    return seal.filed(turn, before, deadline), seal.kept(after, turn.secrets, deadline)


def _caused(
    turn: Turn, town: Town, after: Conversation, arrived: Arrival | None, now: float, deadline: Deadline
) -> Caused | None:
    """What the turn causes beside words; a plain turn causes nothing and loads nothing."""
    if not turn.effects and arrived is None:
        return None
    from chalicelib.actions import effects

    return effects.caused(turn, town, after, arrived, now, deadline)


def _tell(done: Caused, now: float, holder: str, deadline: Deadline) -> None:
    from chalicelib.actions import effects

    effects.tell(done, now, holder, deadline)


def _where(error: Exception) -> str:
    """File and line of the innermost frame: enough to find the bug, nothing a citizen wrote."""
    trace = error.__traceback__
    while trace and trace.tb_next:
        trace = trace.tb_next
    return f"{trace.tb_frame.f_code.co_filename.rsplit('/', 1)[-1]}:{trace.tb_lineno}" if trace else ""


def _day(town: Town, now: float) -> str:
    return day_in(town.core["time_zone"], now).isoformat()


def _bounded(conversation: Conversation) -> Conversation:
    """A lane that grew beyond all measure (a channel down for days) takes no more; the log still has the words."""
    if len(conversation.lane) + conversation.parked <= LANE_ENTRIES_MAX:
        return conversation
    return replace(conversation, lane=conversation.lane[: max(0, LANE_ENTRIES_MAX - conversation.parked)])


def _leased(conversation: Conversation, account: Account, holder: str, now: float, deadline: Deadline) -> Conversation:
    """Take the lane if nobody has it, its head may be tried and there is time; else leave it to whoever holds it, to
    the doorbell's function or to the sweeper."""
    if conversation.lease and conversation.lease.until > now:
        return conversation
    lane = conversation.lane
    paused = breaker.open_until(account.id, now)
    if paused and lane and lane[0].due_at <= now:
        lane = (replace(lane[0], due_at=paused), *lane[1:])
    ours = bool(lane) and lane[0].due_at <= now and deliver.has_time(deadline)
    return replace(conversation, lane=lane, lease=Lease(holder, now + deliver.LEASE_SECONDS) if ours else None)


def _spoken(store: ConversationStore, saved: Conversation, now: float, holder: str, deadline: Deadline) -> Conversation:
    """The first delivery, if the store left time for it. Else the doorbell's function speaks: at once, or when the
    lease we took has run out (to give it back would take as long as the channel waits for its answer)."""
    ours = saved.lease is not None and saved.lease.holder == holder
    if ours and deliver.has_time(deadline):
        return deliver.deliver(store, saved, now, deadline)
    if ours or deliver.is_due(saved, now):
        doorbell.ring(store.account.id, saved.citizen, deliver.LEASE_SECONDS if ours else 0, deadline)
    return saved


def _replies(conversation: Conversation, inbound: Inbound) -> tuple[Entry, ...]:
    return memory.replies_to(conversation, keys.handled(inbound.id).hex()) or ()


def _repeated(
    stored: Conversation, inbound: Inbound, account: Account, now: float, holder: str, deadline: Deadline
) -> Answered:
    """The answer of the first time. Our own write whose confirmation was lost is delivered now, by its lease."""
    town = _town(account, stored, choose_town.STAY, deadline)
    store = ConversationStore(account, town.core["time_zone"])
    if stored.lease and stored.lease.holder == holder:
        stored = _spoken(store, stored, now, holder, deadline)
    elif channel(account.channel).PUSHES and deliver.is_due(stored, now):
        stored = deliver.deliver_lane(store, stored, now, holder, deadline)
    replies = memory.replies_to(stored, keys.handled(inbound.id).hex())
    if replies is None and not channel(account.channel).PUSHES:
        raise TooOld(inbound.id)
    return Answered(town, stored, replies or (), repeated=True)
