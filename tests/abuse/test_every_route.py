"""Every door with another town's sign-in, key, token or link, made from the table of routes itself.

A new route fails here until somebody has said what of another town could be asked for through it: what stands in each
hole of its address (`HOLES`), or that it belongs to nobody (`PUBLIC`), or who answers for it (`GROUPS`).
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from secrets import token_hex
from typing import Any

import pytest
from chalice.test import Client

import app
from chalicelib import signed
from chalicelib.actions import call_by_link, note_refusal, our_links
from chalicelib.actions.publish_tenant import publish_tenant
from chalicelib.channels.web import token as tokens
from chalicelib.console import permissions
from chalicelib.console.routes import PAGES, Page
from chalicelib.model import Announcement, Attachment, Audience, Case, Follower, Staff, Volunteer
from chalicelib.storage import api_keys, audit, dynamo, imports, invitations, keys, orders, volunteers
from chalicelib.storage.announcements import AnnouncementStore
from chalicelib.storage.cases import CaseStore
from chalicelib.storage.invitations import Invitation
from chalicelib.storage.orders import Order
from tests import dump
from tests.console.clerk import Clerk, employed, filed, seated, soon
from tests.console.test_content import written as drafted
from tests.integrations.system import System
from tests.shows import Measure
from tests.taps import Written, tapped
from tests.viber import callback, message
from tests.world import NOON, World, compiled

SECRET = "Tuđa-tajna-Ćirić"
NEVER_CASE = "PR-AAAA-AAA"
FIELDS = {"what": "phone", "v": "1", "status": "in_progress", "note": "x", "to": "", "text": "x", "role": "admin"}
FIELDS |= {"text.sr": "x", "topic": "", "at": "", "type": "image/jpeg", "size": "9", "file": "f" * 24}
# Doors that show nothing of anybody: no sign-in, and no id of a person's matter in the address.
PUBLIC = {
    "/health",
    "/widget.js",
    "/assets/{name}",
    "/t/{tenant}",
    "/t/{tenant}/colours.css",
    "/chat/{tenant}",
    "/chat/{tenant}/look",
    "/chat/{tenant}/sessions",
    "/api/v1/openapi.json",
    "/api/v1/reference",
}
# Who looks at a route with a hole in its address, by how the address begins.
GROUPS = (
    "/viber/",
    "/chat/",
    "/files/",
    "/pictures/",
    "/api/v1/{tenant}/",
    "/open311/{tenant}/v2/",
    "/console/",
    "/crew/",
    "/help/",
)
INLINE = re.compile(r"<script(?![^>]*\ssrc=)(?![^>]*type=\"application/json)|\son\w+=\"|\sstyle=\"")
ROUTES = sorted((method, path) for path, methods in app.app.routes.items() for method in methods)
STAFFED = [page for page in PAGES if page.permission != permissions.OPEN]


def _named(page: Page) -> str:
    return f"{page.method} {page.path}"


@dataclass(frozen=True)
class Theirs:
    """The other town, and the ids of what it has."""

    slug: str
    case: Case
    chat: Case
    sign_up: Case
    colleague: Staff
    key: str
    announcement: str
    job: str
    crew: str
    help: str
    sheet: str
    invitation: str


@pytest.fixture
def written() -> Iterator[Written]:
    with tapped(Written()) as tap:
        yield tap


@pytest.fixture
def theirs(town: World, monkeypatch: pytest.MonkeyPatch) -> Theirs:
    """Another town with one of everything."""
    monkeypatch.setattr("chalicelib.actions.case_api.REQUEST_SECONDS", 60.0)
    note_refusal._noted.clear()
    slug = f"{town.slug}-b"
    publish_tenant(compiled(slug), NOON, "live")
    System(slug)
    return one_of_everything(slug, town.now, SECRET)


def one_of_everything(slug: str, now: float, said: str) -> Theirs:
    """Whatever a page of this town can show; wherever words may stand, these do."""
    photo = Attachment("1", "photo", 9, "checked", f"T/{slug}/media/y/z")
    case = filed(slug, now, kind="problem", category="road", subject=said, attachments=(photo,))
    visitor = Follower(f"web:{slug}", "c" * 24)
    chat = filed(slug, now, kind="chat", subject=said, fields={"topic": said}, owner=visitor)
    sign_up = filed(slug, now, kind="volunteer", subject=said, applicant={"name": said})
    announced = Announcement(token_hex(8), slug, {"sr": said}, Audience(), "staff:x", int(now))
    job = imports.Import(slug, token_hex(12), "k", "staff:x", int(now), name=said)
    crew = orders.token(slug, case.reference, "s" * 24)
    order = Order(slug, case.reference, keys.secret_digest(crew), said, "a@b.example", "x", int(now), int(now) + 9)
    help_wanted = filed(slug, now, kind="assistance", category="food", fields={"what": said}, assignee=None)
    at = Follower(f"viber:{slug}", f"v{sign_up.reference}")
    called = replace(help_wanted, call={"round": 1, "wave": 2, "asked": [[at.account, at.citizen]], "left": []})
    CaseStore(slug).save(called, soon())
    dynamo.transact(volunteers.items(slug, Volunteer(sign_up.reference, "Ana", at), now), soon())
    content = f"{slug}.{called.reference.replace('-', '')}.1.0.0.{int(now) + 9999}"
    helper = signed.sign(call_by_link.PURPOSE, content, our_links.key(soon()))
    letter = Invitation(slug, token_hex(8), said, "asked", "x", "staff:x", int(now), 1, 1)
    store = AnnouncementStore(slug)
    rows = [store.item(announced), store.listed(announced), imports.item(job), imports.listed(job), orders.item(order)]
    rows += [invitations.item(letter), invitations.listed(letter)]
    dynamo.transact(rows, soon())
    key = api_keys.all_of(slug, now, soon())[0].id
    colleague = employed(slug, "clerk", name=said)
    new = drafted(seated(employed(slug, "admin"), now), "/console/content/new/sheets", title=said)
    sheet = new.leads_to.rpartition("/")[2].partition("?")[0]
    return Theirs(slug, case, chat, sign_up, colleague, key, announced.id, job.id, crew, helper, sheet, letter.id)


# What stands in a hole of a page's address, by what stands before it: the other town's id, and one nobody has.
HOLES: dict[str, Any] = {
    "live/{reference}": lambda theirs: (theirs.chat.reference, NEVER_CASE),
    "cases/{reference}": lambda theirs: (theirs.case.reference, NEVER_CASE),
    "files/{number}": lambda theirs: ("1", "1"),
    "volunteers/{reference}": lambda theirs: (theirs.sign_up.reference, NEVER_CASE),
    "{room}/{name}": lambda theirs: (theirs.sheet, "nothing_ever"),
    "announcements/{identifier}": lambda theirs: (theirs.announcement, "0" * 16),
    "invitations/{identifier}": lambda theirs: (theirs.invitation, "0" * 16),
    "systems/{callback}": lambda theirs: ("theirs", "nothing"),
    "import/{job}": lambda theirs: (theirs.job, "n" * 24),
    "imports/{identifier}": lambda theirs: (theirs.job, "n" * 24),
    "staff/{person}": lambda theirs: (theirs.colleague.id, "00000000"),
    "towns/{town}": lambda theirs: (theirs.slug, "nothing"),
    "keys/{key}": lambda theirs: (theirs.key, "0" * len(theirs.key)),
}
# These answer before they look: nothing to take back, no finished upload. The answer only has to be the same one.
HARMLESS = {"content_form.undo": 303, "announcements.picture": 409}
# Words of the product in an address, the same in every town.
WORDS = {"edit/{room}": "sheets", "new/{room}": "sheets"}
BODIES = {
    "cases": {"subject": "x", "applicant": {"name": "x"}},
    "cases/events": {"number": "1/26", "note": "x"},
    "cases/{reference}/events": {"note": "x", "status": "in_progress"},
    "cases/import": b"broj;predmet;ime\n1/26;A;B\n",
    "imports": {},
    "announcements": {"text": {"sr": "x"}},
    "announcements/{identifier}/approve": {},
    "announcements/{identifier}/stop": {},
}


def _holes(path: str) -> list[str]:
    """`cases/{reference}` for every hole, the town's own left out."""
    steps = path.strip("/").split("/")
    holes = [f"{before}/{step}" for before, step in zip(steps, steps[1:], strict=False) if step.startswith("{")]
    return [hole for hole in holes if not hole.endswith("/{tenant}")]


