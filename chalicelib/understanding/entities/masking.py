"""Taking things out of a text so that the next reader does not see them again."""

from __future__ import annotations

import re
from collections.abc import Callable

from chalicelib.patterns import pattern

Value = str
_LINK = pattern(r"https?://\S+|www\.\S+|(?<![\w.+-])[\w.+-]++@[\w-]++\.[\w.-]+")


def take(
    text: str, pattern: re.Pattern[str], value_of: Callable[[re.Match[str]], Value | None]
) -> tuple[list[Value], str]:
    """The values `value_of` makes of the pattern's hits, each once, and the text with those hits blanked out."""
    values: list[Value] = []

    def blank(match: re.Match[str]) -> str:
        value = value_of(match)
        if value is None:
            return match.group()
        if value not in values:
            values.append(value)
        return " " * len(match.group())

    return values, pattern.sub(blank, text)


def without_links(text: str) -> str:
    """`text` with web and e-mail addresses blanked out."""
    return _LINK.sub(" ", text)
