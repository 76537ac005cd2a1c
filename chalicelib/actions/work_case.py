"""What staff do with a case: take it, change it, note something, look at what is hidden. All of it is on record."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from secrets import token_hex
from zoneinfo import ZoneInfo

from chalicelib.actions import change_case, deliver, notify, unseal
from chalicelib.actions.change_case import Superseded
from chalicelib.actions.notify import Notice
from chalicelib.cases import deadlines, lifecycle, notices, routing
from chalicelib.cases.lifecycle import Event, NotAllowed
from chalicelib.cases.working_time import is_working_day
from chalicelib.days import day_in
from chalicelib.dialogue import words
from chalicelib.model import Case, Line, Message, SalterError, Say, Staff, Town, Voice
from chalicelib.small_classes import dataclass
from chalicelib.storage import audit
from chalicelib.storage.audit import Act
from chalicelib.storage.cases import CaseStore
from chalicelib.storage.dynamo import Write
from chalicelib.wire import Deadline

DAYS_SHOWN_MAX = 8
REOPEN = "reopened"
ELSEWHERE = "elsewhere"  # dismissed, because another body is competent
REASONED = ("rejected", "dismissed", "discontinued")  # a citizen is told why
ENDINGS = (*REASONED, ELSEWHERE, "withdrawn")
DEADLINE_MOVED = "deadline"
DEADLINE_DAYS_MAX = 400


@dataclass(frozen=True, slots=True)
class Changed:
    """What a member of staff filled in; empty = unchanged. `status` may be "reopened", or "elsewhere" for a case that
    is dismissed because `competent` is another body."""

    status: str = ""
    office: str = ""
    awaiting_institution: str = ""
    public_note: str = ""
    competent: str = ""

    @property
    def ends(self) -> bool:
        """Whether it closes the case without what was asked for."""
        return self.status in ENDINGS or bool(self.competent)


@dataclass(frozen=True, slots=True)
class Price:
    """What the recipients of a notice cost, by number: on the web nothing; on Viber nothing within the open session
    (of the one that ends first: `until`, epoch seconds), else one paid message each, which waits where the town holds
    such messages back (`held`), else leaves once the case was `quiet` for so many minutes. `each`: the town's price of
    one, (amount, currency), if it is known."""

    web: int = 0
    free: int = 0
    until: int = 0
    paid: int = 0
    held: bool = False
    quiet: int = 0
    each: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Preview:
    """A notice before it leaves: its words, the voice they are in, who gets it by which channel, what it costs."""

    message: Message
    voice: Voice
    channel: str
    recipients: int
    price: Price


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
    if wanted.status in REASONED and not wanted.public_note:
        raise NotAllowed("reason_missing", "Say why.", "public_note")
    if wanted.status == ELSEWHERE and not wanted.competent:
        raise NotAllowed("competent_missing", "Say who is competent.", "competent")
    event = _event(town, case, wanted, person, now)
    return _changed(town, case, person, event, "changed", now, deadline, only=opened_as)


def note(town: Town, case: Case, person: Staff, text: str, now: float, deadline: Deadline) -> Case:
    """Something for colleagues alone."""
    return _changed(town, case, person, Event(int(now), person.by, note=text), "noted", now, deadline)


def called(town: Town, case: Case, person: Staff, now: float, deadline: Deadline) -> Case:
    """The citizen was told by telephone."""
    return _changed(
        town, case, person, Event(int(now), person.by, name=lifecycle.CALLED), lifecycle.CALLED, now, deadline
    )


def preview(town: Town, case: Case, person: Staff, wanted: Changed, now: float, deadline: Deadline) -> Preview | None:
    """The exact words that `change` would send, and to how many; None if nobody would be told. Raises NotAllowed."""
    after = change_case.after(town, case, _event(town, case, wanted, person, now))
    say = notices.notice(after, town.core)
    if say is None:
        return None
    told = notify.notices_about(town, after, now, deadline)
    voice = told[0].voice if told else words.spoken(town, case.voice or town.default_voice)
    channel = told[0].account.channel if told else case.channel
    return Preview(words.message(say, town, voice, "", now), voice, channel, len(told), _price(town, say, told, now))


def _price(town: Town, say: Say, told: Sequence[Notice], now: float) -> Price:
    """Viber charges for the first message outside a session of 24 hours, which a citizen's own message opens."""
    viber = [notice.conversation.session_until for notice in told if notice.account.channel == "viber"]
    ends = [until for until in viber if until > now]
    said = town.core["viber"]
    price = said.get("price")
    return Price(
        web=len(told) - len(viber),
        free=len(ends),
        until=min(ends, default=0),
        paid=len(viber) - len(ends),
        held=said.get("notices") == deliver.IN_SESSION,
        quiet=int(said.get("quiet_minutes", 0)) if notices.may_wait(say) else 0,
        each=(str(price["amount"]), str(price["currency"])) if price else None,
    )


