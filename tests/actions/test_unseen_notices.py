"""What became of notices: Viber's receipts count once, and whoever is not reached is called, or told another way."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator
from typing import Any

import pytest

from chalicelib.actions import clock, hear_receipt, sweep
from chalicelib.actions.draw_ids import new_reference
from chalicelib.actions.open_case import completed
from chalicelib.dialogue import memory
from chalicelib.model import Case, Follower
from chalicelib.storage import consents, keys, told
from chalicelib.storage.cases import CaseStore
from chalicelib.wire import Deadline
from infra.local import mailbox
from tests.console.clerk import employed, seated
from tests.integrations.system import System
from tests.meter import Meter
from tests.web import Visitor
from tests.world import World

DAY = 86400
_tokens = itertools.count(6_117_000_000_000_000_000)


@pytest.fixture
def dms(world: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[System]:
    """The office's system; the product's clock stands at the world's."""
    monkeypatch.setattr(clock, "now", lambda: world.now)
    monkeypatch.setattr("chalicelib.actions.case_api.REQUEST_SECONDS", 60.0)
    yield System(world.slug)


def _agrees(world: World, who: Follower, given: bool = True) -> None:
    agreed = consents.Consent(consents.CASES, given, int(world.now), "viber", "citizen", "consent_ask.1")
    consents.record(world.slug, keys.person(who.account, who.citizen), agreed, Deadline(20))


def _case(world: World, citizen: str = "mira", **more: Any) -> Case:
    world.says(citizen, "zdravo")
    who = Follower(world.account.id, citizen)
    _agrees(world, who)
    return _filed(world, owner=who, consent=True, **more)


def _filed(world: World, **more: Any) -> Case:
    case = Case(world.slug, new_reference(world.town), "problem", "received", "Cev", 0, 0, **more)
    return CaseStore(world.slug).add(completed(world.town, case, "citizen", world.now), Deadline(20))


def _tells(world: World, dms: System, case: Case, **event: Any) -> int:
    """The office changes the case; the id Viber gives the message that tells so."""
    token = next(_tokens)
    world.viber.otherwise = {"status": 0, "status_message": "ok", "message_token": token}
    assert dms.post(f"cases/{case.reference}/events", event or {"status": "in_progress"}).status == 201
    world.viber.otherwise = None
    return token


def _receipt(world: World, event: str, token: int, citizen: str = "mira") -> None:
    world.calls({"event": event, "timestamp": 1763700010000, "message_token": token, "user_id": citizen})


def _notices(dms: System, case: Case) -> list[str]:
    history = dms.get(f"cases/{case.reference}", notices=1).json["history"]
    assert not any(entry["public"] for entry in history if entry["event"] == "notice")
    return [entry["note"] for entry in history if entry["event"] == "notice"]


def _to_call(dms: System) -> list[str]:
    return [case["reference"] for case in dms.get("cases", call=1).json["cases"]]


# --- receipts ---------------------------------------------------------------------------------------------------


def test_a_notice_stands_in_the_history_for_staff_and_seen_counts_once(dms: System, world: World, meter: Meter) -> None:
    case = _case(world)
    token = _tells(world, dms, case)
    assert _notices(dms, case) == ["viber: sent"]
    assert "notice" not in [entry["event"] for entry in dms.get(f"cases/{case.reference}").json["history"]]
    _receipt(world, "seen", token)
    assert _notices(dms, case) == ["viber: seen"]
    for event in ("seen", "delivered", "failed"):
        meter.reset()
        _receipt(world, event, token)
        assert (meter.reads <= 1, meter.writes) == (True, 0)
    assert _notices(dms, case) == ["viber: seen"]


def test_any_other_receipt_is_one_read_and_no_write(dms: System, world: World, meter: Meter) -> None:
    _tells(world, dms, _case(world))
    meter.reset()
    _receipt(world, "seen", next(_tokens))
    assert (meter.operations, meter.writes) == (["dynamodb.GetItem"], 0)
    meter.reset()
    _receipt(world, "delivered", next(_tokens))
    assert meter.operations == []


def test_a_notice_nobody_has_seen_yet_makes_no_turn_dearer(dms: System, world: World, meter: Meter) -> None:
    _tells(world, dms, _case(world))
    meter.reset()
    world.says("mira", "radno vreme")
    assert meter.operations == ["dynamodb.GetItem", "dynamodb.PutItem", "viber.send_message", "dynamodb.UpdateItem"]
    assert meter.writes <= 6


def test_who_sees_the_newest_notice_has_seen_those_before_it(dms: System, world: World) -> None:
    first, second = _case(world), _case(world)
    _tells(world, dms, first)
    token = _tells(world, dms, second)
    _tells(world, dms, first, public_note="vest")
    _receipt(world, "seen", token)
    assert (_notices(dms, first), _notices(dms, second)) == (["viber: seen", "viber: sent"], ["viber: seen"])


