"""A kind of problem that another system takes care of: sent there by Open311 once, and what it says heard once."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

import boto3
import pytest

from chalicelib import wire
from chalicelib.actions import breaker, clock
from chalicelib.actions.publish_tenant import publish_tenant
from chalicelib.actions.sweep import sweep
from chalicelib.integrations import open311_client
from chalicelib.model import Case, Conflict, SendFailed
from chalicelib.storage import api_keys, dynamo, keys, outbox, secrets, views
from chalicelib.storage import open311 as away
from chalicelib.storage.cases import CaseStore
from chalicelib.tenancy.compile import compile_town
from chalicelib.tenancy.complaints import Rejected
from chalicelib.tenancy.load import load, read_folder
from chalicelib.wire import Call, Deadline, Reply
from tests.console.clerk import employed, seated
from tests.integrations.client311 import Client311
from tests.integrations.endpoint311 import TAKEN_THEN_SILENT, Endpoint
from tests.world import NOON, TOWNS, World

SOON = Deadline(1e6)
LAMP = "ne radi rasveta, Trg Republike 3. Zovite 063 123 4567"


@pytest.fixture
def jkp(world: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[Endpoint]:
    """The system of a public company. What is owed to it afterwards is nobody's."""
    monkeypatch.setattr(clock, "now", lambda: world.now)
    made = Endpoint()
    yield made
    made.stop()
    breaker._states.clear()
    for found in views.owed(world.slug):
        row = outbox.load(keys.outbox(world.slug, found["id"]), world.now, SOON)
        if row and row.kind.startswith("open311"):
            outbox.bury(row, "test over", world.now, SOON)


class Town:
    """A town whose lamps go to `jkp`, and somebody who reports one."""

    def __init__(self, world: World, jkp: Endpoint, more: str = "") -> None:
        self.world, self.jkp = world, jkp
        ssm = boto3.client("ssm")
        name = f"/salter/test/towns/{world.slug}/open311/jkp-key"
        ssm.put_parameter(Name=name, Type="SecureString", Value="secret-of-jkp", Overwrite=True)
        self.says(more)

    def says(self, more: str = "") -> None:
        """The town publishes `more` rules of the endpoint."""
        publish_tenant(folder(self.world.slug, self.jkp.url, more), NOON, "live")
        secrets.forget()
        self.world.warm()

    def reports(self, citizen: str = "mira", text: str = LAMP) -> str:
        """A lamp is reported on Viber, notices agreed to; the case's reference."""
        self.world.says(citizen, text)
        receipts = self.world.says(citizen, "pošalji")
        self.world.says(citizen, "da")
        found = re.search(r"PR-\w{4}-\w{3}", " ".join(receipts))
        assert found, receipts
        return found[0]

    def files(self, **fields: str) -> str:
        """A lamp is reported by a program, with a pin; the case's reference."""
        program = Client311(self.world.slug, api_keys.make(self.world.slug, "t", ("open311",), "x" * 40, NOON, SOON))
        return program.file(**{"service_code": "light"} | fields)

    def later(self, seconds: float) -> None:
        self.world.now += seconds
        sweep(self.world.now)

    def case(self, reference: str) -> Case:
        found = CaseStore(self.world.slug).load(reference, SOON)
        assert found is not None
        return found

    def row(self, kind: str = "open311") -> dict[str, object]:
        rows = [row for row in views.owed(self.world.slug) if row["kind"] == kind]
        return max(rows, key=lambda row: row["due_at"])


def folder(slug: str, url: str, more: str = "") -> dict[str, object]:
    files = read_folder(TOWNS / "primer")
    files["services.yaml"] = files["services.yaml"].replace(
        b'term: {hours: 48}, photo: "no"', b'term: {hours: 48}, photo: "no", open311: {endpoint: jkp, code: "012"}'
    )
    rules = f'open311:\n  endpoints:\n    - {{id: jkp, title: {{sr: JKP Rasveta}}, url: "{url}", key: jkp-key{more}}}\n'
    files["tenant.yaml"] = (
        files["tenant.yaml"]
        .replace(b"slug: primer", f"slug: {slug}".encode())
        .replace(b"account: primer", f"account: {slug}".encode())
        + rules.encode()
    )
    return compile_town(load(slug, files))


@pytest.fixture
def town(world: World, jkp: Endpoint) -> Town:
    return Town(world, jkp)


