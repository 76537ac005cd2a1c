"""The page of what is shown claims no more and no less than the tests do."""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from infra import trust

TESTS = Path(__file__).resolve().parents[1]
CATALOGUE: dict[str, Any] = tomllib.loads((TESTS / "trust.toml").read_text())
PARTLY, NOT_HERE = CATALOGUE["partly"], CATALOGUE["not_here"]
NUMBERS = [number for _title, number, _what in trust._numbers({k: v for k, v in CATALOGUE.items() if "title" in v})]


def named(source: str) -> Iterator[str]:
    """The numbers a file's tests say they show, in a mark or in a table of parameters; a figure alone shows nothing."""
    tree = ast.parse(source)
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    figures = {id(call.args[0]) for call in calls if getattr(call.func, "id", "") == "measured" and call.args}
    words = [node for node in ast.walk(tree) if isinstance(node, ast.Constant) and id(node) not in figures]
    yield from (word.value for word in words if re.fullmatch(r"[RFBADT]\d{1,2}", str(word.value)))


def test_every_number_is_either_shown_or_shown_partly_or_not_shown_here() -> None:
    files = [path.read_text() for path in TESTS.rglob("test_*.py") if path != Path(__file__)]
    tested = {number for source in files if "shows(" in source for number in named(source)}
    assert tested | set(NOT_HERE) == set(NUMBERS)
    assert (tested & set(NOT_HERE), set(PARTLY) - tested, set(PARTLY) & set(NOT_HERE)) == (set(), set(), set())
    assert len(NUMBERS) == len(set(NUMBERS)) == 12 + 46 + 84 + 27 + 14 + 12


@pytest.mark.parametrize("number", [*PARTLY, *NOT_HERE])
def test_what_is_left_open_is_said_in_a_sentence(number: str) -> None:
    assert len((PARTLY | NOT_HERE)[number].split()) >= 4


def test_the_page_says_of_every_number_what_its_tests_came_to() -> None:
    catalogue = {"faults": {"title": "Faults", "F1": "killed", "F2": "twice", "F3": "late", "F4": "forged"}}
    results = {
        "F1": {"tests": {"tests/x.py::test_a": ["passed"]}, "figures": ["9 points", "9 points"]},
        "F2": {"tests": {"tests/x.py::test_b": ["passed", "failed"]}, "figures": []},
        "F3": {"tests": {"tests/x.py::test_c": ["passed"]}, "figures": ["3 times"]},
    }
    bounds = trust.Bounds({"F3": "only once"}, {"F4": "no machine for it"})
    rows = [line for line in trust.page(catalogue, bounds, results) if line.startswith("| F")]
    assert rows == [
        "| F1 | killed | shown | 9 points | `test_a` |",
        "| F2 | twice | FAILED |  | `test_b` |",
        "| F3 | late | partly | 3 times; left open: only once | `test_c` |",
        "| F4 | forged | not here | no machine for it |  |",
    ]
