"""Invitations by SMS: to whoever agreed, once, with the price before, however often the process dies."""

from __future__ import annotations

import os
import uuid
from collections import Counter
from typing import Any

import pytest

from chalicelib import wire
from chalicelib.actions import invite, send_invites, work_outbox
from chalicelib.actions.sweep import sweep
from chalicelib.cases import invitations as rules
from chalicelib.cases.announcements import NotNow
from chalicelib.model import Refused, SalterError, SendFailed, Voice
from chalicelib.storage import dynamo, keys, outbox, phones, sessions, views
from chalicelib.storage import invitations as stored
from chalicelib.wire import CallFailed, Deadline
from infra.local import mailbox
from tests.console.clerk import PASSWORD, employed, hired, seated
from tests.faults.breaking import WAYS, Breaker, Killed
from tests.world import World


def soon() -> Deadline:
    return Deadline(60)


@pytest.fixture
def town(world: World) -> World:
    world.says_of_itself("sms_price: {amount: 0.05, currency: EUR}")
    return world


def some(count: int) -> list[str]:
    return [f"+38160{uuid.uuid4().int % 10**7:07d}" for _ in range(count)]


def draft(world: World, numbers: list[str], by: str = "staff:ana", **more: str) -> stored.Invitation:
    asked = {"basis": "consent", "where": "Pisarnica, fascikla 12"} | more
    return invite.draft(
        world.town, "\n".join(numbers), Voice("sr"), asked["basis"], asked["where"], by, world.now, soon()
    )


def sent_to(numbers: list[str]) -> Counter[str]:
    asked = set(numbers)
    return Counter(item["to"] for item in mailbox.sent(os.environ["AWS_ENDPOINT_URL"]) if item["to"] in asked)


def works(world: World, rounds: int = 4) -> None:
    """Every row of this town that is due, round after round."""
    for _ in range(rounds):
        for row in views.owed(world.slug):
            if row["kind"] == invite.KIND:
                work_outbox.work(keys.outbox(world.slug, row["id"]), world.now, soon())
        world.now += 100


def approved(world: World, numbers: list[str], rounds: int = 4) -> invite.Progress:
    new = draft(world, numbers)
    invite.approve(world.town, new.id, "staff:boro", world.now, soon(), proved=True)
    works(world, rounds)
    return invite.load(world.town, new.id, soon())


def test_a_list_is_read_as_people_keep_it(town: World) -> None:
    listed = rules.listed("060 123 4567; Mira\n+381601234567\nime\n\n 0038164/111-2223,x\n", "RS")
    assert listed == rules.Listed(("+381601234567", "+381641112223"), (3,), 1, False)


@pytest.mark.parametrize(
    ("text", "parts"), [("a" * 160, 1), ("a" * 161, 2), ("š" * 70, 1), ("š" * 71, 2), ("€" * 80, 1), ("€" * 81, 2)]
)
def test_parts_are_counted_as_networks_bill_them(text: str, parts: int) -> None:
    assert rules.parts(text) == parts


def test_everybody_gets_the_bots_link_once_and_the_numbers_are_forgotten(town: World) -> None:
    numbers = some(85)
    new = draft(town, numbers)
    assert f"viber://pa?chatURI={town.slug}" in new.text
    assert invite.price(town.town, new) == {"amount": 4.25, "currency": "EUR"}
    assert sent_to(numbers) == Counter()
    invite.approve(town.town, new.id, "staff:boro", town.now, soon(), proved=True)
    works(town)
    assert sent_to(numbers) == Counter(numbers)
    done = invite.load(town.town, new.id, soon())
    assert (done.state, done.total.sent, done.left) == ("done", 85, 0)
    assert [stored.numbers(town.slug, new.id, n, soon()) for n in (1, 2, 3)] == [[], [], []]


def test_who_was_invited_before_is_left_out_for_a_year(town: World) -> None:
    numbers = some(3)
    approved(town, numbers[:2])
    again = approved(town, numbers)
    assert (again.total.sent, again.total.before) == (1, 2)
    assert sent_to(numbers) == Counter(numbers)
    assert phones.references(town.slug, numbers[0], town.now, soon()) == ()


