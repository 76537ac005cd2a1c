"""Which stage a command of `./salter` works on: a running local stack, or a deployed one by its name."""

from __future__ import annotations

import argparse
import os

from chalicelib.tenancy.complaints import Complaint, Rejected

LOCAL = "local"


def enter_stage(stage: str) -> None:
    """Take the environment of a running local stack, or name a deployed stage."""
    if stage != LOCAL or os.environ.get("AWS_ENDPOINT_URL"):
        os.environ["SALTER_STAGE"] = stage
        return
    from infra.local.stack import running

    stack = running()
    if stack is None:
        raise Rejected([Complaint("local stack", 0, "is not running", "start it with `make run` (same DATA)")])
    os.environ.update(stack.environment)


def default_stage(parsed: argparse.Namespace) -> None:
    """The stage the command named, else the one of the environment, else the local stack."""
    if not parsed.stage:
        enter_stage(os.environ.get("SALTER_STAGE") or LOCAL)