def test_a_receipt_that_counts_is_a_read_and_a_write_and_the_conversation_stays_as_it_is(
    dms: System, world: World, meter: Meter
) -> None:
    token = _tells(world, dms, _case(world))
    before = world.conversation("mira")
    meter.reset()
    _receipt(world, "seen", token)
    assert (meter.operations, meter.writes) == (["dynamodb.GetItem", "dynamodb.UpdateItem"], 2)
    assert world.conversation("mira") == before


def test_another_process_that_hears_it_again_writes_nothing_down(dms: System, world: World, meter: Meter) -> None:
    first, second = _case(world), _case(world)
    tokens = [_tells(world, dms, first), _tells(world, dms, second)]
    _receipt(world, "seen", tokens[0])
    for event, operations in (
        ("seen", ["GetItem", "BatchGetItem", "UpdateItem"]),
        ("seen", ["GetItem", "BatchGetItem"]),
    ):
        hear_receipt.forget()
        meter.reset()
        _receipt(world, event, tokens[1])
        assert [operation.removeprefix("dynamodb.") for operation in meter.operations] == operations
    hear_receipt.forget()
    _receipt(world, "failed", tokens[1])
    assert (_notices(dms, first), _notices(dms, second)) == (["viber: seen"], ["viber: seen"])


def test_a_notice_after_which_much_was_said_is_waited_for_no_longer(dms: System, world: World) -> None:
    token = _tells(world, dms, _case(world))
    for number in range(memory.LOG_TURNS_KEPT):
        assert [notice.id for notice in world.conversation("mira").told] == [str(token)]
        world.now += 60
        world.says("mira", f"radno vreme {number}")
    assert world.conversation("mira").told == ()


def test_another_persons_receipt_changes_nothing(dms: System, world: World) -> None:
    case = _case(world)
    world.says("guesser", "zdravo")
    _receipt(world, "seen", _tells(world, dms, case), "guesser")
    assert _notices(dms, case) == ["viber: sent"]


def test_a_notice_that_waits_and_one_that_goes_out_after_all_say_so(dms: System, world: World) -> None:
    world.says_of_itself(terms="notices: in_session")
    case = _case(world)
    world.now += 2 * DAY
    _tells(world, dms, case)
    assert _notices(dms, case) == ["viber: waits"]
    world.says("mira", "radno vreme")
    assert _notices(dms, case) == ["viber: sent"]
    assert _to_call(dms) == []


def test_on_the_web_a_notice_waits_until_it_is_fetched(dms: System, world: World) -> None:
    visitor = Visitor(world)
    visitor.says("zdravo")
    who = Follower(world.web.id, visitor.session)
    _agrees(world, who)
    case = _filed(world, owner=who, consent=True)
    _tells(world, dms, case)
    assert _notices(dms, case) == ["web: waits"]
    world.now += (told.UNSEEN_DAYS + 1) * DAY
    assert _to_call(dms) == [case.reference]


# --- the call list ----------------------------------------------------------------------------------------------


def test_who_has_not_seen_a_notice_for_days_is_called_and_ticked_off(dms: System, world: World, meter: Meter) -> None:
    case = _case(world)
    _tells(world, dms, case)
    world.now += (told.UNSEEN_DAYS - 1) * DAY
    assert _to_call(dms) == []
    world.now += 2 * DAY
    meter.reset()
    assert _to_call(dms) == [case.reference]
    assert meter.operations.count("dynamodb.Query") <= 2, "one for the key's town, one for the list"
    assert dms.post(f"cases/{case.reference}/events", {"event": "called", "note": "javljeno"}).status == 201
    assert _to_call(dms) == []
    assert dms.get(f"cases/{case.reference}").json["history"][-1]["event"] == "called"
    _tells(world, dms, case, status="resolved")
    world.now += (told.UNSEEN_DAYS + 1) * DAY
    assert _to_call(dms) == [case.reference]


@pytest.mark.parametrize("how", ["seen", "wrote"])
def test_who_has_seen_it_or_written_since_is_not_called(dms: System, world: World, how: str) -> None:
    case = _case(world)
    token = _tells(world, dms, case)
    world.now += (told.UNSEEN_DAYS + 1) * DAY
    if how == "seen":
        _receipt(world, "seen", token)
    else:
        world.says("mira", "radno vreme")
    assert _to_call(dms) == []
    assert _notices(dms, case) == ["viber: seen"]


