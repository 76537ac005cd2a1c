"""One bot of several towns: who is meant, what waits where, and that nothing of one town reaches another."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from chalicelib import wire
from chalicelib.actions import (
    block_person,
    change_case,
    collect_figures,
    erase,
    export,
    known,
    look_around_case,
    notify,
    owe,
    reply_as_operator,
    sweep,
    testers,
    town_states,
)
from chalicelib.actions.publish_tenant import publish_tenant
from chalicelib.cases.lifecycle import Event
from chalicelib.model import BOT, Case, Conversation, Follower, Line, Refused, SalterError, Say, SendFailed, Staff, Town
from chalicelib.storage import consents, dynamo, keys, tenants, told, whole
from chalicelib.storage.cases import CaseStore
from chalicelib.storage.conversations import ConversationStore
from chalicelib.storage.shapes import LANE_INSIDE_MAX
from chalicelib.wire import Deadline
from tests.console.clerk import filed
from tests.faults.breaking import WAYS, Breaker, Killed
from tests.viber import message
from tests.world import NOON, World, compiled

LINE = "  - {id: operator, kind: operator, office: biro, hours: {weekdays: '08:00-15:00'}, shows: role}\n"
BIRTH, HOURS = "izvod iz matične knjige rođenih", "radno vreme"


class Towns:
    """Primer and Novigrad on one bot, and Mira who writes to it."""

    def __init__(self, world: World, other: str) -> None:
        self.world, self.primer, self.novigrad = world, world.slug, other

    def say(self, text: str, who: str = "mira") -> list[dict[str, Any]]:
        """What is sent back, as Viber gets it."""
        before = len(self.world.viber.sent)
        self.world.calls(message(who, text))
        return self.world.viber.sent[before:]

    def press(self, label: str, shown: dict[str, Any]) -> list[dict[str, Any]]:
        return self.say(_body(label, shown))

    def town(self, slug: str) -> Town:
        town = known.town(slug, Deadline(5))
        assert town is not None
        return town

    def head(self, who: str = "mira") -> Conversation:
        found = self.world.conversation(who)
        assert found is not None
        return found

    def talk(self, slug: str) -> Conversation:
        """What was said with a town, wherever Mira is now."""
        return ConversationStore(self.world.account).with_town(self.head(), slug, self.world.now, Deadline(20))

    def cases(self, slug: str) -> tuple[Case, ...]:
        return CaseStore(slug).own(keys.person(self.world.account.id, "mira"), Deadline(20))

    def files_a_case(self, slug: str) -> Case:
        """Mira's case in the town she is with, with notices agreed to."""
        who = keys.person(self.world.account.id, "mira")
        self.say("Rupa na putu, Glavna 5")
        for answer in ("~1:form.skip", "~1:form.skip", "~1:form.send"):
            sent = self.say(answer)
        (case,) = self.cases(slug)
        self.press("Da", sent[-1])
        assert consents.is_live(slug, who, consents.CASES, Deadline(20))
        return case

    def changes(self, slug: str, case: Case, **event: Any) -> list[dict[str, Any]]:
        before = len(self.world.viber.sent)
        happened = Event(int(self.world.now), "staff:ana", **event)
        change_case.change_case(self.town(slug), case.reference, happened, self.world.now, "h", Deadline(60))
        return self.world.viber.sent[before:]


def _body(label: str, shown: dict[str, Any]) -> str:
    bodies = {button["Text"]: button["ActionBody"] for button in shown["keyboard"]["Buttons"]}
    assert label in bodies, list(bodies)
    return str(bodies[label])


def _sender(sent: dict[str, Any]) -> str:
    return str(sent["sender"]["name"])


@pytest.fixture
def towns(world: World) -> Towns:
    other = f"{world.slug}-b"
    publish_tenant(compiled(world.slug, more=LINE), NOON, "live")
    publish_tenant(compiled(other, account=world.slug, called="Novigrad", more=LINE), NOON, "live")
    account = tenants.account("viber", world.slug, Deadline(20))
    assert account is not None
    world.account = account
    world.warm()
    known.town(other, Deadline(5))
    return Towns(world, other)


