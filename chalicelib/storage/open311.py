"""Reports that were sent to another system by Open311: what it calls them, what was heard of them, how it fares.

One partition an endpoint, `T#<town>#GEO#<endpoint>`: a report under its reference while news of it may come, its number
there, a mark for every piece of news that was taken (so that none is taken twice), and the endpoint's own state.
"""

from __future__ import annotations

import hashlib
import json
import zlib
from collections.abc import Sequence
from typing import Any

from chalicelib.small_classes import dataclass, replace
from chalicelib.storage import dynamo, keys, register
from chalicelib.storage.dynamo import Item, Key, Write
from chalicelib.wire import Deadline

TABLE = "cases"
SHAPE = 1
KEPT_DAYS = 400
ERROR_CHARS_MAX = 300
REPORTS_MAX = 2000  # of one endpoint, open at once; older ones are asked after first
SENDING, WAITING, SENT, FAILED = "sending", "token", "sent", "failed"


@dataclass(frozen=True, slots=True)
class Report:
    """One report there. `state`: sending (nobody knows yet whether it arrived), token (it has a token for a number),
    sent, failed (given up until a person says otherwise; `error` says why).

    `at` is when it was first sent, in epoch seconds; `doubts` how often the answer was lost; `v` 0 = not stored yet.
    `told`: how many entries of the case's history it knows (0: those before its own first), `files` how many of its
    files, `pin` which place on the map ("lat, long"); `lost` how often it was told of the next entry without an answer,
    last at `lost_at`. `rests`: no news of it is asked for any more.
    """

    town: str
    endpoint: str
    reference: str
    state: str
    at: int
    number: str = ""
    token: str = ""
    doubts: int = 0
    error: str = ""
    told: int = 0
    files: int = 0
    pin: str = ""
    lost: int = 0
    lost_at: int = 0
    rests: bool = False
    v: int = 0

    @property
    def is_there(self) -> bool:
        """Whether the other system has it."""
        return self.state in (WAITING, SENT)


@dataclass(frozen=True, slots=True)
class Health:
    """How an endpoint fares: until when its news is taken, when it last answered, since when it fails and why."""

    until: int = 0
    heard_at: int = 0
    failing_since: int = 0
    failures: int = 0
    error: str = ""


def load(town: str, endpoint: str, reference: str, now: float, deadline: Deadline) -> Report | None:
    """What is known of a report there; one read, or two."""
    for sort in (keys.away_report(reference), keys.away_at_rest(reference)):
        item = dynamo.get(TABLE, keys.sent_away(town, endpoint), sort, deadline)
        if item and item["exp"] > now:
            return _report(town, endpoint, item)
    return None


def item(report: Report) -> Write:
    """The report as part of a transaction, if nobody was faster."""
    body = {
        "at": report.at,
        "number": report.number,
        "token": report.token,
        "doubts": report.doubts,
        "error": report.error[:ERROR_CHARS_MAX],
        "told": report.told,
        "files": report.files,
        "pin": report.pin,
        "lost": report.lost,
        "lost_at": report.lost_at,
    }
    stored = _there(report.town, report.endpoint) | {
        "sk": keys.away_at_rest(report.reference) if report.rests else keys.away_report(report.reference),
        "shape": SHAPE,
        "v": report.v + 1,
        "reference": report.reference,
        "state": report.state,
        "body": _packed(body),
        "exp": report.at + KEPT_DAYS * 86400,
    }
    return Write(TABLE, stored, expected_v=report.v)


def numbered(report: Report) -> Write:
    """Where the number there leads to the case."""
    stored = _there(report.town, report.endpoint) | {
        "sk": keys.away_number(_digest(report.number)),
        "shape": SHAPE,
        "reference": report.reference,
        "exp": report.at + KEPT_DAYS * 86400,
    }
    return Write(TABLE, stored)


def save(report: Report, deadline: Deadline) -> None:
    """Write it down. Raises Conflict if somebody was faster."""
    dynamo.put(TABLE, item(report).item, deadline, expected_v=report.v)


def rest(report: Report, deadline: Deadline) -> None:
    """No more news of it is asked for; it is known still, should the case be opened again. Twice is the same."""
    aside = item(replace(report, rests=True)).item
    dynamo.put(TABLE, aside, deadline)
    forget(report, deadline)


