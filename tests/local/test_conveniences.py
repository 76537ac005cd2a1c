"""The `/local/*` conveniences, from outside; and that the app itself has none of them."""

import datetime as dt
import json
import subprocess
import sys
import time

import boto3
import pytest

from infra.local import aws as local_aws
from infra.local import stack
from tests.product import ROOT, Product

MOMENT = dt.datetime.fromisoformat("2026-03-10T10:15:00+01:00")


@pytest.fixture
def at_its_own_time(product: Product):  # type: ignore[no-untyped-def]
    """The machine's clock again after a test that moved the product's."""
    yield
    product.post("/local/clock", {"now": None})


def clock_of(product: Product) -> dt.datetime:
    """The product's time without moving it: an empty request changes nothing and is told how to ask."""
    return dt.datetime.fromisoformat(product.get("/local/clock").json["now"])


def test_the_app_itself_has_no_local_conveniences() -> None:
    """In a process of its own, because the local stack adds routes to the app it serves."""
    program = "import json, app; print(json.dumps(sorted(app.app.routes)))"
    answer = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    routes = json.loads(answer.stdout)
    assert "/health" in routes
    assert not [route for route in routes if route.startswith("/local")]


def test_no_other_stage_gets_the_conveniences() -> None:
    program = "import app; from infra.local import routes; routes.register(app.app, run=None, simulator=None)"
    answer = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False)
    assert answer.returncode != 0
    assert "belongs to stage local alone" in answer.stderr


@pytest.mark.parametrize("path", ["/local", "/local/"])
def test_the_start_page_answers_with_and_without_its_slash(product: Product, path: str) -> None:
    page = product.get(path)
    assert page.status == 200
    assert page.headers["Content-Type"] == "text/html; charset=utf-8"
    assert "Pick a town" in page.text
    assert "ready in" in page.text


def test_the_root_leads_to_the_start_page(product: Product) -> None:
    answer = product.get("/")
    assert (answer.status, answer.headers["Location"]) == (302, "/local/")


def test_every_town_has_its_card_with_its_colour_and_links_that_answer(product: Product) -> None:
    page = product.get("/local/").text
    colours = product.get("/local/towns.css").text
    slugs = sorted(folder.name for folder in (ROOT / "tenants").iterdir() if (folder / "tenant.yaml").exists())
    assert slugs
    for slug in slugs:
        assert f'data-town="{slug}"' in page
        assert f'[data-town="{slug}"] {{ --town: #' in colours
        assert f'href="/chat/{slug}"' in page
        assert product.get(f"/chat/{slug}").status == 200


@pytest.mark.parametrize("sheet", ["tokens.css", "console.css"])
def test_its_style_sheets_are_served(product: Product, sheet: str) -> None:
    answer = product.get(f"/local/static/{sheet}")
    assert answer.status == 200
    assert answer.headers["Content-Type"] == "text/css; charset=utf-8"


def test_no_other_file_is(product: Product) -> None:
    assert product.get("/local/static/..%2Frun.py").status in (403, 404)
    assert product.get("/local/static/run.py").status == 404


@pytest.mark.usefixtures("at_its_own_time")
def test_the_clock_is_set_and_runs_on_from_there(product: Product) -> None:
    answer = product.post("/local/clock", {"now": MOMENT.isoformat()})
    assert answer.status == 200
    set_to = dt.datetime.fromisoformat(answer.json["now"])
    assert dt.timedelta(0) <= set_to - MOMENT < dt.timedelta(seconds=10)
    assert "10 March 2026" in product.get("/local/").text
    time.sleep(1.1)
    assert dt.timedelta(seconds=1) <= clock_of(product) - MOMENT < dt.timedelta(seconds=20)


@pytest.mark.usefixtures("at_its_own_time")
def test_the_clock_goes_back_to_the_machines(product: Product) -> None:
    product.post("/local/clock", {"now": MOMENT.isoformat()})
    answer = product.post("/local/clock", {"now": None})
    assert abs(dt.datetime.fromisoformat(answer.json["now"]) - dt.datetime.now(dt.UTC)) < dt.timedelta(seconds=10)


