"""How a channel's account is: when its channel last called us, and when it last refused us. Written rarely, read by the
platform admin."""

from __future__ import annotations

from collections.abc import Sequence
from secrets import token_hex

from chalicelib.small_classes import dataclass
from chalicelib.storage import dynamo, keys
from chalicelib.wire import Deadline

TABLE = "conversations"  # beside those of the account: functions may not write where towns stand
SHAPE = 1
REASON_CHARS_MAX = 100


@dataclass(frozen=True, slots=True)
class Health:
    """Times in epoch seconds, 0 for never. `mark` differs after every note of a call."""

    heard_at: int = 0
    mark: str = ""
    refused_at: int = 0
    refused: str = ""


def heard(account: str, at: float, deadline: Deadline) -> None:
    """The channel called us, with a genuine signature."""
    item = {"pk": keys.account(account), "sk": keys.HEARD, "shape": SHAPE, "at": int(at), "mark": token_hex(8)}
    dynamo.put(TABLE, item, deadline)


def refused(account: str, reason: str, at: float, deadline: Deadline) -> None:
    """The channel refused the account as a whole, e.g. its token."""
    item = {"pk": keys.account(account), "sk": keys.REFUSED, "shape": SHAPE, "at": int(at)}
    dynamo.put(TABLE, item | {"reason": reason[:REASON_CHARS_MAX]}, deadline)


def forget(account: str, deadline: Deadline) -> None:
    """Of an account that is none any more."""
    for part in (keys.HEARD, keys.REFUSED, keys.PACE):
        dynamo.delete(TABLE, keys.account(account), part, deadline)


def of(accounts: Sequence[str], deadline: Deadline) -> dict[str, Health]:
    """How each of these accounts is; one request for fifty."""
    wanted = [
        (keys.account(account), part) for account in dict.fromkeys(accounts) for part in (keys.HEARD, keys.REFUSED)
    ]
    found = dynamo.batch_get(TABLE, wanted, deadline) if wanted else {}
    healths = {}
    for account in accounts:
        called = found.get((keys.account(account), keys.HEARD), {})
        no = found.get((keys.account(account), keys.REFUSED), {})
        healths[account] = Health(called.get("at", 0), called.get("mark", ""), no.get("at", 0), no.get("reason", ""))
    return healths
