"""Cases of one town: read by reference, by file number, by citizen, in pages; written only if nobody was faster.

A case is one item, `HEAD`: what lists and indexes need as attributes, the rest as one packed body with the last twenty
entries of the history; older entries stand beside it. A store is made for one town, and there is no call with which it
could read another's.
"""

from __future__ import annotations

import hashlib
import json
import zlib
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from chalicelib.compact_json import as_json
from chalicelib.model import Attachment, Case, Conflict, Follower, Happening, Place, SalterError, Voice
from chalicelib.small_classes import dataclass, replace
from chalicelib.storage import dynamo, keys, outbox
from chalicelib.storage.dynamo import Item, Write
from chalicelib.storage.shapes import UnknownShape
from chalicelib.wire import Deadline

TABLE = "cases"
SHAPE = 1
INDEX = "index_case"  # the kind of the outbox row that has a case's search words written
HISTORY_INSIDE_MAX = 20
HISTORY_MAX = 1000
FOLLOWERS_MAX = 20
OWN_CASES_MAX = 50
LISTED_AT_ONCE = 100  # heads asked for in one request while a list is filtered
LOOKED_AT_MAX = 500  # heads a page may look at before it hands back what it has and a cursor
RECENT_LOOKED_AT_MAX = 200
LOOKING_KEPT_SECONDS = 86400
RETIRING_DAYS = 7
NO_REFERENCE = "none"  # looked up in place of a case there is not, so that nobody can tell by the time it takes
_NO_DEADLINE = 10**12 - 1  # sorts after every deadline
_LISTED_APART = ("chat", "volunteer")  # without a deadline they sort after all other cases, the oldest first
_OPEN = frozenset("received in_progress forwarded awaiting_opinion awaiting_citizen stayed".split())  # noqa: SIM905


class ForeignCase(SalterError):
    """A case of another town was handed to this store. A fault of ours; a retry does not help."""


@dataclass(frozen=True, slots=True)
class Page:
    """Some cases of a list, and where the next page begins (None: there is none)."""

    cases: tuple[Case, ...]
    cursor: str | None


@dataclass(frozen=True, slots=True)
class Recent:
    """Cases changed last, newest first, and the change index's entries of all that were looked at for them. `is_cut`:
    there may be more such cases."""

    cases: tuple[Case, ...] = ()
    changes: tuple[str, ...] = ()
    is_cut: bool = False


@dataclass(frozen=True, slots=True)
class Looking:
    """A member of staff who opened a case: their id, how colleagues call them, when (epoch seconds)."""

    id: str
    name: str
    at: int


_noted_months: set[tuple[str, str]] = set()


# What is owed to others for these new entries of a case's history, written with them. The case has its new version.
Owes = Callable[[Case, Sequence[Happening]], list[Write]]


