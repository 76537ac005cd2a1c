"""Plots as plain SVG, drawn on the server: no script, readable without colour, with the numbers beside them."""

from __future__ import annotations

from collections.abc import Sequence

from chalicelib.small_classes import dataclass

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 720, 220, 44, 710, 14, 190
LABELS_MAX = 6
LINES = 4


@dataclass(frozen=True, slots=True)
class Mark:
    """A word at a place of the plot."""

    x: float
    y: float
    text: str


@dataclass(frozen=True, slots=True)
class Curve:
    """A line over days: the points of the line, of the area below it, lines of the grid, days below."""

    line: str
    area: str
    grid: tuple[Mark, ...]
    days: tuple[Mark, ...]
    highest: int


@dataclass(frozen=True, slots=True)
class Bar:
    name: str
    number: int
    width: float


def curve(days: Sequence[tuple[str, int]]) -> Curve | None:
    """The numbers of days (ISO date, number) as a curve; None if all of them are nothing."""
    highest = max((number for _, number in days), default=0)
    if highest == 0 or len(days) < 2:
        return None
    top = _round_up(highest)
    step = (RIGHT - LEFT) / (len(days) - 1)
    points = [(LEFT + step * at, BOTTOM - (BOTTOM - TOP) * number / top) for at, (_, number) in enumerate(days)]
    line = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    area = f"{LEFT},{BOTTOM} {line} {RIGHT},{BOTTOM}"
    grid = tuple(
        Mark(LEFT, BOTTOM - (BOTTOM - TOP) * part / LINES, f"{top * part // LINES}") for part in range(LINES + 1)
    )
    every = max(1, -(-len(days) // LABELS_MAX))
    shown = tuple(
        Mark(points[at][0], HEIGHT - 8, f"{int(day[8:])}. {int(day[5:7])}.")
        for at, (day, _) in enumerate(days)
        if at % every == 0
    )
    return Curve(line, area, grid, shown, highest)


def bars(numbers: Sequence[tuple[str, int]]) -> tuple[Bar, ...]:
    """Names with their numbers as bars of 100 at most."""
    highest = max((number for _, number in numbers), default=0)
    return tuple(Bar(name, number, round(100 * number / highest, 1)) for name, number in numbers)


def _round_up(number: int) -> int:
    """A number not under `number` that four lines divide well."""
    size = LINES
    while size < number:
        size = size * 2 if str(size)[0] in "14" else size * 5 // 2
    return size
