"""What people type where a form asks for something of a certain shape: taken as meant, or refused with the reason and
the question again; nothing that was given before is lost, and no personal number stays in the words."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.dialogue import forms, slots
from chalicelib.dialogue.slots import Complaint, Heard
from chalicelib.language.folding import fold
from chalicelib.model import Inbound, Line, Voice
from chalicelib.understanding.entities.numbers import MASK, hide_personal_numbers
from infra.proofs import Stage, town_of
from tests.conversations.people import buttons, presses, says
from tests.world import NOON, compiled

TOWN = town_of(compiled("primer"))
SLOTS = {
    "phone": slots.Phone(key="x", ask=Line("x"), label=Line("x")),
    "date": slots.Date(key="x", ask=Line("x"), label=Line("x")),
    "name": slots.Name(key="x", ask=Line("x"), label=Line("x")),
    "address": slots.Address(key="x", ask=Line("x"), label=Line("x")),
    "quantity": slots.Quantity(key="x", ask=Line("x"), label=Line("x")),
    "consent": slots.Consent(key="x", ask=Line("x"), label=Line("x")),
    "email": slots.Email(key="x", ask=Line("x"), label=Line("x")),
    "text": slots.Text(key="x", ask=Line("x"), label=Line("x")),
}
REFUSED = object()


def taken(kind: str, text: str) -> Any:
    answer = SLOTS[kind].take(Heard(Inbound("1", "c", text=text), TOWN, Voice("sr"), NOON))
    return REFUSED if answer is None or isinstance(answer, Complaint) else answer


TYPED: list[tuple[str, str, str, Any]] = [
    ("B62", "phone", "+381 0 64 123 4567", "+381641234567"),
    ("B62", "phone", "00381641234567", "+381641234567"),
    ("B62", "phone", "064/123-45-67", "+381641234567"),
    ("B62", "phone", "011 123 4567", "+381111234567"),
    ("B62", "phone", "+49 170 1234567", "+491701234567"),
    ("B62", "phone", "moj broj je 0641234567, zovite posle 5", "+381641234567"),
    ("B62", "phone", "192", REFUSED),
    ("B62", "phone", "064", REFUSED),
    ("B62", "phone", "9" * 50, REFUSED),
    ("B62", "phone", "1506985665057", REFUSED),
    ("B64", "date", "31.02.", REFUSED),
    ("B64", "date", "31. 2. 2026.", REFUSED),
    ("B64", "date", "29.2.2025.", REFUSED),
    ("B64", "date", "2026-13-01", REFUSED),
    ("B64", "date", "1.1.10000", REFUSED),
    ("B64", "date", "0.0.0", REFUSED),
    ("B64", "date", "juče", "2026-03-09"),
    ("B64", "date", "29.2.2024.", "2024-02-29"),
    ("B65", "name", "Ana O'Brajen", "Ana O'Brajen"),
    ("B65", "name", "Ana-Marija Đokić Šarić", "Ana-Marija Đokić Šarić"),
    ("B65", "name", "Ања Ђурђић", "Ања Ђурђић"),
    ("B65", "name", "A", REFUSED),
    ("B65", "name", "Ana " + "n" * 200, REFUSED),
    ("B65", "name", "Ana 123", REFUSED),
    ("B65", "name", "Ana <b>Anić</b>", REFUSED),
    ("B66", "address", "Kralja Petra bb", "Kralja Petra bb"),
    ("B66", "address", "Краља Петра бб", "Краља Петра бб"),
    ("B66", "address", "Lipa b.b., 25000 Primer", "Lipa b.b., 25000 Primer"),
    ("B66", "address", "kod mene", REFUSED),
    ("B66", "address", "12345", REFUSED),
    ("B66", "address", "a 1 " * 100, REFUSED),
    ("B67", "quantity", "1.000,50", REFUSED),
    ("B67", "quantity", "2,5", REFUSED),
    ("B67", "quantity", "-1", REFUSED),
    ("B67", "quantity", "0", REFUSED),
    ("B67", "quantity", "9" * 5000, REFUSED),
    ("B67", "quantity", "2 ili 3", REFUSED),
    ("B67", "quantity", "dva", 2),
    ("B68", "consent", "da", "yes"),
    ("B68", "consent", "DA", "yes"),
    ("B68", "consent", "да", "yes"),
    ("B68", "consent", "yes", "yes"),
    ("B68", "consent", "👍", "yes"),
    ("B68", "consent", "👍🏽", "yes"),
    ("B68", "consent", "jok", "no"),
    ("B68", "consent", "👎", "no"),
    ("B68", "consent", "ne znam", REFUSED),
    ("B68", "consent", "🚰", REFUSED),
    ("B21", "text", "\u200b\u200b", REFUSED),
    ("B22", "text", "a" * 7000, REFUSED),
]


@pytest.mark.parametrize(
    ("kind", "typed", "answer"),
    [pytest.param(*row[1:], marks=pytest.mark.shows(row[0]), id=f"{row[0]}-{at}") for at, row in enumerate(TYPED)],
)
def test_an_answer_is_taken_as_it_is_meant_or_refused(kind: str, typed: str, answer: Any) -> None:
    assert taken(kind, typed) == answer


@pytest.mark.shows("B62", "B64", "B65", "B66", "B67", "B68")
@settings(max_examples=150, deadline=None)
@given(st.sampled_from(sorted(SLOTS)), st.text(max_size=60))
def test_any_words_are_an_answer_or_none(kind: str, typed: str) -> None:
    answer = taken(kind, typed)
    assert answer is REFUSED or SLOTS[kind].holds(answer)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        pytest.param(*row[1:], marks=pytest.mark.shows(row[0]), id=f"{row[0]}-{at}")
        for at, row in enumerate(
            [
                ("B28", "izvod из матичне књиге", "izvod iz matične knjige"),
                ("B28", "izv\u043ed", "izvod"),
                ("B28", "кр\u0161teница", "krštenica"),
                ("B29", "\u01c6ep", "džep"),
                ("B29", "\u01c8ubav \u01caiva", "ljubav njiva"),
                ("B29", "c\u030cesma", "česma"),
                ("B29", "cesma", "česma"),
                ("B29", "ccevap", "ćevap"),
                ("B29", "\uff32\uff35\uff30\uff21", "rupa"),
            ]
        )
    ],
)
def test_one_word_in_any_spelling_is_the_same_word(written: str, meant: str) -> None:
    assert fold(written) == fold(meant)


# --- personal numbers ---------------------------------------------------------------------------------------------

OWN = ("za mene", "Ana Anić", "preskoči", "15. 6. 1985.", "Primer", "Mira i Jovan Anić", "preskoči")
NUMBER = "1506985665057"


def asked_for_number() -> Stage:
    scene = Stage(TOWN, "viber", "2026-03-10T10:15:00+01:00")
    says(scene, "Hoću da naručim izvod rođenih", *OWN)
    return scene


@pytest.mark.shows("B61")
@pytest.mark.parametrize(
    "typed",
    [
        "150698566505",
        "15O6985665O57",
        "1506985665058",
        "0" * 13,
        "0101030660011",
        "abc",
        "1" * 300,
        "\u0661" * 13,
        "👍",
    ],
)
def test_a_number_that_is_none_is_refused_with_an_example_and_nothing_before_it_is_lost(typed: str) -> None:
    scene = asked_for_number()
    before = forms.open_draft(scene.conversation.state)
    answer = says(scene, typed)
    after = forms.open_draft(scene.conversation.state)
    assert before and after and after.asked == "personal_number"
    assert dict(after.answers) == dict(before.answers)
    assert answer.choices and not any(typed in entry.text for entry in scene.conversation.log if len(typed) > 9)


@pytest.mark.shows("B61")
@settings(max_examples=60, deadline=None)
@given(st.sampled_from(["", " ", ".", "-", "/"]), st.integers(1, 12), st.text(max_size=10), st.text(max_size=10))
def test_a_number_with_any_gap_among_any_words_stands_nowhere_in_them(gap: str, at: int, one: str, other: str) -> None:
    shown, found = hide_personal_numbers(f"{one} {NUMBER[:at]}{gap}{NUMBER[at:]} {other}", asked=True)
    assert found and NUMBER not in re.sub(r"\D", "", shown)


# --- numbers of cases ---------------------------------------------------------------------------------------------


@pytest.mark.shows("B63")
@pytest.mark.parametrize("change", [str.lower, lambda n: n.replace("-", " "), lambda n: f"  {n.replace('-', '')} "])
def test_ones_own_case_is_found_however_its_number_is_typed(change: Any) -> None:
    scene, reference = filed()
    assert reference in says(scene, f"šta je sa {change(reference)}").text


@pytest.mark.shows("B63")
@pytest.mark.parametrize(
    "typed",
    [
        "DR-7KM4-2A9",
        "PR-0000-000",
        "000PR-7KM4-2A9",
        "PR-7KM4-2A9' OR 1=1 --",
        '{"$ne": null}',
        "T#primer#C#x",
        "351-45/2026",
    ],
)
def test_a_number_of_nobodys_case_tells_nothing_and_leads_on(typed: str) -> None:
    scene, reference = filed()
    answer = says(scene, f"šta je sa {typed}")
    assert reference not in answer.text and answer.choices


@pytest.mark.shows("B31", "B63")
def test_a_button_about_somebody_elses_case_changes_nothing() -> None:
    scene, reference = filed()
    scene.enter("neighbour")
    for verb in ("withdraw", "notfixed", "fixed", "stop", "state"):
        answer = presses(scene, f"case.{verb}.{reference}")
        assert buttons(answer)
    assert [case.status for case in scene.cases] == ["received"]


def filed() -> tuple[Stage, str]:
    scene = Stage(TOWN, "viber", "2026-03-10T10:15:00+01:00")
    says(scene, "Velika rupa na putu, Venac 12", "preskoči", "pošalji")
    (case,) = scene.cases
    return scene, case.reference


def test_the_mask_is_no_answer_either() -> None:
    scene = asked_for_number()
    says(scene, MASK)
    draft = forms.open_draft(scene.conversation.state)
    assert draft and draft.asked == "personal_number" and "personal_number" not in draft.answers
