"""What the functions really ask of AWS is what their policies allow.

The embedded AWS admits everybody, so a missing permission would show on real AWS only. Here the packaged functions
speak to it through a listener, and each call heard is looked up in the policy of the function that made it.
"""

import base64
import http.client
import json
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from chalicelib.storage import api_keys, dynamo, edits, keys, media, outbox, tenants
from chalicelib.storage.dynamo import Write
from chalicelib.tenancy import overlay
from chalicelib.tenancy.overlay import Edit
from chalicelib.wire import Deadline
from infra import package, towns
from infra.local import aws as local_aws
from tests.infra import asked, viber_server
from tests.infra.asked import Need
from tests.infra.bare import MINUTE_EVENT, api_event, invoke
from tests.infra.deployed import MAIL_FROM, STAGE, TOKEN, Deployed
from tests.media import samples

SERVICES = {"DynamoDB": "dynamodb", "AmazonSQS": "sqs", "AmazonSSM": "ssm", "TrentService": "kms"}

CITIZEN = "b3ZlcmhlYXJk"
DELIVERY_SECONDS_MAX = 30
PHONE = "+381601234567"
LANE_LONG = 16  # messages: more than a conversation item holds


@dataclass
class Listener:
    """Between the functions and the embedded AWS."""

    url: str
    heard: list[Need] = field(default_factory=list)

    def needs(self) -> set[Need]:
        """What was asked since the last time."""
        needs = set(self.heard)
        self.heard.clear()
        return needs


def allowed(policy: str) -> set[Need]:
    """Every action with every resource in a policy file."""
    document = json.loads((package.ROOT / ".chalice" / policy).read_text(encoding="utf-8"))
    return {
        (action, json.dumps(resource))
        for statement in document["Statement"]
        for action in statement["Action"]
        for resource in statement["Resource"]
    }


def needed(target: str, path: str, method: str, body: bytes) -> list[Need]:
    """The permissions one request takes, in the words of our policies."""
    service, _, operation = target.partition(".")
    if not target and method == "POST":
        form = parse_qs(body.decode())
        assert form.get("PhoneNumber", [PHONE]) == [PHONE] and form.get("Source", [MAIL_FROM]) == [MAIL_FROM]
        return [asked.of_form(body)]
    if not target and path.partition("?")[0].strip("/") == f"salter-{STAGE}-media-{local_aws.ACCOUNT_ID}":
        return [asked.of_bucket(path)]
    if not target:
        return [asked.of_object(method, path)]
    given = json.loads(body or b"{}")
    if service == "AmazonSSM":
        assert given["Name"].startswith(f"/salter/{STAGE}/")
    named = SERVICES.get(service.partition("_")[0])
    return asked.of_json(named, operation, given) if named else [(target, "a service no policy speaks of")]


