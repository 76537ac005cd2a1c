"""An announcement to very many: a stolen sign-in cannot start it, and whoever sees it in time stops it."""

from __future__ import annotations

import re
import time
from typing import Any

import pytest

from chalicelib.actions import announce, send_page
from chalicelib.actions.publish_tenant import publish_tenant
from chalicelib.actions.sweep import sweep
from chalicelib.cases import announcements as rules
from chalicelib.console.wording import VOICES
from chalicelib.model import Audience, Staff
from chalicelib.storage import audit, sessions, staff_pool
from chalicelib.storage.announcements import AnnouncementStore
from tests.actions.test_announcements import NEWS, TEXT, some, subscribe
from tests.console.clerk import PASSWORD, Clerk, employed, hired, seated, soon
from tests.console.test_announcements import drafted, looked
from tests.console.test_staff import code_of
from tests.world import NOON, World, compiled

MANY = 51
UNDO = 60 * rules.UNDO_MINUTES
WRONG = "ne-Znam-lozinku-1"
PROVED = sessions.PROVED_SECONDS


@pytest.fixture
def office(town: World, monkeypatch: pytest.MonkeyPatch) -> World:
    """A town with a low bound, and as many subscribers as are above it."""
    monkeypatch.setattr(send_page, "PAGES_PER_SECOND", 1e6)
    _says(town, "{second_person_above: 50}")
    subscribe(town, some(MANY))
    return town


def _says(town: World, announcements: str) -> None:
    publish_tenant(compiled(town.slug, more=NEWS, rules=f"announcements: {announcements}"), NOON, "live")
    town.warm()


def _drafted(office: World) -> str:
    return drafted(seated(employed(office.slug, "head"), office.now))


def _later(office: World, person: Staff) -> Clerk:
    """Their sign-in, some minutes old."""
    clerk = seated(person, office.now)
    office.now += PROVED + 60
    return clerk


def _acts(office: World) -> list[str]:
    day = time.strftime("%Y-%m-%d", time.gmtime(office.now))
    return [act.what for act in audit.of_day(office.slug, day, soon())[0]]


def _worked(office: World) -> int:
    """Everything due is worked; how many people have been reached by now."""
    for _ in range(2):
        sweep(office.now)
    return sum(len(body["broadcast_list"]) for body in office.viber.broadcasts)


@pytest.mark.shows("A25")
def test_with_a_carried_off_sign_in_nothing_starts_without_the_password(office: World) -> None:
    path = _drafted(office)
    second = _later(office, hired(office.slug, "head"))
    form = looked(second, path).body
    assert 'name="password" type="password" autocomplete="current-password" required' in form
    assert 'name="code"' not in form, "they have none"
    refused = second.post(f"{path}/approve")
    assert (refused.status, "potrebna je još jednom Vaša lozinka" in refused.text) == (422, True)
    wrong = second.post(f"{path}/approve", {"password": WRONG})
    assert (wrong.status, "Još 4 pokušaja" in wrong.text, "Ništa nije poslato." in wrong.text) == (422, True, True)
    assert "nacrt" in looked(second, "/console/announcements").text
    office.now += UNDO
    assert _worked(office) == 0
    assert second.post(f"{path}/approve", {"password": PASSWORD}).status == 303
    office.now += UNDO
    assert _worked(office) == MANY
    acts = _acts(office)
    assert [acts.count(what) for what in ("proof_refused", "proved_again", "announcement_approved")] == [1, 1, 1]


def test_who_has_just_given_it_is_not_asked_again_and_soon_is(office: World) -> None:
    first, next_one, last = (_drafted(office) for _ in range(3))
    second = _later(office, hired(office.slug, "head"))
    assert second.post(f"{first}/approve", {"password": PASSWORD}).status == 303
    office.now += PROVED - 5
    assert 'name="password"' not in looked(second, next_one).body
    assert second.post(f"{next_one}/approve").status == 303
    office.now += 5
    assert 'name="password"' in looked(second, last).body
    assert second.post(f"{last}/approve").status == 422


@pytest.mark.shows("A16", "A25")
def test_guessing_there_is_counted_like_at_the_door(office: World) -> None:
    path, person = _drafted(office), hired(office.slug, "head")
    second = _later(office, person)
    statuses = [second.post(f"{path}/approve", {"password": WRONG}).status for _ in range(5)]
    assert statuses == [422] * 4 + [429]
    assert second.post(f"{path}/approve", {"password": PASSWORD}).status == 429, "the right one is not looked at either"
    assert Clerk().sign_in(person.mail).status == 429
    office.now += UNDO
    assert _worked(office) == 0


@pytest.mark.shows("A17", "A25")
def test_who_has_a_code_gives_it_too_and_each_code_once(office: World) -> None:
    path, person = _drafted(office), hired(office.slug, "head")
    entered = staff_pool.enter(person.mail, PASSWORD, soon())
    assert isinstance(entered, staff_pool.Entered)
    secret = staff_pool.begin_totp(entered.access, soon())
    staff_pool.finish_totp(entered.access, code_of(secret), soon())
    carried_off = seated(person, office.now)
    second = _later(office, person)
    assert 'name="code" inputmode="numeric"' in looked(second, path).body
    alone = second.post(f"{path}/approve", {"password": PASSWORD})
    assert (alone.status, "Upišite lozinku i kod sa telefona." in alone.text) == (422, True)
    both = {"password": PASSWORD, "code": code_of(secret)}
    assert second.post(f"{path}/approve", both | {"code": "000000"}).status == 422
    assert second.post(f"{path}/approve", both).status == 303
    again = carried_off.post(f"{_drafted(office)}/approve", both)
    assert (again.status, "Lozinka ili kod nije ispravan." in again.text) == (422, True), "it was good once"


