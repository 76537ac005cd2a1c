"""What a request to AWS takes by way of permission, in the words of our policies."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qs

Need = tuple[str, str]

TRANSACTED = {
    "Put": "dynamodb:PutItem",
    "Update": "dynamodb:UpdateItem",
    "Delete": "dynamodb:DeleteItem",
    "ConditionCheck": "dynamodb:ConditionCheckItem",
    "Get": "dynamodb:GetItem",
}
QUEUES = {"doorbell": "DoorbellQueue", "publish": "PublishQueue"}
SENDER = "arn:${AWS::Partition}:ses:${AWS::Region}:${AWS::AccountId}:identity/${MailFrom}"
SECRETS = "arn:${AWS::Partition}:ssm:${AWS::Region}:${AWS::AccountId}:parameter/salter/${Stage}/*"
PREFIXES = ("T/", "incoming/T/", "drop/T/", "erased/T/")


def said(intrinsic: str, value: Any) -> str:
    """A resource as the policies name it."""
    return json.dumps({f"Fn::{intrinsic}": value})


def of_dynamodb(operation: str, asked: dict[str, Any]) -> list[Need]:
    if operation in ("TransactWriteItems", "TransactGetItems"):
        parts = [next(iter(item.items())) for item in asked["TransactItems"]]
        return [(TRANSACTED[kind], table(part["TableName"])) for kind, part in parts]
    if operation in ("BatchGetItem", "BatchWriteItem"):
        return [(f"dynamodb:{operation}", table(name)) for name in asked["RequestItems"]]
    return [(f"dynamodb:{operation}", table(asked["TableName"], asked.get("IndexName")))]


def table(name: str, index: str | None = None) -> str:
    """`name` as it is or as an ARN; its last word is what the template calls it."""
    logical = f"{name.rpartition('-')[2].capitalize()}Table"
    return said("Sub", f"${{{logical}.Arn}}/index/{index}") if index else said("GetAtt", [logical, "Arn"])


def of_queue(operation: str, url: str) -> Need:
    queue = QUEUES[url.rpartition("-")[2]]
    return f"sqs:{operation.removesuffix('Batch')}", said("GetAtt", [queue, "Arn"])


def of_object(method: str, path: str) -> Need:
    """Of a request about one object. Who may read may look."""
    if "versionId=" in path:
        return "s3:DeleteObjectVersion", at(path.partition("?")[0])
    return f"s3:{ {'HEAD': 'Get'}.get(method, method.capitalize()) }Object", at(path)


def at(path: str) -> str:
    """The part of the bucket that an object lies in; `path` begins with the bucket."""
    key = path.partition("?")[0].lstrip("/").partition("/")[2]
    own = next((prefix for prefix in PREFIXES if key.startswith(prefix)), None)
    return said("Sub", "${MediaBucket.Arn}/" + (f"{own}*" if own else key))


def of_bucket(path: str) -> Need:
    return ("s3:ListBucketVersions" if "versions=" in path else "s3:ListBucket"), said("GetAtt", ["MediaBucket", "Arn"])


def of_form(body: bytes) -> Need:
    """SES and SNS take forms."""
    (action,) = parse_qs(body.decode())["Action"]
    return ("sns:Publish", json.dumps("*")) if action == "Publish" else (f"ses:{action}", said("Sub", SENDER))


def of_json(service: str, operation: str, asked: dict[str, Any]) -> list[Need]:
    """Of the services that take JSON, by their names on the wire."""
    if service == "dynamodb":
        return of_dynamodb(operation, asked)
    if service == "sqs" and asked.get("QueueUrl", "").rpartition("-")[2] in QUEUES:  # the others no function asks
        return [of_queue(operation, asked["QueueUrl"])]
    if service == "ssm":
        return [(f"ssm:{operation}", said("Sub", SECRETS))]
    if service == "kms":
        return [(f"kms:{operation}", said("GetAtt", ["SealingKey", "Arn"]))]
    if service == "cognito-idp" and operation.startswith("Admin"):  # the others are asked as the person who signs in
        return [(f"cognito-idp:{operation}", said("GetAtt", ["StaffPool", "Arn"]))]
    return []
