"""What a town's systems may do with cases (file, change, read, list) and announcements.

The key says whose town it is and what it may. A request with an `Idempotency-Key` is done once:
its answer is committed together with what it did.
"""

from __future__ import annotations

import hashlib
import hmac
import random
import time
from collections.abc import Callable, Iterable
from datetime import datetime
from functools import partial
from secrets import token_bytes, token_urlsafe
from typing import Any, cast
from urllib.parse import unquote
from zoneinfo import ZoneInfo

from chalicelib import bounds
from chalicelib.actions import (
    announce,
    call_list,
    collect_figures,
    import_cases,
    known,
    pace,
    paper_case,
    seal,
    show_media,
    take_dropped,
)
from chalicelib.actions.change_case import NoCase, Superseded, change_case
from chalicelib.actions.import_cases import Outcome
from chalicelib.actions.paper_case import Paper
from chalicelib.cases import case_file, lifecycle, references, routing
from chalicelib.cases.announcements import NotNow, Progress
from chalicelib.cases.case_file import BadFile, Row
from chalicelib.cases.lifecycle import Event
from chalicelib.channels import Request
from chalicelib.days import day_in
from chalicelib.integrations import answers
from chalicelib.integrations.case_api import (
    AnnouncementAudience,
    CaseEvent,
    Listing,
    NewAnnouncement,
    NewCase,
    NewImport,
    NumberedEvent,
    OneCase,
    announcement_json,
    asked,
    bearer,
    case_json,
    cursor_of,
    figures_json,
    hides,
    idempotency_key,
    parse,
    position_of,
    qr_svg,
    span,
)
from chalicelib.model import Announcement, Audience, Case, Conflict, Refused, Town, Unavailable
from chalicelib.patterns import pattern
from chalicelib.small_classes import dataclass, replace
from chalicelib.storage import api_keys, dynamo, idempotency, told
from chalicelib.storage.api_keys import ApiKey
from chalicelib.storage.cases import CaseStore
from chalicelib.storage.dynamo import Duplicate, Write
from chalicelib.storage.idempotency import Remembered
from chalicelib.storage.imports import DONE, REFUSED
from chalicelib.wire import Deadline

REQUEST_SECONDS = 8.0
IMPORT_SECONDS = 25.0  # of the half minute the gateway waits
IMPORT_ROWS_MAX = 2000  # in one request
LONGER_FILES = "ask for a form with POST imports, upload it at the counter's import page in the console, or send parts."
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
_SLUG = pattern(r"[a-z][a-z0-9-]{1,39}")
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
    wish = parse(NewCase, request.body, request.headers)
    return _once(call, lambda version: _file(call, wish, version), lambda answer: _filed(call, answer))


def post_event(tenant: str, reference: str, request: Request, now: float, holder: str) -> dict[str, Any]:
    """Change a case: the case after it. Whoever consented is told."""
    call = _begun(tenant, request, now, WRITE, f"cases/{reference}/events")
    wish = parse(CaseEvent, request.body, request.headers)
    return _once(call, lambda version: _change(call, _own_reference(call, reference), wish, holder, version))


def post_event_by_number(tenant: str, request: Request, now: float, holder: str) -> dict[str, Any]:
    """The same for the case under a file number of the town's own."""
    call = _begun(tenant, request, now, WRITE, "cases/events")
    wish = parse(NumberedEvent, request.body, request.headers)

    def act(version: int) -> dict[str, Any]:
        case = CaseStore(call.town.slug).by_number(wish.number, call.deadline)
        if case is None:
            raise _unknown()
        return _change(call, case.reference, wish, holder, version)

    return _once(call, act)


def import_rows(tenant: str, request: Request, now: float) -> dict[str, Any]:
    """A file of cases as CSV: {"applied", "unchanged", "rejected"}. To send it again does nothing twice."""
    call = _begun(tenant, request, now, WRITE, "cases/import", IMPORT_SECONDS)
    rows = _rows(request)

    def act(version: int) -> dict[str, Any]:
        answer = _imported(import_cases.take(call.town, rows, call.by, now, call.deadline))
        # Row by row it is done already, and may be done again: only what was answered is still to be kept.
        _keep(call, version, answer)
        return answer

    return _once(call, act)


def _imported(outcomes: Iterable[Outcome]) -> dict[str, Any]:
    told = list(outcomes)
    answer: answers.Imported = {
        "applied": sum(each.what == import_cases.APPLIED for each in told),
        "unchanged": sum(each.what == import_cases.UNCHANGED for each in told),
        "rejected": [
            {"line": each.line, "field": each.field or None, "reason": each.reason}
            for each in told
            if each.what == import_cases.REJECTED
        ],
    }
    return dict(answer)


