"""What a case owes to another system: a report by Open311, where the town says that its category goes there, and
word of what happens to it here."""

from __future__ import annotations

from chalicelib.cases import open311
from chalicelib.model import Case, Town
from chalicelib.small_classes import replace
from chalicelib.storage import keys, outbox
from chalicelib.storage.dynamo import Write

REPORT, TOLD, NEWS = "open311", "open311_told", "open311_news"


def items(town: Town, case: Case, now: float) -> list[Write]:
    """The row that sends it, as part of the transaction that files it; a case is sent once."""
    found = open311.destination(town.core, case)
    if found is None:
        return []
    body = {"reference": case.reference, "endpoint": found[0]["id"]}
    return [outbox.write(town.slug, REPORT, body, now, row=keys.report_row(case.reference))]


def of_change(town: Town, case: Case) -> list[Write]:
    """The row that has the system told of what is new in a history, written with it. The version names it, so there is
    one; not `unique`, for who was slower must hear of a conflict."""
    found = open311.destination(town.core, case)
    if found is None or not any(open311.to_tell(case.history, case.recorded, open311.actor(found[0]["id"]))):
        return []
    return [_told(town.slug, case, found[0]["id"], case.updated_at)]


def of_arrival(town: Town, case: Case, endpoint: str, now: float) -> Write:
    """The same for what happened while the report was on its way."""
    return _told(town.slug, case, endpoint, now)


def _told(town: str, case: Case, endpoint: str, now: float) -> Write:
    body = {"reference": case.reference, "endpoint": endpoint}
    return replace(outbox.write(town, TOLD, body, now, row=keys.told_row(case.reference, case.v)), unique=False)


def next_look(town: str, endpoint: str, now: float, seconds: float) -> Write:
    """The row that asks for news after so many seconds. There is one for each stretch of time, whoever owes it."""
    stretch = int((now + seconds) // 60)
    return outbox.write(
        town, NEWS, {"endpoint": endpoint}, now, row=keys.news_row(endpoint, stretch), due_at=now + seconds
    )
