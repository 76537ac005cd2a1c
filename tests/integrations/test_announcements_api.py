"""Announcements by a town's system: written, approved with another key, stopped, looked at, each request done once."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from chalicelib.actions import clock, send_page
from chalicelib.actions.sweep import sweep
from chalicelib.model import Follower, Voice
from chalicelib.storage import dynamo, people
from chalicelib.wire import Deadline
from tests.actions.test_announcements import NEWS, TEXT
from tests.integrations.system import System
from tests.world import World

DRAFT = {"text": {"sr": TEXT}, "audience": {"topics": ["water"]}}


@pytest.fixture
def town(world: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    monkeypatch.setattr(clock, "now", lambda: world.now)
    monkeypatch.setattr(send_page, "PAGES_PER_SECOND", 1e6)
    world.offers(NEWS)
    yield world


def subscribe(world: World, number: int) -> None:
    writes = [
        people.subscription(world.slug, Follower(world.account.id, f"one{n}"), "water", "", Voice("sr"), world.now)
        for n in range(number)
    ]
    for first in range(0, number, 100):
        dynamo.transact(writes[first : first + 100], Deadline(40))


def test_an_announcement_goes_its_way_from_draft_to_done(town: World, quiet: World) -> None:
    subscribe(town, 3)
    dms = System(town.slug)
    answer = dms.post("announcements", DRAFT)
    draft = answer.json
    assert (answer.status, draft["state"], draft["calls"], draft["price"], draft["pages"]) == (
        201,
        "draft",
        1,
        None,
        [],
    )
    assert draft["text"] == {"sr": TEXT}
    assert draft["audience"] == {"topics": ["water"], "settlements": [], "languages": [], "channels": []}
    assert (draft["counts"]["audience"], draft["counts"]["left"]) == (3, 3)
    approved = dms.post(f"announcements/{draft['id']}/approve", {})
    assert (approved.status, approved.json["state"]) == (201, "approved")
    assert sweep(town.now)["failed"] == 0
    sweep(town.now)
    done = dms.get(f"announcements/{draft['id']}").json
    assert (done["state"], done["counts"]["sent"], done["counts"]["left"]) == ("done", 3, 0)
    assert done["pages"] == [{"n": 1, "state": "sent", "size": 3}]
    again = dms.post(f"announcements/{draft['id']}/approve", {})
    assert (again.status, again.code) == (422, "not_a_draft")


@pytest.mark.shows("A25")
def test_above_the_bound_the_same_key_may_not_approve_and_another_may(town: World) -> None:
    subscribe(town, 501)
    writing, approving = System(town.slug), System(town.slug)
    draft = writing.post("announcements", DRAFT).json
    refused = writing.post(f"announcements/{draft['id']}/approve", {})
    assert (refused.status, refused.code) == (403, "second_person")
    assert approving.post(f"announcements/{draft['id']}/approve", {}).status == 201


def test_a_scheduled_one_waits_and_can_be_stopped(town: World) -> None:
    subscribe(town, 2)
    dms = System(town.slug)
    draft = dms.post("announcements", DRAFT | {"at": "2026-03-10T17:00:00+01:00"}).json
    assert draft["at"] == "2026-03-10T17:00:00+01:00"
    dms.post(f"announcements/{draft['id']}/approve", {})
    sweep(town.now)
    stopped = dms.post(f"announcements/{draft['id']}/stop", {})
    assert (stopped.status, stopped.json["state"], stopped.json["counts"]["left"]) == (201, "stopped", 2)
    town.now += 6 * 3600
    sweep(town.now)
    assert town.viber.broadcasts == []
    assert dms.post(f"announcements/{draft['id']}/stop", {}).code == "nothing_to_stop"


def test_the_same_request_again_answers_the_same_and_writes_nothing(town: World) -> None:
    subscribe(town, 2)
    dms = System(town.slug)
    first = dms.post("announcements", DRAFT, Idempotency_Key="one")
    assert dms.post("announcements", DRAFT, Idempotency_Key="one") == first
    assert dms.post("announcements", DRAFT | {"at": "2026-03-11"}, Idempotency_Key="one").status == 422
    path = f"announcements/{first.json['id']}/approve"
    approved = dms.post(path, {}, Idempotency_Key="two")
    assert (approved.status, dms.post(path, {}, Idempotency_Key="two")) == (201, approved)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "text"),
        ({"text": {}}, "text"),
        ({"text": {"sr": ""}}, "text.sr"),
        ({"text": {"sr": "a" * 1001}}, "text.sr"),
        ({"text": {"bs": "x"}}, "text.bs"),
        ({"text": {"sr": "x"}, "audience": {"topics": ["x"]}}, "audience.topics"),
        ({"text": {"sr": "x"}, "audience": {"channels": ["sms"]}}, "audience.channels.0"),
        ({"text": {"sr": "x"}, "audience": {"phones": ["1"]}}, "audience.phones"),
        ({"text": {"sr": "x"}, "at": "tomorrow"}, "at"),
        ({"text": {"sr": "x"}, "at": "2099-01-01"}, "at"),
    ],
)
def test_what_cannot_be_announced_is_422_with_its_field(town: World, body: dict[str, Any], field: str) -> None:
    answer = System(town.slug).post("announcements", body)
    assert (answer.status, answer.json["error"]["field"]) == (422, field)


@pytest.mark.shows("A4")
def test_a_key_without_the_scope_or_of_another_town_sees_nothing(town: World) -> None:
    draft = System(town.slug).post("announcements", DRAFT).json
    lacking = System(town.slug, ["cases:read"])
    assert lacking.post("announcements", DRAFT).status == 403
    assert lacking.get(f"announcements/{draft['id']}").status == 403
    assert System(town.slug).get("announcements/nothing").status == 404
    assert System(town.slug).get("announcements/%23NOW").status == 404
