"""Which numbers of the trust catalogue (`tests/trust.toml`) a test shows, and what it measured.

`@pytest.mark.shows("F1", "R3")` names the numbers; `measured("F1", "212 points, 0 lost")` keeps a figure of the run.
`--shown FILE` writes both with the outcome of every such test, for `infra/trust.py`; what an earlier run left in the
file stays, but for the tests that ran again, so that several runs make one page.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Measure = Callable[[str, str], None]
SHOWN, MEASURED = "shows", "measured"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--shown", default=None, help="write what the tests show, by number, to this file (JSON)")


def pytest_configure(config: pytest.Config) -> None:
    if config.getoption("--shown") and not hasattr(config, "workerinput"):
        config.pluginmanager.register(_Record(Path(config.getoption("--shown"))), "shown-record")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        numbers = [number for mark in item.iter_markers("shows") for number in mark.args]
        if numbers:
            item.user_properties.append((SHOWN, numbers))


@pytest.fixture
def measured(request: pytest.FixtureRequest) -> Measure:
    """Keeps a figure of this run beside a number: measured("F26", "44 pages, 0 twice, 0 missed")."""

    def keep(number: str, figure: str) -> None:
        request.node.user_properties.append((MEASURED, [number, figure]))

    return keep


class _Record:
    """Collects reports on the process that hands out the tests, so that it works with several workers."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._numbers: dict[str, dict[str, Any]] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when != "call" and report.outcome == "passed":
            return
        properties = list(report.user_properties)
        for name, numbers in properties:
            for number in numbers if name == SHOWN else ():
                entry = self._numbers.setdefault(number, {"tests": {}, "figures": []})
                entry["tests"].setdefault(report.nodeid.partition("[")[0], []).append(report.outcome)
        for name, pair in properties:
            if name == MEASURED and report.when == "call":
                self._numbers.setdefault(pair[0], {"tests": {}, "figures": []})["figures"].append(pair[1])

    def pytest_sessionfinish(self) -> None:
        self._file.parent.mkdir(parents=True, exist_ok=True)
        if self._file.exists():
            self._add(json.loads(self._file.read_text()))
        self._file.write_text(json.dumps(self._numbers, ensure_ascii=False, indent=1))

    def _add(self, earlier: dict[str, dict[str, Any]]) -> None:
        for number, kept in earlier.items():
            entry = self._numbers.setdefault(number, {"tests": {}, "figures": []})
            entry["figures"] = [*kept["figures"], *entry["figures"]]
            for test, outcomes in kept["tests"].items():
                entry["tests"].setdefault(test, outcomes)
