"""Reporting a communal problem in the invented town, as conversations."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import pytest

from chalicelib.dialogue import forms
from chalicelib.model import Case, Inbound, OpenCase, Place
from infra.proofs import Stage, town_of
from tests.conversations.people import buttons, heard, presses, says, sends_photo, sends_pin, waits
from tests.world import compiled

TOWN = town_of(compiled("primer"))
CLOCK = "2026-03-10T10:15:00+01:00"
HERE = (45.771, 19.112)


def stage(**loaded: Any) -> Stage:
    return Stage(TOWN, "viber", CLOCK, **loaded)


def filed(scene: Stage) -> Case:
    assert scene.filed is not None, heard(scene)
    return scene.filed


def answers(scene: Stage) -> dict[str, Any]:
    draft = forms.open_draft(scene.conversation.state)
    assert draft is not None
    return dict(draft.answers)


# --- what is given is taken -------------------------------------------------------------------------------------


def test_one_sentence_and_a_photo_are_a_whole_report() -> None:
    scene = stage()
    assert "fotografiju" in says(scene, "Velika rupa u Venca Petrovića 12 kod škole").text
    summary = sends_photo(scene, "rupa.jpg")
    assert "Proverite podatke" in summary.text
    assert summary.ask == "confirmation"
    for part in ("Oštećen put", "Velika rupa u Venca Petrovića 12 kod škole", "1 prilog", "Mesto: Venca Petrovića 12"):
        assert part in summary.text
    says(scene, "Pošalji")
    case = filed(scene)
    assert (case.kind, case.category, case.status, case.office) == ("problem", "road", "received", "putevi")
    assert case.fields["description"] == "Velika rupa u Venca Petrovića 12 kod škole"
    assert case.place == Place("Venca Petrovića 12")
    assert [(each.type, each.key, each.state) for each in case.attachments] == [("photo", "rupa.jpg", "waiting")]
    assert [happening.event for happening in case.history] == ["opened"]


def test_nothing_is_filed_before_the_citizen_says_send() -> None:
    scene = stage()
    says(scene, "Velika rupa u Venca Petrovića 12")
    sends_photo(scene, "rupa.jpg")
    assert scene.cases == []
    presses(scene, "form.send")
    assert len(scene.cases) == 1


def test_the_receipt_names_reference_deadline_and_next_step() -> None:
    scene = stage()
    says(scene, "rupa na putu u Trg Republike 3", "preskoči", "pošalji")
    receipt = heard(scene)
    assert filed(scene).reference in receipt
    assert "Odgovor do: utorak, 17. 3. 2026. u 15:00" in receipt  # five working days, the office closes at three
    assert "Sledeći korak" in receipt
    assert dt.datetime.fromtimestamp(filed(scene).due_at, dt.UTC).isoformat() == "2026-03-17T14:00:00+00:00"


def test_a_photo_out_of_the_blue_begins_a_report_and_an_album_is_one() -> None:
    scene = stage()
    assert "vrsti problema" in sends_photo(scene, "1.jpg").text
    brief = sends_photo(scene, "2.jpg", "3.jpg")
    assert brief.text == "Dodato. U prijavi: 3 priloga."
    assert "report.category.road" in buttons(brief)
    presses(scene, "report.category.road")
    says(scene, "preskoči", "Trg Republike 3", "da")
    assert len(filed(scene).attachments) == 3
    assert len(scene.cases) == 1


def test_a_photo_long_after_the_album_is_added_and_the_question_is_asked_again() -> None:
    scene = stage()
    sends_photo(scene, "1.jpg")
    waits(scene, 5)
    assert "vrsti problema" in sends_photo(scene, "2.jpg").text
    assert len(answers(scene)["media"]) == 2


def test_no_more_photos_are_taken_than_there_is_room_for() -> None:
    scene = stage()
    sends_photo(scene, *(f"{number}.jpg" for number in range(9)))
    assert len(answers(scene)["media"]) == 6
    assert "Najveći broj" in heard(scene)


def test_a_caption_counts_as_said() -> None:
    scene = stage()
    sends_photo(scene, "rupa.jpg", caption="Velika rupa na putu, Venca Petrovića 12")
    assert "Proverite podatke" in heard(scene)
    assert answers(scene)["category"] == "road"
    assert answers(scene)["place"] == {"text": "Venca Petrovića 12"}


def test_a_pin_before_any_word_begins_a_report_and_the_place_is_not_asked_again() -> None:
    scene = stage()
    assert "vrsti problema" in sends_pin(scene, *HERE).text
    says(scene, "ne radi rasveta", "ne svetli bandera")
    assert "Proverite podatke" in heard(scene)
    assert "označeno na mapi" in heard(scene)
    says(scene, "pošalji")
    assert filed(scene).place == Place("", *HERE)


def test_a_pin_joins_an_address_given_in_words() -> None:
    scene = stage()
    says(scene, "Velika rupa u Venca Petrovića 12")
    sends_pin(scene, *HERE)
    assert answers(scene)["place"] == {"text": "Venca Petrovića 12", "latitude": HERE[0], "longitude": HERE[1]}


def test_a_landmark_is_a_place_when_the_place_is_asked_for() -> None:
    scene = stage()
    says(scene, "rupa na putu", "preskoči", "kod škole preko puta crkve")
    assert "Mesto: kod škole preko puta crkve" in heard(scene)


def test_an_address_alone_is_no_description_but_it_is_kept() -> None:
    scene = stage()
    presses(scene, "report.category.road")
    assert "Opišite problem" in says(scene, "Venca Petrovića 12").text
    assert answers(scene)["place"] == {"text": "Venca Petrovića 12"}


def test_a_pin_outside_the_town_is_refused_and_the_place_asked_for_again() -> None:
    scene = stage()
    says(scene, "rupa na putu", "preskoči")
    answer = sends_pin(scene, 44.8, 20.46)
    assert "nije na teritoriji Grada Primera" in answer.text
    assert answer.ask == "location"
    assert "place" not in answers(scene)


def test_a_category_that_needs_no_photo_does_not_ask_for_one_but_takes_it() -> None:
    scene = stage()
    assert "Gde je problem" in says(scene, "ne radi ulična rasveta").text
    sends_photo(scene, "lampa.jpg")
    says(scene, "Trg Republike 3", "pošalji")
    assert len(filed(scene).attachments) == 1


def test_a_required_photo_cannot_be_skipped() -> None:
    scene = stage()
    says(scene, "divlja deponija kod groblja")
    assert "ne može da se preskoči" in says(scene, "preskoči").text
    assert "form.skip" not in buttons(scene.messages[-1])


def test_a_categorys_own_question_and_warning() -> None:
    scene = stage()
    first = says(scene, "izlila se kanalizacija na Trg Republike 3")
    assert "otvor bez poklopca" in first.text
    assert "otvor bez poklopca" not in says(scene, "preskoči").text
    assert "Od kada traje?" in heard(scene)
    presses(scene, "report.sewage_since.longer")
    assert "Traje: Duže" in heard(scene)
    says(scene, "pošalji")
    assert filed(scene).fields["sewage_since"] == "longer"


def test_where_anonymous_reports_are_not_taken_name_and_phone_are_asked() -> None:
    scene = stage()
    says(scene, "buka iz kafića celu noć", "Trg Republike 3", "Zovem se Ana Anić", "060 123 45 67")
    says(scene, "pošalji")
    assert dict(filed(scene).applicant) == {"name": "Ana Anić", "phone": "+381601234567"}
    assert "name" not in filed(scene).fields


def test_an_intent_of_two_categories_asks_which_and_keeps_the_words() -> None:
    scene = stage()
    assert "vrsti problema" in says(scene, "smeće nije odneto kod pijace").text
    presses(scene, "report.category.waste")
    assert answers(scene)["description"] == "smeće nije odneto kod pijace"


def test_a_question_about_a_problem_may_want_the_office() -> None:
    scene = stage()
    offered = buttons(says(scene, "Kada se odnosi smeće?"))
    assert {"report.category.waste", "contacts.biro"} <= offered
    presses(scene, "report.category.waste")
    assert answers(scene)["description"] == "Kada se odnosi smeće?"


# --- steps ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("word", ["nazad", "Назад", "back", "zurück", "kthehu"])
def test_back_goes_one_question_back_and_what_stands_there_can_stay(word: str) -> None:
    scene = stage()
    says(scene, "rupa na putu")
    sends_photo(scene, "rupa.jpg")
    back = says(scene, word)
    assert back.ask == "photo"
    assert "form.keep" in buttons(back)
    presses(scene, "form.keep")
    assert scene.messages[-1].ask == "location"
    assert len(answers(scene)["media"]) == 1


def test_back_at_the_first_question_says_so() -> None:
    scene = stage()
    presses(scene, "report")
    says(scene, "nazad")
    assert scene.messages[-1].ask == "choice"


@pytest.mark.parametrize(
    "word", ["odustajem", "Одустајем", "cancel", "abbrechen", "anulo", "Odustani", "hoću da odustanem"]
)
def test_cancel_works_in_every_language_and_confirms_that_nothing_was_sent(word: str) -> None:
    for steps in ([], ["preskoči"], ["preskoči", "Trg Republike 3"]):
        scene = stage()
        says(scene, "rupa na putu", *steps, word)
        assert forms.open_draft(scene.conversation.state) is None
        assert scene.cases == []
        assert scene.messages[-1].choices


def test_every_step_offers_back_and_cancel() -> None:
    scene = stage()
    says(scene, "rupa na putu")
    for step in ("preskoči", "Trg Republike 3", "izmeni"):
        assert {"form.back", "form.cancel"} <= buttons(scene.messages[-1])
        says(scene, step)
    assert {"form.back", "form.cancel"} <= buttons(scene.messages[-1])


def test_an_answer_is_corrected_in_own_words() -> None:
    scene = stage()
    says(scene, "Velika rupa u Venca Petrovića 12", "ne, ulica je Staparski put")
    assert answers(scene)["place"] == {"text": "Staparski put"}
    assert scene.messages[-1].ask == "photo"
    assert "Mesto: Staparski put" in heard(scene)


@pytest.mark.parametrize(
    ("said", "place"),
    [
        ("nije Venca Petrovića 12 nego Venca Petrovića 14", "Venca Petrovića 14"),
        ("Не, улица је Стапарски пут 5", "Стапарски пут 5"),
        ("adresa: Trg Republike 3", "Trg Republike 3"),
        ("ipak Trg Republike 3", "Trg Republike 3"),
        ("Trg Republike 3", "Trg Republike 3"),
    ],
)
def test_the_place_is_corrected_at_the_summary(said: str, place: str) -> None:
    scene = stage()
    says(scene, "Velika rupa u Venca Petrovića 12", "preskoči", said)
    assert answers(scene)["place"] == {"text": place}
    assert scene.messages[-1].ask == "confirmation"


def test_the_kind_is_corrected_in_own_words() -> None:
    scene = stage()
    says(scene, "Velika rupa u Venca Petrovića 12", "preskoči", "ne, javna rasveta")
    assert answers(scene)["category"] == "light"


def test_one_answer_is_changed_by_button_and_the_rest_stays() -> None:
    scene = stage()
    says(scene, "Velika rupa u Venca Petrovića 12", "preskoči")
    presses(scene, "form.change")
    assert {"form.change.place", "form.change.description", "form.change.category"} <= buttons(scene.messages[-1])
    asked = presses(scene, "form.change.place")
    assert "Sada piše: Venca Petrovića 12" in asked.text
    says(scene, "Staparski put 5")
    assert scene.messages[-1].ask == "confirmation"
    assert answers(scene)["description"] == "Velika rupa u Venca Petrovića 12"


def test_back_from_a_change_returns_to_the_summary_unchanged() -> None:
    scene = stage()
    says(scene, "Velika rupa u Venca Petrovića 12", "preskoči", "promeni adresu", "nazad")
    assert scene.messages[-1].ask == "confirmation"
    assert answers(scene)["place"] == {"text": "Venca Petrovića 12"}


@pytest.mark.shows("B31")
def test_an_old_button_of_an_earlier_step_is_taken_as_what_it_says() -> None:
    scene = stage()
    says(scene, "Velika rupa u Venca Petrovića 12", "preskoči")
    presses(scene, "report.category.greenery")
    assert answers(scene)["category"] == "greenery"
    assert "Venca Petrovića 12" in heard(scene)


def test_a_send_button_pressed_twice_files_once() -> None:
    scene = stage()
    says(scene, "Velika rupa u Venca Petrovića 12", "preskoči")
    presses(scene, "form.send", "form.send")
    assert len(scene.cases) == 1
    assert scene.messages[-1].choices


def test_a_question_in_the_middle_is_answered_and_the_form_goes_on() -> None:
    scene = stage()
    says(scene, "rupa na putu", "preskoči", "Koje je radno vreme?")
    assert "07:30–15:30" in scene.messages[0].text
    assert scene.messages[-1].ask == "location"
    says(scene, "Trg Republike 3", "pošalji")
    assert filed(scene).category == "road"


@pytest.mark.parametrize("said", ["radno vreme", "izvod iz matične knjige rođenih", "ИЗВОД ИЗ МАТИЧНЕ КЊИГЕ РОЂЕНИХ"])
def test_a_matter_named_where_the_place_is_asked_is_answered_and_is_no_place(said: str) -> None:
    scene = stage()
    says(scene, "rupa na putu", "preskoči", said)
    assert "place" not in answers(scene)
    assert (len(scene.messages), scene.messages[-1].ask) == (2, "location")
    says(scene, "Trg Republike 3", "pošalji")
    assert filed(scene).place.text == "Trg Republike 3"


@pytest.mark.parametrize("said", ["pošalji", "ok", "važi", "gotovo", "sve je u redu"])
def test_a_word_for_a_button_that_is_not_there_is_no_place(said: str) -> None:
    scene = stage()
    before = says(scene, "ne radi rasveta").text
    assert before.split("\n")[-1] in says(scene, said).text
    assert "place" not in answers(scene)
    assert "Glavna 7" in says(scene, "Glavna 7").text


@pytest.mark.parametrize(
    "said", ["matičar", "zgrada opštine", "dečiji vrtić na kraju sela", "centar za socijalni rad", "poreska uprava"]
)
def test_words_for_what_stands_somewhere_are_a_place_whatever_else_they_mean(said: str) -> None:
    scene = stage()
    says(scene, "rupa na putu", "preskoči", said)
    assert f"Mesto: {said}" in heard(scene)


def test_what_answers_a_later_question_is_said_back_before_this_one_is_asked_again() -> None:
    scene = stage()
    says(scene, "rupa na putu", "Trg Republike 3")
    assert heard(scene).startswith("Mesto: Trg Republike 3\n")
    assert scene.messages[-1].ask == "photo"


def test_a_person_is_named_in_the_middle_and_the_form_goes_on() -> None:
    scene = stage()
    says(scene, "rupa na putu", "operater")
    assert "+381 25 000 000" in heard(scene)
    assert scene.messages[-1].ask == "photo"


def test_the_menu_leaves_the_report_where_it_is() -> None:
    scene = stage()
    says(scene, "rupa na putu", "meni")
    assert "form.resume" in buttons(scene.messages[-1])
    assert "form.resume" in buttons(says(scene, "qwrtz plmok"))
    presses(scene, "form.resume")
    assert scene.messages[-1].ask == "photo"


@pytest.mark.parametrize("steps", [[], ["preskoči"], ["preskoči", "Trg Republike 3"]])
def test_words_of_danger_win_at_every_step_and_nothing_is_lost(steps: list[str]) -> None:
    scene = stage()
    says(scene, "rupa na putu", *steps)
    before = answers(scene)
    assert "193" in says(scene, "gori kuća").text.split("\n")[0]
    assert answers(scene) == before
    assert "form.resume" in buttons(scene.messages[-1])
    presses(scene, "form.resume")
    assert scene.messages[-1].ask in ("photo", "location", "confirmation")


def test_words_of_danger_under_a_photo_win_too() -> None:
    scene = stage()
    assert "193" in sends_photo(scene, "x.jpg", caption="gori kuća u ulici").text.split("\n")[0]


@pytest.mark.parametrize("said", ["ne znam", "немам појма", "I don't know", "nuk e di", "weiß ich nicht"])
def test_who_does_not_know_skips_what_may_be_skipped_and_is_told_what_is_needed(said: str) -> None:
    scene = stage()
    says(scene, "rupa na putu", said)
    assert scene.messages[-1].ask == "location"
    says(scene, said)
    assert ("place" in answers(scene), scene.messages[-1].ask) == (False, "location")


@pytest.mark.parametrize("said", ["pošalji", "da", "👍"])
def test_a_word_for_a_button_that_is_not_here_is_no_part_of_the_description(said: str) -> None:
    scene = stage()
    says(scene, "rupa na putu", said)
    assert (answers(scene)["description"], scene.messages[-1].ask) == ("rupa na putu", "photo")


def test_three_wrong_inputs_bring_a_way_out_and_keep_everything() -> None:
    scene = stage()
    says(scene, "buka iz kafića celu noć", "Trg Republike 3", "Ana Anić")
    for number in ("123", "sutra ću 12"):
        assert "060 123 4567" in says(scene, number).text
        assert "person" not in buttons(scene.messages[-1])
    last = says(scene, "000")
    assert {"person", "menu", "form.cancel"} <= buttons(last)
    assert answers(scene)["name"] == "Ana Anić"
    says(scene, "060 123 45 67")
    assert scene.messages[-1].ask == "confirmation"


def test_a_day_later_the_report_is_still_there_and_says_where_it_was() -> None:
    scene = stage()
    says(scene, "rupa na putu", "preskoči")
    waits(scene, 26 * 60)
    answer = says(scene, "zdravo")
    assert "Imate nezavršen zahtev" in heard(scene)
    assert "Opis: rupa na putu" in heard(scene)
    assert answer.ask == "location"
    says(scene, "Trg Republike 3", "pošalji")
    assert filed(scene).fields["description"] == "rupa na putu"


def test_opening_the_chat_again_says_where_the_report_was() -> None:
    scene = stage()
    says(scene, "rupa na putu")
    scene.say(Inbound(id="again", citizen="c", event="started"))
    assert "Imate nezavršen zahtev" in heard(scene)
    assert scene.messages[-1].ask == "photo"


def test_another_request_hours_later_is_answered_and_not_taken_for_an_answer() -> None:
    scene = stage()
    presses(scene, "report.category.road")
    waits(scene, 300)
    says(scene, "izvod iz matične knjige rođenih")
    assert scene.messages[0].sheet is not None
    assert "description" not in answers(scene)


def test_pressing_the_menus_report_again_asks_whether_to_go_on_or_start_over() -> None:
    scene = stage()
    says(scene, "rupa na putu")
    offered = presses(scene, "report")
    assert {"form.restart", "form.cancel"} <= buttons(offered)
    assert answers(scene)["category"] == "road"
    presses(scene, "form.restart")
    assert answers(scene) == {}


def test_another_report_while_one_waits_is_asked_about() -> None:
    scene = stage()
    says(scene, "rupa na putu", "meni", "ne radi ulična rasveta")
    assert {"form.resume", "form.leave"} <= buttons(scene.messages[-1])
    presses(scene, "form.leave")
    assert "Ništa nije poslato" in heard(scene)
    assert answers(scene)["category"] == "light"
    assert answers(scene)["description"] == "ne radi ulična rasveta"


# --- voices -----------------------------------------------------------------------------------------------------


def test_a_report_in_cyrillic_is_answered_in_cyrillic() -> None:
    scene = stage()
    says(scene, "Велика рупа у Венца Петровића 12", "прескочи")
    assert "Проверите податке" in heard(scene)
    says(scene, "пошаљи")
    assert "Пријава је примљена" in heard(scene)
    assert filed(scene).voice.script == "cyrillic"  # type: ignore[union-attr]


def test_a_report_in_english_stays_english_whatever_the_street_is_called() -> None:
    scene = stage()
    assert "photo" in says(scene, "There is a big pothole in the road").text
    says(scene, "skip", "Staparski put 35")
    assert "Check the details" in heard(scene)
    assert "Your report has been received" in says(scene, "send").text


def test_a_report_in_albanian() -> None:
    scene = stage()
    says(scene, "Ka gropë të madhe në rrugë", "kapërce", "Rruga e Lirisë 5")
    assert "Kontrolloni të dhënat" in heard(scene)
    assert "Raportimi u pranua" in says(scene, "dërgo").text


def test_changing_the_language_in_the_middle_repeats_the_question_in_it() -> None:
    scene = stage()
    says(scene, "rupa na putu")
    presses(scene, "language.en")
    assert "Send a photo" in scene.messages[-1].text


# --- known already ----------------------------------------------------------------------------------------------


def near(**changed: Any) -> dict[str, Any]:
    base = {"reference": "PR-AAAA-AAA", "category": "road", "text": "", "latitude": HERE[0], "longitude": HERE[1]}
    created = dt.datetime.fromisoformat(CLOCK).timestamp() - 3 * 86400
    return {**base, "street_folded": "", "created_at": created, **changed}


def at_a_pin(scene: Stage) -> None:
    says(scene, "rupa na putu", "preskoči")
    sends_pin(scene, *HERE)


def test_a_report_known_already_is_followed_instead_of_filed() -> None:
    scene = stage(near_problems=[near()])
    at_a_pin(scene)
    assert "pre 3 dana" in heard(scene)
    assert "10 m" in heard(scene)
    says(scene, "da")
    assert scene.followed == ["PR-AAAA-AAA"]
    assert scene.cases == []
    assert forms.open_draft(scene.conversation.state) is None


def test_who_says_it_is_another_problem_files_it_and_is_not_asked_twice() -> None:
    scene = stage(near_problems=[near()])
    at_a_pin(scene)
    says(scene, "ne")
    assert scene.messages[-1].ask == "confirmation"
    says(scene, "pošalji")
    assert len(scene.cases) == 1
    assert scene.followed == []


@pytest.mark.parametrize(
    "other",
    [
        near(category="light"),
        near(latitude=45.78),
        near(created_at=dt.datetime.fromisoformat(CLOCK).timestamp() - 40 * 86400),
    ],
)
def test_another_kind_far_away_or_long_ago_is_not_offered(other: dict[str, Any]) -> None:
    scene = stage(near_problems=[other])
    at_a_pin(scene)
    assert scene.messages[-1].ask == "confirmation"


def test_the_same_street_is_near_whatever_its_script() -> None:
    scene = stage(near_problems=[near(latitude=None, longitude=None, street_folded="venca petrovica")])
    says(scene, "Велика рупа у Венца Петровића 20", "прескочи")
    assert "form.follow" in buttons(scene.messages[-1])


def test_the_photo_of_the_other_report_is_a_link_beside_the_question_and_is_not_remembered() -> None:
    scene = stage(near_problems=[near(photo="https://media.example/hole.jpg")])
    at_a_pin(scene)
    assert scene.messages[-1].link == ("Pogledajte fotografiju", "https://media.example/hole.jpg")
    assert "media.example" not in json.dumps(scene.conversation.state)


def test_nothing_of_the_other_report_is_told_but_that_it_is_there() -> None:
    scene = stage(near_problems=[near(text="kod Petra Petrovića, 060 111 222")])
    at_a_pin(scene)
    assert "Petra" not in heard(scene)
    assert "PR-AAAA-AAA" not in json.dumps([list(message.choices) for message in scene.messages])


def test_a_follow_button_nobody_offered_follows_nothing() -> None:
    scene = stage(near_problems=[near()])
    says(scene, "rupa na putu")
    presses(scene, "form.follow")
    assert scene.followed == []


def test_who_corrects_the_place_is_asked_about_the_new_one() -> None:
    scene = stage(near_problems=[near(latitude=None, longitude=None, street_folded="staparski put")])
    says(scene, "Velika rupa u Venca Petrovića 12", "preskoči")
    assert scene.messages[-1].ask == "confirmation"
    says(scene, "ne, ulica je Staparski put 5")
    assert "form.follow" in buttons(scene.messages[-1])


def test_where_nobody_knows_of_near_problems_the_report_goes_on() -> None:
    scene = stage(near_problems=None)
    at_a_pin(scene)
    assert scene.messages[-1].ask == "confirmation"


def test_two_neighbours_report_one_hole_and_the_second_follows_the_first() -> None:
    scene = stage()
    says(scene, "Velika rupa u Venca Petrovića 12", "preskoči", "pošalji")
    first = filed(scene).reference
    scene.enter("neighbour")
    says(scene, "rupa na putu u Venca Petrovića 18", "preskoči", "da")
    assert scene.followed == [first]


def test_without_a_reference_nothing_is_said_to_be_filed() -> None:
    from dataclasses import replace

    from chalicelib import services
    from chalicelib.dialogue import engine
    from chalicelib.model import Facts, Turn

    scene = stage()
    says(scene, "Velika rupa u Venca Petrovića 12", "preskoči")
    press = Inbound(id="x", citizen="c", kind="choice", choice="form.send")
    turn = engine.step(TOWN, replace(scene.conversation), press, Facts(scene.now), services.kind)
    assert isinstance(turn, Turn)
    assert not any(isinstance(effect, OpenCase) for effect in turn.effects)
    assert turn.state == scene.conversation.state or forms.open_draft(turn.state)


# --- a town's configuration -------------------------------------------------------------------------------------


@pytest.mark.shows("F37")
@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ("office: putevi, term: {working_days: 5}", "office: nobody", 'no office "nobody"'),
        ("intents: [report.road]", "intents: [report.potholes]", "is no intent"),
        ("term: {working_days: 5}", "term: {working_days: 5, hours: 2}", "give one of"),
        ("term: {working_days: 5}", "deadline: 5", "deadline"),
        ("{id: other,", "{id: strange,", "has no title"),
        ("{id: light,", "{id: road,", "stands twice"),
        ("type: choice", "type: text", "a choice needs"),
    ],
)
def test_a_mistake_in_a_towns_problems_is_named_with_its_line(old: str, new: str, complaint: str) -> None:
    from chalicelib.tenancy.compile import compile_town
    from chalicelib.tenancy.complaints import Rejected
    from chalicelib.tenancy.load import load, read_folder
    from tests.world import TOWNS

    files = read_folder(TOWNS / "primer")
    text = files["services.yaml"].decode()
    assert old in text
    line = text[: text.index(old)].count("\n") + 1
    files["services.yaml"] = text.replace(old, new, 1).encode()
    with pytest.raises(Rejected) as rejected:
        compile_town(load("primer", files))
    shown = str(rejected.value)
    assert complaint in shown
    found = [int(part.split(" ")[0]) for part in shown.split("services.yaml:")[1:]]
    assert min(abs(each - line) for each in found) <= 3, shown


def test_the_channels_own_button_for_a_place_is_labelled_in_the_citizens_words() -> None:
    scene = stage()
    assert says(scene, "не ради расвета").ask_label == "Пошаљи локацију"
    assert presses(scene, "menu").ask_label == ""
