"""What deadlines do: the day's digest, a reminder, an escalation, the honest word to the citizen; each of it once."""

from __future__ import annotations

import datetime as dt
import itertools
import threading
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from chalicelib import wire
from chalicelib.actions import change_case, watch_deadlines
from chalicelib.actions.draw_ids import new_reference
from chalicelib.actions.find_officials import heads, officials
from chalicelib.actions.open_case import completed
from chalicelib.actions.watch_deadlines import watch_town
from chalicelib.cases.lifecycle import Event
from chalicelib.model import Case, Follower, Staff
from chalicelib.storage import consents, keys, outbox, staff, tenants, views
from chalicelib.storage.cases import CaseStore
from chalicelib.wire import Deadline
from tests.faults.breaking import WAYS, Breaker, Killed
from tests.viber import FakeViber
from tests.world import World

SOON = Deadline(1e6)
TOWN_TIME = dt.timezone(dt.timedelta(hours=1))
PEOPLE = (
    ("clerk", "porezi", "stoji"),
    ("head", "porezi", ""),
    ("clerk", "opcina", ""),
    ("admin", "", ""),
)


def at(written: str) -> float:
    """A moment of the town's: "2026-02-27 10:00"."""
    return dt.datetime.fromisoformat(written).replace(tzinfo=TOWN_TIME).timestamp()


@pytest.fixture
def town(aws: Any, patient: None, town_slug: str, viber: FakeViber) -> Iterator[World]:
    """A town that takes questions, with staff, on a Friday before a Monday that is a holiday."""
    made = World(town_slug, viber, made_of="upitna")
    made.now = at("2026-02-27 10:00")
    watch_deadlines.forget()
    for role, office, deputy in PEOPLE:
        member = Staff(town_slug, _mail(town_slug, role, office), f"{role}-{office}", role)
        mail_of_deputy = _mail(town_slug, deputy, office) if deputy else ""
        offices = (office,) if office else ()
        staff.save(Staff(member.town, member.mail, member.id, role, "", offices, mail_of_deputy), SOON)
    yield made
    watch_deadlines.forget()


def _mail(slug: str, role: str, office: str) -> str:
    return f"{role}{'-' if office else ''}{office}@{slug}.example"


def asks(world: World, citizen: str = "mira", agreed: bool = True) -> Case:
    """A question asked in the chat on Viber, by somebody who agreed to notices."""
    world.says(citizen, "Imam pitanje: kad se plaća porez na garažu?")
    world.says(citizen, "Isto vrijeme kao ovdje")
    world.says(citizen, "Pošalji")
    who = Follower(world.account.id, citizen)
    (case,) = CaseStore(world.slug).own(keys.person(who.account, who.citizen), SOON)
    if agreed:
        given = consents.Consent(consents.CASES, True, int(world.now), "viber", "citizen", "consent_ask.1")
        consents.record(world.slug, keys.person(who.account, who.citizen), given, SOON)
        case = CaseStore(world.slug).save(replace(case, consent=True), SOON)
    return case


def files(world: World, due: str, office: str = "porezi", **more: Any) -> Case:
    case = Case(world.slug, new_reference(world.town), "question", "received", "x", 0, 0, office=office, **more)
    case = completed(world.town, replace(case, due_at=int(at(due))), "citizen", world.now)
    return CaseStore(world.slug).add(case, SOON)


def watches(world: World, moment: str) -> int:
    world.now = at(moment)
    return watch_town(world.slug, world.now, SOON)


def letters(world: World) -> dict[str, list[str]]:
    """Owed e-mails by reader, each as its subject and text."""
    found: dict[str, list[str]] = {}
    for row in views.owed(world.slug):
        stored = outbox.load(keys.outbox(world.slug, row["id"]), world.now, SOON) if row["kind"] == "email" else None
        if stored:
            body = stored.body
            found.setdefault(body["to"], []).append(f"{body['subject']}\n{body['text']}")
    return found


def events(world: World, case: Case) -> list[str]:
    stored = CaseStore(world.slug).load(case.reference, SOON)
    assert stored is not None
    return [entry.event for entry in stored.history]


