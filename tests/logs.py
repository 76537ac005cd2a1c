"""The log of every test is read: whatever journey it makes, no line may hold a person or a secret.

A line is a few named fields (`actions/journal.py`); here their values are looked at too. What a running product wrote
is read from its files when it has ended.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

# What powertools adds to each line.
FRAME = frozenset("level message timestamp service location".split())  # noqa: SIM905
SUSPECT = {
    "personal number": re.compile(r"(?<!\d)\d{13}(?!\d)"),
    "phone number": re.compile(r"(?:\+|00)38[1-9]\d{6,}|(?<!\d)0[36]\d[ /-]?\d{3}[ -]?\d{3,4}(?!\d)"),
    "e-mail address": re.compile(r"[\w.+-]+@(?!\d)[\w-]+\.[\w.]+"),
    "token": re.compile(r"viber-token|token-of-|local-key-|\bslt_|Bearer |X-Amz-Signature"),
    "citizen's id": re.compile(r"#U#"),
}
_strange: list[str] = []


def strange(text: str) -> list[str]:
    """What in a line of a log may be a person or a secret."""
    return [what for what, pattern in SUSPECT.items() if pattern.search(text)]


def strange_in_files(run: Path) -> list[str]:
    """The same of every line that a product wrote to its logs; lines of JSON may have the log's own fields alone."""
    found = []
    for file in sorted(run.glob("*.log")):
        for number, line in enumerate(file.read_text(errors="replace").splitlines(), 1):
            found += [f"{file.name}:{number} {what}" for what in (*strange(line), *_unnamed(line))]
    return found


def _unnamed(line: str) -> list[str]:
    if not line.startswith("{"):
        return []
    from chalicelib.actions import journal

    names = set(json.loads(line)) - FRAME - journal._FIELDS
    return [f"field {name}" for name in sorted(names)]


class _Stdout:
    """What is the standard output at that moment: each test may have one of its own."""

    def write(self, text: str) -> int:
        return sys.stdout.write(text)

    def flush(self) -> None:
        sys.stdout.flush()


@pytest.fixture(scope="session", autouse=True)
def _every_line_is_read() -> Iterator[None]:
    from chalicelib.actions import journal  # once the environment of the tests is set

    written = journal._Log._write
    journal.log._powertools().registered_handler.setStream(_Stdout())

    def read(self: Any, level: str, event: str, facts: dict[str, Any]) -> None:
        _strange.extend(f"{event}: {what}" for what in strange(f"{event} {facts}"))
        written(self, level, event, facts)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(journal._Log, "_write", read)
        yield


@pytest.fixture(autouse=True)
def _nobody_is_in_the_log(_every_line_is_read: None) -> Iterator[None]:
    _strange.clear()
    yield
    assert _strange == []
