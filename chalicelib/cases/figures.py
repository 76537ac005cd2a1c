"""What a town's work comes to, from days to any span of them: sums, shares, medians. Pure.

Definitions, said on the page too: a person is a citizen on one channel; a conversation begins with a message after 24
hours of silence; a first answer is the first act of staff, office system, company or volunteer; a deadline is kept when
the case was closed before it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import field
from typing import Any

from chalicelib.cases import lifecycle
from chalicelib.model import Case
from chalicelib.small_classes import dataclass

MINUTE = 60
MILLISECONDS = "ms"  # the day's counter of how long answers took
_OURS = (lifecycle.SYSTEM, lifecycle.CITIZEN)


@dataclass(frozen=True, slots=True)
class Opened:
    """What counts of a case on the day it came in. `first_answer` in minutes, -1 while nobody answered."""

    kind: str
    category: str
    first_answer: int = -1
    closed_day: str = ""


@dataclass(frozen=True, slots=True)
class Closed:
    """What counts of a case on the day it was closed. `kept` is None where no deadline ran, `rating` 0 for none."""

    kind: str
    category: str
    kept: bool | None = None
    rating: int = 0


@dataclass(frozen=True)
class DayFigures:
    """One day of a town. `counts` by name (in, out, begun, unknown, viber, web …), `people` as short hashes; cases by
    their reference, so that counting one twice changes nothing."""

    day: str
    counts: Mapping[str, int] = field(default_factory=dict)
    people: frozenset[bytes] = frozenset()
    opened: Mapping[str, Opened] = field(default_factory=dict)
    closed: Mapping[str, Closed] = field(default_factory=dict)


@dataclass(frozen=True)
class Figures:
    """A span of days, both ends in."""

    first: str
    last: str
    people: int
    counts: Mapping[str, int]
    cases: tuple[tuple[str, str, int, int], ...]  # kind, category, opened, closed
    answer_median: int | None
    answer_p90: int | None
    kept: int
    missed: int
    rating_count: int
    rating_mean: float | None
    by_day: tuple[tuple[str, int], ...]  # conversations begun
    by_kind: Mapping[str, Mapping[str, Any]]

    @property
    def conversations(self) -> int:
        return self.counts.get("begun", 0)

    @property
    def answer_milliseconds(self) -> int | None:
        """How long the bot took for an answer on average, until it was about to be stored; None for no messages."""
        said, took = self.counts.get("in", 0), self.counts.get(MILLISECONDS, 0)
        return round(took / said) if said and took else None

    @property
    def unanswered(self) -> float:
        """The share of messages that were not understood."""
        said = self.counts.get("in", 0)
        return round(self.counts.get("unknown", 0) / said, 4) if said else 0.0


def opened(case: Case, closed_day: str) -> Opened:
    """A case as the day of its receipt counts it."""
    acts = (entry for entry in case.history if entry.event != "opened")
    first = next((entry.at for entry in acts if entry.by.partition(":")[0] not in _OURS), 0)
    minutes = max(0, first - case.created_at) // MINUTE if first else -1
    return Opened(case.kind, case.category, minutes, closed_day)


def closed(case: Case) -> Closed:
    """A closed case as the day of its closing counts it."""
    kept = case.closed_at <= case.due_at if case.due_at else None
    rating = case.fields.get("rating", 0)
    return Closed(case.kind, case.category, kept, rating if isinstance(rating, int) else 0)


def summed(first: str, last: str, days: Iterable[DayFigures]) -> Figures:
    """The figures of all of these days together."""
    days = list(days)
    counts: dict[str, int] = {}
    for day in days:
        for name, number in day.counts.items():
            counts[name] = counts.get(name, 0) + number
    came = [case for day in days for case in day.opened.values()]
    went = [case for day in days for case in day.closed.values()]
    answers = sorted(case.first_answer for case in came if case.first_answer >= 0)
    ratings = [case.rating for case in went if case.rating]
    return Figures(
        first=first,
        last=last,
        people=len(frozenset().union(*(day.people for day in days))),
        counts=counts,
        cases=_by_category(came, went),
        answer_median=_rank(answers, 0.5),
        answer_p90=_rank(answers, 0.9),
        kept=sum(case.kept is True for case in went),
        missed=sum(case.kept is False for case in went),
        rating_count=len(ratings),
        rating_mean=round(sum(ratings) / len(ratings), 2) if ratings else None,
        by_day=tuple((day.day, day.counts.get("begun", 0)) for day in days),
        by_kind={kind: _of_kind(kind, came, went) for kind in _kinds(came, went)},
    )


def _by_category(came: list[Opened], went: list[Closed]) -> tuple[tuple[str, str, int, int], ...]:
    both: list[Opened | Closed] = [*came, *went]
    names = sorted({(case.kind, case.category) for case in both})
    return tuple(
        (
            kind,
            category,
            sum((case.kind, case.category) == (kind, category) for case in came),
            sum((case.kind, case.category) == (kind, category) for case in went),
        )
        for kind, category in names
    )


def _kinds(came: list[Opened], went: list[Closed]) -> list[str]:
    return sorted({*(case.kind for case in came), *(case.kind for case in went)})


def _of_kind(kind: str, came: list[Opened], went: list[Closed]) -> dict[str, Any]:
    done = [case for case in went if case.kind == kind]
    promised = [case.kept for case in done if case.kept is not None]
    ratings = [case.rating for case in done if case.rating]
    return {
        "opened": sum(case.kind == kind for case in came),
        "closed": len(done),
        "kept": round(100 * sum(promised) / len(promised)) if promised else None,
        "rating": round(sum(ratings) / len(ratings), 1) if ratings else None,
    }


def _rank(ordered: list[int], share: float) -> int | None:
    """The value below or at which `share` of them lie."""
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else None
