"""A person on the line: the bot is silent, both sides are kept, staff take over, answer, hand on and close."""

from __future__ import annotations

from typing import Any

import pytest

from chalicelib import wire
from chalicelib.actions import block_person, reply_as_operator, sweep
from chalicelib.actions.change_case import change_case
from chalicelib.cases.lifecycle import Event
from chalicelib.model import Case, Refused, SalterError, Staff
from chalicelib.storage import keys, thread
from chalicelib.storage.cases import CaseStore
from chalicelib.wire import Deadline
from tests.faults.breaking import Breaker, Killed
from tests.meter import Meter
from tests.viber import callback, message
from tests.web import Visitor
from tests.world import NOON, World

LINE = """  - id: operator
    kind: operator
    office: biro
    hours: {weekdays: "08:00-15:00"}
    shows: name
    silent_minutes: 5
    minutes_each: [3, 8]
"""
ANA = Staff("", "ana@primer.local", "ana1", "operator", name="Ana")
BOBAN = Staff("", "boban@primer.local", "boban1", "operator", name="Boban")


@pytest.fixture
def town(world: World) -> World:
    world.offers(LINE)
    return world


def _soon() -> Deadline:
    return Deadline(40)


def _chat(world: World, citizen: str, account: Any = None) -> Case:
    person = keys.person((account or world.account).id, citizen)
    return CaseStore(world.slug).own(person, _soon())[0]


def _closed_elsewhere(world: World, citizen: str) -> None:
    """By the town's own system, say, and not on the page of chats."""
    event = Event(int(world.now), "staff:x", status="resolved")
    change_case(world.town, _chat(world, citizen).reference, event, world.now, "h", _soon())


def _verb(world: World, verb: Any, chat: Case, *who: Any) -> Case:
    return verb(world.town, chat.reference, *who, world.now, "h", _soon())


def _sweep(world: World, minutes: float) -> None:
    world.now += 60 * minutes
    sweep.sweep(world.now)


def test_asking_for_a_person_opens_a_chat_without_the_citizens_words_and_the_bot_falls_silent(town: World) -> None:
    town.says("mira", "Imam pitanje o sporu sa susedom Petrom Petrovićem")
    (said,) = town.says("mira", "Hoću da pričam sa čovekom")
    assert "Broj osoba u redu ispred vas: 0" in said
    assert "od 3 do 8 minuta" in said
    assert "službena osoba, ne program" in said
    chat = _chat(town, "mira")
    assert (chat.kind, chat.status, chat.office, chat.subject) == ("chat", "received", "biro", "Razgovor sa osobom")
    assert town.says("mira", "Kako da dobijem izvod iz matične knjige rođenih?") == []
    (danger,) = town.says("mira", "Upomoć, gori kuća!")
    assert "193" in danger
    told = [entry.text for entry in thread.since(town.slug, keys.person(town.account.id, "mira"), 0, town.now, _soon())]
    assert told[0] == "Imam pitanje o sporu sa susedom Petrom Petrovićem"  # the log, copied at the handover
    assert "Kako da dobijem izvod iz matične knjige rođenih?" in told
    assert _chat(town, "mira").fields["last_from"] == "citizen"


def test_the_next_in_the_queue_hears_how_many_are_before_them(town: World) -> None:
    town.says("mira", "operater")
    (said,) = town.says("jovo", "operater")
    assert "Broj osoba u redu ispred vas: 1" in said
    assert "od 6 do 16 minuta" in said


def test_a_long_message_is_whole_in_the_thread(town: World) -> None:
    town.says("mira", "operater")
    long = "Ovo je duga priča. " * 100
    town.says("mira", long)
    said = thread.since(town.slug, keys.person(town.account.id, "mira"), 0, town.now, _soon())
    assert said[-1].text == long.strip() or said[-1].text == long


def test_a_personal_number_told_to_a_person_is_masked_in_the_thread(town: World) -> None:
    town.says("mira", "operater")
    town.says("mira", "Moj JMBG je 0101990710006, proverite")
    said = thread.since(town.slug, keys.person(town.account.id, "mira"), 0, town.now, _soon())
    assert "0101990710006" not in said[-1].text
    assert "proverite" in said[-1].text


def test_a_turn_in_handover_is_three_requests_and_at_most_fourteen_write_units(town: World, meter: Meter) -> None:
    town.says("mira", "operater")
    town.says("mira", "Dobar dan, imam pitanje o računu za vodu")
    meter.reset()
    town.says("mira", "Račun mi je duplo veći nego prošlog meseca")
    assert meter.operations == ["dynamodb.GetItem", "dynamodb.GetItem", "dynamodb.TransactWriteItems"]
    assert meter.writes <= 14


