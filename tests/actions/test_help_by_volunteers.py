"""Help by volunteers on the real road: the call in waves, the claim, timers, done and confirmed."""

from __future__ import annotations

import threading

import pytest

from chalicelib import wire
from chalicelib.actions.change_case import change_case
from chalicelib.actions.decide_volunteer import decide
from chalicelib.cases import helping
from chalicelib.cases.lifecycle import Event
from chalicelib.model import Case, SalterError
from chalicelib.wire import Deadline
from infra import cli
from tests.faults.breaking import WAYS, Breaker, Killed
from tests.integrations.system import System
from tests.neighbours import again, asks_for_help, got_card, newest, passes, presses, says, told, volunteers
from tests.web import Visitor
from tests.world import World

FIVE = ("ana", "bane", "ceca", "dule", "eva")
QUARTER = helping.WAVE_SECONDS / 60


def test_three_get_a_card_first_and_all_the_others_after_a_quarter_of_an_hour(world: World) -> None:
    volunteers(world, *FIVE)
    asks_for_help(world)
    passes(world)
    assert len(got_card(world, *FIVE)) == 3
    passes(world, QUARTER - 1)
    assert len(got_card(world, *FIVE)) == 3
    passes(world, 2)
    assert got_card(world, *FIVE) == list(FIVE)


@pytest.mark.shows("D13")
def test_a_card_says_what_until_when_and_where_about_but_not_who(world: World) -> None:
    volunteers(world, "ana")
    says(world, "mira", "treba mi hrana", "2 vekne hleba, zvati 063 123 456 Miru Anić, Glavna 7", "za mene", "danas")
    says(world, "mira", "Centar", "Glavna 7, stan 3", "Mira Anić", "da", "pošalji")
    before = len(world.viber.sent)
    passes(world)
    (card,) = [body["text"] for body in world.viber.sent[before:] if body["receiver"] == "ana"]
    assert "2 vekne hleba" in card and "Centar" in card and "10. 3. 2026." in card
    assert not any(secret in card for secret in ("063", "Anić", "Glavna", "stan 3", "+381"))


def test_those_who_wrote_lately_are_asked_first_because_a_message_to_them_costs_nothing(world: World) -> None:
    volunteers(world, *FIVE)
    world.now += 2 * 86400
    for awake in ("eva", "dule", "ceca"):
        says(world, awake, "zdravo")
    asks_for_help(world)
    passes(world)
    assert got_card(world, *FIVE) == ["ceca", "dule", "eva"]


def test_other_areas_pauses_and_days_are_left_in_peace(world: World) -> None:
    volunteers(world, "ana")
    volunteers(world, "bane", areas=["upper"])
    volunteers(world, "ceca", days=["sun"])
    volunteers(world, "dule", skills=["medicine"])
    (eva,) = volunteers(world, "eva")
    volunteers(world, "fica")
    decide(world.slug, eva, "suspended", "platform:test", world.now, Deadline(20))
    assert says(world, "fica", "pauza do petka")[0] == "vol_paused"
    asks_for_help(world)
    passes(world, QUARTER + 1)
    assert got_card(world, *FIVE, "fica") == ["ana"]


def test_the_first_to_take_it_has_it_and_the_others_hear_so(world: World) -> None:
    (ana, _) = volunteers(world, "ana", "bane")
    case = asks_for_help(world)
    passes(world)
    assert says(world, "ana", "preuzimam")[0] == "aid_details"
    assert presses(world, "bane", f"aid.take.{case.reference}") == ["aid_taken"]
    passes(world)
    taken = again(world, case)
    assert (taken.status, taken.assignee) == ("in_progress", ("volunteer", ana, "ana"))
    assert told(world, "bane").count("aid_taken") == 2  # the answer to the late press, and the word to everybody asked
    assert told(world, "mira")[-2:] == ["aid_comes", "aid_comes_how"]
    assert told(world, "ana")[-2:] == ["aid_details", "aid_rules"]


