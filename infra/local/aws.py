"""The embedded AWS (MiniStack) of the local stack and of the tests: started, adopted, stopped, and given our stack.

It runs as a process of its own, in a session of its own, so that neither a Ctrl-C nor the death of the product takes it
away: it keeps what it holds in memory and writes it down only when it is asked to stop.
"""

import json
import os
import socket
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from infra.local import processes

ROOT = Path(__file__).resolve().parents[2]
TEMPLATE = ROOT / "infra" / "template.yaml"

HOST = "127.0.0.1"
REGION = "eu-central-1"
ACCOUNT_ID = "123456789012"
SECRET = "local"

START_TIMEOUT_SECONDS = 20.0
HEALTH_POLL_SECONDS = 0.05
HEALTH_REQUEST_TIMEOUT_SECONDS = 2.0
STOP_TIMEOUT_SECONDS = 9.0
STACK_TIMEOUT_SECONDS = 30.0
STACK_POLL_SECONDS = 0.05

RECORD = "aws.json"


class AwsNotStarted(RuntimeError):
    """The embedded AWS or our stack in it did not come up; the message says where to look."""


@dataclass(frozen=True)
class Aws:
    """A running embedded AWS."""

    pid: int
    port: int
    kept: bool  # whether it writes its state down when it stops

    @property
    def endpoint(self) -> str:
        """What `AWS_ENDPOINT_URL` is to be."""
        return f"http://{HOST}:{self.port}"


def start(run: Path, *, state: Path | None = None, port: int | None = None) -> Aws:
    """Start it and wait until it answers. `run` takes its log and record, `state` what it holds (None: memory only)."""
    port = port or free_port()
    log = run / "aws.log"
    command = [sys.executable, "-m", "ministack"]
    pid = processes.start(command, environment=_server_environment(run, state, port), log=log, cwd=ROOT)
    aws = Aws(pid=pid, port=port, kept=state is not None)
    _wait_until_healthy(aws, log)
    (run / RECORD).write_text(json.dumps(asdict(aws)), encoding="utf-8")
    return aws


