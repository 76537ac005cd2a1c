"""No expression of ours takes its time over hostile words: each is tried with what it could be led astray by."""

from __future__ import annotations

import itertools
import re
import time
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from chalicelib import patterns
from tests.shows import Measure
from tests.world import World

ROOT = Path(__file__).resolve().parents[2]
MODULES = [path for path in sorted((ROOT / "chalicelib").rglob("*.py")) if path.name != "__init__.py"]
SOURCE = "\n".join(path.read_text(encoding="utf-8") for path in MODULES)
LONGEST = 50_000  # seven times what is taken from a citizen
TAKEN = 7000
# From short to long: what doubles with every letter shows itself before it takes forever.
LENGTHS = (26, 200, 1000, TAKEN, LONGEST)
SECONDS_MAX = 0.010
TRIES = 9  # the quickest of so many counts: the machine may be busy with other things
TURN_SECONDS_MAX = 0.25
OWN_FILES = {"widget"}  # reads nothing but the style sheets that come with it
INLINE = re.compile(r"\bre\.(search|match|fullmatch|sub|findall|split)\(r\"((?:[^\"\\]|\\.)+)\"")
USUAL = ("a", "A", "Č", "ч", "1", " ", "-", ".", "@", "'", "(", "/")
LETTERS_MAX = 6


def _expressions() -> Iterator[tuple[str, re.Pattern[Any], str]]:
    """Every compiled expression of the product with its name and each way it is used."""
    known = set[tuple[object, str]]()
    for path in MODULES:
        module = import_module(".".join(path.relative_to(ROOT).with_suffix("").parts))
        for name, value in vars(module).items():
            for kept in value if isinstance(value, tuple | list) else (value,):
                if isinstance(kept, patterns._Pattern) and path.stem not in OWN_FILES:
                    pattern = re.compile(kept.pattern, kept.flags)
                    for way in sorted(_ways(name, path) or {"search"}):
                        if (pattern.pattern, way) not in known:
                            known.add((pattern.pattern, way))
                            yield f"{path.stem}.{name}.{way}", pattern, way
    for way, written in INLINE.findall(SOURCE):
        yield f"{written}.{way}", re.compile(written), way


def _ways(name: str, path: Path) -> set[str]:
    """How an expression is used: one with a private name in its own module."""
    source = path.read_text(encoding="utf-8") if name.startswith("_") else SOURCE
    return set(re.findall(rf"\b{name}\.(search|match|fullmatch|sub|findall|finditer|split)\(", source))


def _letters(pattern: re.Pattern[Any]) -> list[str]:
    """Letters this expression knows, the ones it names first."""
    written = pattern.pattern if isinstance(pattern.pattern, str) else pattern.pattern.decode("latin-1")
    plain = re.sub(r"\\.|\(\?[a-zA-Z!<=:]*", "", written)
    named = [letter for letter in dict.fromkeys(plain) if letter not in "()[]{}?*+|^$\\,"]
    fitting = [letter for letter in (*USUAL, *named) if _knows(pattern, letter)]
    return list(dict.fromkeys((*fitting, *USUAL)))[:LETTERS_MAX]


def _knows(pattern: re.Pattern[Any], letter: str) -> bool:
    return bool(pattern.search(_typed(pattern, letter * 14)))


def _typed(pattern: re.Pattern[Any], text: str) -> Any:
    return text if isinstance(pattern.pattern, str) else text.encode("utf-8")


def _hostile(letters: list[str], length: int) -> Iterator[str]:
    for first, second in itertools.product(letters, repeat=2):
        for end in ("!", "\u00a1x"):
            yield ((first if first == second else first + second) * length)[:length] + end


def _runs(pattern: re.Pattern[Any], way: str) -> Callable[[str], Any]:
    act = getattr(pattern, way)
    if way == "sub":
        return lambda text: act(_typed(pattern, "_"), _typed(pattern, text))
    if way == "finditer":
        return lambda text: sum(1 for _ in act(_typed(pattern, text)))
    return lambda text: act(_typed(pattern, text))


@pytest.mark.campaign
@pytest.mark.shows("A22")
def test_no_expression_can_be_kept_busy(measured: Measure) -> None:
    slow, worst, count = list[str](), 0.0, 0
    for name, pattern, way in _expressions():
        count += 1
        run, letters = _runs(pattern, way), _letters(pattern)
        for length in LENGTHS:
            longest, text = max((_at_best(run, text), text) for text in _hostile(letters, length))
            worst = max(worst, longest)
            if longest > SECONDS_MAX:
                slow.append(f"{name}: {longest:.3f} s for {length} letters like {text[:12]!r}")
                break
    assert slow == [], "\n".join(slow)
    assert count >= len(re.findall(r"= pattern\(", SOURCE)), "some of them were not found"
    measured("A22", f"{count} expressions, hostile texts of {LONGEST:,} letters: at most {worst * 1000:.1f} ms each")


@pytest.mark.shows("A22")
def test_no_message_keeps_a_town_busy(world: World, measured: Measure) -> None:
    """Whole turns over what leads expressions astray; a plain turn takes some milliseconds."""
    opening = ("", "zovem se ", "Ulica ", "Trg ", "status predmeta ", "stan br ", "zovite 06")
    hostile = [start + next(_hostile([first, second], TAKEN)) for start, (first, second) in _pairs(opening)]
    worst = max(_seconds(lambda text: world.says(f"c{hash(text)}", text), text) for text in hostile)
    assert worst <= TURN_SECONDS_MAX, worst
    measured("A22", f"{len(hostile)} whole turns over such texts: at most {worst * 1000:.0f} ms of computing each")


def _pairs(opening: tuple[str, ...]) -> Iterator[tuple[str, tuple[str, str]]]:
    """Each beginning with a few pairs of letters, so that all pairs have their turn."""
    pairs = itertools.cycle(itertools.permutations(("a", "A", "Č", "1", " ", "-", "."), 2))
    return ((start, next(pairs)) for start in opening for _ in range(6))


def _at_best(run: Callable[[str], Any], text: str) -> float:
    taken = _seconds(run, text)
    return taken if taken <= SECONDS_MAX else min(_seconds(run, text) for _ in range(TRIES))


def _seconds(run: Callable[[str], Any], text: str) -> float:
    began = time.process_time()
    run(text)
    return time.process_time() - began
