"""Blocks of a page that commands write: `<!-- name -->` … `<!-- /name -->`."""

from __future__ import annotations

import os
import platform
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PERFORMANCE = ROOT / "docs" / "performance.md"


def machine() -> str:
    """What figures were measured on, as their tables name it."""
    return f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"


def write_block(page: Path, name: str, text: str) -> None:
    """Put `text` between the marks. Raises LookupError where the page has none of that name."""
    block = re.compile(rf"(?<=<!-- {name} -->\n).*?(?=<!-- /{name} -->)", re.DOTALL)
    written, times = block.subn(lambda _: text, page.read_text(encoding="utf-8"))
    if times != 1:
        raise LookupError(f"{page.name} has no block {name}")
    page.write_text(written, encoding="utf-8")


def block(page: Path, name: str) -> str:
    """What stands between the marks."""
    found = re.search(rf"<!-- {name} -->\n(.*?)<!-- /{name} -->", page.read_text(encoding="utf-8"), re.DOTALL)
    if not found:
        raise LookupError(f"{page.name} has no block {name}")
    return found[1]
