"""What a town's systems may do with cases (file, change, read, list) and announcements.

The key says whose town it is and what it may. A request with an `Idempotency-Key` is done once:
its answer is committed together with what it did.
"""

from __future__ import annotations

import hashlib
import hmac
import random
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from secrets import token_bytes
from typing import Any
from urllib.parse import unquote
from zoneinfo import ZoneInfo

from chalicelib.actions import announce, call_list, collect_figures, import_cases, known, pace, paper_case, show_media
from chalicelib.actions.change_case import NoCase, Superseded, change_case
from chalicelib.actions.paper_case import Paper
from chalicelib.cases import case_file, lifecycle, references, routing
from chalicelib.cases.announcements import NotNow, Progress
from chalicelib.cases.case_file import BadFile, Row
from chalicelib.cases.lifecycle import Event
from chalicelib.channels import Request
from chalicelib.integrations.case_api import (
    AnnouncementAudience,
    CaseEvent,
    NewAnnouncement,
    NewCase,
    NumberedEvent,
    announcement_json,
    bearer,
    case_json,
    figures_json,
    idempotency_key,
    listing,
    moment,
    parse,
    qr_svg,
    span,
    with_notices,
)
from chalicelib.model import Announcement, Audience, Case, Conflict, Refused, Town, Unavailable
from chalicelib.storage import api_keys, idempotency, told
from chalicelib.storage.api_keys import ApiKey
from chalicelib.storage.cases import CaseStore
from chalicelib.storage.dynamo import Duplicate, Write
from chalicelib.storage.idempotency import Remembered
from chalicelib.wire import Deadline

REQUEST_SECONDS = 8.0
IMPORT_SECONDS = 25.0  # of the half minute the gateway waits
IMPORT_ROWS_MAX = 2000  # in one request
IMPORT_BYTES_MAX = 4 * 1024 * 1024
LONGER_FILES = "upload a longer file at the counter's import page in the console, or send it in parts."
CSV_TYPES = ("text/csv", "text/plain", "application/csv", "application/vnd.ms-excel", "application/octet-stream")
_BAD_FILES = {
    "empty": "There is nothing in the file.",
    "not_csv": "The file is not CSV in UTF-8, UTF-16 or Windows-1250.",
    "no_number_column": "The first line must name the columns, one of them the file number.",
}
ONCE_TRIES_MAX = 6
JITTER_SECONDS = 0.05
READ, WRITE, FIGURES, ANNOUNCEMENTS = "cases:read", "cases:write", "figures", "announcements"
_NOT_NOW = {
    "second_person": "Above the town's bound somebody else than its author approves it.",
    "not_a_draft": "It was approved or stopped already.",
    "nothing_to_stop": "It was stopped or done already.",
}
_SLUG = re.compile(r"[a-z][a-z0-9-]{1,39}")
# Events of this name are moves of the graph; any other word is the town's own and only written down.
_MOVES = (lifecycle.REOPENED, lifecycle.WITHDRAWN)


@dataclass(frozen=True, slots=True)
class _Call:
    """One request of a town's system: its town, its key, and the name under which its answer is remembered."""

    town: Town
    key: ApiKey
    token: str
    request: Request
    now: float
    deadline: Deadline
    once: str = ""
    fingerprint: str = ""

    @property
    def by(self) -> str:
        return f"api:{self.key.id}"


def post_case(tenant: str, request: Request, now: float) -> dict[str, Any]:
    """File a case: {"reference", "number", "link"}; the link and code are told here and never again."""
    call = _begun(tenant, request, now, WRITE, "cases")
    asked = parse(NewCase, request.body, request.headers)
    return _once(call, lambda version: _file(call, asked, version), lambda answer: _filed(call, answer))


def post_event(tenant: str, reference: str, request: Request, now: float, holder: str) -> dict[str, Any]:
    """Change a case: the case after it. Whoever consented is told."""
    call = _begun(tenant, request, now, WRITE, f"cases/{reference}/events")
    asked = parse(CaseEvent, request.body, request.headers)
    return _once(call, lambda version: _change(call, _own_reference(call, reference), asked, holder, version))


def post_event_by_number(tenant: str, request: Request, now: float, holder: str) -> dict[str, Any]:
    """The same for the case under a file number of the town's own."""
    call = _begun(tenant, request, now, WRITE, "cases/events")
    asked = parse(NumberedEvent, request.body, request.headers)

    def act(version: int) -> dict[str, Any]:
        case = CaseStore(call.town.slug).by_number(asked.number, call.deadline)
        if case is None:
            raise _unknown()
        return _change(call, case.reference, asked, holder, version)

    return _once(call, act)


