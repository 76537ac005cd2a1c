"""The product as a black box: started as `make run` starts it, spoken to over HTTP, stopped as a person would."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from infra.local import aws as local_aws

ROOT = Path(__file__).resolve().parents[1]
READY_TIMEOUT_SECONDS = 60.0
STOP_TIMEOUT_SECONDS = 15.0
REQUEST_TIMEOUT_SECONDS = 30.0


@dataclass(frozen=True)
class Answer:
    """What the product answered."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def text(self) -> str:
        return self.body.decode()


class Product:
    """One `make run`. `data` None leaves DATA unset, so that nothing is kept."""

    def __init__(self, data: Path | None, *, port: int | None = None, root: Path = ROOT, **environment: str) -> None:
        self.data = data
        self.root = root
        self.port = port or local_aws.free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.lines: list[str] = []
        self._environment = environment
        self._process: subprocess.Popen[str] | None = None
        self._reader: threading.Thread | None = None

    @property
    def run(self) -> Path:
        """Where it writes its pid files and logs."""
        return (self.data or self.root / ".local") / "run"

    def start(self) -> None:
        """Start it and wait for the line beginning `ready`."""
        self.launch()
        give_up = time.monotonic() + READY_TIMEOUT_SECONDS
        while not any(line.startswith("ready") for line in self.lines):
            if self._running.poll() is not None or time.monotonic() > give_up:
                self.kill()
                raise RuntimeError("not ready:\n" + "\n".join(self.lines))
            time.sleep(0.02)

    def launch(self, **overrides: str) -> None:
        """Start it without waiting."""
        self.lines = []
        environment = {
            name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "SALTER_", "VIBER_"))
        }
        environment |= {"PORT": str(self.port), **self._environment}
        if self.data is not None:
            environment["DATA"] = str(self.data)
        environment |= overrides
        self._process = subprocess.Popen(
            [sys.executable, "-m", "infra.local.run"],
            cwd=self.root,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self._reader = threading.Thread(target=self._read, args=(self._process,), daemon=True)
        self._reader.start()

    def stop(self, order: signal.Signals = signal.SIGTERM) -> int:
        """Ask it to end as a person would; its exit code."""
        if self._running.poll() is None:
            self._running.send_signal(order)
        return self.wait(STOP_TIMEOUT_SECONDS)

    def wait(self, timeout_seconds: float) -> int:
        """Wait until it has ended by itself; its exit code."""
        code = self._running.wait(timeout_seconds)
        assert self._reader is not None
        self._reader.join(timeout_seconds)
        return code

    def kill(self) -> None:
        """Make sure it is gone whatever happened to the test."""
        try:
            self.stop()
        except subprocess.TimeoutExpired:
            self._running.kill()
            self.wait(STOP_TIMEOUT_SECONDS)

    def pid(self, name: str) -> int:
        """The pid of one of its processes: `app`, `simulator` or `run`."""
        return int((self.run / f"{name}.pid").read_text())

    def get(self, path: str, **headers: str) -> Answer:
        """GET, redirects not followed."""
        return self.request("GET", path, headers=headers)

    def post(self, path: str, body: Any = None, **headers: str) -> Answer:
        """POST of JSON (bytes go as they are)."""
        raw = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        return self.request("POST", path, raw, {"Content-Type": "application/json"} | headers)

    def request(
        self, method: str, path: str, body: bytes | None = None, headers: dict[str, str] | None = None
    ) -> Answer:
        """One request, whatever the status."""
        request = urllib.request.Request(self.url + path, data=body, headers=headers or {}, method=method)
        try:
            with _opener.open(request, timeout=REQUEST_TIMEOUT_SECONDS) as answer:
                return Answer(answer.status, dict(answer.headers), answer.read())
        except urllib.error.HTTPError as error:
            with error:
                return Answer(error.code, dict(error.headers), error.read())

    @property
    def _running(self) -> "subprocess.Popen[str]":
        assert self._process is not None, "start it first"
        return self._process

    def _read(self, process: "subprocess.Popen[str]") -> None:
        assert process.stdout is not None
        with process.stdout:
            for line in process.stdout:
                self.lines.append(line.rstrip("\n"))


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *args: Any, **kwargs: Any) -> None:
        return None


_opener = urllib.request.build_opener(_NoRedirect, urllib.request.ProxyHandler({}))