@pytest.mark.parametrize("form", ["json", "xml"])
def test_a_report_is_sent_with_its_place_and_without_its_citizen(world: World, jkp: Endpoint, form: str) -> None:
    town = Town(world, jkp, f", format: {form}, jurisdiction: jkp.rs")
    reference = town.reports()
    town.later(1)
    ((path, sent),) = jkp.asked
    assert path == "POST requests"
    assert sent["service_code"] == "012" and sent["api_key"] == "secret-of-jkp" and sent["jurisdiction_id"] == "jkp.rs"
    assert reference in sent["description"] and "063" not in sent["description"]
    assert "Republike" in sent["address_string"]
    assert not {"first_name", "phone", "email"} & set(sent)
    case = town.case(reference)
    assert (case.status, case.forwarded_to) == ("forwarded", "JKP Rasveta")
    assert case.history[-1].by == "api:open311-jkp" and case.history[-1].note == "JKP Rasveta: JKP/1"
    assert "JKP Rasveta" in world.viber.texts("mira")[-1]
    town.later(5)
    assert jkp.times("POST") == 1


def test_a_kind_that_goes_nowhere_owes_nothing(town: Town) -> None:
    town.files(service_code="road")
    town.later(1)
    assert town.jkp.asked == []


@pytest.mark.parametrize("trouble", [503, 429])
def test_what_was_surely_not_taken_is_sent_again_without_a_look(town: Town, trouble: int) -> None:
    town.jkp.posts = [trouble, trouble]
    reference = town.reports()
    for _ in range(6):
        town.later(60)
    assert town.jkp.times("GET requests") == 0 and len(town.jkp.filed) == 1
    assert town.case(reference).status == "forwarded"


@pytest.mark.parametrize("hides_words", [False, True])
def test_a_lost_answer_is_looked_up_and_the_report_not_sent_twice(
    world: World, jkp: Endpoint, hides_words: bool
) -> None:
    town, jkp.hides_words = Town(world, jkp), hides_words
    jkp.posts = [TAKEN_THEN_SILENT]
    reference = town.files()
    town.later(1)
    assert str(town.row()["error"]).startswith("uncertain 1")
    town.later(70)
    assert jkp.times("POST") == 1 and jkp.times("GET requests") == 1
    assert town.case(reference).status == "forwarded"


def test_a_report_that_is_not_there_after_a_lost_answer_is_sent_once_more(town: Town) -> None:
    town.jkp.posts = [500]
    reference = town.reports()
    town.later(1)
    town.later(70)
    assert town.jkp.times("POST") == 2 and len(town.jkp.filed) == 1
    assert town.case(reference).status == "forwarded"


def test_after_two_lost_answers_a_person_decides_and_sees_it_in_the_case(town: Town) -> None:
    town.jkp.posts = [500, 500, 500]
    reference = town.reports()
    for _ in range(5):
        town.later(300)
    assert town.jkp.times("POST") == 2
    assert town.row()["state"] == "uncertain"
    case = town.case(reference)
    assert (case.history[-1].event, case.history[-1].note) == ("open311_failed", "JKP Rasveta: http_500")
    assert not case.history[-1].public


def test_a_refusal_is_final_and_stands_in_the_case_with_its_reason(town: Town) -> None:
    town.jkp.posts = [400]
    reference = town.reports()
    for _ in range(3):
        town.later(300)
    assert town.jkp.times("POST") == 1 and town.row()["state"] == "dead"
    assert town.case(reference).history[-1].note == "JKP Rasveta: http_400 no <such> service"
    assert town.case(reference).status == "received"


def test_the_towns_admin_sees_what_was_not_taken_and_has_it_sent_again(world: World, town: Town) -> None:
    town.jkp.posts = [400]
    reference = town.reports()
    town.later(1)
    admin = seated(employed(world.slug, "admin"), world.now)
    page = admin.get("/console/systems/open311")
    assert reference in page.text and "http_400 no &lt;such&gt; service" in page.body
    assert "JKP Rasveta" in page.text and "secret-of-jkp" not in page.body
    assert f"/open311/{world.slug}/v2/" in page.text
    done = admin.post("/console/systems/open311/again", {"endpoint": "jkp"})
    assert done.leads_to.endswith("?said=1")
    town.later(1)
    assert town.case(reference).status == "forwarded" and len(town.jkp.filed) == 1
    page = admin.get("/console/systems/open311?said=1")
    assert reference not in page.text and "Ponovo se šalje 1 prijava" in page.text
    assert admin.post("/console/systems/open311/again", {"endpoint": "nema"}).status == 404
    assert seated(employed(world.slug, "clerk"), world.now).get("/console/systems/open311").status == 403


