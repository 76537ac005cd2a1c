"""`make bench-process`: what one process of the package takes; into docs/performance.md.

The package is made as `make package` makes it, unpacked, and run by an interpreter with nothing else on its path, as
on Lambda. Measured are the CPU of a fresh process up to the end of its first turn, beside what a town's developer would
write first (Chalice, PynamoDB, Viber's library); a turn's time without what it waits for storage and Viber, which are
slowed down as on AWS; and the memory of many turns in fifty towns. The embedded AWS and the Viber that takes the
messages, over TLS, are processes of their own.
"""

from __future__ import annotations

import itertools
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from chalicelib.connections import AUTHORITIES
from infra import audit, package
from infra.bench import STAGE, publish
from infra.bench_peers import LIBRARIES, PEERS, fake_viber, installed
from infra.bench_turns import CITIZENS, SECONDS_BETWEEN, TOKEN, callback
from infra.local import aws as local_aws
from infra.local import http_api
from infra.pages import PERFORMANCE, ROOT, machine, write_block

BARE_PYTHON = Path(sys.base_prefix) / "bin" / f"python{sys.version_info.major}.{sys.version_info.minor}"
NAIVE_LIBRARIES = (LIBRARIES[0], *(f"{name}=={pin}" for name, pin in audit.pins() if name in ("chalice", "pynamodb")))
ROUNDS = 9
TOWNS, TURNS, TURNS_SETTLED = 50, 10_000, 1_000
SLOWED_TURNS, SLOWED_WARM = 300, 20
# Milliseconds a call takes on AWS: reading, writing, and Viber.
SLOWED = {"GetItem": 5, "PutItem": 8, "send_message": 100}
FIRST_RATIO_MAX, PEAK_MB_MAX, GROWTH_MB_MAX, OWN_MEDIAN_MAX, OWN_P99_MAX = 0.5, 90.0, 1.0, 8.0, 30.0


def main() -> int:
    python = installed(ROOT / "build" / "naive", NAIVE_LIBRARIES)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        environment = os.environ | stack.enter_context(fake_viber(python, folder, tls=True)) | {"BENCH_TOKEN": TOKEN}
        told, accounts = stack.enter_context(_towns(folder, environment))
        code = _unpacked(folder)
        first = _first_turns(python, code, told, accounts)
        own = _slowed(code, told, accounts)
        settled, peak = _memory(code, told, accounts)
    text = _written(first, own, settled, peak)
    print(text)
    write_block(PERFORMANCE, "process", text)
    naive, ours = first
    return sum(
        (
            min(statistics.median(ours) / statistics.median(naive), min(ours) / min(naive)) > FIRST_RATIO_MAX,
            peak > PEAK_MB_MAX or peak - settled > GROWTH_MB_MAX,
            statistics.median(own) > OWN_MEDIAN_MAX or _p99(own) > OWN_P99_MAX,
        )
    )


def _written(first: Sequence[Sequence[float]], own: Sequence[float], settled: float, peak: float) -> str:
    naive, ours = first
    ratio = statistics.median(ours) / statistics.median(naive)
    rows = [
        f"{machine()}; {', '.join(NAIVE_LIBRARIES)}.",
        "",
        "| what | measured | bar |",
        "|---|---|---|",
        f"| first turn of a fresh process, CPU, theirs | {_spread(naive)} | |",
        f"| first turn of a fresh process, CPU, ours | {_spread(ours)} | |",
        f"| ours to theirs, medians | {ratio:.2f} | {FIRST_RATIO_MAX} |",
        f"| our own share of a turn of {sum(SLOWED.values()) + SLOWED['PutItem']} ms: median, 99th percentile of "
        f"{len(own)} | {statistics.median(own):.1f}, {_p99(own):.1f} ms | {OWN_MEDIAN_MAX:g}, {OWN_P99_MAX:g} |",
        f"| memory at most, {TURNS:,} turns in {TOWNS} towns | {peak:.1f} MB | {PEAK_MB_MAX:g} |",
        f"| of it since turn {TURNS_SETTLED:,} | {peak - settled:.1f} MB | {GROWTH_MB_MAX:g} |",
    ]
    return "\n".join(rows) + "\n"


def _spread(figures: Sequence[float]) -> str:
    return f"{statistics.median(figures):.0f} ms ({min(figures):.0f} to {max(figures):.0f})"


def _p99(figures: Sequence[float]) -> float:
    return sorted(figures)[int(len(figures) * 0.99)]


# --- who takes part ---------------------------------------------------------------------------------------------