def test_staff_take_over_answer_hand_on_and_close_and_the_citizen_hears_each_step(town: World) -> None:
    town.says("mira", "operater")
    chat = _chat(town, "mira")
    _verb(town, reply_as_operator.take_over, chat, ANA)
    assert town.viber.texts("mira")[-1] == "Odgovara službena osoba: Ana"
    _verb(town, reply_as_operator.take_over, chat, ANA)
    assert town.viber.texts("mira").count("Odgovara službena osoba: Ana") == 1
    _verb(town, reply_as_operator.answer, chat, ANA, "Dobar dan, izvolite.")
    assert town.viber.texts("mira")[-1] == "Dobar dan, izvolite."
    taken = _chat(town, "mira")
    assert (taken.status, taken.assignee) == ("in_progress", ("staff", "ana1", "Ana"))
    with pytest.raises(Refused) as refused:
        _verb(town, reply_as_operator.answer, chat, BOBAN, "Ja bih")
    assert (refused.value.status, refused.value.code) == (409, "not_yours")
    _verb(town, reply_as_operator.hand_to, chat, ANA, BOBAN)
    assert town.viber.texts("mira")[-1] == "Odgovara službena osoba: Boban"
    _verb(town, reply_as_operator.close, chat, BOBAN)
    assert "Ponovo odgovara automatski asistent" in town.viber.texts("mira")[-1]
    town.says("mira", f"~1:operator.rate.{chat.reference}.5")
    assert _chat(town, "mira").fields["rating"] == 5
    said = thread.since(town.slug, keys.person(town.account.id, "mira"), 0, town.now, _soon())
    assert [entry.origin for entry in said if entry.origin == "operator"] == ["operator"] * 3
    assert town.says("mira", "zdravo") != []
    with pytest.raises(Refused) as refused:
        _verb(town, reply_as_operator.answer, chat, BOBAN, "Još nešto")
    assert refused.value.code == "closed"


def test_on_the_web_the_operators_words_are_polled_with_one_read_and_the_whole_thread_without_after(
    town: World, meter: Meter
) -> None:
    visitor = Visitor(town)
    visitor.says("Kako da dobijem izvod iz matične knjige rođenih?")
    (handed,) = visitor.says("operater")
    assert [choice["id"] for choice in handed["choices"]] == ["operator.end"]
    chat = _chat(town, visitor.session, town.web)
    for number in range(14):
        assert visitor.says(f"Pitanje broj {number}") == []
    _verb(town, reply_as_operator.take_over, chat, ANA)
    _verb(town, reply_as_operator.answer, chat, ANA, "Evo me.")
    meter.reset()
    told = visitor.fetches(handed["id"])
    assert [(one["from"], one["text"]) for one in told if one["from"] == "operator"] == [
        ("operator", "Odgovara službena osoba: Ana"),
        ("operator", "Evo me."),
    ]
    newest = told[-1]["id"]
    meter.reset()
    assert visitor.fetches(newest) == []
    assert meter.operations == ["dynamodb.GetItem"]
    whole = [one["text"] for one in visitor.fetches()]
    assert whole[0] == "Kako da dobijem izvod iz matične knjige rođenih?"
    assert [f"Pitanje broj {number}" in whole for number in range(14)] == [True] * 14
    assert len(whole) == len({one["id"] for one in visitor.fetches()})
    assert visitor.chooses("operator.end")[0]["from"] == "bot"
    assert _chat(town, visitor.session, town.web).status == "withdrawn"
    assert visitor.says("zdravo") != []


def test_nobody_answers_and_the_citizen_is_told_so_once_and_after_closing_the_bot_is_back(town: World) -> None:
    town.says("mira", "operater")
    _sweep(town, 6)
    assert "Još se niko nije javio" in town.viber.texts("mira")[-1]
    _sweep(town, 30)
    assert sum("Još se niko nije javio" in text for text in town.viber.texts("mira")) == 1
    _sweep(town, 180)
    last = town.viber.texts("mira")[-1]
    assert "radno vreme je isteklo" in last
    assert "Javljamo se od: sreda, 11. 3. 2026. u 08:00" in last
    assert town.says("mira", "zdravo") != []
    town.now = NOON + 86400
    chat = _chat(town, "mira")
    _verb(town, reply_as_operator.take_over, chat, ANA)
    assert town.viber.texts("mira")[-1] == "Odgovara službena osoba: Ana"
    assert town.says("mira", "Hvala što ste se javili") == []


def test_whoever_was_answered_hears_no_word_about_waiting(town: World) -> None:
    town.says("mira", "operater")
    _verb(town, reply_as_operator.take_over, _chat(town, "mira"), ANA)
    _sweep(town, 10)
    assert town.viber.texts("mira")[-1] == "Odgovara službena osoba: Ana"


