"""Closed cases are kept as long as the town says, then they are gone with all that belonged to them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest

from chalicelib import wire
from chalicelib.actions import clock, collect_figures, known_case, retire_cases
from chalicelib.actions.draw_ids import new_reference
from chalicelib.actions.open_case import completed
from chalicelib.cases import retention
from chalicelib.model import Attachment, Case, Follower, Place, Unavailable
from chalicelib.storage import aws, consents, keys, media, phones, search
from chalicelib.storage.cases import CaseStore
from chalicelib.storage.search import Wanted
from chalicelib.wire import Call, Deadline, Reply
from tests import dump
from tests.integrations.system import System
from tests.world import World

pytestmark = pytest.mark.early

DAY = 86400


@pytest.fixture
def dms(world: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[System]:
    monkeypatch.setattr(clock, "now", lambda: world.now)
    monkeypatch.setattr("chalicelib.actions.case_api.REQUEST_SECONDS", 60.0)
    yield System(world.slug)


def _retire(world: World) -> int:
    return retire_cases.retire(world.slug, world.now, Deadline(60))


def _filed(world: World, kind: str = "problem", **more: Any) -> Case:
    case = Case(world.slug, new_reference(world.town), kind, "received", "Cev", 0, 0, **more)
    return CaseStore(world.slug).add(completed(world.town, case, "citizen", world.now), Deadline(20))


def _closes(dms: System, case: Case) -> None:
    for note in range(25):
        assert dms.post(f"cases/{case.reference}/events", {"note": f"beleška {note}"}).status == 201
    assert dms.post(f"cases/{case.reference}/events", {"status": "resolved"}).status == 201


def _everything_of(world: World) -> list[str]:
    """Keys of every item that still names one of the town's cases, and of every object of the town."""
    found = [place.partition(" ")[2] for place, _ in dump.items()]
    bucket = os.environ["SALTER_MEDIA_BUCKET"]
    return [key for key in found if world.slug in key] + aws.list_objects(bucket, f"T/{world.slug}/", Deadline(20))


def _with_everything(world: World) -> Case:
    """A case that has all a case can have: a photo, a number, followers, a phone, notices, search words."""
    world.says("mira", "zdravo")
    who = Follower(world.account.id, "mira")
    person = keys.person(who.account, who.citizen)
    agreed = consents.Consent(consents.CASES, True, int(world.now), "viber", "citizen", "consent_ask.1")
    consents.record(world.slug, person, agreed, Deadline(20))
    photo = keys.media_object(world.slug, who.account, who.citizen, "photo")
    bucket = os.environ["SALTER_MEDIA_BUCKET"]
    for key in (photo, keys.thumbnail(photo)):
        aws.put_object(bucket, key, b"x", "image/jpeg", Deadline(20))
    case = _filed(
        world,
        owner=who,
        followers=(Follower(world.account.id, "ana"),),
        consent=True,
        number="03-082/2026",
        category="road_damage",
        place=Place("Trg 1", 45.77, 19.11),
        applicant={"name": "Mira", "phone": "+381641234567"},
        attachments=(Attachment("1", "photo", 1, "checked", photo),),
    )
    from chalicelib.storage import dynamo, near

    beside = [media.item(media.Medium(world.slug, photo, "photo", "checked", 1, (case.reference,)), world.now)]
    for write in (
        near.item(case, case.created_at),
        phones.item(world.slug, "+381641234567", case.reference, 0, Deadline(20)),
    ):
        assert write is not None
        beside.append(write)
    dynamo.transact(beside, Deadline(20))
    search.write(world.slug, Wanted(case.reference, case.created_at, ("cev", "trg"), "381641234567"), Deadline(20))
    return case