def import_rows(tenant: str, request: Request, now: float) -> dict[str, Any]:
    """A file of cases as CSV: {"applied", "unchanged", "rejected"}. To send it again does nothing twice."""
    call = _begun(tenant, request, now, WRITE, seconds=IMPORT_SECONDS)
    rows = _rows(request)
    outcomes = import_cases.take(call.town, rows, call.by, now, call.deadline)
    return {
        import_cases.APPLIED: sum(each.what == import_cases.APPLIED for each in outcomes),
        import_cases.UNCHANGED: sum(each.what == import_cases.UNCHANGED for each in outcomes),
        import_cases.REJECTED: [
            {"line": each.line, "field": each.field or None, "reason": each.reason}
            for each in outcomes
            if each.what == import_cases.REJECTED
        ],
    }


def _rows(request: Request) -> list[Row]:
    """What was sent. Raises Refused: 415, 413 naming the way for longer files, 422 for what is no such file."""
    media_type = request.headers.get("content-type", "text/csv").partition(";")[0].strip().lower()
    if media_type not in CSV_TYPES:
        raise Refused(415, "type_not_allowed", "Send text/csv.")
    if len(request.body) > IMPORT_BYTES_MAX:
        raise Refused(413, "too_large", f"At most {IMPORT_BYTES_MAX // 2**20} MB in a request; {LONGER_FILES}")
    try:
        rows = case_file.rows(request.body)
    except BadFile as bad:
        raise Refused(422, bad.reason, _BAD_FILES[bad.reason]) from bad
    if len(rows) > IMPORT_ROWS_MAX:
        raise Refused(413, "too_many_rows", f"At most {IMPORT_ROWS_MAX} rows in a request; {LONGER_FILES}")
    return rows


def get_case(tenant: str, reference: str, request: Request, now: float) -> dict[str, Any]:
    """One case with its whole history; asked with `notices=1`, also with what became of each notice."""
    call = _begun(tenant, request, now, READ)
    case = CaseStore(call.town.slug).load_whole(_own_reference(call, reference), call.deadline)
    if case is None:
        raise _unknown()
    if with_notices(request.query):
        entries = (*case.history, *told.of_case(call.town.slug, case.reference, call.deadline))
        case = replace(case, history=tuple(sorted(entries, key=lambda entry: entry.at)))
    return _told(call, case)


def list_cases(tenant: str, request: Request, now: float) -> dict[str, Any]:
    """A page of cases, last changed first (with `call=1` those to call about, longest waiting first)."""
    call = _begun(tenant, request, now, READ)
    asked = listing(request.query)
    office = _office(call.town, asked.office) if asked.office else ""
    store = CaseStore(call.town.slug)

    def wanted(case: Case) -> bool:
        return (
            asked.status in ("", case.status)
            and asked.kind in ("", case.kind)
            and office in ("", case.office)
            and case.updated_at >= asked.updated_after
        )

    if asked.call:
        calls = call_list.call_list(call.town, call.now, asked.limit, call.deadline, asked.cursor)
        return {"cases": [_told(call, case) for case in calls.cases if wanted(case)], "cursor": calls.cursor}
    if asked.number:
        case = store.by_number(asked.number, call.deadline)
        return {"cases": [_told(call, case)] if case and wanted(case) else [], "cursor": None}
    page = store.changed_page(asked.limit, call.deadline, asked.cursor, asked.updated_after, wanted)
    return {"cases": [_told(call, case) for case in page.cases], "cursor": page.cursor}


def get_figures(tenant: str, request: Request, now: float) -> dict[str, Any]:
    """The town's figures from one day to another, both in; the last thirty days if none are named."""
    call = _begun(tenant, request, now, FIGURES)
    today = datetime.fromtimestamp(now, ZoneInfo(call.town.core["time_zone"])).date()
    first, last = span(request.query, today)
    spent = collect_figures.spent(call.town, first, last, call.deadline)
    return figures_json(collect_figures.read(call.town, first, last, call.deadline), spent)


# --- announcements ----------------------------------------------------------------------------------------------


def post_announcement(tenant: str, request: Request, now: float) -> dict[str, Any]:
    """Write a draft with its receivers counted: A."""
    call = _begun(tenant, request, now, ANNOUNCEMENTS, "announcements")
    asked = parse(NewAnnouncement, request.body, request.headers)
    whom = asked.audience or AnnouncementAudience()
    chosen = (whom.topics, whom.settlements, whom.languages, whom.channels)
    audience = Audience(*(tuple(names or ()) for names in chosen))
    at = moment(asked.at or "", "at")

    def act(version: int) -> dict[str, Any]:
        def beside(new: Announcement) -> list[Write]:
            return _remembering(call, version, _announced(call, new))

        new = announce.draft(call.town, dict(asked.text), audience, at, call.by, now, call.deadline, beside)
        return _announced(call, new)

    return _once(call, act)


