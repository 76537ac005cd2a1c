"""What deadlines do, minute by minute: the day's digest to every office, reminders, escalations, the word of a breach.

A town costs one query a minute: open cases whose deadline comes soon, by the index `open`. What was done stands in the
case's history in the same transaction as its e-mails and notices, so that nothing is done twice and nothing half.
Overdue cases already told of are not read again: the town's watch remembers until when all is done.
"""

from __future__ import annotations

import hashlib
import time
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from secrets import token_hex
from typing import Any

from chalicelib.actions import known, notify, remind_staff, second_way, tell_systems, work_outbox
from chalicelib.actions.find_officials import heads, officials
from chalicelib.actions.journal import log
from chalicelib.actions.notify import Notice
from chalicelib.actions.word_reminders import about, about_in_chat, digest, digest_in_chat
from chalicelib.cases import lifecycle, watching
from chalicelib.cases.lifecycle import Event
from chalicelib.model import Case, Conflict, Staff, Town
from chalicelib.small_classes import dataclass
from chalicelib.storage import dynamo, outbox, tenants, watches
from chalicelib.storage.cases import CaseStore
from chalicelib.storage.dynamo import Duplicate, Write
from chalicelib.storage.staff import all_of
from chalicelib.wire import Deadline

WATCH_SECONDS = 15.0
SECONDS_NEEDED = 2.0  # to begin another case or town; what is left undone is the next minute's
CASES_AT_ONCE = 100
DIGEST_CASES_MAX = 500
OVERLAP_SECONDS = 3600  # looked at again: an index may lag, and a watch is written down once an hour
KEPT_SECONDS = 600.0  # what is known of a town's calendar and hours
CALENDARS_KEPT_MAX = 2000
_CALENDAR = ("time_zone", "closed", "offices")


@dataclass(slots=True)
class _Kept:
    calendar: Mapping[str, Any]
    until: float


_calendars: OrderedDict[str, _Kept] = OrderedDict()
_watches: dict[str, watches.Watch] = {}


