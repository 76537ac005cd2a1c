"""What is shown about faults, attacks and people's data, into docs/trust.md: `make trust` runs the tests and then this.

Reads `tests/trust.toml` (the numbers) and the file that `pytest --shown FILE` wrote. Exit 1 when a number's test failed
or a number has neither a test nor a reason. `[partly]` says of numbers that have tests what those leave open.
"""

from __future__ import annotations

import json
import platform
import sys
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
CATALOGUE = ROOT / "tests" / "trust.toml"
PAGE = ROOT / "docs" / "trust.md"
FIGURES_SHOWN_MAX = 3
TESTS_NAMED_MAX = 3
REHEARSAL = "D10"  # whose figures are printed, too
SHOWN, PARTLY, FAILED, ELSEWHERE, OPEN = "shown", "partly", "FAILED", "not here", "open"

Results = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True)
class Bounds:
    """What is not shown, by number: what the tests of a number leave open, and why a number has none."""

    missing: Mapping[str, str]
    reasons: Mapping[str, str]


def main() -> int:
    results = {} if len(sys.argv) < 2 else json.loads(Path(sys.argv[1]).read_text())
    catalogue = tomllib.loads(CATALOGUE.read_text())
    bounds = Bounds(catalogue.pop("partly"), catalogue.pop("not_here"))
    PAGE.write_text("\n".join(page(catalogue, bounds, results)) + "\n")
    states = [_state(number, bounds, results) for _title, number, _what in _numbers(catalogue)]
    counts = {state: states.count(state) for state in (SHOWN, PARTLY, ELSEWHERE, FAILED, OPEN)}
    print(", ".join(f"{count} {state}" for state, count in counts.items()), f"-> {PAGE.relative_to(ROOT)}")
    for figure in results.get(REHEARSAL, {}).get("figures", ()):
        print(f"backup and restore: {figure}")
    return 1 if counts[FAILED] or counts[OPEN] else 0


def page(catalogue: Mapping[str, Any], bounds: Bounds, results: Results) -> Iterator[str]:
    """The page's lines."""
    yield "# Trust: what is shown, by number"
    yield ""
    yield "Written by `make trust`; every line comes from tests of that run, named in the last column. *partly* says"
    yield "what those tests leave open, *not here* why one machine cannot show it."
    yield ""
    yield f"Machine: {platform.machine()}, Python {platform.python_version()}, the embedded AWS on the same machine."
    section = ""
    for title, number, what in _numbers(catalogue):
        if title != section:
            section = title
            yield from ("", f"## {title}", "", "| | what | result | figures | shown by |", "|---|---|---|---|---|")
        yield _row(number, what, bounds, results)


def _numbers(catalogue: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    for part in catalogue.values():
        for number, what in part.items():
            if number != "title":
                yield part["title"], number, what


def _state(number: str, bounds: Bounds, results: Results) -> str:
    outcomes = [outcome for test in results.get(number, {}).get("tests", {}).values() for outcome in test]
    if "failed" in outcomes:
        return FAILED
    if "passed" in outcomes:
        return PARTLY if number in bounds.missing else SHOWN
    return ELSEWHERE if number in bounds.reasons else OPEN


def _row(number: str, what: str, bounds: Bounds, results: Results) -> str:
    entry = results.get(number, {"tests": {}, "figures": []})
    tests = sorted(entry["tests"])
    named = ", ".join(f"`{test.rpartition('::')[2]}`" for test in tests[:TESTS_NAMED_MAX])
    more = f" and {len(tests) - TESTS_NAMED_MAX} more" if len(tests) > TESTS_NAMED_MAX else ""
    figures = list(dict.fromkeys(entry["figures"]))[:FIGURES_SHOWN_MAX]
    if number in bounds.missing:
        figures.append(f"left open: {bounds.missing[number]}")
    told = "; ".join(figures) or bounds.reasons.get(number, "")
    cells = (number, what, _state(number, bounds, results), told, named + more)
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


if __name__ == "__main__":
    sys.exit(main())
