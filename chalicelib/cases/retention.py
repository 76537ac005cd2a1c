"""For how long a closed case is kept: by the town and the kind of case, in whole days. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from chalicelib.cases import lifecycle
from chalicelib.model import Case

# Where a town says nothing. Files of the office follow its archive rules: ten years until the town says otherwise.
DAYS: Mapping[str, int] = {
    "problem": 730,
    "document": 365,
    "question": 730,
    "assistance": 180,
    "volunteer": 730,
    "administrative": 3650,
    "chat": 90,
}
DAYS_MIN, DAYS_MAX = 30, 36500


def days(core: Mapping[str, Any], kind: str) -> int:
    """For how many days after closing cases of a kind are kept."""
    return int(core.get("retention", {}).get(kind, DAYS[kind]))


def is_over(core: Mapping[str, Any], case: Case, now: float) -> bool:
    """Whether a case is to be forgotten: from the town's midnight after its last day on. An open one never is."""
    if lifecycle.is_open(case) or not case.closed_at:
        return False
    return _day(core, case.closed_at) + timedelta(days=days(core, case.kind)) < _day(core, now)


def first_month(core: Mapping[str, Any], now: float) -> str:
    """The newest month (`2026-03`, UTC) in which a case may have been changed last that is to be forgotten now."""
    shortest = min(days(core, kind) for kind in DAYS)
    return (datetime.fromtimestamp(now, UTC) - timedelta(days=shortest)).strftime("%Y-%m")


def _day(core: Mapping[str, Any], at: float) -> datetime:
    local = datetime.fromtimestamp(at, ZoneInfo(core["time_zone"]))
    return datetime(local.year, local.month, local.day)
