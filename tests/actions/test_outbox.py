"""The outbox: recorded before it is tried, worked once, tried again with patience, given up in the open."""

from __future__ import annotations

import os
import uuid
from datetime import UTC, datetime
from typing import Any

import pytest

from chalicelib import wire
from chalicelib.actions import clock, work_outbox
from chalicelib.actions.answer_doorbell import answer_doorbell
from chalicelib.actions.revive_row import revive_row
from chalicelib.actions.sweep import sweep
from chalicelib.actions.work_outbox import work
from chalicelib.model import Refused, SendFailed
from chalicelib.storage import audit, dynamo, outbox, views
from chalicelib.storage.dynamo import Duplicate
from chalicelib.wire import CallFailed, Deadline
from infra import cli
from infra.local import mailbox
from tests.faults.breaking import Breaker, Killed
from tests.world import NOON

SOON = Deadline(1e6)
WORK_CALLS = 4  # read, lease, the outside, mark


@pytest.fixture
def town(aws: Any, town_slug: str) -> str:
    return town_slug


def owed(town: str, kind: str, body: dict[str, Any], **more: Any) -> str:
    """Commit a row; its key."""
    write = outbox.write(town, kind, body, NOON, **more)
    dynamo.transact([write], SOON)
    return str(write.item["pk"])


def letter(to: str = "") -> dict[str, Any]:
    return {
        "to": to or f"{uuid.uuid4().hex}@town.example",
        "subject": "Подсетник: рок",
        "text": "Rok ističe sutra.\nŠalter",
    }


def mail_to(address: str) -> list[dict[str, Any]]:
    return [item for item in mailbox.sent(os.environ["AWS_ENDPOINT_URL"]) if item["to"] == address]


def states(town: str) -> list[str]:
    return [row["state"] for row in views.owed(town)]


def test_an_e_mail_goes_out_once_and_its_words_are_forgotten(town: str) -> None:
    body = letter()
    key = owed(town, "email", body)
    assert states(town) == ["due"]
    assert work(key, NOON, SOON) is True
    assert work(key, NOON + 1, SOON) is None
    (mail,) = mail_to(body["to"])
    assert (mail["kind"], mail["subject"], mail["text"]) == ("email", body["subject"], body["text"])
    assert states(town) == ["sent"]
    row = outbox.load(key, NOON, SOON)
    assert row is not None and row.body == {}


def test_an_sms_goes_out_in_any_script(town: str) -> None:
    body = {"to": f"+38160{uuid.uuid4().int % 10**7:07d}", "text": "Ваш предмет је решен. Šalter"}
    assert work(owed(town, "sms", body), NOON, SOON) is True
    (sms,) = mail_to(body["to"])
    assert (sms["kind"], sms["text"]) == ("sms", body["text"])


def test_what_is_sent_is_gone_from_every_reader_after_a_day(town: str) -> None:
    key = owed(town, "email", letter())
    work(key, NOON, SOON)
    assert outbox.load(key, NOON + outbox.SENT_KEPT_SECONDS, SOON) is None


def test_the_same_matter_is_owed_once(town: str) -> None:
    owed(town, "email", letter(), row="reminder-1")
    with pytest.raises(Duplicate):
        owed(town, "email", letter(), row="reminder-1")


def test_a_row_waits_for_its_time(town: str) -> None:
    key = owed(town, "email", letter(), due_at=NOON + 60)
    assert work(key, NOON, SOON) is None
    assert work(key, NOON + 60, SOON) is True


@pytest.mark.shows("F23")
def test_a_row_in_somebodys_hands_is_left_to_them_until_the_lease_runs_out(town: str) -> None:
    key = owed(town, "email", letter())
    row = outbox.load(key, NOON, SOON)
    assert row is not None
    outbox.leased(row, "other", NOON + work_outbox.LEASE_SECONDS, SOON)
    assert (states(town), work(key, NOON + 1, SOON)) == (["leased"], None)
    assert work(key, NOON + work_outbox.LEASE_SECONDS, SOON) is True


@pytest.mark.shows("F24", "R11")
def test_the_doorbell_and_the_minute_both_find_a_row(town: str) -> None:
    rung, swept = letter(), letter()
    key = owed(town, "email", rung)
    answer = answer_doorbell([("1", f'{{"row": "{key}"}}'), ("2", "{"), ("3", '{"row": "T#nobody#X#0"}')], NOON)
    assert answer == {"batchItemFailures": [{"itemIdentifier": "2"}]}
    owed(town, "email", swept)
    assert sweep(NOON)["delivered"] >= 1
    assert (len(mail_to(rung["to"])), len(mail_to(swept["to"]))) == (1, 1)


