"""A lean signed client for AWS's JSON services, used where botocore would cost more than the rest of a turn.

Signature Version 4 as AWS documents it. Signatures use the machine's clock, never the product's. The services spoken
to here are DynamoDB, SQS, SSM and KMS; SES and SNS, which take forms, by `ask`; S3's objects one by one, and signed
forms and links for browsers.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
import random
import re
import time
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from chalicelib import wire
from chalicelib.compact_json import as_ascii_json, from_json
from chalicelib.model import SalterError, SendFailed, Unavailable
from chalicelib.patterns import pattern

CALL_SECONDS_MAX = 1.5
OBJECT_SECONDS_MAX = 20.0  # for the bytes of an object
FORM_SECONDS_MAX = 10.0  # e-mail and SMS: nobody waits for them, and an answer given up too early may double one
TRIES_MAX = 3
BACKOFF_SECONDS = 0.05
_LISTED_KEY = pattern(r"<Key>([^<]+)</Key>")
_LISTED_VERSION = pattern(
    r"<(?:Version|DeleteMarker)>.*?<Key>([^<]+)</Key>.*?<VersionId>([^<]+)</VersionId>.*?</(?:Version|DeleteMarker)>",
    re.S,
)
_TARGETS = {
    "dynamodb": ("DynamoDB_20120810", "application/x-amz-json-1.0"),
    "sqs": ("AmazonSQS", "application/x-amz-json-1.0"),
    "ssm": ("AmazonSSM", "application/x-amz-json-1.1"),
    "kms": ("TrentService", "application/x-amz-json-1.1"),
    "cognito-idp": ("AWSCognitoIdentityProviderService", "application/x-amz-json-1.1"),
}
_FORM_VERSIONS = {"ses": "2010-12-01", "sns": "2010-03-31"}
_HOSTS = {"ses": "email"}  # where the host is not called as the service is
_ERROR_CODE = pattern(rb"<Code>([A-Za-z0-9.]+)</Code>")
_TRANSIENT = frozenset(
    """ProvisionedThroughputExceededException ThrottlingException RequestLimitExceeded InternalServerError
    ServiceUnavailable InternalFailure TransactionInProgressException KMSInternalException
    RequestThrottled""".split()  # noqa: SIM905
)


class AwsError(SalterError):
    """AWS answered with an error we do not retry. `code` is AWS's own word."""

    def __init__(self, code: str, body: Mapping[str, Any]) -> None:
        super().__init__(code)
        self.code, self.body = code, body


class Unknown(Unavailable):
    """A write was sent and its answer lost: look before writing again."""


def region() -> str:
    return os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION") or "eu-central-1"


def endpoint(service: str) -> str:
    return _endpoint(service, os.environ.get("AWS_ENDPOINT_URL"))


@lru_cache(maxsize=16)
def _endpoint(service: str, everybodys: str | None) -> str:
    override = os.environ.get(f"AWS_ENDPOINT_URL_{service.upper()}") or everybodys
    return (override or f"https://{_HOSTS.get(service, service)}.{region()}.amazonaws.com").rstrip("/")


def call(
    service: str, operation: str, payload: Mapping[str, Any], deadline: wire.Deadline, *, repeatable: bool
) -> dict[str, Any]:
    """One operation. Transient trouble is tried again within the deadline where a repeat is safe.

    Raises AwsError (AWS refused), Unavailable (no answer in time, nothing happened or a read), Unknown (a write whose
    outcome is not known).
    """
    body = as_ascii_json(payload).encode()
    for attempt in range(TRIES_MAX):
        try:
            return _once(service, operation, body, deadline)
        except wire.CallFailed as failure:
            if failure.sent and not repeatable:
                raise Unknown(f"{service} {operation}") from failure
        except AwsError as error:
            if error.code not in _TRANSIENT:
                raise
        if not paused(attempt, deadline):
            break
    raise Unavailable(f"{service} {operation}")


def paused(attempt: int, deadline: wire.Deadline) -> bool:
    """Wait before the next attempt; False if there should be none."""
    pause = BACKOFF_SECONDS * 2**attempt * (0.5 + random.random())
    if attempt + 1 >= TRIES_MAX or deadline.left() < pause:
        return False
    time.sleep(pause)
    return True


def _once(service: str, operation: str, body: bytes, deadline: wire.Deadline) -> dict[str, Any]:
    url = endpoint(service) + "/"
    signed = _signed_for_json(service, operation, url, body)
    reply = wire.call(service, operation, "POST", url, signed, body, deadline.within(CALL_SECONDS_MAX))
    answer = _json(reply.body)
    if reply.status == 200:
        return answer
    code = str(answer.get("__type") or answer.get("code") or f"http_{reply.status}").rsplit("#", 1)[-1]
    raise AwsError("InternalServerError" if reply.status >= 500 and code not in _TRANSIENT else code, answer)


