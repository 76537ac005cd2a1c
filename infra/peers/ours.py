"""One process of the package, whose folder is named: answers the events it reads line by line, and says what that took.

For `infra/bench_process.py`; run by an interpreter with nothing else on its path.
"""

import json
import sys
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, sys.argv[1])

import app
from chalicelib import wire
from chalicelib.actions import clock


class Context:
    """What Lambda tells a function of itself."""

    function_name = "salter-bench-api"
    function_version = "$LATEST"
    invoked_function_arn = "arn:aws:lambda:eu-central-1:123456789012:function:salter-bench-api"
    memory_limit_in_mb = 1024
    aws_request_id = "00000000-0000-4000-8000-000000000000"
    log_group_name = "/aws/lambda/salter-bench-api"
    log_stream_name = "bench"

    def get_remaining_time_in_millis(self) -> int:
        return 10_000


class Seen:
    """A tap: seconds inside exchanges, messages to Viber; `slowed` says how many milliseconds a call takes longer."""

    def __init__(self, slowed: dict[str, int]) -> None:
        self.slowed, self.inside, self.sent, self.began = slowed, 0.0, 0, 0.0

    def before(self, call: wire.Call) -> None:
        self.began = time.perf_counter()
        self.sent += call.service == "viber"
        time.sleep(self.slowed.get(call.operation, 0) / 1000)

    def after(self, call: wire.Call, reply: wire.Reply) -> None:
        self.inside += time.perf_counter() - self.began


def answered(asked: dict[str, Any]) -> dict[str, Any]:
    """What a turn took: `own` and `cpu` (since the process began) in milliseconds, `mb` at most so far."""
    seen = Seen(asked["slowed"])
    wire.taps[:] = [seen]
    clock.now = lambda: float(asked["now"])
    began = time.perf_counter()
    status = app.app(asked["event"], Context())["statusCode"]
    own = time.perf_counter() - began - seen.inside
    cpu = time.process_time() * 1000
    return {"status": status, "sent": seen.sent, "own": own * 1000, "cpu": cpu, "mb": peak()}


def peak() -> float:
    """The most memory so far, in MB. What rusage says includes the process that began this one."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:")) / 1024


for line in sys.stdin:
    print("TOLD" + json.dumps(answered(json.loads(line))), flush=True)
