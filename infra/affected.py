"""`./salter town affected`: whose cases somebody got at, for the notice after a breach (72 hours under the GDPR).

Staff open cases on record, so theirs are listed one by one. A key of a town's system may read every case its scope
covers and its reads are not recorded singly: for a key every case of the town that there was counts as affected.
"""

from __future__ import annotations

import argparse
import datetime as dt
import sys
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from infra.stage import default_stage

if TYPE_CHECKING:
    from chalicelib.storage.audit import Act

SECONDS = 60.0
DAYS_MAX = 400
CASES_AT_ONCE = 200


def add_command(town: Any, stage: argparse.ArgumentParser) -> None:
    """Put it below `./salter town`."""
    command = town.add_parser("affected", parents=[stage], help="whose cases a member of staff or a key got at")
    command.add_argument("slug")
    command.add_argument("--by", required=True, help="staff:<id> or api:<key's name>, as the audit trail has it")
    command.add_argument("--from", dest="first", required=True, help="e.g. 2026-03-10T10:00+01:00")
    command.add_argument("--to", dest="last", required=True)
    command.set_defaults(run=_affected)


def _affected(parsed: argparse.Namespace) -> int:
    default_stage(parsed)
    try:
        first, last = (dt.datetime.fromisoformat(at) for at in (parsed.first, parsed.last))
    except ValueError as error:
        print(f"not a time: {error}", file=sys.stderr)
        return 1
    if first.tzinfo is None or last.tzinfo is None or not first <= last < first + dt.timedelta(days=DAYS_MAX):
        print(f"give two times with their offset, in order, at most {DAYS_MAX} days apart", file=sys.stderr)
        return 1
    told = list(_lines(parsed.slug, parsed.by, first.timestamp(), last.timestamp()))
    print("\n".join([*told, f"{len(told)} cases"]))
    return 0


def _lines(slug: str, by: str, first: float, last: float) -> Iterator[str]:
    if by.startswith("api:"):
        yield from _all_cases(slug, last)
        return
    cases: dict[str, list[str]] = {}
    for act in acts(slug, by, first, last):
        if act.about:
            cases.setdefault(act.about, []).append(act.what)
    yield from (f"{about}: {', '.join(sorted(set(whats)))}" for about, whats in sorted(cases.items()))


def acts(slug: str, by: str, first: float, last: float) -> Iterable[Act]:
    """What somebody did and saw in that time, by the audit trail."""
    from chalicelib.storage import audit
    from chalicelib.wire import Deadline

    deadline = Deadline(SECONDS)
    day, end = (dt.datetime.fromtimestamp(at, dt.UTC).date() for at in (first, last))
    while day <= end:
        cursor: str | None = ""
        while cursor is not None:
            page, cursor = audit.of_day(slug, day.isoformat(), deadline, cursor)
            yield from (act for act in page if act.by == by and first <= act.at <= last)
        day += dt.timedelta(days=1)


def _all_cases(slug: str, last: float) -> Iterator[str]:
    from chalicelib.storage.cases import CaseStore
    from chalicelib.wire import Deadline

    deadline, cursor = Deadline(SECONDS), ""
    while True:
        page = CaseStore(slug).changed_page(CASES_AT_ONCE, deadline, cursor)
        yield from (f"{case.reference}: readable by the key" for case in page.cases if case.created_at <= last)
        if page.cursor is None:
            return
        cursor = page.cursor