def heard(world: World, word: str, who: str = "mira") -> list[str]:
    return [text for text in world.viber.texts(who) if word in text]


# --- from the question to the breach ----------------------------------------------------------------------------


def test_over_a_weekend_and_a_holiday_digest_escalation_and_breach_come_in_their_time_and_once(town: World) -> None:
    case = asks(town)
    assert case.due_at == at("2026-03-04 16:00")  # two working days: Monday 2 March is a holiday moved from Sunday
    for quiet in ("2026-02-27 10:05", "2026-02-28 07:30", "2026-03-02 07:30", "2026-03-03 06:59"):
        assert watches(town, quiet) == 0
    clerk, deputy, head = (_mail(town.slug, role, "porezi") for role in ("clerk", "stoji", "head"))

    assert watches(town, "2026-03-03 07:00") == 2
    told = letters(town)
    assert set(told) == {clerk, deputy}
    assert f"{case.reference} · pitanje · Primljeno · srijeda, 4. 3. 2026. u 16:00" in told[clerk][0]
    assert "Služba za finansije" in told[clerk][0]
    assert "garaž" not in told[clerk][0]  # mail is open: no word of the citizen's
    assert watches(town, "2026-03-03 07:01") == 0

    assert watches(town, "2026-03-04 07:00") == 2
    assert watches(town, "2026-03-04 10:59") == 0
    assert watches(town, "2026-03-04 11:00") == 1  # an hour until the break and three after it are left
    assert "Rok uskoro ističe" in letters(town)[head][0]
    assert watches(town, "2026-03-04 15:59") == 0

    assert watches(town, "2026-03-04 16:00") == 1
    (word,) = heard(town, "Odgovor kasni")
    for part in (case.reference, "srijeda, 4. 3. 2026. u 16:00", "Primljeno", "Služba za finansije", "OPERATER"):
        assert part in word
    assert {len(letters(town)[reader]) for reader in (clerk, deputy)} == {3}
    assert any("Rok je istekao: predmet" in mail for mail in letters(town)[head])

    for later in ("2026-03-04 16:01", "2026-03-04 18:00"):
        assert watches(town, later) == 0
    assert events(town, case) == ["opened", "escalated", "overdue"]
    assert len(heard(town, "Odgovor kasni")) == 1


def test_a_new_process_finds_what_was_done(town: World) -> None:
    case = asks(town)
    watches(town, "2026-03-04 16:00")
    watch_deadlines.forget()
    assert watches(town, "2026-03-04 16:02") == 0
    assert events(town, case) == ["opened", "overdue"]
    assert watches(town, "2026-03-05 07:00") == 2  # overdue ones stand in every day's digest
    assert any("predmet s rokom do 6. 3. 2026." in mail for mail in letters(town)[_mail(town.slug, "clerk", "porezi")])


def test_who_did_not_agree_hears_nothing_and_the_history_says_it_all_the_same(town: World) -> None:
    case = asks(town, agreed=False)
    watches(town, "2026-03-04 16:00")
    assert heard(town, "Odgovor kasni") == []
    assert events(town, case) == ["opened", "overdue"]


def test_an_answered_question_is_nobodys_reminder(town: World) -> None:
    case = asks(town)
    event = Event(int(town.now) + 60, "staff:ana", status="resolved", public_note="Do 31. marta.")
    change_case.change_case(town.town, case.reference, event, town.now, "holder", SOON)
    assert watches(town, "2026-03-04 07:00") == 0
    assert watches(town, "2026-03-04 16:00") == 0
    assert letters(town) == {}


def test_a_case_opened_again_has_its_deadlines_anew(town: World) -> None:
    case = asks(town)
    watches(town, "2026-03-04 16:00")
    for name, status in (("", "resolved"), ("reopened", "")):
        event = Event(int(town.now) + 60, "staff:ana", status=status, name=name)
        case = change_case.change_case(town.town, case.reference, event, town.now + 60, "holder", SOON)
    assert case.due_at == at("2026-03-06 16:00")
    assert watches(town, "2026-03-06 11:00") >= 1
    assert watches(town, "2026-03-06 16:00") >= 1
    assert [event for event in events(town, case) if event == "overdue"] == ["overdue"] * 2


