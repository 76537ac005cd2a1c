"""Callbacks to a town's own system, with a real one that verifies them by the published Standard Webhooks library."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from typing import Any

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from chalicelib import strangers, wire
from chalicelib.actions import call_back, clock, work_outbox
from chalicelib.integrations import callbacks
from chalicelib.model import SendFailed
from chalicelib.storage import audit, keys, outbox, secrets, tables, views
from chalicelib.tenancy.complaints import Rejected
from chalicelib.wire import Deadline
from infra import cli
from infra.local import mailbox
from tests.console.clerk import employed, seated
from tests.integrations.listener import Listener
from tests.integrations.system import System
from tests.meter import Meter
from tests.world import World, compiled

SOON = Deadline(1e6)
STAGE = ("--stage", "test")


@pytest.fixture
def listener() -> Iterator[Listener]:
    running = Listener()
    yield running
    running.stop()


@pytest.fixture
def town(
    world: World, listener: Listener, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> World:
    """A town whose system listens and knows its secret; the product's clock stands at the world's."""
    monkeypatch.setattr(clock, "now", lambda: world.now)
    monkeypatch.setattr("chalicelib.console.door.PAGE_SECONDS", 40.0)
    world.says_of_itself(listener.rules())
    listener.secrets = [new_secret(world, capsys)]
    world.meter.reset()
    return world


def new_secret(world: World, capsys: pytest.CaptureFixture[str]) -> str:
    assert cli.main(["callbacks", "secret", world.slug, "dms", *STAGE]) == 0
    return capsys.readouterr().out.strip()


def owed(world: World) -> list[dict[str, Any]]:
    return [row for row in views.owed(world.slug) if row["kind"] == "callback"]


def works(world: World, seconds: float = 0) -> list[str]:
    """Everything owed to the system is tried once, so much later; the states afterwards."""
    world.now += seconds
    call_back.breaker._states.clear()
    for row in owed(world):
        work_outbox.work(keys.outbox(world.slug, row["id"]), world.now, SOON)
    return [row["state"] for row in owed(world)]


def filed(world: World, **body: Any) -> dict[str, Any]:
    return System(world.slug).file(**body)


# --- what is told -----------------------------------------------------------------------------------------------


def test_a_new_case_and_each_change_of_its_state_are_told_signed_and_without_anybody_in_them(
    town: World, listener: Listener
) -> None:
    case = filed(town, number="17-4/26", applicant={"name": "Mira Šumar", "phone": "+381601234567"}, office="biro")
    changed = System(town.slug).post(
        f"cases/{case['reference']}/events",
        {"status": "in_progress", "public_note": "Mira, javite se", "note": "tajna"},
    )
    assert changed.status == 201
    assert works(town) == ["sent", "sent"]
    opened, status = sorted(listener.heard, key=lambda said: said["data"]["version"])
    assert opened == {
        "type": "case.opened",
        "timestamp": "2026-03-10T12:00:00+01:00",
        "data": {
            "reference": case["reference"],
            "number": "17-4/26",
            "kind": "administrative",
            "category": None,
            "status": "received",
            "event": "opened",
            "at": "2026-03-10T12:00:00+01:00",
            "office": "biro",
            "by": "api",
            "version": 1,
            "link": f"/api/v1/{town.slug}/cases/{case['reference']}",
        },
    }
    assert (status["type"], status["data"]["status"], status["data"]["version"]) == ("case.status", "in_progress", 2)
    assert "Mira" not in json.dumps(listener.heard, ensure_ascii=False)
    assert len({headers["webhook-id"] for headers in listener.asked}) == 2


def test_what_a_citizen_reports_is_told_by_the_turns_own_commit(town: World, listener: Listener) -> None:
    for said in ("Velika rupa na putu, Venac 12", "preskoči", "da", "Pošalji"):
        town.says("mira", said)
    rows = owed(town)
    assert len(rows) == 1, rows
    assert works(town) == ["sent"]
    (opened,) = listener.heard
    assert (opened["data"]["kind"], opened["data"]["by"]) == ("problem", "citizen")


def test_only_what_the_town_asked_for_is_told(town: World, listener: Listener) -> None:
    town.says_of_itself(listener.rules(", events: [status, note], kinds: [problem]"))
    case = filed(town)
    System(town.slug).post(f"cases/{case['reference']}/events", {"status": "in_progress"})
    assert owed(town) == []
    town.says_of_itself(listener.rules(", events: [note]"))
    System(town.slug).post(f"cases/{case['reference']}/events", {"note": "pozvati u ponedeljak"})
    assert works(town) == ["sent"]
    (note,) = listener.heard
    assert note["type"] == "case.note"
    assert "pozvati" not in json.dumps(note)


def test_a_town_without_callbacks_writes_nothing_more_than_before(world: World, meter: Meter) -> None:
    dms = System(world.slug)
    meter.reset()
    dms.file()
    with_none = list(meter.operations)
    assert owed(world) == []
    assert with_none.count("dynamodb.TransactWriteItems") == 1


# --- how it is tried --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("answer", [429, 500, 503, "slow", "drip"])
def test_what_may_pass_is_tried_again_under_the_same_id(
    town: World, listener: Listener, answer: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(callbacks, "SECONDS_MAX", 0.2)
    listener.script = [answer]
    filed(town)
    assert works(town) == ["due"]
    monkeypatch.setattr(callbacks, "SECONDS_MAX", 5.0)
    assert works(town, 5) == ["sent"]
    first, second = (headers["webhook-id"] for headers in listener.asked)
    assert first == second
    assert len(listener.heard) == 1


def test_a_refused_connection_is_tried_again(town: World, listener: Listener) -> None:
    filed(town)
    listener.stop()
    assert works(town) == ["due"]
    assert owed(town)[0]["error"] == "no_answer ConnectionRefusedError"


@pytest.mark.parametrize(
    ("asked", "waits"), [("120", 120), ("1", 5), ("999999", 3600), ("soon", 5), ("Wed, 21 Oct 2015 07:28:00 GMT", 5)]
)
def test_retry_after_is_honoured_within_bounds(town: World, listener: Listener, asked: str, waits: int) -> None:
    listener.script = [(503, {"Retry-After": asked})]
    filed(town)
    works(town)
    assert owed(town)[0]["due_at"] - town.now == waits


@pytest.mark.parametrize("answer", [400, 401, 404, 410, 422, (302, {"Location": "/elsewhere"})])
def test_what_is_refused_for_good_is_given_up_at_once_and_a_redirect_is_not_followed(
    town: World, listener: Listener, answer: Any
) -> None:
    listener.script = [answer]
    filed(town)
    assert works(town) == ["dead"]
    assert len(listener.asked) == 1


def test_while_a_secret_is_changed_both_sign_and_a_day_later_only_the_new_one(
    town: World, listener: Listener, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (old,) = listener.secrets
    fresh = new_secret(town, capsys)
    at = int(time.time())
    body = b'{"type":"case.opened"}'

    def signed(at: int) -> dict[str, str]:
        secrets.forget()
        signing = secrets.callback(town.slug, "dms", at, SOON)
        signatures = " ".join(callbacks.signature(each, "msg_1", at, body) for each in signing)
        return {"webhook-id": "msg_1", "webhook-timestamp": str(at), "webhook-signature": signatures}

    for secret in (old, fresh):
        assert Webhook(secret).verify(body, signed(at))
    assert len(signed(at + 86_401)["webhook-signature"].split()) == 1
    filed(town)
    assert works(town) == ["sent"], "who knows the old one only still believes it"
    acts, _ = audit.of_day(town.slug, "2026-03-10", SOON)
    assert [act.what for act in acts] == ["callback_secret", "callback_secret"]
    assert fresh not in str(acts)


def test_the_body_is_believed_neither_changed_nor_late(town: World, listener: Listener) -> None:
    (secret,) = listener.secrets
    at, body = int(time.time()), b"{}"
    for when, said in ((at, b"{ }"), (at - 600, body)):
        headers = {"webhook-id": "m", "webhook-timestamp": str(when)}
        headers["webhook-signature"] = callbacks.signature(secret, "m", when, body)
        with pytest.raises(WebhookVerificationError):
            Webhook(secret).verify(said, headers)


# --- where it may go --------------------------------------------------------------------------------------------


@pytest.mark.shows("A10")
@pytest.mark.parametrize(
    "addresses",
    [
        ["10.0.0.1"],
        ["169.254.169.254"],
        ["127.0.0.1"],
        ["100.64.0.1"],
        ["::1"],
        ["fd00::1"],
        ["fe80::1%eth0"],
        ["::ffff:10.0.0.1"],
        ["64:ff9b::a00:1"],
        ["2002:a00:1::"],
        ["93.184.216.34", "10.0.0.1"],
        ["0.0.0.0"],  # noqa: S104
    ],
)
def test_no_private_address_is_ever_asked(addresses: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SALTER_STAGE", "prod")
    monkeypatch.setattr(
        strangers.socket, "getaddrinfo", lambda *_, **__: [(0, 0, 0, "", (address, 0)) for address in addresses]
    )
    monkeypatch.setattr(strangers, "tell", lambda *_: pytest.fail("asked"))
    with pytest.raises(SendFailed) as failed:
        callbacks.send("https://dms.example.rs/salter", ("whsec_AAAA",), "m", 1, b"{}", Deadline(5))
    assert (failed.value.reason, failed.value.retryable) == ("address_not_allowed", False)


def test_the_name_is_looked_up_once_and_the_address_kept_to(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SALTER_STAGE", "prod")
    answers = iter([["93.184.216.34"], ["10.0.0.1"]])
    monkeypatch.setattr(
        strangers.socket, "getaddrinfo", lambda *_, **__: [(0, 0, 0, "", (one, 0)) for one in next(answers)]
    )
    asked: list[str] = []

    def tell(service: str, operation: str, url: str, address: str, *_: Any) -> wire.Reply:
        asked.append(address)
        return wire.Reply(204, {}, b"")

    monkeypatch.setattr(strangers, "tell", tell)
    callbacks.send("https://dms.example.rs/salter", ("whsec_AAAA",), "m", 1, b"{}", Deadline(5))
    assert asked == ["93.184.216.34"]


@pytest.mark.parametrize(
    "url",
    ["http://dms.example.rs/x", "https://user@dms.example.rs/x", "ftp://dms.example.rs/x", "https://dms.example.rs"],
)
def test_an_address_that_is_none_is_refused_with_the_towns_files(url: str) -> None:
    with pytest.raises(Rejected, match="whole address"):
        compiled("proba-adresa", rules=f'callbacks:\n  - {{id: dms, url: "{url}"}}')


def test_an_id_that_is_a_page_of_the_console_is_refused_with_the_towns_files() -> None:
    with pytest.raises(Rejected) as rejected:
        compiled("proba-ime", rules='callbacks:\n  - {id: open311, url: "https://dms.example.rs/salter"}')
    (said,) = [str(each) for each in rejected.value.complaints]
    assert "tenant.yaml" in said and '"open311" is a page of the console' in said and "choose another id" in said


def test_plain_http_to_this_machine_is_for_the_local_stage_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SALTER_STAGE", "prod")
    with pytest.raises(SendFailed) as failed:
        callbacks.send("http://127.0.0.1:8000/x", ("whsec_AAAA",), "m", 1, b"{}", Deadline(5))
    assert failed.value.reason == "not_https"


# --- what people see --------------------------------------------------------------------------------------------


def test_a_system_that_takes_nothing_for_days_is_switched_off_told_of_and_on_again_with_nothing_lost(
    town: World, listener: Listener, capsys: pytest.CaptureFixture[str]
) -> None:
    admin = employed(town.slug, "admin")
    listener.script = [503] * 100
    filed(town)
    assert works(town) == ["due"]
    for _ in range(call_back.SWITCHED_OFF_AFTER_DAYS):
        assert works(town, 86_400) == ["due"]
    assert works(town, 86_400) == ["dead"], "nobody asks it any more"
    letters = [row for row in views.owed(town.slug) if row["kind"] == "email"]
    assert len(letters) == 1
    assert work_outbox.work(keys.outbox(town.slug, letters[0]["id"]), town.now, SOON)
    (mail,) = [item for item in mailbox.sent(os.environ["AWS_ENDPOINT_URL"]) if item["to"] == admin.mail]
    assert mail["subject"] == "Sistem „dms“ ne prima obaveštenja"
    assert "10. 3. 2026" in mail["text"]
    asked = len(listener.asked)
    filed(town)
    works(town)
    assert len(listener.asked) == asked
    listener.script = []
    page = seated(admin, town.now).get("/console/systems")
    assert "isključen" in page.text and "odgovor 503" in page.text
    assert cli.main(["callbacks", "list", town.slug, *STAGE]) == 0
    assert "2 given up" in capsys.readouterr().out
    answered = seated(admin, town.now).post("/console/systems/dms/again")
    assert answered.leads_to.endswith("said=2")
    assert works(town) == ["sent", "sent"]
    assert len(listener.heard) == 2
    assert "prima" in seated(admin, town.now).get("/console/systems?said=2").text


def test_only_the_towns_admin_sees_its_systems(town: World) -> None:
    assert seated(employed(town.slug, "head"), town.now).get("/console/systems").status == 403
    assert "Nijedan" not in seated(employed(town.slug, "admin"), town.now).get("/console/systems").text


def test_the_platform_admin_tries_a_system_and_hears_what_is_wrong(
    town: World, listener: Listener, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["callbacks", "try", town.slug, "dms", *STAGE]) == 0
    assert listener.heard[0]["type"] == "trial"
    listener.script = [404]
    assert cli.main(["callbacks", "try", town.slug, "dms", *STAGE]) == 1
    assert "http_404" in capsys.readouterr().err
    assert cli.main(["callbacks", "secret", town.slug, "nobody", *STAGE]) == 1
    assert cli.main(["callbacks", "again", town.slug, "dms", *STAGE]) == 0


def test_what_is_kept_about_a_callback_names_nobody_and_goes_by_itself(town: World, listener: Listener) -> None:
    filed(town, applicant={"name": "Mira Šumar"})
    (row,) = owed(town)
    stored = outbox.load(keys.outbox(town.slug, row["id"]), town.now, SOON)
    assert stored is not None and "Mira" not in str(stored)
    works(town)
    assert outbox.load(keys.outbox(town.slug, row["id"]), town.now + outbox.SENT_KEPT_SECONDS, SOON) is None
    health = tables.OutboxRow.get(keys.callbacks(town.slug), "dms#OK")
    assert health.exp is not None
