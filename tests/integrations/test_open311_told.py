"""What happens here to a report another system has: told there once and in order, or by hand where it cannot be."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

import pytest

from chalicelib.actions import erase
from chalicelib.actions.change_case import change_case
from chalicelib.cases.lifecycle import Event
from chalicelib.model import Happening
from chalicelib.wire import Call, Reply
from tests.console.clerk import Clerk, employed, seated
from tests.faults.breaking import Killed
from tests.integrations.endpoint311 import TAKEN_THEN_SILENT, Endpoint
from tests.integrations.test_open311_out import SOON, Town, jkp, news
from tests.media import samples
from tests.media.conftest import host
from tests.media.host import MediaHost
from tests.taps import tapped
from tests.viber import message
from tests.world import World

__all__ = ["host", "jkp"]
TAKES = ", updates: true, takes_updates: true"


@pytest.fixture
def town(world: World, jkp: Endpoint) -> Iterator[Town]:
    yield Town(world, jkp, TAKES)


def there(town: Town) -> str:
    """A report that the other system has."""
    reference = town.reports()
    town.later(1)
    assert town.case(reference).status == "forwarded"
    return reference


def withdraws(town: Town, reference: str) -> None:
    for said in (reference, "povlačim prijavu", "da"):
        town.world.says("mira", said)
    assert town.case(reference).status == "withdrawn"


def moves(town: Town, reference: str, **said: str) -> None:
    """Something a member of staff does."""
    change_case(town.world.town, reference, Event(int(town.world.now), "staff:ana", **said), town.world.now, "h", SOON)


def adds_photo(town: Town, host: MediaHost) -> None:
    """A photo sent after the report, checked at once."""
    town.world.calls(message("mira", type="picture", media=host.link(f"/{town.world.now}.jpg", samples.photo())))
    town.world.says("mira", "da")


def by_hand(town: Town, reference: str) -> list[Happening]:
    return [entry for entry in town.case(reference).history if entry.event == "open311_by_hand"]


def words(jkp: Endpoint) -> list[str]:
    return [told["description"] for told in jkp.told]


@pytest.mark.parametrize("form", [pytest.param("json", marks=pytest.mark.campaign), "xml"])
def test_that_its_citizen_withdraws_it_is_told_once(world: World, jkp: Endpoint, form: str) -> None:
    town = Town(world, jkp, f"{TAKES}, format: {form}, jurisdiction: jkp.rs")
    reference = there(town)
    withdraws(town, reference)
    for _ in range(3):
        town.later(20 * 60)
    (told,) = jkp.told
    assert (told["service_request_id"], told["status"], told["jurisdiction_id"]) == ("JKP/1", "CLOSED", "jkp.rs")
    assert told["api_key"] == "secret-of-jkp" and told["updated_datetime"].startswith("2026-03-10T")
    assert told["description"] == f"Povučeno na zahtev stranke [{reference}/2]"
    # It lists our own word among its updates: that is no news to us.
    assert town.case(reference).history[-1].status == "withdrawn" and by_hand(town, reference) == []


def test_closed_and_opened_again_by_staff_is_told_in_order_without_their_own_notes(town: Town) -> None:
    reference = there(town)
    moves(town, reference, status="resolved", note="samo za službu", public_note="Zamenjeno, 063 123 4567")
    moves(town, reference, note="opet samo za službu")
    moves(town, reference, name="reopened")
    moves(town, reference, status="in_progress")
    town.later(1)
    assert [told["status"] for told in town.jkp.told] == ["CLOSED", "OPEN"]
    first, second = words(town.jkp)
    assert first.startswith("Rešeno. Zamenjeno,") and "063" not in first and "službu" not in first
    assert second.startswith(f"Predmet {reference} je ponovo otvoren [")


def test_what_the_other_system_does_itself_is_not_told_to_it(town: Town) -> None:
    reference = there(town)
    town.jkp.news = [news("1", "FIXED", "Zamenjena sijalica", "2026-03-10T11:20:00Z")]
    town.later(16 * 60)
    assert town.case(reference).status == "resolved"
    town.later(60)
    assert town.jkp.told == []


def test_a_pin_sent_later_is_told_once(town: Town) -> None:
    reference = there(town)
    for _ in range(2):
        town.world.calls(message("mira", type="location", location={"lat": 45.7741, "lon": 19.1122}))
        town.world.says("mira", "da")
        town.later(1)
    (told,) = words(town.jkp)
    assert told == f"Označeno mesto: 45.774100, 19.112200 [{reference}/2]"


def test_a_further_photo_goes_there_by_a_link_that_holds_for_days_and_ends_with_the_person(
    world: World, jkp: Endpoint, host: MediaHost
) -> None:
    town = Town(world, jkp, f"{TAKES}, share: [photos]")
    reference = there(town)
    adds_photo(town, host)
    town.later(1)
    town.later(10)
    (told,), ((link,),) = jkp.told, jkp.pictures
    assert told["status"] == "OPEN" and told["description"].startswith("Fotografija [")
    path = "/" + link.split("/", 3)[3]
    assert path.startswith(f"/files/{world.slug}/") and path.endswith("/photo.jpg") and "X-Amz" not in link
    town.later(3 * 86400)
    assert Clerk().get(path).status == 302
    assert Clerk().get(path.replace(world.slug, f"{world.slug}-b")).status == 404
    erase.work({"account": world.account.id, "citizen": "mira", "at": int(world.now)}, world.slug, world.now, SOON)
    assert town.case(reference).attachments == ()
    assert Clerk().get(path).status == 404


@pytest.mark.parametrize("trouble", [503, pytest.param(429, marks=pytest.mark.campaign)])
def test_what_was_surely_not_taken_is_told_again_and_the_order_is_kept(town: Town, trouble: int) -> None:
    reference = there(town)
    town.jkp.posts = [trouble, trouble, trouble]
    moves(town, reference, status="resolved")
    town.later(1)
    moves(town, reference, name="reopened")
    for _ in range(8):
        town.later(60)
    assert [told["status"] for told in town.jkp.told] == ["CLOSED", "OPEN"]
    assert by_hand(town, reference) == []


def test_a_lost_answer_is_looked_up_and_nothing_told_twice(town: Town) -> None:
    reference = there(town)
    town.jkp.posts = [TAKEN_THEN_SILENT]
    moves(town, reference, status="resolved")
    moves(town, reference, name="reopened")
    for _ in range(4):
        town.later(70)
    assert [told["status"] for told in town.jkp.told] == ["CLOSED", "OPEN"]


def test_after_two_lost_answers_the_office_tells_it_and_later_news_go_on(town: Town) -> None:
    reference = there(town)
    town.jkp.posts = [500, 500]
    moves(town, reference, status="resolved")
    for _ in range(4):
        town.later(70)
    (entry,) = by_hand(town, reference)
    assert (entry.note, entry.public) == ("JKP Rasveta JKP/1: Rešeno (http_500)", False)
    moves(town, reference, name="reopened")
    town.later(70)
    assert [told["status"] for told in town.jkp.told] == ["OPEN"]


def test_where_updates_are_not_listed_one_lost_answer_is_for_the_office(world: World, jkp: Endpoint) -> None:
    town = Town(world, jkp, ", takes_updates: true")
    reference = there(town)
    jkp.posts = [TAKEN_THEN_SILENT]
    moves(town, reference, status="resolved")
    for _ in range(3):
        town.later(70)
    assert len(jkp.told) == 1 and len(by_hand(town, reference)) == 1


def test_a_refused_update_is_for_the_office_and_nothing_waits_behind_it(town: Town) -> None:
    reference = there(town)
    town.jkp.posts = [400]
    moves(town, reference, status="resolved")
    moves(town, reference, name="reopened")
    town.later(1)
    assert [told["status"] for told in town.jkp.told] == ["OPEN"]
    (entry,) = by_hand(town, reference)
    assert entry.note == "JKP Rasveta JKP/1: Rešeno (http_400 no <such> service)"


def test_an_endpoint_that_takes_no_updates_is_told_by_hand_and_the_case_says_so(
    world: World, jkp: Endpoint, host: MediaHost
) -> None:
    town = Town(world, jkp)
    reference = there(town)
    adds_photo(town, host)
    withdraws(town, reference)
    for _ in range(3):
        town.later(10)
    assert [entry.note for entry in by_hand(town, reference)] == [
        "JKP Rasveta JKP/1: Fotografija",
        "JKP Rasveta JKP/1: Povučeno na zahtev stranke",
    ]
    page = seated(employed(world.slug, "admin"), world.now).get(f"/console/cases/{reference}")
    assert "Javite drugom sistemu ručno" in page.text and jkp.times("POST") == 1


@pytest.mark.shows("F26")
@pytest.mark.parametrize("after", [pytest.param(False, marks=pytest.mark.campaign), True], ids=["before", "after"])
def test_killed_around_the_call_it_is_told_once(town: Town, after: bool) -> None:
    class Death:
        armed = True

        def before(self, call: Call) -> None:
            self._strikes(call, not after)

        def after(self, call: Call, reply: Reply) -> None:
            self._strikes(call, after)

        def _strikes(self, call: Call, now: bool) -> None:
            if self.armed and now and (call.service, call.operation) == ("open311", "servicerequestupdates"):
                self.armed = False
                raise Killed

    reference = there(town)
    with tapped(Death()), suppress(Killed):
        moves(town, reference, status="resolved")
        town.later(1)
    for _ in range(3):
        town.later(120)
    assert [told["status"] for told in town.jkp.told] == ["CLOSED"]
    assert by_hand(town, reference) == []


def test_withdrawn_before_it_left_it_never_leaves(world: World, jkp: Endpoint) -> None:
    town = Town(world, jkp, TAKES)
    jkp.posts = [503]
    reference = town.reports()
    town.later(1)
    withdraws(town, reference)
    town.later(60)
    assert (jkp.filed, jkp.told) == ([], [])


def test_withdrawn_on_its_way_it_is_told_when_it_has_arrived(town: Town) -> None:
    town.jkp.posts = [TAKEN_THEN_SILENT]
    reference = town.reports()
    town.later(1)
    withdraws(town, reference)
    for _ in range(3):
        town.later(70)
    assert len(town.jkp.filed) == 1 and [told["status"] for told in town.jkp.told] == ["CLOSED"]


def test_opened_again_long_after_its_news_were_last_asked_for_it_is_told_and_they_are_again(town: Town) -> None:
    reference = there(town)
    moves(town, reference, status="resolved")
    town.later(60)
    for _ in range(3):
        town.later(15 * 86400)
    asked = town.jkp.times("GET")
    town.later(3600)
    assert town.jkp.times("GET") == asked
    moves(town, reference, name="reopened")
    town.later(1)
    assert [told["status"] for told in town.jkp.told] == ["CLOSED", "OPEN"]
    town.later(16 * 60)
    assert town.jkp.times("GET") > asked


def test_a_token_has_its_number_before_anything_is_told(town: Town) -> None:
    town.jkp.posts = ["token"]
    reference = town.reports()
    town.later(1)
    withdraws(town, reference)
    town.later(60)
    assert town.jkp.told == []
    town.jkp.tokens["t-1"] = "JKP/1"
    for _ in range(3):
        town.later(16 * 60)
    assert [told["service_request_id"] for told in town.jkp.told] == ["JKP/1"]


@pytest.mark.campaign
def test_a_report_that_is_not_taken_for_a_day_is_given_up_where_staff_see_it(town: Town) -> None:
    town.jkp.posts = [503] * 500
    reference = town.reports()
    for _ in range(90):  # as often as a row is tried in a day
        town.later(900)
    assert town.case(reference).history[-1].event == "open311_failed"
    admin = seated(employed(town.world.slug, "admin"), town.world.now)
    assert reference in admin.get("/console/systems/open311").text
