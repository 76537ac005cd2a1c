"""No guard between towns could go unnoticed: each is taken out once, and a test fails.

The quick tests hold the table of guards to the code; the campaign takes each guard out (`taking_out.py`).
"""

from __future__ import annotations

import ast
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.guards import taking_out
from tests.guards.places import GUARDS, KEYS, NO_GUARDS, OF_KEYS
from tests.shows import Measure

ROOT = taking_out.ROOT
CODE = [*sorted((ROOT / "chalicelib").rglob("*.py")), ROOT / "app.py"]
OF_TOWNS = ("town", "towns", "tenant", "slug")
RUN_SECONDS_MAX = 1800.0


def _source(module: str) -> str:
    return (ROOT / module).read_text(encoding="utf-8")


KEYS_OF_TOWNS = [
    node.name
    for node in ast.parse(_source(KEYS)).body
    if isinstance(node, ast.FunctionDef) and taking_out.town_argument(node)
]


def _named(node: ast.expr) -> Iterator[str]:
    """What a side of a comparison is called: its last word."""
    if isinstance(node, ast.Name):
        yield node.id
    elif isinstance(node, ast.Attribute):
        yield node.attr
    elif isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant):
        yield str(node.slice.value)
    elif isinstance(node, ast.Tuple | ast.List):
        for part in node.elts:
            yield from _named(part)
    elif isinstance(node, ast.Call):
        name = next(_named(node.func), "")
        yield str(node.args[0].value) if name == "get" and isinstance(node.args[0], ast.Constant) else name


def comparisons(source: str) -> Iterator[tuple[int, str]]:
    """Where a town is compared with something, and how it is written."""
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Compare) or not isinstance(node.ops[0], ast.Eq | ast.NotEq | ast.In | ast.NotIn):
            continue
        words = {word for side in (node.left, *node.comparators) for word in _named(side)}
        if words & set(OF_TOWNS):
            yield node.lineno, str(ast.get_source_segment(source, node))


@pytest.mark.shows("T6")
def test_every_guard_of_the_table_stands_in_the_code_and_its_tests_are_there() -> None:
    for guard in GUARDS:
        assert taking_out.taken_out(_source(guard.module), guard.text, guard.instead, guard.times), guard
        assert guard.tests, guard
    for test in {test for guard in GUARDS for test in guard.tests} | set(OF_KEYS):
        file, _, name = test.partition("::")
        assert f"def {name}(" in _source(file), test


@pytest.mark.shows("T6")
def test_whoever_compares_towns_says_which_test_fails_without_it_or_why_it_keeps_nobody_out() -> None:
    unsaid, used = [], set()
    for path in CODE:
        module, source = str(path.relative_to(ROOT)), path.read_text(encoding="utf-8")
        guarded = [guard.text for guard in GUARDS if guard.module == module]
        for line, text in comparisons(source):
            used.add((module, text))
            if (module, text) not in NO_GUARDS and not any(text in one or one in text for one in guarded):
                unsaid.append(f"{module}:{line}: {text}")
    assert unsaid == [], "put it into GUARDS or NO_GUARDS of tests/guards/places.py"
    assert set(NO_GUARDS) <= used, "no longer there"


@pytest.mark.campaign
@pytest.mark.shows("T6")
def test_without_any_one_guard_between_towns_a_test_fails(tmp_path: Path, measured: Measure) -> None:
    wanted = [
        {"name": f"{guard.module}: {guard.text}", "module": guard.module, "tests": guard.tests}
        | {"source": taking_out.taken_out(_source(guard.module), guard.text, guard.instead, guard.times)}
        for guard in GUARDS
    ]
    keys = _source(KEYS)
    wanted += [
        {"name": f"key: {name}", "module": KEYS, "tests": OF_KEYS, "source": taking_out.forgotten(keys, name)}
        for name in KEYS_OF_TOWNS
    ]
    began = time.monotonic()
    untouched, *said = _run(tmp_path, wanted)
    assert "failed" not in untouched and not untouched.get("broken"), untouched
    wrong = {
        guard["name"]: outcome.get("broken") or "nothing failed"
        for guard, outcome in zip(wanted, said, strict=True)
        if "failed" not in outcome or outcome["failed"]["why"].startswith(taking_out.BROKEN)
    }
    assert wrong == {}
    measured(
        "T6",
        f"{len(GUARDS)} guards and {len(KEYS_OF_TOWNS)} keys of towns taken out one at a time: each time a test "
        f"failed ({time.monotonic() - began:.0f} s)",
    )


def _run(place: Path, wanted: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What came of each, in a run of pytest of its own; the first is all the tests with every guard in its place."""
    tests = list(dict.fromkeys(test for guard in wanted for test in guard["tests"]))
    asked, say = place / "asked.json", place / "said.json"
    asked.write_text(json.dumps([{"tests": tests, "seconds": RUN_SECONDS_MAX / 3}, *wanted]))
    plugin = ["-p", "tests.guards.taking_out", taking_out.ASKED, str(asked), taking_out.SAID, str(say)]
    files = list(dict.fromkeys(test.partition("::")[0] for test in tests))
    line = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-p", "no:xdist", *plugin, *files]
    done = subprocess.run(line, cwd=ROOT, capture_output=True, text=True, timeout=RUN_SECONDS_MAX, check=False)
    assert say.exists(), done.stdout[-3000:] + done.stderr[-3000:]
    found: list[dict[str, Any]] = json.loads(say.read_text())
    return found
