"""Which stage a command of `./salter` works on: a running local stack, or a deployed one by its name."""

from __future__ import annotations

import argparse
import os

from chalicelib.actions.publish_tenant import COMMAND_LINE
from chalicelib.tenancy.complaints import Complaint, Rejected

LOCAL = "local"
READ_SECONDS = 10.0


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


def first_state(slug: str) -> str | None:
    """The state in which a town comes into force: on the local stack live, so that it can be used at once; elsewhere,
    and once it was published, whatever its record says (a new town is in trial)."""
    from chalicelib.storage import tenants
    from chalicelib.wire import Deadline

    new = os.environ["SALTER_STAGE"] == LOCAL and tenants.pointer(slug, Deadline(READ_SECONDS)) is None
    return tenants.LIVE if new else None


def acting_as() -> str:
    """Whom the audit trail names: on a deployed stage the AWS identity that runs the command."""
    if os.environ["SALTER_STAGE"] in (LOCAL, "test"):
        return COMMAND_LINE
    import boto3

    identity = boto3.client("sts").get_caller_identity()
    return f"platform:{identity['Arn'].rpartition(':')[2]}"


def public_url(given: str = "") -> str:
    """Where the product answers: as given, else of the running local stack, else as the stage was deployed.

    Raises Rejected where nobody can tell.
    """
    if given:
        return given
    if os.environ["SALTER_STAGE"] == LOCAL:
        from infra.local.stack import running

        stack = running()
        found = stack.url if stack else ""
    else:
        found = _deployed_url(f"salter-{os.environ['SALTER_STAGE']}")
    if not found:
        raise Rejected([Complaint("address", 0, "is not known", "name it: --url https://…")])
    return found


def _deployed_url(stack: str) -> str:
    import boto3
    from botocore.exceptions import BotoCoreError, ClientError

    from infra.deploy import outputs

    try:
        return outputs(boto3.client("cloudformation"), stack).get("PublicURL", "")
    except (BotoCoreError, ClientError):
        return ""