@pytest.fixture(scope="module")
def listener(deployed: Deployed) -> Iterator[Listener]:
    """A listener in front of the embedded AWS."""
    behind = urlsplit(deployed.endpoint)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _pass_on(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            target = self.headers.get("X-Amz-Target", "")
            listening.heard += needed(target, self.path, self.command, body)
            if target.startswith("AmazonSQS"):
                # Not passed on: the deployed functions would wake up and take the work away.
                self._answer(200, [("Content-Type", "application/x-amz-json-1.0")], b'{"MessageId": "1"}')
                return
            connection = http.client.HTTPConnection(str(behind.hostname), behind.port, timeout=30)
            connection.request(self.command, self.path, body, dict(self.headers))
            answer = connection.getresponse()
            self._answer(answer.status, answer.getheaders(), answer.read())
            connection.close()

        def _answer(self, status: int, headers: list[tuple[str, str]], said: bytes) -> None:
            self.send_response(status)
            for name, value in headers:
                if name.lower() not in ("transfer-encoding", "content-length", "connection", "date", "server"):
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(said)))
            self.end_headers()
            self.wfile.write(said)

        do_GET = do_POST = do_PUT = do_HEAD = do_DELETE = _pass_on

        def log_message(self, format: str, *args: Any) -> None:
            """Nothing: a test's output is for findings."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    listening = Listener(f"http://127.0.0.1:{server.server_address[1]}")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield listening
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@dataclass(frozen=True)
class Overheard:
    """The packaged functions, with the listener as their AWS."""

    task: Path
    layer: Path
    deployed: Deployed
    listener: Listener

    def needs(self, handler: str, *events: dict[str, Any]) -> set[Need]:
        """What answering the events asked of AWS."""
        outputs = self.deployed.installation.outputs
        self.listener.needs()
        answers = invoke(
            self.task,
            *events,
            handler=handler,
            layer=None if handler == "app" else self.layer,
            AWS_ENDPOINT_URL=self.listener.url,
            SALTER_STAGE=STAGE,
            SALTER_DOORBELL_URL=outputs["DoorbellUrl"].replace(self.deployed.endpoint, self.listener.url),
            SALTER_PUBLISH_URL=outputs["PublishUrl"].replace(self.deployed.endpoint, self.listener.url),
            SALTER_MEDIA_BUCKET=outputs["MediaBucketName"],
            SALTER_KEY_ID=outputs["SealingKeyId"],
            SALTER_MAIL_FROM=MAIL_FROM,
            VIBER_API_URL=self.deployed.viber.url,
        )["answers"]
        failed = [answer for answer in answers if handler == "app" and answer["statusCode"] >= 300]
        assert not failed, failed
        return self.listener.needs()


@pytest.fixture(scope="module")
def overheard(unpacked: Path, layer: Path, deployed: Deployed, listener: Listener) -> Overheard:
    """The packaged functions, overheard."""
    return Overheard(unpacked, layer, deployed, listener)


def from_viber(town: str, text: str) -> dict[str, Any]:
    """A citizen's signed message as API Gateway hands it over."""
    body = viber_server.written_by(CITIZEN, text)
    headers = {"X-Viber-Content-Signature": viber_server.signature(body, TOKEN), "Content-Type": "application/json"}
    return posted("/viber/{account}", {"account": town}, body.decode(), headers)


def doorbell_event(town: str) -> dict[str, Any]:
    """A ring for the citizen's lane as SQS hands it over."""
    return {"Records": [_rung({"account": f"viber:{town}", "citizen": CITIZEN})]}


def row_event(*rows: str) -> dict[str, Any]:
    """A ring for each of these rows."""
    return {"Records": [_rung({"row": row}) for row in rows]}


def _rung(keys_only: dict[str, str]) -> dict[str, Any]:
    return {
        "messageId": "00000000-0000-4000-8000-000000000004",
        "receiptHandle": "handle",
        "body": json.dumps(keys_only),
        "attributes": {},
        "messageAttributes": {},
        "md5OfBody": "",
        "eventSource": "aws:sqs",
        "eventSourceARN": "",
        "awsRegion": "eu-central-1",
    }


def posted(route: str, parameters: dict[str, str], body: str, headers: dict[str, str]) -> dict[str, Any]:
    """A POST on one of the API's routes."""
    return api_event(
        "POST",
        route.format(**parameters),
        route=route,
        pathParameters=parameters,
        headers=headers,
        multiValueHeaders={name: [value] for name, value in headers.items()},
        body=body,
    )


@pytest.mark.shows("D8", "T12")
def test_a_vibers_callback_asks_for_nothing_its_policy_denies(overheard: Overheard) -> None:
    needs = overheard.needs("app", from_viber(overheard.deployed.town, "Dobar dan"))
    assert needs, "the listener heard nothing"
    assert needs <= allowed("policy-api.json")


def owed_by(overheard: Overheard, messages: int) -> set[Need]:
    """Let a citizen write while Viber is down; what the callbacks asked for."""
    overheard.deployed.viber.down = True
    try:
        events = [from_viber(overheard.deployed.town, f"Radno vreme {number}") for number in range(messages)]
        return overheard.needs("app", *events)
    finally:
        overheard.deployed.viber.down = False


