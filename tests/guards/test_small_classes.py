"""Our small classes behave as the standard library's do, and every room makes its own with them."""

from __future__ import annotations

import copy
import dataclasses
import pickle
import re
from collections.abc import Callable
from dataclasses import field
from pathlib import Path
from typing import Any

import pytest

from chalicelib import small_classes

ROOT = Path(__file__).resolve().parents[2]
MAKERS = [pytest.param(dataclasses.dataclass, id="theirs"), pytest.param(small_classes.dataclass, id="ours")]


def place(make: Any) -> type:
    @make(frozen=True, slots=True)
    class Place:
        """Where."""

        text: str
        tags: list[str] = field(default_factory=list)
        number: int = 7
        note: str = field(default="", compare=False, repr=False)

    Place.__qualname__ = "Place"
    return Place


def asked(make: Any) -> tuple[type, type]:
    @make(frozen=True, kw_only=True)
    class Slot:
        """A question."""

        key: str
        needed: bool = True

        def __post_init__(self) -> None:
            if not self.key:
                raise ValueError("a slot has a key")

    @make(frozen=True, kw_only=True)
    class Choice(Slot):
        """One of several."""

        options: tuple[str, ...]

    return Slot, Choice


@pytest.mark.parametrize("make", MAKERS)
def test_a_place_is_made_compared_shown_and_changed_alike(make: Any) -> None:
    made = place(make)
    one, same = made("Venac", ["a"]), made("Venac", ["a"], 7, note="other")
    assert one == same and one != made("Venac") and one != ("Venac", ["a"], 7, "")
    assert repr(one) == "Place(text='Venac', tags=['a'], number=7)"
    assert dataclasses.replace(one, number=8) == made(text="Venac", tags=["a"], number=8)
    assert dataclasses.asdict(one) == {"text": "Venac", "tags": ["a"], "number": 7, "note": ""}
    assert made("x").tags is not made("x").tags
    assert hash(made("x", ())) == hash(made("x", (), note="y"))
    assert copy.copy(one) == one and copy.deepcopy(one).tags is not one.tags


@pytest.mark.parametrize("make", MAKERS)
@pytest.mark.parametrize(
    "act",
    [
        lambda one: setattr(one, "text", "x"),
        lambda one: delattr(one, "text"),
        lambda one: setattr(one, "unknown", "x"),
        lambda one: type(one)(),
        lambda one: type(one)("x", wrong=1),
        lambda one: type(one)("x", [], 1, "", 5),
    ],
)
def test_what_must_not_be_done_to_one_is_refused(make: Any, act: Callable[[Any], Any]) -> None:
    with pytest.raises((AttributeError, TypeError)):  # a FrozenInstanceError is an AttributeError
        act(place(make)("Venac"))


@pytest.mark.parametrize("make", MAKERS)
def test_the_first_is_made_as_all_after_it(make: Any) -> None:
    made = place(make)
    wrong: list[dict[str, Any]] = [{}, {"text": "x", "street": "y"}, {"tags": []}]
    for number in range(3 * small_classes.FILLED_IN_MAX):
        one = made("Venac", number=number)
        assert (one.text, one.tags, one.number, one.note) == ("Venac", [], number, "")
        assert made("Venac", ["a"], 1, "n") == made(text="Venac", tags=["a"], number=1, note="n")
        for named in wrong:
            with pytest.raises(TypeError):
                made(**named)
        for given in ((), ("a", [], 1, "n", 5)):
            with pytest.raises(TypeError):
                made(*given)
        with pytest.raises(TypeError):
            made("Venac", text="Trg")
        with pytest.raises(AttributeError):
            one.text = "Trg"


@pytest.mark.parametrize("make", MAKERS)
def test_one_kind_of_question_builds_on_another(make: Any) -> None:
    slot, choice = asked(make)
    assert choice(options=("a",), key="k") == choice(key="k", options=("a",))
    assert choice(key="k", options=()) != slot(key="k")
    assert isinstance(choice(key="k", options=()), slot)
    with pytest.raises(ValueError, match="a slot has a key"):
        choice(key="", options=())
    with pytest.raises(TypeError):
        slot("k")


def test_what_travels_between_processes_comes_back_the_same() -> None:
    from chalicelib.model import Line, Say

    say = Say(lines=(Line("greeting", {"town": "Lipovac"}),))
    assert pickle.loads(pickle.dumps(say)) == say


def test_every_room_makes_its_classes_with_ours() -> None:
    theirs = re.compile(r"^from dataclasses import .*\bdataclass\b", re.MULTILINE)
    sources = [path for path in (ROOT / "chalicelib").rglob("*.py") if path.name != "small_classes.py"]
    assert [path.name for path in sources if theirs.search(path.read_text(encoding="utf-8"))] == []
