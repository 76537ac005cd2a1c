"""A call for help by the second way: whom no chat carries it to gets a link, once, and only if there is a way."""

from __future__ import annotations

import pytest

from chalicelib.actions import export, hear_receipt
from chalicelib.actions.decide_volunteer import decide
from chalicelib.channels import Sent
from chalicelib.model import Case, SalterError, Voice
from chalicelib.storage import budget, consents, keys, outbox
from chalicelib.wire import Deadline
from infra import cli
from tests.faults.breaking import WAYS, Breaker, Killed
from tests.letters import LINK, Letters, caught, reached_at
from tests.neighbours import asks_for_help, got_card, passes, presses, says, told, volunteers
from tests.taps import tapped
from tests.web import Visitor
from tests.world import World

ANA = "ana@primer.example"


@pytest.fixture
def letters(monkeypatch: pytest.MonkeyPatch) -> Letters:
    return caught(monkeypatch)


def _leaves(world: World, name: str) -> None:
    world.calls({"event": "unsubscribed", "user_id": name, "timestamp": 1, "message_token": 5})


def test_who_left_viber_gets_the_card_by_e_mail_without_name_phone_or_door(world: World, letters: Letters) -> None:
    (ana, _) = volunteers(world, "ana", "bane")
    reached_at(world, ana, ANA)
    _leaves(world, "ana")
    asks_for_help(world)
    passes(world)
    assert got_card(world, "bane") == ["bane"]
    ((kind, letter),) = letters.all
    assert (kind, letter["to"], letter["subject"]) == ("email", ANA, "Potrebna je pomoć: Hrana i namirnice")
    assert "2 vekne hleba" in letter["text"] and "Centar" in letter["text"]
    assert LINK.search(letter["text"])
    said = LINK.sub("", str(letter))
    assert not any(secret in said for secret in ("Mira", "Glavna", "063", "+381", "Prezime"))


@pytest.mark.parametrize(
    "how", ["not subscribed", "failed on the phone", pytest.param("refused for good", marks=pytest.mark.campaign)]
)
def test_a_card_that_viber_does_not_deliver_goes_as_a_link_once(world: World, letters: Letters, how: str) -> None:
    (ana,) = volunteers(world, "ana")
    reached_at(world, ana, ANA)
    refusals = {"not subscribed": (6, "notSubscribed"), "refused for good": (3, "badData")}
    asks_for_help(world)
    if how in refusals:
        status, message = refusals[how]
        world.viber.otherwise = {"status": status, "status_message": message}
    passes(world)
    world.viber.otherwise = None
    if how == "failed on the phone":
        conversation = world.conversation("ana")
        assert conversation is not None and letters.all == []
        (card,) = conversation.told
        for _ in range(2):
            hear_receipt.hear("failed", Sent(citizen="ana", id=card.id), world.account, world.now, Deadline(20))
    passes(world, 1)
    assert len(letters.to(ANA)) == 1


@pytest.mark.campaign
@pytest.mark.parametrize("after", ["taken", "suspended"])
def test_a_card_that_fails_when_it_is_no_longer_wanted_sends_nothing(
    world: World, letters: Letters, after: str
) -> None:
    (ana, _) = volunteers(world, "ana", "bane")
    reached_at(world, ana, ANA)
    case = asks_for_help(world)
    passes(world)
    conversation = world.conversation("ana")
    assert conversation is not None
    (card,) = conversation.told
    if after == "taken":
        presses(world, "bane", f"aid.take.{case.reference}")
    else:
        decide(world.slug, ana, "suspended", "platform:test", world.now, Deadline(20))
    hear_receipt.hear("failed", Sent(citizen="ana", id=card.id), world.account, world.now, Deadline(20))
    assert letters.all == []


def test_once_the_months_money_is_used_up_a_link_goes_in_place_of_a_card_that_would_cost(
    world: World, letters: Letters
) -> None:
    world.says_of_itself(terms="monthly_messages: 1")
    (ana, _, ceca) = volunteers(world, "ana", "bane", "ceca")
    reached_at(world, ana, ANA)
    reached_at(world, ceca, "ceca@primer.example")
    world.now += 2 * 86400
    says(world, "ceca", "zdravo")
    budget.count(world.slug, "2026-03-12", 1, Deadline(20))
    asks_for_help(world)
    passes(world)
    assert got_card(world, "ana", "bane", "ceca") == ["bane", "ceca"], "free in an open talk; bane has no other way"
    assert [body["to"] for _, body in letters.all] == [ANA]


def test_on_the_web_nothing_rings_so_the_link_goes_beside_the_card(world: World, letters: Letters) -> None:
    volunteer = Visitor(world)
    (reference,) = volunteers(world, volunteer.session, account=world.web)
    reached_at(world, reference, ANA)
    asks_for_help(world)
    passes(world)
    assert "Potrebna je pomoć" in volunteer.fetches()[-1]["text"]
    assert len(letters.to(ANA)) == 1