def _filled(path: str, theirs: Theirs) -> tuple[str, str]:
    """The address with the other town's ids, and with ids nobody has."""
    foreign = never = path
    for hole in _holes(path):
        name = hole.rpartition("/")[2]
        one, none = HOLES[hole](theirs) if hole in HOLES else (WORDS[hole], WORDS[hole])
        foreign, never = foreign.replace(name, one, 1), never.replace(name, none, 1)
    return foreign, never


def test_nobody_adds_a_route_without_saying_whose_matters_it_opens() -> None:
    strange = [path for _, path in ROUTES if "{" in path and path not in PUBLIC and not path.startswith(GROUPS)]
    assert not strange, "say in GROUPS which test asks for another town's matters there, or that it is PUBLIC"
    paths = [page.path for page in STAFFED] + [path for _, path in ROUTES if path.startswith("/api/v1/{tenant}/")]
    unfilled = sorted({hole for path in paths for hole in _holes(path)} - set(HOLES) - set(WORDS))
    assert not unfilled, "say in HOLES which id of another town could stand there"
    posted = {path.removeprefix("/api/v1/{tenant}/") for method, path in ROUTES if method == "POST"}
    unsaid = sorted(path for path in posted if f"/api/v1/{{tenant}}/{path}" in app.app.routes and path not in BODIES)
    assert not unsaid, "say in BODIES what a town's system sends there"
    open_pages = {page.path.split("/")[1] for page in PAGES if page.permission == permissions.OPEN}
    assert open_pages == {"console", "crew", "help"}, "a page without a sign-in is asked for another town's link here"


