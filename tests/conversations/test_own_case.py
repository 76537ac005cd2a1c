"""What a citizen can do with a case after it was filed, as conversations in the invented town."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from chalicelib.cases import lifecycle, notices
from chalicelib.dialogue import memory
from chalicelib.dialogue.case_codes import CODE_TRIES_MAX
from chalicelib.language.folding import fold
from chalicelib.model import Case, Conversation, Voice
from infra.proofs import ACCESS_CODE, Stage, town_of
from tests.conversations.people import buttons, heard, presses, says, sends, sends_photo, sends_pin, waits
from tests.world import compiled

TOWN = town_of(compiled("primer"))
CLOCK = "2026-03-10T10:15:00+01:00"


def stage(channel: str = "viber") -> Stage:
    return Stage(TOWN, channel, CLOCK)


def reported(channel: str = "viber", place: str = "Trg Republike 3") -> tuple[Stage, str]:
    """A citizen who just filed a report of a broken lamp; its reference."""
    scene = stage(channel)
    says(scene, f"ne radi rasveta, {place}", "pošalji")
    assert scene.filed is not None, heard(scene)
    return scene, scene.filed.reference


def case(scene: Stage) -> Case:
    return scene.cases[-1]


def resolved(channel: str = "viber") -> tuple[Stage, str]:
    """The office resolved it and the notice arrived."""
    scene, reference = reported(channel)
    presses(scene, f"case.agree.{reference}")
    done = lifecycle.change(case(scene), lifecycle.Event(int(scene.now), "staff:ana", status="resolved"))
    scene.cases[-1] = done
    notice = notices.notice(done, TOWN.core)
    assert notice is not None
    scene.conversation = memory.appended(
        scene.conversation, notice, Voice("sr"), memory.APPENDED, scene.now, push=False
    )
    return scene, reference


# --- consent ----------------------------------------------------------------------------------------------------


def test_the_receipt_asks_once_whether_notices_may_be_sent_and_the_case_is_filed_already() -> None:
    scene, reference = reported()
    receipt = scene.messages[-1]
    assert "Da li ste saglasni" in receipt.text
    assert (receipt.ask, receipt.case) == ("consent", reference)
    assert case(scene).consent is False
    assert "Saglasnost je zabeležena" in says(scene, "da").text
    assert case(scene).consent is True


@pytest.mark.parametrize("word", ["Da", "važi", "да", "yes", "ja", "po"])
def test_yes_in_any_language_is_a_consent(word: str) -> None:
    scene, _ = reported()
    says(scene, word)
    assert case(scene).consent is True


@pytest.mark.parametrize("word", ["Ne", "не", "no", "nein", "jo"])
def test_after_a_no_the_answer_says_how_to_ask(word: str) -> None:
    scene, reference = reported()
    assert reference in says(scene, word).text
    assert case(scene).consent is False


def test_a_second_report_does_not_ask_again_while_the_consent_stands() -> None:
    scene, _ = reported()
    says(scene, "da", "ne radi rasveta, Venca Petrovića 8", "pošalji")
    assert "Da li ste saglasni" not in heard(scene)
    assert "Obaveštenja o ovom predmetu stižu ovde" in heard(scene)
    assert [each.consent for each in scene.cases] == [True, True]


def test_a_second_report_asks_again_after_a_no() -> None:
    scene, _ = reported()
    says(scene, "ne", "ne radi rasveta, Venca Petrovića 8", "pošalji")
    assert "Da li ste saglasni" in heard(scene)


def test_who_follows_anothers_report_is_asked_too() -> None:
    scene, reference = reported()
    scene.enter("jovo")
    says(scene, "ne radi rasveta, Trg Republike 3")
    assert "Da li ste saglasni" in presses(scene, "form.follow").text
    says(scene, "da")
    assert (scene.agreed, case(scene).consent) == ({"jovo": True}, True)
    assert scene.followed == [reference]


def test_notices_are_switched_off_from_the_cases_state() -> None:
    scene, reference = reported()
    says(scene, "da", reference)
    assert f"case.refuse.{reference}" in buttons(scene.messages[-1])
    presses(scene, f"case.refuse.{reference}")
    assert case(scene).consent is False


def test_whoever_does_not_answer_goes_on_as_if_nothing_had_been_asked() -> None:
    scene, _ = reported()
    says(scene, "ne radi rasveta, Venca Petrovića 8", "pošalji")
    assert len(scene.cases) == 2


# --- from elsewhere, with the code ------------------------------------------------------------------------------


def test_the_receipt_gives_the_code_and_on_the_web_says_what_it_is_for() -> None:
    assert f"Pristupna šifra: {ACCESS_CODE}" in heard(reported()[0])
    assert "zatvorite ovu stranicu" not in heard(reported()[0])
    assert "zatvorite ovu stranicu" in heard(reported("web")[0])


@pytest.mark.parametrize(
    "typed", ["{ref} A2E4J6", "{low} a2e4j6", "{ref}, šifra A2E-4J6", "А2Е4Ј6 {ref}", "status {ref} A2E4J6"]
)
def test_reference_and_code_in_one_message_tell_the_state_to_anybody(typed: str) -> None:
    scene, reference = reported()
    scene.enter("elsewhere")
    says(scene, typed.format(ref=reference, low=reference.lower().replace("-", "")))
    assert "Primljeno" in heard(scene)
    assert scene.messages[-1].case == reference
    assert not any(choice.startswith("case.") for choice in buttons(scene.messages[-1]))


@pytest.mark.parametrize("code", ["A2E4J6", "a2e4j6", "А2Е4Ј6", "A2E 4J6", "šifra je A2E4J6"])
def test_the_code_may_follow_in_a_message_of_its_own(code: str) -> None:
    scene, reference = reported()
    scene.enter("elsewhere")
    assert "pristupnu šifru" in says(scene, reference).text
    assert fold("Primljeno") in fold(says(scene, code).text)


def test_a_stranger_hears_the_same_of_a_case_there_is_and_one_there_is_not() -> None:
    scene, reference = reported()
    scene.enter("stranger")
    words = [
        [says(scene, typed).text.replace(number, "X") for typed in (number, "J6A2E4", f"{number} A2E4J7")]
        for number in (reference, "PR-7KM4-2AE")
    ]
    assert words[0] == words[1]
    assert all(message.case is None for message in scene.messages)


def test_ones_own_case_needs_no_code() -> None:
    scene, reference = reported()
    assert "Primljeno" in says(scene, reference).text
    assert scene.messages[-1].case == reference


def test_after_too_many_wrong_codes_the_right_one_waits_until_tomorrow() -> None:
    scene, reference = reported()
    scene.enter("guesser")
    says(scene, reference)
    for number in range(CODE_TRIES_MAX):
        assert "ne slažu" in says(scene, f"A2E4A{2 + number}").text
    assert "Pokušajte ponovo sutra" in says(scene, f"{reference} A2E4J6").text
    presses(scene, f"case.look.{reference}|A2E4J6")
    assert "Primljeno" not in heard(scene)
    waits(scene, 24 * 60)
    assert "Primljeno" in says(scene, f"{reference} A2E4J6").text


def test_an_ordinary_word_is_no_code_and_the_conversation_goes_on() -> None:
    scene, _ = reported()
    scene.enter("stranger")
    says(scene, "PR-7KM4-2AE")
    assert "ne slažu" not in says(scene, "zdravo").text
    assert "pristupnu" not in says(scene, "kontakti i telefoni").text


# --- settled or not ---------------------------------------------------------------------------------------------


def test_the_notice_of_a_resolved_case_carries_two_buttons_for_its_owner() -> None:
    scene, reference = resolved()
    say = scene.conversation.log[-1].say
    assert say is not None
    assert [choice.id for choice in say.choices] == [f"case.fixed.{reference}", f"case.unfixed.{reference}"]
    assert say.case == reference


@pytest.mark.parametrize(
    "word",
    [
        "Još nije rešeno",
        "и даље није поправљено",
        "nije popravljeno",
        "još uvijek nije riješeno",
        "still not fixed",
        "it is not solved",
        "noch nicht behoben",
        "ende nuk u zgjidh",
        "nisu popravili",
        "i dalje curi",
        "још увек не ради",
        "it still leaks",
        "2",
    ],
)
def test_still_not_fixed_reopens_it_in_any_language(word: str) -> None:
    scene, reference = resolved()
    assert reference in says(scene, word).text
    assert (case(scene).status, case(scene).history[-1].event) == ("received", "reopened")
    assert case(scene).history[-1].status == "received"


@pytest.mark.parametrize("word", ["Rešeno je", "popravljeno je, hvala", "поправљено", "fixed", "ist behoben", "1"])
def test_fixed_asks_for_a_rating(word: str) -> None:
    scene, _ = resolved()
    question = says(scene, word)
    assert question.ask == "rating"
    assert len([choice for choice in buttons(question) if choice.startswith("case.rate")]) == 5
    assert case(scene).status == "resolved"


@pytest.mark.parametrize(
    ("word", "rating"), [("5", 5), ("4!", 4), ("★★★", 3), ("⭐⭐⭐⭐⭐", 5), ("3/5", 3), ("pet", 5), ("ocena 2", 2)]
)
def test_a_rating_is_a_figure_or_stars(word: str, rating: int) -> None:
    scene, _ = resolved()
    says(scene, "rešeno je", word)
    assert "Hvala" in heard(scene)
    assert case(scene).fields["rating"] == rating


def test_stars_answer_the_notice_itself() -> None:
    scene, _ = resolved()
    says(scene, "★★★★")
    assert case(scene).fields["rating"] == 4


def test_a_question_about_it_is_no_answer_to_it() -> None:
    scene, _ = resolved()
    says(scene, "da li je rešeno?")
    assert case(scene).history[-1].event == "status"


def test_after_the_towns_days_it_says_so_and_offers_a_new_report() -> None:
    scene, reference = resolved()
    waits(scene, 31 * 24 * 60)
    late = presses(scene, f"case.unfixed.{reference}")
    assert "više od 30 dana" in late.text
    assert "report" in buttons(late)
    assert case(scene).status == "resolved"


@pytest.mark.parametrize(("days", "status"), [(6, "received"), (8, "resolved")])
def test_a_town_may_say_how_long_that_is(days: int, status: str) -> None:
    scene, reference = resolved()
    scene.town = replace(TOWN, core={**TOWN.core, "reopen_days": 7})
    waits(scene, days * 24 * 60)
    presses(scene, f"case.unfixed.{reference}")
    assert case(scene).status == status


def test_nobody_but_its_owner_settles_rates_or_withdraws_a_case() -> None:
    scene, reference = resolved()
    scene.enter("jovo")
    for verb in ("unfixed", "fixed", "rate1", "withdraw", "withdrawn", "agree", "add"):
        assert "nema predmeta" in presses(scene, f"case.{verb}.{reference}").text
    scene.followed.append(reference)
    for verb in ("unfixed", "rate1", "withdrawn"):
        assert "Rešeno" in presses(scene, f"case.{verb}.{reference}").text
    assert case(scene).history[-1].event == "status"


def test_an_old_button_is_answered_with_how_the_case_stands() -> None:
    scene, reference = reported()
    assert "Primljeno" in presses(scene, f"case.rate5.{reference}").text
    assert "Primljeno" in presses(scene, f"case.fixed.{reference}").text
    assert "Primljeno" in presses(scene, f"status.{reference}").text


# --- withdrawing ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("word", ["Povlačim", "povlačim prijavu", "повлачим пријаву", "withdraw", "ich ziehe zurück"])
def test_an_own_open_case_is_withdrawn_after_one_question(word: str) -> None:
    scene, reference = reported()
    says(scene, reference)
    question = says(scene, word)
    assert question.ask == "confirmation"
    assert case(scene).status == "received"
    assert "povučen" in says(scene, "da").text
    assert case(scene).status == "withdrawn"


def test_a_no_keeps_it() -> None:
    scene, reference = reported()
    says(scene, reference, "povlačim prijavu", "ne")
    assert "Primljeno" in heard(scene)
    assert case(scene).status == "received"


# --- sent later -------------------------------------------------------------------------------------------------


def test_a_photo_soon_after_filing_is_offered_to_the_case_and_added_after_a_yes() -> None:
    scene, reference = reported()
    question = sends_photo(scene, "kasna.jpg", caption="evo i slike")
    assert f"Da li je ovo za {reference}?" in question.text
    assert case(scene).attachments == ()
    says(scene, "da")
    (file,) = case(scene).attachments
    assert (file.id, file.key, file.state) == ("1", "kasna.jpg", "waiting")
    assert case(scene).history[-1].event == "attachment"
    assert (case(scene).history[-1].note, case(scene).history[-1].public) == ("evo i slike", False)


def test_an_album_waits_for_one_answer_and_its_rest_is_added_without_asking() -> None:
    scene, reference = reported()
    sends_photo(scene, "1.jpg", "2.jpg")
    presses(scene, f"case.add.{reference}")
    assert "Dodato" in sends_photo(scene, "3.jpg").text
    assert [file.key for file in case(scene).attachments] == ["1.jpg", "2.jpg", "3.jpg"]
    assert len(scene.cases) == 1


def test_a_pin_soon_after_filing_joins_the_place() -> None:
    scene, _ = reported()
    sends_pin(scene, 45.771, 19.112)
    says(scene, "da")
    place = case(scene).place
    assert place is not None
    assert (place.text, place.latitude) == ("Trg Republike 3", 45.771)


@pytest.mark.parametrize("words", ["evo još jedna slika", "ево још једне фотографије", "here is another photo"])
def test_a_photo_may_be_announced(words: str) -> None:
    scene, reference = reported()
    assert reference in says(scene, words).text
    assert reference in presses(scene, f"case.add.{reference}").text
    sends_photo(scene, "kasna.jpg")
    assert len(case(scene).attachments) == 1


def test_no_begins_another_report_with_what_was_sent() -> None:
    scene, reference = reported()
    sends_photo(scene, "1.jpg", "2.jpg")
    presses(scene, f"case.another.{reference}")
    says(scene, "rupa na putu", "Staparski put 30", "pošalji")
    assert len(scene.cases) == 2
    assert [file.key for file in case(scene).attachments] == ["1.jpg", "2.jpg"]


def test_a_file_that_nobody_could_take_joins_no_case_though_an_address_stands_under_it() -> None:
    scene, reference = reported()
    sends(scene, "attachment", text="Trg Republike 5")
    assert scene.messages[-1].choices
    assert presses(scene, f"case.add.{reference}").choices
    place = case(scene).place
    assert place is not None
    assert (place.text, len(scene.cases)) == ("Trg Republike 3", 1)


def test_an_hour_later_a_photo_begins_a_report_as_ever() -> None:
    scene, _ = reported()
    waits(scene, 61)
    assert "vrsti problema" in sends_photo(scene, "1.jpg").text


def test_a_closed_case_takes_nothing_more() -> None:
    scene, reference = reported()
    scene.cases[-1] = replace(case(scene), status="withdrawn")
    sends_photo(scene, "1.jpg")
    assert "ništa da se doda" in presses(scene, f"case.add.{reference}").text
    assert case(scene).attachments == ()


def test_danger_is_heard_whatever_was_asked() -> None:
    scene, _ = reported()
    assert "193" in says(scene, "gori kuća").text


def _memory(conversation: Conversation) -> Any:
    return dict(conversation.state)


def test_the_memory_of_a_case_is_small_and_goes_with_the_conversation() -> None:
    scene, reference = reported()
    assert _memory(scene.conversation) == {"filed": {"case": reference, "at": int(scene.now) - 20}}
