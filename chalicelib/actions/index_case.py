"""The outbox's kind `index_case`: writes what staff find a case by, as the case is now. Once more does nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from chalicelib.actions import known
from chalicelib.cases import search as finding
from chalicelib.model import Case, Conflict, SendFailed, Town
from chalicelib.storage import search
from chalicelib.storage.cases import CaseStore
from chalicelib.storage.search import Wanted
from chalicelib.wire import Deadline


def work(body: Mapping[str, Any], town: str, now: float, deadline: Deadline) -> None:
    """Write the entries of one case; of one that is gone, take them away. Raises SendFailed, Unavailable."""
    place, reference = known.town(town, deadline), str(body["reference"])
    if place is None:
        raise SendFailed("no_town", retryable=True)
    case = CaseStore(town).load(reference, deadline)
    try:
        search.write(town, entries(place, case) if case else Wanted(reference, 0), deadline)
    except Conflict as error:  # a younger version of the case is being written down: look again
        raise SendFailed("meanwhile", retryable=True) from error


def entries(town: Town, case: Case) -> Wanted:
    """What a case is to be found by."""
    phone = finding.phone_of_case(case, str(town.core["country"]))
    return Wanted(case.reference, case.created_at, finding.words_of(case), phone)