def post_import(tenant: str, request: Request, now: float) -> dict[str, Any]:
    """Where to lay a longer file; it is worked through as soon as it lies there: {"id", "upload", "expires"}."""
    call = _begun(tenant, request, now, WRITE, "imports")
    wish = parse(NewImport, request.body, request.headers)

    def act(version: int) -> dict[str, Any]:
        kept = {"id": token_urlsafe(18), "at": int(now)}
        _keep(call, version, kept)
        return form(kept)

    def form(kept: dict[str, Any]) -> dict[str, Any]:
        upload = take_dropped.form(call.town, kept["id"], wish.name or "", call.by, now, call.deadline)
        expires = _local_time(call.town, int(now) + take_dropped.UPLOAD_SECONDS)
        return {"id": kept["id"], "upload": upload, "expires": expires}

    return _once(call, act, form)


def get_import(tenant: str, identifier: str, request: Request, now: float) -> answers.Import:
    """How far an import has come, and where the outcome of every row may be fetched."""
    call = _begun(tenant, request, now, WRITE)
    job = take_dropped.found(call.town, identifier, now, call.deadline)
    if job is None:
        raise Refused(404, "unknown_import", "There is no such import.")
    return {
        "id": job.id,
        "state": job.state,
        "reason": job.reason or None,
        "rows": job.rows,
        "applied": job.applied,
        "unchanged": job.unchanged,
        "rejected": job.rejected,
        "result": take_dropped.result_link(job) if job.source and job.state in (DONE, REFUSED) else None,
    }


def _rows(request: Request) -> list[Row]:
    """What was sent. Raises Refused: 415, 413 naming the way for longer files, 422 for what is no such file."""
    media_type = request.headers.get("content-type", "text/csv").partition(";")[0].strip().lower()
    if media_type not in CSV_TYPES:
        raise Refused(415, "type_not_allowed", "Send text/csv.")
    if len(request.body) > bounds.FILE:
        raise too_long()
    try:
        rows = case_file.rows(request.body)
    except BadFile as bad:
        raise Refused(422, bad.reason, _BAD_FILES[bad.reason]) from bad
    if len(rows) > IMPORT_ROWS_MAX:
        raise Refused(413, "too_many_rows", f"At most {IMPORT_ROWS_MAX} rows in a request; {LONGER_FILES}")
    return rows


def too_long() -> Refused:
    """Of a file sent in one request."""
    return Refused(413, "too_large", f"At most {bounds.FILE // 2**20} MB in a request; {LONGER_FILES}")


def get_case(tenant: str, reference: str, request: Request, now: float) -> answers.Case:
    """One case with its whole history; asked with `notices=1`, also with what became of each notice."""
    call = _begun(tenant, request, now, READ)
    wanted = asked(OneCase, request.query)
    case = CaseStore(call.town.slug).load_whole(_own_reference(call, reference), call.deadline)
    if case is None:
        raise _unknown()
    if wanted.notices == "1":
        entries = (*case.history, *told.of_case(call.town.slug, case.reference, call.deadline))
        case = replace(case, history=tuple(sorted(entries, key=lambda entry: entry.at)))
    return _told(call, case)


def list_cases(tenant: str, request: Request, now: float) -> answers.Page:
    """A page of cases, last changed first (with `call=1` those to call about, longest waiting first)."""
    call = _begun(tenant, request, now, READ)
    wish = asked(Listing, request.query)
    office = _office(call.town, wish.office) if wish.office else ""
    walk = "calls" if wish.call == "1" else "cases"
    position = position_of(call.token, walk, wish.cursor)
    store = CaseStore(call.town.slug)

    def wanted(case: Case) -> bool:
        return (
            wish.status in (None, case.status)
            and wish.kind in (None, case.kind)
            and office in ("", case.office)
            and case.updated_at >= wish.updated_after
        )

    def page(cases: Iterable[Case], onward: str | None) -> answers.Page:
        return {"cases": [_told(call, case) for case in cases], "cursor": cursor_of(call.token, walk, onward)}

    if wish.call == "1":
        calls = call_list.call_list(call.town, call.now, wish.limit, call.deadline, position)
        return page(filter(wanted, calls.cases), calls.cursor)
    if wish.number:
        case = store.by_number(wish.number, call.deadline)
        return page([case] if case and wanted(case) else [], None)
    changed = store.changed_page(wish.limit, call.deadline, position, wish.updated_after, wanted)
    return page(changed.cases, changed.cursor)


def get_figures(tenant: str, request: Request, now: float) -> answers.Figures:
    """The town's figures from one day to another, both in; the last thirty days if none are named."""
    call = _begun(tenant, request, now, FIGURES)
    today = day_in(call.town.core["time_zone"], now)
    first, last = span(request.query, today)
    spent = collect_figures.spent(call.town, first, last, call.deadline)
    return figures_json(collect_figures.read(call.town, first, last, call.deadline), spent)


