"""The outbox's kind `open311_news`: asks an endpoint what became of the town's reports there, and writes it down.

One row an endpoint, which owes the next one as long as reports are open there. Each piece of news is taken once: its
mark is written in the transaction that changes the case and puts the notice into the citizen's lane. An endpoint that
fails is asked again, less and less often; since when and why is noted for the town's admin.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from chalicelib.actions import known, pass_on, work_outbox
from chalicelib.actions.journal import log
from chalicelib.actions.send_open311 import commit, endpoint_of
from chalicelib.cases import lifecycle, open311
from chalicelib.cases.lifecycle import Event
from chalicelib.integrations import open311_client
from chalicelib.integrations.open311_client import Endpoint, Said
from chalicelib.model import Case, Conflict, SendFailed, Town
from chalicelib.small_classes import dataclass, replace
from chalicelib.storage import dynamo
from chalicelib.storage import open311 as away
from chalicelib.storage.cases import CaseStore
from chalicelib.storage.dynamo import Duplicate
from chalicelib.storage.open311 import Health, Report
from chalicelib.wire import Deadline

AT_ONCE = 40  # reports asked about in one request
REPORTS_MAX = 200  # in one round; the next goes on behind them
FIRST_SECONDS = 86400  # of news asked for the first time
OVERLAP_SECONDS = 3600  # asked for again: what came in while we asked, and a clock that is not ours
SPAN_SECONDS_MAX = 7 * 86400
PAUSE_SECONDS_MAX = 3600.0
WATCHED_DAYS = 14  # after a case was closed
SECONDS_NEEDED = 4.0  # to take one more piece of news


@dataclass(frozen=True, slots=True)
class _Asked:
    """One round with one endpoint."""

    town: Town
    rules: Mapping[str, Any]
    endpoint: Endpoint
    now: float
    deadline: Deadline

    @property
    def id(self) -> str:
        return str(self.rules["id"])


def work(body: Mapping[str, Any], town: str, now: float, deadline: Deadline) -> None:
    """Ask it. What fails there is noted, and the next round is owed all the same. Raises Unavailable, SendFailed when
    what was heard could not be written."""
    here = known.town(town, deadline)
    if here is None:
        raise SendFailed("no_town", retryable=True)
    identifier = str(body["endpoint"])
    if open311.endpoint(here.core, identifier) is None:
        return
    reports = [report for report in away.open_reports(town, identifier, now, deadline) if report.is_there]
    if not reports:
        return
    health = away.health(town, identifier, deadline)
    try:
        asked = _Asked(here, *endpoint_of(here, identifier, deadline), now, deadline)
        after = _heard(asked, health, reports)
    except SendFailed as failure:
        if failure.reason == "conflict":
            raise
        log.warning("open311_silent", tenant=town, reason=failure.reason)
        after = replace(
            health,
            failing_since=health.failing_since or int(now),
            failures=health.failures + 1,
            error=failure.reason,
        )
    away.note(town, identifier, after, deadline)
    _owe_next(here, identifier, after, now, deadline)


def _owe_next(town: Town, identifier: str, health: Health, now: float, deadline: Deadline) -> None:
    rules = open311.endpoint(town.core, identifier)
    assert rules is not None
    usual = float(rules["minutes"] * 60)
    pause = usual if not health.failures else max(usual, min(PAUSE_SECONDS_MAX, usual * 2 ** min(health.failures, 6)))
    row = pass_on.next_look(town.slug, identifier, now, pause)
    try:
        dynamo.transact([row], deadline)
    except Duplicate:
        return
    work_outbox.ring((row,), now, deadline)


def _heard(asked: _Asked, health: Health, reports: Sequence[Report]) -> Health:
    """Everything there is to hear by now. Raises SendFailed."""
    reports = _numbered(asked, reports)
    until = int(asked.now)
    if asked.rules["updates"]:
        start = (health.until or until - FIRST_SECONDS) - OVERLAP_SECONDS
        until = min(until, start + SPAN_SECONDS_MAX)
        news = open311_client.updates(asked.endpoint, start, until, asked.deadline)
    else:
        news = _states(asked, reports)
    complete = _taken(asked, news)
    _no_longer_watched(asked, reports)
    return Health(until=until if complete else health.until, heard_at=int(asked.now))


def _numbered(asked: _Asked, reports: Sequence[Report]) -> list[Report]:
    """The reports with a number; tokens are asked about first."""
    found = []
    for report in reports:
        if report.state == away.WAITING:
            number = open311_client.resolve(asked.endpoint, report.token, asked.deadline)
            if not number:
                continue
            report = replace(report, number=number, state=away.SENT)
            try:
                dynamo.transact([away.item(report), away.numbered(report)], asked.deadline)
            except Conflict:
                continue
            report = replace(report, v=report.v + 1)
        if report.state == away.SENT:
            found.append(report)
    return found


def _states(asked: _Asked, reports: Sequence[Report]) -> list[Said]:
    """How each of the reports stands, some at once; each round begins with others where there are very many."""
    first = (int(asked.now) // 60 * REPORTS_MAX) % len(reports) if len(reports) > REPORTS_MAX else 0
    turn = [*reports[first:], *reports[:first]][:REPORTS_MAX]
    news: list[Said] = []
    for start in range(0, len(turn), AT_ONCE):
        numbers = ",".join(report.number for report in turn[start : start + AT_ONCE])
        news += open311_client.requests(asked.endpoint, {"service_request_id": numbers}, asked.deadline)
    return news


# --- what was heard ---------------------------------------------------------------------------------------------


def _taken(asked: _Asked, news: Sequence[Said]) -> bool:
    """Write down what is new, oldest first. False if there was no time for all of it."""
    own = away.references(asked.town.slug, asked.id, [said.request for said in news], asked.now, asked.deadline)
    mine = sorted((said for said in news if said.request in own), key=lambda said: said.at)
    known_already = away.taken(asked.town.slug, asked.id, [_name(said) for said in mine], asked.now, asked.deadline)
    for said in mine:
        if _name(said) in known_already:
            continue
        if asked.deadline.left() < SECONDS_NEEDED:
            return False
        _take(asked, own[said.request], said)
    return True


def _name(said: Said) -> str:
    """What tells one piece of news from another."""
    return f"{said.request} {said.id}" if said.id else f"{said.request} {said.status} {said.at} {said.words}"


def _take(asked: _Asked, reference: str, said: Said) -> None:
    case = CaseStore(asked.town.slug).load(reference, asked.deadline)
    mark = away.mark(asked.town.slug, asked.id, _name(said), asked.now)
    event = _event(asked, case, said) if case else None
    if event is not None:
        commit(asked.town, reference, event, lambda _: [mark], asked.now, asked.deadline)
        return
    try:
        dynamo.transact([mark], asked.deadline)
    except Duplicate:
        return


def _event(asked: _Asked, case: Case, said: Said) -> Event | None:
    """What it means for the case, None for nothing. What the graph does not allow stays a word for the office."""
    echo = open311.is_echo(said.words, case.reference)
    if echo and said.id:
        return None
    actor = open311.actor(asked.id)
    wanted = open311.ours(said.status, asked.rules["statuses"])
    moves = bool(wanted) and wanted != case.status and lifecycle.may(lifecycle.API, case, wanted)
    known_already = echo or any(entry.note == said.words and entry.by == actor for entry in case.history)
    words = "" if known_already else said.words
    refused = bool(wanted) and wanted != case.status and not moves
    if not (moves or words or refused):
        return None
    note = f"{asked.rules['title']}: {said.status}" if refused else ""
    return Event(int(asked.now), actor, status=wanted if moves else "", note=note, public_note=words)


def _no_longer_watched(asked: _Asked, reports: Sequence[Report]) -> None:
    """Cases closed long ago are not asked about any more, nor those that are gone."""
    store = CaseStore(asked.town.slug)
    for start in range(0, len(reports), dynamo.BATCH_KEYS_MAX):
        some = reports[start : start + dynamo.BATCH_KEYS_MAX]
        cases = {case.reference: case for case in store.several([each.reference for each in some], asked.deadline)}
        for report in some:
            case = cases.get(report.reference)
            if case is None or (case.closed_at and asked.now > case.closed_at + WATCHED_DAYS * 86400):
                away.rest(report, asked.deadline)
