"""A publication or a way back that is cut off anywhere leaves the old version or the new one, whole, and its repetition
brings the new one. So does a town going live: the webhook and the state agree."""

from __future__ import annotations

import functools
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from chalicelib import wire
from chalicelib.actions import go_live, known, town_states
from chalicelib.actions.publish_tenant import publish_tenant
from chalicelib.model import SalterError
from chalicelib.storage import audit, tenants
from chalicelib.wire import Call, Deadline, Reply
from tests.faults.breaking import WAYS, Breaker, Killed
from tests.viber import FakeViber
from tests.world import NOON, World, compiled

BY = "platform:proba"
ROOT = Path(__file__).resolve().parents[2]
HERE = "https://salter.example"
CALLS_MAX = 80


def soon() -> Deadline:
    return Deadline(40)


@functools.cache
def versions(slug: str) -> list[dict[str, Any]]:
    """Two versions that differ in every part, and in what the account says of the town."""
    first = compiled(slug)
    second = {
        "core": first["core"] | {"bot": "DRUGA", "number": 77},
        "texts": {language: texts | {"greeting": "drugi pozdrav"} for language, texts in first["texts"].items()},
        "sheets": {language: {} for language in first["sheets"]},
        "index": first["index"] | {"shape": 99},
        "source": first["source"],
    }
    return [first, second]


def in_force(slug: str) -> int:
    """Which of the two it is, whole: 0 or 1. The account and the audit trail say the same."""
    pointer = tenants.pointer(slug, soon())
    assert pointer is not None
    town = tenants.town(slug, pointer.version, soon())
    assert town is not None
    which = int(town.core["bot"] == "DRUGA")
    expected = versions(slug)[which]
    assert {language: town.texts[language]["greeting"] for language in town.texts} == {
        language: texts["greeting"] for language, texts in expected["texts"].items()
    }
    assert {language: set(town.sheets[language]) for language in town.sheets} == {
        language: set(sheets) for language, sheets in expected["sheets"].items()
    }
    assert town.index.get("shape") == expected["index"].get("shape")
    account = tenants.account("viber", slug, soon())
    assert account is not None and account.numbers[slug] == expected["core"]["number"]
    return which


class OfThisThread(Breaker):
    """Breaks what we do, not what Viber's call causes in the function that takes it."""

    def before(self, call: Call) -> None:
        if threading.current_thread() is threading.main_thread():
            super().before(call)

    def after(self, call: Call, reply: Reply) -> None:
        if threading.current_thread() is threading.main_thread():
            super().after(call, reply)


def broken_at(nth: int, when: str, how: str, act: Callable[[], object]) -> bool:
    """Whether `act` was cut off at its nth call; False once it has fewer."""
    breaker = OfThisThread(nth, when, how)
    wire.taps.append(breaker)
    try:
        act()
    except (SalterError, Killed):
        pass
    finally:
        wire.taps.remove(breaker)
        known.forget()
    return bool(breaker.broke)


@pytest.mark.shows("F35", "R8", "T11")
@pytest.mark.parametrize(("when", "how", "every"), WAYS)
def test_a_publication_cut_off_anywhere_leaves_the_old_or_the_new_version_whole(
    world: World, when: str, how: str, every: int
) -> None:
    first, second = versions(world.slug)
    outcomes = set()
    for nth in range(1, CALLS_MAX, every):
        publish_tenant(first, NOON)
        before = entries(world)
        if not broken_at(nth, when, how, lambda: publish_tenant(second, NOON, by=BY)):
            break
        outcomes.add(in_force(world.slug))
        assert entries(world) == before + in_force(world.slug)
        publish_tenant(second, NOON, by=BY)
        assert in_force(world.slug) == 1
        assert entries(world) == before + 1
    else:
        raise AssertionError("it never came to its end")
    assert outcomes == {0, 1} if how == "killed" else 1 in outcomes  # what merely fails is repeated at once


def entries(world: World) -> int:
    return len(audit.of_day(world.slug, "2026-03-10", soon())[0])