def test_what_is_asked_for_here_opens_to_its_own_town(town: World, theirs: Theirs) -> None:
    """Else the tests below would prove nothing."""
    clerk = seated(employed(theirs.slug, "admin"), town.now)
    for page in STAFFED:
        if page.permission == permissions.TOWNS or page.view == "live.said":  # no town's; somebody must have spoken
            continue
        if _holes(page.path) and not page.writes:
            assert clerk.get(_filled(page.path, theirs)[0]).status in (200, 204, 302), _named(page)
    assert Clerk().get(f"/crew/{theirs.crew}").status == 200
    assert Clerk().get(f"/help/{theirs.help}").status == 200
    key = System(theirs.slug).token
    for method, path in ROUTES:
        if method == "GET" and path.startswith("/api/v1/{tenant}/") and _holes(path):
            rest = _filled(path, theirs)[0].removeprefix("/api/v1/{tenant}/")
            assert _asks(theirs.slug, key, method, rest, {})[0] == 200, path


@pytest.mark.shows("A4", "A23", "R6")
def test_no_page_of_the_staff_opens_what_another_town_has_and_whoever_tried_is_on_record(
    town: World, theirs: Theirs, written: Written, measured: Measure
) -> None:
    admin = employed(town.slug, "admin")
    clerk, asked = seated(admin, town.now), set[str]()
    for page in STAFFED:
        if set(_holes(page.path)) <= set(WORDS):
            continue
        foreign, never = _filled(page.path, theirs)
        told, unknown = (clerk.post(path, FIELDS) if page.writes else clerk.get(path) for path in (foreign, never))
        if page.view not in HARMLESS:
            asked.add(page.path)
        assert (told.status, _without_ids(told.body)) == (unknown.status, _without_ids(unknown.body)), _named(page)
        assert told.status in ((HARMLESS[page.view],) if page.view in HARMLESS else (403, 404)), (
            _named(page),
            told.status,
        )
        assert SECRET not in told.body and theirs.slug not in told.body, _named(page)
    for page in STAFFED:
        if not page.writes and not _holes(page.path) and page.permission != permissions.TOWNS:
            assert SECRET not in clerk.get(f"{page.path}?q={theirs.case.reference}").body, _named(page)
    _nothing_written(written, theirs)
    acts = town.acts()
    tried = {act.detail["page"] for act in acts if act.what == note_refusal.WHAT and act.by == admin.by}
    assert tried == asked
    measured("A4", f"{len(asked)} addresses of staff pages with another town's ids: all refused, 0 writes, on record")


