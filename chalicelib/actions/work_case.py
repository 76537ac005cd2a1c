"""What staff do with a case: take it, change it, note something, look at what is hidden. All of it is on record."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from secrets import token_hex
from typing import Any
from zoneinfo import ZoneInfo

from chalicelib.actions import change_case, notify, unseal
from chalicelib.actions.change_case import Superseded
from chalicelib.cases import lifecycle, notices
from chalicelib.cases.lifecycle import Event
from chalicelib.cases.working_time import is_working_day
from chalicelib.dialogue import words
from chalicelib.model import Case, Message, SalterError, Staff, Town, Voice
from chalicelib.storage import audit
from chalicelib.storage.audit import Act
from chalicelib.storage.cases import CaseStore
from chalicelib.storage.dynamo import Write
from chalicelib.wire import Deadline

DAYS_SHOWN_MAX = 8
# What a citizen typed or gave, in the order a page shows it.
WORDS = ("description", "question", "text")
REOPEN = "reopened"


@dataclass(frozen=True, slots=True)
class Changed:
    """What a member of staff filled in; empty = unchanged. `status` may be "reopened"."""

    status: str = ""
    office: str = ""
    awaiting_institution: str = ""
    public_note: str = ""


@dataclass(frozen=True, slots=True)
class Preview:
    """A notice before it leaves: its words, the voice they are in, and who gets it by which channel."""

    message: Message
    voice: Voice
    channel: str
    recipients: int


@dataclass(frozen=True, slots=True)
class Day:
    """One box of the strip of working days: `used`, `now`, `due`, `off`."""

    date: dt.date
    used: bool
    today: bool
    due: bool
    off: bool


class ChangedMeanwhile(SalterError):
    """Somebody changed the case after this person opened it. They look, then decide; their words are kept."""

    def __init__(self, case: Case) -> None:
        super().__init__(case.reference)
        self.case = case


def claim(town: Town, case: Case, person: Staff, now: float, deadline: Deadline) -> Case:
    """Take the case: it is in progress, and colleagues see who has it. Raises NotAllowed, Unavailable."""
    name = person.name or person.mail.partition("@")[0]
    begun = lifecycle.may(lifecycle.STAFF, case, "in_progress") and case.status == "received"
    event = Event(
        int(now), person.by, "in_progress" if begun else "", lifecycle.ASSIGNED, assignee=("staff", person.id, name)
    )
    return _changed(town, case, person, event, "claimed", now, deadline)


def release(town: Town, case: Case, person: Staff, now: float, deadline: Deadline) -> Case:
    """Give the case back to its office."""
    return _changed(town, case, person, Event(int(now), person.by, name=lifecycle.RELEASED), "released", now, deadline)


def change(
    town: Town, case: Case, person: Staff, wanted: Changed, opened_as: int, now: float, deadline: Deadline
) -> Case:
    """What was filled in, done. `opened_as`: the version the person was looking at.

    Raises NotAllowed (the graph says no), ChangedMeanwhile, Unavailable.
    """
    if opened_as and case.v != opened_as:
        raise ChangedMeanwhile(case)
    event = _event(wanted, person, now)
    return _changed(town, case, person, event, "changed", now, deadline, only=opened_as)


def note(town: Town, case: Case, person: Staff, text: str, now: float, deadline: Deadline) -> Case:
    """Something for colleagues alone."""
    return _changed(town, case, person, Event(int(now), person.by, note=text), "noted", now, deadline)


def preview(town: Town, case: Case, person: Staff, wanted: Changed, now: float, deadline: Deadline) -> Preview | None:
    """The exact words that `change` would send, and to how many; None if nobody would be told. Raises NotAllowed."""
    after = change_case.after(town, case, _event(wanted, person, now))
    say = notices.notice(after, town.core)
    if say is None:
        return None
    told = notify.notices_about(town, after, now, deadline)
    voice = told[0].voice if told else words.spoken(town, case.voice or town.default_voice)
    channel = told[0].account.channel if told else case.channel
    return Preview(words.message(say, town, voice, "", now), voice, channel, len(told))


def unmask(town: Town, case: Case, person: Staff, what: str, now: float, deadline: Deadline) -> str | None:
    """A value that pages hide, e.g. the applicant's phone or what stands sealed; None if there is none. The record is
    written first."""
    if what in case.sealed:
        return unseal.unseal(case, what, person.by, now, deadline)
    value = case.applicant.get(what)
    if value is None:
        return None
    act = Act(now, person.by, "unmasked", case.reference, {"what": what})
    audit.record(town.slug, act, token_hex(4), deadline)
    return str(value)


# --- what a page shows ------------------------------------------------------------------------------------------


def moves(case: Case) -> tuple[str, ...]:
    """The statuses a member of staff may give the case now."""
    reopening = (REOPEN,) if case.status in lifecycle.REOPENING.of else ()
    return (*(status for status in lifecycle.GRAPH if lifecycle.may(lifecycle.STAFF, case, status)), *reopening)


def words_of(town: Town, case: Case) -> list[tuple[str, Any]]:
    """The citizen's answers as (name, value), own words first; what is sealed is not among them."""
    known = [(name, case.fields[name]) for name in WORDS if case.fields.get(name)]
    rest = [(name, value) for name, value in case.fields.items() if name not in (*WORDS, "street_folded", "rating")]
    texts = town.texts[town.native_language]
    return [*known, *((name, _chosen(texts, name, value)) for name, value in rest)]


