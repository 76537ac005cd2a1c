"""What each function may do: named actions on named resources, nothing more."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from infra import package

SETTINGS = package.ROOT / ".chalice"
CONFIG = json.loads((SETTINGS / "config.json").read_text(encoding="utf-8"))
POLICIES = sorted(SETTINGS.glob("policy-*.json"))
LOG_NAMES = {f"policy-{name}.json": name for name in ("api", "doorbell", "minute", "publish")}

# The only stars there are: what a town keeps under its prefix, uploads before they are checked, files of cases, the
# list of the erased, the stage's own secrets, a log group's streams.
STARS_ALLOWED = (
    *("${MediaBucket.Arn}/T/*", "${MediaBucket.Arn}/incoming/T/*", "${MediaBucket.Arn}/drop/T/*"),
    "${MediaBucket.Arn}/erased/T/*",
    ":parameter/salter/${Stage}/*",
)
# A telephone is no resource of AWS's: who may send an SMS is allowed on everything SNS has.
SMS = ("sns:Publish", '"*"')


def statements(policy: Path) -> list[dict[str, Any]]:
    """The policy's statements."""
    found: list[dict[str, Any]] = json.loads(policy.read_text(encoding="utf-8"))["Statement"]
    return found


def pairs(policy: Path) -> set[tuple[str, str]]:
    """Every action with every resource it is allowed on."""
    return {
        (action, json.dumps(resource))
        for statement in statements(policy)
        for action in statement["Action"]
        for resource in statement["Resource"]
    }


def test_every_function_has_a_policy_of_its_own_and_chalice_guesses_none() -> None:
    files = [function["iam_policy_file"] for function in CONFIG["lambda_functions"].values()]
    assert CONFIG["autogen_policy"] is False
    assert sorted(files) == sorted(set(files)) == [policy.name for policy in POLICIES]


@pytest.mark.shows("D8", "T12")
@pytest.mark.parametrize("policy", POLICIES, ids=lambda policy: policy.stem)
def test_a_policy_allows_named_actions_only_and_never_a_scan(policy: Path) -> None:
    for action, _ in pairs(policy):
        assert "*" not in action, action
        assert "Scan" not in action and "PartiQL" not in action, action
    assert all(statement["Effect"] == "Allow" for statement in statements(policy))


@pytest.mark.shows("D8")
@pytest.mark.parametrize("policy", POLICIES, ids=lambda policy: policy.stem)
def test_a_policy_names_its_resources_by_reference(policy: Path) -> None:
    for _, resource in pairs(policy) - {SMS}:
        assert "Fn::GetAtt" in resource or "Fn::Sub" in resource, resource
        own_log = f":log-group:/aws/lambda/salter-${{Stage}}-{LOG_NAMES[policy.name]}:*"
        for allowed in (*STARS_ALLOWED, own_log):
            resource = resource.replace(allowed, "")
        assert "*" not in resource, resource


@pytest.mark.parametrize("policy", POLICIES, ids=lambda policy: policy.stem)
def test_a_policy_refers_only_to_what_the_template_has(policy: Path) -> None:
    known = set(package.load_template(package.TEMPLATE)["Resources"])
    for _, resource in pairs(policy) - {SMS}:
        reference = json.loads(resource)
        if "Fn::GetAtt" in reference:
            assert reference["Fn::GetAtt"][0] in known


@pytest.mark.parametrize("policy", POLICIES, ids=lambda policy: policy.stem)
def test_no_function_but_the_publishers_may_change_a_town(policy: Path) -> None:
    on_towns = {action for action, resource in pairs(policy) if "TenantsTable" in resource}
    writing = {"dynamodb:BatchWriteItem", "dynamodb:PutItem"}
    reading = {"dynamodb:BatchGetItem", "dynamodb:GetItem", "dynamodb:Query"}
    assert on_towns - reading == (writing if policy.name == "policy-publish.json" else set())


def test_the_publishers_function_is_called_by_its_queue_alone_and_reads_no_case_and_no_secret() -> None:
    everything = {(action, resource) for action, resource in pairs(SETTINGS / "policy-publish.json")}
    assert not any(
        word in resource for _, resource in everything for word in ("Cases", "Conversations", "Outbox", "ssm", "kms")
    )
    assert not any(action.startswith(("s3:", "ses:", "sns:", "cognito")) for action, _ in everything)


