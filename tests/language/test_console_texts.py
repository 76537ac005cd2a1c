"""The console says the same things in every language its staff may choose, topic by topic."""

from __future__ import annotations

import pytest

from chalicelib.console import wording
from chalicelib.language import catalogue

LANGUAGES = ("sr", "sr-ije", "bs", "cnr", "sq", "en")
TOPICS = wording.folders()


def test_the_console_speaks_every_language_it_offers() -> None:
    assert set(wording.names()) == set(LANGUAGES)
    assert {voice.partition("-")[0] for voice in wording.VOICES} <= set(LANGUAGES)


@pytest.mark.parametrize("topic", TOPICS)
@pytest.mark.parametrize("name", LANGUAGES)
def test_no_text_of_a_topic_is_missing_or_unknown(topic: str, name: str) -> None:
    assert set(wording.texts_in(topic, name)) == set(wording.texts_in(topic, "sr"))


def test_no_text_stands_in_two_topics() -> None:
    parts = [set(wording.texts_in(topic, "sr")) for topic in TOPICS]
    assert sum(len(part) for part in parts) == len(set().union(*parts))


@pytest.mark.parametrize("name", LANGUAGES)
def test_placeholders_agree_in_every_language(name: str) -> None:
    ours, base = wording.texts(name), wording.texts("sr")
    assert {
        key: catalogue.placeholders(ours[key])
        for key in base
        if catalogue.placeholders(ours[key]) != catalogue.placeholders(base[key])
    } == {}


@pytest.mark.parametrize("name", LANGUAGES)
def test_plurals_have_the_forms_their_language_needs(name: str) -> None:
    slavic = catalogue.load(name)["language"]["plural"] == "slavic"
    for key, text in wording.texts(name).items():
        if not isinstance(text, str):
            assert set(text) == ({"one", "few", "other"} if slavic else {"one", "other"}), key


@pytest.mark.parametrize("name", LANGUAGES)
def test_latin_texts_hold_no_cyrillic_letter_and_no_text_is_empty(name: str) -> None:
    for key, text in wording.texts(name).items():
        for part in [text] if isinstance(text, str) else text.values():
            assert part.strip(), key
            assert not any("Ѐ" <= letter <= "ӿ" for letter in part), key


@pytest.mark.parametrize("voice", wording.VOICES)
def test_every_text_can_be_said_in_every_voice(voice: str) -> None:
    say = wording.wording(voice, None)
    for key, text in wording.texts(say.name).items():
        values: dict[str, str | int] = dict.fromkeys(catalogue.placeholders(text), "x")
        assert "{" not in say(key, **values | {"n": 3}), key
