"""Where the tables of `docs/performance.md` are put: each between its own marks, by the command that measured it."""

from __future__ import annotations

import re
from pathlib import Path

PAGE = Path(__file__).resolve().parents[1] / "docs" / "performance.md"


def put(name: str, table: str, *, dry: bool = False) -> None:
    """Print `table` and, unless `dry`, write it between the marks `name`. Raises ValueError if the page has none."""
    print(table)
    if dry:
        return
    block = re.compile(rf"(?<=<!-- {name} -->\n).*?(?=<!-- /{name} -->)", re.DOTALL)
    written, times = block.subn(lambda _: table, PAGE.read_text(encoding="utf-8"))
    if times != 1:
        raise ValueError(f"{PAGE.name} has no place for {name}")
    PAGE.write_text(written, encoding="utf-8")
