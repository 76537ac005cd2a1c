"""The engine with an invented town, as conversations."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.model import Inbound, Media
from infra.proofs import Stage, town_of
from tests.world import compiled

TOWN = town_of(compiled("primer"))


def stage(clock: str = "2026-03-10T10:15:00+01:00") -> Stage:
    return Stage(TOWN, "web", clock)


def says(scene: Stage, text: str) -> Any:
    return scene.say(Inbound(id=text, citizen="c", text=text))[-1]


def chooses(scene: Stage, choice: str) -> Any:
    return scene.say(Inbound(id=choice, citizen="c", kind="choice", choice=choice))[-1]


def test_the_greeting_names_the_town_says_it_is_a_machine_and_how_to_reach_a_person() -> None:
    opened = stage().say(Inbound(id="1", citizen="c", event="started"))[-1]
    assert "Grada Primera" in opened.text
    assert "automatski program" in opened.text
    assert "person" in dict(opened.choices)


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("zdravo", "Dobar dan! Ja sam PRIMA"),
        ("Здраво", "Добар дан! Ја сам PRIMA"),
        ("Guten Tag", "Guten Tag! Ich bin PRIMA"),
        ("Hello", "Hello! I am PRIMA"),
        ("Përshëndetje", "Mirëdita! Unë jam PRIMA"),
    ],
)
def test_the_answer_is_in_the_language_and_script_of_the_question(said: str, expected: str) -> None:
    assert says(stage(), said).text.startswith(expected)


@pytest.mark.parametrize(
    "said",
    [
        "izvod iz maticne knjige rodjenih",
        "извод из матичне књиге рођених",
        "IZVOD IZ MATIČNE KNJIGE ROĐENIH!!!",
        "kako da dobijem izvod iz matične knjige rođenih?",
        "rodni list",
    ],
)
def test_a_sheet_is_found_however_it_is_typed(said: str) -> None:
    answer = says(stage(), said)
    assert answer.sheet is not None
    labels = [section["label"] for section in answer.sheet["sections"]]
    assert len(labels) >= 6


def test_the_sheet_says_who_what_fee_term_where_hours_phone_law_source_and_date_in_that_order() -> None:
    sheet = says(stage(), "izvod iz matične knjige rođenih").sheet
    labels = [section["label"] for section in sheet["sections"]]
    order = ["Ko ima pravo", "Potrebna dokumenta", "Taksa", "Rok", "Kako", "Gde", "Radno vreme", "Telefon"]
    assert [label for label in order if label in labels] == [label for label in labels if label in order]
    assert "Podaci provereni" in sheet["foot"]


def test_an_unconfirmed_value_is_ask_at_the_office_and_never_invented() -> None:
    answer = says(stage(), "izvod iz matične knjige rođenih")
    assert "Taksa: Pitajte na šalteru" in answer.text
    fee = next(section for section in answer.sheet["sections"] if section["label"] == "Taksa")
    assert fee["ask"] is True


def test_a_matter_of_another_body_is_said_to_be_theirs_with_a_link() -> None:
    answer = says(stage(), "potvrda o prebivalištu")
    assert "nije u našoj nadležnosti" in answer.text
    assert "Policija" in answer.text
    assert answer.link[1] == "https://mup.example/prebivaliste"


@pytest.mark.parametrize(
    ("said", "number"),
    [
        ("gori kuća u ulici", "193"),
        ("oseća se gas u zgradi", "193"),
        ("muž me tuče", "192"),
        ("ne mogu više da živim", "194"),
        ("My house is on fire", "193"),
        ("Осећа се гас", "193"),
        ("es brennt bei uns", "193"),
        ("ka zjarr në shtëpi", "193"),
    ],
)
def test_danger_gets_the_number_at_once(said: str, number: str) -> None:
    assert number in says(stage(), said).text.split("\n")[0]


def test_prevention_of_fires_is_no_emergency() -> None:
    assert "193" not in says(stage(), "Ko izdaje protivpožarni atest?").text.split("\n")[0]


def test_what_is_not_understood_gets_the_menu_and_the_way_to_a_person() -> None:
    answer = says(stage(), "qwrtz plmok")
    assert "Poruku nismo razumeli" in answer.text
    assert {"person", "procedures", "contacts"} <= set(dict(answer.choices))


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("ne", "U redu. Ako vam još nešto treba"),
        ("ok", "U redu."),
        ("u redu, hvala", "U redu."),
        ("👍", "U redu."),
        ("to je sve", "U redu."),
        ("не", "У реду."),
        ("pošalji", "Trenutno ništa nije započeto."),
        ("odustani", "Trenutno ništa nije započeto."),
        ("preskoči", "Trenutno ništa nije započeto."),
        ("nazad", "Izaberite"),
    ],
)
def test_a_word_for_a_form_opens_none_and_guesses_nothing(said: str, expected: str) -> None:
    scene = stage()
    chooses(scene, "contacts.biro")
    answer = says(scene, said)
    assert answer.text.startswith(expected)
    assert {"person", "procedures"} <= set(dict(answer.choices))


def test_yes_to_several_guesses_asks_which_of_them() -> None:
    scene = stage()
    guessed = says(scene, "potvrda")
    assert guessed.text.startswith("Da li ste mislili")
    again = says(scene, "da")
    assert (again.text, again.choices) == (guessed.text, guessed.choices)
    assert says(scene, "ne").text.startswith("U redu.")


def test_an_office_says_whether_it_is_open_and_when_it_opens() -> None:
    assert "Sada je otvoreno, do 15:30" in chooses(stage(), "contacts.biro").text
    evening = chooses(stage("2026-03-13T18:00:00+01:00"), "contacts.biro").text
    assert "ponedeljak, 16. 3. 2026. u 07:30" in evening
    holiday = chooses(stage("2026-02-16T10:00:00+01:00"), "contacts.biro").text
    assert "neradni dan (Dan državnosti – Sretenje)" in holiday
    assert "sreda, 18. 2. 2026." in holiday


def test_the_person_is_the_office_with_phone_and_hours_not_a_dead_button() -> None:
    answer = says(stage(), "operater")
    assert "+381 25 000 000" in answer.text
    assert "07:30–15:30" in answer.text


def test_a_language_chosen_by_button_sticks_whatever_is_typed_later() -> None:
    scene = stage()
    assert "langue" not in chooses(scene, "language").text
    chooses(scene, "language.sr-cyrillic")
    assert says(scene, "hello there, where is the office").text.startswith("Добар дан!")


def test_a_number_typed_instead_of_a_button_takes_that_choice() -> None:
    scene = stage()
    first = says(scene, "meni").choices[0]
    assert says(scene, "1.").text == chooses(scene, first[0]).text


@pytest.mark.shows("B31", "F38")
@pytest.mark.parametrize(
    "old", ["procedures.gone", "contacts.gone", "town.x", "nothing", "procedures~99", "~", "", "a.b.c.d"]
)
def test_a_choice_that_no_longer_exists_leads_to_a_next_step(old: str) -> None:
    assert chooses(stage(), old).choices


@pytest.mark.parametrize(
    "kind", ["attachment", "location", "phone", "contact", "sticker", "unsupported", "empty", "link"]
)
def test_every_kind_of_message_gets_words_and_a_next_step(kind: str) -> None:
    inbound = Inbound(id="1", citizen="c", kind=kind, media=Media("photo", "x"), place=(45.0, 19.0))
    answer = stage().say(inbound)[-1]
    assert answer.text
    assert answer.choices


def test_coming_back_gets_the_menu_and_not_a_second_greeting() -> None:
    scene = stage()
    says(scene, "zdravo")
    assert "Izaberite uslugu" in scene.say(Inbound(id="9", citizen="c", event="started"))[-1].text


texts = st.one_of(
    st.text(max_size=300),
    st.sampled_from(["zdravo", "1", "meni", "izvod", "🚰" * 50, "‮abc", "{0} %s {x}", "a" * 7000, "\n\n"]),
)
events = st.one_of(
    st.builds(Inbound, id=st.text(max_size=5), citizen=st.just("c"), text=texts),
    st.builds(
        Inbound, id=st.text(max_size=5), citizen=st.just("c"), kind=st.just("choice"), choice=st.text(max_size=40)
    ),
    st.builds(
        Inbound,
        id=st.text(max_size=5),
        citizen=st.just("c"),
        kind=st.sampled_from(["attachment", "location", "sticker", "empty", "phone", "unsupported", "link"]),
        text=texts,
    ),
)


@settings(max_examples=60, deadline=None)
@given(st.lists(events, max_size=8))
def test_whatever_is_sent_in_whatever_order_is_answered_within_bounds(story: list[Inbound]) -> None:
    scene = stage()
    for inbound in story:
        messages = scene.say(inbound)
        assert 1 <= len(messages) <= 3
        assert messages[-1].choices
        assert all(not message.choices for message in messages[:-1])
        assert all(0 < len(message.text) <= 7000 for message in messages)
