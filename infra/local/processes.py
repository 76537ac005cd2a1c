"""Processes we started, now or in an earlier run: known by their pid files, recognised by their command, stopped."""

import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

POLL_SECONDS = 0.02
KILL_TIMEOUT_SECONDS = 2.0

_children: dict[int, "subprocess.Popen[bytes]"] = {}


def start(command: Sequence[str], *, environment: Mapping[str, str], log: Path, cwd: Path) -> int:
    """Start a process in a session of its own (a Ctrl-C is for whoever started it) with its words in a log; its pid."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as out:
        child = subprocess.Popen(
            command,
            env=dict(environment),
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    _children[child.pid] = child
    return child.pid


def record(pid_file: Path, pid: int) -> None:
    """Write a pid down where the next run looks for it."""
    pid_file.parent.mkdir(parents=True, exist_ok=True)
    pid_file.write_text(f"{pid}\n", encoding="ascii")


def recorded(pid_file: Path, word: str) -> int | None:
    """The pid in a pid file, if it lives and its command names `word`: the number may be another's by now."""
    try:
        pid = int(pid_file.read_text(encoding="ascii"))
    except (OSError, ValueError):
        return None
    return pid if runs(pid, word) else None


def runs(pid: int, word: str) -> bool:
    """Whether this process lives and its command names `word`."""
    return alive(pid) and word in _command(pid)


def stop(pid: int, *, timeout_seconds: float) -> None:
    """Ask a process to end, wait, and kill it when it has not ended in time."""
    _send(pid, signal.SIGTERM)
    if not wait(pid, timeout_seconds):
        _send(pid, signal.SIGKILL)
        wait(pid, KILL_TIMEOUT_SECONDS)


def wait(pid: int, timeout_seconds: float) -> bool:
    """Whether the process, our own child or not, ended within the time."""
    give_up = time.monotonic() + timeout_seconds
    while alive(pid):
        if time.monotonic() > give_up:
            return False
        time.sleep(POLL_SECONDS)
    return True


def alive(pid: int) -> bool:
    """Whether the process still runs; one that ended and that nobody has collected yet does not."""
    if pid in _children:
        return _children[pid].poll() is None
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return _state(pid) != "Z"


def _send(pid: int, order: signal.Signals) -> None:
    if alive(pid):
        os.kill(pid, order)


def _command(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text(errors="replace").replace("\0", " ")
    except OSError:
        return _ask_ps(pid, "command")


def _state(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()[0]
    except OSError:
        return _ask_ps(pid, "state")[:1]


def _ask_ps(pid: int, column: str) -> str:
    """Systems without /proc (macOS) have ps; slim Linux images have /proc but no ps."""
    try:
        asked = subprocess.run(["ps", "-o", f"{column}=", "-p", str(pid)], capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return ""
    return asked.stdout.strip()