def test_what_is_due_before_the_next_digest_is_told_at_once(town: World) -> None:
    assert watches(town, "2026-02-27 10:00") == 0
    files(town, "2026-03-01 10:00")  # Sunday: five hours of the office's time are left
    assert watches(town, "2026-02-27 10:01") == 1
    (mail,) = letters(town)[_mail(town.slug, "clerk", "porezi")]
    assert "Hitno" in mail
    assert watches(town, "2026-02-27 10:02") == 0


def test_a_digest_lists_each_readers_own_offices_in_their_language(town: World) -> None:
    german = Staff(town.slug, f"de@{town.slug}.example", "de", "clerk", "", ("opcina",), language="de")
    staff.save(german, SOON)
    mine, other = files(town, "2026-03-03 12:00", office="opcina"), files(town, "2026-03-03 12:00")
    town.now = at("2026-02-27 06:00")
    watches(town, "2026-03-03 07:00")
    (mail,) = letters(town)[german.mail]
    assert "1 Vorgang mit Frist" in mail
    assert mine.reference in mail
    assert other.reference not in mail


# --- whatever happens -------------------------------------------------------------------------------------------


def broken(world: World, moment: float, nth: int, when: str, how: str) -> str:
    """Look after the town's deadlines with the nth call broken, as a fresh process; which call it was, if any."""
    breaker = Breaker(nth, when, how)
    watch_deadlines.forget()
    wire.taps.append(breaker)
    try:
        watch_town(world.slug, moment, Deadline(20))
    except (Killed, Exception):  # noqa: S110
        pass
    finally:
        wire.taps.remove(breaker)
    return breaker.broke


@pytest.mark.shows("F1")
@pytest.mark.parametrize(("when", "how", "every"), WAYS)
def test_a_breach_is_told_once_whatever_call_breaks(town: World, when: str, how: str, every: int) -> None:
    who = asks(town).owner
    watch_town(town.slug, at("2026-03-04 16:00"), SOON)
    nth, broke = 1 - every, "begun"
    while broke:
        nth += every
        due = at("2026-03-04 16:10") + 60 * nth
        case = files(town, dt.datetime.fromtimestamp(due, TOWN_TIME).isoformat(), owner=who, consent=True)
        broke = broken(town, due, nth, when, how)
        town.now = due + 1
        watch_town(town.slug, town.now, SOON)
        assert events(town, case).count("overdue") == 1, (nth, broke)
        told = [mail for mails in letters(town).values() for mail in mails if case.reference in mail.split("\n")[0]]
        assert len(told) == 3, (nth, broke)  # clerk, deputy, head
        stored = town.conversation("mira")
        assert stored is not None
        lines = [line for entry in stored.log if entry.say for line in entry.say.lines]
        words = [line for line in lines if line.key == "overdue_told" and line.args["case_no"] == case.reference]
        assert len(words) == 1, (nth, broke)
    assert nth > 8


@pytest.mark.shows("F1")
@pytest.mark.parametrize(("when", "how", "every"), WAYS)
def test_a_digest_is_sent_once_whatever_call_breaks(town: World, when: str, how: str, every: int) -> None:
    asks(town)
    watch_town(town.slug, at("2026-03-04 16:00"), SOON)
    first = dt.date(2026, 3, 5)
    days = [day for ahead in range(30) if (day := first + dt.timedelta(days=ahead)).weekday() < 5]
    clerk, broke = _mail(town.slug, "clerk", "porezi"), "begun"
    for nth, day in zip(itertools.count(1, every), days, strict=False):
        before = len(letters(town)[clerk])
        town.now = at(f"{day} 07:00")
        broke = broken(town, town.now, nth, when, how)
        watch_town(town.slug, town.now + 1, SOON)
        assert len(letters(town)[clerk]) == before + 1, (nth, broke)
        if not broke:
            break
    assert not broke


