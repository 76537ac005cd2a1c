"""What a town could not deliver or answer, for whoever runs the platform: a list without anybody's words, and a second
try once the cause is mended."""

from __future__ import annotations

from collections.abc import Iterable

from chalicelib.actions.revive_row import is_repeatable, revive_row
from chalicelib.model import Conflict, Refused
from chalicelib.small_classes import dataclass
from chalicelib.storage import tenants, views
from chalicelib.storage.outbox import UNCERTAIN
from chalicelib.wire import Deadline

SHOWN_MAX = 50
ROW_SECONDS_NEEDED = 1.0  # for one more of many


@dataclass(frozen=True, slots=True)
class GivenUp:
    """One row: `id` within its town, `at` epoch seconds when it was given up. What is not `repeatable` is kept to be
    read; of what is `uncertain` nobody knows whether it arrived, so another try may send it twice."""

    id: str
    kind: str
    at: int
    tries: int
    why: str
    repeatable: bool
    uncertain: bool


def of_town(slug: str, deadline: Deadline) -> list[GivenUp]:
    """The newest SHOWN_MAX of them. Raises Refused for a town nobody published."""
    if tenants.pointer(slug, deadline) is None:
        raise Refused(404, "unknown_town", "There is no such town.")
    return [
        GivenUp(
            id=row["id"],
            kind=row["kind"],
            at=int(row["due_at"]),
            tries=int(row["tries"]),
            why=row["error"] or "",
            repeatable=is_repeatable(row["kind"]),
            uncertain=row["state"] == UNCERTAIN,
        )
        for row in views.dead(slug, SHOWN_MAX)
    ]


def again(slug: str, identifiers: Iterable[str], by: str, now: float, deadline: Deadline) -> int:
    """Have these tried once more, as far as the time reaches; each stands in the town's audit trail. Returns how many
    are owed again: the others somebody else took up, or their citizen has left."""
    done = 0
    for identifier in identifiers:
        if deadline.left() < ROW_SECONDS_NEEDED:
            break
        try:
            revive_row(slug, identifier, by, now, deadline)
        except (Refused, Conflict):
            continue
        done += 1
    return done
