"""The deployment's own judgement: what it may change, what it keeps, what it says when AWS refuses."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from infra import deploy, package
from infra.local.aws import Aws, client


def change(action: str, kind: str, replacement: str = "False") -> dict[str, Any]:
    """One change as CloudFormation describes it."""
    return {"Action": action, "ResourceType": kind, "LogicalResourceId": "It", "Replacement": replacement}


class RecordingCloudFormation:
    """Takes note of the change set it is told to drop."""

    def __init__(self) -> None:
        self.dropped: list[str] = []

    def delete_change_set(self, *, ChangeSetName: str, StackName: str) -> None:
        self.dropped.append(f"{StackName}/{ChangeSetName}")


def change_set(*changes: dict[str, Any]) -> dict[str, Any]:
    """A change set as CloudFormation describes it."""
    return {
        "ChangeSetId": "one",
        "StackName": "salter-trial",
        "Changes": [{"Type": "Resource", "ResourceChange": each} for each in changes],
    }


@pytest.mark.parametrize("kind", sorted(deploy.KEPT_TYPES))
@pytest.mark.parametrize(("action", "replacement"), [("Remove", "False"), ("Modify", "True")])
def test_a_change_that_would_lose_peoples_matters_is_refused_and_dropped(
    kind: str, action: str, replacement: str
) -> None:
    cloudformation = RecordingCloudFormation()
    with pytest.raises(deploy.NotDeployed, match="It"):
        deploy.refuse_loss(cloudformation, change_set(change(action, kind, replacement)), allowed=False)
    assert cloudformation.dropped == ["salter-trial/one"]


def test_a_loss_may_be_allowed_by_hand() -> None:
    cloudformation = RecordingCloudFormation()
    deploy.refuse_loss(cloudformation, change_set(change("Remove", "AWS::DynamoDB::Table")), allowed=True)
    assert not cloudformation.dropped


@pytest.mark.parametrize(
    "harmless",
    [
        change("Modify", "AWS::DynamoDB::Table"),
        change("Add", "AWS::S3::Bucket"),
        change("Remove", "AWS::Lambda::Function"),
        change("Modify", "AWS::ApiGateway::Deployment", "True"),
    ],
    ids=lambda each: f"{each['Action']} {each['ResourceType']}",
)
def test_a_change_that_loses_nothing_passes(harmless: dict[str, Any]) -> None:
    deploy.refuse_loss(RecordingCloudFormation(), change_set(harmless), allowed=False)


def test_what_an_earlier_deployment_was_told_stays_unless_it_is_told_anew() -> None:
    present = {"Parameters": [{"ParameterKey": "Stage"}, {"ParameterKey": "AlarmEmail"}]}
    assert deploy.stack_parameters({"Stage": "trial"}, present) == [
        {"ParameterKey": "Stage", "ParameterValue": "trial"},
        {"ParameterKey": "AlarmEmail", "UsePreviousValue": True},
    ]


def test_the_first_failure_stands_first() -> None:
    newest_first = [
        {"LogicalResourceId": "Stack", "ResourceStatus": "CREATE_FAILED", "ResourceStatusReason": "the rest failed"},
        {"LogicalResourceId": "Queue", "ResourceStatus": "CREATE_COMPLETE"},
        {"LogicalResourceId": "Bucket", "ResourceStatus": "CREATE_FAILED", "ResourceStatusReason": "name is taken"},
    ]
    assert deploy.first_failures(newest_first) == "  Bucket: name is taken\n  Stack: the rest failed"


@pytest.fixture
def small(tmp_path: Path) -> package.Package:
    """A package that needs no minute to be made: one queue and a zip nobody runs."""
    body = {
        "Resources": {"Queue": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": {"Fn::Sub": "small-${Stage}"}}}},
        "Parameters": {"Stage": {"Type": "String"}, "AlarmEmail": {"Type": "String", "Default": ""}},
        "Outputs": {"EndpointURL": {"Value": {"Ref": "Queue"}}, "Mail": {"Value": {"Ref": "AlarmEmail"}}},
    }
    template, code = tmp_path / "template.json", tmp_path / "deployment.zip"
    template.write_text(json.dumps(body), encoding="utf-8")
    code.write_bytes(b"code")
    return package.Package(zip=code, layer=code, template=template)


def test_deploying_the_same_package_again_changes_nothing_and_keeps_the_signing_key(
    aws: Aws, small: package.Package, capsys: pytest.CaptureFixture[str]
) -> None:
    ssm = client("ssm", aws.endpoint)
    name = "/salter/twice/chat-signing-key"
    deploy.deploy(small, "twice", parameters={"AlarmEmail": "it@town.example"})
    key = ssm.get_parameter(Name=name, WithDecryption=True)["Parameter"]
    assert key["Type"] == "SecureString"
    assert len(key["Value"]) >= deploy.SIGNING_KEY_BYTES

    again = deploy.deploy(small, "twice")

    assert "nothing to change" in capsys.readouterr().out
    assert again.outputs["Mail"] == "it@town.example"
    assert ssm.get_parameter(Name=name, WithDecryption=True)["Parameter"]["Value"] == key["Value"]


def test_the_local_stage_is_never_deployed(small: package.Package) -> None:
    with pytest.raises(deploy.NotDeployed, match="make run"):
        deploy.deploy(small, "local")


@pytest.mark.shows("D14")
@pytest.mark.parametrize("region", ["us-east-1", "eu-west-2", "eu-central-2"])
def test_peoples_data_stays_in_the_european_union(monkeypatch: pytest.MonkeyPatch, region: str) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", region)
    with pytest.raises(deploy.NotDeployed, match="European Union"):
        deploy.deploy(package.in_folder(package.BUILD), "abroad")
    assert package.REGION in deploy.REGIONS_IN_THE_EU


@pytest.mark.shows("D14")
def test_the_template_names_no_other_region() -> None:
    written = (package.TEMPLATE.read_text(), package.OVERLAY.read_text())
    named = {region for text in written for region in re.findall(r"\b(?:us|eu|ap|sa|ca|me|af|il)-[a-z]+-\d\b", text)}
    assert named <= {package.REGION}


def test_packages_lie_in_a_private_bucket_under_the_name_of_their_content(aws: Aws, small: package.Package) -> None:
    deploy.deploy(small, "private")
    s3 = client("s3", aws.endpoint)
    (bucket,) = [each["Name"] for each in s3.list_buckets()["Buckets"] if each["Name"].startswith("salter-packages-")]
    closed = s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"]
    assert set(closed.values()) == {True}
    keys = [item["Key"] for item in s3.list_objects_v2(Bucket=bucket)["Contents"]]
    assert f"code/{deploy.digest(b'code')}.zip" in keys


def test_a_template_aws_refuses_ends_in_its_reason(aws: Aws, small: package.Package) -> None:
    small.template.write_text(
        json.dumps({"Parameters": {"Stage": {"Type": "String"}}, "Resources": {"It": {"Type": "AWS::No::Such"}}}),
        encoding="utf-8",
    )
    with pytest.raises((deploy.NotDeployed, ClientError), match="No::Such"):
        deploy.deploy(small, "refused")


def test_an_installation_that_does_not_answer_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deploy, "HEALTH_PAUSE_SECONDS", 0.0)
    with pytest.raises(deploy.NotDeployed, match="log group"):
        deploy.wait_until_healthy("http://127.0.0.1:9/api/")
