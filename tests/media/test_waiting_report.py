"""A report that waits behind the menu, and words about a report: the same one goes on, any other asks first."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from chalicelib.dialogue import forms
from chalicelib.dialogue.asking import RESUME_AFTER_SECONDS
from tests.faults.journeys import street
from tests.media import samples
from tests.media.host import MediaHost
from tests.viber import message
from tests.world import World

ASKED = "Imate nezavršen unos"


def answers(world: World) -> dict[str, Any]:
    conversation = world.conversation("mira")
    draft = forms.open_draft(conversation.state) if conversation else None
    return dict(draft.answers) if draft else {}


@pytest.fixture
def waiting(world: World, host: MediaHost) -> Callable[[str], str]:
    """A photo began a report, the menu was looked at; then the words: what the bot says to them."""
    world.calls(message("mira", type="picture", media=host.link("/9.jpg", samples.photo())))
    world.says("mira", "meni")

    def says(text: str) -> str:
        return "\n".join(world.says("mira", text))

    return says


def test_words_about_the_same_problem_go_on_with_it(world: World, waiting: Callable[[str], str]) -> None:
    place = street()
    assert ASKED not in waiting(f"Velika rupa u ulici {place} 12")
    assert {"media", "description", "category", "place"} <= set(answers(world))


def test_who_only_wishes_to_report_something_is_asked_first(world: World, waiting: Callable[[str], str]) -> None:
    assert ASKED in waiting("hoću da prijavim problem")
    assert set(answers(world)) == {"media"}


def test_a_problem_of_another_kind_is_another_report(world: World, waiting: Callable[[str], str]) -> None:
    waiting(f"Velika rupa u ulici {street()} 12")
    before = answers(world)
    world.says("mira", "meni")
    assert ASKED in waiting("Ne radi ulična svetiljka")
    assert answers(world) == before


def test_after_half_an_hour_the_photo_may_be_of_something_else(world: World, waiting: Callable[[str], str]) -> None:
    world.now += RESUME_AFTER_SECONDS + 1
    assert ASKED in waiting(f"Velika rupa u ulici {street()} 12")
    assert set(answers(world)) == {"media"}
