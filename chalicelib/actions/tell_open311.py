"""The outbox's kind `open311_told`: what happens here to a report that another system has is told there, in order.

A row says only of which case. What is to be told is read off the case's history: the report remembers how much of it
the other system knows, and is written only over the version that was read, so that of two workers one goes on. It also
notes each call before it is made: whoever finds such a note looks for our update among the endpoint's, and tells it
again only if the list was answered and it is not in it. What it does not take (it takes no updates, refused this one,
did not answer twice or for a day) becomes a word in the case: then the office tells them by hand, and what comes later
goes on.
"""

from __future__ import annotations

from collections.abc import Mapping
from secrets import token_hex
from typing import Any

from chalicelib.actions import breaker, known, pass_on
from chalicelib.actions.change_case import NoCase, Superseded, change_case
from chalicelib.actions.send_open311 import (
    DOUBTS_MAX,
    GIVE_UP_SECONDS,
    LOOK_AFTER_SECONDS,
    LOOK_BACK_SECONDS,
    contact,
    endpoint_of,
    photos,
)
from chalicelib.cases import erasing, lifecycle, open311
from chalicelib.cases.lifecycle import Event
from chalicelib.integrations import open311_client
from chalicelib.integrations.open311 import time
from chalicelib.language import catalogue
from chalicelib.model import Case, Conflict, Happening, SendFailed, Town
from chalicelib.small_classes import dataclass, replace
from chalicelib.storage import dynamo
from chalicelib.storage import open311 as away
from chalicelib.storage.cases import CaseStore
from chalicelib.storage.dynamo import Write
from chalicelib.storage.open311 import Report
from chalicelib.wire import Deadline

BY_HAND = "open311_by_hand"
SECONDS_NEEDED = 6.0  # to tell one more thing
NUMBER_AFTER_SECONDS = 300  # a token has a number by then, or it is asked again


@dataclass(frozen=True, slots=True)
class _Job:
    """One case, and the endpoint that has a report of it."""

    town: Town
    rules: Mapping[str, Any]
    case: Case
    now: float
    deadline: Deadline


@dataclass(frozen=True, slots=True)
class _News:
    """One entry of the history in words, with links to what came with it; `files` and `pin`: what the case has of them
    up to there."""

    position: int
    entry: Happening
    words: str
    links: tuple[str, ...]
    files: int
    pin: str


def work(body: Mapping[str, Any], town: str, now: float, deadline: Deadline) -> None:
    """Tell what there is to be told. Raises SendFailed, Unavailable."""
    here = known.town(town, deadline)
    if here is None:
        raise SendFailed("no_town", retryable=True)
    identifier, reference = str(body["endpoint"]), str(body["reference"])
    report = away.load(town, identifier, reference, now, deadline)
    rules = open311.endpoint(here.core, identifier)
    case = CaseStore(town).load_whole(reference, deadline)
    if case is None or rules is None or report is None or not report.is_there:
        return  # a report that is still on its way owes this again when it arrives
    job, told_by = _Job(here, rules, case, now, deadline), open311.actor(identifier)
    known_there = report.told or open311.arrived_at(case.history, told_by)
    for position, entry in open311.to_tell(case.history, known_there, told_by):
        if deadline.left() < SECONDS_NEEDED:
            raise SendFailed("more_to_tell", retryable=True)
        report = _told(job, report, _news(job, report, position, entry))


def _told(job: _Job, report: Report, news: _News) -> Report:
    """The report once this is told, by us or by hand. Raises SendFailed while it may still be told."""
    if not news.words and not news.links:  # came along with what was told before, or was erased meanwhile
        return _passed(job, report, news)
    if not job.rules.get("takes_updates"):
        return _by_hand(job, report, news, "")
    try:
        return _sent(job, report, news)
    except SendFailed as failure:
        if failure.reason == "conflict":
            raise
        report = away.load(report.town, report.endpoint, report.reference, job.now, job.deadline) or report
        # Where no updates are listed, nobody can look whether one was taken whose answer was lost.
        doubtful = report.lost >= (DOUBTS_MAX if job.rules["updates"] else 1)
        if failure.retryable and not doubtful and job.now < news.entry.at + GIVE_UP_SECONDS:
            raise
        return _by_hand(job, report, news, failure.reason)


def _sent(job: _Job, report: Report, news: _News) -> Report:
    """The report after the endpoint took this. Raises SendFailed, never `uncertain`: the report counts doubts."""
    if not report.number:
        raise SendFailed("no_number_yet", retryable=True, after_seconds=NUMBER_AFTER_SECONDS)
    _, endpoint = endpoint_of(job.town, report.endpoint, job.deadline)
    whom = f"open311:{report.town}:{report.endpoint}"
    pause = breaker.open_until(whom, job.now)
    if pause is not None:
        raise SendFailed("waits_for_others", retryable=True, after_seconds=pause - job.now)
    if report.lost and _is_there(job, endpoint, report, news):
        return _passed(job, report, news)
    asking = _saved(replace(report, lost=report.lost + 1, lost_at=int(job.now)), job.deadline)
    try:
        open311_client.tell(endpoint, _fields(job, report, news), job.deadline)
    except SendFailed as failure:
        if failure.retryable:
            breaker.failed(whom, job.now)
        if failure.uncertain:
            raise SendFailed(failure.reason, retryable=True, after_seconds=LOOK_AFTER_SECONDS) from failure
        _saved(replace(asking, lost=report.lost), job.deadline)
        raise
    breaker.succeeded(whom)
    return _passed(job, asking, news)


