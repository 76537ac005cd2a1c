"""Open problems by category, newest first: what somebody about to report the same is asked about.

One small item a problem beside the case, `T#<town>#G#<category>` / newest#reference, gone after the days in which a
second report of the same thing is likely.
"""

from __future__ import annotations

from typing import Any

from chalicelib.model import Case
from chalicelib.storage import dynamo
from chalicelib.storage.dynamo import Write
from chalicelib.wire import Deadline

TABLE = "cases"
SHAPE = 1
KEPT_DAYS = 30
LOOKED_AT_MAX = 100
_NEWEST_FIRST = 10**12


def _pk(town: str, category: str) -> str:
    return f"T#{town}#G#{category}"


def item(case: Case, created_at: int) -> Write | None:
    """What is kept of a problem for this purpose; None for a case without a category or place."""
    if case.kind != "problem" or not case.category or case.place is None:
        return None
    data: dict[str, Any] = {
        "pk": _pk(case.tenant, case.category),
        "sk": f"{_NEWEST_FIRST - created_at:012d}#{case.reference}",
        "shape": SHAPE,
        "reference": case.reference,
        "category": case.category,
        "text": case.place.text[:200] or None,
        "street": str(case.fields.get("street_folded", ""))[:100] or None,
        "latitude": _degrees(case.place.latitude),
        "longitude": _degrees(case.place.longitude),
        "photo": next((file.key for file in case.attachments if file.type == "photo"), None),
        "created_at": created_at,
        "exp": created_at + KEPT_DAYS * 86400,
    }
    return Write(TABLE, data)


def newest(town: str, category: str, now: float, deadline: Deadline) -> list[dict[str, Any]]:
    """The newest open problems of a category with their places; one request."""
    pk = ("pk", _pk(town, category))
    items = dynamo.page(TABLE, None, pk, deadline, sort="sk", limit=LOOKED_AT_MAX)
    return [_problem(found) for found in items if found["exp"] > now]


def _problem(found: dict[str, Any]) -> dict[str, Any]:
    return {
        "reference": found["reference"],
        "category": found["category"],
        "text": found.get("text", ""),
        "street_folded": found.get("street", ""),
        "latitude": _number(found.get("latitude")),
        "longitude": _number(found.get("longitude")),
        "photo": found.get("photo", ""),
        "created_at": found["created_at"],
    }


def _degrees(value: float | None) -> str | None:
    return None if value is None else f"{value:.6f}"


def _number(value: str | None) -> float | None:
    return None if value is None else float(value)
