"""`make bench`: what acts cost in requests and units (infra/bench_counts.py), and what importing the webhook's handler
and answering one message cost, beside a yardstick.

CPU time of this process alone: the embedded AWS and the Viber that takes the messages are processes of their own.
Times on a shared machine swing; the ratios of one run are what counts.
"""

from __future__ import annotations

import argparse
import atexit
import json
import multiprocessing
import os
import shutil
import ssl
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

from infra.local import aws as local_aws
from infra.pages import PERFORMANCE, machine, write_block

ROOT = Path(__file__).resolve().parents[1]
STAGE = "bench"
YARDSTICK = "import chalice, boto3, pynamodb.models"
HANDLER = (
    "import app, chalicelib.actions.viber_callback, chalicelib.channels.viber, chalicelib.services.procedures, "
    "chalicelib.services.contacts"
)
SLUG_PREFERRED = 0  # the first town there is


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true", help="fewer rounds; for CI, which fails on counts only")
    quick = parser.parse_args().quick
    counts = subprocess.run([sys.executable, "-m", "infra.bench_counts", *(["--check"] if quick else [])], cwd=ROOT)
    rounds = 3 if quick else 9
    tables = (
        f"{machine()}.",
        _table("CPU of importing, ms", _imports(rounds), "yardstick"),
        _table("CPU of one Viber turn, ms", _turns(rounds), "PynamoDB's transport"),
    )
    text = "\n\n".join(tables) + "\n"
    print(text)
    if not quick:
        write_block(PERFORMANCE, "cpu", text)
    return counts.returncode


def _table(title: str, figures: dict[str, list[float]], against: str) -> str:
    base = statistics.median(figures[against])
    rows = [f"| {title} | min | median | max | ratio of medians |", "|---|---|---|---|---|"]
    for name, values in figures.items():
        median = statistics.median(values)
        rows.append(f"| {name} | {min(values):.1f} | {median:.1f} | {max(values):.1f} | {median / base:.2f} |")
    return "\n".join(rows)


# --- imports ----------------------------------------------------------------------------------------------------


def _imports(rounds: int) -> dict[str, list[float]]:
    figures: dict[str, list[float]] = {"yardstick": [], "webhook handler": []}
    for _ in range(rounds):
        figures["yardstick"].append(import_milliseconds(YARDSTICK))
        figures["webhook handler"].append(import_milliseconds(HANDLER))
    return figures


def import_milliseconds(statement: str) -> float:
    """CPU of a fresh interpreter that runs `statement`, less the interpreter's own start, in milliseconds: everybody's
    modules compiled beforehand, as they are in the package."""
    code = f"import time; began = time.process_time()\n{statement}\nprint((time.process_time() - began) * 1000)"
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    environment["PYTHONPYCACHEPREFIX"] = _byte_code(statement)
    return _milliseconds(code, environment)


@cache
def _byte_code(statement: str) -> str:
    """Where the compiled modules of this statement lie: one run has made them."""
    folder = Path(tempfile.gettempdir()) / f"salter-bench-{os.getpid()}"
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    _milliseconds(
        f"{statement}\nprint(0)", os.environ | {"PYTHONDONTWRITEBYTECODE": "", "PYTHONPYCACHEPREFIX": str(folder)}
    )
    return str(folder)


def _milliseconds(code: str, environment: Mapping[str, str]) -> float:
    out = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=environment, check=True, capture_output=True, text=True
    )
    return float(out.stdout)


# --- turns ------------------------------------------------------------------------------------------------------


def _turns(rounds: int) -> dict[str, list[float]]:
    figures: dict[str, list[float]] = {}
    with _world() as slug:
        from infra.bench_turns import lean_turn, pure_step, pynamodb_turn

        kinds: dict[str, Callable[[str, int], float]] = {
            "PynamoDB's transport": pynamodb_turn,
            "lean signed transport": lean_turn,
            "of it: decide and word (no I/O)": pure_step,
        }
        for _ in range(rounds):
            for name, measure in kinds.items():
                figures.setdefault(name, []).append(measure(slug, 60))
    return figures


@contextmanager
def _world() -> Iterator[str]:
    """An embedded AWS with one town published, and a Viber that takes everything, in processes of their own."""
    with tempfile.TemporaryDirectory() as folder:
        running = local_aws.start(Path(folder))
        port = local_aws.free_port()
        viber = multiprocessing.Process(target=take_everything, args=(port,), daemon=True)
        viber.start()
        try:
            local_aws.ensure_stack(running.endpoint, STAGE)
            os.environ.update(local_aws.process_environment(running.endpoint, STAGE))
            os.environ["VIBER_API_URL"] = f"http://127.0.0.1:{port}/pa"
            yield publish(running.endpoint)
        finally:
            viber.kill()
            local_aws.stop(Path(folder), running)


def publish(endpoint: str, number: int = 0) -> str:
    """A town on the embedded AWS, and its account; those after the first are copies of it."""
    from chalicelib.actions.publish_tenant import publish_tenant
    from infra import towns

    slug = towns.slugs()[SLUG_PREFERRED]
    version = towns.compiled(slug)
    if number:
        core = version["core"]
        own = {"slug": f"{slug}-{number}", "viber": core["viber"] | {"account": f"{slug}-{number}"}}
        version = version | {"core": core | own}
    account = str(version["core"]["viber"]["account"])
    publish_tenant(version, time.time(), "live")
    name = f"/salter/{STAGE}/accounts/{account}/viber-token"
    local_aws.client("ssm", endpoint).put_parameter(Name=name, Type="SecureString", Value="bench", Overwrite=True)
    return account


def take_everything(port: int, tls: ssl.SSLContext | None = None) -> None:
    """A Viber API that accepts every message at once."""
    from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

    body = json.dumps({"status": 0, "status_message": "ok", "message_token": 6017000000000000100}).encode()
    head = f"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n".encode()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["content-length"]))
            self.wfile.write(head + body)

        def log_message(self, *args: Any) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    if tls:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    server.serve_forever()


if __name__ == "__main__":
    sys.exit(main())
