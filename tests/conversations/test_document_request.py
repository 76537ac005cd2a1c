"""Requesting a document in the invented town, as conversations."""

from __future__ import annotations

import json
from typing import Any

import pytest

from chalicelib.dialogue import forms
from chalicelib.model import Case
from infra import towns
from infra.proofs import Stage, town_of
from tests.conversations.people import buttons, heard, presses, says, sends_photo
from tests.world import compiled

TOWN = town_of(compiled("primer"))
CLOCK = "2026-03-10T10:15:00+01:00"
NUMBER = "1506985665057"
ORDERED = "Hoću da naručim izvod rođenih"
OWN = ("za mene", "Ana Anić", "preskoči", "15. 6. 1985.", "Primer", "Mira i Jovan Anić", "preskoči")


def stage() -> Stage:
    return Stage(TOWN, "viber", CLOCK)


def draft(scene: Stage) -> forms.Draft:
    found = forms.open_draft(scene.conversation.state)
    assert found is not None, heard(scene)
    return found


def filed(scene: Stage) -> Case:
    assert scene.filed is not None, heard(scene)
    return scene.filed


def up_to_number(scene: Stage) -> None:
    says(scene, ORDERED, *OWN)
    assert draft(scene).asked == "personal_number", heard(scene)


def to_summary(scene: Stage) -> str:
    up_to_number(scene)
    return says(scene, NUMBER, "domaći", "za školu", "2", "na šalteru", "preskoči").text


# --- what is asked, and what is not asked again -------------------------------------------------------------------


def test_only_what_the_registry_needs_is_asked_and_a_summary_says_what_it_is() -> None:
    scene = stage()
    summary = to_summary(scene)
    for part in (
        "Osoba u dokumentu: Ana Anić",
        "JMBG: •••",
        "Broj primeraka: 2",
        "ne izdat dokument",
        "Uplata: 400,00",
    ):
        assert part in summary
    assert scene.cases == []
    case = (says(scene, "pošalji"), filed(scene))[1]
    assert (case.kind, case.category, case.status, case.office) == ("document", "birth", "received", "biro")
    assert case.subject == "Izvod iz matične knjige rođenih"
    assert dict(case.fields) == {
        "delivery": "counter",
        "whom": "self",
        "holder": "Ana Anić",
        "birth_date": "1985-06-15",
        "birth_place": "Primer",
        "parents": "Mira i Jovan Anić",
        "form": "domestic",
        "purpose": "za školu",
        "copies": 2,
    }
    assert dict(case.applicant) == {"name": "Ana Anić"}
    assert set(case.sealed) == {"personal_number"}


def test_the_receipt_says_what_to_pay_what_to_bring_until_when_and_that_nothing_is_issued_yet() -> None:
    scene = stage()
    to_summary(scene)
    receipt = says(scene, "pošalji").text
    for part in (
        filed(scene).reference,
        "ne izdat dokument",
        "Rok za odgovor: 12. 3. 2026.",  # two working days
        "Račun: 999-1234567-07",
        "Poziv na broj: 97 38-2026000123",
        "Taksa za izvod",
        "1. 3. 2026.",
        "Ponesite ličnu kartu",
        "najkasnije 10 dana posle zatvaranja",
    ):
        assert part in receipt


def test_where_the_town_confirmed_no_payment_one_is_told_where_to_ask() -> None:
    scene = stage()
    presses(scene, "documents.document.citizenship")
    says(scene, "za mene", "Ana Anić", "15. 6. 1985.", "Primer", "preskoči", NUMBER, "1", "na šalteru")
    summary = says(scene, "preskoči").text
    assert "pitajte ovde: Uslužni centar" in summary
    assert "Račun" not in summary