def complete(town: Town, case: Case, person: Staff, now: float, deadline: Deadline) -> Case:
    """The request holds all that is needed: where the town says so, its term starts now and the citizen is told."""
    return _changed(
        town, case, person, Event(int(now), person.by, name=lifecycle.VALIDATED), "validated", now, deadline
    )


def assign(town: Town, case: Case, person: Staff, to: Staff, now: float, deadline: Deadline) -> Case:
    """Give the case to a colleague. Raises Unavailable."""
    name = to.name or to.mail.partition("@")[0]
    event = Event(int(now), person.by, name=lifecycle.ASSIGNED, assignee=("staff", to.id, name), note=name)
    return _changed(town, case, person, event, "assigned", now, deadline)


def move_deadline(
    town: Town, case: Case, person: Staff, local: str, reason: str, opened_as: int, now: float, deadline: Deadline
) -> Case:
    """Another deadline, `local` in the town's time (`2026-03-10T15:30`). Raises NotAllowed, ChangedMeanwhile."""
    if not lifecycle.is_open(case):
        raise NotAllowed("transition_not_allowed", "A closed case has no deadline.", "due")
    try:
        due = dt.datetime.fromisoformat(local).replace(tzinfo=ZoneInfo(town.core["time_zone"])).timestamp()
    except ValueError as error:
        raise NotAllowed("bad_deadline", "Give a day and an hour.", "due") from error
    if not now < due <= now + DEADLINE_DAYS_MAX * 86400:
        raise NotAllowed("bad_deadline", f"Between now and {DEADLINE_DAYS_MAX} days from now.", "due")
    if not reason:
        raise NotAllowed("reason_missing", "Say why.", "reason")
    if opened_as and case.v != opened_as:
        raise ChangedMeanwhile(case)
    event = Event(int(now), person.by, name=DEADLINE_MOVED, note=reason, due_at=int(due))
    return _changed(town, case, person, event, "deadline_moved", now, deadline, only=opened_as)


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


def may_be_completed(town: Town, case: Case) -> bool:
    """Whether it makes sense to say that the request is complete: once, for a document or where the term waits."""
    term = routing.route(town.core, case.kind, case.category).term
    waits = term is not None and term.starts == deadlines.VALIDATION
    done = any(entry.event == lifecycle.VALIDATED for entry in case.history)
    return lifecycle.is_open(case) and not done and (waits or case.kind == "document")


def days_of(town: Town, case: Case, now: float) -> tuple[Day, ...]:
    """The days from receipt to the deadline, for a strip of boxes; of a long time the next ones."""
    if not case.due_at or not lifecycle.is_open(case):
        return ()
    first, due, today = (day_in(town.core["time_zone"], at) for at in (case.created_at, case.due_at, now))
    if (max(due, today) - first).days >= DAYS_SHOWN_MAX:
        first = max(first, min(today, due) - dt.timedelta(days=1))
    count = min(DAYS_SHOWN_MAX, (max(due, today) - first).days + 1)
    dates = [first + dt.timedelta(days=ahead) for ahead in range(count)]
    closed = town.core["closed"]
    return tuple(Day(day, day < today, day == today, day == due, not is_working_day(closed, day)) for day in dates)


# --- parts ------------------------------------------------------------------------------------------------------


def _event(town: Town, case: Case, wanted: Changed, person: Staff, now: float) -> Event:
    reopening = wanted.status == REOPEN
    elsewhere = wanted.status == ELSEWHERE
    return Event(
        at=int(now),
        by=person.by,
        status="" if reopening else "dismissed" if elsewhere else wanted.status,
        name=lifecycle.REOPENED if reopening else "",
        public_note=_not_ours(town, case, wanted) if elsewhere else wanted.public_note,
        office=wanted.office,
        awaiting_institution=wanted.awaiting_institution,
        forwarded_to=wanted.office if wanted.status == "forwarded" else "",
    )


def _not_ours(town: Town, case: Case, wanted: Changed) -> str:
    """That the town is not competent and who is, in the citizen's language, before what staff add."""
    voice = words.spoken(town, case.voice or town.default_voice)
    body = notices.unit(town.core, wanted.competent)
    named = words.line(body, town, voice) if isinstance(body, Line) else body
    ours, whose = (words.line(Line(key), town, voice) for key in ("not_ours", "sheet_competent"))
    said = f"{ours} {whose}: {named}."
    return f"{said}\n{wanted.public_note}".strip()


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
