"""Every language has every text, with the same placeholders."""

import pytest

from chalicelib.language import catalogue

BASE = catalogue.load("sr")["texts"]


@pytest.mark.parametrize("name", catalogue.names())
def test_no_text_is_missing_or_unknown(name: str) -> None:
    assert set(catalogue.load(name)["texts"]) == set(BASE)


def test_no_text_stands_in_two_folders() -> None:
    parts = [set(catalogue.texts_in(folder, "sr")) for folder in catalogue.folders()]
    assert sum(len(part) for part in parts) == len(set().union(*parts))


@pytest.mark.parametrize("name", catalogue.names())
def test_placeholders_agree_in_every_language(name: str) -> None:
    texts = catalogue.load(name)["texts"]
    different = {
        key: catalogue.placeholders(texts[key]) ^ catalogue.placeholders(BASE[key])
        for key in BASE
        if catalogue.placeholders(texts[key]) != catalogue.placeholders(BASE[key])
    }
    # A language may name a person or a date without the grammar forms others need.
    assert {
        key: extra - {"town", "town_gen", "town_loc"}
        for key, extra in different.items()
        if extra - {"town", "town_gen", "town_loc"}
    } == {}


@pytest.mark.parametrize("name", catalogue.names())
def test_plurals_have_the_forms_their_language_needs(name: str) -> None:
    entry = catalogue.load(name)
    wanted = {"one", "few", "other"} if entry["language"]["plural"] == "slavic" else {"one", "other"}
    for key, text in entry["texts"].items():
        if not isinstance(text, str):
            assert set(text) == wanted, key


@pytest.mark.parametrize(
    ("n", "form"), [(1, "one"), (2, "few"), (5, "other"), (11, "other"), (12, "other"), (21, "one"), (112, "other")]
)
def test_slavic_plurals(n: int, form: str) -> None:
    assert catalogue.plural_form(n, "slavic") == form


def test_values_are_put_in_as_they_are_and_braces_in_them_stay() -> None:
    worded = catalogue.word("Broj: {case_no}", "slavic", "cyrillic", {"case_no": "{0} SO-1 zdravo"})
    assert worded == "Број: {0} SO-1 zdravo"


@pytest.mark.parametrize("name", ["sr", "sr-ije", "bs", "cnr", "sq", "en", "de"])
def test_latin_catalogues_hold_no_cyrillic_letter(name: str) -> None:
    for key, text in catalogue.load(name)["texts"].items():
        for part in [text] if isinstance(text, str) else text.values():
            assert not any("Ѐ" <= letter <= "ӿ" for letter in part), key
