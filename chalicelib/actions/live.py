"""Chats as the town's operators see them: who waits and how long, what was said, what can be said at once."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from secrets import token_hex

from chalicelib.actions import change_case, reply_as_operator
from chalicelib.cases.lifecycle import Event
from chalicelib.dialogue import words
from chalicelib.model import CITIZEN, OPERATOR, Case, Entry, Line, Refused, Staff, Town, Voice
from chalicelib.patterns import pattern
from chalicelib.small_classes import dataclass, replace
from chalicelib.storage import audit, keys, staff, thread
from chalicelib.storage.audit import Act
from chalicelib.storage.cases import CaseStore
from chalicelib.wire import Deadline

KIND = "chat"
QUEUE_SHOWN_MAX = 60
OWN_CASES_SHOWN_MAX = 4
LONG_WAIT_SECONDS = 5 * 60
ROLES = ("operator", "admin")
READY, OWN_READY = "operator_ready_", "ready_own_"
WAITS, ASKS, TALKS = "waits", "asks", "talks"
_PERSON = pattern(r"[0-9a-f]{32}")


@dataclass(frozen=True, slots=True)
class Row:
    """One chat of the queue, with how many minutes it has been so. `state`: waits (nobody has it), asks (its citizen
    spoke last), talks."""

    case: Case
    state: str
    since: int
    minutes: int

    @property
    def channel(self) -> str:
        return self.case.owner.account.partition(":")[0] if self.case.owner else ""

    @property
    def is_long(self) -> bool:
        return self.state != TALKS and self.minutes * 60 >= LONG_WAIT_SECONDS


@dataclass(frozen=True, slots=True)
class Said:
    """One entry of a thread in words. `by`: citizen, operator, bot."""

    seq: int
    at: int
    by: str
    text: str
    voice: Voice | None


def queue(town: Town, now: float, deadline: Deadline) -> tuple[Row, ...]:
    """Open chats: those nobody has first, then those whose citizen waits for an answer, the longest first. One read."""
    chats = CaseStore(town.slug).listed_apart(KIND, QUEUE_SHOWN_MAX, deadline)
    order = (WAITS, ASKS, TALKS)
    return tuple(sorted((_row(case, now) for case in chats), key=lambda row: (order.index(row.state), row.since)))


def mark(rows: Sequence[Row]) -> str:
    """A word that changes whenever what the queue shows does."""
    shown = [(row.case.reference, row.state, row.minutes, row.case.assignee) for row in rows]
    return hashlib.blake2b(repr(shown).encode(), digest_size=8).hexdigest()


def chat(town: Town, reference: str, deadline: Deadline) -> Case | None:
    """The chat of a reference."""
    case = CaseStore(town.slug).load(reference, deadline)
    return case if case and case.kind == KIND else None


def person_of(case: Case) -> str:
    """Under which the thread of a chat stands; "" for a chat whose citizen is gone."""
    return keys.person(case.owner.account, case.owner.citizen) if case.owner else ""


def is_person(written: str) -> bool:
    """Whether a thread could stand under this."""
    return bool(_PERSON.fullmatch(written))


def said(town: Town, person: str, after: int, now: float, deadline: Deadline) -> tuple[Said, ...]:
    """What was said since entry `after`, as it was read; one read."""
    if not is_person(person):
        return ()
    entries = thread.since(town.slug, person, after, now, deadline)
    return tuple(_said(entry, town) for entry in entries if entry.text or entry.say)


def ready(town: Town, case: Case, told: Sequence[Said]) -> tuple[Voice, tuple[str, ...]]:
    """How the citizen is spoken to, and ready replies in that language and script: the town's own, then ours."""
    voice = next((one.voice for one in reversed(told) if one.voice), None) or case.voice or town.default_voice
    voice = words.spoken(town, voice)
    known = [key for key in town.texts[voice.language] if key.startswith((READY, OWN_READY))]
    known.sort(key=lambda key: (not key.startswith(OWN_READY), key))
    return voice, tuple(words.line(Line(key), town, voice) for key in known)


def others(town: Town, case: Case, deadline: Deadline) -> tuple[Case, ...]:
    """What else the citizen of a chat has open here."""
    person = person_of(case)
    own = CaseStore(town.slug).own(person, deadline, OWN_CASES_SHOWN_MAX + 1) if person else ()
    return tuple(one for one in own if one.reference != case.reference)[:OWN_CASES_SHOWN_MAX]


def colleagues(town: Town, person: Staff, deadline: Deadline) -> tuple[Staff, ...]:
    """Who else may answer chats."""
    everybody = staff.all_of(town.slug, deadline)
    return tuple(one for one in everybody if one.role in ROLES and not one.disabled and one.id != person.id)


def named(person: Staff) -> Staff:
    """Somebody as colleagues read of them, who may not have given a name."""
    return person if person.name else replace(person, name=person.mail.partition("@")[0])


def close(town: Town, case: Case, person: Staff, now: float, deadline: Deadline) -> None:
    """The chat is over. One whose citizen has left is closed without a word to them."""
    try:
        reply_as_operator.close(town, case.reference, person, now, token_hex(4), deadline)
    except Refused as refused:
        if refused.code != "gone":
            raise
        _closed_alone(town, case, person, now, deadline)


def record(town: Town, case: Case, person: Staff, what: str, now: float, deadline: Deadline) -> None:
    """That somebody took, handed on or closed a chat, among the acts of the town's staff."""
    audit.record(town.slug, Act(now, person.by, what, case.reference), token_hex(4), deadline)


# --- parts ------------------------------------------------------------------------------------------------------


def _closed_alone(town: Town, case: Case, person: Staff, now: float, deadline: Deadline) -> None:
    event = Event(int(now), person.by, status="resolved")
    change_case.change_case(town, case.reference, event, now, token_hex(4), deadline)


def _row(case: Case, now: float) -> Row:
    asks = case.fields.get("last_from") != OPERATOR
    state = WAITS if not case.assignee else ASKS if asks else TALKS
    since = case.created_at if state == WAITS else case.updated_at
    return Row(case, state, since, max(0, int(now - since) // 60))


def _said(entry: Entry, town: Town) -> Said:
    if entry.origin == CITIZEN or entry.say is None:
        return Said(entry.seq, entry.at, entry.origin, entry.text, None)
    voice = entry.voice or town.default_voice
    message = words.message(entry.say, town, voice, "", entry.at, entry.origin)
    return Said(entry.seq, entry.at, entry.origin, message.text, words.spoken(town, voice))
