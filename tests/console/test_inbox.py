"""The list of what there is to do: the most urgent at once, the rest right behind it, news of what came since."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from chalicelib.actions import desk
from chalicelib.actions.change_case import change_case
from chalicelib.cases import lifecycle
from chalicelib.cases.lifecycle import Event
from chalicelib.model import Case, Voice
from chalicelib.storage import dynamo
from chalicelib.storage.cases import CaseStore
from tests.console.clerk import Clerk, Page, employed, filed, followed, seated, soon
from tests.meter import Meter
from tests.world import World

DAY = 86400
LATE, FAR = 70, 30  # cases whose term is over, oldest first; and others with a far one


@pytest.fixture
def busy(town: World) -> World:
    """A town with more open cases than a page shows at once, all taken up but the last ones."""
    _cases(town, "LA", LATE, due=lambda number: town.now - 40 * DAY + number * 60, status="in_progress")
    _cases(town, "NE", FAR, due=lambda number: town.now + 9 * DAY + number * 60, status="received")
    return town


def _cases(
    town: World, mark: str, count: int, *, due: Callable[[int], float], status: str, office: str = "voda"
) -> None:
    store, items = CaseStore(town.slug), []
    for number in range(count):
        case = Case(town.slug, f"{mark}-{number:07d}", "problem", "received", "Cev", 0, 0, office=office)
        at = int(town.now) - 50 * 60 - number
        case = replace(case, created_at=at, updated_at=at, due_at=int(due(number)), voice=Voice("sr"))
        opened = replace(lifecycle.opened(case, "citizen"), status=status)
        items += [write.item for write in store.items_for_new(opened, soon(), indexed=True)]
    dynamo.batch_write("cases", items, (), soon())


def _chat(town: World, **more: object) -> str:
    return filed(town.slug, town.now, kind="chat", subject="", **more).reference


def _shelves(page: Page) -> dict[str, list[str]]:
    """References by shelf, in the order they are shown or put behind what is shown."""
    parts = re.split(r'id="rows-(\w+)"|beforeend:#rows-(\w+)"', page.body)
    named = [(one or other, text) for one, other, text in zip(parts[1::3], parts[2::3], parts[3::3], strict=True)]
    return {name: re.findall(r'class="ticket">([^<]+)', text) for name, text in named}


def _counts(page: Page) -> dict[str, str]:
    return dict(re.findall(r'id="n-(\w+)"[^>]*>([^<]+)', page.body))


def _listens(page: Page) -> str:
    found = re.search(r'hx-get="[^"]*(console/inbox/news[^"]+)"', page.body)
    assert found
    return f"/{html.unescape(found[1])}"


def _asked(clerk: Clerk, meter: Meter, path: str) -> tuple[Page, int]:
    """A page, and how many requests of storage it took."""
    meter.reset()
    return clerk.get(path), len(meter.operations)


def test_a_list_that_fits_is_all_there_in_two_requests_and_asks_for_nothing_more(town: World, meter: Meter) -> None:
    waiting, case = _chat(town), filed(town.slug, town.now).reference
    clerk = seated(employed(town.slug, "clerk", offices=("biro",)), town.now)
    clerk.get("/console/inbox")
    page, requests = _asked(clerk, meter, "/console/inbox")
    assert (requests, followed(page.body)) == (2, "")
    assert _shelves(page) == {"wait": [waiting], "new": [case]}
    assert _counts(page) == {"late": "0", "today": "0", "wait": "1", "new": "1"}


def test_a_long_list_begins_with_the_most_urgent_and_the_rest_stands_behind_it(busy: World, meter: Meter) -> None:
    waiting = _chat(busy)
    head = seated(employed(busy.slug, "head"), busy.now)
    head.get("/console/inbox")
    first, requests = _asked(head, meter, "/console/inbox")
    assert requests == 1 + desk.FIRST_REQUESTS_MAX
    assert _shelves(first)["late"] == [f"LA-{number:07d}" for number in range(desk.SHOWN_MAX)]
    assert _counts(first) == {"late": "50+", "today": "…", "wait": "…", "new": "…"}
    follows, requests = _asked(head, meter, followed(first.body))
    assert requests <= 1 + desk.REST_REQUESTS_MAX
    assert _shelves(follows) == {"wait": [waiting], "new": [f"NE-{number:07d}" for number in range(FAR)]}
    assert _counts(follows) == {"late": "50+", "today": "…", "wait": "1", "new": str(FAR)}
    both = {**_shelves(first), **_shelves(follows)}
    assert _shelves(head.get("/console/inbox?whole=1")) == {name: rows for name, rows in both.items() if rows}


def test_whoever_works_for_an_office_gets_its_desk_and_the_own_one_behind_the_towns_most_urgent(
    busy: World, meter: Meter
) -> None:
    _cases(busy, "PU", 60, due=lambda number: busy.now - DAY + number * 60, status="in_progress", office="putevi")
    person = employed(busy.slug, "clerk", offices=("putevi",))
    mine = filed(busy.slug, busy.now, office="voda", assignee=("staff", person.id, "Ana"), due_at=int(busy.now) + 60)
    waiting = _chat(busy, office="putevi")
    clerk = seated(person, busy.now)
    clerk.get("/console/inbox")
    first, requests = _asked(clerk, meter, "/console/inbox")
    assert requests == 1 + desk.FIRST_REQUESTS_MAX
    follows, requests = _asked(clerk, meter, followed(first.body))
    assert requests <= 1 + desk.OWN_DESKS_REQUESTS_MAX + desk.REST_REQUESTS_MAX
    shelves = _shelves(follows)
    assert shelves["late"] == [f"PU-{number:07d}" for number in range(desk.SHOWN_MAX)]
    assert (shelves["today"], shelves["wait"]) == ([mine.reference], [waiting])
    following = re.search(r'href="\?([^"]*after=[^"]+)"', follows.body)
    assert following
    further = _shelves(clerk.get(f"/console/inbox?{html.unescape(following[1])}"))
    assert further["late"] == [f"PU-{number:07d}" for number in range(desk.SHOWN_MAX, 60)]


def test_nothing_is_news_until_something_changes_and_then_it_is(busy: World, meter: Meter) -> None:
    head = seated(employed(busy.slug, "head"), busy.now)
    first = head.get("/console/inbox")
    follows = head.get(followed(first.body))
    for page in (first, follows):
        quiet, requests = _asked(head, meter, _listens(page))
        assert (quiet.status, requests) == (204, 2)
    busy.now += 3
    _chat(busy)
    for page in (first, follows):
        assert head.get(_listens(page)).status == 200
    now = head.get("/console/inbox")
    assert head.get(_listens(now)).status == 200, "until the rest is there, it may be anything"
    assert head.get(_listens(head.get(followed(now.body)))).status == 204


def test_what_comes_between_the_two_answers_is_shown_or_told(busy: World) -> None:
    head = seated(employed(busy.slug, "head"), busy.now)
    first = head.get("/console/inbox")
    busy.now += 1
    waiting = _chat(busy)
    follows = head.get(followed(first.body))
    assert _shelves(follows)["wait"] == [waiting]
    assert head.get(_listens(follows)).status == 204
    filed(busy.slug, busy.now, due_at=int(busy.now) - 90 * DAY)
    late = head.get(followed(first.body))
    assert head.get(_listens(late)).status == 200, "it belongs above what is shown"


def test_what_was_written_while_the_page_was_read_is_told(town: World) -> None:
    """A change is dated when it begins and seen when it is committed: a page read between must not overlook it."""
    clerk = seated(employed(town.slug, "head"), town.now)
    shown = clerk.get("/console/inbox")
    filed(town.slug, town.now - 1)
    assert clerk.get(_listens(shown)).status == 200


def test_a_filter_leaves_of_both_answers_what_it_names(busy: World) -> None:
    waiting = _chat(busy)
    head = seated(employed(busy.slug, "head"), busy.now)
    first = head.get("/console/inbox?only=chat")
    assert _shelves(first)["late"] == []
    assert "Nema ničeg za rad" not in first.text
    follows = head.get(followed(first.body))
    assert _shelves(follows) == {"wait": [waiting]}
    nothing = head.get(followed(head.get("/console/inbox?only=document").body))
    assert "Nema ničeg za rad" in nothing.text


@pytest.mark.shows("F44")
def test_a_list_that_lags_behind_says_as_of_when_it_is_and_leads_to_no_wrong_change(
    town: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    case, clerk = filed(town.slug, town.now), seated(employed(town.slug, "admin"), town.now)
    page, late = dynamo.page, dict[str, list[dynamo.Item]]()

    def lagging(name: str, index: str | None, *more: Any, **asked: Any) -> list[dynamo.Item]:
        found = page(name, index, *more, **asked)
        return late.setdefault(f"{index} {more[0]} {sorted(asked)}", found) if index else found

    monkeypatch.setattr(dynamo, "page", lagging)
    listed = clerk.get("/console/inbox")
    event = Event(int(town.now), "staff:boro", status="resolved", note="Popravljeno")
    change_case(town.town, case.reference, event, town.now, "h", soon())
    again = clerk.get("/console/inbox")
    assert case.reference in listed.body and case.reference in again.body
    assert "utorak, 10. 3. 2026, 12:00" in again.text
    assert "Popravljeno" in clerk.get(f"/console/cases/{case.reference}").text
    stale = {"v": str(case.v), "status": "in_progress", "note": "", "public": ""}
    assert clerk.post(f"/console/cases/{case.reference}/change", stale).status == 409
    stored = CaseStore(town.slug).load(case.reference, soon())
    assert stored is not None and stored.status == "resolved"
