"""The town's own systems in people's hands: how each does, its secret, and another try for what was given up."""

from __future__ import annotations

from collections.abc import Sequence
from secrets import token_bytes, token_hex
from typing import Any

from chalicelib.actions import call_back, revive_row
from chalicelib.cases.callbacks import OVERLAP_HOURS
from chalicelib.integrations import callbacks as signing
from chalicelib.model import Conflict, Refused, Town
from chalicelib.small_classes import dataclass
from chalicelib.storage import audit, secrets
from chalicelib.storage import callbacks as kept
from chalicelib.storage.audit import Act
from chalicelib.storage.callbacks import GivenUp, Health
from chalicelib.wire import Deadline, everybodys_time

SECONDS_NEEDED = 1.5  # to have one more row sent again
SECRET_BYTES = 32
OFF, FAILING, WELL, NEVER = "off", "failing", "well", "never"


@dataclass(frozen=True, slots=True)
class System:
    """One of the town's systems as its admins see it."""

    id: str
    url: str
    events: Sequence[str]
    health: Health
    waiting: int
    given_up: Sequence[GivenUp]

    @property
    def state(self) -> str:
        if self.health.off_at:
            return OFF
        if self.health.failing_since:
            return FAILING
        return WELL if self.health.taken_at else NEVER


def systems(town: Town, deadline: Deadline) -> list[System]:
    """Every one the town has told us of; a town without any costs nothing."""
    configured = town.core.get("callbacks", ())
    if not configured:
        return []
    waiting, given_up = kept.waiting(town.slug), kept.given_up(town.slug)
    return [
        System(
            id=one["id"],
            url=one["url"],
            events=tuple(one["events"]),
            health=kept.health(town.slug, one["id"], deadline),
            waiting=waiting.get(one["id"], 0),
            given_up=given_up.get(one["id"], ()),
        )
        for one in configured
    ]


def again(town: Town, callback: str, by: str, now: float, deadline: Deadline) -> tuple[int, int]:
    """Switch it on and have what was given up sent again, as far as the time reaches: how many are, how many are left.

    Raises Refused 404, Unavailable.
    """
    _known(town, callback)
    audit.record(town.slug, Act(now, by, "callback_on", callback), token_hex(4), deadline)
    kept.on(town.slug, callback, deadline)
    rows, done = kept.given_up(town.slug).get(callback, []), 0
    for row in rows:
        if deadline.left() < SECONDS_NEEDED:
            break
        try:
            revive_row.revive(town.slug, row.row, now, deadline)
            done += 1
        except (Conflict, Refused):  # a colleague was faster, or its time is over
            continue
    return done, len(rows) - done


def new_secret(town: Town, callback: str, by: str, now: float, deadline: Deadline) -> str:
    """A secret for the system, told this once; for a day the one before signs beside it. Raises Refused 404."""
    _known(town, callback)
    fresh = signing.secret(token_bytes(SECRET_BYTES))
    audit.record(town.slug, Act(now, by, "callback_secret", callback), token_hex(4), deadline)
    secrets.rotate_callback(town.slug, callback, fresh, everybodys_time(), OVERLAP_HOURS * 3600, deadline)
    return fresh


def trial(town: Town, callback: str, at: str, deadline: Deadline) -> None:
    """Tell it something harmless at once, to see whether it listens. Raises Refused 404, SendFailed, Unavailable."""
    url = _known(town, callback)
    said: dict[str, Any] = {"type": "trial", "timestamp": at, "data": {}}
    call_back.tell(town, callback, url, f"msg_{token_hex(12)}", said, deadline)


def _known(town: Town, callback: str) -> str:
    url = call_back.address(town, callback)
    if not url:
        raise Refused(404, "unknown_callback", f"{town.slug} has no callback {callback}.")
    return url
