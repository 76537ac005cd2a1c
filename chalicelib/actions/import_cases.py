"""Takes a file of cases row by row: a new file number files a case, a known one is an event of that case.

A row that says nothing new is `unchanged`, so a whole file may be sent again at any time, and an interrupted import
goes on by being sent again. For what a town's system sends in one request, and as the outbox's kind `import_cases` for
files laid into the bucket: those are worked in slices, each noted with its outcomes before the next one begins.
"""

from __future__ import annotations

import csv
import hashlib
import io
import os
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from secrets import token_hex
from typing import Any

from chalicelib.actions import index_case, known, paper_case, word_reminders, work_outbox
from chalicelib.actions.change_case import change_case
from chalicelib.actions.journal import log
from chalicelib.actions.manage_staff import ADMIN
from chalicelib.actions.paper_case import Paper
from chalicelib.cases import case_file, routing
from chalicelib.cases.case_file import BadFile, Row
from chalicelib.cases.lifecycle import Event, NotAllowed
from chalicelib.integrations.answers import STATUSES
from chalicelib.integrations.case_api import CaseEvent, NewCase, checked
from chalicelib.model import Case, Conflict, Refused, SendFailed, Town, Unavailable
from chalicelib.small_classes import dataclass, replace
from chalicelib.storage import audit, aws, dynamo, imports, keys, outbox, search, staff
from chalicelib.storage.audit import Act
from chalicelib.storage.cases import CaseStore
from chalicelib.storage.dynamo import Duplicate
from chalicelib.storage.imports import DONE, GOING, REFUSED, Import
from chalicelib.wire import Deadline