@pytest.mark.parametrize(
    ("words", "known"),
    [
        ("Hoću da naručim izvod rođenih za majku", {"document": "birth", "whom": "other", "ground": "parent"}),
        ("želim da poručim 2 primerka rodnog lista", {"copies": 2}),
        ("Pošaljite mi rodni list, međunarodni, tri primerka", {"form": "international", "copies": 3}),
        ("хоћу да поднесем захтев за извод рођених за ћерку", {"whom": "other", "ground": "child"}),
        ("I want to order a birth certificate for my son", {"document": "birth", "ground": "child"}),
        ("ich möchte eine Geburtsurkunde bestellen, zwei Exemplare", {"document": "birth", "copies": 2}),
        (
            "Ich lebe in Deutschland und möchte eine Geburtsurkunde bestellen",
            {"delivery": "abroad", "country": "Deutschland"},
        ),
        (
            "Pošaljite mi rodni list poštom u Njemačku",
            {"delivery": "abroad", "country": "Njemačka", "abroad_way": "post"},
        ),
        ("живим у Аустрији, хоћу да наручим извод рођених", {"delivery": "abroad", "country": "Аустрија"}),
        ("zahtev za dokument", {}),
        ("dua të porosis certifikatë lindjeje për nënën", {"document": "birth", "ground": "parent"}),
        ("kërkoj çertifikatë lindjeje", {"document": "birth"}),
        ("Zovem se Ana Anić i hoću da naručim izvod rođenih za mene", {"whom": "self", "holder": "Ana Anić"}),
        ("naručujem izvod rođenih za sina na ime Petar Anić", {"ground": "child", "holder": "Petar Anić"}),
        (f"naručujem izvod rođenih za mene, JMBG {NUMBER}", {"personal_number": {"sealed": "personal_number"}}),
    ],
)
def test_words_that_order_open_the_form_and_what_they_say_is_not_asked_again(words: str, known: dict[str, Any]) -> None:
    scene = stage()
    says(scene, words)
    assert {name: draft(scene).answers.get(name) for name in known} == known


@pytest.mark.parametrize(
    "words", ["šta mi treba za izvod rođenih?", "treba mi krštenica", "kako da naručim rodni list", "krštenica"]
)
def test_words_that_ask_show_the_sheet_whose_first_button_requests_it(words: str) -> None:
    scene = stage()
    message = says(scene, words)
    assert forms.open_draft(scene.conversation.state) is None
    assert message.choices[0] == ("documents.document.birth", "Zatražite ovde")
    assert "Za koga je dokument?" in presses(scene, "documents.document.birth").text


def test_a_document_nobody_explains_is_requested_at_once() -> None:
    scene = stage()
    says(scene, "uverenje o državljanstvu")
    assert draft(scene).answers["document"] == "citizenship"


def test_without_a_document_named_it_is_asked_for_first() -> None:
    scene = stage()
    message = presses(scene, "documents")
    assert "Koji dokument" in message.text
    says(scene, "venčani list")
    assert draft(scene).answers["document"] == "marriage"


def test_a_voter_list_never_asks_for_a_personal_number() -> None:
    scene = stage()
    presses(scene, "documents.document.voter")
    says(scene, "za mene", "Ana Anić", "Trg 3, Primer", "1", "na šalteru")
    assert "personal_number" not in draft(scene).answers
    assert draft(scene).asked == "phone"


def test_a_question_in_between_is_answered_and_the_form_goes_on() -> None:
    scene = stage()
    says(scene, ORDERED, "za mene", "Ana Anić")
    says(scene, "kada radi uslužni centar?")
    assert "07:30" in heard(scene)
    assert "Ranije prezime" in heard(scene)


# --- for another person -------------------------------------------------------------------------------------------


def test_for_another_person_the_ground_is_said_and_the_right_confirmed_and_recorded() -> None:
    scene = stage()
    says(scene, "Hoću da naručim izvod rođenih za majku", "Mira Anić", "preskoči", "1. 5. 1955.", "Primer")
    says(scene, "Petar i Jela Perić", "preskoči", "preskoči", "domaći", "za penziju", "1", "na šalteru", "Ana Anić")
    assert "imam pravo" in says(scene, "preskoči").text
    assert "Bez potvrde" in says(scene, "ne").text
    says(scene, "da")
    receipt = says(scene, "pošalji").text
    assert "dokaz: o srodstvu" in receipt
    case = filed(scene)
    assert (case.fields["whom"], case.fields["ground"], case.fields["holder"]) == ("other", "parent", "Mira Anić")
    assert case.fields["statement"] == "doc_statement.1"
    assert case.applicant["name"] == "Ana Anić"
    assert not case.sealed


def test_a_death_certificate_asks_for_the_applicants_relation_and_never_whether_it_is_ones_own() -> None:
    scene = stage()
    assert "Ko Vam je" in presses(scene, "documents.document.death").text
    assert "preminule" in says(scene, "roditelj").text


# --- how it reaches the citizen -----------------------------------------------------------------------------------


def test_from_abroad_country_way_and_proof_are_asked() -> None:
    scene = stage()
    up_to_number(scene)
    says(scene, "preskoči", "međunarodni", "za školu", "1")
    assert "U koju državu?" in says(scene, "u inostranstvo").text
    says(scene, "Austrija")
    assert "Koji konzulat" in says(scene, "preko konzulata").text
    message = says(scene, "Beč")
    assert message.ask == "file"
    assert "fotografiju ili PDF" in sends_photo(scene, "film.mp4", kind="video").text
    sends_photo(scene, "pasos.pdf", kind="file")
    says(scene, "preskoči")
    assert "konzulatu ili ambasadi" in says(scene, "pošalji").text
    case = filed(scene)
    assert {name: case.fields[name] for name in ("delivery", "country", "abroad_way", "consulate")} == {
        "delivery": "abroad",
        "country": "Austrija",
        "abroad_way": "consulate",
        "consulate": "Beč",
    }
    assert [(each.type, each.key) for each in case.attachments] == [("file", "pasos.pdf")]