# --- which town -------------------------------------------------------------------------------------------------


def test_a_first_message_that_names_its_town_is_answered_by_that_town(towns: Towns) -> None:
    (sent,) = towns.say(f"Dobar dan, pišem iz Novigrada, kako da dobijem {BIRTH}?")
    assert (_sender(sent), "Izvod iz matične knjige" in sent["text"]) == ("Grad Novigrad", True)
    assert towns.head().town == towns.novigrad


def test_what_was_asked_before_the_town_was_chosen_is_answered_after_it(towns: Towns) -> None:
    (asked,) = towns.say("Kako da dobijem izvod iz matične knjige rođenih?")
    assert (_sender(asked), "Kome pišete?" in asked["text"]) == ("Gradovi i opštine", True)
    greeting, answer = towns.press("Grad Novigrad", asked)
    assert "Ja sam PRIMA" in greeting["text"]
    assert "Izvod iz matične knjige" in answer["text"]
    assert {_sender(greeting), _sender(answer)} == {"Grad Novigrad"}


def test_danger_is_answered_before_anybody_chooses_a_town(towns: Towns) -> None:
    urgent, asked = towns.say("Upomoć, gori kuća!")
    assert "193" in urgent["text"]
    assert "Kome pišete?" in asked["text"]


@pytest.mark.parametrize(
    "said",
    ["promijeni grad", "Други град", "želim da promenim opštinu", "Change town please", "andere Stadt", "qytet tjetër"],
)
def test_other_towns_are_asked_for_in_every_language_and_script(towns: Towns, said: str) -> None:
    towns.say("Primer")
    (asked,) = towns.say(said)
    assert len(asked["keyboard"]["Buttons"]) == 2
    assert towns.head().town == towns.primer
    (there,) = towns.say("2")
    assert (_sender(there), towns.head().town) == ("Grad Novigrad", towns.novigrad)


@pytest.mark.parametrize("said", ["Нови град", "prebaci me na Novigrad", "hoću u Gradu Novigradu", "NOVIGRAD"])
def test_a_town_is_turned_to_by_its_name_alone(towns: Towns, said: str) -> None:
    towns.say("Primer")
    sent = towns.say(said)
    assert towns.head().town == (towns.primer if said == "Нови град" else towns.novigrad)
    assert _sender(sent[0]) == ("Grad Primer" if said == "Нови град" else "Grad Novigrad")


def test_the_menu_leads_to_the_other_towns_and_a_bot_of_one_town_says_nothing_of_any(towns: Towns, viber: Any) -> None:
    (menu,) = towns.say("Primer")
    (asked,) = towns.press("Drugi grad ili opština", menu)
    assert "Kome pišete?" in asked["text"]
    (cyrillic,) = towns.say("Здраво, шта све може овде да се заврши?")
    labels = [button["Text"] for button in cyrillic["keyboard"]["Buttons"]]
    assert "Други град или општина" in labels


def test_the_name_of_a_town_within_a_form_is_an_answer_and_no_way_out(towns: Towns) -> None:
    towns.say("Primer")
    towns.say("Rupa na putu")
    towns.say("Novigrad")
    assert towns.head().town == towns.primer


# --- what waits -------------------------------------------------------------------------------------------------


def test_an_open_form_waits_while_the_citizen_is_with_another_town_and_goes_on_after(towns: Towns) -> None:
    towns.say("Primer")
    (question,) = towns.say("Rupa na putu")
    towns.say("promijeni grad")
    towns.say("Novigrad")
    assert "form" not in towns.head().state
    (sheet,) = towns.say(BIRTH)
    assert _sender(sheet) == "Grad Novigrad"
    (back,) = towns.say("pređi na Primer")
    assert _sender(back) == "Grad Primer"
    assert "Odgovara: Grad Primer." in back["text"]
    assert question["text"].splitlines()[-1] in back["text"]
    for answer in ("Glavna 5", "~1:form.skip", "~1:form.send"):
        towns.say(answer)
    assert [case.category for case in towns.cases(towns.primer)] == ["road"]
    assert towns.cases(towns.novigrad) == ()