def forget(report: Report, deadline: Deadline) -> None:
    """It is not on its way there, nor was it."""
    dynamo.delete(TABLE, keys.sent_away(report.town, report.endpoint), keys.away_report(report.reference), deadline)


def open_reports(town: str, endpoint: str, now: float, deadline: Deadline) -> list[Report]:
    """The reports that are on their way there, or of which news may still come."""
    pk = ("pk", keys.sent_away(town, endpoint))
    start, end = keys.away_report(""), keys.away_report("~")
    items = dynamo.page(TABLE, None, pk, deadline, sort="sk", start=start, end=end, limit=REPORTS_MAX)
    return [_report(town, endpoint, each) for each in items if each["exp"] > now]


def references(town: str, endpoint: str, numbers: Sequence[str], now: float, deadline: Deadline) -> dict[str, str]:
    """The cases of some numbers there, by the number; other people's numbers are left out."""
    pk = keys.sent_away(town, endpoint)
    wanted = {number: (pk, keys.away_number(_digest(number))) for number in dict.fromkeys(numbers) if number}
    found = _living(list(wanted.values()), now, deadline)
    return {number: str(found[key]["reference"]) for number, key in wanted.items() if key in found}


def taken(town: str, endpoint: str, news: Sequence[str], now: float, deadline: Deadline) -> set[str]:
    """Which of these pieces of news were taken already."""
    pk = keys.sent_away(town, endpoint)
    wanted = {each: (pk, keys.away_news(_digest(each))) for each in dict.fromkeys(news)}
    found = _living(list(wanted.values()), now, deadline)
    return {each for each, key in wanted.items() if key in found}


def mark(town: str, endpoint: str, news: str, now: float) -> Write:
    """That a piece of news was taken, as part of the transaction that takes it; a second one raises Duplicate."""
    stored = _there(town, endpoint) | {
        "sk": keys.away_news(_digest(news)),
        "shape": SHAPE,
        "exp": int(now) + KEPT_DAYS * 86400,
    }
    return Write(TABLE, stored, unique=True)


def health(town: str, endpoint: str, deadline: Deadline) -> Health:
    """How the endpoint fares, as last noted."""
    item = dynamo.get(TABLE, keys.sent_away(town, endpoint), keys.NOW, deadline)
    return Health(**json.loads(zlib.decompress(item["body"]))) if item else Health()


def note(town: str, endpoint: str, found: Health, deadline: Deadline) -> None:
    """Write down how it fares; of two at once either may win."""
    body = {
        "until": found.until,
        "heard_at": found.heard_at,
        "failing_since": found.failing_since,
        "failures": found.failures,
        "error": found.error[:ERROR_CHARS_MAX],
    }
    stored = _there(town, endpoint) | {"sk": keys.NOW, "shape": SHAPE, "body": _packed(body)}
    dynamo.put(TABLE, stored, deadline)


def _there(town: str, endpoint: str) -> dict[str, Any]:
    """Where it all stands, and how that is found when the endpoint is in no configuration any more."""
    pk = keys.sent_away(town, endpoint)
    return {"pk": pk} | register.of_cases(town, pk)


def _living(wanted: list[Key], now: float, deadline: Deadline) -> dict[Key, Item]:
    """The items there are under some keys; what has expired is not there."""
    found = dynamo.batch_get(TABLE, wanted, deadline) if wanted else {}
    return {key: item for key, item in found.items() if item["exp"] > now}


def _report(town: str, endpoint: str, item: dict[str, Any]) -> Report:
    body = json.loads(zlib.decompress(item["body"]))
    return Report(
        town=town,
        endpoint=endpoint,
        reference=item["reference"],
        state=item["state"],
        at=body["at"],
        number=body.get("number", ""),
        token=body.get("token", ""),
        doubts=body.get("doubts", 0),
        error=body.get("error", ""),
        told=body.get("told", 0),
        files=body.get("files", 0),
        pin=body.get("pin", ""),
        lost=body.get("lost", 0),
        lost_at=body.get("lost_at", 0),
        rests=item["sk"] == keys.away_at_rest(item["reference"]),
        v=item["v"],
    )


def _digest(said: str) -> str:
    return hashlib.blake2b(said.encode("utf-8", "replace"), digest_size=12).hexdigest()


def _packed(body: dict[str, Any]) -> bytes:
    return zlib.compress(json.dumps(body, ensure_ascii=False).encode("utf-8", "replace"))
