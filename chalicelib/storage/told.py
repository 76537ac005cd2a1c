"""What became of each notice to the citizen of a case: one small item beside the case (`TOLD#<person>#<seq>`).

While nobody has seen it, it also stands in the town's call list: a partition of the `desk` index, sorted by when
somebody should call. That is some days after it was sent, so that no clock has to put it there; at once when it cannot
be delivered.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from chalicelib.model import Conflict, Happening, Told
from chalicelib.small_classes import dataclass
from chalicelib.storage import dynamo, keys
from chalicelib.storage.dynamo import Item, Write
from chalicelib.wire import Deadline

TABLE = "cases"
SHAPE = 1
EVENT = "notice"
SENT, WAITS, SEEN, FAILED, DROPPED = "sent", "waits", "seen", "failed", "dropped"
UNSEEN_DAYS = 5  # after which somebody should call
_FINAL = (SEEN, DROPPED)
_UNSEEN = (SENT, WAITS, FAILED)
TRIES_MAX = 4
_DAY_SECONDS = 86400


@dataclass(frozen=True, slots=True)
class Wait:
    """A place in the call list: which case, since when it waits to be called about, and where the list goes on."""

    reference: str
    person: str
    seq: int
    at: int
    cursor: str


def write(
    town: str,
    reference: str,
    person: str,
    seq: int,
    *,
    state: str,
    channel: str,
    status: str,
    now: float,
    listed: bool = True,
) -> Write:
    """A notice as part of the transaction that owes it. `person` "" is an applicant who is not bound to the case;
    `listed`: somebody should call if it stays unseen."""
    item = {
        "pk": keys.case(town, reference),
        "sk": keys.told(person, seq),
        "shape": SHAPE,
        "v": 1,
        "state": state,
        "channel": channel,
        "status": status,
        "at": int(now),
    }
    return Write(TABLE, item | (_listed(town, reference, state, now, int(now)) if listed else {}))


def note(town: str, reference: str, person: str, seq: int, state: str, now: float, deadline: Deadline) -> bool:
    """What became of it, if that is more than was known. Whether anything changed. Raises Conflict, Unavailable."""
    pk, sk = keys.case(town, reference), keys.told(person, seq)
    if state == SEEN:
        return dynamo.become(TABLE, (pk, sk), "state", _UNSEEN, SEEN, tuple(_OFF_THE_LIST), deadline)
    for _ in range(TRIES_MAX):
        item = dynamo.get(TABLE, pk, sk, deadline)
        if item is None or not _may_become(item["state"], state):
            return False
        after = item | _listed(town, reference, state, now, item["at"]) | {"state": state, "v": item["v"] + 1}
        if "desk_key" not in item:
            after |= _OFF_THE_LIST  # somebody has called already
        try:
            dynamo.put(TABLE, after, deadline, expected_v=item["v"])
            return True
        except Conflict:
            continue
    raise Conflict(reference)


def unseen(notices: Sequence[Told], person: str, deadline: Deadline) -> tuple[Told, ...]:
    """Those of one person's notices that nobody is known to have seen; one request."""
    places = {(keys.case(each.town, each.reference), keys.told(person, each.seq)): each for each in notices}
    found = dynamo.batch_get(TABLE, list(places), deadline, only=("state",))
    return tuple(notice for place, notice in places.items() if found.get(place, {}).get("state") in _UNSEEN)


def of_case(town: str, reference: str, deadline: Deadline) -> tuple[Happening, ...]:
    """The notices of a case as entries of its history, for staff: `viber: seen`; one query."""
    found = dynamo.query(TABLE, keys.case(town, reference), keys.TOLD, deadline)
    entries = (
        Happening(item["at"], EVENT, item["status"], "system", f"{item['channel']}: {item['state']}") for item in found
    )
    return tuple(sorted(entries, key=lambda entry: entry.at))


def to_call(town: str, now: float, limit: int, deadline: Deadline, cursor: str = "") -> tuple[Wait, ...]:
    """Whom somebody should call by now, longest waiting first; one request."""
    items = dynamo.page(
        TABLE,
        "desk",
        ("desk_key", keys.desk(town, keys.CALLS)),
        deadline,
        sort="open_sort",
        start=cursor,
        end=f"{int(now):012d}~",
        limit=limit + 1,
    )
    return tuple(_wait(item) for item in items if item["open_sort"] != cursor)[:limit]


def called(town: str, reference: str, deadline: Deadline) -> list[Write]:
    """Whoever was to be called about this case has been: off the list, in the transaction that says so."""
    found = dynamo.query(TABLE, keys.case(town, reference), keys.TOLD, deadline)
    return [
        Write(TABLE, item | _OFF_THE_LIST | {"v": item["v"] + 1}, expected_v=item["v"])
        for item in found
        if "desk_key" in item
    ]


def forget(town: str, reference: str, person: str, deadline: Deadline) -> None:
    """Nothing stays of what one person was told about a case."""
    for item in dynamo.query(TABLE, keys.case(town, reference), keys.told_to(person), deadline):
        dynamo.delete(TABLE, item["pk"], item["sk"], deadline)


def _may_become(known: str, state: str) -> bool:
    """Receipts come in any order: what was seen stays seen, what failed was at most seen all the same."""
    return state != known and known not in _FINAL and known != FAILED


_OFF_THE_LIST: Item = {"desk_key": None, "open_sort": None}


def _listed(town: str, reference: str, state: str, now: float, at: int) -> Item:
    """Where it stands in the call list."""
    if state in _FINAL:
        return _OFF_THE_LIST
    when = int(now) if state == FAILED else at + UNSEEN_DAYS * _DAY_SECONDS
    return {"desk_key": keys.desk(town, keys.CALLS), "open_sort": f"{when:012d}#{reference}"}


def _wait(item: Mapping[str, Any]) -> Wait:
    reference = str(item["pk"]).partition("#K#")[2]
    _, person, seq = str(item["sk"]).split("#")
    return Wait(reference, person, int(seq), int(item["at"]), str(item["open_sort"]))
