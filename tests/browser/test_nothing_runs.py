"""Every page of the staff, the crews and the helpers in a browser, with everything people write being hostile: nothing
runs, nothing is fetched from anywhere, and no page breaks its own policy."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urljoin, urlsplit

import pytest
from chalice.test import Client
from playwright.sync_api import Browser, Error, Page, Request, Route

import app
from chalicelib import wire
from chalicelib.actions import clock
from chalicelib.console import door, permissions, routes
from chalicelib.model import Staff
from chalicelib.storage import aws, keys
from chalicelib.storage.cases import CaseStore
from tests.abuse.test_every_route import WORDS, Theirs, _filled, _holes, one_of_everything
from tests.abuse.test_words import WICKED
from tests.browser.visitor import EXPECTED_NOISE
from tests.console.clerk import HOST, ORIGIN, employed, seated, soon
from tests.console.test_inert import _case
from tests.console.test_live import LINE
from tests.integrations.system import System
from tests.shows import Measure
from tests.taps import tapped
from tests.viber import message
from tests.world import World

CANARY = "canary.example"
WAIT_MS = 15_000
# Where somebody could be led by a link; each payload at one of them, and all at the search.
ADDRESSES = (
    "/console/cases/{}",
    "/console/sign-in?to={}",
    "/console/inbox?office={}&q={}&page={}",
    "/console/live/{}",
    "/crew/{}",
    "/help/{}",
    "/console/content/look?at={}&q={}",
    "/console/audit?day={}&about={}",
)


@dataclass
class Watched:
    """A browser whose requests are answered by the product's own routes; what it met that it should not."""

    cookies: str
    bucket: str
    problems: list[str] = field(default_factory=list)
    asked: int = 0
    _assets: dict[str, dict[str, Any]] = field(default_factory=dict)

    def answers(self, route: Route) -> None:
        parts = urlsplit(route.request.url)
        if route.request.url.startswith(self.bucket):  # the small copy of a photo, which the page's policy allows
            route.abort()
            return
        if parts.hostname != HOST:
            self.problems.append(f"asked {route.request.url[:90]}")
            route.abort()
            return
        self.asked += 1
        if parts.path not in self._assets:
            given = self._given(route.request)
            if not parts.path.startswith("/assets/"):
                route.fulfill(**given)
                return
            self._assets[parts.path] = given
        route.fulfill(**self._assets[parts.path])

    def _given(self, request: Request) -> dict[str, Any]:
        path = request.url.removeprefix(ORIGIN)
        passed = {name: value for name, value in request.headers.items() if name.startswith("hx-") or name == "accept"}
        sent = {"Host": HOST, "X-Forwarded-Proto": "https", "Cookie": self.cookies, **passed}
        try:
            with Client(app.app) as client:
                answer = client.http.request(request.method, path, headers=sent, body=b"")
        except ValueError as error:  # there is no such route
            if not request.is_navigation_request():
                self.problems.append(f"asked {path[:90]}: {error!r}"[:160])
            return {"status": 404}
        if to := answer.headers.get("Location"):  # where it leads is looked at here and not followed
            if urlsplit(urljoin(ORIGIN + path, to)).hostname != HOST and not to.startswith(self.bucket):
                self.problems.append(f"led to {to[:90]}")
            return {"status": 200, "body": ""}
        return {"status": answer.status_code, "headers": dict(answer.headers), "body": answer.body}

    def heard(self, kind: str, text: str) -> None:
        if kind == "error" and not any(noise in text for noise in EXPECTED_NOISE):
            self.problems.append(text)


@pytest.fixture
def town(world: World, monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setattr(clock, "now", lambda: world.now)
    monkeypatch.setattr(door, "PAGE_SECONDS", 40.0)
    monkeypatch.setattr("chalicelib.actions.case_api.REQUEST_SECONDS", 60.0)
    world.offers(LINE)
    System(world.slug)
    return world


@pytest.fixture
def watched(town: World) -> Watched:
    cookies = _cookies(employed(town.slug, "admin"), town)
    return Watched(cookies, aws.object_url(os.environ["SALTER_MEDIA_BUCKET"], f"T/{town.slug}/"))


def _cookies(person: Staff, town: World) -> str:
    return "; ".join(f"{name}={value}" for name, value in seated(person, town.now).cookies.items())


@pytest.fixture
def page(browser: Browser, watched: Watched) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1280, "height": 860}, locale="sr-Latn-RS")
    context.set_default_timeout(WAIT_MS)
    context.route("**/*", watched.answers)
    context.add_init_script(
        "document.addEventListener('securitypolicyviolation', e => console.error('csp: ' + e.violatedDirective))"
    )
    page = context.new_page()
    page.on("pageerror", lambda error: watched.problems.append(str(error)))
    page.on("console", lambda said: watched.heard(said.type, said.text))
    page.on("dialog", lambda dialog: (watched.problems.append(f"dialog: {dialog.message}"), dialog.dismiss()))
    yield page
    context.close()


