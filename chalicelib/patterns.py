"""Regular expressions that are compiled when somebody first looks with them.

A cold start would compile some seventy and its first turn looks with a third of them; one takes half a millisecond.
"""

from __future__ import annotations

import re
from typing import Any, AnyStr, cast


class _Pattern:
    """Stands for a compiled pattern; what was once asked of that stands here from then on."""

    def __init__(self, source: Any, flags: int) -> None:
        self._source, self._flags = source, flags

    def __getattr__(self, name: str) -> Any:
        found = getattr(re.compile(self._source, self._flags), name)  # the standard library keeps the last 512
        self.__dict__[name] = found
        return found


def pattern(source: AnyStr, flags: int = 0) -> re.Pattern[AnyStr]:
    """As `re.compile`, but that a mistake in `source` shows at the first look (and in the tests)."""
    return cast("re.Pattern[AnyStr]", _Pattern(source, flags))