@pytest.mark.shows("D1")
def test_a_closed_case_goes_with_all_that_belonged_to_it_and_the_figures_stay(dms: System, world: World) -> None:
    case = _with_everything(world)
    _closes(dms, case)
    collect_figures.collect(world.slug, world.now, Deadline(60))
    figures = dms.get("figures", **{"from": "2026-03-01", "to": "2026-03-31"}).json
    assert any(case.reference in key for key in _everything_of(world))
    world.now += (retention.DAYS["problem"] + 1) * DAY
    assert _retire(world) == 1
    left = [key for key in _everything_of(world) if case.reference in key or "/media/" in key or "#MEDIA#" in key]
    # What is owed for the case has an end of its own: rows of the outbox find no case and are done.
    assert [key for key in left if "#X#" not in key] == []
    assert not any("03-082" in key or "#W#" in key or "#PH#" in key for key in _everything_of(world))
    assert dms.get("figures", **{"from": "2026-03-01", "to": "2026-03-31"}).json == figures
    assert dms.get(f"cases/{case.reference}").status == 404
    assert dms.get("cases", number="03-082/2026").json["cases"] == []


@pytest.mark.shows("D1")
def test_each_kind_has_its_time_and_the_towns_own_days_win(dms: System, world: World) -> None:
    world.says_of_itself(rules="retention: {question: 60}")
    cases = {kind: _filed(world, kind) for kind in ("question", "chat", "problem")}
    still_open = _filed(world, "chat")
    for case in cases.values():
        assert dms.post(f"cases/{case.reference}/events", {"status": "resolved"}).status == 201
    gone = {}
    for days in (60, 61, 90, 91, 730, 731):
        now, world.now = world.now, world.now + days * DAY
        _retire(world)
        store = CaseStore(world.slug)
        gone[days] = [kind for kind, case in cases.items() if store.load(case.reference, Deadline(20)) is None]
        world.now = now
    assert gone == {
        60: [],
        61: ["question"],
        90: ["question"],
        91: ["question", "chat"],
        730: ["question", "chat"],
        731: ["question", "chat", "problem"],
    }
    assert CaseStore(world.slug).load(still_open.reference, Deadline(20)) is not None


def test_a_day_that_is_looked_through_costs_nothing_more_and_slices_go_on_where_they_stopped(
    dms: System, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retire_cases, "CASES_AT_ONCE", 2)
    for _ in range(5):
        assert dms.post(f"cases/{_filed(world, 'chat').reference}/events", {"status": "resolved"}).status == 201
        world.now += 20 * DAY
    world.now += 91 * DAY
    assert _retire(world) == 5
    world.meter.reset()
    assert _retire(world) == 0
    assert world.meter.operations == []


class _Dies:
    """Lets the n-th deletion fail."""

    def __init__(self, after: int) -> None:
        self.left = after

    def before(self, call: Call) -> None:
        if call.operation in ("DeleteItem", "BatchWriteItem"):
            self.left -= 1
            if self.left == 0:
                raise wire.CallFailed("broken", sent=False)

    def after(self, call: Call, reply: Reply) -> None:
        return


@pytest.mark.shows("D1")
@pytest.mark.parametrize("at", [1, 3, 5, 7])
def test_a_run_that_dies_half_way_leaves_a_case_nobody_sees_and_the_next_one_finishes(
    dms: System, world: World, at: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(aws, "TRIES_MAX", 1)
    case = _with_everything(world)
    assert dms.post(f"cases/{case.reference}/events", {"status": "resolved"}).status == 201
    world.now += (retention.DAYS["problem"] + 1) * DAY
    tap = _Dies(at)
    wire.taps.append(tap)
    try:
        with pytest.raises(Unavailable):
            _retire(world)
    finally:
        wire.taps.remove(tap)
    assert known_case.whole(world.town, case.reference, Deadline(20)) is None
    assert dms.get("cases").json["cases"] == []
    assert _retire(world) == 1
    assert not any(f"#K#{case.reference}" in key for key in _everything_of(world))


@pytest.mark.shows("F19")
def test_a_case_reopened_at_that_very_moment_stays(dms: System, world: World) -> None:
    case = _filed(world, "chat")
    assert dms.post(f"cases/{case.reference}/events", {"status": "resolved"}).status == 201
    closed = CaseStore(world.slug).load(case.reference, Deadline(20))
    assert closed is not None
    assert dms.post(f"cases/{case.reference}/events", {"note": "još nešto"}).status == 201
    assert retire_cases.forget(world.town, closed, world.now, Deadline(20)) is False
    assert dms.get(f"cases/{case.reference}").status == 200
