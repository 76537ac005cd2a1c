"""Everything of one town, wherever it stands: for whoever takes it out (export) or away (retire). No scan.

Lists and indexes that are there anyway lead from one thing to the next; what stands under keys nobody can guess is
found by the register. Some things are found twice. `FAMILIES` says of every family of keys how it is found; a test
holds it against `keys`.
"""

from __future__ import annotations

import datetime as dt
import json
import zlib
from collections.abc import Callable, Iterable, Iterator
from itertools import chain, islice

from chalicelib.model import Follower
from chalicelib.small_classes import dataclass
from chalicelib.storage import dynamo, keys, near, shapes
from chalicelib.storage.announcements import AnnouncementStore
from chalicelib.storage.cases import from_item
from chalicelib.storage.dynamo import Item, Key
from chalicelib.storage.volunteers import ANYWHERE, EVERYONE
from chalicelib.wire import Deadline

OUTBOX, CASES, PEOPLE, TALK, TOWNS = "outbox", "cases", "people", "conversations", "tenants"
TABLES = (OUTBOX, CASES, PEOPLE, TALK, TOWNS)
LATE_DAYS = 4  # for which an expired conversation may still lie there
PACE_LETTERS = 12  # of an API key's digest are its id
# What stands under a town's own fixed keys.
PARTITIONS: dict[str, tuple[Callable[[str], str], ...]] = {
    CASES: (keys.retiring, keys.watch, keys.imports),
    PEOPLE: (keys.figures, keys.budget, keys.api_keys, keys.edits, keys.runs),
    OUTBOX: (keys.sent_news, keys.callbacks),
    TOWNS: (keys.town,),
}
# The third part of a key (nothing: the town itself) → what it is called in reports.
FAMILIES = {
    "": "town",
    "X": "outbox rows",
    "AN": "announcements",
    "ANS": "announcements' list",
    "NEWS": "news for citizens",
    "INV": "invitations",
    "INVS": "invitations' list",
    "CB": "callbacks' health",
    "K": "cases",
    "N": "file numbers",
    "W": "search entries",
    "PH": "search entries",
    "G": "open problems' places",
    "M": "months with cases",
    "OLD": "progress of jobs",
    "DUE": "progress of jobs",
    "IM": "imports",
    "IMS": "imports",
    "GEO": "reports to other systems",
    "MEDIA": "media records",
    "P": "persons' records",
    "VOL": "volunteers' areas",
    "TEL": "phone numbers of paper cases",
    "L": "one-time links",
    "KEY": "API keys",
    "KEYS": "API keys",
    "TESTER": "testers' links",
    "EDIT": "contents prepared in the console",
    "PACE": "API keys' pace",
    "IDEM": "answers remembered",
    "STAFF": "staff",
    "SES": "sign-ins",
    "AU": "audit trail",
    "FIG": "figures",
    "RUNS": "what was deleted, in figures",
    "BUDGET": "messages paid for",
    "TH": "threads",
}
# Of the conversations table: the third part of a key that begins with an account.
_TALK_FAMILIES = {"U": "conversations", "TK": "receipts", "AN": "receipts"}


@dataclass(frozen=True, slots=True)
class Stored:
    """One item. `leads`: other things are found by it, so whoever takes things away takes those of less first."""

    table: str
    item: Item
    leads: int = 0


def everything(town: str, now: float, deadline: Deadline) -> Iterator[Stored]:
    """Every item of a town, expired ones too; some are found twice. Raises Unavailable, UnknownShape."""
    yield from _owed(town, deadline)
    yield from chain.from_iterable(_cases(town, deadline))
    yield from _people(town, deadline)
    yield from _talk(town, now, deadline)
    yield from _fixed(TOWNS, town, deadline)


def living(town: str, now: float, deadline: Deadline) -> Iterator[Stored]:
    """The same without what readers take for absent: what expired, and cases that are just being forgotten."""
    parts = (_owed(town, deadline), _living_cases(town, deadline), _people(town, deadline), _talk(town, now, deadline))
    for stored in (*parts, _fixed(TOWNS, town, deadline)):
        yield from (one for one in stored if one.item.get("exp", now + 1) > now)


def _living_cases(town: str, deadline: Deadline) -> Iterator[Stored]:
    for group in _cases(town, deadline):
        together = list(group)
        if not any(_is_forgotten(stored) for stored in together):
            yield from together


def _is_forgotten(stored: Stored) -> bool:
    """Whether it is the head of a case that is just being forgotten: only such a head has an end."""
    return stored.item["sk"] == keys.HEAD and "#K#" in stored.item["pk"] and "exp" in stored.item


def family(table: str, item: Item) -> str:
    """What an item is called in reports."""
    parts = str(item["pk"]).split("#")
    if parts[0] == "A":
        return _TALK_FAMILIES.get(parts[2], parts[2])
    kind = parts[2] if len(parts) > 2 else ""
    return FAMILIES.get(kind, f"{table} {kind}")


