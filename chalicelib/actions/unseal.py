"""Shows a member of staff one sealed answer of a case, after it is on record that it was shown."""

from __future__ import annotations

from secrets import token_hex

from chalicelib.model import Case
from chalicelib.storage import audit, keys, sealing
from chalicelib.storage.audit import Act
from chalicelib.wire import Deadline

UNMASKED = "unmasked"
RECORD_BYTES = 6


def unseal(case: Case, slot: str, by: str, now: float, deadline: Deadline) -> str:
    """What stands sealed under `slot`, for `by` ("staff:<id>"). The record is written first: whoever is shown a value
    stands in the audit of that day. Raises LookupError (nothing is sealed there), NotOpened, Unavailable."""
    if slot not in case.sealed:
        raise LookupError(slot)
    act = Act(now, by, UNMASKED, about=case.reference, detail={"slot": slot})
    audit.record(case.tenant, act, token_hex(RECORD_BYTES), deadline)
    return sealing.unseal(case.tenant, keys.case(case.tenant, case.reference), slot, case.sealed[slot], deadline)
