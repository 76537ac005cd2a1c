"""What we ask of Viber stays within its limits, whatever is said."""

from __future__ import annotations

import json

import pytest
from viberbot.api.messages import KeyboardMessage, TextMessage

from chalicelib.channels import Credentials
from chalicelib.channels.viber import pieces
from chalicelib.model import Message

CREDENTIALS = Credentials("token", "Grad Primer")


def _pieces(text: str, choices: tuple[tuple[str, str], ...] = (), **more: object) -> list[dict]:  # type: ignore[type-arg]
    return pieces(Message("1", 0, "bot", text, choices, **more), plain=False, credentials=CREDENTIALS)  # type: ignore[arg-type]


def _bytes(piece: dict) -> int:  # type: ignore[type-arg]
    return len(json.dumps(piece, ensure_ascii=False).encode())


@pytest.mark.parametrize("letter", ["ђ", "🚰", "š", "<", "a"])
def test_long_texts_with_a_keyboard_stay_under_thirty_kilobytes_and_nothing_is_lost(letter: str) -> None:
    text = (letter * 60 + ". ") * 250
    made = _pieces(text, tuple((f"choice.{number}", "Dugme <b> " * 8) for number in range(24)))
    assert all(_bytes(piece) < 30_000 and len(piece["text"]) <= 7000 for piece in made)
    assert "".join(piece["text"] for piece in made).replace(" ", "") == text.replace(" ", "")
    assert ["keyboard" in piece for piece in made] == [False] * (len(made) - 1) + [True]


def test_texts_are_split_at_sentences_and_never_inside_a_character() -> None:
    first, *_ = _pieces("Ovo je rečenica. " * 600)
    assert first["text"].endswith("rečenica.")
    joined = "👩‍👩‍👧‍👦" * 1500
    assert all(not piece["text"].startswith("\u200d") for piece in _pieces(joined))


def test_a_keyboard_says_what_it_is_and_its_buttons_are_read_back_as_choices() -> None:
    (piece,) = _pieces("Izaberite:", (("menu", "Glavni meni"), ("person", "A & <b>B</b>")))
    keyboard = piece["keyboard"]
    assert keyboard["Type"] == "keyboard"
    assert [button["ActionBody"] for button in keyboard["Buttons"]] == ["~1:menu", "~1:person"]
    assert keyboard["Buttons"][1]["Text"] == "A &amp; &lt;b&gt;B&lt;/b&gt;"
    assert all(1 <= button["Columns"] <= 6 and button["Silent"] for button in keyboard["Buttons"])


def test_no_null_values_and_no_token_are_in_a_request() -> None:
    (piece,) = _pieces("Zdravo", (("menu", "Meni"),))
    assert "null" not in json.dumps(piece)
    assert "token" not in json.dumps(piece)


def test_pickers_raise_the_level_and_plain_messages_do_not() -> None:
    (asking,) = _pieces("Gde?", (("menu", "Meni"),), ask="location")
    assert asking["keyboard"]["Buttons"][0]["ActionType"] == "location-picker"
    assert asking["min_api_version"] == 3
    (labelled,) = _pieces("Gde?", (), ask="location", ask_label="Pošalji lokaciju")
    assert labelled["keyboard"]["Buttons"][0]["Text"] == "Pošalji lokaciju"
    (plain,) = _pieces("Zdravo", (("menu", "Meni"),))
    assert plain["min_api_version"] == 1


def test_the_library_of_viber_makes_the_same_message_of_it() -> None:
    (piece,) = _pieces("Zdravo", (("menu", "Meni"),))
    theirs = TextMessage(text="Zdravo", keyboard=piece["keyboard"], min_api_version=1).to_dict()
    ours = {name: value for name, value in piece.items() if name != "sender"}
    assert ours == {name: value for name, value in theirs.items() if value is not None}
    assert KeyboardMessage(keyboard=piece["keyboard"]).to_dict()["keyboard"] == piece["keyboard"]


def test_a_link_stands_in_the_text_where_viber_draws_it_itself() -> None:
    (piece,) = _pieces("Policija", (), link=("Policija", "https://mup.example"))
    assert piece["text"].endswith("https://mup.example")
