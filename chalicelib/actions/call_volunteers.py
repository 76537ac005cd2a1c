"""Carries out what a request for help causes beyond the turn: cards in waves, "it is taken", reminders, time-outs.

Each step is one row of the outbox with an id of its own, written with the change that causes it. A step reads the
request anew, decides by `cases.helping` and commits the request, the lanes of whoever is told and the next rows
together: killed anywhere, the repetition sees from the request how far it got, so nobody is told twice or left out.
"""

from __future__ import annotations

import random
import time
from collections.abc import Collection, Mapping, Sequence
from secrets import token_hex
from typing import Any
from zoneinfo import ZoneInfo

from chalicelib.actions import call_by_link, known, notify, seal, tell_systems, work_outbox
from chalicelib.cases import helping, lifecycle
from chalicelib.cases.helping import Moved
from chalicelib.channels import channel
from chalicelib.model import Case, Conflict, SendFailed, Town, Unavailable, Volunteer
from chalicelib.small_classes import dataclass
from chalicelib.storage import conversations, dynamo, outbox, volunteers
from chalicelib.storage.cases import CaseStore
from chalicelib.storage.dynamo import Write
from chalicelib.wire import Deadline

KIND = "help"
STEPS_MAX = 40  # chunks and conflicts of one row
TOLD_AT_ONCE = 10  # lanes in one transaction
JITTER_SECONDS = 0.05


def rows(town: str, moved: Moved, now: float) -> list[Write]:
    """What comes due after an act, as part of its transaction."""
    case, turn = moved.case, helping.round_of(moved.case)
    return [
        outbox.write(
            town,
            KIND,
            {"name": later.name, "reference": case.reference, "round": turn},
            now,
            row=f"aid-{case.reference}-{turn}-{later.name}",
            due_at=later.at,
        )
        for later in moved.later
    ]


def by_office(town: Town, before: Case, after: Case, now: float) -> tuple[Case, list[Write]]:
    """A request for help after staff changed it, and what comes due because of that; any other case as it is."""
    moved = helping.by_office(before, after, now) if after.kind == helping.KIND else None
    return (moved.case, rows(town.slug, moved, now)) if moved else (after, [])


@dataclass(frozen=True, slots=True)
class Caused:
    """What must be written with an act, all or nothing, and what it says in chats to others than whoever did it."""

    writes: tuple[Write, ...]
    notices: tuple[notify.Notice, ...]


def caused(town: Town, moved: Moved, now: float, deadline: Deadline) -> Caused:
    """The request after an act, the words for others, what comes due later. Whom no chat carries them to gets a letter,
    if there is a way; nothing for those who cannot be reached at all."""
    notes, letters = list[notify.Notice](), list[Write]()
    for tell in moved.tell:
        about = (moved.case.reference, tell.place)
        notice = notify.notice_to(town, tell.to, tell.say, now, deadline, request=about, voice=moved.case.voice)
        letter = call_by_link.letter(town, moved.case, tell, notice, now, deadline)
        if letter:
            letters.append(letter)
        if notice and not (letter and channel(notice.account.channel).PUSHES):  # on Viber it would cost
            notes.append(notice)
    writes = [*tell_systems.cases(town).items_for_change(moved.case, deadline), *notify.items(tuple(notes), now)]
    return Caused((*writes, *letters, *rows(town.slug, moved, now)), tuple(notes))


def work(body: Mapping[str, Any], slug: str, now: float, deadline: Deadline) -> None:
    """One row. Raises SendFailed for a town that is gone, Unavailable."""
    town = known.town(slug, deadline)
    if town is None:
        raise SendFailed("no_town", retryable=True)
    for attempt in range(STEPS_MAX):
        case = CaseStore(slug).load(str(body["reference"]), deadline)
        if case is None:
            return
        try:
            moved = _step(town, case, str(body["name"]), int(body["round"]), now, deadline)
            if moved is None:
                return
            commit(town, moved, now, deadline)
        except Conflict:
            time.sleep(random.random() * JITTER_SECONDS * (attempt + 1))
    raise Unavailable("conflicts")