def test_a_repeated_callback_after_a_switch_does_nothing_twice(towns: Towns) -> None:
    world, meter = towns.world, towns.world.meter
    towns.say("Primer")
    first, there = message("mira", "Rupa na putu, Glavna 5"), message("mira", f"~1:town.{towns.novigrad}")
    events = [first, there, message("mira", HOURS), message("mira", f"~1:town.{towns.primer}")]
    for event in events:
        world.calls(event)
    before, sent = towns.head(), len(world.viber.sent)
    for event in events:
        meter.reset()
        world.calls(event)
        assert meter.operations == ["dynamodb.GetItem"]
    assert (towns.head(), len(world.viber.sent)) == (before, sent)


def test_a_repeated_opening_by_link_does_not_turn_the_citizen_back(towns: Towns) -> None:
    link = {"event": "conversation_started", "message_token": 77, "user": {"id": "mira"}, "context": towns.novigrad}
    assert _sender(towns.world.calls(link)) == "Grad Novigrad"
    towns.say(HOURS)
    towns.say("pređi na Primer")
    towns.say("Rupa na putu")
    before = towns.head()
    assert _sender(towns.world.calls(link)) == "Grad Primer"
    assert towns.head() == before
    opened = towns.world.calls({**link, "message_token": 78})
    assert _sender(opened) == "Grad Novigrad"
    assert "form" in towns.talk(towns.primer).state


def test_a_switch_costs_one_read_more_and_a_plain_turn_none(towns: Towns) -> None:
    meter = towns.world.meter
    towns.say("Primer")
    towns.say("Novigrad")
    meter.reset()
    towns.say(HOURS)
    plain = meter.operations
    meter.reset()
    towns.say("Primer")
    switch = meter.operations
    assert plain == ["dynamodb.GetItem", "dynamodb.PutItem", "viber.send_message", "dynamodb.UpdateItem"]
    assert switch == [
        *("dynamodb.GetItem", "dynamodb.GetItem", "dynamodb.TransactWriteItems"),
        *("viber.send_message", "dynamodb.UpdateItem"),
    ]


@pytest.mark.parametrize(("when", "how", "every"), WAYS)
def test_a_switch_broken_anywhere_loses_no_form_and_says_nothing_twice(
    towns: Towns, when: str, how: str, every: int
) -> None:
    world = towns.world
    towns.say("Primer")
    for nth in range(1, 6, every):
        towns.say("Rupa na putu")
        event, breaker, sent = message("mira", "pređi na Novigrad"), Breaker(nth, when, how), len(world.viber.sent)
        wire.taps.append(breaker)
        try:
            for _ in range(3):
                try:
                    world.calls(event)
                except (SalterError, Killed):
                    world.warm()
                    known.town(towns.novigrad, Deadline(5))
        finally:
            wire.taps.remove(breaker)
        for _ in range(2):
            world.now += 61
            sweep.sweep(world.now)
        in_the_window = breaker.broke == "viber.send_message" and when == "after" or nth == 5 and how == "killed"
        assert 1 <= len(world.viber.sent) - sent <= (2 if in_the_window else 1)
        assert (towns.head().town, towns.head().lane) == (towns.novigrad, ())
        assert "form" in towns.talk(towns.primer).state
        towns.say("pređi na Primer")
        towns.say("~1:form.cancel")


# --- what belongs to whom ---------------------------------------------------------------------------------------