def _unpacked(folder: Path) -> Path:
    """The folder that Lambda makes of the zip. Who vouches for the fake Viber is one of the usual, as for the real."""
    made = package.build(out=folder / "package")
    with zipfile.ZipFile(made.zip) as zipped:
        zipped.extractall(folder / "task")
    with (folder / "task" / "certifi" / "cacert.pem").open("a", encoding="ascii") as authorities:
        certificate = (folder / "cert.pem").read_text(encoding="ascii")
        authorities.write(f'\n\n# Label: "{AUTHORITIES[0]} of the fake Viber"\n{certificate}')
    return folder / "task"


@contextmanager
def _towns(folder: Path, environment: Mapping[str, str]) -> Iterator[tuple[dict[str, str], list[str]]]:
    """An embedded AWS with many towns: what a process must know to find it, and the towns' accounts."""
    running = local_aws.start(folder)
    try:
        local_aws.ensure_stack(running.endpoint, STAGE)
        os.environ.update(local_aws.process_environment(running.endpoint, STAGE))
        accounts = [publish(running.endpoint, number) for number in range(TOWNS)]
        yield local_aws.process_environment(running.endpoint, STAGE, environment), accounts
    finally:
        local_aws.stop(folder, running)


@contextmanager
def _process(code: Path, environment: Mapping[str, str]) -> Iterator[Any]:
    """Answers to events, by a fresh process of the package."""
    arguments = [str(BARE_PYTHON), "-S", "-s", "-E", "-B", str(PEERS / "ours.py"), str(code)]
    told = {name: value for name, value in environment.items() if not name.startswith("SSL_CERT_")}  # as on Lambda
    process = subprocess.Popen(arguments, cwd="/", env=told, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdin and process.stdout
    said, heard = process.stdin, process.stdout

    def answer(event: dict[str, Any], now: float, slowed: Mapping[str, int]) -> dict[str, Any]:
        said.write(json.dumps({"event": event, "now": now, "slowed": dict(slowed)}) + "\n")
        said.flush()
        while not (line := heard.readline()).startswith("TOLD"):  # between stands what the product writes to its log
            if not line:
                raise RuntimeError("the process ended")
        told: dict[str, Any] = json.loads(line.removeprefix("TOLD"))
        if told["status"] != 200 or not told["sent"]:
            raise RuntimeError(f"no whole turn: {told}")
        return told

    yield answer
    process.kill()
    process.wait()


_numbers = itertools.count()


def _event(accounts: Sequence[str]) -> tuple[dict[str, Any], float]:
    """The next message, to the towns in turn; and when it is written."""
    number = next(_numbers)
    account = accounts[number % len(accounts)]
    body, signature = callback(CITIZENS * (number // len(accounts)))  # one at a time in each town, their talk soon long
    headers = {"x-viber-content-signature": signature, "content-type": "application/json"}
    return http_api.event("POST", f"/viber/{account}", headers, body), time.time() + SECONDS_BETWEEN * number


# --- the measurements -------------------------------------------------------------------------------------------


def _first_turns(
    python: Path, code: Path, environment: Mapping[str, str], accounts: Sequence[str]
) -> tuple[list[float], list[float]]:
    """CPU of fresh processes up to the end of their first turn, theirs and ours in turn, in milliseconds."""
    naive, ours = [], []
    told = {**environment, "BENCH_TABLE": f"salter-{STAGE}-conversations"}
    told.pop("PYTHONDONTWRITEBYTECODE", None)  # the others' modules are compiled once, too
    for _ in range(ROUNDS + 1):
        command = [str(python), str(PEERS / "first_turn.py")]
        naive.append(float(subprocess.run(command, env=told, check=True, capture_output=True, text=True).stdout))
        with _process(code, environment) as answer:
            ours.append(answer(*_event(accounts), {})["cpu"])
    return naive[1:], ours[1:]


def _slowed(code: Path, environment: Mapping[str, str], accounts: Sequence[str]) -> list[float]:
    """Milliseconds of turns that were not spent in exchanges, which take their time."""
    with _process(code, environment) as answer:
        took = [answer(*_event(accounts[:1]), SLOWED)["own"] for _ in range(SLOWED_WARM + SLOWED_TURNS)]
    return took[SLOWED_WARM:]


def _memory(code: Path, environment: Mapping[str, str], accounts: Sequence[str]) -> tuple[float, float]:
    """The most memory after some and after many turns, in MB."""
    settled = peak = 0.0
    with _process(code, environment) as answer:
        for turn in range(1, TURNS + 1):
            peak = answer(*_event(accounts), {})["mb"]
            settled = peak if turn == TURNS_SETTLED else settled
    return settled, peak


if __name__ == "__main__":
    sys.exit(main())