class CaseStore:
    """`owes` is asked at every write that adds to a history; `actions.tell_systems.cases` makes such a store."""

    def __init__(self, town: str, owes: Owes | None = None) -> None:
        self.town = town
        self._owes = owes

    # --- one case ----------------------------------------------------------------------------------------------

    def load(self, reference: str, deadline: Deadline) -> Case | None:
        """The case with the last twenty entries of its history; one read."""
        item = dynamo.get(TABLE, keys.case(self.town, reference), keys.HEAD, deadline)
        return from_item(item) if item and not _is_retired(item) else None

    def load_whole(self, reference: str, deadline: Deadline) -> Case | None:
        """The case with its whole history; one query."""
        pk = ("pk", keys.case(self.town, reference))
        items = dynamo.page(TABLE, None, pk, deadline, sort="sk", start="E#", end=keys.HEAD, limit=HISTORY_MAX)
        if not items or items[-1]["sk"] != keys.HEAD or _is_retired(items[-1]):
            return None
        case = from_item(items[-1])
        past = tuple(_happening(json.loads(zlib.decompress(item["body"]))) for item in items if item["sk"][:2] == "E#")
        whole = past + case.history
        return replace(case, history=whole, recorded=len(whole))

    def by_number(self, number: str, deadline: Deadline) -> Case | None:
        """The case under the town's own file number, however it is typed; two reads, whether there is one or not."""
        item = dynamo.get(TABLE, keys.file_number(self.town, number), keys.NOW, deadline)
        return self.load(item["reference"] if item else NO_REFERENCE, deadline)

    def found(self, wanted: Sequence[str], deadline: Deadline) -> tuple[Case, ...]:
        """The cases under some references, in their order, as a search may have them: perhaps a moment old."""
        heads = [(keys.case(self.town, each), keys.HEAD) for each in wanted]
        items = dynamo.batch_get(TABLE, heads, deadline, eventual=True)
        return tuple(from_item(items[key]) for key in heads if key in items and not _is_retired(items[key]))

    def reference_of(self, number: str, deadline: Deadline) -> str:
        """The reference of the case under a file number, "" if there is none; one read."""
        item = dynamo.get(TABLE, keys.file_number(self.town, number), keys.NOW, deadline)
        return str(item["reference"]) if item else ""

    def references_of(self, numbers: Sequence[str], deadline: Deadline) -> dict[str, str]:
        """The references of the cases under some file numbers, by the number as given; one request a hundred."""
        wanted = {number: (keys.file_number(self.town, number), keys.NOW) for number in numbers}
        items = dynamo.batch_get(TABLE, list(dict.fromkeys(wanted.values())), deadline)
        return {number: str(items[key]["reference"]) for number, key in wanted.items() if key in items}

    def several(self, references: Sequence[str], deadline: Deadline) -> tuple[Case, ...]:
        """The cases under some references; one request, none for none."""
        keys_wanted = [{"pk": keys.case(self.town, each), "sk": keys.HEAD} for each in references]
        return tuple(case for case in self._heads(keys_wanted, deadline) if case)

    def items_for_new(self, case: Case, deadline: Deadline, *, indexed: bool = False) -> list[Write]:
        """What must be written, all or nothing, for `case` to come into being; a transaction may hold more beside it.

        `indexed`: what it is found by has been written already, so nothing is owed for that. Its commit raises
        Duplicate when the reference or the file number is taken.
        """
        self._check(case)
        self._note_month(case, deadline)
        head, *past = self._items(replace(case, v=1))
        writes = [Write(TABLE, head, unique=True), *(Write(TABLE, item) for item in past)]
        if not indexed:
            writes.append(_to_index(case, 1))
        if case.number:
            item = {"pk": keys.file_number(self.town, case.number), "sk": keys.NOW, "shape": SHAPE}
            writes.append(Write(TABLE, item | {"reference": case.reference}, unique=True))
        return [*writes, *self._owed(replace(case, v=1))]

    def owed(self, case: Case) -> list[Write]:
        """What the write of this changed case owes to others, to ring for afterwards."""
        return self._owed(replace(case, v=case.v + 1))

    def items_for_change(self, case: Case, deadline: Deadline) -> list[Write]:
        """What must be written for `case`, loaded as version `v` and changed since; Conflict if somebody was faster.

        Where the change touched what the case is found by, a row of the outbox has that written anew.
        """
        self._check(case)
        self._note_month(case, deadline)
        head, *past = self._items(replace(case, v=case.v + 1))
        writes = [Write(TABLE, head, expected_v=case.v), *(Write(TABLE, item) for item in past)]
        if _searched(case) != case.searched:
            writes.append(_to_index(case, case.v + 1))
        return [*writes, *self.owed(case)]

    def _owed(self, case: Case) -> list[Write]:
        news = case.history[case.recorded :]
        return self._owes(case, news) if self._owes and news else []

    def add(self, case: Case, deadline: Deadline, beside: Sequence[Write] = ()) -> Case:
        """File a new case, with whatever must be true together with it."""
        dynamo.transact([*self.items_for_new(case, deadline), *beside], deadline)
        return replace(case, v=1, recorded=len(case.history))

    def save(self, case: Case, deadline: Deadline, beside: Sequence[Write] = ()) -> Case:
        """Write a changed case, with whatever must be true together with it. Raises Conflict."""
        writes = [*self.items_for_change(case, deadline), *beside]
        if len(writes) == 1:
            dynamo.put(TABLE, writes[0].item, deadline, expected_v=case.v)
        else:
            dynamo.transact(writes, deadline)
        return replace(case, v=case.v + 1, recorded=len(case.history))

    # --- who looks at it ---------------------------------------------------------------------------------------

    def looking(self, reference: str, deadline: Deadline) -> tuple[Looking, ...]:
        """Staff who opened the case within the last day; one query."""
        items = dynamo.query(TABLE, keys.case(self.town, reference), keys.SAW, deadline)
        return tuple(Looking(item["sk"].removeprefix(keys.SAW), item["name"], item["at"]) for item in items)

    def look(self, reference: str, looking: Looking, deadline: Deadline) -> None:
        """Note that somebody opened the case just now."""
        item = {
            "pk": keys.case(self.town, reference),
            "sk": f"{keys.SAW}{looking.id}",
            "shape": SHAPE,
            "name": looking.name,
            "at": looking.at,
            "exp": looking.at + LOOKING_KEPT_SECONDS,
        }
        dynamo.put(TABLE, item, deadline)

    # --- lists -------------------------------------------------------------------------------------------------

    def own(self, person: str, deadline: Deadline, limit: int = OWN_CASES_MAX) -> tuple[Case, ...]:
        """The cases a citizen opened, newest first; two requests."""
        pk = ("citizen_key", keys.citizens_cases(self.town, person))
        found = dynamo.page(TABLE, "citizen", pk, deadline, sort="created_sort", limit=limit, newest_first=True)
        return tuple(case for case in self._heads(found, deadline) if case)

    def own_references(self, person: str, deadline: Deadline, limit: int = OWN_CASES_MAX) -> tuple[str, ...]:
        """The references of what a citizen opened, newest first; one request."""
        pk = ("citizen_key", keys.citizens_cases(self.town, person))
        found = dynamo.page(TABLE, "citizen", pk, deadline, sort="created_sort", limit=limit, newest_first=True)
        return tuple(str(item["created_sort"]).partition("#")[2] for item in found)

    def every_own(self, person: str, deadline: Deadline) -> list[str]:
        """The references of all that a citizen ever opened, request after request: nobody's right ends at a bound."""
        pk = ("citizen_key", keys.citizens_cases(self.town, person))
        found = dynamo.every(TABLE, "citizen", pk, deadline)
        return [str(item["created_sort"]).partition("#")[2] for item in found]

    def rewrite_past(self, reference: str, clean: Callable[[Happening], Happening], deadline: Deadline) -> None:
        """Clean the entries of a history that no longer stand in its head."""
        for item in dynamo.query(TABLE, keys.case(self.town, reference), "E#", deadline):
            before = _happening(json.loads(zlib.decompress(item["body"])))
            after = clean(before)
            if after != before:
                dynamo.put(TABLE, item | {"body": _packed(_happening_data(after))}, deadline)

    def open_page(self, limit: int, deadline: Deadline, cursor: str = "", desk: str = "") -> Page:
        """Open cases, most urgent first: of the town, or of one desk (an office, or `staff:<id>`)."""
        pk = ("desk_key", keys.desk(self.town, desk)) if desk else ("open_key", keys.open_cases(self.town))
        index = "desk" if desk else "open"
        items = dynamo.page(TABLE, index, pk, deadline, sort="open_sort", start=cursor, limit=limit + 2)
        items = [item for item in items if item["open_sort"] != cursor]
        shown = tuple(from_item(item) for item in items[:limit])
        return Page(shown, items[limit - 1]["open_sort"] if len(items) > limit else None)

    def listed_apart(self, kind: str, limit: int, deadline: Deadline, desk: str = "") -> tuple[Case, ...]:
        """Open chats or sign-ups, the oldest first: of the town, or of one desk; one request."""
        pk = ("desk_key", keys.desk(self.town, desk)) if desk else ("open_key", keys.open_cases(self.town))
        start = _apart(kind)
        items = dynamo.page(
            TABLE, "desk" if desk else "open", pk, deadline, sort="open_sort", start=start, end=f"{start}~", limit=limit
        )
        return tuple(from_item(item) for item in items)

    def due_between(self, start: int, end: int, limit: int, deadline: Deadline, cursor: str = "") -> Page:
        """Open cases due from `start` to `end` (epoch seconds, both in), the earliest first; one request."""
        items = dynamo.page(
            TABLE,
            "open",
            ("open_key", keys.open_cases(self.town)),
            deadline,
            sort="open_sort",
            start=cursor or f"{start:012d}",
            end=f"{end:012d}~",
            limit=limit + 2,
        )
        items = [item for item in items if item["open_sort"] != cursor]
        more = items[limit - 1]["open_sort"] if len(items) > limit else None
        return Page(tuple(from_item(item) for item in items[:limit]), more)

    def changed_page(
        self,
        limit: int,
        deadline: Deadline,
        cursor: str = "",
        since: int = 0,
        wanted: Callable[[Case], bool] = lambda case: True,
        kind: str = "",
    ) -> Page:
        """All cases, last changed first, back to `since` (epoch seconds), those only that are `wanted`.

        With a `kind` none but those of this kind, and of the others no more is read than that they are not. A page
        may hold fewer than `limit` and still have a cursor: a filter that fits few cases is asked again.
        """
        found: list[tuple[str, Case]] = []
        looked_at = 0
        for month in self._months(deadline):
            if (cursor and month > _month(int(cursor[:12]))) or month < _month(since):
                continue
            position: str | None = cursor if cursor and month == _month(int(cursor[:12])) else ""
            while position is not None:
                sorts, cases, position = self._chunk(month, position, since, kind, deadline)
                for sort, case in zip(sorts, cases, strict=True):
                    looked_at += 1
                    if case is not None and wanted(case):
                        found.append((sort, case))
                    if len(found) > limit:
                        return Page(tuple(case for _, case in found[:limit]), found[limit - 1][0])
                if looked_at >= LOOKED_AT_MAX:
                    return Page(tuple(case for _, case in found), sorts[-1])
        return Page(tuple(case for _, case in found), None)

    def recent(self, limit: int, now: float, deadline: Deadline, wanted: Callable[[Case], bool]) -> Recent:
        """At most `limit` cases that are `wanted` among those changed last, this month or the one before; of them the
        last RECENT_LOOKED_AT_MAX are looked at. Two to four requests; a case may be a moment old."""
        this = datetime.fromtimestamp(now, UTC)
        entries: list[Item] = []
        for month in (this.strftime("%Y-%m"), (this.replace(day=1) - timedelta(days=1)).strftime("%Y-%m")):
            left = RECENT_LOOKED_AT_MAX - len(entries)
            if left:
                pk = ("changed_key", keys.month(self.town, month))
                entries += dynamo.page(
                    TABLE, "changed", pk, deadline, sort="changed_sort", limit=left, newest_first=True
                )
        found: list[Case] = []
        for first in range(0, len(entries), LISTED_AT_ONCE):
            heads = self._heads(entries[first : first + LISTED_AT_ONCE], deadline, eventual=True)
            found += [case for case in heads if case is not None and wanted(case)]
            if len(found) > limit:
                break
        is_cut = len(found) > limit or len(entries) == RECENT_LOOKED_AT_MAX
        return Recent(tuple(found[:limit]), tuple(item["changed_sort"] for item in entries), is_cut)

    def newest_change(self, now: float, deadline: Deadline) -> str:
        """The sort key of this month's last change; "" in a month without one. One request."""
        pk = ("changed_key", keys.month(self.town, _month(int(now))))
        items = dynamo.page(TABLE, "changed", pk, deadline, sort="changed_sort", limit=1, newest_first=True)
        return str(items[0]["changed_sort"]) if items else ""

    def _chunk(
        self, month: str, cursor: str, since: int, kind: str, deadline: Deadline
    ) -> tuple[list[str], list[Case | None], str | None]:
        """The next heads of a month before `cursor`, and the cursor of those after them."""
        items = dynamo.page(
            TABLE,
            "changed",
            ("changed_key", keys.month(self.town, month)),
            deadline,
            sort="changed_sort",
            start=f"{since:012d}",
            end=cursor,
            limit=LISTED_AT_ONCE + 1,
            newest_first=True,
        )
        more = len(items) > LISTED_AT_ONCE
        items = [item for item in items if item["changed_sort"] != cursor][:LISTED_AT_ONCE]
        sorts = [item["changed_sort"] for item in items]
        return sorts, self._heads(items, deadline, kind=kind), sorts[-1] if more and sorts else None

    def _heads(
        self, items: Sequence[Mapping[str, Any]], deadline: Deadline, *, eventual: bool = False, kind: str = ""
    ) -> list[Case | None]:
        wanted = [(item["pk"], item["sk"]) for item in items]
        asked = wanted
        if kind:
            kinds = dynamo.batch_get(TABLE, wanted, deadline, eventual=True, only=("kind",))
            asked = [key for key in wanted if key in kinds and kinds[key]["kind"] == kind]
        found = dynamo.batch_get(TABLE, asked, deadline, eventual=eventual)
        kept = {key: item for key, item in found.items() if not _is_retired(item)}
        return [from_item(kept[key]) if key in kept else None for key in wanted]

    # --- whose time is over ------------------------------------------------------------------------------------

    def old_page(self, limit: int, deadline: Deadline, cursor: str) -> tuple[tuple[Case, ...], str]:
        """Cases last changed in a month or before, newest first, and where to go on ("" at the end).

        `cursor` is a month (`2026-03`) or what the page before gave. Those just being forgotten are among them.
        """
        month, _, position = cursor.partition("|")
        months = [each for each in self._months(deadline) if each <= month]
        if not months:
            return (), ""
        if months[0] != month:
            month, position = months[0], ""
        items = dynamo.page(
            TABLE,
            "changed",
            ("changed_key", keys.month(self.town, month)),
            deadline,
            sort="changed_sort",
            end=position,
            limit=limit + 1,
            newest_first=True,
        )
        more = len(items) > limit
        shown = [item for item in items if item["changed_sort"] != position][:limit]
        found = dynamo.batch_get(TABLE, [(item["pk"], item["sk"]) for item in shown], deadline)
        following = f"{month}|{shown[-1]['changed_sort']}" if more and shown else (months[1:] or [""])[0]
        return tuple(from_item(item) for item in found.values()), following

    def mark_retired(self, case: Case, now: float, deadline: Deadline) -> None:
        """From here on the case is absent to every reader. Raises Conflict if somebody has changed it since."""
        item = dynamo.get(TABLE, keys.case(self.town, case.reference), keys.HEAD, deadline)
        if item is None or _is_retired(item):
            return
        if item["v"] != case.v:
            raise Conflict(case.reference)
        # Longer than any run that was cut off takes to come back: until then it still says what belongs to it.
        expires = int(now) + RETIRING_DAYS * 86400
        dynamo.put(TABLE, item | {"v": case.v + 1, "exp": expires}, deadline, expected_v=case.v)

    def forget_number(self, case: Case, deadline: Deadline) -> None:
        """The file number no longer leads to this case."""
        key = keys.file_number(self.town, case.number)
        item = dynamo.get(TABLE, key, keys.NOW, deadline)
        if item is not None and item["reference"] == case.reference:
            dynamo.delete(TABLE, key, keys.NOW, deadline)

    def remove(self, reference: str, deadline: Deadline) -> None:
        """All that stands in a retired case's partition, its head last."""
        pk = keys.case(self.town, reference)
        while True:
            items = dynamo.page(TABLE, None, ("pk", pk), deadline, sort="sk", limit=HISTORY_MAX)
            beside = [(pk, item["sk"]) for item in items if item["sk"] != keys.HEAD]
            dynamo.batch_write(TABLE, (), beside, deadline)
            if len(items) < HISTORY_MAX:
                break
        dynamo.delete(TABLE, pk, keys.HEAD, deadline)

    def _months(self, deadline: Deadline) -> list[str]:
        """Every month in which cases were last changed, newest first."""
        return [item["sk"] for item in reversed(dynamo.query(TABLE, keys.months(self.town), "2", deadline))]

    def _note_month(self, case: Case, deadline: Deadline) -> None:
        """Before the first write of a month, so that no case stands where lists would not look."""
        month = _month(case.updated_at)
        if (self.town, month) not in _noted_months:
            dynamo.put(TABLE, {"pk": keys.months(self.town), "sk": month, "shape": SHAPE}, deadline)
            _noted_months.add((self.town, month))

    # --- parts -------------------------------------------------------------------------------------------------

    def _check(self, case: Case) -> None:
        if case.tenant != self.town:
            raise ForeignCase(f"{case.reference} is not a case of {self.town}")
        if len(case.followers) > FOLLOWERS_MAX:
            raise ForeignCase(f"{case.reference} has more than {FOLLOWERS_MAX} followers")

    def _items(self, case: Case) -> list[Item]:
        """The head, and the entries that no longer fit into it."""
        past, kept = case.history[:-HISTORY_INSIDE_MAX], case.history[-HISTORY_INSIDE_MAX:]
        pk = keys.case(self.town, case.reference)
        older = [
            {"pk": pk, "sk": keys.case_event(case.v, position), "shape": SHAPE, "body": _packed(_happening_data(entry))}
            for position, entry in enumerate(past)
        ]
        return [to_item(replace(case, history=kept)), *older]