@pytest.fixture
def kind(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """A kind of its own, `trial`, which raises what stands in the returned list, one a try, and then succeeds."""
    script: list[Any] = []

    class Trial:
        @staticmethod
        def work(body: Any, town: str, now: float, deadline: Deadline) -> None:
            if script:
                raise script.pop(0)

    monkeypatch.setitem(work_outbox.KINDS, "trial", "trial")
    monkeypatch.setattr(work_outbox, "import_module", lambda name: Trial)
    return script


def test_a_failure_that_may_pass_is_tried_again_later_and_later(town: str, kind: list[Any]) -> None:
    kind += [SendFailed("away", retryable=True), ValueError("a bug"), CallFailed("no road", sent=False)]
    key, now, waits = owed(town, "trial", {}), NOON, []
    while work(key, now, SOON) is not True:
        row = outbox.load(key, now, SOON)
        assert row is not None and row.state == "due"
        waits.append(row.due_at - now)
        now = row.due_at
    assert waits == [5, 10, 20]


@pytest.mark.shows("F24")
def test_a_final_refusal_is_dead_at_once_and_a_person_may_revive_it(town: str, kind: list[Any]) -> None:
    kind += [SendFailed("never", retryable=False)]
    key = owed(town, "trial", {"for": "whom"})
    assert work(key, NOON, SOON) is False
    (row,) = views.owed(town)
    assert (row["state"], row["error"], row["tries"]) == ("dead", "never", 1)
    dead = outbox.load(key, NOON, SOON)
    assert dead is not None and dead.body == {"for": "whom"}
    outbox.revive(dead, NOON, SOON)
    assert work(key, NOON, SOON) is True


@pytest.mark.shows("F24")
def test_the_platform_admin_sees_what_is_owed_and_may_have_a_dead_row_tried_again(
    town: str, kind: list[Any], capsys: pytest.CaptureFixture[str]
) -> None:
    kind += [SendFailed("never", retryable=False)]
    key, now = owed(town, "trial", {}), clock.now()
    work(key, now, SOON)
    row = key.rpartition("#")[2]
    assert cli.main(["outbox", "list", town, "--stage", "test"]) == 0
    assert row in capsys.readouterr().out
    assert cli.main(["outbox", "revive", town, row, "--stage", "test"]) == 0
    acts, _ = audit.of_day(town, datetime.fromtimestamp(now, UTC).date().isoformat(), SOON)
    assert [(act.what, act.about) for act in acts] == [("row_revived", row)]
    assert work(key, clock.now(), SOON) is True
    assert cli.main(["outbox", "revive", town, row, "--stage", "test"]) == 1  # it is no longer dead


def test_what_is_kept_for_a_person_to_read_cannot_be_tried_again(town: str) -> None:
    outbox.write_dead(town, "odd", "parked", {"text": "?"}, "KeyError", NOON, SOON, account="viber:x", citizen="mira")
    with pytest.raises(Refused) as refusal:
        revive_row(town, "odd", "platform:test", NOON, SOON)
    assert refusal.value.code == "not_repeatable"


@pytest.mark.shows("F24")
def test_patience_has_an_end(town: str, kind: list[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(work_outbox, "TRIES_MAX", 3)
    kind += [SendFailed("away", retryable=True)] * 5
    key = owed(town, "trial", {})
    for number in range(5):
        work(key, NOON + number * 2000, SOON)
    assert (states(town), len(kind)) == (["dead"], 2)


@pytest.mark.shows("F25")
def test_a_kind_only_a_newer_version_knows_waits_for_it(town: str) -> None:
    key = owed(town, "of-the-future", {})
    assert work(key, NOON, SOON) is False
    assert states(town) == ["due"]


@pytest.mark.shows("F24", "R11")
def test_one_row_that_breaks_does_not_hold_up_the_others(town: str, kind: list[Any]) -> None:
    kind += [ValueError("a bug")]
    for _ in range(3):
        owed(town, "trial", {})
    sweep(NOON)
    assert sorted(states(town)) == ["due", "sent", "sent"]


@pytest.mark.shows("F1")
@pytest.mark.parametrize("how", ["fails", "killed"])
@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("nth", range(1, WORK_CALLS + 1))
def test_breaking_any_one_call_of_a_rows_work_loses_nothing_and_doubles_only_what_cannot_be_known(
    town: str, nth: int, when: str, how: str
) -> None:
    body = letter()
    key, breaker = owed(town, "email", body), Breaker(nth, when, how)
    wire.taps.append(breaker)
    try:
        work(key, NOON, Deadline(20))
    except (Killed, Exception):  # noqa: B014, S110
        pass
    finally:
        wire.taps.remove(breaker)
    for minute in (1, 2, 3):
        sweep(NOON + minute * 61)
    unknowable = breaker.broke == "ses.SendEmail" and when == "after"
    died_before_the_mark = how == "killed" and nth == WORK_CALLS and when == "before"
    assert 1 <= len(mail_to(body["to"])) <= (2 if unknowable or died_before_the_mark else 1)
    assert states(town) == ["sent"]


def test_the_work_has_as_many_calls_as_are_broken_here(town: str) -> None:
    key, breaker = owed(town, "email", letter()), Breaker(99, "before", "fails")
    wire.taps.append(breaker)
    try:
        work(key, NOON, SOON)
    finally:
        wire.taps.remove(breaker)
    assert breaker.seen == ["dynamodb.GetItem", "dynamodb.PutItem", "ses.SendEmail", "dynamodb.PutItem"]


def test_an_e_mail_whose_sending_always_ends_in_silence_is_sent_twice_and_then_a_persons_matter(town: str) -> None:
    class Deaf:
        def before(self, call: wire.Call) -> None: ...

        def after(self, call: wire.Call, reply: wire.Reply) -> None:
            if call.service == "ses":
                raise CallFailed("nothing heard", sent=True)

    body = letter()
    key, deaf = owed(town, "email", body), Deaf()
    wire.taps.append(deaf)
    try:
        for minute in range(5):
            work(key, NOON + minute * 1000, SOON)
    finally:
        wire.taps.remove(deaf)
    assert len(mail_to(body["to"])) == 2
    assert states(town) == ["uncertain"]


def test_an_address_ses_will_never_take_is_dead_at_once(town: str) -> None:
    assert work(owed(town, "email", letter("nowhere")), NOON, SOON) is False
    assert states(town) == ["dead"]
