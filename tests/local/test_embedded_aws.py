"""The embedded AWS: what it is given, what it keeps, what it must not know."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from infra.local import aws as local_aws
from infra.local import processes

STAGE = "proof"
ITEM = {"pk": {"S": "T#nobody"}, "sk": {"S": "NOW"}, "exp": {"N": "1"}}


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Path]:
    """A run directory; whatever a test leaves running in it is stopped."""
    yield tmp_path / "run"
    left = local_aws.adopt(tmp_path / "run")
    if left:
        local_aws.stop(tmp_path / "run", left)


def table(name: str) -> str:
    return f"salter-{STAGE}-{name}"


def tables_of(endpoint: str) -> Any:
    return local_aws.client("dynamodb", endpoint)


def test_the_stack_of_the_template_stands_with_every_name_the_product_is_told(aws: local_aws.Aws) -> None:
    environment = local_aws.environment(aws.endpoint, "test")
    names = tables_of(aws.endpoint).list_tables()["TableNames"]
    assert {f"salter-test-{name}" for name in ("conversations", "cases", "outbox", "people", "tenants")} <= set(names)
    local_aws.client("sqs", aws.endpoint).get_queue_attributes(QueueUrl=environment["SALTER_DOORBELL_URL"])
    local_aws.client("s3", aws.endpoint).head_bucket(Bucket=environment["SALTER_MEDIA_BUCKET"])
    local_aws.client("kms", aws.endpoint).generate_data_key(KeyId=environment["SALTER_KEY_ID"], KeySpec="AES_256")


def test_nothing_expires_by_the_machines_clock(aws: local_aws.Aws) -> None:
    status = tables_of(aws.endpoint).describe_time_to_live(TableName="salter-test-conversations")
    assert status["TimeToLiveDescription"]["TimeToLiveStatus"] == "DISABLED"


def test_it_listens_on_the_loopback_alone(aws: local_aws.Aws) -> None:
    listening = Path(f"/proc/{aws.pid}/net/tcp")
    if not listening.exists():
        pytest.skip("this system has no /proc/net/tcp to read listeners from")
    port = f"{aws.port:04X}"
    addresses = {line.split()[1] for line in listening.read_text().splitlines() if f":{port} " in line}
    assert f"0100007F:{port}" in addresses
    assert f"00000000:{port}" not in addresses


def test_what_it_holds_survives_an_orderly_stop_when_it_has_a_place_to_keep_it(run: Path, tmp_path: Path) -> None:
    first = local_aws.start(run, state=tmp_path / "state")
    local_aws.ensure_stack(first.endpoint, STAGE)
    tables_of(first.endpoint).put_item(TableName=table("people"), Item=ITEM)
    local_aws.stop(run, first)
    assert not processes.alive(first.pid)

    second = local_aws.start(run, state=tmp_path / "state")
    local_aws.ensure_stack(second.endpoint, STAGE)
    key = {name: ITEM[name] for name in ("pk", "sk")}
    assert tables_of(second.endpoint).get_item(TableName=table("people"), Key=key)["Item"] == ITEM


def test_a_changed_template_is_brought_to_a_stack_that_stands_and_its_items_stay(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    running = local_aws.start(run)
    local_aws.ensure_stack(running.endpoint, STAGE)
    tables_of(running.endpoint).put_item(TableName=table("people"), Item=ITEM)

    changed = tmp_path / "template.yaml"
    extra = "  ExtraQueue:\n    Type: AWS::SQS::Queue\n    Properties: {QueueName: extra}\n\nOutputs:"
    changed.write_text(local_aws.TEMPLATE.read_text().replace("Outputs:", extra, 1))
    monkeypatch.setattr(local_aws, "TEMPLATE", changed)
    local_aws.ensure_stack(running.endpoint, STAGE)

    queues = local_aws.client("sqs", running.endpoint).list_queues()["QueueUrls"]
    assert any(url.endswith("/extra") for url in queues)
    assert tables_of(running.endpoint).scan(TableName=table("people"))["Count"] == 1


def test_a_template_that_cannot_stand_is_said_with_the_resource(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = tmp_path / "template.yaml"
    broken.write_text("Resources:\n  Odd:\n    Type: AWS::SES::Template\n    Properties: {}\n")
    monkeypatch.setattr(local_aws, "TEMPLATE", broken)
    running = local_aws.start(run)
    with pytest.raises(local_aws.AwsNotStarted, match=STAGE):
        local_aws.ensure_stack(running.endpoint, STAGE)


def test_a_record_of_one_that_is_gone_is_not_believed(run: Path) -> None:
    run.mkdir()
    assert local_aws.adopt(run) is None
    (run / local_aws.RECORD).write_text("{")
    assert local_aws.adopt(run) is None
    # The number of a process that lives but is none of ours.
    (run / local_aws.RECORD).write_text(json.dumps({"pid": os.getpid(), "port": 1, "kept": True}))
    assert local_aws.adopt(run) is None


def test_a_developers_own_aws_settings_do_not_reach_the_product() -> None:
    inherited = {
        "AWS_PROFILE": "live",
        "AWS_SESSION_TOKEN": "real",
        "AWS_ENDPOINT_URL_DYNAMODB": "https://live.example",
        "SALTER_STAGE": "prod",
        "HOME": "/home/somebody",
    }
    environment = local_aws.process_environment("http://127.0.0.1:1", "local", inherited)
    assert environment["HOME"] == "/home/somebody"
    assert environment["SALTER_STAGE"] == "local"
    assert not {"AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL_DYNAMODB"} & environment.keys()
