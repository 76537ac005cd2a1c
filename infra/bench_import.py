"""`make bench-import`: a town's program lays 50,000 cases into the bucket at night, twice, on the embedded AWS.

The first file is all new (Windows-1250, semicolons), the second is the next night's: Cyrillic headers, a few cases in
another status. The function that works rows is a process of its own, called as the queue calls it, and killed once in
the middle of each file. Counted: rows a second, requests, the longest call, the process's memory at its highest, and
that every row of the file has one outcome and every number one case.

Prints a table and writes it into docs/performance.md.
"""

from __future__ import annotations

import argparse
import csv
import io
import json
import os
import resource
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from infra.local import aws as local_aws
from infra.pages import PERFORMANCE, machine, write_block

ROOT = Path(__file__).resolve().parents[1]
STAGE = "bench"
FIRST = 1_773_140_400.0
DAY_SECONDS = 86400
LEASE_OVER_SECONDS = 91
MINUTE_SECONDS = 60
KILLED_IN_CALL = 3
KILLED_AFTER_SECONDS = 9.0
CALLS_MAX = 2000
LATIN = "Broj predmeta;Naziv predmeta;Podnosilac;Telefon;Stanje;Saglasnost"
CYRILLIC = "Број предмета;Предмет;Име и презиме;Телефон;Статус;Сагласност"
BAD_EVERY, CHANGED_EVERY = 500, 50


@dataclass
class Night:
    """What one file took."""

    name: str
    rows: int
    size: int
    calls: list[float] = field(default_factory=list)
    requests: Counter[str] = field(default_factory=Counter)
    memory_mb: float = 0.0
    again: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)


def first_file(rows: int) -> bytes:
    """Every case is new; some rows lack a subject."""
    lines = [LATIN]
    for number in range(rows):
        subject = "" if number % BAD_EVERY == 0 else f"Legalizacija pomoćnog objekta, K.O. Čenej {number % 97}"
        lines.append(f"{number}/26;{subject};Žarko Đurić {number % 331};06{number:07d};Primljeno;ne")
    return "\r\n".join(lines).encode("cp1250")


def second_file(rows: int) -> bytes:
    """The same cases the next night, a few of them in work by now."""
    lines = [CYRILLIC]
    for number in range(rows):
        status = "У обради" if number % CHANGED_EVERY == 1 else ""
        lines.append(f"{number}/26;;;;{status};")
    return "\r\n".join(lines).encode("utf-8-sig")


# --- the function, in a process of its own --------------------------------------------------------------------


def function() -> int:
    """Answers the queue's messages read from stdin as `[row, now]`, each with what it took."""
    from chalicelib import wire
    from chalicelib.actions.answer_doorbell import answer_doorbell
    from chalicelib.wire import Call, Reply

    class Counted:
        requests: Counter[str] = Counter()

        def before(self, call: Call) -> None:
            self.requests[f"{call.service} {call.operation}"] += 1

        def after(self, call: Call, reply: Reply) -> None:
            return

    counted = Counted()
    wire.taps.append(counted)
    for line in sys.stdin:
        row, now = json.loads(line)
        counted.requests.clear()
        began = time.perf_counter()
        answer_doorbell([("1", json.dumps({"row": row}))], now)
        told = {
            "seconds": time.perf_counter() - began,
            "requests": dict(counted.requests),
            "memory_kb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss,
        }
        print(json.dumps(told), flush=True)
    return 0


class Function:
    """A warm function; the one after a killed one begins cold."""

    def __init__(self) -> None:
        command = [sys.executable, "-m", "infra.bench_import", "--function"]
        self._process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def begin(self, row: str, now: float) -> None:
        assert self._process.stdin
        self._process.stdin.write(f"{json.dumps([row, now])}\n")
        self._process.stdin.flush()

    def answer(self) -> dict[str, Any]:
        assert self._process.stdout
        while "seconds" not in (told := dict(json.loads(self._process.stdout.readline()))):
            print(f"log: {told.get('message')} {told.get('reason', '')}", file=sys.stderr, flush=True)
        return told

    def end(self, how: signal.Signals = signal.SIGTERM) -> None:
        self._process.send_signal(how)
        self._process.wait()


# --- a night ----------------------------------------------------------------------------------------------------