@pytest.mark.campaign
@pytest.mark.shows("A4", "R6")
@pytest.mark.parametrize("role", sorted({role for roles in permissions.MAY.values() for role in roles} - {"admin"}))
def test_no_role_opens_what_another_town_has(town: World, theirs: Theirs, written: Written, role: str) -> None:
    clerk = seated(employed("platform" if role == "platform" else town.slug, role), town.now)
    for page in STAFFED:
        if set(_holes(page.path)) <= set(WORDS) or (role == "platform" and page.permission == permissions.TOWNS):
            continue
        foreign, never = _filled(page.path, theirs)
        told, unknown = (clerk.post(path, FIELDS) if page.writes else clerk.get(path) for path in (foreign, never))
        assert (told.status, _without_ids(told.body)) == (unknown.status, _without_ids(unknown.body)), _named(page)
        assert told.status in (403, 404, HARMLESS.get(page.view)), (_named(page), told.status)
        assert SECRET not in told.body and theirs.slug not in told.body, _named(page)
    _nothing_written(written, theirs)


def test_a_page_that_asks_again_and_again_is_on_record_once(town: World, theirs: Theirs) -> None:
    clerk = seated(employed(town.slug), town.now)
    for _ in range(5):
        clerk.get(f"/console/cases/{theirs.case.reference}/standing")
    assert clerk.get("/console/staff").status == 403
    acts = town.acts()
    refused = [(act.about, act.detail["page"]) for act in acts if act.what == note_refusal.WHAT]
    assert sorted(refused) == [
        ("", "/console/staff"),
        (theirs.case.reference, "/console/cases/{reference}/standing"),
    ]


@pytest.mark.shows("A26")
def test_every_look_at_what_somebody_told_the_town_is_on_record(town: World, theirs: Theirs) -> None:
    person = employed(theirs.slug, "admin")
    clerk, read = seated(person, town.now), 0
    for page in STAFFED:
        about_one = set(_holes(page.path)) & {"cases/{reference}", "live/{reference}"}
        if page.writes or not about_one or page.view in ("case.standing", "live.said"):  # parts of a page that is open
            continue
        before = _acts(theirs.slug, person.by)
        shown = clerk.get(_filled(page.path, theirs)[0])
        assert shown.status in (200, 302), _named(page)
        after = _acts(theirs.slug, person.by)
        assert len(after) == len(before) + 1, _named(page)
        read += 1
    assert read >= 4


@pytest.mark.shows("A20", "A15")
def test_no_form_of_the_console_and_no_door_of_a_system_stores_a_field_nobody_asked_for(
    town: World, theirs: Theirs, measured: Measure
) -> None:
    """Every form of a town's own admin, with everything there is, and names of what is stored beside."""
    mark = f"smuggled{theirs.slug.replace('-', '')}"
    stored = ("pk", "sk", "shape", "exp", "v", "owner", "filer", "history", "sealed", "access_hash", "tenant")
    more = dict.fromkeys((*stored, "citizen", "__proto__", "person[role]", "constructor[role]"), mark)
    clerk, forms, doors = seated(employed(theirs.slug, "admin"), town.now), 0, 0
    last = ("POST /console/sign-out", "POST /console/sign-out/everywhere")
    for page in sorted(STAFFED, key=lambda page: _named(page) in last):
        if page.writes and page.permission != permissions.TOWNS:
            status = clerk.post(_filled(page.path, theirs)[0], more | FIELDS).status
            assert status < 500, _named(page)
            forms += 1
    for method, path in ROUTES:
        rest = path.removeprefix("/api/v1/{tenant}/")
        if method == "POST" and rest in BODIES and isinstance(BODIES[rest], dict):
            at = _filled(path, theirs)[0].removeprefix("/api/v1/{tenant}/")
            status, _ = _asks(theirs.slug, System(theirs.slug).token, method, at, more | BODIES[rest])
            assert status in (400, 404, 409, 422), (path, status)
            doors += 1
    assert dump.where(theirs.slug, mark) == []
    measured("A20", f"{forms} forms and {doors} doors of systems with {len(more)} fields nobody asked for: 0 stored")


