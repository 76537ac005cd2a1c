"""The outbox's kind `purge`: what stands sealed in a case is deleted some days after the case was closed.

The row is written in the transaction that closes the case. A case reopened meanwhile keeps its sealed values; closing
it again writes another row.
"""

from __future__ import annotations

from collections.abc import Mapping
from secrets import token_hex
from typing import Any

from chalicelib.cases import lifecycle
from chalicelib.model import Case, Conflict, Happening, SendFailed, Town
from chalicelib.small_classes import replace
from chalicelib.storage import outbox, runs
from chalicelib.storage.cases import CaseStore
from chalicelib.storage.dynamo import Write
from chalicelib.wire import Deadline

KIND = "purge"
PURGED = "purged"
ROW_BYTES = 10
_DAY_SECONDS = 86400


def items(town: Town, after: Case, now: float) -> list[Write]:
    """What is owed once this change of a case is committed: nothing unless it just closed one with sealed values."""
    if not after.sealed or not after.closed_at or after.history[-1].at != after.closed_at:
        return []
    body = {"reference": after.reference, "closed_at": after.closed_at}
    due = after.closed_at + kept_days(town) * _DAY_SECONDS
    return [outbox.write(town.slug, KIND, body, now, row=f"{KIND}-{token_hex(ROW_BYTES)}", due_at=due)]


def kept_days(town: Town) -> int:
    """For how long after closing sealed values are kept: as the town's services say, the longest of them."""
    said = [int(entry["number_kept_days"]) for entry in town.core["services"].values() if "number_kept_days" in entry]
    return max(said, default=lifecycle.SEALED_KEPT_DAYS)


def is_row(key: str) -> bool:
    """Whether an outbox row is one of this kind, by its key alone."""
    return f"#X#{KIND}-" in key


def work(body: Mapping[str, Any], town: str, now: float, deadline: Deadline) -> None:
    """Delete it, if the case is still closed as it was then. Raises SendFailed, Unavailable."""
    store = CaseStore(town)
    case = store.load(str(body["reference"]), deadline)
    if case is None or not case.sealed or case.closed_at != body["closed_at"]:
        return
    done = Happening(int(now), PURGED, case.status, lifecycle.SYSTEM)
    emptied = replace(case, sealed={}, history=(*case.history, done), updated_at=max(int(now), case.updated_at))
    try:
        store.save(emptied, deadline)
    except Conflict as error:
        raise SendFailed("conflict", retryable=True) from error
    runs.note(town, runs.SEALED, 1, now, deadline)