def post_approval(tenant: str, identifier: str, request: Request, now: float) -> dict[str, Any]:
    """Approve it, above the town's bound with another key than it was written with: A."""
    call = _begun(tenant, request, now, ANNOUNCEMENTS, f"announcements/{identifier}/approve")
    return _decided(call, identifier, announce.approve)


def post_stop(tenant: str, identifier: str, request: Request, now: float) -> dict[str, Any]:
    """Send no further page of it: A."""
    call = _begun(tenant, request, now, ANNOUNCEMENTS, f"announcements/{identifier}/stop")
    return _decided(call, identifier, announce.stop)


def get_announcement(tenant: str, identifier: str, request: Request, now: float) -> dict[str, Any]:
    """One announcement with its counts and pages as they stand: A."""
    call = _begun(tenant, request, now, ANNOUNCEMENTS)
    return _announcement_json(call, announce.load(call.town, identifier, call.deadline))


def _decided(call: _Call, identifier: str, decide: Callable[..., Announcement]) -> dict[str, Any]:
    def act(version: int) -> dict[str, Any]:
        def beside(after: Announcement) -> list[Write]:
            return _remembering(call, version, _announced(call, after))

        try:
            after = decide(call.town, identifier, call.by, call.now, call.deadline, beside)
        except NotNow as error:
            if not _still_wanted(call):  # this very request was done by another process
                raise Superseded(identifier) from error
            status = 403 if error.code == "second_person" else 422
            raise Refused(status, error.code, _NOT_NOW.get(error.code, "Not in its state.")) from error
        return _announced(call, after)

    return _once(call, act)


def _announced(call: _Call, found: Announcement) -> dict[str, Any]:
    return _announcement_json(call, announce.progress(call.town, found, call.deadline))


def _announcement_json(call: _Call, shown: Progress) -> dict[str, Any]:
    found, zone = shown.announcement, call.town.core["time_zone"]
    return announcement_json(found, shown.state, shown.counts, shown.pages, announce.price(call.town, found), zone)


# --- who calls --------------------------------------------------------------------------------------------------


def _begun(
    tenant: str, request: Request, now: float, scope: str, path: str = "", seconds: float | None = None
) -> _Call:
    """The call, if its key is one, is of this town, may do this and does not come too often.

    Raises Refused 401, 403, 404, TooMany.
    """
    deadline = Deadline(seconds or REQUEST_SECONDS)
    token = bearer(request.headers)
    key = api_keys.find(token, deadline)
    if key is None:
        raise Refused(401, "bad_key", "Send the town's API key as Authorization: Bearer.")
    pace.take(key, now, deadline)
    town = known.town(tenant, deadline) if key.town == tenant and _SLUG.fullmatch(tenant) else None
    if town is None:
        raise Refused(404, "unknown_town", "There is no such town.")
    if scope not in key.scopes:
        raise Refused(403, "scope_missing", f"This key lacks the scope {scope}.")
    name = idempotency_key(request.headers) if path else ""
    once = idempotency.name(tenant, key.id, name) if name else ""
    fingerprint = idempotency.fingerprint(path.encode("utf-8", "replace"), request.body)
    return _Call(town, key, token, request, now, deadline, once, fingerprint)


def _once(
    call: _Call,
    act: Callable[[int], dict[str, Any]],
    again: Callable[[dict[str, Any]], dict[str, Any]] = lambda answer: answer,
) -> dict[str, Any]:
    """Do it, or answer as before. `act` gets the version of the expired answer it writes over."""
    for attempt in range(ONCE_TRIES_MAX):
        remembered, version = (None, 0)
        if call.once:
            remembered, version = idempotency.load(call.once, call.now, call.deadline)
        if remembered:
            return again(_same(call, remembered))
        try:
            return act(version)
        except (Superseded, Conflict):  # the same request at the same time, or a crowd at the same items
            time.sleep(random.random() * JITTER_SECONDS * (attempt + 1))
    raise Unavailable("conflicts")


def _same(call: _Call, remembered: Remembered) -> dict[str, Any]:
    if remembered.request != call.fingerprint:
        raise Refused(422, "idempotency_mismatch", "This Idempotency-Key was used for another request.")
    return remembered.answer


def _remembering(call: _Call, version: int, answer: dict[str, Any]) -> list[Write]:
    if not call.once:
        return []
    return [idempotency.item(call.once, version, Remembered(call.fingerprint, 201, answer), call.now)]


def _still_wanted(call: _Call) -> bool:
    """False once somebody else answered this very request."""
    return not call.once or idempotency.load(call.once, call.now, call.deadline)[0] is None


