"""Wrong passwords from one internet address, whomever they were tried on: after too many it rests for a while.

Beside the bound for each account, for one guess at each of many accounts is seen by none of those. A whole town hall
may share an address, so it is higher. Of the address a fingerprint is kept for a day at most, and nothing is logged.
"""

from __future__ import annotations

from chalicelib.actions.journal import log
from chalicelib.storage import dynamo, keys
from chalicelib.storage.staff import PLATFORM
from chalicelib.wire import Deadline

WINDOW_SECONDS = 15 * 60
WRONG_MAX = 30
KEPT_SECONDS = 3600
LOOPBACK = "127.0.0.1"
_TABLE = "people"


def rests_seconds(source: str, now: float, deadline: Deadline) -> int:
    """For how long nothing from this address is looked at, 0 for not at all ("" is an address the door does not know).
    One read."""
    if not _counts(source) or _wrong(source, now, deadline) < WRONG_MAX:
        return 0
    return int(WINDOW_SECONDS - now % WINDOW_SECONDS) + 1


def note(source: str, now: float, deadline: Deadline) -> None:
    """One more. The alarm counts the line in the log."""
    if not _counts(source):
        return
    beside = {"exp": int(now) + KEPT_SECONDS, "shape": 1}
    dynamo.add(_TABLE, _key(source, now), keys.NOW, {"tries": 1}, deadline, beside)
    if _wrong(source, now, deadline) >= WRONG_MAX:
        log.error("passwords_guessed")


def _counts(source: str) -> bool:
    """On a machine of one's own everybody comes from the same address."""
    return source not in ("", LOOPBACK)


def _wrong(source: str, now: float, deadline: Deadline) -> int:
    item = dynamo.get(_TABLE, _key(source, now), keys.NOW, deadline)
    return int(item["tries"]) if item else 0


def _key(source: str, now: float) -> str:
    return keys.sign_in_tries(PLATFORM, keys.secret_digest(f"{source} {int(now // WINDOW_SECONDS)}"))
