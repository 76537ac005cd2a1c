"""The part of `make bench` about pages and announcements: runs the tests that measure them and writes what they kept.

The bounds are the tests' own; this prints the figures of one run into docs/performance.md, with the machine named.
Exit 1 where a bound was broken; with `--check` only what does not depend on the speed of the machine, nothing written.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

from infra.pages import PERFORMANCE, ROOT, machine, write_block

TESTS = (
    "tests/console/test_page_weight.py",
    "tests/browser/test_closed_button.py",
    "tests/actions/test_announcement_load.py",
)
TITLES = {"P13": "Console", "P14": "Widget", "P15": "Announcement to 12,946"}


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--check", action="store_true", help="bounds that hold on any machine, for CI")
    check = parser.parse_args().check
    with tempfile.TemporaryDirectory() as folder:
        shown = Path(folder) / "shown.json"
        marks = "not campaign" if check else ""
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-m", marks, "--shown", str(shown)]
        code = subprocess.run([*command, *TESTS], cwd=ROOT).returncode
        figures = json.loads(shown.read_text(encoding="utf-8")) if shown.exists() else {}
    table = _table({number: found["figures"] for number, found in figures.items()})
    print(table)
    if not check:
        write_block(PERFORMANCE, "pages", table)
    return code


def _table(figures: dict[str, list[str]]) -> str:
    measured_on = f"{machine()}.\n\n"
    rows = [f"| {title} | {figure} |" for number, title in TITLES.items() for figure in figures.get(number, ())]
    return measured_on + "| what | measured |\n|---|---|\n" + "\n".join(rows) + "\n"


if __name__ == "__main__":
    sys.exit(main())
