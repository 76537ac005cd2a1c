"""References and access codes: no slip goes unnoticed, both scripts read alike, nothing is likelier than the rest."""

from __future__ import annotations

import random
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.cases import references
from chalicelib.understanding.entities import numbers

RANDOM = st.binary(min_size=8, max_size=16)


def _body(reference: str) -> str:
    return reference.replace("-", "")[2:]


def _with(reference: str, body: str) -> str:
    return f"{reference[:2]}-{body[:4]}-{body[4:]}"


@given(RANDOM)
def test_every_reference_is_grouped_sound_and_known_to_whoever_reads_messages(noise: bytes) -> None:
    made = references.reference("SO", noise)
    assert references.is_sound(made)
    assert references.normalise(made) == made
    assert numbers.take_references(f"moj broj je {made}")[0] == [made]


@given(RANDOM)
def test_every_single_wrong_letter_is_noticed(noise: bytes) -> None:
    made = references.reference("SO", noise)
    body = _body(made)
    for place in range(7):
        for letter in references.ALPHABET:
            if letter != body[place]:
                assert not references.is_sound(_with(made, body[:place] + letter + body[place + 1 :]))


@given(RANDOM)
def test_every_swap_of_neighbours_is_noticed(noise: bytes) -> None:
    made = references.reference("SO", noise)
    body = _body(made)
    for place in range(6):
        if body[place] != body[place + 1]:
            swapped = body[:place] + body[place + 1] + body[place] + body[place + 2 :]
            assert not references.is_sound(_with(made, swapped))


@pytest.mark.parametrize(
    "typed",
    [
        "SO-7KM4-2A9",
        "so7km42a9",
        " so 7km4 2a9 ",
        "СО-7КМ4-2А9",
        "со7км42а9",
        "SО-7KМ4-2A9",
        "SO–7KM4–2A9",
        "So.7km4/2a9",
    ],
)
def test_a_reference_is_read_in_either_script_any_case_with_or_without_hyphens(typed: str) -> None:
    assert references.normalise(typed) == "SO-7KM4-2A9"


@pytest.mark.parametrize(
    "typed", ["", "SO-7KM4-2A", "SO-7KM4-2A99", "SO-7KM4-2AB", "501-123/2024", "S-7KM4-2A9", "đ" * 500]
)
def test_what_is_no_reference_is_none(typed: str) -> None:
    assert references.normalise(typed) is None


def test_letters_of_many_references_are_evenly_spread_and_none_comes_twice() -> None:
    chance = random.Random(5)
    made = [references.reference("SO", chance.randbytes(10)) for _ in range(20_000)]
    assert len(set(made)) > 19_950  # of 7.5 million; the store refuses the rest
    for place in range(7):
        seen = Counter(_body(reference)[place] for reference in made)
        assert set(seen) == set(references.ALPHABET)
        assert max(seen.values()) < 1.15 * min(seen.values())


def test_too_little_chance_is_refused() -> None:
    with pytest.raises(ValueError, match="random bytes"):
        references.reference("SO", b"1234567")


def test_no_access_code_is_made_of_letters_alone_which_might_be_taken_for_a_word() -> None:
    codes = [references.access_code(number.to_bytes(8, "big")) for number in range(14**5 * 2, 14**5 * 2 + 20000)]
    assert all(any(letter.isdigit() for letter in code) for code in codes)
    assert {len(code) for code in codes} == {references.ACCESS_CODE_LETTERS}


def test_an_access_code_opens_its_own_case_only_however_it_is_typed() -> None:
    code = references.access_code(b"0123456789")
    assert len(code) == 6
    stored = references.access_hash("SO-7KM4-2A9", code)
    assert code not in stored
    assert references.code_fits("SO-7KM4-2A9", f" {code[:3].lower()}-{code[3:]} ", stored)
    assert not references.code_fits("SO-7KM4-2AK", code, stored)
    assert not references.code_fits("SO-7KM4-2A9", "AAAAAA" if code != "AAAAAA" else "EEEEEE", stored)
    assert not references.code_fits("SO-7KM4-2A9", "", "")
