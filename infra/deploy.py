"""Deployment: put a finished package (infra/package.py) on AWS through a CloudFormation change set.

    python -m infra.deploy --stage prod [--alarm-email it@town.example] [--mail-from salter@town.example]
        [--allow-replacement]

The same for a first installation and for every later version. Account, region and credentials are those of the usual
AWS environment; AWS_ENDPOINT_URL is honoured. What would replace or remove tables, bucket, key or sign-in is refused.
"""

import argparse
import hashlib
import json
import secrets
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError, WaiterError

from infra.package import BUILD, Package, functions, in_folder, of_type

REGION = "eu-central-1"  # Frankfurt, unless the environment names another: citizens' data stays in Europe
LOCAL_STAGE = "local"
CAPABILITIES = ["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"]
POLL = {"Delay": 2, "MaxAttempts": 900}  # seconds, tries: up to half an hour
SIGNING_KEY_BYTES = 32
STAGE_KEYS = ("chat-signing-key", "phone-key")
HEALTH_TRIES_MAX = 10
HEALTH_PAUSE_SECONDS = 2.0
HEALTH_TIMEOUT_SECONDS = 10.0

# What holds people's matters: replaced or removed, it would come back empty.
KEPT_TYPES = frozenset({"AWS::DynamoDB::Table", "AWS::S3::Bucket", "AWS::KMS::Key", "AWS::Cognito::UserPool"})
# A first creation that failed leaves a stack that can only be deleted.
STILLBORN = frozenset({"ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "CREATE_FAILED"})
# What CloudFormation says of a change set without changes, in its two wordings.
NOTHING_NEW = ("didn't contain changes", "No updates are to be performed")


# Not London (eu-west-2), not Zurich (eu-central-2).
REGIONS_IN_THE_EU = ("eu-central-1", "eu-north-1", "eu-south-1", "eu-south-2", "eu-west-1", "eu-west-3")


class NotDeployed(RuntimeError):
    """The stack is as it was before, or AWS rolled it back; the message says who must act."""


@dataclass(frozen=True)
class Installation:
    """A stage that stands: what its stack's outputs say."""

    stage: str
    outputs: dict[str, str]

    @property
    def url(self) -> str:
        """Where the product answers, with a slash at the end."""
        return self.outputs["PublicURL"]


def deploy(
    package: Package, stage: str, *, parameters: dict[str, str] | None = None, allow_replacement: bool = False
) -> Installation:
    """Bring the stage to this package, making it if it is not there. Returns when AWS has finished."""
    if stage == LOCAL_STAGE:
        raise NotDeployed("stage local belongs to `make run` and has doors that must not exist elsewhere: name another")
    session = boto3.session.Session(region_name=boto3.session.Session().region_name or REGION)
    if session.region_name not in REGIONS_IN_THE_EU:
        raise NotDeployed(
            f"{session.region_name} is not in the European Union, where people's data is to stay: set AWS_REGION to "
            f"one of {', '.join(REGIONS_IN_THE_EU)}"
        )
    cloudformation = session.client("cloudformation")
    template_url = upload(session, package)
    stack = f"salter-{stage}"
    changes = propose(cloudformation, stack, template_url, {"Stage": stage} | (parameters or {}))
    if changes is None:
        print(f"{stack}: nothing to change")
    else:
        refuse_loss(cloudformation, changes, allow_replacement)
        apply(cloudformation, changes)
    installation = Installation(stage, outputs(cloudformation, stack))
    make_keys(session.client("ssm"), stage)
    return installation


# --- What goes up -----------------------------------------------------------------------------------------------------


def upload(session: boto3.session.Session, package: Package) -> str:
    """Upload zips and template, named by their contents: unchanged code is no change. Returns the template's URL."""
    s3 = session.client("s3")
    bucket = make_artifact_bucket(session, s3)
    template = json.loads(package.template.read_text(encoding="utf-8"))
    code = put_zip(s3, bucket, package.zip)
    for function in functions(template).values():
        function["Properties"]["CodeUri"] = code
    for layer in of_type(template, "AWS::Lambda::LayerVersion").values():
        stored = put_zip(s3, bucket, package.layer)
        layer["Properties"]["Content"] = {"S3Bucket": stored["Bucket"], "S3Key": stored["Key"]}
    body = json.dumps(template, separators=(",", ":")).encode()
    template_key = f"template/{digest(body)}.json"
    put_once(s3, bucket, template_key, body)
    return f"{s3.meta.endpoint_url}/{bucket}/{template_key}"


def make_artifact_bucket(session: boto3.session.Session, s3: Any) -> str:
    """The account's own private bucket for packages; one for all stages, made by the first deployment."""
    account = session.client("sts").get_caller_identity()["Account"]
    bucket = f"salter-packages-{account}-{session.region_name}"
    try:
        s3.head_bucket(Bucket=bucket)
    except ClientError:
        # us-east-1 is the one region that must not be named.
        elsewhere = {"CreateBucketConfiguration": {"LocationConstraint": session.region_name}}
        s3.create_bucket(Bucket=bucket, **({} if session.region_name == "us-east-1" else elsewhere))
        private = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")
        s3.put_public_access_block(Bucket=bucket, PublicAccessBlockConfiguration=dict.fromkeys(private, True))
    return bucket


def put_zip(s3: Any, bucket: str, path: Path) -> dict[str, str]:
    """Store a zip; where it lies, as the template says it."""
    body = path.read_bytes()
    key = f"code/{digest(body)}.zip"
    put_once(s3, bucket, key, body)
    return {"Bucket": bucket, "Key": key}


def put_once(s3: Any, bucket: str, key: str, body: bytes) -> None:
    """Store the object unless it is there: its name is its content."""
    try:
        s3.head_object(Bucket=bucket, Key=key)
    except ClientError:
        s3.put_object(Bucket=bucket, Key=key, Body=body)


def digest(content: bytes) -> str:
    """A name for the content."""
    return hashlib.sha256(content).hexdigest()[:32]


# --- The change set ---------------------------------------------------------------------------------------------------


def propose(cloudformation: Any, stack: str, template_url: str, wanted: dict[str, str]) -> Any | None:
    """Let CloudFormation work out what would change; None if nothing would."""
    present = describe(cloudformation, stack)
    request = {
        "StackName": stack,
        "ChangeSetName": f"deploy-{int(time.time() * 1000)}",
        "ChangeSetType": "CREATE" if present is None else "UPDATE",
        "TemplateURL": template_url,
        "Parameters": stack_parameters(wanted, present),
        "Capabilities": CAPABILITIES,
    }
    identity = {"ChangeSetName": cloudformation.create_change_set(**request)["Id"], "StackName": stack}
    try:
        cloudformation.get_waiter("change_set_create_complete").wait(**identity, WaiterConfig=POLL)
    except WaiterError as failed:
        reason = cloudformation.describe_change_set(**identity).get("StatusReason", str(failed))
        cloudformation.delete_change_set(**identity)
        if any(wording in reason for wording in NOTHING_NEW):
            return None
        raise NotDeployed(f"CloudFormation refuses the change of {stack}: {reason}") from failed
    return cloudformation.describe_change_set(**identity)


def describe(cloudformation: Any, stack: str) -> Any | None:
    """The stack as it stands; None if it is yet to be created."""
    try:
        present = cloudformation.describe_stacks(StackName=stack)["Stacks"][0]
    except ClientError as error:
        if "does not exist" in str(error):
            return None
        raise
    if present["StackStatus"] in STILLBORN:
        raise NotDeployed(
            f"the first creation of {stack} failed ({present['StackStatus']}): delete that stack, then deploy"
        )
    return None if present["StackStatus"] == "REVIEW_IN_PROGRESS" else present


def stack_parameters(wanted: dict[str, str], present: Any | None) -> list[dict[str, Any]]:
    """The parameters we name; those we don't keep the value of the last deployment."""
    kept = [known["ParameterKey"] for known in (present or {}).get("Parameters", [])]
    given = [{"ParameterKey": key, "ParameterValue": value} for key, value in wanted.items()]
    return given + [{"ParameterKey": key, "UsePreviousValue": True} for key in kept if key not in wanted]


def refuse_loss(cloudformation: Any, changes: Any, allowed: bool) -> None:
    """Print the changes; stop where one would replace or remove what holds people's matters, unless that is allowed."""
    each = [change["ResourceChange"] for change in changes.get("Changes", [])]
    for change in each:
        print(f"  {change['Action']:7} {change['ResourceType']} {change['LogicalResourceId']}")
    lost = [change["LogicalResourceId"] for change in each if loses(change)]
    if lost and not allowed:
        cloudformation.delete_change_set(ChangeSetName=changes["ChangeSetId"], StackName=changes["StackName"])
        raise NotDeployed(f"this would replace or remove {', '.join(lost)}: mend the template, or --allow-replacement")


def loses(change: dict[str, Any]) -> bool:
    """Whether the change takes away something that holds data."""
    gone = change["Action"] == "Remove" or change.get("Replacement") == "True"
    return gone and change["ResourceType"] in KEPT_TYPES


def apply(cloudformation: Any, changes: Any) -> None:
    """Execute the change set and wait for its end."""
    stack = changes["StackName"]
    first = describe(cloudformation, stack) is None
    cloudformation.execute_change_set(ChangeSetName=changes["ChangeSetId"], StackName=stack)
    waiter = cloudformation.get_waiter("stack_create_complete" if first else "stack_update_complete")
    try:
        waiter.wait(StackName=stack, WaiterConfig=POLL)
    except WaiterError as failed:
        events = cloudformation.describe_stack_events(StackName=stack)["StackEvents"]
        raise NotDeployed(f"AWS gave up on {stack} and rolled it back:\n{first_failures(events)}") from failed


def first_failures(events: Iterable[dict[str, Any]]) -> str:
    """What failed, oldest first, for the first one is the cause."""
    failed = [event for event in events if event["ResourceStatus"].endswith("FAILED")]
    lines = [
        f"  {event['LogicalResourceId']}: {event.get('ResourceStatusReason', 'no reason given')}" for event in failed
    ]
    return "\n".join(reversed(lines)) or "  no failed resource is named; see the stack's events"


def outputs(cloudformation: Any, stack: str) -> dict[str, str]:
    """The stack's outputs by name."""
    described = cloudformation.describe_stacks(StackName=stack)["Stacks"][0]
    return {output["OutputKey"]: output["OutputValue"] for output in described.get("Outputs", [])}


# --- Afterwards -------------------------------------------------------------------------------------------------------


def make_keys(ssm: Any, stage: str) -> None:
    """Write the stage's own keys, each once; CloudFormation cannot make a SecureString."""
    for key in STAGE_KEYS:
        name, value = f"/salter/{stage}/{key}", secrets.token_urlsafe(SIGNING_KEY_BYTES)
        try:
            ssm.put_parameter(
                Name=name, Type="SecureString", KeyId=f"alias/salter-{stage}", Value=value, Overwrite=False
            )
        except ssm.exceptions.ParameterAlreadyExists:
            continue


def wait_until_healthy(url: str) -> None:
    """Ask the new installation how it is until it answers; a new API needs some seconds to be known."""
    said: object = "nothing"
    for _ in range(HEALTH_TRIES_MAX):
        try:
            with urllib.request.urlopen(f"{url}health", timeout=HEALTH_TIMEOUT_SECONDS) as answer:
                print(f"{url}health: {answer.read().decode()}")
                return
        except (urllib.error.URLError, OSError) as error:
            said = error
        time.sleep(HEALTH_PAUSE_SECONDS)
    raise NotDeployed(f"deployed, but {url}health does not answer ({said}): read the log group of the API's function")


def main() -> None:
    """`make deploy`."""
    parser = argparse.ArgumentParser(prog="python -m infra.deploy", description="Put build/ on AWS.")
    parser.add_argument("--stage", required=True, help="name of the installation: prod, trial …")
    parser.add_argument("--alarm-email", help="who gets the alarms; kept from the last deployment when not given")
    parser.add_argument("--mail-from", help="the product's own address; kept from the last deployment when not given")
    parser.add_argument("--monthly-budget", help="whole dollars a month; the alarms' address hears of four fifths")
    parser.add_argument("--entry", choices=["http", "rest"], help="the address given out: an HTTP API, or the REST API")
    parser.add_argument(
        "--allow-replacement", action="store_true", help="even if tables, bucket, key or sign-in are lost"
    )
    arguments = parser.parse_args()
    package = in_folder(BUILD)
    if not all(path.exists() for path in (package.zip, package.layer, package.template)):
        sys.exit("not deployed: there is no package in build/; run `make package` first")
    chosen = {
        "AlarmEmail": arguments.alarm_email,
        "MailFrom": arguments.mail_from,
        "MonthlyBudgetUsd": arguments.monthly_budget,
        "Entry": arguments.entry,
    }
    parameters = {name: value for name, value in chosen.items() if value is not None}
    try:
        there = deploy(package, arguments.stage, parameters=parameters, allow_replacement=arguments.allow_replacement)
        wait_until_healthy(there.url)
    except (NotDeployed, BotoCoreError, ClientError) as refused:
        sys.exit(f"not deployed: {refused}")
    print(f"stage {there.stage} stands at {there.url}")
    print(f"Viber's callback of an account: {there.url}viber/ACCOUNT")
    print(f"its token belongs into {there.outputs['ViberTokenParameter']}")


if __name__ == "__main__":
    main()