def watch_deadlines(now: float, seconds: float = WATCH_SECONDS) -> int:
    """Look at every town, each minute another one first. How many e-mails and notes of a deadline were caused."""
    deadline = Deadline(seconds)
    slugs = tenants.published(deadline)
    first = int(now // 60) % len(slugs) if slugs else 0
    caused = 0
    for slug in (*slugs[first:], *slugs[:first]):
        if deadline.left() < SECONDS_NEEDED:
            log.warning("deadlines_unfinished", tenant=slug)
            break
        try:
            caused += watch_town(slug, now, deadline)
        except Exception as error:  # a bug or a town's odd hours: the other towns' deadlines do not wait for it
            log.error("deadlines_failed", tenant=slug, error=type(error).__name__)
    return caused


def watch_town(slug: str, now: float, deadline: Deadline) -> int:
    """What one town's deadlines ask for now."""
    calendar = _calendar(slug, deadline)
    if calendar is None:
        return 0
    watch = _watches.get(slug) or watches.load(slug, deadline)
    _watches[slug] = watch
    return _digests(slug, calendar, watch, now, deadline) + _stages(slug, calendar, now, deadline)


def forget() -> None:
    """Drop what a warm process keeps; the next look reads again."""
    _calendars.clear()
    _watches.clear()


# --- reminders, escalations, breaches ---------------------------------------------------------------------------


def _stages(slug: str, calendar: Mapping[str, Any], now: float, deadline: Deadline) -> int:
    """Every open case whose deadline asks for something; the watch moves on once all of them had it."""
    watch, caused, complete, staff = _watches[slug], 0, True, None
    start = max(0, min(watch.until, int(now)) - OVERLAP_SECONDS)
    for seen in _due_between(slug, start, watching.horizon(calendar, now), deadline):
        if watching.stage(seen, calendar, now) is None:
            continue
        town = known.town(slug, deadline)
        if town is None or deadline.left() < SECONDS_NEEDED:
            return caused
        staff = all_of(slug, deadline) if staff is None else staff
        done = _marked(town, seen.reference, staff, now, deadline)
        caused, complete = caused + (done or 0), complete and done is not None
    if complete:
        _moved_on(slug, watch, now, deadline)
    return caused


def _marked(town: Town, reference: str, staff: Sequence[Staff], now: float, deadline: Deadline) -> int | None:
    """1 if something was caused, 0 if nothing is asked for any more, None if the next minute has to look again."""
    try:
        return _mark(town, reference, staff, now, deadline)
    except Conflict:  # somebody changed the case meanwhile
        return None
    except Exception as error:  # one case must not keep the others waiting
        log.error("deadline_failed", tenant=town.slug, error=type(error).__name__)
        return None


def _mark(town: Town, reference: str, staff: Sequence[Staff], now: float, deadline: Deadline) -> int:
    """Write down what the deadline asked for, with the e-mails and notices about it, all or nothing."""
    store = tell_systems.cases(town)
    case = store.load(reference, deadline)
    stage = watching.stage(case, town.core, now) if case else None
    if case is None or stage is None:
        return 0
    changed = lifecycle.change(case, Event(int(now), lifecycle.SYSTEM, name=stage))
    notes = notify.notices_about(town, changed, now, deadline)
    readers = _readers(staff, changed, stage, watching.today(town.core, now).isoformat())
    mails = tuple(
        outbox.write(town.slug, "email", about(town, reader, changed, stage), now) for reader in readers.values()
    )
    elsewhere = second_way.at_change(town, changed, any(note.about for note in notes), now, deadline)
    said = partial(about_in_chat, town, changed, stage)
    notes += remind_staff.notices(town, readers.values(), said, notes, now, deadline)
    store.save(changed, deadline, [*notify.items(notes, now), *mails, *elsewhere])
    if not readers:
        log.warning("nobody_to_remind", tenant=town.slug, where=changed.office)
    work_outbox.ring((*mails, *elsewhere, *store.owed(changed)), now, deadline)
    notify.send(notes, now, token_hex(4), deadline)
    return 1


def _readers(staff: Sequence[Staff], case: Case, stage: str, today: str) -> Mapping[str, Staff]:
    """The officials are reminded, the head is told before the breach, both of the breach itself."""
    told = [] if stage == lifecycle.REMINDED else [*heads(staff, case, today)]
    if stage != lifecycle.ESCALATED:
        told += officials(staff, case, today)
    return {reader.mail: reader for reader in told}


def _due_between(slug: str, start: int, end: int, deadline: Deadline) -> Iterator[Case]:
    """Open cases by their deadline, page after page."""
    cursor = ""
    while True:
        found = CaseStore(slug).due_between(start, end, CASES_AT_ONCE, deadline, cursor)
        yield from found.cases
        if found.cursor is None:
            return
        cursor = found.cursor


def _moved_on(slug: str, watch: watches.Watch, now: float, deadline: Deadline) -> None:
    """All that was due by now had what it asked for; written down once an hour, for the next cold start."""
    moved = watches.Watch(int(now), watch.digest_day)
    if abs(now - watch.saved_until) >= OVERLAP_SECONDS:
        moved = watches.save(slug, moved, deadline)
    else:
        moved = watches.Watch(moved.until, moved.digest_day, watch.saved_until)
    _watches[slug] = moved


# --- the day's digest -------------------------------------------------------------------------------------------


def _digests(slug: str, calendar: Mapping[str, Any], watch: watches.Watch, now: float, deadline: Deadline) -> int:
    """One e-mail a working day to everybody whose offices have something due or overdue."""
    day = watching.today(calendar, now).isoformat()
    if watch.digest_day == day or not watching.is_digest_time(calendar, now):
        return 0
    stored = watches.load(slug, deadline)  # another process may have sent it
    town = known.town(slug, deadline)
    if stored.digest_day != day and town is not None:
        until = watching.digest_until(calendar, now)
        caused = _send_digests(town, day, until, now, deadline)
        stored = watches.save(slug, watches.Watch(stored.until, day), deadline)
    else:
        caused = 0
    _watches[slug] = watches.Watch(watch.until, stored.digest_day, stored.saved_until)
    return caused


def _send_digests(town: Town, day: str, until: int, now: float, deadline: Deadline) -> int:
    cases = []
    for case in _due_between(town.slug, 0, until, deadline):
        cases.append(case)
        if len(cases) >= DIGEST_CASES_MAX:
            break
    staff, having, readers = all_of(town.slug, deadline) if cases else (), dict[str, list[Case]](), {}
    for case in cases:
        for reader in officials(staff, case, day):
            having.setdefault(reader.mail, []).append(case)
            readers[reader.mail] = reader
    return sum(_send(town, readers[mail], own, day, until, now, deadline) for mail, own in having.items())


def _send(
    town: Town, reader: Staff, cases: Sequence[Case], day: str, until: int, now: float, deadline: Deadline
) -> int:
    """One digest, in their chat, too; its row is named by day and reader, so that there is never a second one."""
    row = f"digest-{day}-{hashlib.blake2b(reader.mail.encode(), digest_size=8).hexdigest()}"
    mail: Write = outbox.write(town.slug, "email", digest(town, reader, cases, until, now), now, row=row)
    said = partial(digest_in_chat, town, cases, until, now)
    notes = remind_staff.notices(town, [reader], said, (), now, deadline)
    try:
        notes = _kept(mail, notes, now, deadline)
    except Duplicate:
        return 0
    work_outbox.ring((mail,), now, deadline)
    notify.send(notes, now, token_hex(4), deadline)
    return 1


def _kept(mail: Write, notes: tuple[Notice, ...], now: float, deadline: Deadline) -> tuple[Notice, ...]:
    """What of the words in a chat was written with the e-mail: none where the chat changes at this very moment, for the
    e-mail says the same. Raises Duplicate if it is there already."""
    try:
        dynamo.transact([mail, *notify.items(notes, now)], deadline)
        return notes
    except Conflict:
        if not notes:
            raise
    dynamo.transact([mail], deadline)
    return ()


def _calendar(slug: str, deadline: Deadline) -> Mapping[str, Any] | None:
    """What the clock needs of a town, kept for ten minutes, so that hundreds of towns need not be read every minute."""
    kept = _calendars.get(slug)
    if kept and kept.until > time.monotonic():
        return kept.calendar
    core = tenants.core(slug, deadline)
    if core is None:
        return None
    _calendars[slug] = _Kept({name: core[name] for name in _CALENDAR}, time.monotonic() + KEPT_SECONDS)
    _calendars.move_to_end(slug)
    while len(_calendars) > CALENDARS_KEPT_MAX:
        _calendars.popitem(last=False)
    return _calendars[slug].calendar
