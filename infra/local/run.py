"""`make run`: the whole product on this machine, ready in seconds, gone without a trace when it is told to stop.

One supervisor and three processes: the embedded AWS, the Viber simulator, the app. When the app dies unexpectedly the
embedded AWS is left alive with all it holds; the next run on the same data adopts it.
"""

import contextlib
import os
import signal
import socket
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import NoReturn

from chalicelib.tenancy.complaints import Rejected
from infra import towns
from infra.deploy import make_keys
from infra.local import accounts, aws, processes, stack
from infra.local.publish import compile_every_town, publish
from infra.local.stack import ROOT, STAGE, Stack

DEFAULT_PORT = 8000
DEFAULT_MEDIA_HOSTS = "127.0.0.1,localhost"

HEALTHY_TIMEOUT_SECONDS = 30.0
HEALTH_REQUEST_TIMEOUT_SECONDS = 2.0
POLL_SECONDS = 0.05
WATCH_SECONDS = 0.2
# Together under the 15 s within which all of it is gone: the app and the simulator stop at the same time.
CHILD_STOP_TIMEOUT_SECONDS = 5.0
# How long an earlier stack on the same data may take to end.
ENDING_TIMEOUT_SECONDS = 15.0

APP = "app"
SIMULATOR = "simulator"
MODULES = {APP: "infra.local.serve", SIMULATOR: "infra.local.simulator"}


class CannotRun(RuntimeError):
    """One line for whoever typed `make run`: what stands in the way and what to do about it."""


class ToldToStop(Exception):
    """Ctrl-C or SIGTERM."""


class ChildDied(Exception):
    """A process of the stack ended by itself."""


@dataclass(frozen=True)
class Settings:
    """What the person who starts the stack may choose."""

    port: int
    data: Path
    kept: bool
    viber_api_url: str | None
    media_hosts: str
    demo: bool = False

    @classmethod
    def of(cls, environment: Mapping[str, str]) -> "Settings":
        """From the environment variables of CONTRACT part 1."""
        port = environment.get("PORT") or str(DEFAULT_PORT)
        if not port.isdecimal() or not 0 < int(port) < 65536:
            raise CannotRun(f"PORT={port} is not a port: choose a number from 1024 to 65535, e.g. PORT=8001 make run")
        return cls(
            port=int(port),
            data=stack.data_directory(environment),
            kept=bool(environment.get("DATA")) and not stack.is_demo(environment),
            viber_api_url=environment.get("VIBER_API_URL") or None,
            media_hosts=environment.get("VIBER_MEDIA_HOSTS") or DEFAULT_MEDIA_HOSTS,
            demo=stack.is_demo(environment),
        )

    @property
    def run(self) -> Path:
        """Where pid files and logs are."""
        return self.data / "run"

    @property
    def url(self) -> str:
        """Where the product answers."""
        return f"http://{aws.HOST}:{self.port}"


def main() -> int:
    """Start everything, wait to be told to stop, stop everything; the exit code."""
    stopping = threading.Event()

    def told(number: int, frame: FrameType | None) -> None:
        stopping.set()

    for order in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(order, told)
    try:
        return Supervisor(Settings.of(os.environ), stopping).run()
    except ToldToStop:
        return 0
    except CannotRun as complaint:
        say(f"cannot run: {complaint}")
        return 1