def _is_retired(item: Mapping[str, Any]) -> bool:
    """Whether a case is just being forgotten: only such a head has an end."""
    return "exp" in item


# --- shapes -----------------------------------------------------------------------------------------------------


def to_item(case: Case) -> Item:
    """The attributes a case's head is stored as."""
    town, voice, is_open = case.tenant, case.voice, case.status in _OPEN
    position = open_sort(case)
    person = keys.person(case.owner.account, case.owner.citizen) if case.owner else None
    return {
        "pk": keys.case(town, case.reference),
        "sk": keys.HEAD,
        "shape": SHAPE,
        "v": case.v,
        "kind": case.kind,
        "status": case.status,
        "category": case.category or None,
        "subject": case.subject or None,
        "number": case.number or None,
        "office": case.office or None,
        "official": case.official or None,
        "channel": case.channel or None,
        "language": voice.language if voice else None,
        "script": voice.script if voice else None,
        "created_at": case.created_at,
        "updated_at": case.updated_at,
        "due_at": case.due_at or None,
        "closed_at": case.closed_at or None,
        "consent": True if case.consent else None,
        "body": _packed(_body(case)),
        "open_key": keys.open_cases(town) if is_open else None,
        "open_sort": position if is_open else None,
        "desk_key": keys.desk(town, _desk(case)) if is_open and _desk(case) else None,
        "changed_key": keys.month(town, _month(case.updated_at)),
        "changed_sort": changed_sort(case),
        "citizen_key": keys.citizens_cases(town, person) if person else None,
        "created_sort": f"{case.created_at:012d}#{case.reference}" if person else None,
    }