def _step(town: Town, case: Case, name: str, turn: int, now: float, deadline: Deadline) -> Moved | None:
    """What is still to be done for a row; None if nothing (any more)."""
    match name:
        case "wave1" | "wave2":
            return _wave(town, case, int(name[-1]), turn, now, deadline)
        case "unclaimed":
            return helping.unclaimed(case) if helping.is_wanted(case, turn) else None
        case "taken" | "over":
            return _told(case, turn)
        case "remind":
            return _timer(case, turn, now + helping.REMIND_SECONDS, helping.reminded)
    if name.startswith("back"):
        return _timer(case, turn, now, lambda running: helping.timed_out(running, now))
    if name.startswith("closed"):
        return _closed(case, turn)
    if name.startswith("confirm"):
        return helping.confirm_again(case) if helping.awaits_word(case, int(name.removeprefix("confirm"))) else None
    raise SendFailed("unknown_step", retryable=True)  # written by a newer version: that one will know it


def _wave(town: Town, case: Case, wave: int, turn: int, now: float, deadline: Deadline) -> Moved | None:
    """The next cards of a wave: three in the first, all the others in the second, chunk after chunk."""
    if not helping.is_wanted(case, turn) or int(case.call.get("wave", 0)) >= wave:
        return None
    free, case = _free(town, case, now, deadline), seal.with_private(case, deadline)
    size = helping.FIRST_WAVE if wave == 1 else TOLD_AT_ONCE
    return helping.cards(case, free[:size], wave, len(free[size:]), now, str(town.core["country"]))


def _free(town: Town, case: Case, now: float, deadline: Deadline) -> list[Volunteer]:
    """Whom to ask, those first to whom a card costs nothing: who wrote lately on Viber, then the web."""
    zone = ZoneInfo(town.core["time_zone"])
    called = volunteers.of_area(town.slug, helping.area_of(case), now, deadline)
    free = [volunteer for volunteer in called if helping.is_free(volunteer, case, now, zone)]
    talking = conversations.with_open_session([volunteer.at for volunteer in free], now, deadline)
    free.sort(key=lambda volunteer: (volunteer.at not in talking, volunteer.at.account.startswith("viber:") is False))
    return free[: helping.ASKED_MAX]


def _told(case: Case, turn: int) -> Moved | None:
    """The next of those who got a card and do not know yet that it is taken."""
    if helping.round_of(case) != turn or helping.is_wanted(case, turn):
        return None
    told = int(case.call.get("told", 0))
    several: Collection[Any] = helping.asked(case)[told : told + TOLD_AT_ONCE]
    return helping.taken_told(case, several) if several else None


def _timer(case: Case, turn: int, ends_by: float, move: Any) -> Moved | None:
    """The timer's act, if it runs and ends by then; where the office closed the case, whoever has it hears so."""
    if helping.is_running(case, turn, ends_by):
        return move(case)  # type: ignore[no-any-return]
    return _closed(case, turn) if case.assignee else None


def _closed(case: Case, turn: int) -> Moved | None:
    """The office closed it: whoever has it hears so, else everybody who got a card."""
    if lifecycle.is_open(case) or helping.round_of(case) != turn:
        return None
    return helping.over_told(case) if case.assignee else _told(case, turn)


def commit(town: Town, moved: Moved, now: float, deadline: Deadline, beside: Sequence[Write] = ()) -> None:
    """The act is done, with what is written `beside` it; then whoever is to hear of it does. Raises Conflict."""
    done = caused(town, moved, now, deadline)
    dynamo.transact([*done.writes, *beside], deadline)
    notify.send(done.notices, now, token_hex(4), deadline)
    work_outbox.ring(done.writes, now, deadline)