def test_who_works_files_of_cases_may_take_copy_and_answer_them_and_the_api_signs_for_them() -> None:
    def on_files(policy: str, prefix: str) -> set[str]:
        resource = json.dumps({"Fn::Sub": f"${{MediaBucket.Arn}}/{prefix}/T/*"})
        return {action for action, named in pairs(package.ROOT / ".chalice" / policy) if named == resource}

    assert on_files("policy-doorbell.json", "drop") == {"s3:GetObject", "s3:PutObject"}
    assert on_files("policy-doorbell.json", "incoming") == {"s3:GetObject", "s3:PutObject"}
    assert on_files("policy-minute.json", "drop") == {"s3:PutObject"}
    assert on_files("policy-api.json", "drop") == {"s3:GetObject", "s3:PutObject"}


# What AWS does in a function's name, and what is asked by address instead of by name.
ASKED_FOR_US = (
    "logs:",
    "sqs:ChangeMessageVisibility",
    "sqs:DeleteMessage",
    "sqs:GetQueueAttributes",
    "sqs:ReceiveMessage",
)
BY_ADDRESS = ("s3:",)


@pytest.mark.shows("D8", "T12")
@pytest.mark.parametrize("policy", POLICIES, ids=lambda policy: policy.stem)
def test_nothing_is_allowed_that_the_code_asks_for_nowhere(policy: Path) -> None:
    code = "".join(path.read_text(encoding="utf-8") for path in (package.ROOT / "chalicelib").rglob("*.py"))
    allowed = {action for action, _ in pairs(policy) if not action.startswith((*ASKED_FOR_US, *BY_ADDRESS))}
    assert {action for action in allowed if f'"{action.partition(":")[2]}"' not in code} == set()


def test_the_minutes_function_may_do_what_deadlines_ask() -> None:
    def table(name: str) -> str:
        return json.dumps({"Fn::GetAtt": [name, "Arn"]})

    asked = {(f"dynamodb:{action}", table("CasesTable")) for action in ("GetItem", "PutItem")}
    asked |= {("dynamodb:Query", json.dumps({"Fn::Sub": "${CasesTable.Arn}/index/open"}))}
    asked |= {("dynamodb:Query", table(name)) for name in ("PeopleTable", "TenantsTable")}
    asked |= {("dynamodb:PutItem", table(name)) for name in ("OutboxTable", "ConversationsTable")}
    assert asked <= pairs(SETTINGS / "policy-minute.json")


def test_the_staffs_pages_may_look_at_what_waits_and_at_what_was_not_understood() -> None:
    looked_at = ("ConversationsTable.Arn}/index/due", "OutboxTable.Arn}/index/due", "ConversationsTable.Arn}/index/day")
    asked = {("dynamodb:Query", json.dumps({"Fn::Sub": f"${{{index}"})) for index in looked_at}
    assert asked <= pairs(SETTINGS / "policy-api.json")


def test_only_the_doorbells_function_takes_messages_from_it_and_only_the_publishers_from_its_own() -> None:
    taking = [
        (policy.name, at) for policy in POLICIES for action, at in pairs(policy) if action == "sqs:ReceiveMessage"
    ]
    assert [(name, json.loads(at)["Fn::GetAtt"][0]) for name, at in taking] == [
        ("policy-doorbell.json", "DoorbellQueue"),
        ("policy-publish.json", "PublishQueue"),
    ]


@pytest.mark.shows("D8")
def test_what_citizens_and_towns_call_sends_no_mail_and_no_sms_itself() -> None:
    sending = {policy.name for policy in POLICIES if {"ses:SendEmail", "sns:Publish"} & {a for a, _ in pairs(policy)}}
    assert sending == {"policy-doorbell.json", "policy-minute.json"}


def test_the_stars_in_this_test_are_still_needed() -> None:
    everything = "".join(policy.read_text(encoding="utf-8") for policy in POLICIES)
    assert all(star in everything for star in STARS_ALLOWED)


def test_what_the_console_asks_of_the_staffs_pool_is_what_its_policy_allows() -> None:
    code = (package.ROOT / "chalicelib" / "storage" / "staff_pool.py").read_text(encoding="utf-8")
    asked = {f"cognito-idp:{operation}" for operation in re.findall(r'"(Admin\w+)"', code)}
    allowed = {action for action, _ in pairs(SETTINGS / "policy-api.json") if action.startswith("cognito-idp:")}
    assert asked == allowed
    for policy in POLICIES:
        if policy.name != "policy-api.json":
            assert not any(action.startswith("cognito-idp:") for action, _ in pairs(policy))