@pytest.mark.shows("F26")
@pytest.mark.parametrize("after", [False, True], ids=["before the call", "after it"])
def test_killed_around_the_call_it_is_still_there_once(town: Town, after: bool) -> None:
    class Death(BaseException): ...

    class Tap:
        armed = True

        def before(self, call: Call) -> None:
            if self.armed and call.service == "open311" and not after:
                self.armed = False
                raise Death

        def after(self, call: Call, reply: Reply) -> None:
            if self.armed and call.service == "open311":
                self.armed = False
                raise Death

    tap = Tap()
    wire.taps.append(tap)
    reference = town.reports()
    try:
        with pytest.raises(Death):
            town.later(1)
    finally:
        wire.taps.remove(tap)
    town.later(120)  # the lease has run out
    town.later(120)
    assert len(town.jkp.filed) == 1
    assert town.case(reference).status == "forwarded"


@pytest.mark.shows("A10")
@pytest.mark.shows("B34")
@pytest.mark.parametrize("url", ["https://169.254.169.254/", "https://10.1.2.3/o/", "https://[::ffff:10.0.0.1]/"])
def test_an_endpoint_inside_our_own_network_is_never_asked(world: World, jkp: Endpoint, url: str) -> None:
    town = Town(world, jkp)
    jkp.url = url
    try:
        town.says()
    except Rejected:
        return
    reference = town.reports()
    town.later(1)
    assert town.row()["state"] == "dead" and town.row()["error"] == "address_not_allowed"
    assert town.case(reference).history[-1].event == "open311_failed"


# --- news -------------------------------------------------------------------------------------------------------


def test_news_moves_the_case_tells_the_citizen_and_is_taken_once(world: World, jkp: Endpoint) -> None:
    town = Town(world, jkp, ", updates: true")
    reference = town.reports()
    town.later(1)
    jkp.news = [
        news("1", "IN_PROGRESS", "Ekipa dolazi sutra", "2026-03-10T11:20:00Z"),
        news("9", "CLOSED", "Nešto drugo", "2026-03-10T11:21:00Z", request="JKP/77"),
    ]
    town.later(16 * 60)
    case = town.case(reference)
    assert (case.status, case.history[-1].note, case.history[-1].public) == ("in_progress", "Ekipa dolazi sutra", True)
    assert "Ekipa dolazi sutra" in world.viber.texts("mira")[-1]
    (_, asked) = jkp.asked[-1]
    assert asked["start_date"] < asked["end_date"] and asked["api_key"] == "secret-of-jkp"
    entries, said = len(case.history), len(world.viber.texts("mira"))
    town.later(16 * 60)
    assert len(town.case(reference).history) == entries and len(world.viber.texts("mira")) == said
    jkp.news.append(news("2", "fixed", "Zamenjena sijalica", "2026-03-10T11:40:00Z"))
    town.later(16 * 60)
    assert town.case(reference).status == "resolved"
    assert "Zamenjena sijalica" in world.viber.texts("mira")[-1]


@pytest.mark.shows("F23")
def test_news_heard_by_two_at_once_is_written_once(world: World, jkp: Endpoint) -> None:
    town = Town(world, jkp, ", updates: true")
    reference = town.reports()
    town.later(1)
    first = away.mark(world.slug, "jkp", "JKP/1 1", world.now)
    dynamo.transact([first], SOON)  # somebody else was faster by a hair
    with pytest.raises(Conflict):
        dynamo.transact([first], SOON)
    jkp.news = [news("1", "FIXED", "Gotovo", "2026-03-10T11:20:00Z")]
    town.later(16 * 60)
    assert town.case(reference).status == "forwarded"


def test_where_there_are_no_updates_the_reports_themselves_are_asked_about(world: World, jkp: Endpoint) -> None:
    town = Town(world, jkp, ", format: xml, statuses: {closed: rejected}")
    reference = town.reports()
    town.later(1)
    town.later(16 * 60)
    assert town.case(reference).status == "forwarded"  # open there is nothing new
    jkp.state = {"status": "closed", "status_notes": "Nije naš stub", "updated_datetime": "2026-03-10T11:30:00Z"}
    town.later(16 * 60)
    case = town.case(reference)
    assert (case.status, case.history[-1].note) == ("rejected", "Nije naš stub")
    assert jkp.asked[-1][1]["service_request_id"] == "JKP/1"