def test_a_notice_comes_in_the_name_of_its_town_and_its_button_leads_there(towns: Towns) -> None:
    towns.say("Primer")
    case = towns.files_a_case(towns.primer)
    towns.say("pređi na Novigrad")
    towns.say("Rupa na putu")
    (notice,) = towns.changes(towns.primer, case, status="resolved")
    assert (_sender(notice), case.reference in notice["text"]) == ("Grad Primer", True)
    assert [button["Text"] for button in notice["keyboard"]["Buttons"]][-2:] == ["Grad Primer", "Grad Novigrad"]
    here = towns.head()
    assert (here.town, "form" in here.state) == (towns.novigrad, True)
    assert case.reference not in str(here.log)
    assert case.reference in str(towns.talk(towns.primer).log)
    (asked,) = towns.say(_first(notice))
    assert _sender(asked) == "Grad Primer"
    assert towns.head().town == towns.primer
    assert "form" in towns.talk(towns.novigrad).state


def _first(shown: dict[str, Any]) -> str:
    return str(shown["keyboard"]["Buttons"][0]["ActionBody"])


def test_what_one_town_owes_still_comes_in_its_name_after_the_citizen_turned_away(towns: Towns) -> None:
    world = towns.world
    towns.say("Primer")
    world.viber.otherwise = 503
    towns.say(HOURS)
    towns.say("pređi na Novigrad")
    assert [owed.town for owed in towns.head().lane] == [towns.primer, ""]
    world.viber.otherwise = None
    sent = len(world.viber.sent)
    world.warm()
    world.now += 120
    sweep.sweep(world.now)
    assert [_sender(body) for body in world.viber.sent[sent:]] == ["Grad Primer", "Grad Novigrad"]


def test_an_old_button_is_answered_by_the_town_it_came_from(towns: Towns) -> None:
    (menu,) = towns.say("Primer")
    towns.say("Novigrad")
    (answer,) = towns.say(_first(menu))
    assert (_sender(answer), towns.head().town) == ("Grad Primer", towns.primer)


def test_a_person_of_one_town_is_heard_while_the_citizen_is_with_another(towns: Towns) -> None:
    world, ana = towns.world, Staff("", "ana@primer.local", "ana1", "operator", name="Ana")
    towns.say("Primer")
    towns.say("Hoću da pričam sa čovekom")
    (chat,) = towns.cases(towns.primer)
    verbs = Deadline(40)
    reply_as_operator.take_over(towns.town(towns.primer), chat.reference, ana, world.now, "h", verbs)
    towns.say("promeni grad")
    towns.say("Novigrad")
    (answered,) = towns.say(BIRTH)
    assert _sender(answered) == "Grad Novigrad"
    sent = len(world.viber.sent)
    reply_as_operator.answer(
        towns.town(towns.primer), chat.reference, ana, "Stigao je vaš odgovor.", world.now, "h", verbs
    )
    (words,) = world.viber.sent[sent:]
    assert (_sender(words), "Stigao je vaš odgovor." in words["text"]) == ("Grad Primer", True)
    assert "Stigao" not in str(towns.head().log)
    towns.press("Grad Primer", words)
    assert towns.say("Hvala vam") == []  # the person reads it, and no bot answers
    assert "handover" in towns.head().state


def test_erasing_in_one_town_leaves_what_the_other_has(towns: Towns) -> None:
    world = towns.world
    towns.say("Primer")
    kept = towns.files_a_case(towns.primer)
    towns.say("pređi na Novigrad")
    gone = towns.files_a_case(towns.novigrad)
    body = {"account": world.account.id, "citizen": "mira", "at": int(world.now)}
    town = towns.town(towns.novigrad)
    here = export.everything(town, towns.talk(towns.novigrad), world.now, Deadline(20))
    assert [case["reference"] for case in here["cases"]] == [gone.reference]
    assert kept.reference not in str(here)
    towns.say("pređi na Primer")
    erase.work(body, towns.novigrad, world.now, Deadline(60))
    pk = keys.conversation(world.account.id, "mira")
    assert dynamo.get("conversations", pk, keys.parked_town(towns.novigrad), Deadline(20)) is None
    assert towns.cases(towns.novigrad) == ()
    assert [case.reference for case in towns.cases(towns.primer)] == [kept.reference]
    (notice,) = towns.changes(towns.primer, kept, status="in_progress")
    assert _sender(notice) == "Grad Primer"