def ask(service: str, action: str, fields: Mapping[str, str], deadline: wire.Deadline) -> str:
    """One action of a service that takes forms and answers XML. Returns AWS's word for its refusal, or "" once done.

    Tried once, for neither SES nor SNS knows a repetition. Raises SendFailed if nobody answered.
    """
    body = urlencode({"Action": action, "Version": _FORM_VERSIONS[service], **fields}).encode()
    url = endpoint(service) + "/"
    headers = {"content-type": "application/x-www-form-urlencoded; charset=utf-8"}
    signed = sign("POST", url, service, headers, hashlib.sha256(body).hexdigest())
    try:
        reply = wire.call(service, action, "POST", url, signed, body, deadline.within(FORM_SECONDS_MAX))
    except wire.CallFailed as failure:
        raise SendFailed("no_answer", retryable=True, uncertain=failure.sent) from failure
    if reply.status == 200:
        return ""
    code = _ERROR_CODE.search(reply.body)
    return code[1].decode() if code else f"http_{reply.status}"


def _json(body: bytes) -> dict[str, Any]:
    try:
        answer = from_json(body.decode() or "{}")
    except ValueError:
        return {}
    return answer if isinstance(answer, dict) else {}


# --- signature --------------------------------------------------------------------------------------------------


def credentials() -> tuple[str, str, str | None]:
    """Key id, secret and session token as Lambda puts them into the environment, else as botocore finds them."""
    given = _given(os.environ.get("AWS_ACCESS_KEY_ID"))
    if given:
        return given
    import botocore.session  # only where no environment gives keys: SnapStart, a developer's profile

    found = botocore.session.get_session().get_credentials().get_frozen_credentials()
    return found.access_key, found.secret_key, found.token


@lru_cache(maxsize=4)
def _given(key: str | None) -> tuple[str, str, str | None] | None:
    """What the environment gives; secret and token never change without the key's id."""
    secret = os.environ.get("AWS_SECRET_ACCESS_KEY")
    return (key, secret, os.environ.get("AWS_SESSION_TOKEN")) if key and secret else None


@lru_cache(maxsize=16)
def _signer(secret: str, day: str, region_name: str, service: str) -> hmac.HMAC:
    """What signs the calls of a day, to be copied for each: to begin with the key takes longer than to sign."""
    key = f"AWS4{secret}".encode()
    for part in (day, region_name, service, "aws4_request"):
        key = hmac.digest(key, part.encode(), "sha256")
    return hmac.new(key, digestmod="sha256")


def _signature(text: str, secret: str, day: str, region_name: str, service: str) -> str:
    signed = _signer(secret, day, region_name, service).copy()
    signed.update(text.encode())
    return signed.hexdigest()


def _signed_for_json(service: str, operation: str, url: str, body: bytes) -> dict[str, str]:
    """What `sign` makes for a call of a JSON service, of which a turn makes several: the same in one piece."""
    key, secret, token = credentials()
    prefix, kind = _TARGETS[service]
    stamp, where, host = _stamp(), region(), wire.place(url).called
    carried, also = (f"x-amz-security-token:{token}\n", "x-amz-security-token;") if token else ("", "")
    names = f"content-type;host;x-amz-date;{also}x-amz-target"
    canonical = (
        f"POST\n/\n\ncontent-type:{kind}\nhost:{host}\nx-amz-date:{stamp}\n{carried}"
        f"x-amz-target:{prefix}.{operation}\n\n{names}\n{hashlib.sha256(body).hexdigest()}"
    )
    headers = {
        "content-type": kind,
        "x-amz-target": f"{prefix}.{operation}",
        "x-amz-date": stamp,
        "authorization": _authorization(canonical, names, stamp, where, service, key, secret),
    }
    return headers | {"x-amz-security-token": token} if token else headers


def sign(method: str, url: str, service: str, headers: Mapping[str, str], payload_hash: str) -> dict[str, str]:
    """`headers` with date, token and Authorization added."""
    key, secret, token = credentials()
    parts = urlsplit(url)
    stamp = _stamp()
    full = {**headers, "host": parts.netloc, "x-amz-date": stamp}
    if token:
        full["x-amz-security-token"] = token
    if service == "s3":
        full["x-amz-content-sha256"] = payload_hash
    names = sorted(full)
    canonical = "\n".join(
        [
            method,
            parts.path or "/",
            parts.query,
            *(f"{name}:{full[name]}" for name in names),
            "",
            ";".join(names),
            payload_hash,
        ]
    )
    full["authorization"] = _authorization(canonical, ";".join(names), stamp, region(), service, key, secret)
    return full


