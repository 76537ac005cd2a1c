"""A town brought back from a file (`./salter town restore`), into a stage that has nothing of it.

Everything is written whole and under its own key, so doing it again changes nothing; how far it has come stands beside
the town (`RESTORE`). Until the end the town has no pointer, so that no door serves it. In order: items and objects, the
count, the erasures since the file was made, what is still to be done, the pointer (suspended).

Nothing of the past is sent again: lanes come back empty, announcements under way come back stopped and none with the
ids it was sent to, e-mails and SMS that waited do not come back, other rows that would tell or ask anybody anything
come back dead, for a person to revive, and deadlines that passed are not spoken of.
"""

from __future__ import annotations

import os
import time
from dataclasses import dataclass, replace
from pathlib import Path

from chalicelib.actions import erase, known
from chalicelib.model import Follower, SalterError
from chalicelib.storage import audit, aws, dynamo, erased, keys, outbox, sealing, shapes, tenants, watches, whole
from chalicelib.storage.dynamo import Item, Write
from chalicelib.storage.whole import Stored
from chalicelib.wire import Deadline
from infra.archive import Reader
from infra.take_out import OBJECTS, RESTORING, SECONDS_MAX, TOLD_EVERY, Sum, Tell, lasting, listed

USABLE_DAYS = 365  # after which the list of the erased may no longer be whole (`erased.KEPT_DAYS`)
AHEAD_SECONDS = 86400  # before the file was begun: an erasure asked for then may have been at work during it
HELD_BACK = "restored: not sent again"
OWN_KINDS = frozenset({"purge", "index_case", "erase", "forget_media"})  # they change our own data and tell nobody
WORDS_TO_PEOPLE = frozenset({"email", "sms"})  # they may name somebody who was erased since
UNDER_WAY = frozenset({"approved", "sending", "paused"})
RESTORED, REASON = "town_restored", "restored from a file"
WRITING, WRITTEN, DONE = "writing", "written", "done"
KEY_REFUSED = "KMS of this stage does not open the town's data key: personal numbers could not be read"


class Impossible(SalterError):
    """It cannot be brought back here, or not like this; the message says why and what to do. Nothing was written."""


class Unequal(SalterError):
    """What stands there is not what was written. Look for who else writes to the town; run it again."""


@dataclass(frozen=True, slots=True)
class Brought:
    """What came of it: items and objects by family; of those left out how many had expired, were owed to somebody, or
    are of people who talk to another town by now; how many people were erased once more."""

    town: str
    counts: dict[str, int]
    expired: int
    held_back: int
    foreign: int
    erased: int


def bring_back(path: Path, resume: bool, by: str, identifier: str, now: float, tell: Tell) -> Brought:
    """Bring the town of the file back. Raises NotWhole, Impossible, Unequal, Unavailable."""
    file, deadline = Reader(path), Deadline(SECONDS_MAX)
    town = str(file.manifest["town"])
    tell("reading the file through")
    file.check()
    _check_owner(file, town)
    began_at, phase = _admitted(file, town, resume, now, deadline)
    done = _write(file, town, began_at, deadline, tell, dry=phase != WRITING)
    if phase == WRITING:
        _compare(town, done.written, done.objects, began_at, deadline, tell)
        _note(file, town, began_at, WRITTEN, deadline)
    gone = 0
    if phase != DONE:
        gone = _erase_again(file, town, now, deadline, tell)
        _finish(file, town, by, identifier, began_at, now, deadline)
    counts = dict(done.written.counts) | {OBJECTS: done.objects}
    return Brought(town, counts, done.expired, done.held_back, done.foreign, gone)


# --- may it be ----------------------------------------------------------------------------------------------------


def _admitted(file: Reader, town: str, resume: bool, now: float, deadline: Deadline) -> tuple[int, str]:
    """Since when it is being brought back, and how far that has come. Raises Impossible."""
    age_days = (now - file.manifest["begun_at"]) / 86400
    if age_days > USABLE_DAYS:
        raise Impossible(
            f"the file is {age_days:.0f} days old: who was erased since is known for {USABLE_DAYS} days only"
        )
    item = dynamo.get(tenants.TABLE, keys.town(town), RESTORING, deadline)
    if item is not None and resume and item["digest"] == file.checksum:
        return int(item["published_at"]), str(item["state"])
    if item is not None and item["state"] != DONE:
        how = "with --resume and the same file" if item["digest"] == file.checksum else "from another file"
        raise Impossible(f"{town} was being restored and was interrupted; go on {how}, or retire it first")
    if tenants.pointer(town, deadline) or next(lasting(town, now, deadline), None):
        raise Impossible(f"{town} is not empty on this stage; retire it first: ./salter town retire {town}")
    if file.manifest["data_key"] and not sealing.opens(town, file.manifest["data_key"], deadline):
        raise Impossible(KEY_REFUSED)
    _note(file, town, int(now), WRITING, deadline)
    return int(now), WRITING


