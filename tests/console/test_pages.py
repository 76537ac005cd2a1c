"""Role × page × town, made from the table of pages itself: who is let in, who is not, and what nobody can forget."""

from __future__ import annotations

import re

import pytest

from chalicelib.actions.publish_tenant import publish_tenant
from chalicelib.console import door, permissions
from chalicelib.console.routes import PAGES, Page
from chalicelib.model import ROLES, Staff
from chalicelib.storage.staff import PLATFORM
from tests.console.clerk import ORIGIN, Clerk, employed, filed, seated
from tests.world import NOON, World, compiled

TOWN_ROLES = tuple(role for role in ROLES if role != PLATFORM)
EVERYBODY = set(TOWN_ROLES)
# Who opens what, written a second time by hand from the table of roles: whoever widens a permission changes both.
OPENS = {
    "own": {*EVERYBODY, PLATFORM},
    "cases": EVERYBODY,
    "chats": {"operator", "admin"},
    "steer": {"head", "admin"},
    "counter": {"clerk", "head", "admin"},
    "announce": {"head", "admin"},
    "approve": {"head", "admin"},
    "volunteers": {"coordinator", "admin"},
    "content": {"admin"},
    "figures": {"head", "admin"},
    "systems": {"admin"},
    "staff": {"admin"},
    "keys": {"admin"},
    "audit": {"admin"},
    "towns": {PLATFORM},
}
NEVER = "PR-AAAA-AAA"  # a reference no case has
CLOSED = [page for page in PAGES if page.permission != permissions.OPEN]
WRITING = [page for page in PAGES if page.writes]


def _named(page: Page) -> str:
    return f"{page.method} {page.path}"


def _address(page: Page, **values: str) -> str:
    """The page's path with the values it needs; what it does not name gets something nobody has."""
    return re.sub(r"\{(\w+)\}", lambda match: values.get(match[1], "nothing"), page.path)


def _visits(clerk: Clerk, page: Page, path: str) -> int:
    return (clerk.post(path) if page.writes else clerk.get(path)).status


def test_a_page_without_a_permission_that_exists_cannot_be_made() -> None:
    for permission in ("", "everything", "Cases"):
        with pytest.raises(ValueError, match="no permission"):
            Page("GET", "/console/new", permission, "inbox.show")


def test_every_permission_says_which_roles_have_it_and_no_address_stands_twice() -> None:
    assert {page.permission for page in PAGES} - {permissions.OPEN} <= set(OPENS)
    assert len({(page.method, page.path) for page in PAGES}) == len(PAGES)
    assert {page.method for page in PAGES} <= {"GET", "POST"}


@pytest.mark.shows("T5")
@pytest.mark.parametrize("page", CLOSED, ids=_named)
def test_nobody_signed_in_is_led_to_the_sign_in_page(town: World, page: Page) -> None:
    for clerk in (Clerk(), Clerk({door.COOKIE: f"{town.slug}.{'x' * 43}"}), Clerk({door.COOKIE: "no-session"})):
        path = _address(page)
        answer = clerk.post(path) if page.writes else clerk.get(path)
        assert answer.status == 303
        assert "console/sign-in" in answer.leads_to
        assert answer.body == ""


@pytest.mark.shows("A15", "T5")
@pytest.mark.parametrize("role", ROLES)
def test_a_role_opens_its_pages_and_no_other(town: World, role: str) -> None:
    person = _of_role(town, role)
    case = filed(town.slug, town.now)
    for page in CLOSED:
        clerk = seated(person, town.now)
        if role == PLATFORM and page.permission == "towns":
            assert _visits(clerk, page, _address(page)) in (200, 303, 404)
            continue
        status = _visits(clerk, page, _address(page, reference=case.reference, person=person.id))
        allowed = role in OPENS[page.permission]
        assert (status != 403) == allowed, (_named(page), status)
        assert status != 500 and status != 503, (_named(page), status)


def test_a_platform_admin_who_went_into_a_town_opens_what_its_admin_does_and_may_leave(town: World) -> None:
    person = _of_role(town, PLATFORM)
    for page in CLOSED:
        clerk = seated(person, town.now)
        assert clerk.post("/console/towns/in", {"town": town.slug}).status == 303
        status = _visits(clerk, page, _address(page))
        assert status not in (403, 500, 503), (_named(page), status)


@pytest.mark.shows("A4", "A23", "R6", "T6")
def test_a_case_of_another_town_is_as_unknown_as_one_that_never_was(town: World) -> None:
    other = f"{town.slug}-b"
    publish_tenant(compiled(other), NOON, "live")
    theirs, colleague = filed(other, town.now, subject="Tuđa tajna"), employed(other, "clerk")
    clerk = seated(employed(town.slug, "admin"), town.now)
    for page in CLOSED:
        if "{" in page.path:
            path = _address(page, reference=theirs.reference, person=colleague.id)
            never = _address(page, reference=NEVER, person="00000000")
            answer, unknown = (
                clerk.post(asked, {"what": "phone"}) if page.writes else clerk.get(asked) for asked in (path, never)
            )
            assert (answer.status, answer.body) == (unknown.status, unknown.body), _named(page)
            refused = (403,) if page.permission == permissions.TOWNS else (404, 422)  # those are no town's at all
            assert answer.status in refused or not answer.body, (_named(page), answer.status)
            assert "Tuđa tajna" not in answer.body and colleague.mail not in answer.body
    for path in ("/console/inbox", f"/console/search?q={theirs.reference}", "/console/staff", "/console/audit"):
        shown = clerk.get(path)
        assert shown.status == 200
        assert theirs.subject not in shown.body and colleague.mail not in shown.body


