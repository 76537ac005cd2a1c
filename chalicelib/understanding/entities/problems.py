"""What an intent says about a communal problem: its category, and whether a photo helps whoever goes there."""

from __future__ import annotations

FAMILY = "report."
GENERIC = "report.generic"
# A picture shows these; of the others it shows nothing (a noise, a dark street, no water).
_PHOTO_HELPS = frozenset("road waste sewage parking greenery snow".split())  # noqa: SIM905


def category_of(intent: str) -> str | None:
    """The category a report is about (`road` of `report.road`); None when it says none or is no report."""
    return intent.removeprefix(FAMILY) if intent.startswith(FAMILY) and intent != GENERIC else None


def photo_helps(category: str) -> bool:
    return category in _PHOTO_HELPS
