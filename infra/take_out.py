"""A town's whole data taken out into one file (`./salter town export`). The town may go on working meanwhile.

What is only good for a moment stays behind: sign-ins, the pace of API keys, what expired, copies of citizens' data,
uploads nobody has checked. Secrets (Viber's token) and staff's passwords are not in the tables, nor in the file.
"""

from __future__ import annotations

import base64
import hashlib
import os
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

from chalicelib.model import SalterError
from chalicelib.storage import audit, aws, dynamo, keys, tenants, whole
from chalicelib.storage.whole import Stored
from chalicelib.wire import Deadline
from infra.archive import Writer, line_of

SECONDS_MAX = 24 * 3600.0
OBJECT_BYTES_MAX = 64 * 1024 * 1024
LISTED_AT_ONCE = 1000
TOLD_EVERY = 5000  # items and objects
EXPORTED = "town_exported"
OBJECTS = "objects"
MOMENTARY = frozenset({whole.FAMILIES["SES"], whole.FAMILIES["PACE"]})
RESTORING = "RESTORE"  # beside a town: it is being brought back, and is not whole yet

Tell = Callable[[str], None]


class NoTown(SalterError):
    """The stage has no town of this name."""


def take_out(
    slug: str, path: Path, by: str, identifier: str, now: float, tell: Tell, as_of: float | None = None
) -> dict[str, Any]:
    """Write the file; its manifest. `by` stands in the town's audit trail, with a fresh `identifier`. `as_of`: the
    moment the tables hold, if that is an earlier one, so that whoever was erased since stays so. Raises NoTown,
    Unavailable."""
    deadline = Deadline(SECONDS_MAX)
    pointer = tenants.pointer(slug, deadline)
    if pointer is None:
        raise NoTown(f"{slug}: not on this stage; see ./salter town list")
    with Writer(path) as writer:
        counts = _copy(slug, writer, now, deadline, tell)
        said = {
            "town": slug,
            "stage": os.environ.get("SALTER_STAGE", ""),
            "begun_at": int(now if as_of is None else as_of),
            "version": pointer.version,
            "state": pointer.state,
            "accounts": _accounts(slug, deadline),
            "data_key": _data_key(slug, deadline),
            "counts": dict(sorted(counts.items())),
        }
        manifest = writer.finish(said)
    act = audit.Act(now, by, EXPORTED, detail={"checksum": manifest["checksum"][:16]})
    audit.record(slug, act, identifier, deadline)
    return manifest


def _copy(slug: str, writer: Writer, now: float, deadline: Deadline, tell: Tell) -> Counter[str]:
    counts = Counter[str]()
    for stored in lasting(slug, now, deadline):
        writer.item(stored)
        counts[whole.family(stored.table, stored.item)] += 1
        _tell(counts, tell)
    for key, media_type, body in _objects(slug, deadline):
        writer.object(key, media_type, body)
        counts[OBJECTS] += 1
        _tell(counts, tell)
    return counts


def lasting(slug: str, now: float, deadline: Deadline) -> Iterator[Stored]:
    """Each item that is taken along, once."""
    for stored in once(whole.living(slug, now, deadline)):
        kept = whole.family(stored.table, stored.item) not in MOMENTARY and stored.item["sk"] != RESTORING
        if kept and whole.belongs(slug, stored.table, stored.item):
            yield stored


def once(found: Iterator[Stored]) -> Iterator[Stored]:
    """Each item the first time it is found. What was seen stands in a file, not in memory."""
    with closing(sqlite3.connect("")) as seen:  # "" is a temporary file that goes with the connection
        seen.execute("PRAGMA journal_mode=OFF")
        seen.execute("CREATE TABLE seen (key BLOB PRIMARY KEY) WITHOUT ROWID")
        for stored in found:
            name = f"{stored.table}\0{stored.item['pk']}\0{stored.item['sk']}".encode()
            key = hashlib.blake2b(name, digest_size=16).digest()
            if seen.execute("INSERT OR IGNORE INTO seen VALUES (?)", (key,)).rowcount:
                yield stored


class Sum:
    """How many items of each family there are, and a figure that differs if any of them does, in whatever order."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self._sums: Counter[str] = Counter()

    def add(self, stored: Stored) -> None:
        family = whole.family(stored.table, stored.item)
        self.counts[family] += 1
        digest = hashlib.sha256(line_of(stored).encode()).digest()
        self._sums[family] = (self._sums[family] + int.from_bytes(digest[:16], "big")) % 2**128

    def differences(self, other: Sum) -> list[str]:
        """The families in which they differ, with both counts."""
        families = sorted({*self.counts, *other.counts})
        return [
            f"{family}: {self.counts[family]} and {other.counts[family]}"
            + (", of different content" if self.counts[family] == other.counts[family] else "")
            for family in families
            if (self.counts[family], self._sums[family]) != (other.counts[family], other._sums[family])
        ]


def _objects(slug: str, deadline: Deadline) -> Iterator[tuple[str, str, bytes]]:
    """Every object that lasts, one at a time: key, media type, bytes."""
    bucket = os.environ["SALTER_MEDIA_BUCKET"]
    kept, copies = keys.objects(slug)[0], keys.exports(slug, "").rstrip("/") + "/"
    for key in listed(bucket, kept, deadline):
        looked = aws.head_object(bucket, key, deadline) if not key.startswith(copies) else None
        body = aws.get_object(bucket, key, OBJECT_BYTES_MAX, deadline) if looked else None
        if looked and body is not None:  # else it was erased just now
            yield key, looked[1], body


def listed(bucket: str, prefix: str, deadline: Deadline) -> Iterator[str]:
    """Every key that begins so."""
    after = ""
    while True:
        found = aws.list_objects(bucket, prefix, deadline, after)
        yield from found
        if len(found) < LISTED_AT_ONCE:
            return
        after = found[-1]


def _accounts(slug: str, deadline: Deadline) -> dict[str, Mapping[str, Any]]:
    """The Viber accounts that list the town: how it is called there, its number in slips' links, what
    citizens call it."""
    found: dict[str, Mapping[str, Any]] = {}
    for account_id in tenants.accounts_of(slug, deadline):
        channel, _, name = account_id.partition(":")
        record = tenants.account(channel, name, deadline)
        if record is not None and slug in record.towns:
            found[account_id] = {
                "name": record.names.get(slug, slug),
                "number": record.numbers.get(slug),
                "spoken": list(record.spoken.get(slug, ())),
            }
    return found


def _data_key(slug: str, deadline: Deadline) -> str:
    """The town's wrapped data key: who reads the file asks KMS first whether it still opens."""
    item = dynamo.get(tenants.TABLE, keys.town(slug), keys.DATA_KEY, deadline)
    return base64.b64encode(item["wrapped"]).decode() if item else ""


def _tell(counts: Counter[str], tell: Tell) -> None:
    total = counts.total()
    if total % TOLD_EVERY == 0:
        tell(f"{total} so far")
