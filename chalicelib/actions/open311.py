"""Open311 GeoReport v2 for a town: its kinds of problems are the services, reports of problems the requests.

Whoever has a key of the town's with the scope `open311` files requests and sees every report, never who filed it.
Whoever has none sees what the town shows to everybody: no private kinds, nobody's words from a chat, no photos unless
it says so. A filed request is a case like any other.
"""

from __future__ import annotations

import hashlib
import os
import random
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import unquote

from chalicelib.actions import file_links, keep_media, known, our_links, pace
from chalicelib.actions.change_case import NoCase, Superseded, change_case
from chalicelib.actions.open_case import completed, open_case
from chalicelib.actions.paper_case import origin_of
from chalicelib.cases import erasing, lifecycle, open311, references
from chalicelib.cases.lifecycle import Event, NotAllowed
from chalicelib.cases.open311 import BadValue, Service
from chalicelib.channels import Request
from chalicelib.dialogue.slots.where import within
from chalicelib.integrations import open311 as spoken
from chalicelib.integrations.case_api import bearer, idempotency_key
from chalicelib.integrations.open311 import Faults, Form, Wanted
from chalicelib.language.folding import fold
from chalicelib.model import Attachment, Case, Conflict, Happening, Place, Town, Unavailable
from chalicelib.patterns import pattern
from chalicelib.small_classes import dataclass, replace
from chalicelib.storage import api_keys, aws, idempotency, keys, media, near, outbox
from chalicelib.storage.api_keys import ApiKey
from chalicelib.storage.cases import CaseStore
from chalicelib.storage.dynamo import Write
from chalicelib.storage.idempotency import Remembered
from chalicelib.storage.media import CHECKED, WAITING, Medium
from chalicelib.understanding.entities.places import address_in
from chalicelib.wire import Deadline

REQUEST_SECONDS = 20.0
SCOPE, WRITE = "open311", "cases:write"
ANYBODY = "open311-anybody"  # whose pace is taken by all who have no key
CHANGESET = "2026-11-22T00:00:00Z"  # when this dialect was last changed
LOOKED_AT_MAX = 5000  # cases a list may look at before it asks for a narrower question
ONCE_TRIES_MAX = 6
JITTER_SECONDS = 0.05
UPDATED = "open311_update"
_SLUG = pattern(r"[a-z][a-z0-9-]{1,39}")
STATUS_FILTERS = frozenset((open311.OPEN, open311.CLOSED, *open311.EXTENDED.values()))


@dataclass(frozen=True, slots=True)
class _Call:
    """One request: whose town, with which key (None: whoever asks), when."""

    town: Town
    key: ApiKey | None
    request: Request
    now: float
    deadline: Deadline

    @property
    def trusted(self) -> bool:
        return self.key is not None


@dataclass(frozen=True, slots=True)
class _Once:
    """Where the answer to a request is remembered ("" for nowhere), over which version, and what was asked."""

    pk: str
    version: int
    fingerprint: str

    def remembering(self, answer: dict[str, Any], now: float) -> list[Write]:
        if not self.pk:
            return []
        return [idempotency.item(self.pk, self.version, Remembered(self.fingerprint, 201, answer), now)]


@dataclass(frozen=True, slots=True)
class Answer:
    """What is answered, not yet written: `root` and `item` are its names in XML."""

    data: Any
    root: str
    item: str = ""
    status: int = 200


def discovery(tenant: str, request: Request, now: float) -> Answer:
    """Where this is, in which formats, and who to ask."""
    call = _begun(tenant, request, now)
    town, origin = call.town, origin_of(request.headers)
    stage = os.environ.get("SALTER_STAGE", "dev")
    name = str(town.core["names"][town.native_language])
    endpoint = f"{origin}/open311/{town.slug}/v2/"
    return Answer(spoken.discovery(name, f"{origin}/t/{town.slug}", endpoint, stage, CHANGESET), "discovery")


def services(tenant: str, request: Request, now: float) -> Answer:
    """The kinds of problems the town takes reports of."""
    call = _begun(tenant, request, now)
    found = [open311.service_data(call.town, each) for each in open311.services(call.town)]
    return Answer(found, "services", "service")