def _is_there(job: _Job, endpoint: open311_client.Endpoint, report: Report, news: _News) -> bool:
    """Whether it took this when its answer was lost. Raises SendFailed if that cannot be told."""
    if not job.rules["updates"]:
        raise SendFailed("no_answer", retryable=False)
    soon = report.lost_at + LOOK_AFTER_SECONDS - job.now
    if soon > 0:
        raise SendFailed("looked_at_soon", retryable=True, after_seconds=soon)
    start, end = news.entry.at - LOOK_BACK_SECONDS, int(job.now) + LOOK_BACK_SECONDS
    listed = open311_client.updates(endpoint, start, end, job.deadline)
    ours = f"[{open311.mark(report.reference, news.position)}]"
    return any(said.request == report.number and ours in said.words for said in listed)


# --- what is told -----------------------------------------------------------------------------------------------


def _news(job: _Job, report: Report, position: int, entry: Happening) -> _News:
    """The entry in the town's own language. Words are the citizen's or public ones, without numbers and their name."""
    town, case = job.town, job.case
    fresh = case.attachments[report.files :] if entry.event == lifecycle.ATTACHED else ()
    links = photos(case, report.files, entry.at, job.now, job.deadline) if fresh and _shares_photos(job) else []
    texts, what = town.texts[town.native_language], ""
    if open311.turned(case.history, position):
        what = open311.status_label(town, entry.status)
        if lifecycle.is_open(replace(case, status=entry.status)):
            what = catalogue.word(texts["case_reopened"], "", "latin", {"case_no": case.reference})
    elif fresh:
        what = str(texts["w_photo"])
    pin = open311.pin(case.place) if entry.event == lifecycle.ATTACHED else ""
    where = f"{texts['w_place']}: {pin}" if pin not in ("", report.pin) else ""
    said = entry.note if entry.public or entry.by == lifecycle.CITIZEN else ""
    words = ". ".join(each.rstrip(".") for each in (what, where, erasing.masked(said, case)) if each)
    files = len(case.attachments) if fresh else report.files
    return _News(position, entry, words, tuple(link for _, link in links), files, pin or report.pin)


def _shares_photos(job: _Job) -> bool:
    return "photos" in job.rules["share"]


def _fields(job: _Job, report: Report, news: _News) -> dict[str, Any]:
    """The update as FixMyStreet posts it."""
    mark = open311.mark(report.reference, news.position)
    is_open = lifecycle.is_open(replace(job.case, status=news.entry.status))
    by_citizen = news.entry.by == lifecycle.CITIZEN
    return {
        "service_request_id": report.number,
        "update_id": mark,
        "updated_datetime": str(time(news.entry.at)),
        "status": (open311.OPEN if is_open else open311.CLOSED).upper(),
        "description": f"{news.words} [{mark}]",
        **(contact(job.case, job.rules["share"]) if by_citizen else {}),
        **({"media_url": news.links} if news.links else {}),
    }


# --- what is known there ----------------------------------------------------------------------------------------


def _passed(job: _Job, report: Report, news: _News) -> Report:
    """Written down that it knows this."""
    after = _knowing(job, report, news)
    writes = _writes(job, after)
    try:
        dynamo.transact(writes, job.deadline)
    except Conflict as error:
        raise SendFailed("conflict", retryable=True) from error
    return replace(after, v=after.v + 1)


def _by_hand(job: _Job, report: Report, news: _News, reason: str) -> Report:
    """Written down for the staff, in the commit from which on it counts as told."""
    after = _knowing(job, report, news)
    named = " ".join(part for part in (str(job.rules["title"]), report.number) if part)
    note = f"{named}: {news.words}" + (f" ({reason})" if reason else "")
    event = Event(int(job.now), lifecycle.SYSTEM, name=BY_HAND, note=note)

    def unchanged() -> bool:
        found = away.load(report.town, report.endpoint, report.reference, job.now, job.deadline)
        return found is not None and found.v == report.v

    try:
        change_case(
            job.town,
            report.reference,
            event,
            job.now,
            token_hex(4),
            job.deadline,
            lambda _: _writes(job, after),
            unchanged,
        )
    except (NoCase, Superseded) as error:
        raise SendFailed("conflict", retryable=True) from error
    return replace(after, v=after.v + 1)


def _knowing(job: _Job, report: Report, news: _News) -> Report:
    """The report knowing one entry more; one that rested has its news asked for again once the case is open."""
    wakes = report.rests and lifecycle.is_open(job.case)
    awake = replace(report, rests=False, v=0) if wakes else report
    return replace(awake, told=news.position + 1, files=news.files, pin=news.pin, lost=0)


def _writes(job: _Job, report: Report) -> list[Write]:
    """The report, and the first look for news of one that is awake as new."""
    if report.v or report.rests:
        return [away.item(report)]
    look = pass_on.next_look(job.town.slug, report.endpoint, job.now, job.rules["minutes"] * 60)
    return [away.item(report), replace(look, unique=False)]


def _saved(report: Report, deadline: Deadline) -> Report:
    try:
        away.save(report, deadline)
    except Conflict as error:
        raise SendFailed("conflict", retryable=True) from error
    return replace(report, v=report.v + 1)
