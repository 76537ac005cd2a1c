"""What we sign ourselves, as AWS would look at it: worked out once more by botocore from what came over the wire."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from botocore.auth import S3SigV4Auth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from chalicelib.storage import aws
from chalicelib.wire import Deadline

KEY, SECRET, REGION = "AKIDEXAMPLE0", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "eu-central-1"


class Listener(ThreadingHTTPServer):
    """Keeps the last request: method, path, headers, body."""

    heard: tuple[str, str, dict[str, str], bytes]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Listener

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.server.heard = (self.command, self.path, headers, body)
        self.send_response(200)
        self.send_header("content-length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    do_POST = do_PUT = do_GET = _answer  # noqa: N815 - names the standard library asks for

    def log_message(self, *_: object) -> None:
        return


@pytest.fixture
def listener(monkeypatch: pytest.MonkeyPatch) -> Iterator[Listener]:
    server = Listener(("127.0.0.1", 0), _Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{server.server_port}")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    monkeypatch.setenv("AWS_REGION", REGION)
    yield server
    server.shutdown()


@pytest.mark.parametrize("token", [None, "session/token+of=Lambda"])
@pytest.mark.parametrize("service", ["dynamodb", "sqs", "ssm", "kms", "s3"])
def test_aws_would_find_every_signature_right(
    listener: Listener, monkeypatch: pytest.MonkeyPatch, service: str, token: str | None
) -> None:
    key = f"{KEY}{service}{bool(token)}"  # a key's id has one secret and one token for ever
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", key)
    monkeypatch.delenv("AWS_SESSION_TOKEN", raising=False)
    if token:
        monkeypatch.setenv("AWS_SESSION_TOKEN", token)
    if service == "s3":
        aws.put_object("bucket", "town/фото 1.jpg", b"bytes", "image/jpeg", Deadline(5))
    else:
        aws.call(service, "Operation", {"Text": "нема воде", "Number": 1}, Deadline(5), repeatable=True)
    assert listener.heard[2].get("x-amz-security-token") == token
    assert listener.heard[2]["authorization"] == _by_botocore(listener, service, key, token)


def _by_botocore(listener: Listener, service: str, key: str, token: str | None) -> str:
    method, path, headers, body = listener.heard
    given = headers["authorization"]
    signed = given.partition("SignedHeaders=")[2].partition(",")[0].split(";")
    assert {"host", "x-amz-date"} <= set(signed), "AWS asks for these"
    request = AWSRequest(method, f"http://{headers['host']}{path}", {name: headers[name] for name in signed}, body)
    request.context["timestamp"] = headers["x-amz-date"]
    request.context["payload_signing_enabled"] = True
    maker = (S3SigV4Auth if service == "s3" else SigV4Auth)(Credentials(key, SECRET, token), service, REGION)
    canonical = maker.canonical_request(request)
    signature = maker.signature(maker.string_to_sign(request, canonical), request)
    scope = f"{headers['x-amz-date'][:8]}/{REGION}/{service}/aws4_request"
    return f"AWS4-HMAC-SHA256 Credential={key}/{scope}, SignedHeaders={';'.join(signed)}, Signature={signature}"
