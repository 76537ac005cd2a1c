"""The cases of a town as actions write them: what happens to one is owed to the town's own systems in the same commit.

A town without such systems pays nothing for it. What is owed is a row of the outbox's kind `callback`, one for each
entry of the history and each system that wants it, and one of the kind `open311_told` where another system may have the
report.
"""

from __future__ import annotations

from collections.abc import Sequence

from chalicelib.actions import pass_on
from chalicelib.cases import callbacks
from chalicelib.model import Case, Happening, Town
from chalicelib.small_classes import replace
from chalicelib.storage import keys, outbox
from chalicelib.storage.cases import CaseStore
from chalicelib.storage.dynamo import Write

KIND = "callback"


def cases(town: Town) -> CaseStore:
    """The town's cases, to be written."""
    if not (town.core.get("callbacks") or (town.core.get("open311") or {}).get("endpoints")):
        return CaseStore(town.slug)
    return CaseStore(town.slug, lambda case, news: [*_rows(town, case, news), *pass_on.of_change(town, case)])


def _rows(town: Town, case: Case, news: Sequence[Happening]) -> list[Write]:
    rows = []
    for position, (callback, said) in enumerate(callbacks.owed(town.core, case, news)):
        name = keys.callback_row(callback, case.reference, case.v, position)
        body = {"to": callback, "id": callbacks.message_id(f"{town.slug} {name}"), "said": said}
        # Not `unique`: the version of the case makes it so, and who was slower must hear of a conflict.
        rows.append(replace(outbox.write(town.slug, KIND, body, case.updated_at, row=name), unique=False))
    return rows
