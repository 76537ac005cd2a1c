"""How a case stands: its own people learn everything, strangers nothing, not even that it exists."""

from __future__ import annotations

import json
from typing import Any

import pytest

from chalicelib.actions import case_api
from chalicelib.actions.change_case import change_case
from chalicelib.cases.lifecycle import Event
from chalicelib.channels import Request
from chalicelib.storage import api_keys
from chalicelib.storage.cases import CaseStore
from chalicelib.wire import Deadline
from tests.world import World

SOON = Deadline(1e6)  # made when tests are collected, which may be long before one runs


def _registered(world: World, **fields: Any) -> dict[str, Any]:
    """A paper case, registered by the town's office system."""
    body = {"subject": "Dozvola", "applicant": {"name": "Proba"}, "number": "03-082/20-700/1"} | fields
    request = Request(json.dumps(body).encode(), {"authorization": f"Bearer {_key(world)}", "host": "h"}, {})
    return case_api.post_case(world.slug, request, world.now)


def _key(world: World) -> str:
    return api_keys.make(world.slug, "test", ("cases:read", "cases:write"), "s" * 32, world.now, Deadline(10))


def _context(filed: dict[str, Any]) -> str:
    return str(filed["link"]["viber"].rpartition("context=")[2])


def test_a_slip_scanned_and_agreed_to_binds_the_case_and_brings_its_notices(world: World) -> None:
    filed = _registered(world)
    asked = world.calls({"event": "conversation_started", "user": {"id": "mira"}, "context": _context(filed)})
    assert "saglasni" in asked["text"]
    yes = asked["keyboard"]["Buttons"][0]["ActionBody"]
    assert "Saglasnost je zabeležena" in world.says("mira", yes)[0]
    assert "iskorišćena" in world.says("jovo", yes)[0]
    case = CaseStore(world.slug).load(filed["reference"], SOON)
    assert case is not None
    assert (case.owner.citizen, case.consent) == ("mira", True)  # type: ignore[union-attr]
    event = Event(int(world.now), "staff:ana", status="in_progress", official="A. H.")
    change_case(world.town, filed["reference"], event, world.now, "h", Deadline(20))
    assert "U obradi" in world.viber.texts("mira")[-1]
    assert "A. H." in world.viber.texts("mira")[-1]


@pytest.mark.shows("A27")
def test_the_owner_asks_by_number_as_often_as_wanted_and_a_stranger_learns_nothing(world: World) -> None:
    filed = _registered(world)
    asked = world.calls({"event": "conversation_started", "user": {"id": "mira"}, "context": _context(filed)})
    world.says("mira", asked["keyboard"]["Buttons"][0]["ActionBody"])
    for typed in ("03-082/20-700/1", f"status {filed['reference'].lower()}", "status predmeta 03-082/20-700/1"):
        assert "Primljeno" in world.says("mira", typed)[0]
    missing = world.says("jovo", "status predmeta 99-999/20-999/9")[0]
    foreign = world.says("jovo", "status predmeta 03-082/20-700/1")[0]
    assert missing.replace("99-999/20-999/9", "X") == foreign.replace("03-082/20-700/1", "X")


def test_own_cases_are_told_at_once(world: World) -> None:
    assert "Trenutno nemate" in world.says("mira", "status predmeta")[0]
    filed = _registered(world)
    asked = world.calls({"event": "conversation_started", "user": {"id": "mira"}, "context": _context(filed)})
    world.says("mira", asked["keyboard"]["Buttons"][0]["ActionBody"])
    assert "Primljeno" in world.says("mira", "moji predmeti")[0]