def belongs(town: str, table: str, item: Item) -> bool:
    """Whether an item is this town's and may stand in this table."""
    pk = str(item["pk"])
    if pk.startswith("A#") and table == TALK:
        return item.get("town") == town or item["sk"] == keys.parked_town(town) or item["sk"].startswith(keys.SEEN)
    return pk == keys.town(town) or pk.startswith(f"{keys.town(town)}#")


def people_in(stored: Stored) -> Iterator[Follower]:
    """Whose channel ids an item names, where it is about them."""
    table, item = stored.table, stored.item
    if table == TALK and item["pk"].startswith("A#") and "#U#" in item["pk"]:
        yield Follower(*item["pk"].removeprefix("A#").split("#U#", 1))
    elif table == CASES and item["sk"] == keys.HEAD and "#K#" in item["pk"]:
        case = from_item(item)
        yield from (who for who in (case.owner, *case.followers) if who)
    elif item.get("account") and item.get("citizen"):
        yield Follower(item["account"], item["citizen"])
    elif table == PEOPLE and item["sk"] == keys.VOLUNTEER:
        yield Follower(*json.loads(zlib.decompress(item["body"]))["at"])


# --- what is owed, announcements --------------------------------------------------------------------------------


def _owed(town: str, deadline: Deadline) -> Iterator[Stored]:
    """Rows stand in the index by when they are due, not by town: of the others nothing but keys is looked at."""
    own = keys.outbox(town, "")
    for shard in (*map(str, range(keys.DUE_SHARDS)), keys.dead(town), keys.sent(town)):
        found = dynamo.every(OUTBOX, "due", ("due_shard", shard), deadline)
        yield from _read(OUTBOX, ((key["pk"], key["sk"]) for key in found if key["pk"].startswith(own)), deadline)
    for listed in dynamo.every(OUTBOX, None, ("pk", keys.announcements(town)), deadline):
        yield from _announcement(town, listed["sk"].partition("#")[2], deadline)
        yield Stored(OUTBOX, listed, 2)
    for listed in dynamo.every(OUTBOX, None, ("pk", keys.invitations(town)), deadline):
        yield from _partition(OUTBOX, keys.invitation(town, listed["sk"].partition("#")[2]), deadline)
        yield Stored(OUTBOX, listed, 2)
    yield from _fixed(OUTBOX, town, deadline)


def _announcement(town: str, identifier: str, deadline: Deadline) -> Iterator[Stored]:
    store = AnnouncementStore(town)
    found = store.load(identifier, deadline)
    states = store.page_states(identifier, deadline)
    pages = found.pages if found else ()
    tokens = ((page.account, states[page.n].token) for page in pages if page.n in states)
    receipts = [(keys.receipt(account, token), keys.NOW) for account, token in tokens if token]
    used = {(keys.announcing(page.account), f"{town}#{identifier}") for page in pages}
    yield from _read(TALK, (*receipts, *sorted(used)), deadline)
    yield from _partition(OUTBOX, keys.announcement(town, identifier), deadline)


# --- cases ------------------------------------------------------------------------------------------------------


def _cases(town: str, deadline: Deadline) -> Iterator[Iterator[Stored]]:
    """A case with all that belongs to it, and another, and the rest."""
    for month in dynamo.every(CASES, None, ("pk", keys.months(town)), deadline):
        changed = ("changed_key", keys.month(town, month["sk"]))
        for key in dynamo.every(CASES, "changed", changed, deadline):
            yield _case(town, key["pk"], deadline)
        yield iter((Stored(CASES, month, 2),))
    for pk in _registered(CASES, "changed", ("changed_key", keys.register(town)), deadline):
        if pk.startswith(keys.case(town, "")):  # what a case that was never filed would have been found by
            yield _case(town, pk, deadline)
        else:
            yield _partition(CASES, pk, deadline)
    yield _fixed(CASES, town, deadline)


def _case(town: str, pk: str, deadline: Deadline) -> Iterator[Stored]:
    """A case with all that belongs to it, its head last."""
    beside, head = list(dynamo.every(CASES, None, ("pk", pk), deadline)), None
    found: list[Key] = []
    for item in beside:
        if item["sk"] == keys.HEAD:
            head = item
        elif item["sk"] == keys.WORDS:
            found += [(key, sort) for key, sort in json.loads(zlib.decompress(item["body"]))["entries"]]
    if head is not None:
        yield from _of_head(town, head, found, deadline)
    yield from _read(CASES, found, deadline)
    for item in beside:
        if item is not head:
            yield Stored(CASES, item, 1 if item["sk"] == keys.WORDS else 0)
    if head is not None:
        yield Stored(CASES, head, 1)


