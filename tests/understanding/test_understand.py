"""From a message to what it asks for: decisions, both requests, wishes, town's words, and what must not change it."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.language.scripts import to_cyrillic
from chalicelib.understanding.model import platform_model
from chalicelib.understanding.town import INDEX_BYTES_MAX, IndexTooLarge, build_index
from chalicelib.understanding.understand import INTENTS_MAX, understand
from chalicelib.understanding.wishes import Wish
from tests.faults.journeys import street

NO_TOWN: dict[str, object] = {}
PATHOLOGICAL_MILLISECONDS_MAX = 50
TOWN = build_index(
    {
        "procedures.pump": {"sr": ["Zakup javne pumpe", "iznajmljivanje bunara"], "keywords": ["bunar*"]},
        "procedures.birth": {"sr": ["Izvod iz matične knjige rođenih"]},
        "procedures.birth_entry": {"sr": ["Prijava rođenja", "upis bebe u knjigu rođenih"]},
        "contacts.water": {"sr": ["JKP Vodica", "telefon Vodice"]},
    },
    {
        "procedures.birth": ["doc.birth"],
        "procedures.birth_entry": ["doc.birth"],
        "contacts.water": ["contact.office", "report.water"],
    },
    "RS",
    ["Gakovo"],
)


def test_a_hole_is_a_hole_whatever_its_street_is_called() -> None:
    odd = (
        "Zadebibonska",
        "Budalebinska",
        "Votukabenska",
        "Porukabenska",
        "Vizobubanska",
        *(street() for _ in range(60)),
    )
    for name in odd:
        understood = understand(f"Velika rupa, {name} 12", NO_TOWN)
        assert (understood.decision, understood.intents[0][0]) == ("answer", "report.road"), name


@pytest.mark.parametrize(
    ("said", "intent"),
    [
        ("treba mi izvod iz maticne knjige rodjenih", "doc.birth"),
        ("нема воде од јутрос", "report.water"),
        ("kam nevojë për certifikatë lindjeje", "doc.birth"),
        ("Wo bekomme ich eine Geburtsurkunde für meinen Sohn", "doc.birth"),
        ("the street light in front of my house is broken", "report.light"),
        ("dje da prijavim rupu na putu", "report.road"),
        ("dokle je stigao predmet 03-082/20-700/1", "case.status"),
        ("odjavi me", "settings.stop"),
        ("hoću da pričam sa čovekom", "chat.operator"),
    ],
)
def test_what_is_plainly_asked_is_answered(said: str, intent: str) -> None:
    understood = understand(said, NO_TOWN)
    assert (understood.intents[0][0], understood.decision) == (intent, "answer")


@pytest.mark.parametrize("said", ["qwrtz plmok", "", "😀😀😀", "12 34", "ко је дао гол за звезду", "lorem ipsum dolor"])
def test_what_is_no_towns_matter_is_not_guessed_at(said: str) -> None:
    assert understand(said, NO_TOWN).decision != "answer"


def test_scores_are_shares_best_first_and_at_most_three() -> None:
    scores = [score for _, score in understand("izvod", NO_TOWN).intents]
    assert len(scores) <= INTENTS_MAX
    assert scores == sorted(scores, reverse=True)
    assert sum(scores) <= 1.0


@pytest.mark.parametrize(
    ("said", "first", "second"),
    [
        ("Treba mi izvod rođenih. I kako da prijavim rupu na putu?", "doc.birth", "report.road"),
        ("ne radi rasveta i kontejneri su prepuni", "report.light", "report.waste"),
    ],
)
def test_the_second_request_of_a_message_is_kept(said: str, first: str, second: str) -> None:
    understood = understand(said, NO_TOWN)
    assert {understood.intents[0][0], understood.also} == {first, second}


@pytest.mark.parametrize("said", ["Dobar dan, treba mi izvod rođenih, hvala", "Ne radi ulična rasveta."])
def test_politeness_is_no_second_request(said: str) -> None:
    assert understand(said, NO_TOWN).also is None


@pytest.mark.parametrize(
    ("said", "wish"),
    [
        ("latinicom molim", Wish(None, "latin")),
        ("ћирилицом", Wish(None, "cyrillic")),
        ("auf Deutsch bitte", Wish("de", None)),
        ("in English please", Wish("en", None)),
        ("shqip ju lutem", Wish("sq", None)),
        ("može na srpskom ćirilicom", Wish("sr", "cyrillic")),
    ],
)
def test_a_wish_for_a_language_or_script_is_heard(said: str, wish: Wish) -> None:
    assert understand(said, NO_TOWN).wish == wish


def test_a_problem_names_its_category_and_whether_a_photo_helps() -> None:
    assert understand("velika rupa na putu", NO_TOWN).entities["category"] == "road"
    assert understand("velika rupa na putu", NO_TOWN).entities["photo_helps"] is True
    assert understand("komšija pušta glasnu muziku celu noć", NO_TOWN).entities["photo_helps"] is False


SAID = (
    "Treba mi izvod iz matične knjige rođenih", "Đubre nije odneto", "Ne radi ulična rasveta u našoj ulici",
    "Koliki je porez na imovinu?", "Pas lutalica me je ujeo", "Želim da se upišem u birački spisak",
)  # fmt: skip


@given(st.sampled_from(SAID), st.sampled_from(["", "!!!", " 😀", "...", "  "]), st.booleans(), st.booleans())
def test_script_case_signs_and_blanks_change_nothing(said: str, tail: str, upper: bool, cyrillic: bool) -> None:
    typed = (to_cyrillic(said) if cyrillic else said) + tail
    typed = (typed.upper() if upper else typed).replace(" ", "  ")
    assert understand(typed, NO_TOWN).intents == understand(said, NO_TOWN).intents


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=500))
def test_anything_at_all_is_understood_somehow(text: str) -> None:
    assert understand(text, TOWN).decision in ("answer", "choose", "unknown")


@pytest.mark.parametrize("text", ["voda " * 2000, "a" * 10_000, "😀" * 5000, "1" * 10_000, "u 1 " * 2500, "А а" * 3000])
def test_no_message_takes_long(text: str) -> None:
    understand("zdravo", TOWN)
    spent = []
    for _ in range(5):
        began = time.process_time()
        understand(text, TOWN)
        spent.append((time.process_time() - began) * 1000)
    assert min(spent) <= PATHOLOGICAL_MILLISECONDS_MAX


# --- the town's words -------------------------------------------------------------------------------------------


def test_a_town_narrows_an_intent_to_its_own_choice() -> None:
    assert understand("izvod iz maticne knjige rodjenih", TOWN).narrowed["doc.birth"] == "procedures.birth"
    assert understand("upis bebe u knjigu rođenih", TOWN).narrowed["doc.birth"] == "procedures.birth_entry"


def test_a_choice_no_intent_speaks_of_can_be_asked_for() -> None:
    understood = understand("zakup javne pumpe", TOWN)
    said = {understood.intents[0][0], *understood.narrowed.values()}
    assert "procedures.pump" in said
    assert understood.decision == "answer"


def test_the_name_of_a_towns_company_leads_to_its_office() -> None:
    assert "contacts.water" in understand("telefon Vodice", TOWN).narrowed.values()


def test_an_index_of_another_shape_leaves_the_platforms_answer() -> None:
    old = {"shape": 1, "intents": [], "of": [], "postings": {}}
    assert understand("nema vode", old).intents == understand("nema vode", NO_TOWN).intents


def test_an_index_that_is_too_large_is_refused_with_the_remedy() -> None:
    many = {"procedures.pump": {"sr": [f"reč{number} nešto{number * 7} drugo{number * 3}" for number in range(6000)]}}
    with pytest.raises(IndexTooLarge, match=r"shorten phrases\.yaml"):
        build_index(many, {})
    assert INDEX_BYTES_MAX <= 60_000


def test_the_index_names_every_intent_of_the_platform() -> None:
    assert set(platform_model().names) <= set(TOWN["intents"])
