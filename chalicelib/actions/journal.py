"""The log: one JSON line an event, ids only. People's names, numbers, words and tokens never enter it.

Powertools' logger writes the lines; its name differs from the app's, else every line would stand twice.
"""

from __future__ import annotations

import os
from typing import Any

_FIELDS = frozenset(
    """tenant account event kind status code reason tries error where row count milliseconds version repeated odd
    handled""".split()  # noqa: SIM905
)
_VALUE_CHARS_MAX = 120


class _Log:
    """Says what happened with a few named facts; a field that is not on the list cannot be written."""

    def __init__(self) -> None:
        self._logger: Any = None

    def info(self, event: str, **facts: Any) -> None:
        self._write("info", event, facts)

    def warning(self, event: str, **facts: Any) -> None:
        self._write("warning", event, facts)

    def error(self, event: str, **facts: Any) -> None:
        self._write("error", event, facts)

    def _write(self, level: str, event: str, facts: dict[str, Any]) -> None:
        strange = set(facts) - _FIELDS
        if strange:
            raise ValueError(f"not a field of the log: {', '.join(sorted(strange))}")
        short = {
            name: str(value)[:_VALUE_CHARS_MAX] if isinstance(value, str) else value for name, value in facts.items()
        }
        getattr(self._powertools(), level)(event, extra=short)

    def _powertools(self) -> Any:
        if self._logger is None:
            from aws_lambda_powertools import Logger

            self._logger = Logger(service="salter-bot", level=os.environ.get("SALTER_LOG_LEVEL", "INFO"), location=None)
        return self._logger


log = _Log()