def _check_owner(file: Reader, town: str) -> None:
    """Raises Impossible if anything in the file would be written where it is not the town's."""
    for stored in file.items():
        if stored.table not in whole.TABLES or not whole.belongs(town, stored.table, stored.item):
            raise Impossible(f"the file holds what is not {town}'s, in {stored.table}")
    for kept in file.objects():
        if not kept.key.startswith(keys.objects(town)[0]):
            raise Impossible(f"the file holds an object that is not {town}'s")


def _note(file: Reader, town: str, began_at: int, phase: str, deadline: Deadline) -> None:
    dynamo.put(tenants.TABLE, _progress(file, town, began_at, phase), deadline)


def _progress(file: Reader, town: str, began_at: int, phase: str) -> Item:
    item = {"pk": keys.town(town), "sk": RESTORING, "shape": tenants.SHAPE, "digest": file.checksum}
    return item | {"published_at": began_at, "state": phase}


# --- items and objects --------------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Done:
    written: Sum
    objects: int = 0
    expired: int = 0
    held_back: int = 0
    foreign: int = 0


def _write(file: Reader, town: str, began_at: int, deadline: Deadline, tell: Tell, *, dry: bool) -> _Done:
    """Everything but the pointer and what is still to be done. `dry`: it stands already and is only counted."""
    done, waiting = _Done(Sum()), dict[str, list[Item]]()
    for stored in file.items():
        if stored.item.get("exp", began_at + 1) <= began_at:
            done.expired += 1
            continue
        after = _as_it_comes_back(stored, town, began_at)
        if after is None:
            done.held_back += stored.table != whole.TOWNS and not _is_to_be_done(stored)
            continue
        if not dry and _is_elsewhere(after, town, deadline):
            done.foreign += 1
            continue
        done.written.add(after)
        some = waiting.setdefault(after.table, [])
        some.append(after.item)
        if len(some) == dynamo.BATCH_WRITES_MAX and not dry:
            dynamo.batch_write(after.table, some, (), deadline)
            some.clear()
        if done.written.counts.total() % TOLD_EVERY == 0:
            tell(f"{done.written.counts.total()} items so far")
    for table, some in waiting.items():
        if some and not dry:
            dynamo.batch_write(table, some, (), deadline)
    done.objects = _put_objects(file, deadline, tell, dry=dry)
    return done


def _put_objects(file: Reader, deadline: Deadline, tell: Tell, *, dry: bool) -> int:
    bucket, count = os.environ["SALTER_MEDIA_BUCKET"], 0
    for kept in file.objects():
        count += 1
        if not dry and aws.head_object(bucket, kept.key, deadline) != (kept.size, kept.type):
            aws.put_object(bucket, kept.key, file.body(kept), kept.type, deadline)
        if count % TOLD_EVERY == 0:
            tell(f"{count} objects so far")
    return count


def _as_it_comes_back(stored: Stored, town: str, at: int) -> Stored | None:
    """An item as it may stand again: nothing in it gets anything sent. None for what comes later, or not at all."""
    table, item = stored.table, stored.item
    if table == whole.TOWNS and item["sk"] == keys.NOW:
        return None
    if table == whole.TALK and item["pk"].startswith("A#") and "#U#" in item["pk"]:
        return None if item["sk"].startswith(keys.OVERFLOW) else replace(stored, item=_plain(item))
    if table == whole.OUTBOX and item["pk"].startswith(keys.outbox(town, "")):
        comes = item["state"] not in outbox.OPEN_STATES or item["kind"] not in (*OWN_KINDS, *WORDS_TO_PEOPLE)
        return replace(stored, item=_held_back(item, town, at)) if comes else None
    if table == whole.OUTBOX and item["sk"].startswith(keys.RECEIVERS):
        return None
    if table == whole.OUTBOX and item["sk"] == keys.HEAD and item["state"] in UNDER_WAY:
        return replace(stored, item=item | {"state": "stopped"})
    return stored


def _plain(item: Item) -> Item:
    """A conversation without its lane. Without `None`s, for it is compared with what is read back."""
    if item["sk"].startswith(keys.SEEN):
        return item
    return {name: value for name, value in shapes.without_lane(item).items() if value is not None}


def _is_to_be_done(stored: Stored) -> bool:
    item = stored.item
    is_row = stored.table == whole.OUTBOX and "#X#" in item["pk"]
    return is_row and item["state"] in outbox.OPEN_STATES and item["kind"] in OWN_KINDS


