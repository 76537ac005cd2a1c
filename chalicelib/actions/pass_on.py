"""What a new case owes to another system: a report by Open311, where the town says that its category goes there."""

from __future__ import annotations

from chalicelib.cases import open311
from chalicelib.model import Case, Town
from chalicelib.storage import keys, outbox
from chalicelib.storage.dynamo import Write

REPORT, NEWS = "open311", "open311_news"


def items(town: Town, case: Case, now: float) -> list[Write]:
    """The row that sends it, as part of the transaction that files it; a case is sent once."""
    found = open311.destination(town.core, case)
    if found is None:
        return []
    body = {"reference": case.reference, "endpoint": found[0]["id"]}
    return [outbox.write(town.slug, REPORT, body, now, row=keys.report_row(case.reference))]


def next_look(town: str, endpoint: str, now: float, seconds: float) -> Write:
    """The row that asks for news after so many seconds. There is one for each stretch of time, whoever owes it."""
    stretch = int((now + seconds) // 60)
    return outbox.write(
        town, NEWS, {"endpoint": endpoint}, now, row=keys.news_row(endpoint, stretch), due_at=now + seconds
    )