def delivered_by(overheard: Overheard, handler: str, event: dict[str, Any]) -> set[Need]:
    """Call the function until what is owed has left; what it asked for."""
    viber, needs = overheard.deployed.viber, set[Need]()
    before, give_up = len(viber.sent_to(CITIZEN)), time.monotonic() + DELIVERY_SECONDS_MAX
    while len(viber.sent_to(CITIZEN)) == before:
        assert time.monotonic() < give_up, f"{handler} delivered nothing"
        needs |= overheard.needs(handler, event)
    return needs


def test_a_lane_that_outgrows_its_item_and_the_doorbell_that_empties_it_ask_for_nothing_denied(
    overheard: Overheard,
) -> None:
    assert owed_by(overheard, messages=LANE_LONG) <= allowed("policy-api.json")
    rung = delivered_by(overheard, "ring_doorbell", doorbell_event(overheard.deployed.town))
    assert rung <= allowed("policy-doorbell.json")


def test_the_minutes_round_that_empties_a_lane_asks_for_nothing_denied(overheard: Overheard) -> None:
    assert owed_by(overheard, messages=1) <= allowed("policy-api.json")
    swept = delivered_by(overheard, "every_minute", MINUTE_EVENT)
    assert swept <= allowed("policy-minute.json")
    assert any("index/due" in resource for _, resource in swept), "the round did not look for what is due"


@pytest.mark.shows("D8", "T12")
def test_the_web_chat_asks_for_nothing_its_policy_denies(overheard: Overheard) -> None:
    town = {"tenant": overheard.deployed.town}
    session = overheard.deployed.request("POST", f"chat/{town['tenant']}/sessions", b"{}").json
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {session['token']}"}
    said = json.dumps({"id": "overheard-1", "type": "text", "text": "Dobar dan"})
    photo = json.dumps({"name": "rupa.jpg", "type": "image/jpeg", "size": 4})
    needs = overheard.needs(
        "app",
        posted("/chat/{tenant}/sessions", town, "{}", headers),
        posted("/chat/{tenant}/messages", town, said, headers),
        posted("/chat/{tenant}/attachments", town, photo, headers),
    )
    assert needs <= allowed("policy-api.json")


def test_whoever_publishes_what_was_ordered_asks_for_nothing_its_policy_denies(overheard: Overheard) -> None:
    town = overheard.deployed.town
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("SALTER_STAGE", STAGE)
        over = tenants.pointer(town, Deadline(20))
        assert over
        draft = Edit("texts/sr/greeting", "Dobar dan!", by="staff:a1", at=1)
        given = edits.Order("staff:a1", int(time.time()), over.version, overlay.digest({draft.path: draft}))
    committed(edits.item(town, draft.path, draft.data, 0), edits.order_item(town, given))
    needs = overheard.needs("publish_town", {"Records": [_rung({"town": town})]})
    assert ("dynamodb:PutItem", asked.table(f"salter-{STAGE}-tenants")) in needs, "nothing was published"
    assert needs <= allowed("policy-publish.json")


def test_a_report_with_a_photo_by_open311_asks_for_nothing_denied(overheard: Overheard) -> None:
    town = overheard.deployed.town
    core = towns.compiled(town)["core"]
    problems = [each for one in core["services"].values() for each in one.get("problems", ()) if not each["questions"]]
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("SALTER_STAGE", STAGE)
        key = api_keys.make(town, "overheard", ("open311",), "k" * 40, time.time(), Deadline(20))
    fields = {
        "api_key": key,
        "service_code": problems[0]["id"],
        "address_string": "Trg 1",
        "phone": "1",
        "first_name": "A",
    }
    parts = [f'--b\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{said}\r\n' for name, said in fields.items()]
    head = '--b\r\nContent-Disposition: form-data; name="media"; filename="a.jpg"\r\n\r\n'
    form = "".join([*parts, head]).encode() + samples.photo() + b"\r\n--b--\r\n"
    route, params = "/open311/{tenant}/v2/{resource}", {"tenant": town, "resource": "requests.json"}
    headers = {"Content-Type": "multipart/form-data; boundary=b"}
    filing = posted(route, params, base64.b64encode(form).decode(), headers) | {"isBase64Encoded": True}
    reading = {"route": route, "pathParameters": params, "queryStringParameters": {}}
    needs = overheard.needs("app", filing, api_event("GET", f"/open311/{town}/v2/requests.json", **reading))
    assert needs <= allowed("policy-api.json")
    assert any(action == "s3:PutObject" and "incoming" in resource for action, resource in needs)


