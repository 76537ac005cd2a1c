"""The register of a town: what stands under keys nobody can guess, listed by an index that is there anyway.

One-time links, API keys, sign-ins, consents, remembered answers and phone numbers lie under hashes, media and files of
cases under random names. Whoever takes out or away a town's whole data must find them without a scan. An entry costs a
write of the index (`audience` of the people, `changed` of the cases) and goes with its item.
"""

from __future__ import annotations

from typing import Any

from chalicelib.storage import keys


def of_people(town: str, pk: str) -> dict[str, Any]:
    """What an item of the people table carries beside its own."""
    return {"topic_key": keys.register(town), "audience_sort": pk}


def of_cases(town: str, pk: str) -> dict[str, Any]:
    """What an item of the cases table carries beside its own, if it is no case's head."""
    return {"changed_key": keys.register(town), "changed_sort": pk}
