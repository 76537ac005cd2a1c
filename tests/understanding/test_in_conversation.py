"""What understanding brings to a conversation: a wish for a voice sticks, a second request is offered."""

from __future__ import annotations

from typing import Any

import pytest

from chalicelib.model import Inbound
from infra.proofs import Stage, town_of
from tests.world import compiled

TOWN = town_of(compiled("primer"))


def stage() -> Stage:
    return Stage(TOWN, "web", "2026-03-10T10:15:00+01:00")


def says(scene: Stage, text: str) -> Any:
    return scene.say(Inbound(id=text, citizen="c", text=text))[-1]


@pytest.mark.parametrize(
    ("wish", "then", "begins"),
    [
        ("ćirilicom molim", "zdravo", "Добар дан!"),
        ("латиницом молим", "здраво", "Dobar dan!"),
        ("in English please", "zdravo", "Hello!"),
        ("auf Deutsch bitte", "zdravo", "Guten Tag!"),
    ],
)
def test_a_voice_asked_for_in_words_sticks_whatever_is_typed_later(wish: str, then: str, begins: str) -> None:
    scene = stage()
    says(scene, wish)
    assert says(scene, then).text.startswith(begins)


def test_a_second_request_is_offered_below_the_first_answer() -> None:
    answer = says(stage(), "Treba mi izvod iz matične knjige rođenih. I koje je radno vreme šaltera?")
    assert "Pitali ste i za ovo" in answer.text
    assert len(answer.choices) > 1


def test_one_request_is_answered_without_another_offered() -> None:
    assert "Pitali ste i" not in says(stage(), "Dobar dan, treba mi izvod iz matične knjige rođenih, hvala").text
