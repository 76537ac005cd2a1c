"""How long a town keeps what, by which rule it goes, and what went lately: for whoever answers for people's data."""

from __future__ import annotations

from collections.abc import Sequence

from chalicelib.actions import copy_media, erase, export, purge
from chalicelib.cases import retention
from chalicelib.model import Town
from chalicelib.small_classes import dataclass
from chalicelib.storage import announcements, audit, links, outbox, runs, shapes, thread
from chalicelib.storage.runs import Run
from chalicelib.wire import Deadline

HOUR_SECONDS = 3600
TALK, THREAD, RECEIVERS, LINKS, DEAD, CONSENTS, TRAIL = (
    "talk",
    "thread",
    "receivers",
    "links",
    "dead",
    "consents",
    "trail",
)


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule: `kind` of case where it is about one; `days` or else `hours`, 0 for at once. `counted`: a run of ours
    deletes it and is on record; the rest ends by itself, absent to every reader from that very moment."""

    name: str
    days: int = 0
    hours: int = 0
    kind: str = ""
    counted: bool = False


def rules(town: Town) -> Sequence[Rule]:
    """Every rule as it holds for this town."""
    cases = [
        Rule(runs.of_kind(kind), retention.days(town.core, kind), kind=kind, counted=True) for kind in retention.DAYS
    ]
    return (
        *cases,
        Rule(runs.SEALED, purge.kept_days(town), counted=True),
        Rule(runs.UNCLAIMED, copy_media.UNCLAIMED_DAYS, counted=True),
        Rule(runs.COPIES, hours=export.LINK_SECONDS // HOUR_SECONDS, counted=True),
        Rule(runs.ERASED, counted=True),
        Rule(TALK, shapes.KEPT_DAYS),
        Rule(THREAD, thread.KEPT_DAYS),
        Rule(RECEIVERS, announcements.RECEIVERS_KEPT_DAYS),
        Rule(LINKS, links.VALID_DAYS),
        Rule(DEAD, outbox.KEPT_DAYS),
        Rule(CONSENTS, erase.CONSENTS_KEPT_DAYS),
        Rule(TRAIL, audit.KEPT_DAYS),
    )


def lately(town: Town, now: float, deadline: Deadline) -> Sequence[Run]:
    """What was deleted, newest first. One request."""
    return runs.latest(town.slug, now, deadline)
