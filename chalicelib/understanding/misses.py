"""Groups what was not understood, so that a town sees one question asked twenty times and not twenty questions."""

from __future__ import annotations

from collections.abc import Iterable

from chalicelib.language.folding import fold, words
from chalicelib.small_classes import dataclass

STEM_LETTERS = 5
ALIKE = 0.5  # shared beginnings of words, of all that either has


@dataclass(frozen=True, slots=True)
class Group:
    """Messages that ask alike; `texts` holds each wording once, the first one first."""

    texts: tuple[str, ...]
    count: int


def grouped(texts: Iterable[str]) -> list[Group]:
    """Groups by shared beginnings of words, most asked first."""
    groups: list[tuple[frozenset[str], list[str]]] = []
    for text in texts:
        stems = frozenset(word[:STEM_LETTERS] for word in words(fold(text)) if len(word) > 2)
        home = next((members for known, members in groups if _alike(known, stems)), None)
        if home is None:
            groups.append((stems, [text]))
        else:
            home.append(text)
    found = [Group(tuple(dict.fromkeys(members)), len(members)) for _, members in groups]
    return sorted(found, key=lambda group: -group.count)


def _alike(first: frozenset[str], second: frozenset[str]) -> bool:
    together = first | second
    return bool(together) and len(first & second) / len(together) >= ALIKE