def test_asking_one_town_to_forget_silences_that_town_alone(towns: Towns) -> None:
    towns.say("Primer")
    kept = towns.files_a_case(towns.primer)
    towns.say("pređi na Novigrad")
    towns.say(HOURS)
    towns.say("Obriši moje podatke")
    towns.say("~1:my_data.delete.yes")
    assert ("erased" in towns.head().state, towns.head().log) == (True, ())
    towns.world.now += 3 * 86400
    assert towns.changes(towns.primer, kept, status="in_progress") == [], "it is billed and waits until the case rests"
    towns.world.now += 3 * 60
    sweep.sweep(towns.world.now)
    notice = towns.world.viber.sent[-1]
    assert (_sender(notice), kept.reference in notice["text"]) == ("Grad Primer", True)
    assert "erased" in towns.head().state
    towns.say("pređi na Primer")
    assert kept.reference in str(towns.head().log)


def test_each_town_counts_its_own_conversations(towns: Towns) -> None:
    for said in ("Primer", HOURS, "Novigrad", HOURS, HOURS):
        towns.say(said)
    counts = {}
    for slug in (towns.primer, towns.novigrad):
        collect_figures.collect(slug, towns.world.now, Deadline(20))
        counts[slug] = sum(day.get("in", 0) for day in towns.talk(slug).counts.values())
    assert counts == {towns.primer: 2, towns.novigrad: 3}
    read = [
        collect_figures.read(towns.town(slug), _today(towns), _today(towns), Deadline(20))
        for slug in (towns.primer, towns.novigrad)
    ]
    assert [(figures.people, figures.counts["in"]) for figures in read] == [(1, 2), (1, 3)]


def _today(towns: Towns) -> dt.date:
    return dt.datetime.fromtimestamp(towns.world.now, ZoneInfo("Europe/Belgrade")).date()


def test_who_left_the_bot_left_every_town(towns: Towns) -> None:
    towns.say("Primer")
    case = towns.files_a_case(towns.primer)
    towns.say("pređi na Novigrad")
    towns.world.calls({"event": "unsubscribed", "user_id": "mira", "message_token": 9})
    assert towns.changes(towns.primer, case, status="resolved") == []


# --- a town that is closed --------------------------------------------------------------------------------------


def test_a_suspended_town_of_the_bot_greets_nobody_and_the_others_go_on(towns: Towns) -> None:
    town_states.suspend(towns.novigrad, "platform:p", "", NOON, Deadline(20))
    known.forget()
    (asked,) = towns.say("dobar dan")
    (closed,) = towns.press("Grad Novigrad", asked)
    assert _sender(closed) == "Grad Novigrad"
    assert "trenutno" in closed["text"], closed["text"]
    (asked,) = towns.say("promeni grad")
    greeted = towns.press("Grad Primer", asked)
    assert _sender(greeted[-1]) == "Grad Primer"
    assert "trenutno" not in greeted[-1]["text"]


@pytest.mark.parametrize("before", ["nobody's", "in the other town"])
def test_a_testers_link_lets_into_a_trial_on_a_bot_of_several_towns(towns: Towns, before: str) -> None:
    pointer = tenants.pointer(towns.novigrad, Deadline(20))
    assert pointer
    tenants.change(replace(pointer, state="trial"), Deadline(20))
    known.forget()
    if before == "in the other town":
        towns.say("Grad Primer")
    context = testers.new_link(towns.novigrad, "platform:p", 1, 3, NOON, Deadline(20))
    started = {"event": "conversation_started", "user": {"id": "mira"}, "context": context, "message_token": 77}
    welcome = towns.world.calls(started)
    assert welcome["text"].startswith("Probni rad")
    assert "Novigrada" in welcome["text"]
    (hours,) = towns.say(HOURS)
    assert _sender(hours) == "Grad Novigrad"
    assert "uskoro" not in hours["text"].lower()


