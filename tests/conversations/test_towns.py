"""Every town under `tenants/`: valid, and true to its own proofs."""

from __future__ import annotations

import pytest

from chalicelib.model import Inbound
from infra import towns
from infra.proofs import Stage, play_town, town_of

SLUGS = towns.slugs()


@pytest.fixture(scope="module")
def versions() -> dict[str, dict]:  # type: ignore[type-arg]
    return {slug: towns.compiled(slug) for slug in SLUGS}


def test_numbers_and_reference_prefixes_are_each_towns_own(versions: dict) -> None:  # type: ignore[type-arg]
    assert towns.clashes(versions) == []


@pytest.mark.parametrize("slug", SLUGS)
def test_a_town_keeps_its_promises(slug: str) -> None:
    results = play_town(slug)
    assert [f"{result.file}: {result.problem}" for result in results if not result.passed] == []


@pytest.mark.parametrize("slug", SLUGS)
def test_every_choice_of_a_town_can_be_reached_and_says_something_in_every_voice(slug: str, versions: dict) -> None:  # type: ignore[type-arg]
    town = town_of(versions[slug])
    for entry in town.core["languages"]:
        for script in entry["scripts"]:
            scene = Stage(town, "web", "2026-03-10T10:15:00+01:00")
            scene.say(Inbound(id="v", citizen="c", kind="choice", choice=f"language.{entry['id']}-{script}"))
            waiting, seen = ["menu"], set()
            while waiting:
                choice = waiting.pop()
                if choice in seen:  # offered at several places
                    continue
                seen.add(choice)
                message = scene.say(Inbound(id=choice, citizen="c", kind="choice", choice=choice))[-1]
                assert message.text and "{" not in message.text, (choice, message.text)
                assert all(0 < len(label) <= 80 for _, label in message.choices)
                waiting += [
                    each for each, _ in message.choices if each not in seen and not each.startswith("language.")
                ]
            assert {sheet for sheet in town.sheets[entry["id"]] if sheet.startswith("procedures.")} <= seen


@pytest.mark.parametrize("slug", SLUGS)
def test_every_report_of_a_problem_leads_to_somebody(slug: str, versions: dict) -> None:  # type: ignore[type-arg]
    routes = versions[slug]["core"]["routes"]
    choices = versions[slug]["texts"][versions[slug]["core"]["languages"][0]["id"]]
    known = [intent for intent in versions[slug]["index"]["intents"] if intent not in choices]
    intents = [intent for intent in known if intent.startswith("report.")]
    assert [intent for intent in intents if intent not in routes] == []
