"""The states of a town as citizens and staff meet them: trial with testers, live, suspended, resumed, rolled back."""

from __future__ import annotations

from typing import Any

import pytest

from chalicelib.actions import heard, known, reply_as_operator, testers, town_states
from chalicelib.actions.publish_tenant import publish_tenant
from chalicelib.model import Refused
from chalicelib.storage import audit, dynamo, keys, tenants
from chalicelib.storage.cases import CaseStore
from chalicelib.wire import Deadline
from tests.actions.test_operator import ANA, LINE
from tests.meter import Meter
from tests.viber import FakeViber
from tests.web import Visitor
from tests.world import NOON, World, compiled

BY = "platform:proba"
PLAIN = ["dynamodb.GetItem", "dynamodb.PutItem", "viber.send_message", "dynamodb.UpdateItem"]


def soon() -> Deadline:
    return Deadline(40)


def suspended(world: World, reason: str = "") -> None:
    town_states.suspend(world.slug, BY, reason, world.now, soon())
    world.warm()


def resumed(world: World) -> None:
    town_states.resume(world.slug, BY, world.now, soon())
    world.warm()


def in_trial(world: World) -> None:
    publish_tenant(compiled(world.slug), NOON, "trial")
    world.warm()


def link_for(world: World, people: int = 2, days: int = 14) -> str:
    return testers.new_link(world.slug, BY, people, days, world.now, soon())


def opens(world: World, citizen: str, context: str) -> str:
    event = {"event": "conversation_started", "user": {"id": citizen}, "context": context, "message_token": 1}
    return str(world.calls(event)["text"])


# --- suspended and resumed ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "answer"),
    [
        ("Treba mi izvod iz matične knjige rođenih", "Digitalni asistent trenutno ne radi"),
        ("Треба ми извод из матичне књиге рођених", "Дигитални асистент тренутно не ради"),
        ("I would like to have a birth certificate please", "The digital assistant is out of service"),
        ("Ich brauche bitte eine Geburtsurkunde vom Standesamt", "Der digitale Assistent ist zurzeit außer Betrieb"),
    ],
)
def test_a_suspended_town_says_one_polite_line_with_its_phone_in_the_language_of_the_question(
    world: World, said: str, answer: str
) -> None:
    suspended(world)
    (on_viber,) = world.says("mira", said)
    (on_the_web,) = Visitor(world).says(said)
    for line in (on_viber, on_the_web["text"]):
        assert line.startswith(answer)
        assert "+381 25 000 000" in line


def test_an_opened_chat_is_greeted_with_the_line_too(world: World) -> None:
    suspended(world)
    assert "trenutno ne radi" in opens(world, "mira", "")
    assert [message["text"].split(".")[0] for message in Visitor(world).welcome] == [
        "Digitalni asistent trenutno ne radi"
    ]


def test_danger_and_own_data_are_answered_while_suspended(world: World) -> None:
    suspended(world)
    assert "193" in world.says("mira", "Gori kuća!")[0]
    assert "Ovo čuvamo o Vama" in world.says("mira", "~1:my_data")[0]


def test_what_was_begun_before_a_suspension_goes_on_after_it(world: World) -> None:
    world.offers("  - {id: ask, kind: question, topics: [{id: porezi, title: {sr: Porezi}, office: biro}]}\n")
    (asked,) = world.says("mira", "Imam pitanje za biro")
    suspended(world)
    assert "trenutno ne radi" in world.says("mira", "Kada radite subotom?")[0]
    before = world.conversation("mira")
    resumed(world)
    after = world.conversation("mira")
    assert before is not None and after is not None
    assert after.state.get("form") == before.state.get("form") is not None
    assert "trenutno ne radi" not in world.says("mira", "Kada radite subotom?")[0]
    assert asked


def test_a_chat_with_a_person_and_the_staffs_work_go_on_in_a_suspended_town(world: World) -> None:
    world.offers(LINE)
    world.says("mira", "Hoću da pričam sa čovekom")
    (chat,) = CaseStore(world.slug).own(keys.person(world.account.id, "mira"), soon())
    suspended(world)
    assert world.says("mira", "Još sam tu") == []  # it goes to the person, not to the bot
    reply_as_operator.take_over(world.town, chat.reference, ANA, world.now, "h", soon())
    before = len(world.viber.sent)
    reply_as_operator.answer(world.town, chat.reference, ANA, "Tu smo i mi.", world.now, "h", soon())
    assert world.viber.texts()[before:] == ["Tu smo i mi."]


