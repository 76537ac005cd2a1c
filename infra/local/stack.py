"""The running local stack, as it describes itself in a file for the start page and for `./salter --stage local`."""

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from infra.local import processes

ROOT = Path(__file__).resolve().parents[2]
DEFAULT_DATA = ROOT / ".local"
STAGE = "local"
DEMO = "demo"

RECORD = "stack.json"
SUPERVISOR_PID = "run.pid"
SUPERVISOR_WORD = "infra.local.run"


@dataclass(frozen=True)
class Stack:
    """Where a running local stack is found, and the environment in which a process belongs to it."""

    url: str
    simulator: str | None
    ready_seconds: float
    environment: Mapping[str, str]

    def write(self, run: Path) -> None:
        """Let others find it."""
        (run / RECORD).write_text(json.dumps(asdict(self), indent=1), encoding="utf-8")


def data_directory(environment: Mapping[str, str] = os.environ) -> Path:
    """The directory `DATA` names, or the one used when nothing is to be kept."""
    return Path(DEFAULT_DATA if is_demo(environment) else environment.get("DATA") or DEFAULT_DATA).resolve()


def is_demo(environment: Mapping[str, str] = os.environ) -> bool:
    """Whether the stack is to start with a month of invented life (`DATA=demo`); nothing of it is kept."""
    return environment.get("DATA") == DEMO


def read(run: Path) -> Stack | None:
    """What a stack wrote about itself in its run directory, once it was ready."""
    try:
        return Stack(**json.loads((run / RECORD).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def running(data: Path | None = None) -> Stack | None:
    """The local stack that runs on these data right now, if one does."""
    run = (data or data_directory()) / "run"
    return read(run) if processes.recorded(run / SUPERVISOR_PID, SUPERVISOR_WORD) else None
