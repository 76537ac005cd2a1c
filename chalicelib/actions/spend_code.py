"""A code from the phone is good once, whatever the pool says: whoever read it over a shoulder finds it used.

For as long as a pool may take a code (half a minute, and as much before and after) a fingerprint of it stays with the
account it was given for. It is noted before the pool is asked, so that of many at once one has it.
"""

from __future__ import annotations

from chalicelib.model import Conflict
from chalicelib.patterns import pattern
from chalicelib.storage import dynamo, keys, staff
from chalicelib.storage.dynamo import Write
from chalicelib.storage.staff import PLATFORM
from chalicelib.storage.staff_pool import WrongPassword
from chalicelib.wire import Deadline

KEPT_SECONDS = 5 * 60
_TABLE = "people"
_CODE = pattern(r"[0-9]{6}")


def spend(mail: str, written: str, now: float, deadline: Deadline) -> str:
    """The code as the pool takes it. Raises WrongPassword for one that was given before, and for what is none."""
    code = "".join(written.split())
    if not _CODE.fullmatch(code):
        raise WrongPassword("no code")
    key = keys.used_code(PLATFORM, keys.secret_digest(f"{staff.folded(mail)} {code}"))
    before = dynamo.get(_TABLE, key, keys.NOW, deadline)
    if before and before["exp"] > now:
        raise WrongPassword("used")
    v = before["v"] if before else 0
    item = {"pk": key, "sk": keys.NOW, "shape": 1, "v": v + 1, "exp": int(now) + KEPT_SECONDS}
    try:
        dynamo.transact([Write(_TABLE, item, expected_v=v)], deadline)
    except Conflict as error:  # somebody else gives it at this moment
        raise WrongPassword("used") from error
    return code