def test_repeating_a_suspension_or_its_end_changes_nothing(world: World) -> None:
    suspended(world, "ugovor istekao")
    first = tenants.pointer(world.slug, soon())
    suspended(world, "another reason")
    assert tenants.pointer(world.slug, soon()) == first
    assert first is not None and (first.state, first.reason, first.by) == ("suspended", "ugovor istekao", BY)
    resumed(world)
    resumed(world)
    whats = [act.what for act in audit.of_day(world.slug, "2026-03-10", soon())[0]]
    assert sorted(whats) == ["town_resumed", "town_suspended"]


def test_a_change_stands_in_the_towns_trail_who_when_from_to(world: World) -> None:
    suspended(world, "ugovor istekao")
    (act,) = audit.of_day(world.slug, "2026-03-10", soon())[0]
    assert (act.by, act.at, act.what) == (BY, world.now, "town_suspended")
    assert act.detail == {"state": "live → suspended", "reason": "ugovor istekao"}


def test_a_town_suspended_in_its_trial_is_in_trial_again_afterwards(world: World) -> None:
    in_trial(world)
    suspended(world)
    with pytest.raises(Refused, match="resume"):
        town_states.open_to_all(world.slug, BY, world.now, soon())
    resumed(world)
    assert known.state(world.slug, soon()) == "trial"


# --- warm processes -------------------------------------------------------------------------------------------


def test_a_warm_process_sees_a_new_state_and_version_within_a_minute_and_other_towns_notice_nothing(
    aws: Any, patient: None, town_slug: str, viber: FakeViber, monkeypatch: pytest.MonkeyPatch
) -> None:
    here, there = World(town_slug, viber), f"{town_slug}-b"
    publish_tenant(compiled(there), NOON, "live")
    clock = [1000.0]
    monkeypatch.setattr(known, "monotonic", lambda: clock[0])
    known.forget()
    visitors = Visitor(here), _visitor_of(there, here)
    assert all("Dobar dan" in one.says("zdravo")[0]["text"] for one in visitors)
    monkeypatch.setattr(known, "forget", lambda: None)  # another process makes the change
    town_states.suspend(here.slug, BY, "", NOON, soon())
    assert "Dobar dan" in visitors[0].says("zdravo")[0]["text"]
    clock[0] += 59.9
    assert "trenutno ne radi" in visitors[0].says("zdravo")[0]["text"]
    assert "Dobar dan" in visitors[1].says("zdravo")[0]["text"]
    town_states.resume(here.slug, BY, NOON, soon())
    publish_tenant(compiled(here.slug, rules="reopen_days: 3"), NOON)
    clock[0] += 59.9
    assert here.town.core["reopen_days"] == 3
    town_states.roll_back(here.slug, None, BY, NOON, soon())
    clock[0] += 59.9
    assert here.town.core["reopen_days"] != 3


def _visitor_of(slug: str, world: World) -> Visitor:
    other = object.__new__(World)
    other.slug, other.now = slug, world.now
    return Visitor(other)


def test_the_state_costs_a_turn_no_request(world: World, meter: Meter) -> None:
    for change in (suspended, resumed, in_trial):
        change(world)
        world.says("mira", "zdravo")
        meter.reset()
        world.says("mira", "zdravo")
        assert meter.operations == PLAIN


# --- trial ----------------------------------------------------------------------------------------------------


def test_in_trial_only_who_opened_the_link_is_answered(world: World) -> None:
    in_trial(world)
    assert "Uskoro ovde odgovara" in opens(world, "mira", "")
    (said,) = world.says("mira", "Treba mi izvod iz matične knjige rođenih")
    assert "Uskoro ovde odgovara" in said
    welcome = opens(world, "mira", link_for(world))
    assert welcome.startswith("Probni rad") and "Uskoro" not in welcome
    assert "Uskoro" not in world.says("mira", "Treba mi izvod iz matične knjige rođenih")[0]
    assert "Uskoro" in world.says("jovo", "zdravo")[0]