# --- announcements ----------------------------------------------------------------------------------------------


def post_announcement(tenant: str, request: Request, now: float) -> dict[str, Any]:
    """Write a draft with its receivers counted: A."""
    call = _begun(tenant, request, now, ANNOUNCEMENTS, "announcements")
    wish = parse(NewAnnouncement, request.body, request.headers)
    whom = wish.audience or AnnouncementAudience()
    chosen = (whom.topics, whom.settlements, whom.languages, whom.channels)
    audience = Audience(*(tuple(names or ()) for names in chosen))

    def act(version: int) -> dict[str, Any]:
        def beside(new: Announcement) -> list[Write]:
            return _remembering(call, version, _announced(call, new))

        new = announce.draft(call.town, dict(wish.text), audience, wish.at or 0, call.by, now, call.deadline, beside)
        return _announced(call, new)

    return _once(call, act)


def post_approval(tenant: str, identifier: str, request: Request, now: float) -> dict[str, Any]:
    """Approve it, above the town's bound with another key than it was written with: A."""
    call = _begun(tenant, request, now, ANNOUNCEMENTS, f"announcements/{identifier}/approve")
    approve = partial(announce.approve, proved=True)  # a system gives its key with every call: it has just done so
    return _decided(call, identifier, approve)


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
    counts = cast(answers.Counts, dict(shown.counts))
    price = cast("answers.Price | None", announce.price(call.town, found))
    return dict(announcement_json(found, shown.state, counts, shown.pages, price, zone))


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
    api_keys.note_use(key, now, deadline)
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


def _keep(call: _Call, version: int, answer: dict[str, Any]) -> None:
    """Remember an answer by itself, where what it answers is not one commit."""
    if writes := _remembering(call, version, answer):
        dynamo.transact(writes, call.deadline)


def _still_wanted(call: _Call) -> bool:
    """False once somebody else answered this very request."""
    return not call.once or idempotency.load(call.once, call.now, call.deadline)[0] is None


# --- filing -----------------------------------------------------------------------------------------------------


def _file(call: _Call, wish: NewCase, version: int) -> dict[str, Any]:
    def beside(case: Case) -> list[Write]:
        return _remembering(call, version, _kept(call, case))

    def seed_of(reference: str) -> bytes:
        return _seed(call, reference)

    try:
        case, seed = paper_case.file(
            call.town, _paper(call.town, wish), call.by, "api", call.now, call.deadline, seed_of, beside
        )
    except Duplicate as taken:
        if not _still_wanted(call):
            raise Superseded(taken.pk) from taken
        raise Refused(409, "number_taken", "There is a case with this file number.", "number") from taken
    return _filed(call, _kept(call, case), seed)


def _paper(town: Town, wish: NewCase) -> Paper:
    applicant = wish.applicant
    return Paper(
        subject=wish.subject,
        name=applicant.name,
        number=wish.number or "",
        phone=applicant.phone or "",
        email=applicant.email or "",
        language=applicant.language or "",
        office=_office(town, wish.office) if wish.office else "",
        official=wish.official or "",
        status=wish.status or "",
        awaiting_institution=wish.awaiting_institution or "",
        consent=bool(wish.consent),
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


def _change(call: _Call, reference: str, wish: CaseEvent, holder: str, version: int) -> dict[str, Any]:
    event = _event(call, wish)

    def beside(changed: Case) -> list[Write]:
        return _remembering(call, version, dict(_told(call, changed)))

    try:
        changed = change_case(
            call.town, reference, event, call.now, holder, call.deadline, beside, lambda: _still_wanted(call)
        )
    except NoCase as error:
        raise _unknown() from error
    return dict(_told(call, changed))


def _event(call: _Call, wish: CaseEvent) -> Event:
    if wish.event in lifecycle.OWN_EVENTS:
        raise Refused(422, "reserved_event", f"{wish.event} is written by the product alone.", "event")
    if wish.event in _MOVES and wish.status:
        raise Refused(422, "two_moves", f"{wish.event} is a move of its own; leave status out.", "status")
    return Event(
        at=int(call.now),
        by=call.by,
        status=wish.status or "",
        name=wish.event or "",
        note=wish.note or "",
        public_note=wish.public_note or "",
        office=_office(call.town, wish.office) if wish.office else "",
        official=wish.official or "",
        awaiting_institution=wish.awaiting_institution or "",
        forwarded_to=wish.forwarded_to or "",
    )


def _told(call: _Call, case: Case) -> answers.Case:
    if not hides(case, call.key.scopes):
        case = seal.with_private(case, call.deadline)
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