@pytest.mark.usefixtures("at_its_own_time")
def test_the_clock_is_moved_by_curl_without_a_header(product: Product) -> None:
    body = json.dumps({"now": MOMENT.isoformat()}).encode()
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    assert product.request("POST", "/local/clock", body, headers).status == 200


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b"{}", b'{"now": 5}', b'{"now": "soon"}', b'{"now": "2026-03-10T10:15:00"}']
)
def test_a_time_that_is_none_is_refused_and_moves_nothing(product: Product, body: bytes) -> None:
    before = clock_of(product)
    answer = product.post("/local/clock", body)
    assert answer.status == 400
    assert answer.json["error"]["field"] == "now"
    assert abs(clock_of(product) - before) < dt.timedelta(seconds=10)


@pytest.mark.shows("D1")
@pytest.mark.usefixtures("at_its_own_time")
def test_a_tick_removes_what_expired_by_the_products_clock_and_nothing_else(product: Product) -> None:
    running = stack.read(product.run)
    assert running is not None
    dynamodb = local_aws.client("dynamodb", running.environment["AWS_ENDPOINT_URL"])
    year = 365 * 24 * 3600
    table, now = "salter-local-people", int(time.time())
    for name, exp in (("ended", now - 60), ("soon", now + year), ("later", now + 3 * year)):
        item = {"pk": {"S": "T#nobody#L#tick"}, "sk": {"S": name}, "exp": {"N": str(exp)}}
        dynamodb.put_item(TableName=table, Item=item)
    dynamodb.put_item(TableName=table, Item={"pk": {"S": "T#nobody#L#tick"}, "sk": {"S": "always"}})

    def left() -> list[str]:
        found = dynamodb.query(
            TableName=table,
            KeyConditionExpression="pk = :pk",
            ExpressionAttributeValues={":pk": {"S": "T#nobody#L#tick"}},
        )
        return [item["sk"]["S"] for item in found["Items"]]

    first = product.post("/local/tick")
    assert first.status == 200
    assert set(first.json) == {"delivered", "deadlines", "pages", "purged", "failed"}
    assert first.json["purged"] >= 1
    assert left() == ["always", "later", "soon"]
    product.post("/local/clock", {"now": (dt.datetime.now(dt.UTC) + dt.timedelta(days=400)).isoformat()})
    product.post("/local/tick")
    assert left() == ["always", "later"]


def test_the_outbox_is_empty_when_nothing_is_owed(product: Product) -> None:
    answer = product.get("/local/outbox?tenant=nobody")
    assert (answer.status, answer.json) == (200, {"rows": []})


def test_mail_shows_what_was_sent(product: Product) -> None:
    running = stack.read(product.run)
    assert running is not None
    endpoint = running.environment["AWS_ENDPOINT_URL"]
    ses = local_aws.client("ses", endpoint)
    ses.verify_email_identity(EmailAddress="town@example.org")
    ses.send_email(
        Source="town@example.org",
        Destination={"ToAddresses": ["clerk@example.org"]},
        Message={"Subject": {"Data": "Č"}, "Body": {"Text": {"Data": "Šta"}}},
    )
    local_aws.client("sns", endpoint).publish(PhoneNumber="+381600000000", Message="kod")
    items = product.get("/local/mail").json["items"]
    (mail,) = (item for item in items if item["to"] == "clerk@example.org")
    assert (mail["kind"], mail["subject"], mail["text"]) == ("email", "Č", "Šta")
    assert dt.datetime.fromisoformat(mail["at"]).tzinfo is not None
    assert {"kind": "sms", "to": "+381600000000", "subject": None, "text": "kod", "at": None} in items


def test_the_environment_it_writes_down_leads_others_to_the_same_tables(product: Product) -> None:
    running = stack.running(product.data)
    assert running is not None
    assert running.url == product.url
    assert running.environment["SALTER_STAGE"] == "local"
    session = boto3.session.Session(
        aws_access_key_id=running.environment["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=running.environment["AWS_SECRET_ACCESS_KEY"],
        region_name=running.environment["AWS_REGION"],
    )
    tables = session.client("dynamodb", endpoint_url=running.environment["AWS_ENDPOINT_URL"]).list_tables()
    assert "salter-local-tenants" in tables["TableNames"]