def test_phones_that_opted_out_are_left_out_and_a_busy_network_is_asked_again(
    town: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    numbers, said = some(3), {}
    asked: list[str] = []

    def send(to: str, text: str, ask: Any) -> None:
        asked.append(to)
        if to == numbers[0]:
            raise SendFailed("OptedOut", retryable=False)
        if to == numbers[1] and said.setdefault("busy", to) and asked.count(to) == 1:
            raise SendFailed("Throttling", retryable=True)
        if to == numbers[2]:
            raise SendFailed("no_answer", retryable=True, uncertain=True)

    monkeypatch.setattr(send_invites.sms, "send", send)
    done = approved(town, numbers)
    assert (done.total.sent, done.total.failed, done.total.uncertain, done.left) == (1, {"OptedOut": 1}, 1, 0)
    assert Counter(asked) == Counter({numbers[0]: 1, numbers[1]: 2, numbers[2]: 1})


def test_above_the_bound_a_second_person_approves(town: World) -> None:
    town.says_of_itself("announcements: {second_person_above: 50}")
    new = draft(town, some(51))
    with pytest.raises(NotNow, match="second_person"):
        invite.approve(town.town, new.id, "staff:ana", town.now, soon(), proved=True)
    invite.approve(town.town, new.id, "staff:boro", town.now, soon(), proved=True)
    with pytest.raises(NotNow, match="not_a_draft"):
        invite.approve(town.town, new.id, "staff:boro", town.now, soon(), proved=True)


@pytest.mark.shows("A25")
def test_above_the_bound_a_carried_off_sign_in_does_not_have_it_sent(
    town: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    from chalicelib.actions import clock

    monkeypatch.setattr(clock, "now", lambda: town.now)
    town.says_of_itself("announcements: {second_person_above: 50}")
    path = f"/console/invitations/{draft(town, some(51)).id}"
    head = seated(hired(town.slug, "head"), town.now)
    town.now += sessions.PROVED_SECONDS
    assert 'name="password"' in head.get(path).body
    for wrong in ({}, {"password": "ne-Znam-lozinku-1"}):
        refused = head.post(f"{path}/approve", wrong)
        assert (refused.status, "Ništa nije poslato." in refused.text) == (422, True)
    assert head.post(f"{path}/approve", {"password": PASSWORD}).status == 303


def test_stop_works_between_numbers_and_what_left_is_counted(town: World, monkeypatch: pytest.MonkeyPatch) -> None:
    numbers = some(45)
    new = draft(town, numbers)
    invite.approve(town.town, new.id, "staff:boro", town.now, soon(), proved=True)
    one, tried = send_invites._one, []

    def stops(*more: Any) -> str:
        tried.append(more)
        if len(tried) == 15:
            invite.stop(town.town, new.id, "staff:ana", town.now, soon())
        return one(*more)

    monkeypatch.setattr(send_invites, "_one", stops)
    works(town)
    shown = invite.load(town.town, new.id, soon())
    assert (shown.state, shown.total.sent, shown.left) == ("stopped", 20, 25)
    assert sum(sent_to(numbers).values()) == 20


@pytest.mark.parametrize("wrong", [{"basis": "because"}, {"where": " "}, {"numbers": "ime"}, {"numbers": "many"}])
def test_without_a_ground_or_a_number_nothing_is_kept(town: World, wrong: dict[str, str]) -> None:
    numbers = some(1)
    if "numbers" in wrong:
        numbers = ["ime"] if wrong.pop("numbers") == "ime" else [f"+38160{n:07d}" for n in range(rules.PHONES_MAX + 1)]
    with pytest.raises(Refused):
        draft(town, numbers, **wrong)
    assert invite.newest(town.town, soon()) == []


@pytest.mark.parametrize(("when", "how", "every"), WAYS)
def test_broken_at_any_call_nobody_gets_two_and_whoever_may_have_missed_it_is_shown(
    town: World, when: str, how: str, every: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    due = views.due_rows
    monkeypatch.setattr(views, "due_rows", lambda now, limit: [pk for pk in due(now, limit) if f"#{town.slug}#" in pk])
    monkeypatch.setattr(views, "due_lanes", lambda now, limit: [])
    monkeypatch.setattr(invite, "PAGE_NUMBERS", 2)

    def journey(breaker: Breaker) -> tuple[list[str], str]:
        numbers = some(3)
        new = draft(town, numbers)
        invite.approve(town.town, new.id, "staff:boro", town.now, soon(), proved=True)
        wire.taps.append(breaker)
        try:
            for _ in range(5):
                try:
                    sweep(town.now)
                except (SalterError, Killed):
                    town.warm()
                town.now += 100
        finally:
            wire.taps.remove(breaker)
        return numbers, new.id

    counting = Breaker(10_000, "before", "fails")
    journey(counting)
    for nth in range(1, counting.calls + 1, every):
        breaker = Breaker(nth, when, how)
        numbers, identifier = journey(breaker)
        got, shown = sent_to(numbers), invite.load(town.town, identifier, soon())
        assert set(got.values()) <= {1}, (nth, breaker.broke)
        assert (shown.state, shown.left) == ("done", 0), (nth, breaker.broke, shown)
        assert 3 - len(got) <= shown.total.uncertain <= 1, (nth, breaker.broke, shown)


def test_an_answer_lost_is_never_asked_twice(town: World) -> None:
    class Deaf:
        def before(self, call: wire.Call) -> None: ...

        def after(self, call: wire.Call, reply: wire.Reply) -> None:
            if call.service == "sns":
                raise CallFailed("nothing heard", sent=True)

    numbers, deaf = some(2), Deaf()
    wire.taps.append(deaf)
    try:
        done = approved(town, numbers)
    finally:
        wire.taps.remove(deaf)
    assert (done.total.uncertain, done.left) == (2, 0)
    assert sent_to(numbers) == Counter(numbers)


def test_staff_write_look_approve_and_see_what_became_of_it(town: World, monkeypatch: pytest.MonkeyPatch) -> None:
    from chalicelib.actions import clock
    from chalicelib.console import door

    monkeypatch.setattr(clock, "now", lambda: town.now)
    monkeypatch.setattr(door, "PAGE_SECONDS", 40.0)
    head, numbers = seated(employed(town.slug, "head"), town.now), some(2)
    typed = {"numbers": "\n".join([*numbers, "ime <b>"]), "voice": "sr-latin", "where": "Fascikla <12>"}
    wrong = head.post("/console/invitations", typed)
    assert (wrong.status, "Izaberite osnov." in wrong.text, numbers[0] in wrong.body) == (422, True, True)
    answer = head.post("/console/invitations", typed | {"basis": "consent"})
    path = "/" + answer.leads_to.lstrip("./")
    shown = head.get(path)
    assert "najviše 0.1 EUR" in shown.text and "Nisu brojevi telefona, redovi: 3." in shown.text
    assert "Fascikla <12>" in shown.text and "<12>" not in shown.body
    assert head.post(f"{path}/approve").status == 303
    works(town)
    assert "Poslato: 2 od 2" in head.get(path).text
    assert head.post(f"{path}/stop").status == 422
    assert "Poziv SMS-om" in head.get("/console/announcements").text
    assert seated(employed(town.slug, "clerk"), town.now).get("/console/invitations").status == 403
    rows = [row for row in views.owed(town.slug) if row["kind"] == invite.KIND]
    assert not any(
        number in str(outbox.load(keys.outbox(town.slug, row["id"]), town.now, soon()))
        for row in rows
        for number in numbers
    )
    identifier = path.rpartition("/")[2]
    assert dynamo.query(stored.TABLE, keys.invitation(town.slug, identifier), "P#", soon()) == []