def definition(tenant: str, code: str, request: Request, now: float) -> Answer:
    """What a report of this kind is asked beside place and description."""
    call = _begun(tenant, request, now)
    each = _service(call, unquote(code))
    data = {"service_code": each.code, "attributes": open311.attributes(call.town, each)}
    return Answer(data, "service_definition")


def _service(call: _Call, code: str) -> Service:
    each = open311.service(call.town, code)
    if each is None:
        raise Faults([(404, f"service_code {spoken.clean(code)[:60]} was not found.")])
    return each


# --- reading ----------------------------------------------------------------------------------------------------


def list_requests(tenant: str, request: Request, now: float) -> Answer:
    """Requests last changed first: those of some ids, or of a span of days, a page at a time."""
    call = _begun(tenant, request, now)
    wanted = spoken.wanted(request.query, now)
    strange = [code for code in wanted.codes if open311.service(call.town, code) is None]
    if strange:
        raise Faults([(404, f"service_code {spoken.clean(code)[:60]} was not found.") for code in strange])
    if not set(wanted.statuses) <= STATUS_FILTERS:
        raise Faults([(400, f"status is one of {', '.join(sorted(STATUS_FILTERS))}.")])
    found = _by_id(call, wanted.ids) if wanted.ids else _page(call, wanted)
    return Answer([_data(call, case) for case in found], "service_requests", "request")


def one_request(tenant: str, identifier: str, request: Request, now: float) -> Answer:
    """One request by its id."""
    call = _begun(tenant, request, now)
    return Answer([_data(call, _case(call, identifier))], "service_requests", "request")


def one_token(tenant: str, token: str, request: Request, now: float) -> Answer:
    """The request of a token. Ids are given at once here, so a token is the id itself."""
    call = _begun(tenant, request, now)
    case = _case(call, token)
    data = {"service_request_id": case.reference, "token": case.reference}
    return Answer([data], "service_requests", "request")


def list_updates(tenant: str, request: Request, now: float) -> Answer:
    """What happened to requests in a span of days, oldest first, as FixMyStreet asks for it."""
    call = _begun(tenant, request, now)
    wanted = spoken.updates_wanted(request.query, now)
    start, end = wanted.created
    store, found = CaseStore(call.town.slug), list[dict[str, Any]]()
    for case in _changed(call, start, lambda case: open311.is_shown(call.town, case, trusted=call.trusted)):
        whole = case
        if case.history and case.history[0].event != "opened" and case.history[0].at >= start:
            whole = store.load_whole(case.reference, call.deadline) or case
        found += [
            _update_data(call, whole, identifier, entry)
            for identifier, entry in open311.updates(whole)
            if start <= entry.at <= end
        ]
    found.sort(key=lambda each: (str(each["updated_datetime"]), str(each["update_id"])))
    first = (wanted.page - 1) * wanted.page_size
    size = wanted.page_size if "page" in request.query or "page_size" in request.query else spoken.FOUND_MAX
    return Answer(found[first : first + size], "service_request_updates", "request_update")


def _by_id(call: _Call, written: Sequence[str]) -> list[Case]:
    wanted = [reference for reference in map(references.normalise, written) if reference]
    own = [reference for reference in wanted if reference.startswith(f"{call.town.core['prefix']}-")]
    cases = CaseStore(call.town.slug).several(own, call.deadline) if own else ()
    return [case for case in cases if open311.is_shown(call.town, case, trusted=call.trusted)]


def _page(call: _Call, wanted: Wanted) -> list[Case]:
    """One page of what fits, in as few reads as that takes."""
    since = max(wanted.created[0], wanted.updated[0])
    first, found = (wanted.page - 1) * wanted.page_size, list[Case]()
    end = min(first + wanted.page_size, spoken.FOUND_MAX)
    for case in _changed(call, since, lambda case: _fits(call, wanted, case), end):
        found.append(case)
    return found[first:end]