CHANNEL = "import"
KIND = "import_cases"
ROWS_MAX = 50_000
BYTES_MAX = 32 * 1024 * 1024
SLICE_ROWS = 200
SLICE_SECONDS_NEEDED = 8.0  # with less left, the next slice is another's
NUMBER_CHARS_MAX = 60
AT_ONCE = 8  # rows worked side by side; rows of one number stay in order
APPLIED, UNCHANGED, REJECTED = "applied", "unchanged", "rejected"
READERS_MAX = 20  # admins who are told of a file, as many as fit into its last commit
RESULT_ENDING = ".result.csv"
RESULT_COLUMNS = ("line", "number", "outcome", "reference", "field", "reason")
_EVENT_COLUMNS = ("official", "awaiting_institution", "public_note")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a row; `field` and `reason` (a stable word) where it was rejected."""

    line: int
    number: str
    what: str
    reference: str = ""
    field: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class _Source:
    """Whose file it is: `by` stands in histories, `since` is when the import began (0: nobody asks)."""

    town: Town
    by: str
    now: float
    since: int = 0


def take(town: Town, rows: Sequence[Row], by: str, now: float, deadline: Deadline, since: int = 0) -> list[Outcome]:
    """The outcome of every row, in order. `since`: what this import itself did since then counts as applied, for it was
    interrupted and is at it again. Raises Unavailable with some rows done; to send them again does nothing twice."""
    source = _Source(town, by, now, since)
    store = CaseStore(town.slug)
    numbers = [row.cells["number"] for row in rows if "number" in row.cells]
    there = store.references_of([each for each in numbers if len(each) <= NUMBER_CHARS_MAX], deadline)
    cases = {case.reference: case for case in store.several(list(dict.fromkeys(there.values())), deadline)}
    groups: dict[str, list[int]] = {}
    for at, row in enumerate(rows):
        groups.setdefault(keys.folded_number(row.cells.get("number", f"line {row.line}")), []).append(at)
    outcomes: dict[int, Outcome] = {}

    def work(group: list[int]) -> None:
        for nth, at in enumerate(group):
            row = rows[at]
            case = cases.get(there.get(row.cells.get("number", ""), "")) if nth == 0 else None
            fresh = replace(source, since=0) if nth else source
            outcomes[at] = _taken(fresh, store, row, case, deadline, look=nth > 0)

    with ThreadPoolExecutor(max_workers=AT_ONCE) as pool:
        for _ in pool.map(work, groups.values()):
            pass
    return [outcomes[at] for at in range(len(rows))]


def work(body: Mapping[str, Any], town: str, now: float, deadline: Deadline) -> None:
    """Go on with an import where it stands, as long as there is time; then owe the rest. Raises SendFailed."""
    place = known.town(town, deadline)
    job = imports.load(town, str(body["id"]), now, deadline)
    if job is None or job.state != GOING:
        return
    if place is None:
        raise SendFailed("no_town", retryable=True)
    try:
        _worked(place, job, now, deadline)
    except Conflict:
        return  # another function has this import in its hands, and it notes what it does


def kept(town: str, identifier: str, written: bytes, deadline: Deadline) -> str:
    """The key of a copy of the file as it is now: whoever may still write over the file itself changes nothing."""
    key = keys.import_copy(town, identifier, hashlib.blake2b(written, digest_size=12).hexdigest())
    aws.put_object(_bucket(), key, written, "text/csv", deadline)
    return key


def start(job: Import, act: Act, now: float, deadline: Deadline) -> None:
    """Have a file that lies in the bucket worked through; to ask twice is the same."""
    row = outbox.write(job.town, KIND, {"id": job.id}, now, row=f"import-{job.id}")
    record = audit.item(job.town, act, job.id[:8])
    try:
        dynamo.transact([row, imports.item(job), imports.listed(job), record], deadline)
    except Duplicate:
        return
    work_outbox.ring((row,), now, deadline)


def result_of(job: Import, deadline: Deadline) -> str:
    """The outcome of every row done so far as CSV that no spreadsheet runs; of a file that was refused, why."""
    written = io.StringIO()
    writer = csv.writer(written, delimiter=";", lineterminator="\r\n")
    writer.writerow(RESULT_COLUMNS)
    if job.state == REFUSED:
        writer.writerow(["", "", REFUSED, "", "", job.reason])
    for line, number, what, reference, field, reason in imports.outcomes(job, deadline):
        writer.writerow([line, case_file.safe_cell(str(number)), what, reference, field, reason])
    return "\ufeff" + written.getvalue()


# --- slices -----------------------------------------------------------------------------------------------------


def _worked(town: Town, job: Import, now: float, deadline: Deadline) -> None:
    if job.rows and job.next_row >= job.rows:
        _finish(town, job, now, deadline)
        return
    try:
        written = _written(job, deadline)
        # Counted once; then rows are read as they are worked, so that a long file takes no more memory than its bytes.
        count = job.rows or _count(written)
    except BadFile as bad:
        _finish(town, replace(job, state=REFUSED, reason=bad.reason), now, deadline)
        return
    _slices(town, replace(job, rows=count), islice(case_file.each_row(written), job.next_row, None), now, deadline)


def _slices(town: Town, job: Import, rows: Iterator[Row], now: float, deadline: Deadline) -> None:
    while True:
        part = list(islice(rows, SLICE_ROWS))
        outcomes = take(town, part, job.by, now, deadline, job.at)
        counts = {what: sum(each.what == what for each in outcomes) for what in (APPLIED, UNCHANGED, REJECTED)}
        after = replace(
            job,
            next_row=job.next_row + len(part),
            applied=job.applied + counts[APPLIED],
            unchanged=job.unchanged + counts[UNCHANGED],
            rejected=job.rejected + counts[REJECTED],
        )
        is_last = after.next_row >= job.rows
        # Of a file that was laid into the bucket the result is still to be told; until then it is not done.
        after = replace(after, state=DONE if is_last and not job.source else after.state)
        pauses = not is_last and deadline.left() < SLICE_SECONDS_NEEDED
        rest = [_rest(after, now)] if pauses else []
        slice_item = imports.slice_item(job, [_data(each) for each in outcomes], counts[REJECTED])
        job = _saved(after, [slice_item, *rest], deadline)
        if is_last:
            log.info("imported", tenant=town.slug, count=job.rows)
            if job.source:
                _finish(town, job, now, deadline)
        if is_last or pauses:
            work_outbox.ring(tuple(rest), now, deadline)
            return


def _finish(town: Town, job: Import, now: float, deadline: Deadline) -> None:
    """Every row is done, or none can be: lay the result beside the file, tell the admins. Again is the same."""
    after = replace(job, state=REFUSED if job.state == REFUSED else DONE)
    mails: list[dynamo.Write] = []
    if job.source:
        key = keys.dropped_file(town.slug, result_name(job.source))
        aws.put_object(_bucket(), key, result_of(after, deadline).encode(), "text/csv; charset=utf-8", deadline)
        readers = [one for one in staff.all_of(town.slug, deadline) if one.role == ADMIN and not one.disabled]
        mails = [
            outbox.write(town.slug, "email", word_reminders.imported(town, reader, after), now)
            for reader in readers[:READERS_MAX]
        ]
    _saved(after, mails, deadline)
    work_outbox.ring(tuple(mails), now, deadline)


def result_name(source: str) -> str:
    """The name of the file that tells what became of `source`, beside it."""
    return f"{source.removesuffix('.csv').removesuffix('.txt')}{RESULT_ENDING}"


def _rest(job: Import, now: float) -> dynamo.Write:
    row = outbox.write(job.town, KIND, {"id": job.id}, now, row=f"import-{job.id}-{job.next_row}")
    return replace(row, unique=False)  # the import's own version says who was first


def _saved(job: Import, beside: Sequence[dynamo.Write], deadline: Deadline) -> Import:
    dynamo.transact([imports.item(job), *beside], deadline)
    return replace(job, v=job.v + 1)


def _written(job: Import, deadline: Deadline) -> bytes:
    if not job.key:
        raise BadFile("too_large")
    written = aws.get_object(_bucket(), job.key, BYTES_MAX, deadline)
    if written is None:
        raise BadFile("gone")
    return written


def _count(written: bytes) -> int:
    count = sum(1 for _ in islice(case_file.each_row(written), ROWS_MAX + 1))
    if count > ROWS_MAX:
        raise BadFile("too_many_rows")
    if not count:
        raise BadFile("empty")
    return count


def _bucket() -> str:
    return os.environ["SALTER_MEDIA_BUCKET"]


def _data(outcome: Outcome) -> list[Any]:
    return [outcome.line, outcome.number, outcome.what, outcome.reference, outcome.field, outcome.reason]


# --- one row ----------------------------------------------------------------------------------------------------


def _taken(
    source: _Source, store: CaseStore, row: Row, case: Case | None, deadline: Deadline, *, look: bool
) -> Outcome:
    number = row.cells.get("number", "")
    try:
        if row.has_too_many:
            raise Refused(422, "too_many_cells", "More cells than columns.", "")
        if not number:
            raise Refused(422, "missing", "number", "number")
        if len(number) > NUMBER_CHARS_MAX:
            raise Refused(422, "bad_value", "number", "number")
        if case is None and look:
            case = store.by_number(number, deadline)
        if case is None:
            filed = _filed(source, row, deadline)
            if filed is not None:
                if "public_note" in row.cells:
                    _changed(source, row, filed, deadline)
                return Outcome(row.line, number, APPLIED, filed.reference)
            case = store.by_number(number, deadline)  # somebody filed it at this very moment
            if case is None:
                raise Unavailable("number")
        what = APPLIED if _changed(source, row, case, deadline) else UNCHANGED
        return Outcome(row.line, number, what, case.reference)
    except Refused as refused:
        field = (refused.field_name or "").rpartition(".")[2]
        return Outcome(
            row.line, number[:NUMBER_CHARS_MAX], REJECTED, case.reference if case else "", field, refused.code
        )


def _filed(source: _Source, row: Row, deadline: Deadline) -> Case | None:
    """The new case; None if there is one under this number after all. Raises Refused."""
    for needed in ("subject", "name"):
        if needed not in row.cells:
            raise Refused(422, "missing", needed, needed)
    paper = _paper(source.town, row.cells)

    def indexed(case: Case) -> bool:
        search.write_first(source.town.slug, index_case.entries(source.town, case), deadline)
        return True

    try:
        case, _ = paper_case.file(source.town, paper, source.by, CHANNEL, source.now, deadline, indexed=indexed)
    except Duplicate:
        return None
    return case


def _paper(town: Town, cells: Mapping[str, str]) -> Paper:
    said = {name: cells[name] for name in ("number", "subject", "official", "awaiting_institution") if name in cells}
    applicant = {name: cells[name] for name in ("name", "phone") if name in cells}
    if "language" in cells:
        applicant["language"] = case_file.language_of(cells["language"])
    asked = checked(NewCase, {**said, "applicant": applicant})
    return Paper(
        subject=asked.subject,
        name=asked.applicant.name,
        number=asked.number or "",
        phone=asked.applicant.phone or "",
        language=asked.applicant.language or "",
        office=_office(town, cells),
        official=asked.official or "",
        status=_status(cells),
        awaiting_institution=asked.awaiting_institution or "",
        consent=_consent(cells),
    )


def _changed(source: _Source, row: Row, case: Case, deadline: Deadline) -> bool:
    """Whether the row said anything new about a known case; then it is so now. Raises Refused."""
    event = _event(source, row.cells, case)
    if event is None:
        return _is_ours(source, case)
    try:
        change_case(source.town, case.reference, event, source.now, token_hex(4), deadline)
    except NotAllowed as error:
        if error.code == "nothing_new":
            return False
        raise
    return True


def _event(source: _Source, cells: Mapping[str, str], case: Case) -> Event | None:
    """What of the row is news; None if nothing is. A file repeats every night what it said before."""
    asked = checked(CaseEvent, {name: cells[name] for name in _EVENT_COLUMNS if name in cells})
    status, office = _status(cells), _office(source.town, cells)
    awaited, note = asked.awaiting_institution or "", asked.public_note or ""
    if any(each.public and each.note == note for each in case.history):
        note = ""
    event = Event(
        at=int(source.now),
        by=source.by,
        status="" if status == case.status else status,
        office="" if office == case.office else office,
        official="" if asked.official == case.official else asked.official or "",
        awaiting_institution="" if awaited == case.awaiting_institution else awaited,
        public_note=note,
    )
    if not (event.status or event.office or event.official or event.awaiting_institution or note):
        return None
    # A new status forgets for whom the old one waited.
    return replace(event, awaiting_institution=awaited) if event.status else event


def _is_ours(source: _Source, case: Case) -> bool:
    """Whether this very import said so before it was interrupted."""
    last = case.history[-1] if case.history else None
    return bool(source.since and last and last.by == source.by and last.at >= source.since)


def _office(town: Town, cells: Mapping[str, str]) -> str:
    if "office" not in cells:
        return ""
    office = routing.office_of(town.core, town.texts, cells["office"])
    if office is None:
        raise Refused(422, "unknown_office", "office", "office")
    return office


def _status(cells: Mapping[str, str]) -> str:
    if "status" not in cells:
        return ""
    status = case_file.status_of(cells["status"], STATUSES)
    if status is None:
        raise Refused(422, "unknown_status", "status", "status")
    return status


def _consent(cells: Mapping[str, str]) -> bool:
    if "consent" not in cells:
        return False
    consent = case_file.consent_of(cells["consent"])
    if consent is None:
        raise Refused(422, "bad_value", "consent", "consent")
    return consent