# --- what a town owes while the citizen is elsewhere, and a town the bot serves no more ------------------------------


def test_what_a_town_says_of_itself_while_the_citizen_is_elsewhere_turns_nobody_back(towns: Towns) -> None:
    towns.say("Primer")
    towns.say("pređi na Novigrad")
    towns.say(HOURS)
    world, say = towns.world, Say((Line("raw", {"text": "Kopija je spremna."}),))
    owe.owe(world.account, "mira", say, BOT, world.now, "h", Deadline(20), town=towns.primer)
    sent = world.viber.sent[-1]
    assert (_sender(sent), "Kopija je spremna." in sent["text"]) == ("Grad Primer", True)
    assert (towns.head().town, "Kopija" in str(towns.head().log)) == (towns.novigrad, False)
    assert "Kopija" in str(towns.talk(towns.primer).log)


def test_a_long_lane_is_said_in_the_name_of_the_town_that_owes_it(towns: Towns) -> None:
    world = towns.world
    towns.say("Primer")
    world.viber.otherwise = 503
    for number in range(LANE_INSIDE_MAX + 4):
        say = Say((Line("raw", {"text": f"vest {number:02}"}),))
        owe.owe(world.account, "mira", say, BOT, world.now, f"h{number}", Deadline(20))
    towns.say("pređi na Novigrad")
    assert towns.head().parked, "some lies beside"
    world.viber.otherwise = None
    sent = len(world.viber.sent)
    for _ in range(4):
        world.now += 120
        sweep.sweep(world.now)
    owed = [body for body in world.viber.sent[sent:] if "vest" in body["text"]]
    assert len(owed) == LANE_INSIDE_MAX + 4
    assert {_sender(body) for body in owed} == {"Grad Primer"}


def test_a_towns_data_has_of_a_shared_conversation_what_is_its_own(towns: Towns) -> None:
    world = towns.world
    towns.say("Primer")
    towns.say("pređi na Novigrad")
    pk = keys.conversation(world.account.id, "mira")
    handled = {"pk": pk, "sk": keys.seen(b"12345678"), "shape": 1, "exp": int(world.now) + 999}
    dynamo.put("conversations", handled, Deadline(20))

    def found(slug: str) -> set[str]:
        return {one.item["sk"] for one in whole.everything(slug, world.now, Deadline(60)) if one.item["pk"] == pk}

    assert found(towns.primer) == {keys.parked_town(towns.primer)}
    assert found(towns.novigrad) == {keys.NOW}


@pytest.fixture
def served_no_more(towns: Towns) -> Case:
    """Mira's case with Primer, and Mira with Novigrad, when the bot stops serving Primer."""
    world = towns.world
    towns.say("Primer")
    case = towns.files_a_case(towns.primer)
    towns.say("pređi na Novigrad")
    account = replace(world.account, towns=(towns.novigrad,))
    tenants.save_account(account)
    world.warm()
    assert known.town(towns.primer, Deadline(5)) is not None
    return case


@pytest.mark.shows("A5")
def test_a_town_the_bot_serves_no_more_tells_nobody_anything_there_and_its_cases_go_on(
    towns: Towns, served_no_more: Case
) -> None:
    assert towns.changes(towns.primer, served_no_more, status="in_progress") == []
    (case,) = towns.cases(towns.primer)
    assert case.status == "in_progress"
    here, who = towns.town(towns.primer), Follower(towns.world.account.id, "mira")
    assert notify.remembered(here, who, case.reference, "task", towns.world.now, Deadline(20)) == []
    assert look_around_case.is_blocked(case, towns.world.now, Deadline(20)) is False
    with pytest.raises(SendFailed):
        export.work({"account": who.account, "citizen": who.citizen}, towns.primer, towns.world.now, Deadline(20))


