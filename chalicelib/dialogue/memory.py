"""What a conversation remembers after a turn: log, counters, voice, what is now owed. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from chalicelib.dialogue.forms import private_names, sealed_names
from chalicelib.model import CITIZEN, HIDDEN, Conversation, Entry, Inbound, Owed, Say, Told, Turn, Voice
from chalicelib.patterns import pattern
from chalicelib.small_classes import replace
from chalicelib.understanding.entities.numbers import hide_personal_numbers

LOG_TURNS_KEPT = 10
LOG_TEXT_CHARS_MAX = 300
COUNT_DAYS_KEPT = 3
SESSION_SECONDS = 86400  # Viber: messages are free for 24 h after the citizen's first one
PUTTING_OFF_MAX = 4  # so often the quiet window of a case's news begins anew, then they go out whatever comes
TOGETHER_MAX = 8  # news of one case that wait together; with the last they go out
SILENCE_SECONDS = 86400  # after which a message begins another conversation
ERASED = "erased"
KEPT_THROUGH_ERASING = ("blocked", "tester", "uncounted")
DETAILS = frozenset(("aid_details", "aid_details_other"))  # texts that tell a volunteer about a person
_FIGURE = pattern(r"\d")
APPENDED = "!"  # marks an entry that no citizen's message caused


def after_turn(
    conversation: Conversation, inbound: Inbound, mark: str, turn: Turn, now: float, day: str, *, push: bool
) -> Conversation:
    """The conversation after `turn` answered `inbound`; with `push` what was said is owed in the lane.

    `mark` names the inbound in the log, `day` is the town's date.
    """
    text = HIDDEN if turn.hides and inbound.kind in ("text", "link") else kept_text(conversation, inbound)
    asked = Entry(conversation.seq + 1, int(now), CITIZEN, mark, text)
    said = tuple(
        Entry(asked.seq + number, int(now), "bot", "", say=say, voice=turn.voice)
        for number, say in enumerate(turn.says, 1)
    )
    owed = (
        tuple(Owed(entry.seq, say, turn.voice, now) for entry, say in zip(said, turn.says, strict=True)) if push else ()
    )
    begun = ("begun",) if now - conversation.last_at > SILENCE_SECONDS else ()
    counted = _counted(conversation.counts, day, ("in", *begun, *turn.counts, *("out",) * len(said)))
    log = _trimmed((*_before(conversation, turn), asked, *said))
    after = replace(
        conversation,
        seq=asked.seq + len(said),
        voice=turn.voice,
        voice_chosen=turn.voice_chosen,
        state=turn.state,
        sealed={name: conversation.sealed[name] for name in sealed_names(turn.state) & set(conversation.sealed)},
        opened=_opened(conversation, turn),
        log=log,
        told=_awaited(conversation, log[0].seq) if conversation.told else (),
        lane=(*released(conversation.lane), *owed),
        counts=counted,
        subscribed=True,
        session_until=conversation.session_until if conversation.session_until > now else int(now) + SESSION_SECONDS,
        started_at=conversation.started_at or int(now),
        last_at=int(now),
    )
    return emptied(after, len(said)) if turn.state.get(ERASED) else after


def _awaited(conversation: Conversation, oldest: int) -> tuple[Told, ...]:
    """The notices whose receipts are still waited for: not those that so much was said after that the log of their town
    begins later."""
    return tuple(told for told in conversation.told if told.town != conversation.town or told.seq >= oldest)


def _opened(conversation: Conversation, turn: Turn) -> dict[str, str]:
    known = {**conversation.opened, **turn.secrets}
    return {name: known[name] for name in private_names(turn.state) if name in known} if known else {}


def _before(conversation: Conversation, turn: Turn) -> tuple[Entry, ...]:
    """The log before this turn: without what is no longer this citizen's business, and without words that this turn
    took for a private answer (those said before the button of a form was pressed)."""
    log = without_details(conversation.log, turn.forgets)
    if not (turn.hides and turn.secrets):
        return log
    private = [_plain(said)[:LOG_TEXT_CHARS_MAX] for said in turn.secrets.values() if said]
    return tuple(
        entry.but(text=HIDDEN) if any(said in _plain(entry.text) for said in private) else entry for entry in log
    )


def _plain(text: str) -> str:
    return " ".join(text.split())


def released(lane: tuple[Owed, ...]) -> tuple[Owed, ...]:
    """The lane once the citizen has written and messages are free: what was held goes out, in its turn.

    It is due since ever, which tells that consent is to be looked at again.
    """
    return tuple(replace(owed, held=False, due_at=0.0) if owed.held else owed for owed in lane)


def begun_anew(conversation: Conversation) -> Conversation:
    """What a citizen whose data was erased comes back to: nothing but whether they are blocked, or let into a trial."""
    if not conversation.state.get(ERASED):
        return conversation
    kept = {name: value for name, value in conversation.state.items() if name in KEPT_THROUGH_ERASING}
    return replace(conversation, state=kept, voice_chosen=False)


def erased(state: Mapping[str, Any], now: float) -> dict[str, Any]:
    """The memory of a conversation that is to be forgotten."""
    return {name: value for name, value in state.items() if name in KEPT_THROUGH_ERASING} | {ERASED: int(now)}


def emptied(conversation: Conversation, said: int) -> Conversation:
    """The conversation of a turn that erases it: only the last words of that turn stay, for a day, so that a repeat
    of the same message is answered alike. Nothing owed before goes out, and nobody may write here first any more. What
    other towns of the same bot owe is theirs and stays."""
    last = conversation.log[-1 - said :]
    wanted = {entry.seq for entry in last} | {owed.seq for owed in conversation.lane if owed.town}
    return replace(
        conversation,
        log=last,
        lane=tuple(owed for owed in conversation.lane if owed.seq in wanted),
        sealed={},
        opened={},
        parked=0,
        told=tuple(told for told in conversation.told if told.town != conversation.town),
        counts={},
        subscribed=False,
        session_until=0,
        started_at=0,
    )


def appended(
    conversation: Conversation, say: Say, voice: Voice, origin: str, now: float, *, push: bool, quiet: float = 0.0
) -> Conversation:
    """The conversation after somebody else than the dialogue said something: a notice, an operator's words.

    `quiet`: for so many seconds it waits for more news of its case; 0: it goes out at once, after what waited of it.
    """
    entry = Entry(conversation.seq + 1, int(now), origin, APPENDED, say=say, voice=voice)
    return replace(
        conversation,
        seq=entry.seq,
        log=_trimmed((*conversation.log, entry)),
        lane=_lane_with(conversation.lane, Owed(entry.seq, say, voice, now), quiet) if push else conversation.lane,
    )


def _lane_with(lane: tuple[Owed, ...], new: Owed, quiet: float) -> tuple[Owed, ...]:
    """The lane with `new` at its end. News of one case wait together: each puts the others off, as long as there are
    few; what cannot wait takes along what does."""
    waiting = [owed for owed in lane if owed.held and owed.due_at and owed.say.case == new.say.case]
    until = new.due_at + quiet
    if len(waiting) >= PUTTING_OFF_MAX:
        until = min(until, waiting[-1].due_at)
    if len(waiting) >= TOGETHER_MAX - 1:
        until = new.due_at
    alike = {owed.seq for owed in waiting}
    put_off = tuple(replace(owed, due_at=until) if owed.seq in alike else owed for owed in lane)
    return (*put_off, replace(new, due_at=until, held=quiet > 0))


def without_details(log: tuple[Entry, ...], case: str) -> tuple[Entry, ...]:
    """The log without what was told of somebody else under this case: name, phone, address."""
    if not case:
        return log
    return tuple(entry.but(say=_discreet(entry.say)) if _tells(entry.say, case) else entry for entry in log)


def _tells(say: Say | None, case: str) -> bool:
    return say is not None and any(line.args.get("case_no") == case for line in say.lines)


def _discreet(say: Say | None) -> Say | None:
    return say and replace(say, lines=tuple(line for line in say.lines if line.key not in DETAILS))


def replies_to(conversation: Conversation, mark: str) -> tuple[Entry, ...] | None:
    """What was answered to a handled inbound, as far as the log still knows; None when it does not."""
    replies: list[Entry] = []
    for entry in reversed(conversation.log):
        if entry.origin != CITIZEN:
            replies.append(entry)
        elif entry.turn == mark:
            return tuple(entry for entry in reversed(replies) if entry.turn != APPENDED)
        else:
            replies.clear()
    return None


def without_numbers(conversation: Conversation, text: str) -> tuple[str, tuple[str, ...]]:
    """What a citizen wrote with personal numbers masked, and their digits; stricter where one was just asked for."""
    if not _FIGURE.search(text):
        return text, ()
    last = next((at for at, entry in enumerate(reversed(conversation.log)) if entry.origin == CITIZEN), 0)
    since = conversation.log[len(conversation.log) - last :] if last else conversation.log
    asked = any(entry.say is not None and entry.say.ask == "personal_number" for entry in since)
    return hide_personal_numbers(text, asked=asked)


def kept_text(conversation: Conversation, inbound: Inbound) -> str:
    """What is kept of a message's words, whoever may read them later."""
    text = inbound.text if inbound.kind in ("text", "link") else f"[{inbound.choice or inbound.kind}]"
    return without_numbers(conversation, text)[0][:LOG_TEXT_CHARS_MAX]


def _trimmed(log: tuple[Entry, ...]) -> tuple[Entry, ...]:
    """The last ten turns and whatever stands between them."""
    starts = [position for position, entry in enumerate(log) if entry.origin == CITIZEN]
    if len(starts) > LOG_TURNS_KEPT:
        return log[starts[-LOG_TURNS_KEPT] :]
    return log[-5 * LOG_TURNS_KEPT :]


def _counted(
    counts: Mapping[str, Mapping[str, int]], day: str, names: tuple[str, ...]
) -> Mapping[str, Mapping[str, int]]:
    today = dict(counts.get(day, {}))
    for name in names:
        today[name] = today.get(name, 0) + 1
    kept = sorted({*counts, day})[-COUNT_DAYS_KEPT:]
    return {date: today if date == day else counts[date] for date in kept}
