"""The one template that production deploys and the local stack creates."""

import json
from typing import Any

import pytest

from chalicelib.storage import erased
from infra import bring_back, package

TEMPLATE = package.load_template(package.TEMPLATE)
RESOURCES: dict[str, Any] = TEMPLATE["Resources"]
CONFIG = json.loads((package.ROOT / ".chalice" / "config.json").read_text(encoding="utf-8"))

RECOVERY_DAYS = 35  # for which DynamoDB's point-in-time recovery reaches back

INDEXES = {
    "conversations": {
        "due": ("due_shard", "due_at", "KEYS_ONLY"),
        "day": ("day", "pk", "KEYS_ONLY"),
    },
    "cases": {
        "open": ("open_key", "open_sort", "ALL"),
        "desk": ("desk_key", "open_sort", "ALL"),
        "changed": ("changed_key", "changed_sort", "KEYS_ONLY"),
        "citizen": ("citizen_key", "created_sort", "KEYS_ONLY"),
    },
    "outbox": {"due": ("due_shard", "due_at", "KEYS_ONLY")},
    "people": {"audience": ("topic_key", "audience_sort", "ALL")},
    "tenants": {},
}


def of_type(kind: str) -> dict[str, Any]:
    """The template's resources of one type, by logical name."""
    return {name: resource for name, resource in RESOURCES.items() if resource["Type"] == kind}


def table(name: str) -> Any:
    """The table `salter-<stage>-<name>`."""
    wanted = {"Fn::Sub": f"salter-${{Stage}}-{name}"}
    (found,) = [one for one in of_type("AWS::DynamoDB::Table").values() if one["Properties"]["TableName"] == wanted]
    return found


def keys(schema: list[dict[str, str]]) -> dict[str, str]:
    """Attribute names by HASH and RANGE."""
    return {part["KeyType"]: part["AttributeName"] for part in schema}


def test_the_template_is_lint_clean() -> None:
    package.lint(package.TEMPLATE)


def test_there_are_five_tables_and_no_other() -> None:
    assert len(of_type("AWS::DynamoDB::Table")) == len(INDEXES)


@pytest.mark.parametrize("name", sorted(INDEXES))
def test_a_table_is_on_demand_and_forgets_expired_items_and_can_be_restored_to_any_second(name: str) -> None:
    properties = table(name)["Properties"]
    assert properties["BillingMode"] == "PAY_PER_REQUEST"
    assert keys(properties["KeySchema"]) == {"HASH": "pk", "RANGE": "sk"}
    assert properties["TimeToLiveSpecification"] == {"AttributeName": "exp", "Enabled": True}
    assert properties["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}


@pytest.mark.parametrize("name", sorted(INDEXES))
def test_a_table_has_exactly_the_indexes_of_the_data_model(name: str) -> None:
    found = {
        index["IndexName"]: (*keys(index["KeySchema"]).values(), index["Projection"]["ProjectionType"])
        for index in table(name)["Properties"].get("GlobalSecondaryIndexes", [])
    }
    assert found == INDEXES[name]


@pytest.mark.parametrize("kind", ["AWS::DynamoDB::Table", "AWS::S3::Bucket", "AWS::KMS::Key", "AWS::Cognito::UserPool"])
def test_what_holds_peoples_matters_outlives_the_stack(kind: str) -> None:
    assert of_type(kind)
    for name, resource in of_type(kind).items():
        assert resource["DeletionPolicy"] == "RetainExceptOnCreate", name
        assert resource["UpdateReplacePolicy"] == "Retain", name


@pytest.mark.shows("F24")
def test_the_doorbell_has_a_queue_for_what_failed_five_times() -> None:
    doorbell = RESOURCES["DoorbellQueue"]["Properties"]
    assert doorbell["QueueName"] == {"Fn::Sub": "salter-${Stage}-doorbell"}
    assert doorbell["RedrivePolicy"] == {
        "deadLetterTargetArn": {"Fn::GetAtt": ["DoorbellDeadQueue", "Arn"]},
        "maxReceiveCount": 5,
    }
    dead = RESOURCES["DoorbellDeadQueue"]["Properties"]
    assert dead["MessageRetentionPeriod"] > doorbell["MessageRetentionPeriod"], "a dead letter keeps its first date"


@pytest.mark.shows("F23")
def test_a_doorbell_message_stays_hidden_six_times_as_long_as_its_function_may_run() -> None:
    run_seconds = CONFIG["lambda_functions"]["ring_doorbell"]["lambda_timeout"]
    assert RESOURCES["DoorbellQueue"]["Properties"]["VisibilityTimeout"] >= 6 * run_seconds


def test_nothing_in_the_media_bucket_is_public() -> None:
    bucket = RESOURCES["MediaBucket"]["Properties"]
    assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}
    assert len(bucket["PublicAccessBlockConfiguration"]) == 4
    assert bucket["OwnershipControls"]["Rules"] == [{"ObjectOwnership": "BucketOwnerEnforced"}]


def test_the_media_bucket_speaks_tls_only() -> None:
    (statement,) = RESOURCES["MediaBucketPolicy"]["Properties"]["PolicyDocument"]["Statement"]
    assert (statement["Effect"], statement["Principal"], statement["Action"]) == ("Deny", "*", "s3:*")
    assert statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}