@pytest.mark.shows("A7", "A19")
def test_no_page_lets_in_anything_foreign_or_inline_or_may_be_framed_by_others(
    town: World, theirs: Theirs, measured: Measure
) -> None:
    clerk, looked = seated(employed(theirs.slug, "admin"), town.now), 0
    public = [path for method, path in ROUTES if method == "GET" and path.startswith(("/t/{tenant}", "/chat/{tenant}"))]
    paths = [_filled(page.path, theirs)[0] for page in PAGES if not page.writes and "{token}" not in page.path]
    paths += [path.replace("{tenant}", theirs.slug) for path in public]
    paths += [f"/crew/{theirs.crew}", f"/help/{theirs.help}", "/api/v1/reference"]
    for path in paths:
        if "{" in path:
            continue
        page = clerk.get(path)
        if page.status != 200 or not page.headers.get("Content-Type", "").startswith("text/html"):
            continue
        policy = page.headers["Content-Security-Policy"]
        assert "unsafe" not in policy and "*" not in policy and "default-src 'none'" in policy, path
        assert re.search(r"frame-ancestors '(none|self)'", policy) and "base-uri 'none'" in policy, path
        assert page.headers["X-Content-Type-Options"] == "nosniff", path
        assert not re.search(
            r"<script(?![^>]*\ssrc=)(?![^>]*type=\"application/json)|\son\w+=\"|\sstyle=\"", page.body
        ), path
        looked += 1
    assert looked > 25
    measured("A7", f"{looked} pages: nothing inline, nothing foreign, no frame of others")


@pytest.mark.shows("A4", "R6")
def test_no_key_opens_what_another_town_has(town: World, theirs: Theirs, written: Written, measured: Measure) -> None:
    ours, asked = System(town.slug), 0
    for method, path in ROUTES:
        if not path.startswith("/api/v1/{tenant}/"):
            continue
        rest = path.removeprefix("/api/v1/{tenant}/")
        foreign, never = (filled.removeprefix("/api/v1/{tenant}/") for filled in _filled(path, theirs))
        body = BODIES.get(rest, {})
        if _holes(path):
            told, unknown = (_asks(town.slug, ours.token, method, at, body) for at in (foreign, never))
            assert told == unknown and told[0] == 404, (method, path, told)
        for at, token in ((theirs.slug, ours.token), (theirs.slug, ""), (theirs.slug, ours.token + "x")):
            refused = _asks(at, token, method, foreign, body)
            assert refused[0] in (401, 403, 404), (method, path, refused)
            assert SECRET not in refused[1]
        asked += 1
    _nothing_written(written, theirs)
    measured("A4", f"{asked} calls of the case API with another town's key and ids: all refused, 0 writes")


