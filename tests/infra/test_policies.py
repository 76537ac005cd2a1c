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
LOG_NAMES = {"policy-api.json": "api", "policy-doorbell.json": "doorbell", "policy-minute.json": "minute"}

# The only stars there are: what a town keeps under its prefix, uploads before they are checked, the list of the erased,
# the stage's own secrets, a log group's streams.
STARS_ALLOWED = (
    "${MediaBucket.Arn}/T/*",
    "${MediaBucket.Arn}/incoming/T/*",
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


@pytest.mark.parametrize("policy", POLICIES, ids=lambda policy: policy.stem)
def test_a_policy_allows_named_actions_only_and_never_a_scan(policy: Path) -> None:
    for action, _ in pairs(policy):
        assert "*" not in action, action
        assert "Scan" not in action and "PartiQL" not in action, action
    assert all(statement["Effect"] == "Allow" for statement in statements(policy))


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
def test_no_function_may_change_a_town(policy: Path) -> None:
    on_towns = {action for action, resource in pairs(policy) if "TenantsTable" in resource}
    assert on_towns == {"dynamodb:BatchGetItem", "dynamodb:GetItem", "dynamodb:Query"}


def test_the_minutes_function_may_do_what_deadlines_ask() -> None:
    def table(name: str) -> str:
        return json.dumps({"Fn::GetAtt": [name, "Arn"]})

    asked = {(f"dynamodb:{action}", table("CasesTable")) for action in ("GetItem", "PutItem")}
    asked |= {("dynamodb:Query", json.dumps({"Fn::Sub": "${CasesTable.Arn}/index/open"}))}
    asked |= {("dynamodb:Query", table(name)) for name in ("PeopleTable", "TenantsTable")}
    asked |= {("dynamodb:PutItem", table(name)) for name in ("OutboxTable", "ConversationsTable")}
    assert asked <= pairs(SETTINGS / "policy-minute.json")


def test_only_the_doorbells_function_takes_messages_from_it() -> None:
    taking = [policy.name for policy in POLICIES if "sqs:ReceiveMessage" in {action for action, _ in pairs(policy)}]
    assert taking == ["policy-doorbell.json"]


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