def committed(*writes: Write) -> list[str]:
    """Commit items as the product would in the deployed stage; their keys."""
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("SALTER_STAGE", STAGE)
        dynamo.transact(writes, Deadline(20))
    return [str(write.item["pk"]) for write in writes]


def rows_of(overheard: Overheard, *rows: tuple[str, dict[str, Any]]) -> list[str]:
    """Outbox rows of the town; their keys."""
    town, now = overheard.deployed.town, time.time()
    return committed(*(outbox.write(town, kind, body, now) for kind, body in rows))


@pytest.mark.shows("D8", "T12")
@pytest.mark.parametrize(("handler", "policy"), [("ring_doorbell", "doorbell"), ("every_minute", "minute")])
def test_whoever_works_the_outbox_asks_for_nothing_its_policy_denies(
    overheard: Overheard, handler: str, policy: str
) -> None:
    rows = rows_of(
        overheard,
        ("email", {"to": "clerk@town.example", "subject": "Rok", "text": "sutra"}),
        ("sms", {"to": PHONE, "text": "sutra"}),
    )
    event = MINUTE_EVENT if handler == "every_minute" else row_event(*rows)
    needs = overheard.needs(handler, event)
    assert needs <= allowed(f"policy-{policy}.json")
    assert {"ses:SendEmail", "sns:Publish"} <= {action for action, _ in needs}


@pytest.mark.parametrize(("handler", "policy"), [("ring_doorbell", "doorbell"), ("every_minute", "minute")])
def test_a_photo_on_its_way_from_the_upload_into_a_case_asks_for_nothing_denied(
    overheard: Overheard, handler: str, policy: str
) -> None:
    town, bucket = overheard.deployed.town, overheard.deployed.installation.outputs["MediaBucketName"]
    upload, key = keys.upload(town, "session", handler), keys.media_object(town, f"web:{town}", "session", handler)
    s3 = local_aws.client("s3", overheard.deployed.endpoint)
    s3.put_object(Bucket=bucket, Key=upload, Body=samples.photo(), ContentType="image/png")
    committed(media.item(media.Medium(town, key, "photo"), time.time()))
    wanted = {"source": upload, "key": key, "account": f"web:{town}", "citizen": "session", "at": int(time.time())}
    rows = rows_of(overheard, ("media", wanted))
    needs = overheard.needs(handler, MINUTE_EVENT if handler == "every_minute" else row_event(*rows))
    assert needs <= allowed(f"policy-{policy}.json")
    assert s3.head_object(Bucket=bucket, Key=key)["ContentType"] == "image/jpeg"
    forgotten = rows_of(overheard, ("forget_media", {"key": key}))
    needs = overheard.needs(handler, MINUTE_EVENT if handler == "every_minute" else row_event(*forgotten))
    assert needs <= allowed(f"policy-{policy}.json")
    assert {"s3:ListBucketVersions", "s3:DeleteObjectVersion"} <= {action for action, _ in needs}


@pytest.mark.parametrize(("handler", "policy"), [("ring_doorbell", "doorbell"), ("every_minute", "minute")])
def test_an_erasure_asks_for_nothing_denied(overheard: Overheard, handler: str, policy: str) -> None:
    town = overheard.deployed.town
    rows = rows_of(overheard, ("erase", {"account": f"web:{town}", "citizen": handler, "at": int(time.time())}))
    needs = overheard.needs(handler, MINUTE_EVENT if handler == "every_minute" else row_event(*rows))
    assert needs <= allowed(f"policy-{policy}.json")
    assert {"s3:ListBucket", "s3:PutObject"} <= {action for action, _ in needs}
