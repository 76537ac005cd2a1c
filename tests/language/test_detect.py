"""Which language a message is in: right from two words on, silent where nothing tells."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.language.detect import FAMILIES, language_of


@pytest.mark.parametrize(
    ("said", "family"),
    [
        ("treba mi izvod rođenih", "sr"),
        ("dje da prijavim rupu", "sr"),
        ("gdje se plaća porez", "sr"),
        ("нема воде", "sr"),
        ("nema struje", "sr"),
        ("kam nevojë për certifikatë", "sq"),
        ("nuk ka uje", "sq"),
        ("qysh me marre certifikaten", "sq"),
        ("where is the town hall", "en"),
        ("no water", "en"),
        ("street light broken", "en"),
        ("Wo bekomme ich eine Geburtsurkunde", "de"),
        ("kein Wasser", "de"),
        ("Ich mochte einen Schaden melden", "de"),
    ],
)
def test_the_language_is_told_from_two_words_on(said: str, family: str) -> None:
    assert language_of(said) == family
    assert language_of(said.upper()) == family


@pytest.mark.parametrize("said", ["", "12345", "😀", "SO-7KM4-2A9", "qwrtz plmok", "ok"])
def test_where_nothing_tells_nothing_is_said(said: str) -> None:
    assert language_of(said) is None


@given(st.text(max_size=300))
def test_any_text_gets_a_family_or_none(text: str) -> None:
    assert language_of(text) in (*FAMILIES, None)
