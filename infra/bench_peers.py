"""`make bench-peers`: the CPU of one Viber callback, ours beside echo samples of the field, into docs/performance.md.

Ours is the whole turn as it comes from API Gateway: signature, town, conversation read, understood, saved, answered.
The others say back what they heard and store nothing: the official library on Flask and gunicorn, which logs as its own
sample does (and once more without a log), and aioviberbot with one session for all calls. Everybody speaks to the same
fake Viber, in plain HTTP and over TLS with the whole list of authorities beside the fake's own certificate; storage
(see `infra/bench_store.py`) and Viber are processes of their own, on other cores, and not counted. Ours once more
without what a process keeps of words it has met, for the talk's few come again and again. Small blocks of turns are
interleaved, for a machine shared with others is fast and slow by turns; a bar is missed only where the medians and the
minima both miss it.
"""

from __future__ import annotations

import argparse
import http.client
import itertools
import multiprocessing
import os
import socket
import ssl
import statistics
import subprocess
import sys
import tempfile
import time
import venv
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from chalicelib.language import detect
from chalicelib.understanding.model import platform_model
from infra.bench import STAGE, publish, take_everything
from infra.bench_store import serve
from infra.bench_turns import TOKEN, callback
from infra.local import aws as local_aws
from infra.pages import PERFORMANCE, ROOT, machine, write_block

PEERS = ROOT / "infra" / "peers"
LIBRARIES = ("viberbot==1.0.12", "flask==3.1.3", "gunicorn==27.0.1", "aioviberbot==0.7.0", "aiohttp==3.14.5")
BLOCKS, TURNS, WARM = 25, 40, 50
TOOK = "took "
START_SECONDS_MAX = 30.0
OURS, OFFICIAL, FASTEST = "ours", "viberbot, Flask, gunicorn", "aioviberbot, one session"
SILENT = "the same without its log"
STRANGE = "ours, each word met for the first time"
NEW_WORDS = " new"
# (over TLS?, against whom) → at most so many times its CPU.
BARS = {(True, OFFICIAL): 0.12, (False, OFFICIAL): 1.0, (True, FASTEST): 4.0}
_LAST_CORE = {max(os.sched_getaffinity(0))}
_OF_ALL_THREADS = 2  # which clock of a process: see clock_getcpuclockid(3)


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--ours", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.ours:
        return _serve_ours(asked.ours)
    python = installed(ROOT / "build" / "peers", LIBRARIES)
    os.sched_setaffinity(0, (os.sched_getaffinity(0) - _LAST_CORE) or _LAST_CORE)
    measured = {tls: _measured(python, tls=tls) for tls in (False, True)}
    text = _written(measured)
    print(text)
    write_block(PERFORMANCE, "peers", text)
    missed = [bar for bar in BARS if not _is_met(measured[bar[0]], bar[1], BARS[bar])]
    for tls, whom in missed:
        print(f"missed: {BARS[tls, whom]} times {whom} {'over TLS' if tls else 'in plain HTTP'}")
    return len(missed)


def _written(measured: Mapping[bool, Mapping[str, Sequence[float]]]) -> str:
    rows = [f"{machine()}; {', '.join(LIBRARIES)}.", ""]
    rows += [
        "| CPU of one callback, ms | min | median | max | ours to it, medians | bar |",
        "|---|---|---|---|---|---|",
    ]
    for tls, figures in measured.items():
        for name, took in figures.items():
            low, middle, high = min(took), statistics.median(took), max(took)
            to_it = "" if name in (OURS, STRANGE) else f"{statistics.median(figures[OURS]) / middle:.2f}"
            bar, line = BARS.get((tls, name), ""), "TLS" if tls else "plain"
            rows.append(f"| {name}, {line} | {low:.2f} | {middle:.2f} | {high:.2f} | {to_it} | {bar} |")
    return "\n".join(rows) + "\n"


def _is_met(figures: Mapping[str, Sequence[float]], whom: str, bar: float) -> bool:
    ours, theirs = figures[OURS], figures[whom]
    return min(statistics.median(ours) / statistics.median(theirs), min(ours) / min(theirs)) <= bar


