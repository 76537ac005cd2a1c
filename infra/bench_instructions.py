"""`make bench-instructions`: a Viber callback in instructions, ours beside the official sample in plain HTTP, into
docs/performance.md.

Times swing with whoever else uses a machine; instructions in user space, counted by valgrind's callgrind, are the same
every time. Each is run twice, for fewer and for more callbacks: the difference is theirs alone.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from infra import bench_peers as peers
from infra.bench import STAGE
from infra.bench_turns import TOKEN
from infra.local import aws as local_aws
from infra.pages import PERFORMANCE, ROOT, machine, write_block

FEWER, MORE = peers.WARM, peers.WARM + 100
COUNTED = ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", "--trace-children=yes"]
BEGUN_SECONDS = 10.0  # in which gunicorn's worker, that valgrind makes slow, has surely begun
PATIENCE_SECONDS = 300.0
_COLLECTED = re.compile(r"Collected : (\d+)")


def main() -> int:
    if shutil.which("valgrind") is None:
        print("valgrind is needed, e.g. `apt install valgrind`")
        return 1
    python = peers.installed(ROOT / "build" / "peers", peers.LIBRARIES)
    peers.START_SECONDS_MAX = PATIENCE_SECONDS
    counted = {
        peers.OURS: _of_one(lambda many: _ours(python, many)),
        peers.OFFICIAL: _of_one(lambda many: _sample(python, many, {})),
        peers.SILENT: _of_one(lambda many: _sample(python, many, {"BENCH_SILENT": "1"})),
    }
    text = _written(counted)
    print(text)
    write_block(PERFORMANCE, "instructions", text)
    return int(counted[peers.OURS] / counted[peers.OFFICIAL] > peers.BARS[False, peers.OFFICIAL])


def _of_one(run: Callable[[int], int]) -> float:
    """Instructions of one callback."""
    return (run(MORE) - run(FEWER)) / (MORE - FEWER)


def _written(counted: Mapping[str, float]) -> str:
    rows = [
        f"{machine()}; {', '.join(peers.LIBRARIES[:3])}; callgrind, {MORE} callbacks less {FEWER}.",
        "",
        "| one callback in plain HTTP | million instructions | ours to it | bar |",
        "|---|---|---|---|",
    ]
    for name, each in counted.items():
        to_it = "" if name == peers.OURS else f"{counted[peers.OURS] / each:.2f}"
        rows.append(f"| {name} | {each / 1e6:.2f} | {to_it} | {peers.BARS.get((False, name), '')} |")
    return "\n".join(rows) + "\n"


def _ours(python: Path, many: int) -> int:
    """Instructions of a process of ours from its beginning to its end, with so many turns between."""
    with (
        tempfile.TemporaryDirectory() as name,
        peers.fake_viber(python, Path(name), tls=False) as viber,
        peers.published(Path(name)) as (endpoint, account),
    ):
        told = local_aws.process_environment(endpoint, STAGE, os.environ | viber | {"BENCH_TOKEN": TOKEN})
        command = [*COUNTED, sys.executable, "-m", "infra.bench_peers", "--ours", account]
        done = subprocess.run(
            command, input=f"{many}\n", cwd=ROOT, env=told, text=True, capture_output=True, check=True
        )
    return _collected(done.stderr)


def _sample(python: Path, many: int, more: Mapping[str, str]) -> int:
    """The same of the official sample and gunicorn."""
    with tempfile.TemporaryDirectory() as name, peers.fake_viber(python, Path(name), tls=False) as viber:
        command, port = peers.on_gunicorn(python)
        said = Path(name) / "said"
        with said.open("w") as told:
            environment = {**os.environ, **viber, **more, "BENCH_TOKEN": TOKEN}
            patient = [*COUNTED, *command, "--timeout", f"{PATIENCE_SECONDS:.0f}"]
            process = subprocess.Popen(patient, cwd=peers.PEERS, env=environment, stdout=told, stderr=told)
            try:
                peers.wait_for(port)
                time.sleep(BEGUN_SECONDS)
                peers.driven(process.pid, port, many)
            finally:
                process.terminate()
                process.wait()
        return _collected(said.read_text())


def _collected(said: str) -> int:
    """Of all processes together."""
    return sum(int(each) for each in _COLLECTED.findall(said))


if __name__ == "__main__":
    sys.exit(main())