def _fits(call: _Call, wanted: Wanted, case: Case) -> bool:
    return (
        open311.is_shown(call.town, case, trusted=call.trusted)
        and (not wanted.codes or case.category in wanted.codes)
        and (not wanted.statuses or bool({open311.status(case), open311.EXTENDED[case.status]} & set(wanted.statuses)))
        and _within(case.created_at, wanted.created)
        and _within(case.updated_at, wanted.updated)
    )


def _within(at: int, span: tuple[int, int]) -> bool:
    return at >= span[0] and (not span[1] or at <= span[1])


def _changed(call: _Call, since: int, wanted: Callable[[Case], bool], most: int = spoken.FOUND_MAX) -> list[Case]:
    """Cases changed since then that are `wanted`, last changed first, at most so many.

    Raises Faults 400 when too much lies between to be looked through in one request.
    """
    store, found, cursor, looked_at = CaseStore(call.town.slug), list[Case](), "", 0

    def counted(case: Case) -> bool:
        nonlocal looked_at
        looked_at += 1
        return wanted(case)

    while len(found) < most:
        page = store.changed_page(min(most - len(found), spoken.PAGE_SIZE_MAX), call.deadline, cursor, since, counted)
        found += page.cases
        if page.cursor is None:
            return found
        if looked_at >= LOOKED_AT_MAX:
            raise Faults([(400, "Too much lies between; ask for a later start_date, or for service_request_id.")])
        cursor = page.cursor
    return found


def _case(call: _Call, written: str) -> Case:
    """The request of an id. One that may not be shown is as unknown as any other."""
    found = _by_id(call, [unquote(written)])
    if not found:
        raise Faults([(404, "service_request_id was not found.")])
    return found[0]


def _data(call: _Call, case: Case) -> dict[str, Any]:
    """A request as it is told; nobody's name, phone or e-mail is in it."""
    town, each = call.town, open311.service(call.town, case.category)
    assert each is not None
    where, latitude, longitude = open311.place(town, case, trusted=call.trusted)
    return {
        "service_request_id": case.reference,
        "status": open311.status(case),
        "extended_status": open311.EXTENDED[case.status],
        "status_notes": _notes(call, case),
        "service_name": open311.title(town, each),
        "service_code": each.code,
        "description": _description(call, case),
        "agency_responsible": open311.office(town, case.office),
        "service_notice": None,
        "requested_datetime": spoken.time(case.created_at),
        "updated_datetime": spoken.time(case.updated_at),
        "expected_datetime": spoken.time(case.due_at),
        "address": erasing.masked(where, case) or None,
        "address_id": None,
        "zipcode": None,
        "lat": latitude,
        "long": longitude,
        "media_url": _photo(call, case),
    }


def _description(call: _Call, case: Case) -> str | None:
    if not open311.words_are_shown(call.town, case, trusted=call.trusted):
        return None
    return erasing.masked(str(case.fields.get("description", "")), case) or None


def _notes(call: _Call, case: Case) -> str:
    """How it stands; for whoever has a key also what the office wrote last, which is written to a person."""
    said = next((entry.note for entry in reversed(case.history) if entry.public and entry.note), "")
    return (erasing.masked(said, case) if call.trusted else "") or open311.status_label(call.town, case.status)


def _photo(call: _Call, case: Case) -> str | None:
    """A link to what came with it that holds for weeks: lists are kept, and opened later."""
    if not (call.trusted or open311.rules(call.town)["photos"]):
        return None
    shown = (file for file in case.attachments if file.state == CHECKED and (call.trusted or file.type == "photo"))
    file, origin = next(shown, None), origin_of(call.request.headers)
    if file is None or not origin:
        return None
    return file_links.named(origin, case.tenant, case.reference, file, call.now, our_links.key(call.deadline))


def _update_data(call: _Call, case: Case, identifier: str, entry: Happening) -> dict[str, Any]:
    said = erasing.masked(entry.note, case) if call.trusted and entry.public else ""
    return {
        "update_id": identifier,
        "service_request_id": case.reference,
        "status": open311.EXTENDED[entry.status],
        "description": said or open311.status_label(call.town, entry.status),
        "updated_datetime": spoken.time(entry.at),
        "media_url": None,
    }