def adopt(run: Path) -> Aws | None:
    """The one an earlier run left behind and recorded in `run`, if it still lives and answers."""
    try:
        aws = Aws(**json.loads((run / RECORD).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None
    return aws if processes.runs(aws.pid, "ministack") and healthy(aws.endpoint) else None


def stop(run: Path, aws: Aws) -> None:
    """Ask it to write down what it holds and wait until it is gone."""
    processes.stop(aws.pid, timeout_seconds=STOP_TIMEOUT_SECONDS)
    (run / RECORD).unlink(missing_ok=True)


def healthy(endpoint: str) -> bool:
    """Whether something that answers like the embedded AWS listens there."""
    try:
        with urllib.request.urlopen(f"{endpoint}/_ministack/health", timeout=HEALTH_REQUEST_TIMEOUT_SECONDS) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def free_port() -> int:
    """A loopback port nobody listens on right now."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


def environment(endpoint: str, stage: str) -> dict[str, str]:
    """What a process of the product finds in its environment: the same names as on AWS, dummy credentials."""
    return {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ACCESS_KEY_ID": ACCOUNT_ID,
        "AWS_SECRET_ACCESS_KEY": SECRET,
        "AWS_EC2_METADATA_DISABLED": "true",
        # A developer's own profile must neither be read nor, by its endpoint settings, reach a real account.
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "SALTER_STAGE": stage,
        "SALTER_DOORBELL_URL": f"{endpoint}/{ACCOUNT_ID}/salter-{stage}-doorbell",
        "SALTER_PUBLISH_URL": f"{endpoint}/{ACCOUNT_ID}/salter-{stage}-publish",
        "SALTER_MEDIA_BUCKET": f"salter-{stage}-media-{ACCOUNT_ID}",
        "SALTER_KEY_ID": f"alias/salter-{stage}",
        "SALTER_MAIL_FROM": mail_from(stage),
    }


def process_environment(endpoint: str, stage: str, inherited: Mapping[str, str] | None = None) -> dict[str, str]:
    """A whole environment for a process of the product: the inherited one without AWS or Šalter settings, then ours."""
    inherited = os.environ if inherited is None else inherited
    clean = {name: value for name, value in inherited.items() if not name.startswith(("AWS_", "SALTER_"))}
    clean["NO_PROXY"] = clean["no_proxy"] = f"{HOST},localhost,::1"
    return clean | environment(endpoint, stage)


def client(service: str, endpoint: str) -> Any:
    """A boto3 client of the embedded AWS, whatever the environment says."""
    import boto3  # here, so that starting the server does not wait for it
    from botocore.config import Config

    session = boto3.session.Session(aws_access_key_id=ACCOUNT_ID, aws_secret_access_key=SECRET, region_name=REGION)
    return session.client(service, endpoint_url=endpoint, config=Config(proxies={}, retries={"total_max_attempts": 1}))


def ensure_stack(endpoint: str, stage: str) -> None:
    """Create the one stack production has too, or bring an older one up to the template, and wait until it stands.

    TTL stays off here although the template asks for it: the embedded AWS would delete by the machine's clock.
    """
    cloudformation = client("cloudformation", endpoint)
    name = stack_name(stage)
    body = TEMPLATE.read_text(encoding="utf-8")
    try:
        if _stack_status(cloudformation, name) is None:
            cloudformation.create_stack(**_stack_request(name, stage, body))
        elif cloudformation.get_template(StackName=name)["TemplateBody"] != body:
            cloudformation.update_stack(**_stack_request(name, stage, body))
    except cloudformation.exceptions.ClientError as refusal:
        raise AwsNotStarted(f"the embedded AWS refuses {TEMPLATE.name} for the stack {name}: {refusal}") from refusal
    _wait_until_stands(cloudformation, name)


def stack_name(stage: str) -> str:
    """The stack's name in CloudFormation."""
    return f"salter-{stage}"


def mail_from(stage: str) -> str:
    """The sender of the e-mails that nobody delivers."""
    return f"salter@{stage}.example"


def _stack_request(name: str, stage: str, body: str) -> dict[str, Any]:
    chosen = {"Stage": stage, "MailFrom": mail_from(stage)}
    parameters = [{"ParameterKey": key, "ParameterValue": value} for key, value in chosen.items()]
    return {
        "StackName": name,
        "TemplateBody": body,
        "Parameters": parameters,
        "Capabilities": ["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"],
    }


def _stack_status(cloudformation: Any, name: str) -> str | None:
    try:
        stacks = cloudformation.describe_stacks(StackName=name)["Stacks"]
    except cloudformation.exceptions.ClientError:
        return None
    return str(stacks[0]["StackStatus"]) if stacks else None


def _wait_until_stands(cloudformation: Any, name: str) -> None:
    give_up = time.monotonic() + STACK_TIMEOUT_SECONDS
    while (status := _stack_status(cloudformation, name)) not in ("CREATE_COMPLETE", "UPDATE_COMPLETE"):
        if status is None or "FAILED" in status or "ROLLBACK" in status or time.monotonic() > give_up:
            raise AwsNotStarted(f"stack {name} is {status}: {_first_failure(cloudformation, name)}")
        time.sleep(STACK_POLL_SECONDS)


def _first_failure(cloudformation: Any, name: str) -> str:
    events = cloudformation.describe_stack_events(StackName=name)["StackEvents"]
    failed = [event for event in events if event["ResourceStatus"].endswith("FAILED")]
    if not failed:
        return "no failed resource is named; see run/aws.log"
    return f"{failed[-1]['LogicalResourceId']}: {failed[-1].get('ResourceStatusReason', 'no reason given')}"


def _server_environment(run: Path, state: Path | None, port: int) -> dict[str, str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "SALTER_"))}
    environment |= {
        "BIND_HOST": HOST,
        "GATEWAY_PORT": str(port),
        "MINISTACK_HOST": HOST,
        "MINISTACK_ACCOUNT_ID": ACCOUNT_ID,
        "MINISTACK_REGION": REGION,
        "AWS_SECRET_ACCESS_KEY": SECRET,  # it looks at the signatures of links, at no others
        "LOG_LEVEL": "WARNING",  # its request log would hold what citizens wrote
        "TMPDIR": str(run.resolve()),
        # No container, no listener besides the one port.
        "DOCKER_HOST": "unix:///nonexistent",
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
        "PERSIST_STATE": "0",
        "S3_PERSIST": "0",
    }
    if state is not None:
        state = state.resolve()
        environment |= {
            "PERSIST_STATE": "1",
            "STATE_DIR": str(state),
            "S3_PERSIST": "1",
            "S3_DATA_DIR": str(state / "s3"),
        }
    return environment


def _wait_until_healthy(aws: Aws, log: Path) -> None:
    give_up = time.monotonic() + START_TIMEOUT_SECONDS
    while not healthy(aws.endpoint):
        if not processes.alive(aws.pid) or time.monotonic() > give_up:
            processes.stop(aws.pid, timeout_seconds=0.0)
            raise AwsNotStarted(f"the embedded AWS did not start; see {log}")
        time.sleep(HEALTH_POLL_SECONDS)