def _authorization(canonical: str, names: str, stamp: str, where: str, service: str, key: str, secret: str) -> str:
    scope = f"{stamp[:8]}/{where}/{service}/aws4_request"
    text = f"AWS4-HMAC-SHA256\n{stamp}\n{scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
    signature = _signature(text, secret, stamp[:8], where, service)
    return f"AWS4-HMAC-SHA256 Credential={key}/{scope}, SignedHeaders={names}, Signature={signature}"


def _stamp() -> str:
    return _stamp_of(int(time.time()))


@lru_cache(maxsize=2)
def _stamp_of(second: int) -> str:
    return time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(second))


# --- objects ----------------------------------------------------------------------------------------------------


def object_url(bucket: str, key: str) -> str:
    """Path style locally (one host for all buckets), the bucket's own host on AWS."""
    path = quote(key, safe="/-_.~")
    if os.environ.get("AWS_ENDPOINT_URL"):
        return f"{endpoint('s3')}/{bucket}/{path}"
    return f"https://{bucket}.s3.{region()}.amazonaws.com/{path}"


def head_object(bucket: str, key: str, deadline: wire.Deadline) -> tuple[int, str] | None:
    """Size in bytes and media type of an object, or None when it is not there (yet)."""
    reply = _object("HEAD", bucket, key, deadline.within(CALL_SECONDS_MAX))
    if reply is None:
        return None
    return int(reply.headers.get("content-length", "0")), reply.headers.get("content-type", "")


def object_stamp(bucket: str, key: str, deadline: wire.Deadline) -> tuple[int, str] | None:
    """Size in bytes of an object, and what tells this writing of it from any other; None when it is not there."""
    reply = _object("HEAD", bucket, key, deadline.within(CALL_SECONDS_MAX))
    if reply is None:
        return None
    stamp = f"{reply.headers.get('etag', '')} {reply.headers.get('last-modified', '')}"
    return int(reply.headers.get("content-length", "0")), stamp


def get_object(bucket: str, key: str, bytes_max: int, deadline: wire.Deadline) -> bytes | None:
    """An object's bytes, None when it is not there. Raises Unavailable, also for one of more than `bytes_max`."""
    reply = _object("GET", bucket, key, deadline.within(OBJECT_SECONDS_MAX), bytes_max=bytes_max)
    return reply.body if reply else None


def object_beginning(bucket: str, key: str, count: int, deadline: wire.Deadline) -> bytes:
    """At most the first `count` bytes of an object; none of one that is not there. Raises Unavailable."""
    wanted = {"range": f"bytes=0-{count - 1}"}
    reply = _object("GET", bucket, key, deadline.within(OBJECT_SECONDS_MAX), headers=wanted, bytes_max=count)
    return reply.body if reply else b""


def put_object(bucket: str, key: str, body: bytes, media_type: str, deadline: wire.Deadline) -> None:
    """Write an object whole; again is the same. Raises Unavailable."""
    if _object("PUT", bucket, key, deadline.within(OBJECT_SECONDS_MAX), body, {"content-type": media_type}) is None:
        raise Unavailable("s3 PUT")


def delete_object(bucket: str, key: str, deadline: wire.Deadline) -> None:
    """Take an object away for good, with all its versions; one that is not there is no error. Raises Unavailable."""
    delete_versions(bucket, [found for found in versions(bucket, key, deadline) if found[0] == key], deadline)


def versions(bucket: str, prefix: str, deadline: wire.Deadline) -> list[tuple[str, str]]:
    """Key and version of what begins so and was ever there, deleted or not; at most a thousand. Raises Unavailable.

    Whoever deletes them all asks again until there are none.
    """
    listed = _listed(bucket, f"prefix={quote(prefix, safe='')}&versions=", "ListBucketVersions", deadline)
    return [(_unescaped(key), _unescaped(version)) for key, version in _LISTED_VERSION.findall(listed)]


def _unescaped(written: str) -> str:
    import html  # a turn lists nothing

    return html.unescape(written)


def delete_versions(bucket: str, found: Iterable[tuple[str, str]], deadline: wire.Deadline) -> None:
    """Take these versions away, one request each. Raises Unavailable."""
    for key, version in found:
        if _object("DELETE", bucket, key, deadline.within(CALL_SECONDS_MAX), version=version) is None:
            raise Unavailable("s3 DELETE")  # S3 knows no version that is not there: it was not allowed


