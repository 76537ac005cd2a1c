"""Too many messages of one person in too short a time: a bucket worked out from the times of those already answered.

Pure, and nothing is stored for it: whoever is refused costs one read.
"""

from __future__ import annotations

from collections.abc import Sequence

BURST = 40
SECONDS_PER_MESSAGE = 2.0
RESTED = BURST / 2  # how much room there must be again after the polite line, so that it is said once a flood
FITS, LAST, FULL = range(3)


def room(ring: Sequence[tuple[bytes, int]], now: float) -> int:
    """Whether one more message fits, is the last that fits (the answer says so), or does not."""
    if _is_calm(ring):
        return FITS
    left, before, resting = float(BURST), 0.0, False
    for _, at in ring:
        left = _after(left, before, at)
        resting = (resting and left < RESTED) or left < 2
        left, before = left - 1, max(before, at)
    left = _after(left, before, now)
    if left < 1 or (resting and left < RESTED):
        return FULL
    return LAST if left < 2 else FITS


def _is_calm(ring: Sequence[tuple[bytes, int]]) -> bool:
    """Whether there was always room for two, as can nearly always be told at a glance: of the messages beyond those
    that fit at once, each came after as much time as all of them need."""
    many = BURST - 2
    seconds = (len(ring) - many) * SECONDS_PER_MESSAGE
    return all(ring[first + many][1] - ring[first][1] >= seconds for first in range(len(ring) - many))


def _after(left: float, before: float, now: float) -> float:
    return min(BURST, left + max(0.0, now - before) / SECONDS_PER_MESSAGE)


def wait_seconds() -> int:
    """After how long it is worth writing again."""
    return int(RESTED * SECONDS_PER_MESSAGE)