def open_sort(case: Case) -> str:
    """Where an open case stands in lists, and as a cursor: by deadline; what is listed apart by kind and beginning."""
    if case.kind in _LISTED_APART and not case.due_at:
        return f"{_apart(case.kind)}{case.created_at:012d}#{case.reference}"
    return f"{case.due_at or _NO_DEADLINE:012d}#{case.reference}"


def changed_sort(case: Case) -> str:
    """Where a case stands in the change index."""
    return f"{case.updated_at:012d}#{case.reference}"


def _apart(kind: str) -> str:
    return f"{_NO_DEADLINE:012d}~{kind}~"


def _desk(case: Case) -> str:
    """On whose desk the case lies: the person's who has it, else the office's."""
    if case.assignee and case.assignee[0] == "staff":
        return f"staff:{case.assignee[1]}"
    return case.office


def _month(at: int) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m")


def _body(case: Case) -> dict[str, Any]:
    if not all(case.private.values()):
        raise ValueError("a private answer was not sealed before it is stored")
    case = case.without_private()
    place, owner = case.place, case.owner
    body = {
        "awaiting": case.awaiting_institution,
        "forwarded": case.forwarded_to,
        "fields": dict(case.fields),
        "sealed": dict(case.sealed),
        "private": {name: sealed for name, sealed in case.private.items() if sealed},
        "place": [place.text, place.latitude, place.longitude] if place else None,
        "files": [[file.id, file.type, file.size, file.state, file.key] for file in case.attachments],
        "history": [_happening_data(entry) for entry in case.history],
        "owner": [owner.account, owner.citizen] if owner else None,
        "followers": [[follower.account, follower.citizen] for follower in case.followers],
        "assignee": list(case.assignee) if case.assignee else None,
        "applicant": dict(case.applicant),
        "access": case.access_hash,
        "call": dict(case.call),
        "slip": case.slip,
        "searched": _searched(case),
    }
    return {name: value for name, value in body.items() if value}