def installed(folder: Path, libraries: Sequence[str]) -> Path:
    """The python of an environment with the others' libraries; made once."""
    python = folder / "bin" / "python"
    if not python.exists():
        venv.create(folder, with_pip=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", *libraries], check=True)
    return python


# --- a run ------------------------------------------------------------------------------------------------------


def _measured(python: Path, *, tls: bool) -> dict[str, list[float]]:
    """CPU in milliseconds a turn, block by block."""
    figures: dict[str, list[float]] = {OURS: [], STRANGE: [], OFFICIAL: [], SILENT: [], FASTEST: []}
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        environment = os.environ | stack.enter_context(fake_viber(python, folder, tls=tls)) | {"BENCH_TOKEN": TOKEN}
        ours = stack.enter_context(_ours(folder, environment))
        others = {
            OFFICIAL: stack.enter_context(_server(environment, on_gunicorn(python))),
            SILENT: stack.enter_context(_server(environment | {"BENCH_SILENT": "1"}, on_gunicorn(python))),
            FASTEST: stack.enter_context(_server(environment, _on_aiohttp(python))),
        }
        for block in range(BLOCKS + 1):
            turns = TURNS if block else WARM
            took = {OURS: ours(f"{turns}"), STRANGE: ours(f"{turns}{NEW_WORDS}")}
            took |= {name: driven(*server, turns) for name, server in others.items()}
            for name, each in took.items():
                figures[name] += [each] if block else []
    return figures


def driven(pid: int, port: int, turns: int) -> float:
    """Callbacks to a server, one after another, and what they cost it."""
    before = _cpu(pid)
    for number in range(turns):
        body, signature = callback(number)
        line = http.client.HTTPConnection("127.0.0.1", port, timeout=START_SECONDS_MAX)
        line.request("POST", "/", body, {"X-Viber-Content-Signature": signature, "Content-Type": "application/json"})
        status = line.getresponse().status
        line.close()
        if status != 200:
            raise RuntimeError(f"a peer answered {status}")
    return (_cpu(pid) - before) / turns


@contextmanager
def _core_of_its_own() -> Iterator[None]:
    """Whoever is begun meanwhile has the last core for itself; before and after, all others share the rest."""
    cores = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, _LAST_CORE)
    yield
    os.sched_setaffinity(0, cores)


def _cpu(pid: int) -> float:
    """Milliseconds of CPU of a process and those it began, user and system."""
    began = subprocess.run(["pgrep", "-P", str(pid)], capture_output=True, text=True).stdout.split()
    return time.clock_gettime(~pid << 3 | _OF_ALL_THREADS) * 1000 + sum(_cpu(int(child)) for child in began)


# --- who takes part ---------------------------------------------------------------------------------------------


@contextmanager
def fake_viber(python: Path, folder: Path, *, tls: bool) -> Iterator[dict[str, str]]:
    """A fake Viber, and how everybody finds and trusts it."""
    port = local_aws.free_port()
    listed = subprocess.run([python, "-m", "certifi"], check=True, capture_output=True, text=True).stdout.strip()
    trusted = folder / "trusted.pem"
    trusted.write_text(Path(listed).read_text(encoding="ascii") + (certified(folder) if tls else ""), encoding="ascii")
    process = multiprocessing.Process(target=_fake, args=(port, folder if tls else None), daemon=True)
    process.start()
    wait_for(port)
    try:
        yield {
            "VIBER_API_URL": f"{'https' if tls else 'http'}://127.0.0.1:{port}/pa",
            "SSL_CERT_FILE": str(trusted),
            "REQUESTS_CA_BUNDLE": str(trusted),
        }
    finally:
        process.kill()


def certified(folder: Path) -> str:
    """A certificate for this machine, and its key beside it."""
    names = ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"]
    kept = ["-keyout", str(folder / "key.pem"), "-out", str(folder / "cert.pem")]
    made = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", *names, *kept]
    subprocess.run(made, check=True, capture_output=True)
    return (folder / "cert.pem").read_text(encoding="ascii")


def _fake(port: int, folder: Path | None) -> None:
    if folder is None:
        take_everything(port)
        return
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    take_everything(port, context)


@contextmanager
def _server(environment: Mapping[str, str], command: tuple[list[str], int]) -> Iterator[tuple[int, int]]:
    """A peer's server: its pid and port."""
    arguments, port = command
    with _core_of_its_own():
        process = subprocess.Popen(arguments, cwd=PEERS, env=dict(environment), stderr=subprocess.DEVNULL)
    try:
        wait_for(port)
        yield process.pid, port
    finally:
        process.terminate()
        process.wait()