# --- filing -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Report:
    """A request as checked: answers by the slots of the form, where, who, and what belongs to it."""

    each: Service
    fields: Mapping[str, Any]
    place: Place | None
    applicant: Mapping[str, str]
    files: Sequence[bytes]
    links: Sequence[str]


def post_request(tenant: str, request: Request, now: float) -> Answer:
    """File a request: the id of the case it became. With an Idempotency-Key a repeat answers the same."""
    call, given = _posted(tenant, request, now)
    report = _checked(call, given)
    return _once(call, "requests", given, lambda once: _file(call, report, once))


def _posted(tenant: str, request: Request, now: float) -> tuple[_Call, Form]:
    given = spoken.form(request.body, request.headers)
    query = {name: given.get(name) for name in ("api_key", "jurisdiction_id") if given.get(name)}
    call = _begun(tenant, replace(request, query={**request.query, **query}), now)
    if call.key is None:
        raise Faults([(403, "api_key was not provided.")])
    return call, given


def _checked(call: _Call, given: Form) -> _Report:
    """The report. Raises Faults with everything that is missing or wrong."""
    code = given.get("service_code")
    if not code:
        raise Faults([(400, "service_code was not provided.")])
    each, faults = _service(call, code), list[str]()
    answers = _answers(each, given, faults)
    where = _place(call, each, given, faults)
    applicant = _applicant(each, given, faults)
    links = given.links()
    if len(links) + len(given.files) > spoken.MEDIA_MAX:
        faults.append(f"media_url: at most {spoken.MEDIA_MAX} photos.")
    if any(len(link) > spoken.LINK_CHARS_MAX or not link.startswith(_schemes()) for link in links):
        faults.append("media_url is an address with https.")
    if each.problem.get("photo") == "required" and not (links or given.files):
        faults.append("media or media_url was not provided; this service needs a photo.")
    if faults:
        raise Faults([(400, words) for words in faults])
    description = {"description": given.get("description")} if given.get("description") else {}
    street = (address_in(where.text) or {}).get("street", "") if where else ""
    own = {"street_folded": fold(street)} if street else {}
    return _Report(each, {**description, **answers, **own}, where, applicant, given.files, links)


def _schemes() -> tuple[str, ...]:
    """A photo lies where anybody may look; only a stage of one's own also fetches from this machine."""
    return ("https://", "http://") if os.environ.get("SALTER_STAGE") in ("local", "test") else ("https://",)


def _answers(each: Service, given: Form, faults: list[str]) -> dict[str, Any]:
    answers = {}
    for question in each.questions:
        try:
            value = open311.answered(question, given.attributes.get(question["id"], ()))
        except BadValue as bad:
            faults.append(f"attribute[{question['id']}] {bad}.")
            continue
        if value is not None:
            answers[each.slot(question)] = value
        elif not question["optional"]:
            faults.append(f"attribute[{question['id']}] was not provided.")
    return answers


def _place(call: _Call, each: Service, given: Form, faults: list[str]) -> Place | None:
    words = " ".join(given.get("address_string").split()) or given.get("address_id")
    if len(words) > spoken.PLACE_CHARS_MAX:
        faults.append(f"address_string has more than {spoken.PLACE_CHARS_MAX} characters.")
    try:
        pin = spoken.pin(given)
    except ValueError:
        faults.append("lat and long are a point in degrees (WGS84).")
        return None
    if pin and not within(call.town, *pin):
        faults.append("lat and long lie outside the town.")
    if not pin and not words:
        if each.problem.get("place", True):
            faults.append("lat and long, or address_string, was not provided.")
        return None
    return Place(words, *(pin or (None, None)))


def _applicant(each: Service, given: Form, faults: list[str]) -> dict[str, str]:
    name = " ".join(f"{given.get('first_name')} {given.get('last_name')}".split())
    found = {"name": name, "phone": given.get("phone"), "email": given.get("email")}
    faults += [f"{field} is too long." for field, value in found.items() if len(value) > 2 * spoken.NAME_CHARS_MAX]
    if not each.problem.get("anonymous", True):
        needed = {"first_name and last_name": name, "phone": found["phone"]}
        faults += [f"{field} was not provided." for field, value in needed.items() if not value]
    return {field: value for field, value in found.items() if value}


