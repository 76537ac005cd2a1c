"""Which day it is somewhere: bots of the same minute ask again and again."""

from __future__ import annotations

import datetime as dt
from functools import lru_cache
from zoneinfo import ZoneInfo

QUARTER_SECONDS = 900  # a day begins on a quarter of an hour everywhere, and so does summer time
QUARTERS_KEPT_MAX = 64


def day_in(zone: str, at: float) -> dt.date:
    """The date in the zone of this IANA name at `at`, epoch seconds. Raises ZoneInfoNotFoundError."""
    return _day_in(zone, int(at // QUARTER_SECONDS))


@lru_cache(maxsize=QUARTERS_KEPT_MAX)
def _day_in(zone: str, quarter: int) -> dt.date:
    return dt.datetime.fromtimestamp(quarter * QUARTER_SECONDS, ZoneInfo(zone)).date()