class Supervisor:
    """Starts the processes of one stack, watches them, stops them."""

    def __init__(self, settings: Settings, stopping: threading.Event) -> None:
        self._settings = settings
        self._stopping = stopping
        self._started = time.monotonic()
        self._aws: aws.Aws | None = None
        self._children: dict[str, int] = {}
        self._compiling = ThreadPoolExecutor(max_workers=1)

    def run(self) -> int:
        """The whole life of a stack; the exit code."""
        self._claim()
        try:
            self._start()
            self._watch()
        except ToldToStop:
            self._stop_everything()
            return 0
        except (aws.AwsNotStarted, Rejected) as failure:
            self._stop_everything()
            raise CannotRun(str(failure)) from failure
        except ChildDied as death:
            say(f"{death}; the embedded AWS is left running for the next run on {self._settings.data}")
            self._stop_children()
            self._release()
            return 1
        except BaseException:
            self._stop_everything()
            raise

    def _claim(self) -> None:
        """Be the only stack on these data, rid of what an earlier one left, on a port that is free."""
        run = self._settings.run
        self._wait_for_one_that_is_ending()
        for name, module in MODULES.items():
            left = processes.recorded(run / f"{name}.pid", module)
            if left:
                processes.stop(left, timeout_seconds=CHILD_STOP_TIMEOUT_SECONDS)
        if not _port_is_free(self._settings.port):
            raise CannotRun(
                f"port {self._settings.port} is in use; stop what listens there or choose another: PORT=8001 make run"
            )
        try:
            processes.record(run / stack.SUPERVISOR_PID, os.getpid())
        except OSError as refusal:
            raise CannotRun(
                f"cannot write to {run}: {refusal.strerror}; choose other data, e.g. DATA=~/salter"
            ) from refusal

    def _wait_for_one_that_is_ending(self) -> None:
        """A stack whose app is gone is about to end; one whose app lives is somebody's."""
        run = self._settings.run
        give_up = time.monotonic() + ENDING_TIMEOUT_SECONDS
        while other := processes.recorded(run / stack.SUPERVISOR_PID, stack.SUPERVISOR_WORD):
            if processes.recorded(run / f"{APP}.pid", MODULES[APP]) or time.monotonic() > give_up:
                raise CannotRun(
                    f"a stack with the data in {self._settings.data} runs already: stop it (pid {other}) "
                    "or choose other data, e.g. DATA=.local/second make run"
                )
            self._go_on()
            time.sleep(POLL_SECONDS)

    def _start(self) -> None:
        settings = self._settings
        say("starting the embedded AWS and the product ...")
        versions = self._compiling.submit(compile_every_town)  # seconds of work that need nothing of what follows
        self._aws = self._aws_for(settings)
        aws.ensure_stack(self._aws.endpoint, STAGE)
        self._go_on()
        simulator = None if settings.viber_api_url else f"http://{aws.HOST}:{self._simulator_port()}"
        environment = self._environment(self._aws, simulator)
        accounts.write_tokens(self._aws.endpoint, accounts.names())
        ssm = aws.client("ssm", self._aws.endpoint)
        make_keys(ssm, STAGE)
        ssm.put_parameter(Name=f"/salter/{STAGE}/public-url", Type="String", Value=settings.url, Overwrite=True)
        if simulator:
            self._start_child(
                SIMULATOR, ["--port", simulator.rpartition(":")[2], "--callback", settings.url], environment
            )
        app_arguments = ["--port", str(settings.port), "--run", str(settings.run)]
        self._start_child(APP, app_arguments + (["--simulator", simulator] if simulator else []), environment)
        self._wait_until_healthy(APP, settings.url + "/health")
        if simulator:
            self._wait_until_healthy(SIMULATOR, simulator + "/health")
        os.environ.clear()
        os.environ.update(environment)
        publish(versions.result())
        if settings.demo:
            say("inventing a month of life in every town ...")
            self._fill_with_life(list(versions.result()))
        self._go_on()
        self._tell_ready(simulator, environment)

    def _fill_with_life(self, slugs: list[str]) -> None:
        # Imported in the environment of the stack only: the tables take their names from it.
        from chalicelib.actions import clock
        from infra.local import demo

        made = demo.fill(slugs, clock.now())
        say(f"{made} cases and their month are invented; nothing of it is about a real person")

    def _simulator_port(self) -> int:
        """The one after the product's, so that bookmarks last; any other if that is taken."""
        beside = self._settings.port + 1
        return beside if beside < 65536 and _port_is_free(beside) else aws.free_port()

    def _aws_for(self, settings: Settings) -> aws.Aws:
        left = aws.adopt(settings.run)
        if left and left.kept == settings.kept:
            say(f"adopted the embedded AWS an earlier run left (pid {left.pid})")
            return left
        if left:
            aws.stop(settings.run, left)
        return aws.start(settings.run, state=settings.data / "state" if settings.kept else None)

    def _environment(self, running: aws.Aws, simulator: str | None) -> dict[str, str]:
        settings = self._settings
        own = {towns.ROOT_VARIABLE: os.environ[towns.ROOT_VARIABLE]} if os.environ.get(towns.ROOT_VARIABLE) else {}
        return (
            aws.process_environment(running.endpoint, STAGE)
            | own
            | {
                "VIBER_API_URL": settings.viber_api_url or f"{simulator}/pa",
                "VIBER_MEDIA_HOSTS": settings.media_hosts,
                "PYTHONUNBUFFERED": "1",
            }
        )

    def _start_child(self, name: str, arguments: list[str], environment: Mapping[str, str]) -> None:
        run = self._settings.run
        command = [sys.executable, "-m", MODULES[name], *arguments]
        self._children[name] = processes.start(command, environment=environment, log=run / f"{name}.log", cwd=ROOT)
        processes.record(run / f"{name}.pid", self._children[name])

    def _wait_until_healthy(self, name: str, url: str) -> None:
        give_up = time.monotonic() + HEALTHY_TIMEOUT_SECONDS
        while not _answers(url):
            self._go_on()
            if not processes.alive(self._children[name]) or time.monotonic() > give_up:
                log = self._settings.run / f"{name}.log"
                raise CannotRun(f"the {name} did not start; the end of {log}:\n{_tail(log)}")
            time.sleep(POLL_SECONDS)

    def _tell_ready(self, simulator: str | None, environment: Mapping[str, str]) -> None:
        settings = self._settings
        seconds = time.monotonic() - self._started
        own = {name: value for name, value in environment.items() if name.startswith(("AWS_", "SALTER_", "VIBER_"))}
        own.pop(towns.ROOT_VARIABLE, None)  # whose folders a command of `./salter` works on, its own caller says
        Stack(url=settings.url, simulator=simulator, ready_seconds=seconds, environment=own).write(settings.run)
        say(f"start page       {settings.url}/local/")
        say(f"Viber simulator  {simulator or 'not started, messages go to ' + str(settings.viber_api_url)}")
        say(f"logs and pids    {settings.run}")
        say(f"ready in {seconds:.1f} s, Ctrl-C stops it")

    def _watch(self) -> NoReturn:
        while True:
            self._go_on()
            if self._aws and not processes.alive(self._aws.pid):
                raise CannotRun("the embedded AWS ended unexpectedly; what it held since its last clean stop is lost")
            for name, pid in self._children.items():
                if not processes.alive(pid):
                    raise ChildDied(f"the {name} ended unexpectedly, see {self._settings.run / f'{name}.log'}")
            self._stopping.wait(WATCH_SECONDS)

    def _go_on(self) -> None:
        if self._stopping.is_set():
            raise ToldToStop

    def _stop_everything(self) -> None:
        say("stopping ...")
        self._stop_children()
        if self._aws:
            aws.stop(self._settings.run, self._aws)
        self._release()

    def _stop_children(self) -> None:
        stops = [
            threading.Thread(target=processes.stop, args=(pid,), kwargs={"timeout_seconds": CHILD_STOP_TIMEOUT_SECONDS})
            for pid in self._children.values()
        ]
        for stop in stops:
            stop.start()
        for stop in stops:
            stop.join()

    def _release(self) -> None:
        for name in (stack.SUPERVISOR_PID, stack.RECORD, *(f"{name}.pid" for name in MODULES)):
            (self._settings.run / name).unlink(missing_ok=True)


def say(line: str) -> None:
    """A line for whoever started us; they may have gone without taking us along."""
    with contextlib.suppress(OSError, ValueError):
        print(line, flush=True)


def _port_is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((aws.HOST, port))
            probe.listen(1)
        except OSError:
            return False
    return True


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=HEALTH_REQUEST_TIMEOUT_SECONDS) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def _tail(log: Path, lines: int = 15) -> str:
    try:
        return "\n".join(log.read_text(errors="replace").splitlines()[-lines:])
    except OSError:
        return "(no log)"


if __name__ == "__main__":
    sys.exit(main())
