"""Too many messages of one person in too short a time: a bucket worked out from the times of those already answered.

Pure, and nothing is stored for it: whoever is refused costs one read.
"""

from __future__ import annotations

from collections.abc import Sequence

BURST = 40
SECONDS_PER_MESSAGE = 2.0
FITS, LAST, FULL = range(3)


def room(ring: Sequence[tuple[bytes, int]], now: float) -> int:
    """Whether one more message fits, is the last that fits (the answer says so), or does not."""
    left, before = float(BURST), 0.0
    for _, at in ring:
        left = min(BURST, left + max(0.0, at - before) / SECONDS_PER_MESSAGE) - 1
        before = max(before, at)
    left = min(BURST, left + max(0.0, now - before) / SECONDS_PER_MESSAGE)
    if left < 1:
        return FULL
    return LAST if left < 2 else FITS


def wait_seconds() -> int:
    """After how long it is worth writing again."""
    return int(BURST * SECONDS_PER_MESSAGE / 2)
