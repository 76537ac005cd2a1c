"""Versions of towns: atomic, repeatable, one winner."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest

from chalicelib.actions.publish_tenant import publish_tenant
from chalicelib.model import Conflict
from chalicelib.storage import tenants
from chalicelib.wire import Deadline
from tests.world import NOON, compiled

SOON = Deadline(1e6)  # made when tests are collected, which may be long before one runs


def test_a_version_is_read_back_as_it_was_compiled(aws: Any, town_slug: str) -> None:
    version = compiled(town_slug)
    pointer = tenants.publish(town_slug, version, NOON, SOON, "live")
    town = tenants.town(town_slug, pointer.version, SOON)
    assert town is not None
    assert (town.core, dict(town.texts), dict(town.sheets), town.index) == (
        version["core"],
        version["texts"],
        version["sheets"],
        _as_json(version["index"]),
    )


def _as_json(data: Any) -> Any:
    import json

    return json.loads(json.dumps(data))


def test_the_same_content_again_makes_no_new_version(aws: Any, town_slug: str) -> None:
    first = tenants.publish(town_slug, compiled(town_slug), NOON, SOON, "trial")
    assert tenants.publish(town_slug, compiled(town_slug), NOON + 5, SOON) == first
    live = tenants.publish(town_slug, compiled(town_slug), NOON + 5, SOON, "live")
    assert (live.version, live.state) == (first.version, "live")


@pytest.mark.shows("F35", "R8")
def test_parts_of_an_interrupted_publication_are_never_in_force(aws: Any, town_slug: str) -> None:
    version = compiled(town_slug)
    tenants.publish(town_slug, version, NOON, SOON, "live")
    from chalicelib.storage import dynamo, keys

    half = {"pk": keys.town(town_slug), "sk": keys.version_prefix(2) + "core", "shape": 1, "body": b"half"}
    dynamo.put("tenants", half, SOON)
    changed = version | {"core": version["core"] | {"bot": "NOVA"}}
    pointer = tenants.publish(town_slug, changed, NOON, SOON)
    town = tenants.town(town_slug, pointer.version, SOON)
    assert town is not None
    assert (pointer.version, pointer.previous, town.core["bot"]) == (3, 1, "NOVA")


def _at_once(act: Callable[[str], object]) -> list[str]:
    """Four do it at the same moment, each with a bot's name of their own: the names of those who won, or "told"."""
    outcomes: list[str] = []

    def do(bot: str) -> None:
        try:
            act(bot)
            outcomes.append(bot)
        except Conflict:
            outcomes.append("told")

    threads = [threading.Thread(target=do, args=(f"BOT{number}",)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return outcomes


@pytest.mark.shows("F36")
def test_of_admins_who_apply_different_versions_at_once_one_wins_and_the_others_are_told(
    aws: Any, town_slug: str
) -> None:
    version = compiled(town_slug)
    over = publish_tenant(version, NOON, "live")

    def apply(bot: str) -> None:
        theirs = version | {"core": version["core"] | {"bot": bot}}
        publish_tenant(theirs, NOON, "live", f"platform:{bot}", over=over)

    outcomes = _at_once(apply)
    (winner,) = (outcome for outcome in outcomes if outcome != "told")
    assert len(outcomes) == 4
    pointer = tenants.pointer(town_slug, SOON)
    assert pointer is not None
    town = tenants.town(town_slug, pointer.version, SOON)
    assert town is not None and town.core["bot"] == winner


@pytest.mark.shows("F36")
def test_of_publications_at_once_the_pointer_names_a_whole_one(aws: Any, town_slug: str) -> None:
    version = compiled(town_slug)

    def publish(bot: str) -> None:
        tenants.publish(town_slug, version | {"core": version["core"] | {"bot": bot}}, NOON, Deadline(30), "live")

    outcomes = _at_once(publish)
    pointer = tenants.pointer(town_slug, SOON)
    assert pointer is not None
    town = tenants.town(town_slug, pointer.version, SOON)
    assert town is not None
    assert town.core["bot"] in outcomes
    assert set(town.texts) == set(version["texts"])
