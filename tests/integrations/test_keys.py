"""A town's keys: made and revoked by its admin or on the command line; when each was last used is known to the hour."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator

import pytest

from chalicelib.actions import clock, manage_keys
from chalicelib.storage import api_keys, audit
from chalicelib.storage.api_keys import ApiKey
from chalicelib.wire import Deadline
from infra import cli
from tests.console.desk import Desk
from tests.integrations.system import System
from tests.world import World

SOON = Deadline(1e6)


@pytest.fixture(autouse=True)
def still(world: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(clock, "now", lambda: world.now)
    monkeypatch.setattr("chalicelib.actions.case_api.REQUEST_SECONDS", 60.0)
    monkeypatch.setattr("chalicelib.console.door.PAGE_SECONDS", 60.0)
    monkeypatch.setattr(api_keys, "NOTE_SECONDS", 60.0)
    yield


def made(desk: Desk, name: str, *scopes: str) -> str:
    page = desk.sends("/console/keys", name=name, **{f"scope.{scope}": "1" for scope in scopes})
    found = re.search(r"slt_[a-z0-9-]+_[\w-]{43}", page.text)
    assert page.status == 200 and found, page.words
    return found[0]


def only(world: World) -> ApiKey:
    (key,) = manage_keys.all_of(world.town, world.now, SOON)
    return key


def test_an_admin_makes_a_key_sees_it_once_and_revokes_it_for_every_process_at_once(world: World) -> None:
    desk = Desk(world, "admin")
    token = made(desk, "Pisarnica", "cases:read")
    dms = System(world.slug, token=token)
    assert (dms.get("cases").status, dms.post("cases", {}).status) == (200, 403)
    page = desk.opens("/console/keys")
    assert "Pisarnica" in page.words and token not in page.text
    assert desk.sends(f"/console/keys/{only(world).id}/revoke").status == 303
    assert dms.get("cases").status == 401
    assert "opozvan" in desk.opens("/console/keys").words
    day = time.strftime("%Y-%m-%d", time.gmtime(world.now))
    acts = [(act.what, act.about) for act in audit.of_day(world.slug, day, SOON)[0]]
    assert set(acts) == {("key_made", "Pisarnica"), ("key_revoked", "Pisarnica")}
    assert token not in desk.opens("/console/audit").text


def test_the_last_use_is_noted_once_an_hour_and_costs_the_other_requests_nothing(world: World) -> None:
    desk = Desk(world, "admin")
    dms = System(world.slug, token=made(desk, "Pisarnica", "cases:read"))
    assert "još nije korišćen" in desk.opens("/console/keys").words
    first = world.now
    assert dms.get("cases").status == 200
    world.now += 1800
    dms.get("cases")  # takes its handful of tokens anew
    world.meter.reset()
    dms.get("cases")
    assert only(world).used_at == int(first)
    assert "dynamodb.PutItem" not in world.meter.operations
    world.now += 3600
    dms.get("cases")
    assert only(world).used_at == int(world.now)
    assert "na sat" in Desk(world, "admin").opens("/console/keys").words


def test_a_use_noted_while_it_is_revoked_does_not_bring_a_key_back(world: World) -> None:
    token = made(Desk(world, "admin"), "Pisarnica", "cases:read")
    looked_up = api_keys.find(token, SOON)
    assert looked_up is not None
    manage_keys.revoke(world.town, looked_up.id, "staff:ana", world.now, SOON)
    api_keys.note_use(looked_up, world.now, SOON)
    assert api_keys.find(token, SOON) is None


def test_revoked_keys_leave_the_list_after_some_months(world: World) -> None:
    token = made(Desk(world, "admin"), "Pisarnica", "cases:read")
    assert api_keys.revoke(token, world.now, SOON)
    world.now += (api_keys.REVOKED_SHOWN_DAYS + 1) * 86400
    assert manage_keys.all_of(world.town, world.now, SOON) == ()


@pytest.mark.parametrize(
    ("name", "scopes", "said"),
    [("", ("cases:read",), "za koji program"), ("Pisarnica", (), "šta ključ sme"), ("x", ("everything",), "šta ključ")],
)
def test_a_key_without_a_name_or_for_nothing_is_not_made(
    world: World, name: str, scopes: tuple[str, ...], said: str
) -> None:
    page = Desk(world, "admin").sends("/console/keys", name=name, **{f"scope.{scope}": "1" for scope in scopes})
    assert page.status == 422 and said in page.words
    assert manage_keys.all_of(world.town, world.now, SOON) == ()


def test_no_admin_revokes_another_towns_key(world: World) -> None:
    elsewhere = api_keys.make(f"{world.slug}-b", "x", ("cases:read",), "s" * 43, world.now, SOON)
    found = api_keys.find(elsewhere, SOON)
    assert found is not None
    assert Desk(world, "admin").sends(f"/console/keys/{found.id}/revoke").status == 404
    assert api_keys.find(elsewhere, SOON) is not None


def test_keys_are_listed_and_revoked_on_the_command_line(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    asked = ["key", "new", world.slug, "--stage", "test", "--scope", "cases:read", "--name", "Pisarnica"]
    assert cli.main(asked) == 0
    token = capsys.readouterr().out.strip()
    assert cli.main(["key", "list", world.slug, "--stage", "test"]) == 0
    listed = capsys.readouterr().out
    assert "Pisarnica" in listed and "never" in listed and token not in listed
    assert cli.main(["key", "revoke", world.slug, only(world).id, "--stage", "test"]) == 0
    assert api_keys.find(token, SOON) is None
    assert cli.main(["apikey", "revoke", world.slug, "000000000000", "--stage", "test"]) == 1
    assert "no key" in capsys.readouterr().err