def test_out_of_hours_the_bot_says_when_it_opens_and_files_a_message_only_when_confirmed(town: World) -> None:
    town.now = NOON + 9 * 3600
    visitor = Visitor(town)
    (closed,) = visitor.says("operater")
    assert "Javljamo se od: sreda, 11. 3. 2026. u 08:00" in closed["text"]
    assert "message" in [choice["id"] for choice in closed["choices"]]
    visitor.chooses("message")
    (summary,) = visitor.says("Da li radite za praznik?")
    assert "Da li radite za praznik?" in summary["text"]
    person = keys.person(town.web.id, visitor.session)
    assert CaseStore(town.slug).own(person, _soon()) == ()
    (filed,) = visitor.chooses("form.send")
    chat = _chat(town, visitor.session, town.web)
    assert chat.reference in filed["text"]
    assert (chat.kind, chat.status, chat.fields["text"]) == ("chat", "received", "Da li radite za praznik?")
    assert "praznik" not in chat.subject


def test_a_chat_closed_elsewhere_gives_the_conversation_back(town: World) -> None:
    town.says("mira", "operater")
    _closed_elsewhere(town, "mira")
    assert town.says("mira", "zdravo") != []


def test_who_asks_for_a_person_again_after_that_is_a_tap_away_from_one(town: World) -> None:
    for citizen, asked, answered in (
        ("mira", "Hoću operatera", "službena osoba"),
        ("jovo", "status predmeta", "Rešeno"),
    ):
        town.says(citizen, "operater")
        _closed_elsewhere(town, citizen)
        (said,) = town.says(citizen, asked)
        assert "Da li ste mislili" in said
        (answer,) = town.says(citizen, town.viber.sent[-1]["keyboard"]["Buttons"][0]["ActionBody"])
        assert answered in answer


@pytest.mark.shows("B75")
def test_an_answer_that_is_empty_or_endless_is_refused(town: World) -> None:
    town.says("mira", "operater")
    chat = _verb(town, reply_as_operator.take_over, _chat(town, "mira"), ANA)
    for text, code in ((" ", "no_text"), ("a" * 3000, "too_long")):
        with pytest.raises(Refused) as refused:
            _verb(town, reply_as_operator.answer, chat, ANA, text)
        assert refused.value.code == code


def test_a_blocked_person_gets_a_polite_line_while_danger_and_own_data_still_work(town: World) -> None:
    town.says("mira", "operater")
    chat = _chat(town, "mira")
    block_person.block_person(town.town, chat.reference, ANA, town.now, _soon())
    (line,) = town.says("mira", "Kako da dobijem izvod iz matične knjige rođenih?")
    assert "usluge su ovde za sada obustavljene" in line
    assert "usluge su ovde za sada obustavljene" in town.says("mira", "operater")[0]
    assert "193" in town.says("mira", "Gori kuća!")[0]
    assert "Ovo čuvamo o Vama" in town.says("mira", "Šta znate o meni?")[0]
    assert "Da li da obrišemo" in town.says("mira", "Obriši moje podatke")[0]
    assert "Niste prijavljeni" in town.says("mira", "STOP")[0]
    block_person.unblock_person(town.town, chat.reference, ANA, town.now, _soon())
    assert "izvod" in town.says("mira", "Kako da dobijem izvod iz matične knjige rođenih?")[0].lower()


@pytest.mark.shows("B31")
def test_a_forged_end_of_somebody_elses_chat_changes_nothing(town: World) -> None:
    town.says("mira", "operater")
    chat = _chat(town, "mira")
    _verb(town, reply_as_operator.take_over, chat, ANA)
    _verb(town, reply_as_operator.close, chat, ANA)
    visitor = Visitor(town)
    visitor.chooses(f"operator.rate.{chat.reference}.1")
    assert "rating" not in _chat(town, "mira").fields


@pytest.mark.shows("F3")
def test_a_handed_over_callback_repeated_says_nothing_twice(town: World) -> None:
    town.says("mira", "operater")
    again = message("mira", "Dobar dan")
    for _ in range(3):
        town.takes(callback(town.token, again))
    said = thread.since(town.slug, keys.person(town.account.id, "mira"), 0, town.now, _soon())
    assert [entry.text for entry in said].count("Dobar dan") == 1


@pytest.mark.shows("F1")
@pytest.mark.parametrize("how", ["fails", "killed"])
@pytest.mark.parametrize("nth", range(1, 6))
def test_an_answer_broken_anywhere_is_said_once_or_can_be_said_again(town: World, nth: int, how: str) -> None:
    town.says("mira", "operater")
    chat = _verb(town, reply_as_operator.take_over, _chat(town, "mira"), ANA)
    breaker = Breaker(nth, "before", how)
    wire.taps.append(breaker)
    try:
        _verb(town, reply_as_operator.answer, chat, ANA, "Dobar dan.")
    except (SalterError, Killed):
        town.warm()
    finally:
        wire.taps.remove(breaker)
    person = keys.person(town.account.id, "mira")
    _sweep(town, 2)
    told = [entry for entry in thread.since(town.slug, person, 0, town.now, _soon()) if entry.say]
    written = sum("Dobar dan." in str(entry.say) for entry in told)
    said = town.viber.texts("mira").count("Dobar dan.")
    assert said == written <= 1