def test_by_post_the_address_is_asked_and_checked() -> None:
    scene = stage()
    up_to_number(scene)
    says(scene, "preskoči", "domaći", "za školu", "1", "poštom")
    assert "ulicu i broj" in says(scene, "kod mene").text
    says(scene, "Trg 3, 25000 Primer", "preskoči")
    assert "poštom na adresu" in says(scene, "pošalji").text
    assert filed(scene).fields["address"] == "Trg 3, 25000 Primer"


# --- personal numbers ---------------------------------------------------------------------------------------------


@pytest.mark.shows("B61")
@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        ("1506985665058", "kontrolna cifra"),
        ("3002990660011", "datum rođenja"),
        ("150698566505", "tačno 13 cifara"),
        ("15O6985665057", "tačno 13 cifara"),
    ],
)
def test_a_wrong_number_is_refused_at_once_with_the_reason_and_an_example(wrong: str, reason: str) -> None:
    scene = stage()
    up_to_number(scene)
    answer = says(scene, wrong).text
    assert reason in answer
    assert "Primer: 2405978661006" in answer
    assert draft(scene).asked == "personal_number"
    says(scene, NUMBER)
    assert draft(scene).asked == "form"


@pytest.mark.shows("B61")
@pytest.mark.parametrize(
    "written", [NUMBER, "1506985 665057", "15 06 985 66 505 7", f"JMBG: {NUMBER}.", "１５０６985665057"]
)
def test_a_number_is_taken_however_it_is_written_and_kept_nowhere_in_clear(written: str) -> None:
    scene = stage()
    up_to_number(scene)
    says(scene, written)
    assert draft(scene).answers["personal_number"] == {"sealed": "personal_number"}
    kept = json.dumps([dict(scene.conversation.state), [entry.text for entry in scene.conversation.log]])
    assert not any(part in kept for part in (NUMBER, written, "665057", "505 7"))


@pytest.mark.parametrize("slip", ["1506985665058", "150698566505", "3002990660011"])
def test_a_number_with_a_slip_in_it_is_masked_too(slip: str) -> None:
    scene = stage()
    up_to_number(scene)
    says(scene, slip)
    assert not any(slip in entry.text for entry in scene.conversation.log)


def test_a_number_said_out_of_turn_is_masked_in_log_description_and_misses() -> None:
    scene = stage()
    says(scene, f"rupa na putu u Trg Republike 3, moj JMBG je {NUMBER}, molim vas popravite")
    says(scene, "preskoči", "pošalji")
    kept = json.dumps([dict(filed(scene).fields), dict(scene.conversation.state)])
    assert NUMBER not in kept
    assert "JMBG" in kept
    assert not any(NUMBER in entry.text for entry in scene.conversation.log)


def test_a_number_can_be_corrected_in_own_words() -> None:
    scene = stage()
    to_summary(scene)
    turn = says(scene, "ne, JMBG je 2902000660176")
    assert "JMBG: •••" in turn.text
    assert "form.send" in buttons(turn)


def test_an_earlier_answer_is_corrected_at_the_question_for_the_number() -> None:
    scene = stage()
    up_to_number(scene)
    says(scene, "ne, datum rođenja je 16. 6. 1985.")
    assert draft(scene).answers["birth_date"] == "1985-06-16"
    assert draft(scene).asked == "personal_number"


def test_where_a_country_has_a_number_of_its_own_either_is_taken() -> None:
    town = town_of(towns.compiled("severna-mitrovica"))
    for number, taken in (("1234567890", True), (NUMBER, True), ("123456789012", False), ("01O1990660019", False)):
        scene = Stage(town, "viber", CLOCK)
        says(scene, ORDERED, "za mene", "Ana Anić", "preskoči", "15. 6. 1985.", "Mitrovica", "Mira i Jovan", "preskoči")
        assert draft(scene).asked == "personal_number"
        says(scene, number)
        assert ("personal_number" in draft(scene).answers) == taken
        assert not any(number in entry.text for entry in scene.conversation.log)


def test_a_cancelled_request_forgets_what_was_sealed() -> None:
    scene = stage()
    up_to_number(scene)
    says(scene, NUMBER)
    assert forms.sealed_names(scene.conversation.state) == {"personal_number"}
    says(scene, "odustajem")
    assert forms.sealed_names(scene.conversation.state) == frozenset()