def _file(call: _Call, report: _Report, once: _Once) -> dict[str, Any]:
    """The case with its photos, each checked like any other; nothing of it without the rest."""
    assert call.key is not None
    by = f"{lifecycle.API}:{call.key.id}"
    sources = [*(_uploaded(call, data) for data in report.files), *report.links]

    def make(reference: str) -> Case:
        files = tuple(
            Attachment(str(n), "photo", 0, WAITING, _key(call, reference, source))
            for n, source in enumerate(sources, 1)
        )
        return completed(call.town, _new_case(call, report, reference, files), by, call.now)

    def beside(case: Case) -> list[Write]:
        rows = [row for source in sources for row in _fetching(call, case.reference, source)]
        place = near.item(case, case.created_at)
        return [*rows, *([place] if place else []), *once.remembering({"reference": case.reference}, call.now)]

    case = open_case(call.town, make, call.deadline, beside)
    return {"reference": case.reference}


def _new_case(call: _Call, report: _Report, reference: str, files: tuple[Attachment, ...]) -> Case:
    return Case(
        tenant=call.town.slug,
        reference=reference,
        kind=open311.KIND,
        status="received",
        subject=open311.title(call.town, report.each),
        created_at=int(call.now),
        updated_at=int(call.now),
        category=report.each.code,
        channel=open311.CHANNEL,
        voice=call.town.default_voice,
        fields=report.fields,
        place=report.place,
        attachments=files,
        applicant=report.applicant,
    )


def _uploaded(call: _Call, data: bytes) -> str:
    """Where the bytes lie until they are checked; the same bytes again lie in the same place."""
    assert call.key is not None
    name = hashlib.blake2b(data, digest_size=16).hexdigest()
    source = keys.upload(call.town.slug, f"{open311.CHANNEL}-{call.key.id}", f"{int(call.now)}-{name}")
    bucket = os.environ["SALTER_MEDIA_BUCKET"]
    aws.put_object(bucket, source, data, "application/octet-stream", call.deadline)
    return source


def _key(call: _Call, reference: str, source: str) -> str:
    return keys.media_object(call.town.slug, open311.CHANNEL, reference, source)


def _fetching(call: _Call, reference: str, source: str) -> list[Write]:
    key = _key(call, reference, source)
    arrived = keep_media.Arrival(source, key, "photo", f"{open311.CHANNEL}:{call.town.slug}", reference)
    record = media.item(Medium(call.town.slug, key, "photo", cases=(reference,)), call.now)
    return [record, outbox.write(call.town.slug, keep_media.KIND, keep_media.asked(arrived, call.now), call.now)]


# --- updates ----------------------------------------------------------------------------------------------------


def post_update(tenant: str, request: Request, now: float, holder: str) -> Answer:
    """A word about a request, as FixMyStreet posts it. With the scope `cases:write` it is the office's: its words go to
    the citizen and its status moves the case. Any other key's words are a note for the office."""
    call, given = _posted(tenant, request, now)
    missing = [
        name for name in ("service_request_id", "update_id", "status", "updated_datetime") if not given.get(name)
    ]
    if missing:
        raise Faults([(400, f"{name} was not provided.") for name in missing])
    if open311.known(given.get("status")) not in open311.STATUSES:
        raise Faults([(400, f"status is one of {', '.join(open311.STATUSES)}.")])
    case = _case(call, given.get("service_request_id"))
    named = f"{case.reference} {given.get('update_id')}"
    return _once(
        call,
        "servicerequestupdates",
        given,
        lambda once: _told(call, case, given, holder, once),
        named,
        ("service_request_updates", "request_update"),
    )