def test_a_browser_may_only_post_to_the_media_bucket() -> None:
    (rule,) = RESOURCES["MediaBucket"]["Properties"]["CorsConfiguration"]["CorsRules"]
    assert rule["AllowedMethods"] == ["POST"]


def test_the_media_bucket_clears_away_what_was_never_finished() -> None:
    rules = RESOURCES["MediaBucket"]["Properties"]["LifecycleConfiguration"]["Rules"]
    assert any("AbortIncompleteMultipartUpload" in rule for rule in rules)
    assert all(rule["Status"] == "Enabled" for rule in rules)
    days = {rule["Prefix"]: rule["ExpirationInDays"] for rule in rules if "ExpirationInDays" in rule}
    assert days == {"incoming/": 1, "drop/": 30, "erased/": erased.KEPT_DAYS}


@pytest.mark.shows("D10")
def test_what_is_overwritten_or_deleted_by_a_slip_can_be_had_back_for_as_long_as_the_tables_past_and_no_longer() -> (
    None
):
    bucket = RESOURCES["MediaBucket"]["Properties"]
    assert bucket["VersioningConfiguration"] == {"Status": "Enabled"}
    rules = bucket["LifecycleConfiguration"]["Rules"]
    old = {
        rule["Prefix"]: rule["NoncurrentVersionExpiration"] for rule in rules if "NoncurrentVersionExpiration" in rule
    }
    assert old == {
        "incoming/": {"NoncurrentDays": 1},
        "drop/": {"NoncurrentDays": 1},
        "erased/": {"NoncurrentDays": 1},
        "T/": {"NoncurrentDays": RECOVERY_DAYS},
    }


def test_a_file_of_a_towns_data_is_good_for_less_long_than_the_list_of_the_erased() -> None:
    assert bring_back.USABLE_DAYS + RECOVERY_DAYS == erased.KEPT_DAYS


def test_the_bucket_rings_the_doorbell_for_files_of_cases_alone_and_no_other_bucket_may() -> None:
    (told,) = RESOURCES["MediaBucket"]["Properties"]["NotificationConfiguration"]["QueueConfigurations"]
    assert told["Filter"] == {"S3Key": {"Rules": [{"Name": "prefix", "Value": "drop/T/"}]}}
    assert RESOURCES["MediaBucket"]["DependsOn"] == "DoorbellQueuePolicy"
    (statement,) = RESOURCES["DoorbellQueuePolicy"]["Properties"]["PolicyDocument"]["Statement"]
    assert (statement["Action"], statement["Principal"]) == ("sqs:SendMessage", {"Service": "s3.amazonaws.com"})
    bucket = RESOURCES["MediaBucket"]["Properties"]["BucketName"]["Fn::Sub"]
    assert statement["Condition"]["ArnEquals"]["aws:SourceArn"]["Fn::Sub"].endswith(f":::{bucket}")


def test_staff_sign_in_has_a_group_for_every_role_and_nobody_signs_up_alone() -> None:
    groups = {group["Properties"]["GroupName"] for group in of_type("AWS::Cognito::UserPoolGroup").values()}
    assert groups == {"clerk", "operator", "head", "coordinator", "admin", "platform"}
    assert RESOURCES["StaffPool"]["Properties"]["AdminCreateUserConfig"] == {"AllowAdminCreateUserOnly": True}


def test_there_is_one_key_that_rotates_and_has_a_name() -> None:
    assert len(of_type("AWS::KMS::Key")) == 1
    assert RESOURCES["SealingKey"]["Properties"]["EnableKeyRotation"] is True
    assert RESOURCES["SealingKeyAlias"]["Properties"]["AliasName"] == {"Fn::Sub": "alias/salter-${Stage}"}


def test_every_alarm_reaches_the_topic_and_says_what_to_do() -> None:
    alarms = of_type("AWS::CloudWatch::Alarm")
    assert {"DeadLettersAlarm", "DoorbellAgeAlarm"} <= set(alarms)
    for name, alarm in alarms.items():
        assert alarm["Properties"]["AlarmActions"] == [{"Ref": "AlarmTopic"}], name
        assert alarm["Properties"]["AlarmDescription"], name


def test_the_outputs_name_everything_the_functions_are_told() -> None:
    told = package.load_template(package.OVERLAY)["Globals"]["Function"]["Environment"]["Variables"]
    named = [output["Value"] for output in TEMPLATE["Outputs"].values()]
    for variable in ("SALTER_DOORBELL_URL", "SALTER_MEDIA_BUCKET", "SALTER_KEY_ID"):
        assert told[variable] in named, variable


def test_no_name_is_fixed_without_the_stage_in_it() -> None:
    naming = {
        "TableName",
        "QueueName",
        "BucketName",
        "UserPoolName",
        "ClientName",
        "AliasName",
        "TopicName",
        "AlarmName",
    }
    for name, resource in RESOURCES.items():
        for key in naming & set(resource["Properties"]):
            assert "${Stage}" in json.dumps(resource["Properties"][key]), name