def from_item(item: Mapping[str, Any]) -> Case:
    """A case from its head: this shape, the one before or the one after. Raises UnknownShape further ahead."""
    if item.get("shape", SHAPE) > SHAPE + 1:
        raise UnknownShape(item["shape"])
    town, reference = item["pk"].removeprefix("T#").split("#K#", 1)
    body = json.loads(zlib.decompress(item["body"])) if item.get("body") else {}
    place, owner = body.get("place"), body.get("owner")
    return Case(
        tenant=town,
        reference=reference,
        kind=item["kind"],
        status=item["status"],
        subject=item.get("subject", ""),
        created_at=item["created_at"],
        updated_at=item["updated_at"],
        category=item.get("category", ""),
        number=item.get("number", ""),
        office=item.get("office", ""),
        official=item.get("official", ""),
        channel=item.get("channel", ""),
        voice=Voice(item["language"], item.get("script", "latin")) if item.get("language") else None,
        due_at=item.get("due_at", 0),
        closed_at=item.get("closed_at", 0),
        consent=bool(item.get("consent", False)),
        awaiting_institution=body.get("awaiting", ""),
        forwarded_to=body.get("forwarded", ""),
        fields=body.get("fields", {}),
        sealed=body.get("sealed", {}),
        private=body.get("private", {}),
        place=Place(*place) if place else None,
        attachments=tuple(Attachment(*file) for file in body.get("files", ())),
        history=tuple(_happening(entry) for entry in body.get("history", ())),
        recorded=len(body.get("history", ())),
        owner=Follower(*owner) if owner else None,
        followers=tuple(Follower(*follower) for follower in body.get("followers", ())),
        assignee=tuple(body["assignee"]) if body.get("assignee") else None,
        applicant=body.get("applicant", {}),
        access_hash=body.get("access", ""),
        call=body.get("call", {}),
        slip=body.get("slip", ""),
        searched=body.get("searched", ""),
        v=item["v"],
    )


def _searched(case: Case) -> str:
    """Changes whenever something does that a case is found by."""
    case = case.without_private()
    words = {name: value for name, value in case.fields.items() if isinstance(value, str)}
    said = [case.subject, case.number, case.place.text if case.place else "", dict(case.applicant), words]
    written = json.dumps(said, ensure_ascii=False, sort_keys=True).encode("utf-8", "replace")
    return hashlib.blake2b(written, digest_size=6).hexdigest()


def _to_index(case: Case, version: int) -> Write:
    """What has the words of this version written. Not `unique`: its version makes it so, and a case that somebody else
    changed first must be told from one that is there already."""
    row = outbox.write(
        case.tenant, INDEX, {"reference": case.reference}, case.updated_at, row=keys.index_row(case.reference, version)
    )
    return replace(row, unique=False)


def _happening_data(entry: Happening) -> list[Any]:
    return [entry.at, entry.event, entry.status, entry.by, entry.note, int(entry.public)]


def _happening(data: Sequence[Any]) -> Happening:
    at, event, status, by, note, public, *_ = data
    return Happening(at, event, status, by, note, bool(public))


def _packed(data: Any) -> bytes:
    return zlib.compress(as_json(data).encode("utf-8", "replace"), 6)
