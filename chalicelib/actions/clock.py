"""The product's clock. It rules deadlines, leases, back-off, opening hours and what counts as expired.

It is the machine's clock everywhere but on the local stack, where it can be moved; the shift is stored, so that every
process of the product agrees.
"""

from __future__ import annotations

import os
import time
from datetime import UTC, datetime

_ROW = ("CLOCK", "NOW")
_shift: float | None = None


def now() -> float:
    """Seconds since 1970 by the product's clock."""
    if os.environ.get("SALTER_STAGE") != "local":
        return time.time()
    return time.time() + _stored_shift()


def set_now(moment: datetime | None) -> None:
    """Move the clock of the local stage to `moment` (it runs on from there), or back to the machine's with None."""
    global _shift
    if os.environ.get("SALTER_STAGE") != "local":
        raise RuntimeError("only the local stage's clock can be moved")
    from chalicelib.storage.tables import TenantItem

    _shift = 0.0 if moment is None else moment.astimezone(UTC).timestamp() - time.time()
    TenantItem(*_ROW, offset=_shift).save()


def _stored_shift() -> float:
    """The stored shift in seconds, read once a process: only the app itself moves it while it runs."""
    global _shift
    if _shift is None:
        from chalicelib.storage import dynamo
        from chalicelib.wire import Deadline

        item = dynamo.get("tenants", *_ROW, Deadline(1.0))
        _shift = float(item["offset"]) if item else 0.0
    return _shift