def played(slug: str, name: str, written: bytes, rows: int, now: float) -> Night:
    """Lay the file, call the function until it is done, killed once on the way."""
    from chalicelib.actions import take_dropped
    from chalicelib.storage import aws, imports, keys, outbox
    from chalicelib.wire import Deadline

    night, soon = Night(name, rows, len(written)), Deadline(1e6)
    key = keys.dropped_file(slug, f"{name}.csv")
    aws.put_object(os.environ["SALTER_MEDIA_BUCKET"], key, written, "text/csv", soon)
    take_dropped.take(key, now, soon)
    job = imports.newest(slug, now, soon)[0]
    row, function = f"import-{job.id}", Function()
    for call in range(CALLS_MAX):
        function.begin(keys.outbox(slug, row), now)
        if call == KILLED_IN_CALL - 1:
            time.sleep(KILLED_AFTER_SECONDS)
            function.end(signal.SIGKILL)
            now, function = now + LEASE_OVER_SECONDS, Function()
            continue
        told = function.answer()
        night.calls.append(told["seconds"])
        night.requests.update(told["requests"])
        night.memory_mb = max(night.memory_mb, told["memory_kb"] / 1024)
        found = imports.load(slug, job.id, now, soon)
        assert found is not None
        print(f"{name}: {found.next_row} rows after {sum(night.calls):.0f} s", file=sys.stderr, flush=True)
        if found.state != imports.GOING:
            break
        rest = f"import-{job.id}-{found.next_row}"
        if outbox.load(keys.outbox(slug, rest), now, soon):
            row, now = rest, now + told["seconds"]
        else:  # a slice did not end in its time: the same row comes back, and goes on where the last one ended
            night.again, now = night.again + 1, now + MINUTE_SECONDS
    function.end()
    night.outcomes.update(_outcomes(slug, f"{name}.result.csv", rows))
    return night


def _outcomes(slug: str, name: str, rows: int) -> Iterator[str]:
    """What the result says of each row. Raises AssertionError where a row of the file has none, or two."""
    from chalicelib.storage import aws, keys
    from chalicelib.wire import Deadline

    found = aws.get_object(os.environ["SALTER_MEDIA_BUCKET"], keys.dropped_file(slug, name), 10**8, Deadline(60))
    assert found is not None, "no result"
    told = list(csv.reader(io.StringIO(found.decode("utf-8-sig")), delimiter=";"))[1:]
    assert [line for line, *_ in told] == [str(number) for number in range(2, rows + 2)], "rows without an outcome"
    references = [each[3] for each in told if each[3]]
    assert len(references) == len(set(references)), "two rows of one case"
    return iter([each[2] for each in told])


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=50_000)
    parser.add_argument("--dry", action="store_true", help="print only")
    parser.add_argument("--function", action="store_true", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.function:
        return function()
    with tempfile.TemporaryDirectory() as folder:
        running = local_aws.start(Path(folder))
        try:
            local_aws.ensure_stack(running.endpoint, STAGE)
            os.environ.update(local_aws.process_environment(running.endpoint, STAGE))
            table = _table(_nights(asked.rows))
        finally:
            local_aws.stop(Path(folder), running)
    print(table)
    if not asked.dry:
        write_block(PERFORMANCE, "import", table)
    return 0


def _nights(rows: int) -> list[Night]:
    import boto3

    from chalicelib.actions.publish_tenant import publish_tenant
    from infra import towns

    for name in ("chat-signing-key", "phone-key"):
        boto3.client("ssm").put_parameter(Name=f"/salter/{STAGE}/{name}", Type="SecureString", Value="bench-key")
    slug = towns.slugs()[0]
    publish_tenant(towns.compiled(slug), FIRST, "live")
    return [
        played(slug, "all new", first_file(rows), rows, FIRST),
        played(slug, "the next night", second_file(rows), rows, FIRST + DAY_SECONDS),
    ]


def _table(nights: list[Night]) -> str:
    head = (
        f"{machine()}; the embedded AWS on the "
        "same machine; killed once in the middle of each file.\n\n"
        "| file | rows | kB | applied | unchanged | rejected | calls | of them begun again "
        "| longest call, s | rows a second | requests a row | memory at most, MB |\n"
        "|---|---|---|---|---|---|---|---|---|---|---|---|\n"
    )
    lines = [
        f"| {night.name} | {night.rows:,} | {night.size // 1024:,} | {night.outcomes['applied']:,} "
        f"| {night.outcomes['unchanged']:,} | {night.outcomes['rejected']:,} | {len(night.calls)} "
        f"| {night.again} | {max(night.calls):.0f} | {night.rows / (sum(night.calls) + KILLED_AFTER_SECONDS):.0f} "
        f"| {night.requests.total() / night.rows:.2f} | {night.memory_mb:.0f} |"
        for night in nights
    ]
    return head + "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.exit(main())
