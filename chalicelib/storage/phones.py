"""Which paper cases a phone number stands on: found by a keyed hash of it, `T#<town>#TEL#<hash>` / reference.

The number itself is in no key. Without the stage's key nothing is written and nothing found.
"""

from __future__ import annotations

import hashlib
import hmac

from chalicelib.model import Unavailable
from chalicelib.storage import dynamo, keys, register, secrets
from chalicelib.storage.dynamo import Write
from chalicelib.wire import Deadline

TABLE = "people"
SHAPE = 1
KEPT_DAYS = 365
CASES_MAX = 5


def item(town: str, phone: str, reference: str, now: float, deadline: Deadline) -> Write | None:
    """The number of a new case's applicant (E.164), as part of the transaction that files it."""
    pk = _pk(town, phone, deadline)
    if pk is None:
        return None
    kept_until = int(now) + KEPT_DAYS * 86400
    item = {"pk": pk, "sk": reference, "shape": SHAPE, "reference": reference, "exp": kept_until}
    return Write(TABLE, item | register.of_people(town, pk))


def references(town: str, phone: str, now: float, deadline: Deadline) -> tuple[str, ...]:
    """The cases the clerk wrote this number on; one request."""
    pk = _pk(town, phone, deadline)
    if pk is None:
        return ()
    items = dynamo.page(TABLE, None, ("pk", pk), deadline, sort="sk", limit=CASES_MAX + 1)
    listed = [found["reference"] for found in items if found["exp"] > now and found["sk"] != keys.INVITED]
    return tuple(listed[:CASES_MAX])


def forget(town: str, phone: str, reference: str, deadline: Deadline) -> None:
    """The number no longer leads to the case."""
    pk = _pk(town, phone, deadline)
    if pk is not None:
        dynamo.delete(TABLE, pk, reference, deadline)


class NoPhoneKey(Unavailable):
    """The stage has no key for phone numbers; a platform admin must make one."""


def hashed(town: str, phone: str, deadline: Deadline) -> str:
    """Where something about a number stands. Raises NoPhoneKey."""
    pk = _pk(town, phone, deadline)
    if pk is None:
        raise NoPhoneKey("phone-key")
    return pk


def _pk(town: str, phone: str, deadline: Deadline) -> str | None:
    key = secrets.phone_key(deadline)
    if not key:
        return None
    return keys.phone(town, hmac.new(key.encode(), f"{town} {phone}".encode(), hashlib.sha256).hexdigest()[:40])