def test_a_token_becomes_a_number_before_there_is_news(world: World, jkp: Endpoint) -> None:
    town = Town(world, jkp)
    jkp.posts, jkp.state = ["token"], {"status": "closed", "updated_datetime": "2026-03-10T11:30:00Z"}
    reference = town.reports()
    town.later(1)
    town.later(16 * 60)
    assert town.case(reference).status == "forwarded" and jkp.times("GET tokens/t-1") == 1
    jkp.tokens["t-1"] = "JKP/1"
    town.later(16 * 60)
    assert town.case(reference).status == "resolved"


def test_what_the_graph_does_not_allow_is_kept_as_a_word_for_the_office(world: World, jkp: Endpoint) -> None:
    town = Town(world, jkp, ", updates: true")
    reference = town.reports()
    town.later(1)
    store, case = CaseStore(world.slug), town.case(reference)
    store.save(replace(case, status="withdrawn", closed_at=int(world.now)), SOON)
    jkp.news = [news("1", "FIXED", "", "2026-03-10T11:20:00Z")]
    town.later(16 * 60)
    case = town.case(reference)
    assert (case.status, case.history[-1].note, case.history[-1].public) == ("withdrawn", "JKP Rasveta: FIXED", False)


def test_a_broken_answer_changes_nothing_and_is_noted_for_the_admin(world: World, jkp: Endpoint) -> None:
    town = Town(world, jkp, ", format: xml")
    reference = town.reports()
    town.later(1)
    jkp.raw = b'<!DOCTYPE x [<!ENTITY e "boom">]><list><request>&e;</request></list>'
    town.later(16 * 60)
    assert town.case(reference).status == "forwarded"
    health = away.health(world.slug, "jkp", SOON)
    assert health.error == "answer_not_understood" and health.failing_since == int(world.now)
    jkp.raw, jkp.state = None, {"status": "closed", "updated_datetime": "2026-03-10T12:30:00Z"}
    town.later(3 * 3600)
    assert town.case(reference).status == "resolved"
    assert away.health(world.slug, "jkp", SOON).failing_since == 0


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ("json", b"<html>down</html>"),
        ("json", b""),
        ("json", b"[1, 2"),
        ("json", b'"words"'),
        ("json", b"[" * 100_000),
        ("xml", b"\xff\xfe<\x00"),
        ("xml", b'<?xml version="1.0" encoding="utf-16"?><!doctype x><a/>'),
        ("xml", b"<list><request>"),
    ],
)
def test_an_answer_that_makes_no_sense_is_a_failure_and_nothing_else(jkp: Endpoint, form: str, said: bytes) -> None:
    jkp.raw = said
    with pytest.raises(SendFailed, match="answer_not_understood"):
        open311_client.requests(open311_client.Endpoint(jkp.url, form, "", ""), {}, SOON)


def test_a_case_closed_long_ago_is_not_asked_about_for_ever(world: World, jkp: Endpoint) -> None:
    town = Town(world, jkp)
    town.reports()
    town.later(1)
    jkp.state = {"status": "closed", "updated_datetime": "2026-03-10T11:30:00Z"}
    town.later(16 * 60)
    town.later(15 * 86400)
    asked = len(jkp.asked)
    for _ in range(3):
        town.later(3600)
    assert len(jkp.asked) == asked


def news(identifier: str, status: str, words: str, at: str, request: str = "JKP/1") -> dict[str, str]:
    return {
        "update_id": identifier,
        "service_request_id": request,
        "status": status,
        "description": words,
        "updated_datetime": at,
    }


# --- what a town writes -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("before", "after", "named"),
    [
        (b"endpoint: jkp", b"endpoint: nema", 'no Open311 endpoint "nema"'),
        (b'code: "012"', b'code: "012", attributes: {since: X}', "no question since"),
        (b"https://jkp.example", b"http://jkp.example", "https"),
        (b"key: jkp-key", b"key: jkp-key, statuses: {closed: received}", "statuses"),
    ],
)
def test_a_wrong_route_is_a_complaint_with_file_and_line(before: bytes, after: bytes, named: str) -> None:
    files = read_folder(TOWNS / "primer")
    files["services.yaml"] = (
        files["services.yaml"]
        .replace(
            b'term: {hours: 48}, photo: "no"', b'term: {hours: 48}, photo: "no", open311: {endpoint: jkp, code: "012"}'
        )
        .replace(before, after)
    )
    files["tenant.yaml"] += (
        b'open311:\n  endpoints:\n    - {id: jkp, title: {sr: JKP}, url: "https://jkp.example/v2/", key: jkp-key}\n'
    ).replace(before, after)
    with pytest.raises(Rejected) as rejected:
        compile_town(load("primer", files))
    assert named in str(rejected.value)