def on_gunicorn(python: Path) -> tuple[list[str], int]:
    port = local_aws.free_port()
    return [str(python), "-m", "gunicorn", "-w", "1", "-b", f"127.0.0.1:{port}", "on_viberbot:app"], port


def _on_aiohttp(python: Path) -> tuple[list[str], int]:
    port = local_aws.free_port()
    return [str(python), "on_aioviberbot.py", str(port)], port


def wait_for(port: int) -> None:
    give_up = time.monotonic() + START_SECONDS_MAX
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            if time.monotonic() > give_up:
                raise
            time.sleep(0.1)


# --- ours -------------------------------------------------------------------------------------------------------


@contextmanager
def _store(behind: str) -> Iterator[str]:
    """The address of a store that answers at once, with an embedded AWS behind it."""
    port = local_aws.free_port()
    process = multiprocessing.Process(target=serve, args=(port, behind), daemon=True)
    process.start()
    wait_for(port)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        process.kill()


@contextmanager
def published(folder: Path) -> Iterator[tuple[str, str]]:
    """An embedded AWS with a town on it, which this process speaks to: its address, and the town's account."""
    plain = dict(os.environ)  # what ours is told must not change what the others see
    running = local_aws.start(folder)
    try:
        local_aws.ensure_stack(running.endpoint, STAGE)
        os.environ.update(local_aws.process_environment(running.endpoint, STAGE))
        yield running.endpoint, publish(running.endpoint)
    finally:
        local_aws.stop(folder, running)
        os.environ.clear()
        os.environ.update(plain)


@contextmanager
def _ours(folder: Path, environment: Mapping[str, str]) -> Iterator[Any]:
    """Our turns in a process of their own, with a store in another."""
    with published(folder) as (endpoint, account), _store(endpoint) as store:
        told = local_aws.process_environment(store, STAGE, environment)
        command = [sys.executable, "-m", "infra.bench_peers", "--ours", account]
        with _core_of_its_own():
            process = subprocess.Popen(
                command, cwd=ROOT, env=told, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
            )
        assert process.stdin and process.stdout
        said, heard = process.stdin, process.stdout

        def turns(asked: str) -> float:
            said.write(f"{asked}\n")
            said.flush()
            while not (line := heard.readline()).startswith(TOOK):  # between stands what the product writes to its log
                if not line:
                    raise RuntimeError("our process ended")
            return float(line.removeprefix(TOOK))

        try:
            yield turns
        finally:
            process.kill()
            process.wait()


def _serve_ours(account: str) -> int:
    """How many turns, line by line, and whether their words are new; the CPU of one in milliseconds is said back."""
    from chalice.local import LambdaContext

    import app
    from chalicelib import wire
    from chalicelib.actions import clock
    from infra.bench_turns import SECONDS_BETWEEN, Sent
    from infra.local import http_api

    began_at, turns, numbers, sent = time.time(), itertools.count(), itertools.count(), Sent()
    # As people write: what comes faster is slowed down, and no whole turn.
    clock.now = lambda: began_at + SECONDS_BETWEEN * next(turns)
    wire.taps.append(sent)
    for line in sys.stdin:
        sent.count = 0
        many, new = line.removesuffix(f"{NEW_WORDS}\n"), NEW_WORDS in line
        events = [_event(http_api.event, account, next(numbers)) for _ in range(int(many))]
        contexts = [LambdaContext("api", 1024) for _ in events]  # as Lambda's runtime hands them over
        began = time.process_time()
        for event, context in zip(events, contexts, strict=True):
            if new:
                _forget_words()
            status = app.app(event, context)["statusCode"]
            if status != 200:
                raise RuntimeError(f"we answered {status}")
        took = (time.process_time() - began) * 1000 / len(events)
        if len(events) != WARM and sent.count < len(events):
            raise RuntimeError(f"{sent.count} answers to {len(events)} messages: these were no whole turns")
        print(f"{TOOK}{took}", flush=True)
    return 0


def _forget_words() -> None:
    """As if nobody had ever written these words to this process."""
    detect._weighed.cache_clear()
    platform_model().kept.clear()


def _event(made: Callable[..., dict[str, Any]], account: str, number: int) -> dict[str, Any]:
    body, signature = callback(number)
    headers = {"x-viber-content-signature": signature, "content-type": "application/json"}
    return made("POST", f"/viber/{account}", headers, body)


if __name__ == "__main__":
    sys.exit(main())