# --- filing -----------------------------------------------------------------------------------------------------


def _file(call: _Call, asked: NewCase, version: int) -> dict[str, Any]:
    def beside(case: Case) -> list[Write]:
        return _remembering(call, version, _kept(call, case))

    def seed_of(reference: str) -> bytes:
        return _seed(call, reference)

    try:
        case, seed = paper_case.file(
            call.town, _paper(call.town, asked), call.by, "api", call.now, call.deadline, seed_of, beside
        )
    except Duplicate as taken:
        if not _still_wanted(call):
            raise Superseded(taken.pk) from taken
        raise Refused(409, "number_taken", "There is a case with this file number.", "number") from taken
    return _filed(call, _kept(call, case), seed)


def _paper(town: Town, asked: NewCase) -> Paper:
    applicant = asked.applicant
    return Paper(
        subject=asked.subject,
        name=applicant.name,
        number=asked.number or "",
        phone=applicant.phone or "",
        email=applicant.email or "",
        language=applicant.language or "",
        office=_office(town, asked.office) if asked.office else "",
        official=asked.official or "",
        status=asked.status or "",
        awaiting_institution=asked.awaiting_institution or "",
        consent=bool(asked.consent),
    )


def _kept(call: _Call, case: Case) -> dict[str, Any]:
    """The part of the answer that is no secret."""
    return {"reference": case.reference, "number": case.number or None, "at": int(call.now)}


def _filed(call: _Call, kept: dict[str, Any], seed: bytes | None = None) -> dict[str, Any]:
    made = seed or _seed(call, kept["reference"])
    return {"reference": kept["reference"], "number": kept["number"], "link": _link(call, made, kept["at"])}


def _seed(call: _Call, reference: str) -> bytes:
    """What the link and the code of a case are made from. With an Idempotency-Key it can be made again from what only
    the caller has, so that the same answer is given and no secret is stored."""
    if not call.once:
        return token_bytes(paper_case.SEED_BYTES)
    return hmac.new(call.token.encode(), f"link {call.once} {reference}".encode(), hashlib.sha256).digest()


def _link(call: _Call, seed: bytes, at: int) -> dict[str, Any]:
    slip = paper_case.slip(call.town, seed, at, paper_case.origin_of(call.request.headers))
    return {
        "viber": slip.viber,
        "web": slip.web,
        "qr_svg": qr_svg(slip.target),
        "code": slip.code,
        "expires": _local_time(call.town, slip.expires),
    }


# --- changing, telling ------------------------------------------------------------------------------------------


def _change(call: _Call, reference: str, asked: CaseEvent, holder: str, version: int) -> dict[str, Any]:
    event = _event(call, asked)

    def beside(changed: Case) -> list[Write]:
        return _remembering(call, version, _told(call, changed))

    try:
        changed = change_case(
            call.town, reference, event, call.now, holder, call.deadline, beside, lambda: _still_wanted(call)
        )
    except NoCase as error:
        raise _unknown() from error
    return _told(call, changed)


def _event(call: _Call, asked: CaseEvent) -> Event:
    if asked.event in lifecycle.OWN_EVENTS:
        raise Refused(422, "reserved_event", f"{asked.event} is written by the product alone.", "event")
    if asked.event in _MOVES and asked.status:
        raise Refused(422, "two_moves", f"{asked.event} is a move of its own; leave status out.", "status")
    return Event(
        at=int(call.now),
        by=call.by,
        status=asked.status or "",
        name=asked.event or "",
        note=asked.note or "",
        public_note=asked.public_note or "",
        office=_office(call.town, asked.office) if asked.office else "",
        official=asked.official or "",
        awaiting_institution=asked.awaiting_institution or "",
        forwarded_to=asked.forwarded_to or "",
    )


def _told(call: _Call, case: Case) -> dict[str, Any]:
    return case_json(case, call.town.core["time_zone"], call.key.scopes, show_media.link)


def _office(town: Town, written: str) -> str:
    office = routing.office_of(town.core, town.texts, written)
    if office is None:
        raise Refused(422, "unknown_office", "office is an id or the exact title of an office of the town.", "office")
    return office


def _own_reference(call: _Call, written: str) -> str:
    """The reference, if it can be one of this town's; one that cannot is as unknown as any other."""
    reference = references.normalise(unquote(written))
    if reference is None or not reference.startswith(f"{call.town.core['prefix']}-"):
        raise _unknown()
    return reference


def _unknown() -> Refused:
    return Refused(404, "unknown_case", "There is no such case.")


def _local_time(town: Town, at: int) -> str:
    return datetime.fromtimestamp(at, ZoneInfo(town.core["time_zone"])).isoformat(timespec="seconds")