@pytest.mark.shows("A4", "R6")
def test_no_token_link_or_signature_of_one_town_is_good_in_another(
    town: World, theirs: Theirs, written: Written
) -> None:
    key = our_links.key(soon())
    token = tokens.issue(tokens.Session(theirs.slug, "a" * 24, int(time.time())), key)
    bearer = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    said = json.dumps({"id": "1", "type": "text", "text": "zdravo"}).encode()
    for method, path in ROUTES:
        if path in PUBLIC or method == "OPTIONS" or not path.startswith("/chat/"):
            continue
        assert _sends(method, path.replace("{tenant}", town.slug), bearer, said)[0] == 401, path
    signed = callback(f"token-of-{theirs.slug}", message("mira", "zdravo"))
    assert _sends("POST", f"/viber/{town.slug}", signed.headers, signed.body)[0] == 403
    for name in ("photo.jpg", "small.jpg"):
        assert _sends("GET", f"/pictures/{town.slug}/{theirs.announcement}/{name}", {}, b"")[0] == 404
    for page in PAGES:
        if "{token}" in page.path:
            moved = (theirs.crew if page.path.startswith("/crew/") else theirs.help).replace(theirs.slug, town.slug)
            at = page.path.replace("{token}", moved).replace("{number}", "1")
            answer = Clerk().post(at, FIELDS) if page.writes else Clerk().get(at)
            assert answer.status == 404 and SECRET not in answer.body, page.path
    _nothing_written(written, theirs)


@pytest.mark.shows("A4", "R6")
def test_no_program_that_speaks_open311_reads_or_files_in_another_town(
    town: World, theirs: Theirs, written: Written
) -> None:
    ours, reference = System(town.slug).token, theirs.case.reference
    for method, path in ROUTES:
        if not path.startswith("/open311/"):
            continue
        for resource in ("requests", "tokens", "services", "servicerequestupdates"):
            at = path.replace("{resource}", resource).replace("{item}", f"{reference}.json")
            read = _sends(method, f"{at.replace('{tenant}', town.slug)}?api_key={ours}", {}, b"")
            assert SECRET not in read[1] and (read[0] == 404 or reference not in read[1]), at
            there = _sends("GET", f"{at.replace('{tenant}', theirs.slug)}?api_key={ours}", {}, b"")
            assert there[0] in (403, 404) and SECRET not in there[1], (at, there)
            if method == "POST":
                form = f"api_key={ours}&service_code=road&lat=45.7&long=19.1&service_request_id={reference}".encode()
                kind = {"Content-Type": "application/x-www-form-urlencoded"}
                refused = _sends(method, at.replace("{tenant}", theirs.slug), kind, form)
                assert refused[0] in (400, 401, 403, 404, 405), (at, refused)
    _nothing_written(written, theirs)


@pytest.mark.shows("A4", "A15")
def test_without_a_sign_in_key_or_token_no_door_opens(town: World, theirs: Theirs) -> None:
    for method, path in ROUTES:
        if path in PUBLIC or method == "OPTIONS" or not path.startswith(("/chat/", "/viber/", "/api/v1/{tenant}/")):
            continue
        at = re.sub(r"\{\w+\}", "nothing", path.replace("{tenant}", theirs.slug).replace("{account}", town.slug))
        for headers in ({}, {"Authorization": "Bearer x"}, {"Authorization": "Basic eDp4"}):
            assert _sends(method, at, {"Content-Type": "application/json"} | headers, b"{}")[0] in (401, 403), path


# --- parts ------------------------------------------------------------------------------------------------------


def _sends(method: str, path: str, headers: dict[str, str], body: bytes) -> tuple[int, str]:
    with Client(app.app) as client:
        response = client.http.request(method, path, headers={"Host": "salter.example"} | headers, body=body)
    return response.status_code, response.body.decode("utf-8", "replace")


def _asks(town: str, token: str, method: str, path: str, body: Any) -> tuple[int, str]:
    raw, kind = (body, "text/csv") if isinstance(body, bytes) else (json.dumps(body).encode(), "application/json")
    headers = {"Authorization": f"Bearer {token}", "Content-Type": kind}
    return _sends(method, f"/api/v1/{town}/{path}", headers, raw if method == "POST" else b"")


def _acts(slug: str, by: str) -> list[audit.Act]:
    return [act for act in audit.of_day(slug, "2026-03-10", soon())[0] if act.by == by]


def _without_ids(body: str) -> str:
    return re.sub(r"said=\w+", "", body)


def _nothing_written(written: Written, theirs: Theirs) -> None:
    touched = [body[:200] for body in written.bodies if f"T#{theirs.slug}#" in body]
    assert touched == []