def _of_head(town: str, head: Item, found: list[Key], deadline: Deadline) -> Iterator[Stored]:
    """What stands elsewhere because of a case; keys of its own table are added to `found`."""
    case = from_item(head)
    place = near.item(case, case.created_at)
    if place is not None:
        found.append((place.item["pk"], place.item["sk"]))
    if case.number:
        number = dynamo.get(CASES, keys.file_number(town, case.number), keys.NOW, deadline)
        if number is not None and number["reference"] == case.reference:
            yield Stored(CASES, number)
    persons = [keys.person(who.account, who.citizen) for who in case.followers]
    followed = keys.followed(case.reference)
    yield from _read(PEOPLE, ((keys.person_of(town, person), followed) for person in persons), deadline)
    if case.kind == "chat" and case.owner:
        person = keys.person(case.owner.account, case.owner.citizen)
        yield from _partition(TALK, keys.thread(town, person), deadline)


# --- people -----------------------------------------------------------------------------------------------------


def _people(town: str, deadline: Deadline) -> Iterator[Stored]:
    for pk in _registered(PEOPLE, "audience", ("topic_key", keys.register(town)), deadline):
        digest = pk.removeprefix(keys.api_key(town, ""))
        if digest != pk:
            yield from _read(PEOPLE, [(keys.pace(town, digest[:PACE_LETTERS]), keys.NOW)], deadline)
        yield from _partition(PEOPLE, pk, deadline)
    for member in dynamo.every(PEOPLE, None, ("pk", keys.volunteers(town, EVERYONE)), deadline):
        yield from _volunteer(town, member["sk"], deadline)
        yield Stored(PEOPLE, member, 2)
    for person in dynamo.every(PEOPLE, None, ("pk", keys.staff(town)), deadline):
        sessions = str(person.get("sessions", "")).split()
        yield from _read(PEOPLE, ((keys.session(town, digest), keys.NOW) for digest in sessions), deadline)
        yield Stored(PEOPLE, person, 1)
    yield from _fixed(PEOPLE, town, deadline)


def _volunteer(town: str, person: str, deadline: Deadline) -> Iterator[Stored]:
    profile = dynamo.get(PEOPLE, keys.person_of(town, person), keys.VOLUNTEER, deadline)
    if profile is None:
        return
    areas = json.loads(zlib.decompress(profile["body"])).get("areas", ())
    member_of = ((keys.volunteers(town, area), person) for area in (ANYWHERE, *areas))
    yield from _read(PEOPLE, member_of, deadline)
    yield from _partition(PEOPLE, profile["pk"], deadline)


# --- talk -------------------------------------------------------------------------------------------------------


def _talk(town: str, now: float, deadline: Deadline) -> Iterator[Stored]:
    """Conversations by the day they were last active on; each is kept for a month after it."""
    last = dt.datetime.fromtimestamp(now, dt.UTC).date() + dt.timedelta(days=1)
    for back in range(shapes.KEPT_DAYS + LATE_DAYS, -1, -1):  # who writes meanwhile moves on to a later day
        day = (last - dt.timedelta(days=back)).isoformat()
        for key in dynamo.every(TALK, "day", ("day", keys.day(town, day)), deadline):
            yield from _conversation(town, key["pk"], deadline)


def _conversation(town: str, pk: str, deadline: Deadline) -> Iterator[Stored]:
    account, _, citizen = pk.removeprefix("A#").partition("#U#")
    yield from _partition(TALK, keys.thread(town, keys.person(account, citizen)), deadline)
    found = list(_partition(TALK, pk, deadline))
    shared = any(stored.item.get("town", town) != town for stored in found)
    for stored in found:
        is_anybodys = shared and stored.item["sk"].startswith(keys.SEEN)  # handled ids are the account's
        if belongs(town, TALK, stored.item) and not is_anybodys:
            yield stored


# --- reading ----------------------------------------------------------------------------------------------------


def _fixed(table: str, town: str, deadline: Deadline) -> Iterator[Stored]:
    return chain.from_iterable(_partition(table, pk(town), deadline) for pk in PARTITIONS.get(table, ()))


def _partition(table: str, pk: str, deadline: Deadline) -> Iterator[Stored]:
    """A partition, what leads to others in it or elsewhere last."""
    leading = []
    for item in dynamo.every(table, None, ("pk", pk), deadline):
        if str(item["sk"]).startswith(_LEADING) or "day" in item:
            leading.append(item)
        else:
            yield Stored(table, item)
    yield from (Stored(table, item, 1) for item in leading)


# A head, a volunteer's profile, a consent, the state of an announcement's page; a conversation names its day.
_LEADING = (keys.HEAD, keys.VOLUNTEER, keys.CONSENTS, keys.PAGES)


def _registered(table: str, index: str, partition: tuple[str, str], deadline: Deadline) -> Iterator[str]:
    """The partitions in which something stands in the register; it is sorted by them."""
    last = ""
    for item in dynamo.every(table, index, partition, deadline):
        if item["pk"] != last:
            last = item["pk"]
            yield last


def _read(table: str, wanted: Iterable[Key], deadline: Deadline) -> Iterator[Stored]:
    left = iter(wanted)
    while some := list(islice(left, dynamo.BATCH_KEYS_MAX)):
        found = dynamo.batch_get(table, list(dict.fromkeys(some)), deadline)
        yield from (Stored(table, item) for item in found.values())