@pytest.mark.shows("A5")
def test_a_receipt_about_a_notice_of_a_town_the_bot_serves_no_more_is_taken_calmly(towns: Towns) -> None:
    towns.say("Primer")
    case = towns.files_a_case(towns.primer)
    towns.say("pređi na Novigrad")
    towns.changes(towns.primer, case, status="in_progress")
    (notice,) = towns.head().told
    tenants.save_account(replace(towns.world.account, towns=(towns.novigrad,)))
    towns.world.warm()
    failed = {"event": "failed", "timestamp": 1, "message_token": int(notice.id), "user_id": "mira", "desc": "x"}
    assert towns.world.calls(failed) == {}
    assert [entry.note for entry in told.of_case(towns.primer, case.reference, Deadline(20))] == ["viber: failed"]


@pytest.mark.shows("A5")
def test_whoever_wants_to_speak_there_all_the_same_is_told_that_nobody_is_reached(
    towns: Towns, served_no_more: Case
) -> None:
    world, ana = towns.world, Staff("", "ana@primer.local", "ana1", "operator", name="Ana")
    here, reference, soon = towns.town(towns.primer), served_no_more.reference, Deadline(40)
    chat = filed(here.slug, world.now, kind="chat", owner=served_no_more.owner)
    say, account = Say((Line("raw", {"text": "x"}),)), known.account("viber", towns.primer, Deadline(5))
    assert account is not None
    with pytest.raises(owe.Unreachable):
        owe.owe(account, "mira", say, BOT, world.now, "h", soon, town=towns.primer)
    with pytest.raises(Refused) as told:
        reply_as_operator.take_over(here, chat.reference, ana, world.now, "h", soon)
    with pytest.raises(Refused) as refused:
        block_person.block_person(here, reference, ana, world.now, soon)
    assert (told.value.code, refused.value.code) == ("gone", "gone")
    assert "x" not in world.viber.texts("mira")


def test_a_button_that_names_a_town_of_another_bot_leads_nowhere(towns: Towns) -> None:
    elsewhere = f"{towns.primer}-c"
    publish_tenant(compiled(elsewhere, more=LINE), NOON, "live")
    towns.say("Primer")
    (answer,) = towns.say(f"~1:{elsewhere}:menu")
    assert (_sender(answer), towns.head().town) == ("Grad Primer", towns.primer)


def test_forgetting_in_one_town_leaves_what_another_is_still_to_hear_of(towns: Towns) -> None:
    towns.say("Primer")
    case = towns.files_a_case(towns.primer)
    towns.say("pređi na Novigrad")
    towns.changes(towns.primer, case, status="in_progress")
    assert [told.town for told in towns.head().told] == [towns.primer]
    towns.say("Obriši moje podatke")
    towns.say("~1:my_data.delete.yes")
    assert [told.town for told in towns.head().told] == [towns.primer]


def test_erasing_in_one_town_leaves_what_lies_beside_for_another(towns: Towns) -> None:
    world, pk = towns.world, keys.conversation(towns.world.account.id, "mira")
    towns.say("Novigrad")
    towns.say("pređi na Primer")
    handled = {"pk": pk, "sk": keys.seen(b"12345678"), "shape": 1, "exp": int(world.now) + 999}
    owed = {"pk": pk, "sk": keys.overflow(999), "shape": 1, "town": towns.primer, "exp": int(world.now) + 999}
    for item in (handled, owed):
        dynamo.put("conversations", item, Deadline(20))
    who, person = Follower(world.account.id, "mira"), keys.person(world.account.id, "mira")
    world.now += 60
    erase.again(towns.novigrad, person, who, int(world.now), world.now, Deadline(60))
    left = {item["sk"] for item in dynamo.every("conversations", None, ("pk", pk), Deadline(20))}
    assert left == {keys.NOW, handled["sk"], owed["sk"]}
