"""What was deleted, when, and by which rule: one counter a day and rule (`T#<town>#RUNS` / day#rule), numbers alone.

Counters are only ever added to, after the deletion: one cut off between the two counts too little, never too much.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from chalicelib.model import Unavailable
from chalicelib.small_classes import dataclass
from chalicelib.storage import dynamo, keys
from chalicelib.wire import Deadline

TABLE = "people"
KEPT_DAYS = 3 * 366  # as the audit trail
SHOWN_MAX = 400
# The rules by name. `cases` is the nightly look itself, also when nothing was over; `case.<kind>` what it found.
CASES, SEALED, UNCLAIMED, COPIES, ERASED = "cases", "sealed", "unclaimed", "copies", "erased"


@dataclass(frozen=True, slots=True)
class Run:
    """What one rule deleted on one day (UTC). `at`: when it last did, epoch seconds."""

    day: str
    rule: str
    removed: int
    at: int


def of_kind(kind: str) -> str:
    """The rule for closed cases of a kind."""
    return f"case.{kind}"


def note(town: str, rule: str, removed: int, now: float, deadline: Deadline) -> None:
    """So many more were deleted by this rule. What was deleted stays so if this cannot be written down."""
    day = datetime.fromtimestamp(now, UTC).date().isoformat()
    beside = {"at": int(now), "exp": int(now) + KEPT_DAYS * 86400}
    try:
        dynamo.add(TABLE, keys.runs(town), f"{day}#{rule}", {"removed": removed}, deadline, beside)
    except Unavailable:
        return


def latest(town: str, now: float, deadline: Deadline) -> Sequence[Run]:
    """A town's runs, the newest first; one read."""
    items = dynamo.page(
        TABLE, None, ("pk", keys.runs(town)), deadline, sort="sk", limit=SHOWN_MAX, newest_first=True, eventual=True
    )
    return [_run(item) for item in items if item["exp"] > now]


def _run(item: Mapping[str, Any]) -> Run:
    day, _, rule = str(item["sk"]).partition("#")
    return Run(day, rule, item["removed"], item["at"])