@pytest.mark.shows("A4")
def test_a_word_of_one_town_put_under_another_opens_nothing(town: World) -> None:
    clerk = seated(employed(town.slug), town.now)
    secret = clerk.cookies[door.COOKIE].partition(".")[2]
    assert clerk.get("/console/inbox").status == 200
    assert Clerk({door.COOKIE: f"{town.slug}-b.{secret}"}).get("/console/inbox").status == 303
    assert Clerk({door.COOKIE: f"platform.{secret}"}).get("/console/inbox").status == 303


@pytest.mark.shows("A14", "T5")
@pytest.mark.parametrize("page", [page for page in WRITING if page.permission != permissions.OPEN], ids=_named)
def test_a_form_without_the_sessions_token_or_from_another_site_changes_nothing(town: World, page: Page) -> None:
    person = _of_role(town, PLATFORM if page.permission == "towns" else "admin")
    clerk, path = seated(person, town.now), _address(page)
    theirs = seated(person, town.now).csrf
    for fields in ({}, {"csrf": ""}, {"csrf": "0" * 40}, {"csrf": theirs}, {"csrf": clerk.csrf + "0"}):
        assert clerk.form(path, fields, Origin=ORIGIN).status == 403
    for origin in ("https://evil.example", f"{ORIGIN}.evil.example", "null", "https://salter.example:8443"):
        assert clerk.post(path, Origin=origin).status == 403
    assert clerk.form(path, {"csrf": clerk.csrf}, Referer="https://evil.example/x").status == 403
    assert clerk.get("/console/account").status == 200, "and the session still stands"


@pytest.mark.shows("A14")
@pytest.mark.parametrize("page", [page for page in WRITING if page.permission == permissions.OPEN], ids=_named)
def test_a_sign_in_form_of_another_site_is_refused(town: World, page: Page) -> None:
    for origin in ("https://evil.example", "null"):
        assert Clerk().form(page.path, {"mail": "a@b.example", "password": "x"}, Origin=origin).status == 403


@pytest.mark.shows("A14")
def test_nothing_is_changed_by_a_get(town: World) -> None:
    """Every page that writes takes POST alone; the others answer the same twice."""
    clerk = seated(employed(town.slug, "admin"), town.now)
    for page in WRITING:
        if not any(other.path == page.path and not other.writes for other in PAGES):
            assert clerk.get(_address(page)).status in (404, 405), page.path


@pytest.mark.shows("A7", "A19")
def test_every_page_lets_nothing_foreign_in_and_is_kept_by_nobody(town: World) -> None:
    clerk = seated(employed(town.slug, "admin"), town.now)
    for path in ("/console/sign-in", "/console/inbox", "/console/staff", "/console/account", "/console/nothing/x"):
        answer = clerk.get(path)
        if answer.status == 403 or "Content-Security-Policy" not in answer.headers:
            continue
        assert answer.headers["Cache-Control"] == "no-store"
        assert "unsafe" not in answer.headers["Content-Security-Policy"]
        assert answer.headers["X-Frame-Options"] == "DENY"
        assert not re.search(r"<script>|\son\w+=|style=", answer.body)


def _of_role(town: World, role: str) -> Staff:
    return employed(PLATFORM if role == PLATFORM else town.slug, role)


def test_who_looks_after_all_towns_sees_of_none_before_going_in(town: World) -> None:
    person = _of_role(town, PLATFORM)
    clerk, case = seated(person, town.now), filed(town.slug, town.now)
    assert clerk.get("/console/inbox").status == 403
    assert clerk.get(f"/console/cases/{case.reference}").status == 403


def test_a_part_asked_for_after_the_sign_in_ended_leads_back_to_the_page_that_was_open(town: World) -> None:
    asked = {"HX-Request": "true", "HX-Current-URL": f"{ORIGIN}/api/console/inbox?only=mine"}
    answer = Clerk().get("/console/inbox/news?since=x", **asked)
    assert answer.status == 401
    assert answer.headers["HX-Redirect"] == "/api/console/sign-in?to=console%2Finbox%3Fonly%3Dmine"
    saved = Clerk({door.COOKIE: "ended"}).post("/console/cases/PR-1/note", Referer=f"{ORIGIN}/console/cases/PR-1")
    assert saved.leads_to == "../../../console/sign-in?ended=1&to=console%2Fcases%2FPR-1"
