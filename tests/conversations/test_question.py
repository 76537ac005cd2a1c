"""Asking an office in an invented town, as conversations."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from chalicelib.actions import change_case
from chalicelib.cases import notices
from chalicelib.cases.lifecycle import Event
from chalicelib.dialogue import words
from chalicelib.model import Case, Voice
from chalicelib.understanding.entities.zones import SEVERAL, zone_in
from infra.proofs import Stage, town_of
from tests.conversations.people import buttons, heard, presses, says
from tests.world import compiled

TOWN = town_of(compiled("upitna", "upitna"))
FRIDAY = "2026-02-27T10:00:00+01:00"  # Monday 2 March is a holiday moved from Sunday


def stage(clock: str = FRIDAY, **loaded: Any) -> Stage:
    return Stage(TOWN, "viber", clock, **loaded)


def filed(scene: Stage) -> Case:
    assert scene.filed is not None, heard(scene)
    return scene.filed


@pytest.mark.parametrize(
    "said",
    [
        "Imam pitanje: kad se plaća porez na garažu?",
        "Dobar dan, imam pitanje. Kad se plaća porez na garažu?",
        "Имам питање за општину: кад се плаћа порез на гаражу?",
        "Pitanje: kad se plaća porez na garažu?",
        "Pitajte općinu: kad se plaća porez na garažu?",
        "Ich habe eine Frage: Wann ist die Grundsteuer für die Garage fällig?",
        "I have a question: when do I pay the property tax on a garage?",
    ],
)
def test_what_was_said_with_the_wish_is_the_question_and_names_the_office(said: str) -> None:
    scene = stage()
    asked = says(scene, said)
    assert buttons(asked) >= {"ask.zone.here", "ask.zone.us_east"}, asked.text
    presses(scene, "ask.zone.here", "form.send")
    case = filed(scene)
    assert (case.kind, case.category, case.office) == ("question", "taxes", "porezi")
    assert case.fields["question"].rstrip("?").lower().endswith(("garažu", "гаражу", "fällig", "garage"))
    assert not case.fields["question"].lower().startswith(("imam", "pit", "dobar", "имам", "ich habe", "i have", "za"))
    assert "zone" not in case.fields


@pytest.mark.parametrize("said", ["Imam pitanje", "imam pitanje za vas", "Ich habe eine Frage", "Pitajte općinu"])
def test_who_only_wishes_to_ask_is_asked_for_the_question(said: str) -> None:
    scene = stage()
    assert says(scene, said).ask == "text"
    says(scene, "Gdje mogu parkirati autobus?")
    assert "Gdje mogu parkirati autobus?" not in heard(scene)  # nothing is shown before the summary
    presses(scene, "ask.topic.other", "ask.zone.here")
    assert "Gdje mogu parkirati autobus?" in heard(scene)


def test_a_sheet_that_answers_is_a_button_away_and_the_question_waits() -> None:
    scene = stage()
    asked = says(scene, "Imam pitanje: kad se plaća porez na imovinu?")
    assert "procedures.property_tax" in buttons(asked)
    presses(scene, "procedures.property_tax")
    assert "Živite li u inostranstvu" in heard(scene)


def test_the_office_is_asked_only_when_the_words_do_not_tell() -> None:
    scene = stage()
    asked = says(scene, "Imam pitanje: ko održava sat na kuli?")
    assert buttons(asked) >= {"ask.topic.taxes", "ask.topic.other"}


def test_what_was_not_understood_goes_to_an_office_without_being_written_again() -> None:
    scene = stage()
    lost = says(scene, "kvrcnuo mi je blimp na šumatoru")
    assert lost.choices[0][0] == "ask"
    presses(scene, "ask", "ask.topic.other", "ask.zone.here", "form.send")
    assert filed(scene).fields["question"] == "kvrcnuo mi je blimp na šumatoru"


def test_where_the_bot_only_guesses_the_words_can_go_to_an_office() -> None:
    scene = stage()
    assert "Jeste li mislili" in says(scene, "kontakt ili porez").text
    presses(scene, "ask")
    assert "kontakt ili porez" in presses(scene, "ask.topic.taxes", "ask.zone.here").text


def test_the_deadline_skips_a_weekend_and_a_moved_holiday() -> None:
    scene = stage()
    says(scene, "Imam pitanje: kad se plaća porez na garažu?")
    presses(scene, "ask.zone.here", "form.send")
    assert "Odgovor do: srijeda, 4. 3. 2026. u 16:00" in heard(scene)
    due = dt.datetime.fromtimestamp(filed(scene).due_at, dt.UTC)
    assert due.isoformat() == "2026-03-04T15:00:00+00:00"


def test_abroad_the_deadline_stands_in_both_times_and_the_place_is_asked_once() -> None:
    scene = stage()
    says(scene, "Imam pitanje: kad se plaća porez na garažu?", "Melburn")
    presses(scene, "form.send")
    assert "u 16:00" in heard(scene)
    assert "Po vremenu kod Vas (Melburn): četvrtak, 5. 3. 2026. u 02:00" in heard(scene)
    assert filed(scene).fields["zone"]["zone"] == "Australia/Sydney"
    says(scene, "Imam pitanje: koliki je porez na vikendicu?")
    assert "Provjerite podatke" in heard(scene)
    assert "Melburn" in heard(scene)


def test_the_same_time_is_said_to_be_the_same() -> None:
    scene = stage()
    says(scene, "Ich habe eine Frage: Wann ist die Grundsteuer für die Garage fällig?")
    presses(scene, "ask.zone.central", "form.send")
    assert "Bei Ihnen ist es die gleiche Zeit" in heard(scene)


def test_a_country_with_several_times_asks_for_the_city_and_living_there_is_taken_as_said() -> None:
    scene = stage()
    assert "Toronto" in says(scene, "Imam pitanje: koliki je porez na vikendicu?", "u Australiji").text
    scene = stage()
    summary = says(scene, "Imam pitanje: živim u Beču, koliki je porez na vikendicu?")
    assert "Provjerite podatke" in summary.text


@pytest.mark.parametrize(
    ("said", "zone"),
    [
        ("Švedska", "Europe/Berlin"),
        ("Чикаго", "America/Chicago"),
        ("New York", "America/New_York"),
        ("u Torontu, Kanada", "America/Toronto"),
        ("Kanada", SEVERAL),
        ("Novi Sad", None),
        ("kod kuće", None),
    ],
)
def test_places_abroad_by_their_names_here(said: str, zone: str | None) -> None:
    assert zone_in(said) == zone


def test_a_term_that_starts_at_validation_is_told_then() -> None:
    scene = stage()
    presses(scene, "checked")
    says(scene, "Koliko iznosi naknada za groblje?", "Ana Anić", "061 123 456")
    presses(scene, "form.send")
    case = filed(scene)
    assert case.due_at == 0
    assert "Rok za odgovor počinje kada služba potvrdi" in heard(scene)
    assert case.applicant == {"name": "Ana Anić", "phone": "+38761123456"}
    found = change_case.after(TOWN, case, Event(case.created_at + 86400, "staff:ana", name="validated"))
    say = notices.notice(found, TOWN.core)
    assert say is not None
    text = words.message(say, TOWN, Voice("bs"), "1", 0).text
    assert "rok za odgovor teče" in text
    assert "Odgovor do: ponedjeljak, 2. 3. 2026. u 10:0" in text  # by the clock: an hour is an hour on a holiday, too


def test_giving_up_sends_nothing() -> None:
    scene = stage()
    says(scene, "Imam pitanje", "Gdje je pošta?", "odustajem")
    assert scene.cases == []