@pytest.mark.shows("F23")
def test_two_at_once_do_it_once(town: World) -> None:
    case = asks(town)
    town.now = at("2026-03-04 16:00")
    both = [threading.Thread(target=watch_town, args=(town.slug, town.now, SOON)) for _ in range(4)]
    for one in both:
        one.start()
    for one in both:
        one.join()
    watches(town, "2026-03-04 16:01")
    assert events(town, case) == ["opened", "overdue"]
    assert len(heard(town, "Odgovor kasni")) == 1
    assert len(letters(town)[_mail(town.slug, "head", "porezi")]) == 1


def test_one_case_that_breaks_keeps_no_other_waiting(town: World, monkeypatch: pytest.MonkeyPatch) -> None:
    bad, good = files(town, "2026-03-04 15:00"), files(town, "2026-03-04 15:30")
    right = watch_deadlines.lifecycle.change

    def change(case: Case, event: Event) -> Case:
        if case.reference == bad.reference:
            raise ZeroDivisionError
        return right(case, event)

    with monkeypatch.context() as broken_by_a_bug:
        broken_by_a_bug.setattr(watch_deadlines.lifecycle, "change", change)
        watches(town, "2026-03-04 16:00")
    assert (events(town, bad), events(town, good)) == (["opened"], ["opened", "overdue"])
    watches(town, "2026-03-05 18:00")  # once it is mended, the breach that was missed is told
    assert events(town, bad) == ["opened", "overdue"]


def test_a_town_with_nothing_to_do_costs_one_query(town: World) -> None:
    case = asks(town)
    watches(town, "2026-03-04 16:00")
    watches(town, "2026-03-04 18:00")
    wire.taps.append(town.meter)
    try:
        town.meter.reset()
        assert watches(town, "2026-03-04 18:01") == 0
    finally:
        wire.taps.remove(town.meter)
    assert town.meter.operations == ["dynamodb.Query"]
    assert town.meter.writes == 0
    assert case.reference


def test_every_published_town_is_on_the_list_of_towns(town: World) -> None:
    assert town.slug in tenants.published(SOON)


# --- who hears of it --------------------------------------------------------------------------------------------

CLERK = Staff("t", "ana@t.example", "1", "clerk", offices=("porezi",), deputy="eva@t.example")
HEAD = Staff("t", "iva@t.example", "2", "head", offices=("porezi",))
OPERATOR = Staff("t", "oto@t.example", "3", "operator")
ADMIN = Staff("t", "ada@t.example", "4", "admin")
TODAY = "2026-03-04"


def _case(kind: str = "question", office: str = "porezi", **more: Any) -> Case:
    return Case("t", "PR-2222-222", kind, "received", "x", 0, 0, office=office, **more)


def _mails(members: tuple[Staff, ...]) -> list[str]:
    return [member.mail.partition("@")[0] for member in members]


def test_the_official_and_the_deputy_hear_and_while_away_the_deputy_alone() -> None:
    everybody = (CLERK, HEAD, ADMIN)
    assert _mails(officials(everybody, _case(), TODAY)) == ["ana", "eva"]
    away = (replace(CLERK, absent_until=TODAY), HEAD, ADMIN)
    assert _mails(officials(away, _case(), TODAY)) == ["eva"]
    assert _mails(officials(away, _case(), "2026-03-05")) == ["ana", "eva"]
    assert _mails(heads(everybody, _case(), TODAY)) == ["iva"]


def test_an_assigned_case_is_its_officials_alone() -> None:
    bea = Staff("t", "bea@t.example", "5", "clerk", offices=("porezi",))
    case = _case(assignee=("staff", "5", "Bea"))
    assert _mails(officials((CLERK, bea, HEAD), case, TODAY)) == ["bea"]


def test_operators_take_questions_and_where_nobody_is_the_next_one_up_hears() -> None:
    assert _mails(officials((CLERK, OPERATOR), _case(), TODAY)) == ["ana", "eva", "oto"]
    assert _mails(officials((CLERK, OPERATOR), _case("problem"), TODAY)) == ["ana", "eva"]
    assert _mails(officials((CLERK, HEAD, ADMIN), _case(office="opcina"), TODAY)) == ["ada"]
    assert _mails(heads((CLERK, ADMIN), _case(), TODAY)) == ["ada"]
    assert officials((), _case(), TODAY) == ()
