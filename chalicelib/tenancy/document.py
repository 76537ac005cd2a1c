"""What a file says, and on which line: read from YAML at home, from a stored version inside Lambda (without lines)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from chalicelib.small_classes import dataclass


@dataclass(frozen=True)
class Document:
    """A parsed file: its name for complaints, its data, and the line of every path in it. `under`: where in the file
    this part of it stands."""

    name: str
    data: Any
    lines: dict[tuple[str | int, ...], int]
    under: tuple[str | int, ...] = ()

    def line(self, path: Sequence[str | int]) -> int:
        """The line of `path`, or of the nearest thing around it."""
        for end in range(len(path), -1, -1):
            if tuple(path[:end]) in self.lines:
                return self.lines[tuple(path[:end])]
        return 0