@pytest.mark.parametrize("how", ["failed on the phone", "refused for good", "left before", "found gone"])
def test_whom_a_notice_cannot_reach_is_on_the_call_list_at_once(dms: System, world: World, how: str) -> None:
    case = _case(world)
    if how == "left before":
        world.calls({"event": "unsubscribed", "user_id": "mira", "timestamp": 1, "message_token": 5})
    if how in ("refused for good", "found gone"):
        world.viber.script = [{"status": 3 if how == "refused for good" else 6}]
    token = _tells(world, dms, case)
    if how == "failed on the phone":
        assert _to_call(dms) == []
        _receipt(world, "failed", token)
    assert _to_call(dms) == [case.reference]
    assert _notices(dms, case) == ["viber: failed"]
    head = seated(employed(world.slug, "head", name="Vera"), world.now)
    assert case.reference in head.get("/console/inbox?only=call").text
    assert head.post(f"/console/cases/{case.reference}/called").leads_to.endswith("?only=call")
    assert "Nikoga ne treba zvati" in head.get("/console/inbox?only=call").text
    assert _to_call(dms) == []


def test_who_stopped_notices_is_left_in_peace_and_so_are_mere_followers(dms: System, world: World) -> None:
    case = _case(world)
    world.says("ana", "zdravo")
    _agrees(world, Follower(world.account.id, "ana"))
    followed = _filed(world, followers=(Follower(world.account.id, "ana"),))
    world.now += 5
    _agrees(world, Follower(world.account.id, "mira"), given=False)
    for each in (case, followed):
        _tells(world, dms, each)
    world.now += (told.UNSEEN_DAYS + 1) * DAY
    assert _to_call(dms) == []
    assert (_notices(dms, case), _notices(dms, followed)) == ([], [])


def test_the_call_list_comes_in_pages(dms: System, world: World) -> None:
    cases = []
    for citizen in ("mira", "ana", "jovan"):
        cases.append(_case(world, citizen))
        _tells(world, dms, cases[-1])
        world.now += 60
    world.now += (told.UNSEEN_DAYS + 1) * DAY
    first = dms.get("cases", call=1, limit=2).json
    rest = dms.get("cases", call=1, limit=2, cursor=first["cursor"]).json
    listed = [case["reference"] for page in (first, rest) for case in page["cases"]]
    assert (listed, rest["cursor"]) == ([case.reference for case in cases], None)


# --- another way ------------------------------------------------------------------------------------------------


def _mails(world: World) -> list[dict[str, Any]]:
    return [item for item in mailbox.sent(os.environ["AWS_ENDPOINT_URL"]) if item["to"].startswith(world.slug)]


def test_a_paper_case_nobody_bound_is_told_by_e_mail_where_there_is_one(dms: System, world: World) -> None:
    mail = f"{world.slug}@primer.example"
    filed = dms.file(consent=True, applicant={"name": "Mira Š.", "email": mail})
    case = CaseStore(world.slug).load(filed["reference"], Deadline(20))
    assert case is not None
    _tells(world, dms, case, status="in_progress", public_note="Dođite po rešenje.")
    sweep.sweep(world.now + 60)
    (sent,) = _mails(world)
    assert case.reference in sent["subject"]
    assert "Dođite po rešenje." in sent["text"]
    assert (_notices(dms, case), _to_call(dms)) == (["email: sent"], [])


@pytest.mark.parametrize("switched_on", [True, False])
def test_an_sms_goes_only_where_the_town_pays_for_it_else_somebody_calls(
    dms: System, world: World, switched_on: bool
) -> None:
    world.says_of_itself(rules="sms: true" if switched_on else "")
    filed = dms.file(consent=True, applicant={"name": "Mira Š.", "phone": "064 123 4567"})
    case = CaseStore(world.slug).load(filed["reference"], Deadline(20))
    assert case is not None
    _tells(world, dms, case)
    assert _notices(dms, case) == (["sms: sent"] if switched_on else ["chat: failed"])
    assert _to_call(dms) == ([] if switched_on else [case.reference])


def test_without_consent_nothing_goes_any_way(dms: System, world: World) -> None:
    filed = dms.file(applicant={"name": "Mira Š.", "email": f"{world.slug}@primer.example"})
    case = CaseStore(world.slug).load(filed["reference"], Deadline(20))
    assert case is not None
    _tells(world, dms, case)
    sweep.sweep(world.now + 60)
    assert (_mails(world), _notices(dms, case), _to_call(dms)) == ([], [], [])


def test_a_notice_viber_refuses_for_good_goes_by_e_mail_once(dms: System, world: World) -> None:
    case = _case(world, applicant={"name": "Mira", "email": f"{world.slug}@primer.example"})
    token = _tells(world, dms, case)
    for _ in range(2):
        _receipt(world, "failed", token)
    sweep.sweep(world.now + 60)
    assert len(_mails(world)) == 1
    assert sorted(_notices(dms, case)) == ["email: sent", "viber: failed"]