class Asked:
    """A tap: whom the product itself asked."""

    def __init__(self) -> None:
        self.hosts: set[str] = set()

    def before(self, call: wire.Call) -> None:
        self.hosts.add(urlsplit(call.url).hostname or "")

    def after(self, call: wire.Call, reply: wire.Reply) -> None:
        return


def _with_canary(number: int, payload: str) -> str:
    return f"{payload}<img src=https://{CANARY}/{number}>"


def _says_everywhere(town: World, number: int, said: str) -> str:
    """A citizen with such a name and picture writes it, sends it as a file's name, on a card, and to an operator. The
    chat's case."""
    citizen = f"person{number}"
    for content in (
        {"type": "text", "text": said},
        {"type": "text", "text": "operater"},
        {"type": "text", "text": said},
        {"type": "file", "media": f"https://{CANARY}/a.pdf", "file_name": said, "size": 9},
        {"type": "picture", "media": f"https://{CANARY}/{quote(said)}.jpg", "text": said},
        {"type": "contact", "contact": {"name": said, "phone_number": "+381601234567"}},
        {"type": "location", "location": {"lat": 44.8, "lon": 20.4, "address": said}},
    ):
        event = message(citizen, **content)
        event["sender"] |= {"name": said, "avatar": f"https://{CANARY}/{quote(said)}.png"}
        town.calls(event)
    return CaseStore(town.slug).own(keys.person(town.account.id, citizen), soon())[0].reference


def _pages_of(things: Theirs, chat: str, whole: str) -> Iterator[str]:
    """Every page with an id in its address, of these things."""
    for page in routes.PAGES:
        shown = page.method == "GET" and page.permission not in (permissions.TOWNS, permissions.OPEN)
        if shown and set(_holes(page.path)) - set(WORDS) and page.view != "live.said":
            yield _filled(page.path, things)[0]
    yield from (f"/console/live/{chat}", f"/console/cases/{whole}", f"/console/cases/{whole}/print")
    yield from (f"/crew/{things.crew}", f"/help/{things.help}")


def _pages_of_all(*permitted: str) -> list[str]:
    """Every page without an id in its address that may be seen so."""
    ways = [page for page in routes.PAGES if page.method == "GET" and not set(_holes(page.path)) - set(WORDS)]
    found = [page.path for page in ways if page.permission in permitted]
    return [path.replace("{room}", WORDS["new/{room}"]) for path in found]


def _opens(page: Page, path: str) -> str:
    """What stands there to be read; of what is saved as a file and not shown, nothing."""
    try:
        page.goto(ORIGIN + path, wait_until="load")
    except Error as error:
        assert "Download is starting" in str(error) or "net::ERR_ABORTED" in str(error), (path, error)
        return ""
    return str(page.evaluate("document.documentElement.textContent"))


@pytest.mark.campaign
@pytest.mark.shows("A6", "A7", "A11", "T7")
def test_forty_payloads_in_every_field_run_on_no_page_and_fetch_nothing(
    town: World, watched: Watched, page: Page, measured: Measure
) -> None:
    opened, tap = 0, Asked()
    with tapped(tap):
        for number, payload in enumerate(WICKED):
            said = _with_canary(number, payload)
            things = one_of_everything(town.slug, town.now, said)
            chat, whole = _says_everywhere(town, number, said), _case(town, said).reference
            for path in _pages_of(things, chat, whole):
                read = _opens(page, path)
                opened += 1
                assert watched.problems == [], (path, said)
                assert said in read or path not in (f"/console/live/{chat}", f"/console/cases/{whole}"), (path, said)
            for address in ("/console/search?q={}&office={}&to={}", ADDRESSES[number % len(ADDRESSES)]):
                _opens(page, address.replace("{}", quote(said, safe="")))
                opened += 1
                assert watched.problems == [], (address, said)
        lists = set(permissions.MAY) - {permissions.TOWNS, permissions.OPEN}
        for path in _pages_of_all(*lists):
            _opens(page, path)
            assert watched.problems == [], path
        watched.cookies = _cookies(employed("platform", "platform"), town)
        for path in (*_pages_of_all(permissions.TOWNS, permissions.OPEN), f"/console/towns/{town.slug}/given-up"):
            _opens(page, path)
            assert watched.problems == [], path
    assert tap.hosts == {"127.0.0.1"}, "nor did the product itself ask anybody else"
    measured(
        "A6",
        f"{len(WICKED)} payloads, each in every field, name, file's name, picture's address and remark: {opened} pages "
        f"opened in Chromium, {watched.asked:,} requests: 0 dialogs, 0 breaches of the policy, 0 to the canary",
    )