@pytest.mark.shows("F19")
def test_of_many_who_press_at_once_one_has_it(world: World) -> None:
    names = ("ana", "bane", "ceca")
    volunteers(world, *names)
    case = asks_for_help(world)
    passes(world)
    answers: dict[str, list[str]] = {}

    def press(name: str) -> None:
        answers[name] = presses(world, name, f"aid.take.{case.reference}")

    threads = [threading.Thread(target=press, args=(name,)) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(said[0] for said in answers.values()) == ["aid_details", "aid_taken", "aid_taken"]
    (holder,) = [name for name, said in answers.items() if said[0] == "aid_details"]
    assert again(world, case).assignee[2] == holder  # type: ignore[index]


@pytest.mark.shows("D13")
def test_who_got_no_card_learns_nothing_of_a_request(world: World) -> None:
    volunteers(world, "ana")
    volunteers(world, "bane", areas=["upper"])
    case = asks_for_help(world)
    passes(world)
    for stranger in ("bane", "stranger"):
        assert presses(world, stranger, f"aid.take.{case.reference}") == ["aid_no_more"]
        assert presses(world, stranger, f"aid.off.{case.reference}") == ["aid_no_more"]
        assert presses(world, stranger, "aid.take.PR-AAAA-AAA") == ["aid_no_more"]
    assert again(world, case).assignee is None


def test_whom_staff_suspended_after_the_card_cannot_take_it(world: World) -> None:
    (ana,) = volunteers(world, "ana")
    case = asks_for_help(world)
    passes(world)
    decide(world.slug, ana, "suspended", "platform:test", world.now, Deadline(20))
    assert says(world, "ana", "preuzimam") == ["aid_no_more"]
    assert again(world, case).assignee is None


def test_given_back_it_goes_to_the_others_and_not_to_whoever_had_it(world: World) -> None:
    volunteers(world, "ana", "bane")
    case = asks_for_help(world)
    passes(world)
    says(world, "ana", "preuzimam")
    passes(world)
    assert says(world, "ana", "ne mogu ipak") == ["aid_back_said"]
    passes(world)
    assert (again(world, case).assignee, again(world, case).status) == (None, "in_progress")
    assert told(world, "mira")[-1] == "aid_searching_again"
    assert (told(world, "ana").count("aid_card"), told(world, "bane").count("aid_card")) == (1, 2)
    assert says(world, "bane", "preuzimam")[0] == "aid_details"


def test_the_timer_reminds_and_then_gives_the_request_back(world: World) -> None:
    volunteers(world, "ana", "bane")
    case = asks_for_help(world)
    passes(world)
    says(world, "ana", "preuzimam")
    back_at = again(world, case).call["back_at"]
    passes(world, (back_at - world.now) / 60 - 61)
    assert "aid_remind" not in told(world, "ana")
    passes(world, 2)
    passes(world, 1)
    assert told(world, "ana").count("aid_remind") == 1
    passes(world, 60)
    assert told(world, "ana")[-1] == "aid_timed_out"
    assert (again(world, case).assignee, told(world, "bane").count("aid_card")) == (None, 2)
    assert presses(world, "ana", f"aid.done.{case.reference}") == ["aid_no_more"]


def test_done_is_resolved_by_the_word_of_the_person_helped_who_is_asked_twice_at_most(world: World) -> None:
    (ana,) = volunteers(world, "ana")
    case = asks_for_help(world)
    passes(world)
    says(world, "ana", "mogu ja")
    assert says(world, "ana", "gotovo") == ["aid_done_said"]
    assert told(world, "mira")[-1] == "aid_done_ask"
    passes(world, 24 * 60 + 1)
    passes(world, 48 * 60)
    assert told(world, "mira").count("aid_done_ask_again") == 1
    assert again(world, case).status == "in_progress"
    assert presses(world, "mira", f"aid.yes.{case.reference}") == ["aid_yes_said"]
    resolved = again(world, case)
    assert (resolved.status, resolved.history[-1].by) == ("resolved", f"volunteer:{ana}")
    assert told(world, "ana")[-1] == "aid_confirmed"
    assert presses(world, "mira", f"aid.no.{case.reference}") == ["aid_no_more"]


@pytest.mark.shows("D13")
@pytest.mark.parametrize("end", ["given back", "timed out", "confirmed"])
def test_who_no_longer_has_a_request_no_longer_reads_its_details(world: World, end: str) -> None:
    volunteer, person = Visitor(world), Visitor(world)
    volunteers(world, volunteer.session, account=world.web)
    case = asks_for_help(world, person.session, world.web)
    passes(world)
    volunteer.says("preuzimam")
    assert "Mira Anić" in str(volunteer.fetches())
    if end == "given back":
        volunteer.says("ne mogu ipak")
    elif end == "timed out":
        passes(world, 24 * 60)
    else:
        volunteer.says("gotovo")
        person.chooses(f"aid.yes.{case.reference}")
    assert not any(secret in str(volunteer.fetches()) for secret in ("Mira Anić", "Glavna", "+381"))


def test_nobody_free_or_nobody_taking_it_is_said_once(world: World) -> None:
    asks_for_help(world)
    passes(world)
    passes(world, 3)
    assert told(world, "mira").count("aid_nobody_yet") == 1


def test_volunteers_hear_when_the_office_closes_a_request(world: World) -> None:
    volunteers(world, "ana")
    case = asks_for_help(world)
    passes(world)
    says(world, "ana", "preuzimam")
    _by_staff(world, case, status="resolved")
    assert told(world, "ana")[-1] == "aid_over"
    passes(world, 24 * 60)
    assert told(world, "ana").count("aid_over") == 1
    assert presses(world, "ana", f"aid.done.{case.reference}") == ["aid_over"]


def test_before_anybody_took_it_all_who_got_a_card_hear_that_it_is_closed(world: World) -> None:
    volunteers(world, "ana", "bane")
    case = asks_for_help(world)
    passes(world)
    _by_staff(world, case, status="discontinued")
    passes(world, 24 * 60)
    assert [told(world, name).count("aid_over") for name in ("ana", "bane")] == [1, 1]
    _by_staff(world, case, name="reopened")
    assert [told(world, name).count("aid_card") for name in ("ana", "bane")] == [2, 2]


def _by_staff(world: World, case: Case, **what: str) -> None:
    event = Event(int(world.now), "staff:s1", **what)  # type: ignore[arg-type]
    change_case(world.town, case.reference, event, world.now, "staff", Deadline(20))
    passes(world)


@pytest.mark.shows("F1")
@pytest.mark.parametrize(("when", "how", "every"), WAYS)
def test_breaking_any_call_of_a_wave_leaves_nobody_out_and_asks_nobody_twice(
    world: World, when: str, how: str, every: int
) -> None:
    volunteers(world, "ana", "bane")
    calls, nth = 2, 1
    while nth <= calls:
        case = asks_for_help(world, f"mira{nth}")
        breaker = Breaker(nth, when, how)
        wire.taps.append(breaker)
        try:
            passes(world)
        except (SalterError, Killed):
            world.warm()
        finally:
            wire.taps.remove(breaker)
        calls = max(calls, breaker.calls if not breaker.broke else calls + every)
        for _ in range(4):
            passes(world, 2)
        for name in ("ana", "bane"):
            asked = [line for entry in _log(world, name) for line in entry if line == f"aid.take.{case.reference}"]
            assert asked == [f"aid.take.{case.reference}"], (nth, breaker.broke, name)
        presses(world, f"mira{nth}", f"aid.off.{case.reference}")
        passes(world)
        if not breaker.broke:
            return
        nth += every


def _log(world: World, citizen: str) -> list[list[str]]:
    """The buttons of everything said to somebody."""
    conversation = world.conversation(citizen)
    assert conversation is not None
    return [[choice.id for choice in entry.say.choices] for entry in conversation.log if entry.say]


def test_on_the_web_it_is_the_same(world: World) -> None:
    volunteer, person = Visitor(world), Visitor(world)
    volunteers(world, volunteer.session, account=world.web)
    case = asks_for_help(world, person.session, world.web)
    passes(world)
    card = volunteer.fetches()[-1]
    assert "Potrebna je pomoć" in card["text"]
    assert [choice["label"] for choice in card["choices"]] == ["Preuzimam"]
    assert "Mira Anić" in volunteer.chooses(card["choices"][0]["id"])[0]["text"]
    assert "preuzima" in person.fetches()[-1]["text"]
    volunteer.says("gotovo")
    asked = person.fetches()[-1]
    assert person.chooses(asked["choices"][0]["id"])[0]["text"].startswith("Hvala na potvrdi")
    assert again(world, case).status == "resolved"


@pytest.mark.shows("D13")
def test_a_key_without_the_scope_of_help_reads_the_case_masked_whoever_has_it(world: World) -> None:
    volunteers(world, "ana")
    case = asks_for_help(world)
    passes(world)
    says(world, "ana", "preuzimam")
    masked = System(world.slug, ["cases:read"]).get(f"cases/{case.reference}").json
    assert masked["assignee"]["kind"] == "volunteer" and masked["assignee"]["name"] == "•••"
    assert masked["place"] is None and set(masked["fields"].values()) == {"•••"}
    assert not any(word in str(masked) for word in ("ana", "Mira", "Glavna", "vekne", "063"))
    seen = System(world.slug, ["cases:read", "help"]).get(f"cases/{case.reference}").json
    assert seen["assignee"]["name"] == "ana" and seen["fields"]["what"] == "2 vekne hleba i mleko"
    assert "call" not in seen["fields"]


# --- the volunteers' own matters --------------------------------------------------------------------------------


def test_somebody_signs_up_and_is_approved_on_the_command_line(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    says(world, "ana", "želim da volontiram", "Ana Anić", "Ana", "063 123 456", "Centar", "gotovo")
    said = says(world, "ana", "preskoči", "preskoči")
    assert said == ["vol_ask_adult"]
    assert says(world, "ana", "da", "da", "pošalji")[0] == "vol_created"
    case = newest(world, "volunteer")
    staff = ["staff", "volunteer"]
    assert cli.main([*staff, "list", world.slug, "--stage", "test"]) == 0
    assert f"{case.reference}  waits" in capsys.readouterr().out
    asks_for_help(world, "jovo")
    passes(world)
    assert got_card(world, "ana") == []
    assert cli.main([*staff, "approve", world.slug, case.reference, "--stage", "test"]) == 0
    assert cli.main([*staff, "approve", world.slug, case.reference, "--stage", "test"]) == 0
    assert told(world, "ana").count("vol_approved") == 1
    asks_for_help(world)
    passes(world)
    assert got_card(world, "ana") == ["ana"]
    assert cli.main([*staff, "suspend", world.slug, case.reference, "--stage", "test"]) == 0
    assert "suspended" in capsys.readouterr().out
    assert cli.main([*staff, "approve", world.slug, "PR-AAAA-AAA", "--stage", "test"]) == 1


def test_somebody_on_a_pause_comes_back_and_somebody_who_left_is_not_called_again(world: World) -> None:
    volunteers(world, "ana", "bane")
    assert says(world, "ana", "pauza") == ["vol_paused_open"]
    assert says(world, "bane", "više ne volontiram") == ["vol_leave_ask"]
    assert presses(world, "bane", "vol.leave.yes") == ["vol_left"]
    asks_for_help(world)
    passes(world)
    assert got_card(world, "ana", "bane") == []
    assert says(world, "ana", "kraj pauze") == ["vol_on"]
    asks_for_help(world, "jovo")
    passes(world)
    assert got_card(world, "ana", "bane") == ["ana"]