def _held_back(item: Item, town: str, at: int) -> Item:
    """A row that is settled stays so; one that is owed is dead until a person revives it."""
    if item["state"] not in outbox.OPEN_STATES:
        return item
    kept = {name: value for name, value in item.items() if name != "lease_by"}
    dead = {"state": "dead", "error": HELD_BACK, "due_shard": keys.dead(town), "due_at": at}
    return kept | dead | {"exp": at + outbox.KEPT_DAYS * 86400}


def _is_elsewhere(stored: Stored, town: str, deadline: Deadline) -> bool:
    """Whether the citizen talks to another town of the account by now: that conversation is not ours to replace."""
    if stored.table != whole.TALK or stored.item["sk"] != keys.NOW or "town" not in stored.item:
        return False
    there = dynamo.get(whole.TALK, stored.item["pk"], keys.NOW, deadline)
    return there is not None and there.get("town") != town


# --- the count ----------------------------------------------------------------------------------------------------

COMPARED_TIMES_MAX = 5
LAG_SECONDS = 2.0  # for which an index may be behind


def _compare(town: str, written: Sum, objects: int, at: int, deadline: Deadline, tell: Tell) -> None:
    """Walk the town as an export does, and compare. Raises Unequal."""
    tell("counting what stands there")
    for left in range(COMPARED_TIMES_MAX, 0, -1):
        found = Sum()
        for stored in lasting(town, at, deadline):
            found.add(stored)
        differences = written.differences(found)
        count = sum(1 for _ in listed(os.environ["SALTER_MEDIA_BUCKET"], keys.objects(town)[0], deadline))
        if count != objects:
            differences.append(f"{OBJECTS}: {objects} and {count}")
        if not differences:
            return
        if left > 1:
            time.sleep(LAG_SECONDS)
    raise Unequal("in the file and there: " + "; ".join(differences))


# --- who was erased since -----------------------------------------------------------------------------------------


def _erase_again(file: Reader, town: str, now: float, deadline: Deadline, tell: Tell) -> int:
    """Everybody who was erased after the file was begun, once more. How many."""
    since = erased.since(town, file.manifest["begun_at"] - AHEAD_SECONDS, deadline)
    if not since:
        return 0
    tell(f"erasing {len(since)} people once more")
    named: dict[str, Follower] = {}
    for stored in file.items():
        for who in whole.people_in(stored):
            person = keys.person(who.account, who.citizen)
            if person in since:
                named[person] = who
    for person, at in since.items():
        erase.again(town, person, named.get(person), at, now, deadline)
    return len(since)


# --- the end ------------------------------------------------------------------------------------------------------


def _finish(file: Reader, town: str, by: str, identifier: str, began_at: int, now: float, deadline: Deadline) -> None:
    """What is still to be done, the deadlines' watch, the accounts; then the pointer, which makes it a town again."""
    pointer: Item = {}
    for stored in file.items():
        if stored.table == whole.TOWNS and stored.item["sk"] == keys.NOW:
            pointer = stored.item
        elif _is_to_be_done(stored):
            dynamo.put(outbox.TABLE, _due(stored.item), deadline)
    watch = watches.load(town, deadline)
    watches.save(town, replace(watch, until=max(int(now), watch.until)), deadline)
    sealing.forget()
    sealing.ensure(town, deadline)  # an old file may be of a town that had sealed nothing
    _serve(file, town, deadline)
    act = audit.Act(now, by, RESTORED, detail={"checksum": file.checksum[:16]})
    writes = [
        Write(tenants.TABLE, pointer | _suspended(pointer, by, now)),
        Write(tenants.TABLE, {"pk": keys.TOWNS, "sk": town, "shape": tenants.SHAPE}),
        Write(tenants.TABLE, _progress(file, town, began_at, DONE)),
        audit.item(town, act, identifier),
    ]
    dynamo.transact(writes, deadline)
    known.forget()


def _suspended(pointer: Item, by: str, now: float) -> Item:
    """Its state for the beginning, and the one in which that ends."""
    before = pointer["state"] if pointer["state"] != tenants.SUSPENDED else pointer.get("before")
    return {"state": tenants.SUSPENDED, "before": before, "reason": REASON, "by": by, "changed_at": int(now)}


def _due(item: Item) -> Item:
    """A row nobody holds."""
    kept = {name: value for name, value in item.items() if name != "lease_by"}
    return kept | {"state": "due", "due_shard": keys.due_shard(item["pk"])}


def _serve(file: Reader, town: str, deadline: Deadline) -> None:
    for account, said in file.manifest["accounts"].items():
        name, spoken = account.partition(":")[2], said.get("spoken", ())
        serving = tenants.serving(name, town, said["name"], said["number"], spoken, deadline)
        if serving:
            dynamo.transact(serving, deadline)
