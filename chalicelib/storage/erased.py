"""Who was erased in a town, and when: a hash of the person and a moment, as the name of an empty object in the bucket.

It stands apart from the tables and from the town's own objects on purpose. Whatever brings a table or a town back to
an earlier state leaves this list alone, and says from it who has to be erased once more (`actions/erase.again`). The
bucket forgets an entry after KEPT_DAYS (`infra/template.yaml`); nothing older than that may be brought back.
"""

from __future__ import annotations

import os

from chalicelib.storage import aws, keys
from chalicelib.wire import Deadline

KEPT_DAYS = 400
LISTED_AT_ONCE = 1000  # S3 gives no more


def note(town: str, person: str, at: int, deadline: Deadline) -> None:
    """Put somebody on the list; again is the same. Raises Unavailable."""
    aws.put_object(_bucket(), f"{keys.erased(town)}{person}/{at}", b"", "text/plain", deadline)


def since(town: str, moment: float, deadline: Deadline) -> dict[str, int]:
    """Who was erased at `moment` (epoch seconds) or later, by person, with the last time. Raises Unavailable."""
    prefix, after, found = keys.erased(town), "", dict[str, int]()
    while True:
        listed = aws.list_objects(_bucket(), prefix, deadline, after)
        for key in listed:
            person, _, at = key.removeprefix(prefix).partition("/")
            if int(at) >= moment:
                found[person] = max(int(at), found.get(person, 0))
        if len(listed) < LISTED_AT_ONCE:
            return found
        after = listed[-1]


def _bucket() -> str:
    return os.environ["SALTER_MEDIA_BUCKET"]
