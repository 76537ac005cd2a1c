"""What was not understood is kept, masked and bounded, and shown grouped."""

from __future__ import annotations

from chalicelib.storage import views
from chalicelib.understanding.misses import grouped
from tests.world import World

DAY = "2026-03-10"


def test_misses_are_kept_without_numbers_and_only_a_few_a_conversation(world: World) -> None:
    world.says("mira", "zdravo")
    for number in ("0641234567", "064 123 45 67", "064/123-4567", "12345678", "381641234567"):
        world.says("mira", f"qwrtz plmok {number}")
    kept = views.misses(world.slug, DAY)
    assert len(kept) == 3
    assert all(miss["why"] == "unknown" for miss in kept)
    written = [each for each in world.meter.operations if each in ("dynamodb.PutItem", "dynamodb.UpdateItem")]
    assert len(written) == 2 * 6
    assert not any(character.isdigit() for miss in kept for character in miss["text"])


def test_a_person_asked_for_after_an_answer_marks_the_question(world: World) -> None:
    world.says("mira", "izvod iz matične knjige rođenih")
    world.says("mira", "~1:person")
    (miss,) = views.misses(world.slug, DAY)
    assert (miss["why"], miss["text"]) == ("person", "izvod iz matične knjige rođenih")


def test_wordings_of_one_question_are_one_group() -> None:
    groups = grouped(
        ["gde je bazen", "Где је базен?", "radno vreme bazena", "gde je bazen u gradu", "karte za bioskop"]
    )
    assert groups[0].count >= 3
    assert groups[-1].texts == ("karte za bioskop",)