def test_the_link_opens_the_web_chat_as_well(world: World) -> None:
    in_trial(world)
    tester, stranger = Visitor(world, context=link_for(world)), Visitor(world)
    assert tester.welcome[0]["text"].startswith("Probni rad")
    assert "Uskoro" not in tester.says("zdravo")[0]["text"]
    assert [len(stranger.welcome), len(stranger.says("zdravo"))] == [1, 1]
    assert "Uskoro" in stranger.fetches()[-1]["text"]


def test_a_link_lets_in_so_many_and_who_is_in_does_not_use_it_up_again(world: World) -> None:
    in_trial(world)
    link = link_for(world, people=2)
    for citizen in ("mira", "mira", "jovo"):
        assert "PRIMA" in opens(world, citizen, link)
    assert "Uskoro" in opens(world, "ana", link)
    assert "Uskoro" not in world.says("mira", "zdravo")[0]


@pytest.mark.parametrize("spoil", ["forged", "late", "of another town", "cut"])
def test_a_link_that_is_not_good_costs_nothing_and_lets_nobody_in(world: World, meter: Meter, spoil: str) -> None:
    in_trial(world)
    link = link_for(world, days=1)
    if spoil == "late":
        world.now += 86400
    link = {
        "forged": link[:-1] + ("0" if link[-1] != "0" else "1"),
        "late": link,
        "of another town": link.replace(world.slug, "another", 1),
        "cut": link.rpartition(".")[0],
    }[spoil]
    meter.reset()
    assert "Uskoro" in opens(world, "mira", link)
    assert meter.operations == ["dynamodb.GetItem"]


def test_what_testers_say_is_in_no_figures_and_they_stay_testers_after_erasing(world: World) -> None:
    in_trial(world)
    opens(world, "mira", link_for(world))
    world.says("mira", "zdravo")
    stored = world.conversation("mira")
    assert stored is not None and stored.state["uncounted"] is True
    town_states.open_to_all(world.slug, BY, world.now, soon())
    world.warm()
    assert "Uskoro" not in world.says("jovo", "zdravo")[0]


# --- versions -------------------------------------------------------------------------------------------------


@pytest.mark.shows("F35")
def test_going_back_puts_an_earlier_version_in_force_and_keeps_the_state(world: World) -> None:
    names = ["PRVA", "DRUGA", "TRECA"]
    for name in names:
        version = compiled(world.slug)
        publish_tenant(version | {"core": version["core"] | {"bot": name}}, NOON)
    suspended(world)
    after = town_states.roll_back(world.slug, None, BY, world.now, soon())
    world.warm()
    assert (world.town.core["bot"], after.state) == ("DRUGA", "suspended")
    town_states.roll_back(world.slug, 2, BY, world.now, soon())
    world.warm()
    assert world.town.core["bot"] == "PRVA"
    town_states.roll_back(world.slug, None, BY, world.now, soon())  # the one in force before: back again
    world.warm()
    assert world.town.core["bot"] == "DRUGA"
    for none in (17, 0):
        with pytest.raises(tenants.NoSuchVersion):
            town_states.roll_back(world.slug, none, BY, world.now, soon())


def test_the_last_five_versions_are_kept_and_older_ones_go(world: World) -> None:
    version = compiled(world.slug)
    for number in range(8):
        pointer = publish_tenant(version | {"core": version["core"] | {"bot": f"N{number}"}}, NOON)
    assert [one.version for one in pointer.kept] == [5, 6, 7, 8, 9]
    cores = [
        one
        for one in range(1, 10)
        if dynamo.get("tenants", keys.town(world.slug), f"{keys.version_prefix(one)}core", soon())
    ]
    assert cores == [5, 6, 7, 8, 9]


# --- how accounts are -----------------------------------------------------------------------------------------


def test_a_call_of_vibers_is_noted_at_most_once_in_five_minutes(world: World, meter: Meter) -> None:
    heard.forget()
    meter.reset()
    for _ in range(3):
        world.calls({"event": "delivered", "message_token": 1, "user_id": "mira"})
    assert meter.operations == ["dynamodb.PutItem"]