def _chosen(texts: Mapping[str, Any], name: str, value: Any) -> Any:
    """A choice as the citizen read it, a confirmation by its wording (`doc_statement.1`); anything else as it is."""
    wording = str(value).partition(".")[0] if str(value).startswith("doc_") else ""
    for key in (f"doc_{name}_{value}", f"{name}_{value}", wording):
        if isinstance(texts.get(key), str) and "{" not in texts[key]:
            return texts[key]
    return value


def days_of(town: Town, case: Case, now: float) -> tuple[Day, ...]:
    """The days from receipt to the deadline, for a strip of boxes; of a long time the next ones."""
    if not case.due_at or not lifecycle.is_open(case):
        return ()
    zone = ZoneInfo(town.core["time_zone"])
    first, due, today = (dt.datetime.fromtimestamp(at, zone).date() for at in (case.created_at, case.due_at, now))
    if (max(due, today) - first).days >= DAYS_SHOWN_MAX:
        first = max(first, min(today, due) - dt.timedelta(days=1))
    count = min(DAYS_SHOWN_MAX, (max(due, today) - first).days + 1)
    dates = [first + dt.timedelta(days=ahead) for ahead in range(count)]
    closed = town.core["closed"]
    return tuple(Day(day, day < today, day == today, day == due, not is_working_day(closed, day)) for day in dates)


# --- parts ------------------------------------------------------------------------------------------------------


def _event(wanted: Changed, person: Staff, now: float) -> Event:
    reopening = wanted.status == REOPEN
    return Event(
        at=int(now),
        by=person.by,
        status="" if reopening else wanted.status,
        name=lifecycle.REOPENED if reopening else "",
        public_note=wanted.public_note,
        office=wanted.office,
        awaiting_institution=wanted.awaiting_institution,
        forwarded_to=wanted.office if wanted.status == "forwarded" else "",
    )


def _changed(
    town: Town,
    case: Case,
    person: Staff,
    event: Event,
    what: str,
    now: float,
    deadline: Deadline,
    only: int = 0,
) -> Case:
    """The one way to change: event, notices and the record of who did it in one commit. `only`: from this version."""
    act = Act(now, person.by, what, case.reference, {"status": event.status} if event.status else {})

    def beside(changed: Case) -> Sequence[Write]:
        return [audit.item(town.slug, act, token_hex(4))]

    try:
        return change_case.change_case(
            town, case.reference, event, now, token_hex(4), deadline, beside, lambda: not only, only=only
        )
    except Superseded as superseded:
        current = CaseStore(town.slug).load_whole(case.reference, deadline)
        raise ChangedMeanwhile(current or case) from superseded