@pytest.mark.shows("F35")
@pytest.mark.parametrize(("when", "how", "every"), WAYS)
def test_a_way_back_cut_off_anywhere_leaves_one_of_the_two_whole(world: World, when: str, how: str, every: int) -> None:
    first, second = versions(world.slug)
    second = second | {"core": second["core"] | {"number": first["core"]["number"]}}  # the way back leaves the account
    for nth in range(1, CALLS_MAX, every):
        publish_tenant(first, NOON)
        publish_tenant(second, NOON)
        if not broken_at(nth, when, how, lambda: town_states.roll_back(world.slug, None, BY, NOON, soon())):
            break
        pointer = tenants.pointer(world.slug, soon())
        assert pointer is not None
        town = tenants.town(world.slug, pointer.version, soon())
        assert town is not None
        whole = [bool(town.sheets[language]) for language in town.sheets]
        assert whole == [town.core["bot"] != "DRUGA"] * len(whole)
    else:
        raise AssertionError("it never came to its end")


@pytest.mark.parametrize(("when", "how", "every"), WAYS)
def test_going_live_cut_off_anywhere_is_mended_by_doing_it_again(world: World, when: str, how: str, every: int) -> None:
    def probed(url: str) -> int:
        world.calls({"event": "webhook", "timestamp": 1, "message_token": 1})
        return 200

    world.viber.probe = probed
    for nth in range(1, CALLS_MAX, every):
        publish_tenant(compiled(world.slug), NOON, "trial")
        world.viber.webhook = ""
        if not broken_at(nth, when, how, lambda: _live(world)):
            break
        pointer = tenants.pointer(world.slug, soon())
        assert pointer is not None
        if pointer.state == tenants.LIVE and how == "killed":
            assert world.viber.webhook == f"{HERE}/viber/{world.slug}"
        if pointer.state == tenants.TRIAL and how == "fails":
            assert world.viber.webhook in ("", f"{HERE}/viber/{world.slug}")
        world.warm()
        _live(world)
        assert world.viber.webhook == f"{HERE}/viber/{world.slug}"
        assert tenants.pointer(world.slug, soon()).state == tenants.LIVE  # type: ignore[union-attr]
    else:
        raise AssertionError("it never came to its end")


def _live(world: World) -> None:
    go_live.go_live(world.slug, HERE, BY, NOON, soon(), lambda _: None)


KILLED = """
import json, os, signal, sys
from chalicelib import wire
from chalicelib.actions.publish_tenant import publish_tenant

class Killer:
    writes = 0
    def before(self, call):
        self.writes += call.operation in ("PutItem", "TransactWriteItems")
        if self.writes == int(sys.argv[2]):
            os.kill(os.getpid(), signal.SIGKILL)
    def after(self, call, reply):
        if call.operation == "TransactWriteItems" and sys.argv[2] == "after":
            os.kill(os.getpid(), signal.SIGKILL)

if sys.argv[2] == "after":
    Killer.before = lambda *_: None
wire.taps.append(Killer())
publish_tenant(json.load(open(sys.argv[1])), 1773140400.0, by="platform:proba")
"""


@pytest.mark.shows("F35", "R8")
@pytest.mark.parametrize(("at", "leaves"), [("4", 0), ("after", 1)])
def test_a_killed_process_leaves_the_old_or_the_new_version(world: World, tmp_path: Path, at: str, leaves: int) -> None:
    publish_tenant(versions(world.slug)[0], NOON)
    new = tmp_path / "new.json"
    new.write_text(json.dumps(versions(world.slug)[1]))
    done = subprocess.run([sys.executable, "-c", KILLED, str(new), at], cwd=ROOT, env=os.environ.copy(), timeout=60)
    assert done.returncode == -signal.SIGKILL
    assert in_force(world.slug) == leaves
    publish_tenant(versions(world.slug)[1], NOON)
    assert in_force(world.slug) == 1


def test_other_towns_notice_nothing_of_a_publication(aws: Any, patient: None, town_slug: str, viber: FakeViber) -> None:
    here, there = World(town_slug, viber), f"{town_slug}-b"
    publish_tenant(compiled(there), NOON, "live")
    before = tenants.pointer(there, soon()), tenants.account("viber", there, soon())
    publish_tenant(versions(here.slug)[1], NOON, by=BY)
    town_states.suspend(here.slug, BY, "", NOON, soon())
    assert (tenants.pointer(there, soon()), tenants.account("viber", there, soon())) == before