def test_an_audience_that_grew_since_it_was_looked_at_asks_too(office: World) -> None:
    _says(office, "{second_person_above: 60}")
    path = _drafted(office)
    second = _later(office, hired(office.slug, "head"))
    assert 'name="password"' not in looked(second, path).body
    subscribe(office, some(20))
    asked = second.post(f"{path}/approve")
    assert (asked.status, 'name="password"' in asked.body) == (422, True)


def test_what_was_approved_for_few_does_not_go_to_many(office: World) -> None:
    _says(office, "{second_person_above: 60}")
    later = int(office.now) + 3600
    draft = announce.draft(office.town, {"sr": TEXT}, Audience(), later, "staff:ana", office.now, soon())
    second = _later(office, employed(office.slug, "head"))
    assert second.post(f"/console/announcements/{draft.id}/approve").status == 303
    subscribe(office, some(20))
    office.now = later
    assert _worked(office) == 0
    assert announce.load(office.town, draft.id, soon()).announcement.reason == rules.GROWN


@pytest.mark.shows("A25")
def test_it_waits_ten_minutes_in_which_a_colleague_stops_it_and_it_is_a_draft_again(office: World) -> None:
    path = _drafted(office)
    second, third = (seated(employed(office.slug, "head"), office.now) for _ in range(2))
    assert "Kreće 10 minuta posle odobrenja." in looked(second, path).text
    assert second.post(f"{path}/approve").status == 303
    office.now += UNDO - 1
    assert _worked(office) == 0
    shown = looked(third, f"{path}/state")
    assert "Kreće: utorak, 10. 3. 2026, " in shown.text and 'hx-trigger="every 5s"' in shown.body
    assert re.search(r'<button class="btn bad big wide" id="stop" type="submit">Zaustavi</button>', shown.body)
    stopped = third.post(f"{path}/stop")
    assert stopped.leads_to.endswith("said=taken_back")
    assert "Zaustavljeno na vreme: niko ga nije dobio." in looked(third, path + "?said=taken_back").text
    office.now += 3600
    assert _worked(office) == 0
    assert {"announcement_approved", "announcement_taken_back"} <= set(_acts(office))


@pytest.mark.shows("A25")
def test_approved_again_it_waits_again_and_then_everybody_gets_it_once(office: World) -> None:
    path = _drafted(office)
    second = seated(employed(office.slug, "head"), office.now)
    second.post(f"{path}/approve")
    office.now += 120
    second.post(f"{path}/stop")
    second.post(f"{path}/approve")
    office.now += UNDO - 120
    assert _worked(office) == 0, "the first approval's time came, and it was taken back"
    office.now += 120
    assert _worked(office) == MANY
    assert second.post(f"{path}/stop").status == 422
    office.now += 3600
    assert _worked(office) == MANY


def test_stop_that_comes_as_it_leaves_stops_the_rest(office: World) -> None:
    path = _drafted(office)
    second = seated(employed(office.slug, "head"), office.now)
    second.post(f"{path}/approve")
    office.now += UNDO
    sweep(office.now)
    assert second.post(f"{path}/stop").leads_to.endswith("said=stopped")


def test_a_town_may_do_without_the_wait_and_few_receivers_never_wait(office: World) -> None:
    _says(office, "{second_person_above: 50, undo_minutes: 0}")
    second = seated(employed(office.slug, "head"), office.now)
    path = _drafted(office)
    assert "posle odobrenja" not in looked(second, path).text
    second.post(f"{path}/approve")
    assert _worked(office) == MANY
    _says(office, "{second_person_above: 60}")
    old = _later(office, employed(office.slug, "head"))
    path = _drafted(office)
    assert 'name="password"' not in looked(old, path).body
    assert old.post(f"{path}/approve").status == 303
    assert _worked(office) == 2 * MANY


def test_by_a_towns_own_system_it_leaves_as_it_always_did(office: World) -> None:
    draft = announce.draft(office.town, {"sr": TEXT}, Audience(), 0, "api:one", office.now, soon())
    announce.approve(office.town, draft.id, "api:two", office.now, soon(), proved=True)
    assert _worked(office) == MANY


def test_one_that_waits_and_one_that_does_not_are_both_read_by_a_version_that_knows_no_waiting(office: World) -> None:
    store, path = AnnouncementStore(office.slug), _drafted(office)
    found = store.load(path.rpartition("/")[2], soon())
    assert found is not None
    assert not {"leaves_at", "proved"} & set(_body(store.item(found).item))
    seated(employed(office.slug, "head"), office.now).post(f"{path}/approve")
    waiting = store.load(found.id, soon())
    assert waiting is not None and _body(store.item(waiting).item)["leaves_at"] == int(office.now) + UNDO


def _body(item: dict[str, Any]) -> dict[str, Any]:
    from chalicelib.storage.announcements import _body

    return dict(_body(item))


@pytest.mark.parametrize("voice", VOICES)
def test_every_page_of_the_way_speaks_every_language_of_the_console(office: World, voice: str) -> None:
    path, person = _drafted(office), hired(office.slug, "head")
    second = _later(office, person)
    second.cookies["salter_voice"] = voice
    for fields in ({}, {"password": WRONG}):
        assert second.post(f"{path}/approve", fields).status == 422
    second.post(f"{path}/approve", {"password": PASSWORD})
    looked(second, path)
    looked(second, "/" + second.post(f"{path}/stop").leads_to.lstrip("./"))