def test_who_stopped_messages_has_no_other_way_or_wants_none_is_left_in_peace(world: World, letters: Letters) -> None:
    (ana, bane) = volunteers(world, "ana", "bane")
    reached_at(world, ana, ANA)
    person = keys.person(world.account.id, "ana")
    stopped = consents.Consent(consents.CASES, False, int(world.now) + 1, "viber", "citizen", "stop.1")
    consents.record(world.slug, person, stopped, Deadline(20))
    _leaves(world, "bane")
    asks_for_help(world)
    passes(world)
    assert (letters.all, bool(bane)) == ([], True)


def test_an_sms_goes_where_the_town_pays_for_it_and_there_is_no_address(world: World, letters: Letters) -> None:
    world.says_of_itself(rules="sms: true")
    volunteers(world, "ana")
    _leaves(world, "ana")
    asks_for_help(world)
    passes(world)
    ((kind, sms),) = letters.all
    assert (kind, sms["to"]) == ("sms", "+38163000000")
    assert LINK.search(sms["text"]) and "vekne" not in sms["text"]


def test_whoever_has_a_request_is_reminded_and_hears_of_its_end_the_same_way(world: World, letters: Letters) -> None:
    (ana,) = volunteers(world, "ana")
    reached_at(world, ana, ANA)
    case = asks_for_help(world)
    passes(world)
    says(world, "ana", "preuzimam")
    _leaves(world, "ana")
    passes(world, 6 * 60)
    passes(world, 60)
    passes(world, 20 * 60)
    reminded, timed_out = letters.to(ANA)
    assert case.reference in reminded["subject"] and LINK.search(reminded["text"])
    assert "isteklo" in timed_out["subject"] and not LINK.search(timed_out["text"])
    assert told(world, "mira")[-1] in ("aid_searching_again", "aid_nobody_yet")


@pytest.mark.campaign
@pytest.mark.shows("F1")
@pytest.mark.parametrize(("when", "how", "every"), WAYS)
def test_breaking_any_call_of_a_wave_writes_every_letter_once(world: World, when: str, how: str, every: int) -> None:
    for name, reference in zip(("ana", "bane"), volunteers(world, "ana", "bane"), strict=True):
        reached_at(world, reference, f"{name}@primer.example")
        _leaves(world, name)
    calls, nth = 2, 1
    while nth <= calls:
        case = asks_for_help(world, f"mira{nth}")
        breaker = Breaker(nth, when, how)
        try:
            with tapped(breaker):
                passes(world)
        except (SalterError, Killed):
            world.warm()
        calls = max(calls, breaker.calls if not breaker.broke else calls + every)
        for _ in range(4):
            passes(world, 2)
        rows = [outbox.load(_row(world, case, place), world.now, Deadline(20)) for place in (0, 1, 2)]
        assert [row is not None for row in rows] == [True, True, False], (nth, breaker.broke)
        assert all(row and row.state in ("sent", "due", "leased") for row in rows[:2]), (nth, breaker.broke)
        presses(world, f"mira{nth}", f"aid.off.{case.reference}")
        passes(world)
        if not breaker.broke:
            return
        nth += every


def _row(world: World, case: Case, place: int) -> str:
    """The letter to one of those asked in the first round."""
    return keys.outbox(world.slug, f"aid-{case.reference}-1-card-{place}")


def test_the_address_is_in_the_copy_of_ones_data_and_goes_with_leaving(world: World) -> None:
    (ana,) = volunteers(world, "ana")
    reached_at(world, ana, ANA)
    conversation = world.conversation("ana")
    assert conversation is not None
    data = export.everything(world.town, conversation, world.now, Deadline(20))
    assert (data["volunteer"]["mail"], ANA in export.readable(world.town, Voice("sr"), data)) == (ANA, True)
    says(world, "ana", "više ne volontiram")
    presses(world, "ana", "vol.leave.yes")
    assert export.everything(world.town, conversation, world.now, Deadline(20))["volunteer"]["mail"] == ""


def test_an_address_is_given_and_taken_on_the_command_line(
    world: World, letters: Letters, capsys: pytest.CaptureFixture[str]
) -> None:
    (ana,) = volunteers(world, "ana")
    mail = ["staff", "volunteer", "mail", world.slug]
    assert cli.main([*mail, ana, ANA, "--stage", "test"]) == 0
    assert cli.main(["staff", "volunteer", "list", world.slug, "--stage", "test"]) == 0
    assert f"ana, +38163000000, {ANA}" in capsys.readouterr().out
    assert cli.main([*mail, ana, "no address", "--stage", "test"]) == 1
    assert cli.main([*mail, "PR-AAAA-AAA", ANA, "--stage", "test"]) == 1
    assert cli.main([*mail, ana, "none", "--stage", "test"]) == 0
    _leaves(world, "ana")
    asks_for_help(world)
    passes(world)
    assert letters.all == []
