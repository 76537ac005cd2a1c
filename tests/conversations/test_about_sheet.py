"""Short questions about the sheet that was just read, as conversations in the invented town."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from chalicelib.dialogue.about_sheet import MESSAGES_BACK, READ_SECONDS, rules
from chalicelib.dialogue.words import PARTS
from chalicelib.storage import shapes
from infra.proofs import Stage, town_of
from tests.conversations.people import buttons, heard, presses, says, waits
from tests.world import compiled

TOWN = town_of(compiled("primer"))
CLOCK = "2026-03-10T10:15:00+01:00"
BIRTH = "procedures.birth"


def reader(channel: str = "viber", sheet: str = BIRTH) -> Stage:
    """Somebody who has just been shown a sheet."""
    scene = Stage(TOWN, channel, CLOCK)
    presses(scene, sheet)
    return scene


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("a koliko to košta?", "Taksa"),
        ("колика је такса", "Такса"),
        ("koliko se čeka", "Rok"),
        ("kad će biti gotovo", "Rok"),
        ("šta mi treba od papira", "Potrebna dokumenta"),
        ("ko može da podnese", "Ko ima pravo"),
        ("može li preko interneta", "Kako"),
        ("gde se predaje", "Gde"),
        ("kome da se javim", "Gde"),
        ("na osnovu kog zakona", ""),
        ("po kom zakonu", "Pravni osnov"),
        ("how long does it take?", "Deadline"),
        ("how much is it", "Fee"),
        ("where do I go", "Where"),
    ],
)
def test_a_short_question_is_answered_by_that_part_of_the_sheet(text: str, label: str) -> None:
    scene = reader()
    answer = says(scene, text).text
    sections = [line.partition(":")[0] for line in answer.split("\n") if ":" in line]
    assert label == "" or label in sections, answer
    assert "Ko ima pravo" not in sections or label == "Ko ima pravo"


def test_the_whole_sheet_and_its_ways_are_a_button_away() -> None:
    whole = reader().messages[-1]
    scene = reader()
    part = says(scene, "koliko košta")
    assert buttons(part) == buttons(whole) | {BIRTH}
    assert presses(scene, BIRTH).text == whole.text


def test_where_the_office_is_to_be_asked_it_is_said_which() -> None:
    fee = says(reader(), "koliko košta").text
    assert "Pitajte na šalteru" in fee and "Uslužni centar, Trg 1" in fee and "025 000 000" in fee.replace("+381 ", "0")


def test_hours_and_phone_are_those_of_the_office_just_read_of() -> None:
    scene = reader(sheet="contacts.putevi")
    assert "07:00–15:00" in says(scene, "radno vreme").text
    assert "JKP Putevi" in says(scene, "koji je telefon").text
    assert "07:30–15:30" in says(Stage(TOWN, "viber", CLOCK), "radno vreme").text, "else the town's own"


@pytest.mark.parametrize(
    "text", ["koliko košta karta za autobus", "rok za plaćanje poreza", "telefon vodovoda", "radno vreme biblioteke"]
)
def test_a_question_with_a_subject_of_its_own_is_not_taken_for_one_about_the_sheet(text: str) -> None:
    alone, after = Stage(TOWN, "viber", CLOCK), reader()
    assert says(after, text).text == says(alone, text).text


def test_words_of_its_title_name_the_sheet_itself() -> None:
    assert says(reader(), "koliko košta izvod iz matične knjige rođenih").text.count("\n") < 8


def test_thanks_in_between_change_no_subject_but_another_answer_time_and_many_words_do() -> None:
    scene = reader()
    assert "Rok" in says(scene, "hvala", "koliko se čeka").text
    for passes in (
        lambda one: presses(one, "menu"),
        lambda one: waits(one, READ_SECONDS / 60 + 1),
        lambda one: says(one, *["hvala"] * (MESSAGES_BACK + 1)),
    ):
        scene = reader()
        passes(scene)
        assert "nismo razumeli" in says(scene, "koliko se čeka").text


def test_in_a_request_its_own_sheet_is_asked_about_and_the_question_follows() -> None:
    scene = Stage(TOWN, "viber", CLOCK)
    says(scene, "Hoću da naručim izvod rođenih", "za mene", "Ana Anić")
    before = scene.messages[-1].text
    says(scene, "koliko se čeka?")
    assert "Rok: " in heard(scene) and scene.messages[-1].text == before
    says(scene, "Petrović")
    assert "Petrović" not in heard(scene) and scene.messages[-1].text != before


def test_on_the_web_the_part_is_drawn_as_the_sheet_is() -> None:
    sheet = says(reader("web"), "koliko se čeka").sheet
    assert sheet is not None
    assert [section["label"] for section in sheet["sections"]] == ["Rok"]


def test_a_sheet_that_is_gone_is_not_asked_about() -> None:
    scene = reader()
    sheets = {language: {} for language in TOWN.sheets}
    scene.town = replace(TOWN, sheets=sheets)
    assert "nismo razumeli" in says(scene, "koliko košta").text


def test_what_was_said_in_part_is_said_so_again() -> None:
    scene = reader()
    says(scene, "koliko košta")
    say = scene.conversation.log[-1].say
    assert say is not None and say.part == "fee"
    assert shapes.say_from(json.loads(json.dumps(shapes.say_data(say)))) == say


def test_every_kind_of_question_has_its_sections() -> None:
    assert {part for _, part in rules()} == set(PARTS)