def list_objects(bucket: str, prefix: str, deadline: wire.Deadline, after: str = "") -> list[str]:
    """The keys that begin so, in order, from behind `after` on; at most a thousand. Raises Unavailable."""
    query = f"list-type=2&prefix={quote(prefix, safe='')}"
    if after:
        query += f"&start-after={quote(after, safe='')}"
    return [_unescaped(key) for key in _LISTED_KEY.findall(_listed(bucket, query, "ListBucket", deadline))]


def _listed(bucket: str, query: str, operation: str, deadline: wire.Deadline) -> str:
    """What the bucket says to such a question; the names in `query` in their order, as the signature wants them."""
    url = f"{object_url(bucket, '')}?{query}"
    signed = sign("GET", url, "s3", {}, hashlib.sha256(b"").hexdigest())
    try:
        reply = wire.call("s3", operation, "GET", url, signed, b"", deadline.within(OBJECT_SECONDS_MAX))
    except wire.CallFailed as failure:
        raise Unavailable("s3 LIST") from failure
    if reply.status != 200:
        raise Unavailable("s3 LIST")
    return reply.body.decode()


def _object(
    method: str,
    bucket: str,
    key: str,
    seconds: float,
    body: bytes = b"",
    headers: Mapping[str, str] | None = None,
    bytes_max: int = wire.REPLY_BYTES_MAX,
    version: str = "",
) -> wire.Reply | None:
    """One request about one object; None if S3 knows no such object (or will not say)."""
    url = object_url(bucket, key) + (f"?versionId={quote(version, safe='')}" if version else "")
    signed = sign(method, url, "s3", headers or {}, hashlib.sha256(body).hexdigest())
    try:
        reply = wire.call("s3", f"{method.capitalize()}Object", method, url, signed, body, seconds, bytes_max)
    except wire.CallFailed as failure:
        raise Unavailable(f"s3 {method}") from failure
    if reply.status in (403, 404):
        return None
    if reply.status not in (200, 204, 206):
        raise Unavailable(f"s3 {method}")
    return reply


def object_link(bucket: str, key: str, seconds: int, as_file: bool = False) -> str:
    """A link with which anybody may GET this one object for so long. `as_file`: browsers save it, never show it."""
    key_id, secret, token = credentials()
    stamp = _stamp()
    where = region()
    scope = f"{stamp[:8]}/{where}/s3/aws4_request"
    url = object_url(bucket, key)
    query = {
        "X-Amz-Algorithm": "AWS4-HMAC-SHA256",
        "X-Amz-Credential": f"{key_id}/{scope}",
        "X-Amz-Date": stamp,
        "X-Amz-Expires": str(seconds),
        "X-Amz-SignedHeaders": "host",
    }
    if token:
        query["X-Amz-Security-Token"] = token
    if as_file:
        query["response-content-disposition"] = "attachment"
    asked = urlencode(sorted(query.items()), quote_via=quote, safe="-_.~")
    parts = urlsplit(url)
    canonical = f"GET\n{parts.path}\n{asked}\nhost:{parts.netloc}\n\nhost\nUNSIGNED-PAYLOAD"
    text = f"AWS4-HMAC-SHA256\n{stamp}\n{scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
    signature = _signature(text, secret, stamp[:8], region(), "s3")
    return f"{url}?{asked}&X-Amz-Signature={signature}"


def upload_form(bucket: str, key: str, media_type: str, size_max: int, seconds: int) -> dict[str, Any]:
    """A signed form with which a browser posts one object straight to the bucket: {"url", "fields"}."""
    key_id, secret, token = credentials()
    now = time.time()
    stamp = datetime.fromtimestamp(now, UTC).strftime("%Y%m%dT%H%M%SZ")
    where = region()
    scope = f"{stamp[:8]}/{where}/s3/aws4_request"
    fields = {
        "key": key,
        "Content-Type": media_type,
        "x-amz-algorithm": "AWS4-HMAC-SHA256",
        "x-amz-credential": f"{key_id}/{scope}",
        "x-amz-date": stamp,
    }
    if token:
        fields["x-amz-security-token"] = token
    conditions: list[Any] = [{"bucket": bucket}, ["content-length-range", 1, size_max]]
    conditions += [{name: value} for name, value in fields.items()]
    expires = datetime.fromtimestamp(now + seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    policy = base64.b64encode(json.dumps({"expiration": expires, "conditions": conditions}).encode()).decode()
    signature = _signature(policy, secret, stamp[:8], region(), "s3")
    url = object_url(bucket, "").rstrip("/")
    return {"url": url, "fields": fields | {"policy": policy, "x-amz-signature": signature}}
