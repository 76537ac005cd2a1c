"""Staff's pages given what no page of ours would send: every address and every field there is, from the table of pages
itself, so that a new one is not forgotten. A fault is never the answer."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest

from chalicelib.console import views
from chalicelib.console.routes import PAGES, Page
from chalicelib.storage import keys
from tests.console.clerk import Clerk, employed, filed, seated
from tests.inputs.door import Given, ask
from tests.taps import Written, tapped
from tests.world import World

# What the pages read of a form or an address, as their code names it.
FIELDS = sorted(
    {
        name
        for file in Path(next(iter(views.__path__))).glob("*.py")
        for name in re.findall(r'(?:form|query)(?:\.get\(|\[)f?"([\w.]+)"', file.read_text())
    }
)
BROKEN = {
    "nothing": "",
    "spaces": "  ",
    "control characters": "a\x00b\x1f\r\nX: y",
    "three thousand letters": "x" * 3000,
    "a number without end": "9" * 5000,
    "a number of another script": "٣²",
    "a negative one": "-1",
    "a fraction": "1e400",
    "a word": "x",
    "our separators": "T#a#C#b|c",
    "a path": "../../../etc/passwd",
    "an operator": '{"$ne": null}',
    "a day there is not": "2026-13-45T99:99",
    "a token": "eyJhbGciOiJub25lIn0.e30.",
    "markup": "<svg onload=alert(1)>{{7*7}}{0}%s${x}",
    "overrides": "\u202e\u200d\u200b",
}
# What the plain run tries of them; the campaigns try all.
TELLING = ("a number without end",)
KINDS = [pytest.param(kind, marks=[] if kind in TELLING else pytest.mark.campaign) for kind in BROKEN]
PATHS = ["%2e%2e", "..", "%00", "a%2Fb", "x" * 2000, quote("ж" * 300), "T%23a%23C%23b", "PR-7KM4-2A9", "%ff", "'--"]


@pytest.fixture(scope="module")
def seats(town: World) -> dict[str, Clerk]:
    return {role: seated(employed(town.slug, role), town.now) for role in ("admin", "platform")}


LEAVING = ("/console/sign-out", "/console/sign-out/everywhere", "/console/account/language")


def looked(town: World, clerk: Clerk, path: str) -> Given:
    cookies = "; ".join(f"{name}={value}" for name, value in clerk.cookies.items())
    return ask("GET", path, Cookie=cookies, X_Forwarded_Proto="https")


def sent(clerk: Clerk, path: str, fields: dict[str, str]) -> Given:
    cookies = "; ".join(f"{name}={value}" for name, value in clerk.cookies.items())
    written = "&".join(f"{name}={quote(value)}" for name, value in ({"csrf": clerk.csrf} | fields).items())
    headers = {"Cookie": cookies, "Origin": "https://salter.example", "X_Forwarded_Proto": "https"}
    return ask("POST", path, written.encode(), Content_Type="application/x-www-form-urlencoded", **headers)


def addresses(town: World, pages: list[Page]) -> Iterator[tuple[Page, str]]:
    """Every page with an address that leads to something, where it needs one."""
    reference = filed(town.slug, town.now).reference
    for page in pages:
        yield page, re.sub(r"\{\w+\}", reference, page.path)


@pytest.mark.shows("B69", "B63")
@pytest.mark.parametrize("part", [*PATHS[:1], *(pytest.param(part, marks=pytest.mark.campaign) for part in PATHS[1:])])
def test_a_page_of_something_that_is_not_is_not_there(town: World, seats: dict[str, Clerk], part: str) -> None:
    for page in PAGES:
        if "{" not in page.path:
            continue
        path = re.sub(r"\{\w+\}", part, page.path)
        given = looked(town, seats["admin"], path) if page.method == "GET" else sent(seats["admin"], path, {})
        assert given.status < 500, page.path
        assert "T#" not in given.body or part.startswith("T%23")


@pytest.mark.shows("B72")
def test_a_filter_of_ten_thousand_bytes_is_a_filter_that_finds_nothing(town: World, seats: dict[str, Clerk]) -> None:
    for path in ("inbox?only=", "inbox?after=", "search?q=", "search?q=a&after=", "announcements?after=", "audit?day="):
        assert looked(town, seats["admin"], f"/console/{path}{quote('ж' * 5000)}").status < 500, path


@pytest.mark.shows("B70", "B71", "B72")
@pytest.mark.parametrize("kind", KINDS)
def test_a_page_asked_for_with_anything_is_shown_or_refused(town: World, seats: dict[str, Clerk], kind: str) -> None:
    faults, query = [], "&".join(f"{name}={quote(BROKEN[kind])}" for name in FIELDS)
    for page, path in addresses(town, [page for page in PAGES if page.method == "GET"]):
        given = looked(town, seats["platform" if page.permission == "towns" else "admin"], f"{path}?{query}")
        faults += [(page.path, given.status)] * (given.status >= 500)
    assert faults == []


@pytest.mark.shows("B75", "B76")
@pytest.mark.parametrize("kind", KINDS)
def test_a_form_with_anything_in_it_is_taken_or_refused(town: World, seats: dict[str, Clerk], kind: str) -> None:
    pages = [page for page in PAGES if page.writes and page.path not in LEAVING]
    faults, fields = [], {name: BROKEN[kind] for name in FIELDS if name != "csrf"}
    for page, path in addresses(town, pages):
        given = sent(seats["platform" if page.permission == "towns" else "admin"], path, fields)
        faults += [(page.path, given.status)] * (given.status >= 500)
    assert faults == []


@pytest.mark.shows("B12", "B13", "B47")
@pytest.mark.parametrize("body", [b"\xff\xfe", b"{}", b"a" * 300_000, b"a=1&" * 5000, b"\x00" * 100, b"csrf=\xd0"])
def test_a_form_that_is_none_changes_nothing(town: World, seats: dict[str, Clerk], body: bytes) -> None:
    cookies = "; ".join(f"{name}={value}" for name, value in seats["admin"].cookies.items())
    for page, path in addresses(town, [page for page in PAGES if page.writes and page.permission != "open"][:12]):
        with tapped(Written()) as written:
            given = ask("POST", path, body, Cookie=cookies, Origin="https://salter.example")
        assert given.status in (303, 400, 403, 413), (page.path, given.status)
        trail = keys.audit(town.slug, "")
        assert all(trail in entry and entry.count('"pk"') == 1 for entry in written.bodies), "only that it was refused"