def _told(call: _Call, case: Case, given: Form, holder: str, once: _Once) -> dict[str, Any]:
    assert call.key is not None
    words, office = given.get("description"), WRITE in call.key.scopes
    wanted = open311.ours(given.get("status"), {}) if office else ""
    moves = wanted != case.status and lifecycle.may(lifecycle.API, case, wanted)
    event = Event(
        int(call.now),
        f"{lifecycle.API}:{call.key.id}",
        status=wanted if moves else "",
        name="" if office and (moves or words) else UPDATED,
        note="" if office else words,
        public_note=words if office else "",
    )

    def beside(changed: Case) -> list[Write]:
        return once.remembering({"update": open311.update_id(changed, changed.history[-1])}, call.now)

    try:
        changed = change_case(
            call.town, case.reference, event, call.now, holder, call.deadline, beside, lambda: _still_wanted(call, once)
        )
    except NoCase as error:
        raise Faults([(404, "service_request_id was not found.")]) from error
    except NotAllowed as refused:
        raise Faults([(400, refused.message)]) from refused
    return {"update": open311.update_id(changed, changed.history[-1])}


# --- who asks, and once -----------------------------------------------------------------------------------------


def _begun(tenant: str, request: Request, now: float) -> _Call:
    """The call. Raises Faults 403 (a key that is none, or may not), 404 (no such town or jurisdiction), TooMany."""
    deadline = Deadline(REQUEST_SECONDS)
    token = request.query.get("api_key", "") or bearer(request.headers)
    key = api_keys.find(token, deadline) if token else None
    if token and (key is None or key.town != tenant or SCOPE not in key.scopes):
        raise Faults([(403, f"api_key is not one of this town's with the scope {SCOPE}.")])
    town = known.town(tenant, deadline) if _SLUG.fullmatch(tenant) else None
    if town is None:
        raise Faults([(404, "There is no such town.")])
    pace.take(key or ApiKey(town.slug, ANYBODY, "", frozenset()), now, deadline)
    if key is not None:
        api_keys.note_use(key, now, deadline)
    asked = request.query.get("jurisdiction_id", "").strip().lower()
    own = str(open311.rules(town).get("jurisdiction") or "").lower()
    if asked and asked not in (town.slug, own):
        raise Faults([(404, f"jurisdiction_id {spoken.clean(asked)[:60]} was not found.")])
    return _Call(town, key, request, now, deadline)


def _once(
    call: _Call,
    path: str,
    given: Form,
    act: Callable[[_Once], dict[str, Any]],
    named: str = "",
    xml: tuple[str, str] = ("service_requests", "request"),
) -> Answer:
    """Do it, or answer as before. `named`: what the caller calls it in the form itself; else the Idempotency-Key does,
    if there is one."""
    assert call.key is not None
    name = named or idempotency_key(call.request.headers)
    pk = idempotency.name(call.town.slug, call.key.id, f"{path} {name}") if name else ""
    fingerprint = _fingerprint(given)
    for attempt in range(ONCE_TRIES_MAX):
        remembered, version = idempotency.load(pk, call.now, call.deadline) if pk else (None, 0)
        if remembered:
            if not named and remembered.request != fingerprint:
                raise Faults([(422, "This Idempotency-Key was used for another request.")])
            return _answered(remembered.answer, xml)
        try:
            return _answered(act(_Once(pk, version, fingerprint)), xml)
        except (Superseded, Conflict):
            time.sleep(random.random() * JITTER_SECONDS * (attempt + 1))
    raise Unavailable("conflicts")


def _answered(kept: Mapping[str, Any], xml: tuple[str, str]) -> Answer:
    if "update" in kept:
        return Answer([{"update_id": kept["update"]}], *xml, status=201)
    return Answer([{"service_request_id": kept["reference"], "service_notice": None, "account_id": None}], *xml, 201)


def _still_wanted(call: _Call, once: _Once) -> bool:
    """False once somebody else answered this very request."""
    return idempotency.load(once.pk, call.now, call.deadline)[0] is None


def _fingerprint(given: Form) -> str:
    """What tells one request from another: the form as read, for a boundary differs each time it is sent."""
    parts = [repr((sorted(given.fields.items()), sorted(given.attributes.items()))).encode("utf-8", "replace")]
    return idempotency.fingerprint(*parts, *given.files)
