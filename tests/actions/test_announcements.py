"""Announcements: to everybody who subscribed and to nobody twice, in pages of at most 300, stopped when told to."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import pytest

from chalicelib import wire
from chalicelib.actions import announce, send_page, work_outbox
from chalicelib.actions.sweep import sweep
from chalicelib.actions.take_receipt import LATELY_KEPT_SECONDS, known_lately, take_receipt
from chalicelib.cases import announcements as rules
from chalicelib.cases.announcements import NotNow, Progress
from chalicelib.model import Announcement, Audience, Follower, Refused, SalterError, Voice
from chalicelib.storage import dynamo, keys, people
from chalicelib.wire import Deadline
from tests.faults.breaking import WAYS, Breaker, Killed
from tests.meter import Meter
from tests.shows import Measure
from tests.taps import tapped
from tests.viber import DROP, Window, message
from tests.web import Visitor
from tests.world import World

NEWS = """  - id: news
    kind: news
    topics:
      - {id: water, title: {sr: Nestanak vode, en: Water cuts}, words: [voda, vode]}
      - {id: works, title: {sr: Radovi na putu, en: Road works}, words: [radovi]}
"""
TEXT = "Sutra od 8 do 14 časova bez vode ostaje Gornji Kraj."
LATIN_SR = Voice("sr")
_ids = itertools.count(1)


@pytest.fixture
def town(world: World, monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setattr(send_page, "PAGES_PER_SECOND", 1e6)
    world.offers(NEWS)
    return world


def soon() -> Deadline:
    return Deadline(60)


def subscribe(
    world: World, citizens: Sequence[str], topic: str = "water", voice: Voice = LATIN_SR, **more: Any
) -> None:
    account = more.get("account", world.account).id
    writes = [
        people.subscription(world.slug, Follower(account, one), topic, more.get("settlement", ""), voice, world.now)
        for one in citizens
    ]
    for first in range(0, len(writes), 100):
        dynamo.transact(writes[first : first + 100], soon())


def some(number: int) -> list[str]:
    return [f"someone{next(_ids):06d}=" for _ in range(number)]


def written(world: World, by: str = "staff:ana", text: dict[str, str] | None = None, **audience: Any) -> Announcement:
    audience = {name: tuple(chosen) for name, chosen in audience.items()}
    return announce.draft(world.town, text or {"sr": TEXT}, Audience(**audience), 0, by, world.now, soon())


def approved(world: World, **more: Any) -> str:
    draft = written(world, **more)
    announce.approve(world.town, draft.id, "staff:boro", world.now, soon(), proved=True)
    return draft.id


def sent(world: World, rounds: int = 3) -> None:
    for _ in range(rounds):
        sweep(world.now)
        world.now += 100


def told(world: World, identifier: str) -> Progress:
    return announce.load(world.town, identifier, soon())


def reached(world: World) -> Counter[str]:
    return Counter(one for body in world.viber.broadcasts for one in body["broadcast_list"])


@pytest.mark.shows("R4", "T2")
def test_12946_people_get_it_once_with_44_calls(town: World) -> None:
    everybody = some(12_946)
    subscribe(town, everybody)
    draft = written(town)
    assert (draft.receivers, draft.calls) == ({"viber": 12_946}, 44)
    announce.approve(town.town, draft.id, "staff:boro", town.now, soon(), proved=True)
    sent(town, 2)
    assert len(town.viber.broadcasts) == 44
    assert reached(town) == Counter(everybody)
    assert {len(body["broadcast_list"]) for body in town.viber.broadcasts} == {294, 295}
    done = told(town, draft.id)
    assert (done.state, done.counts["audience"], done.counts["sent"], done.counts["left"]) == (
        "done",
        12_946,
        12_946,
        0,
    )


def test_what_is_read_is_exactly_what_was_previewed_in_both_scripts(town: World) -> None:
    subscribe(town, ["ana"])
    subscribe(town, ["boris"], voice=Voice("sr", "cyrillic"))
    subscribe(town, ["john"], voice=Voice("en"))
    text = {"sr": "Bez vode ostaje {x} %s Gornji Kraj.", "en": "No water tomorrow."}
    previewed = dict(announce.preview(town.town, text, town.now))
    approved(town, text=text)
    sent(town)
    said = {body["broadcast_list"][0]: body["text"] for body in town.viber.broadcasts}
    assert said == {
        "ana": previewed[Voice("sr")],
        "boris": previewed[Voice("sr", "cyrillic")],
        "john": previewed[Voice("en")],
    }
    assert said["ana"] == "Bez vode ostaje {x} %s Gornji Kraj.\n\nZa odjavu pošaljite STOP."
    assert said["boris"].startswith("Без воде остаје")


def test_the_audience_is_topic_place_language_and_channel_and_each_person_once(town: World) -> None:
    subscribe(town, ["both"], settlement="primer")
    subscribe(town, ["both", "works"], topic="works")
    subscribe(town, ["upper"], settlement="gornji_kraj")
    subscribe(town, ["english"], voice=Voice("en"))
    assert written(town).receivers == {"viber": 4}
    assert written(town, topics=["works"]).receivers == {"viber": 2}
    assert written(town, settlements=["Gornji Kraj"], topics=["water"]).receivers == {"viber": 2}
    assert written(town, languages=["en"]).receivers == {"viber": 1}
    assert written(town, channels=["web"]).receivers == {}
    for wrong in ({"topics": ["x"]}, {"settlements": ["Beograd"]}, {"languages": ["bs"]}, {"channels": ["sms"]}):
        with pytest.raises(Refused):
            written(town, **wrong)


@pytest.mark.shows("B76")
@pytest.mark.parametrize(
    "text", [{}, {"sr": "  "}, {"sr": "a" * 1001}, {"bs": "x"}, {"sr": "replace_me_with_user_name"}]
)
def test_a_text_that_cannot_be_sent_is_refused(town: World, text: dict[str, str]) -> None:
    with pytest.raises(Refused):
        announce.draft(town.town, text, Audience(), 0, "staff:ana", town.now, soon())


@pytest.mark.shows("A25")
def test_above_the_bound_somebody_else_approves(town: World) -> None:
    subscribe(town, some(501))
    draft = written(town)
    with pytest.raises(NotNow, match="second_person"):
        announce.approve(town.town, draft.id, "staff:ana", town.now, soon(), proved=True)
    sent(town, 1)
    assert town.viber.broadcasts == []
    announce.approve(town.town, draft.id, "staff:boro", town.now, soon(), proved=True)
    sent(town)
    assert told(town, draft.id).counts["sent"] == 501


@pytest.mark.shows("A25")
def test_an_audience_that_grew_beyond_what_its_author_may_approve_waits_for_a_second_person(town: World) -> None:
    subscribe(town, some(400))
    later = int(town.now) + 3600
    draft = announce.draft(town.town, {"sr": TEXT}, Audience(), later, "staff:ana", town.now, soon())
    announce.approve(town.town, draft.id, "staff:ana", town.now, soon(), proved=True)
    subscribe(town, some(200))
    sent(town, 1)
    assert told(town, draft.id).state == "approved"
    town.now = later
    sent(town)
    assert (told(town, draft.id).state, told(town, draft.id).announcement.reason) == ("draft", "grown")
    assert town.viber.broadcasts == []


@pytest.mark.shows("F27", "F46")
def test_whoever_ended_it_after_the_cut_does_not_get_it(town: World) -> None:
    subscribe(town, ["stays", "leaves"])
    draft = written(town)
    announce.approve(town.town, draft.id, "staff:boro", town.now, soon(), proved=True)
    work_outbox.work(keys.outbox(town.slug, f"announce-{draft.id}-1"), town.now, soon())
    leaves = keys.person(town.account.id, "leaves")
    dynamo.transact([people.ended(town.slug, leaves, "water")], soon())
    sent(town)
    assert reached(town) == Counter(["stays"])
    counts = told(town, draft.id).counts
    assert (counts["audience"], counts["sent"], counts["skipped"], counts["left"]) == (2, 1, 1, 0)


@pytest.mark.shows("F27")
def test_whom_viber_could_not_reach_is_counted_by_reason(town: World) -> None:
    subscribe(town, ["here", "gone"])
    town.viber.broadcast_script = [
        {"status": 0, "failed_list": [{"receiver": "gone", "status": 6, "status_message": "Not subscribed"}]}
    ]
    done = told(town, _sent(town))
    assert (done.counts["sent"], done.counts["failed"], done.reasons) == (1, 1, {"not_subscribed": 1})


def _sent(world: World) -> str:
    identifier = approved(world)
    sent(world)
    return identifier


@pytest.mark.shows("F26")
def test_an_answer_lost_on_the_way_is_uncertain_and_never_sent_again_by_itself(town: World) -> None:
    subscribe(town, ["ana", "boris"])
    town.viber.broadcast_script = [DROP]
    identifier = _sent(town)
    sent(town)
    assert reached(town) == Counter(["ana", "boris"])
    shown = told(town, identifier)
    assert (shown.counts["uncertain"], shown.counts["sent"], shown.state) == (2, 0, "done")


@pytest.mark.shows("F26")
def test_two_receivers_who_report_the_same_call_settle_an_uncertain_page(town: World) -> None:
    subscribe(town, ["ana", "boris", "vera"])
    town.viber.broadcast_script = [DROP]
    identifier = _sent(town)
    assert take_receipt(town.account.id, "77", "ana", "delivered", town.now, soon())
    assert not take_receipt(town.account.id, "77", "stranger", "delivered", town.now, soon())
    take_receipt(town.account.id, "78", "boris", "delivered", town.now, soon())
    assert told(town, identifier).counts["uncertain"] == 3
    take_receipt(town.account.id, "77", "boris", "seen", town.now, soon())
    counts = told(town, identifier).counts
    assert (counts["uncertain"], counts["sent"], counts["delivered"], counts["seen"]) == (0, 3, 2, 1)


def test_a_person_may_have_an_uncertain_page_sent_again(town: World) -> None:
    subscribe(town, ["ana"])
    town.viber.broadcast_script = [503]
    identifier = _sent(town)
    assert told(town, identifier).counts["uncertain"] == 1
    announce.decide(town.town, identifier, 1, announce.RESEND, "staff:boro", town.now, soon())
    sent(town)
    assert reached(town) == Counter(["ana"])
    assert told(town, identifier).counts["sent"] == 1
    with pytest.raises(NotNow):
        announce.decide(town.town, identifier, 1, announce.RESEND, "staff:boro", town.now, soon())


@pytest.mark.shows("F27")
def test_receipts_are_counted_once_however_often_they_come(town: World) -> None:
    subscribe(town, ["ana", "boris"])
    identifier = _sent(town)
    page = told(town, identifier).pages[0]
    for event, citizen in (("delivered", "ana"), ("delivered", "ana"), ("seen", "ana"), ("failed", "boris")):
        assert take_receipt(town.account.id, page.token, citizen, event, town.now, soon())
    assert not take_receipt(town.account.id, "12345", "ana", "delivered", town.now, soon())
    counts = told(town, identifier).counts
    assert {name: counts[name] for name in ("sent", "delivered", "seen", "failed")} == {
        "sent": 1, "delivered": 1, "seen": 1, "failed": 1,
    }  # fmt: skip


def _reports(world: World, event: str, token: str, citizen: str) -> None:
    world.calls({"event": event, "timestamp": 1, "message_token": int(token), "user_id": citizen})


def test_what_phones_report_comes_through_vibers_door_one_read_and_one_write_each(town: World, meter: Meter) -> None:
    subscribe(town, ["ana", "boris"])
    identifier = _sent(town)
    page = told(town, identifier).pages[0]
    _reports(town, "delivered", page.token, "ana")
    meter.reset()
    for event, citizen in (("delivered", "boris"), ("seen", "ana"), ("failed", "boris")):
        _reports(town, event, page.token, citizen)
    assert meter.operations == ["dynamodb.GetItem", "dynamodb.UpdateItem"] * 3
    meter.reset()
    _reports(town, "delivered", "6999000000000000001", "ana")
    assert (meter.operations, meter.writes) == (["dynamodb.GetItem"], 0)
    counts = told(town, identifier).counts
    assert (counts["sent"], counts["delivered"], counts["seen"], counts["failed"]) == (2, 2, 1, 0)


def test_phones_that_report_before_the_call_is_marked_are_counted(town: World, monkeypatch: pytest.MonkeyPatch) -> None:
    subscribe(town, ["ana", "boris"])
    mark, seen = send_page._mark, []

    def reported(job: Any, after: Any, call: str = "") -> None:
        if call:
            seen.append(call)
            for citizen in ("ana", "boris"):
                _reports(town, "delivered", call, citizen)
        mark(job, after, call)

    monkeypatch.setattr(send_page, "_mark", reported)
    identifier = _sent(town)
    assert seen
    assert told(town, identifier).counts["delivered"] == 2


def test_a_process_that_heard_receipts_all_along_knows_of_a_new_announcement_before_its_first_page(
    town: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    rung: list[float] = []
    monkeypatch.setattr(announce.work_outbox.doorbell, "ring_row", lambda key, delay, deadline: rung.append(delay))
    subscribe(town, ["ana"])
    _reports(town, "delivered", "6999000000000000002", "ana")
    approved(town)
    assert rung == [LATELY_KEPT_SECONDS]
    town.now += LATELY_KEPT_SECONDS
    assert known_lately(town.account.id, town.now, soon()).any


@pytest.mark.shows("F11", "F27")
@pytest.mark.parametrize("refusal", [{"status": 12}, 429])
def test_a_page_viber_surely_did_not_take_is_tried_again(town: World, refusal: Any) -> None:
    subscribe(town, ["ana"])
    town.viber.broadcast_script = [refusal]
    assert told(town, _sent(town)).counts["sent"] == 1
    assert reached(town) == Counter(["ana"])


@pytest.mark.shows("F28")
def test_replies_and_pages_that_are_more_than_viber_takes_at_once_all_arrive_and_none_twice(
    town: World, quiet: World, measured: Measure
) -> None:
    people, guests = some(1500), [f"guest{number}" for number in range(9)]
    subscribe(town, people)
    window = town.viber.window = Window(calls=6, seconds=10, clock=lambda: town.now)
    identifier = approved(town)
    for guest in guests:
        town.calls(message(guest, "meni"))
    sent(town, rounds=12)
    assert window.refused > 0, "otherwise nothing would have been shown"
    assert reached(town) == Counter(people)
    assert told(town, identifier).counts["sent"] == len(people)
    assert [len(town.viber.texts(guest)) for guest in guests] == [1] * len(guests)
    measured("F28", f"{window.calls} calls taken in {window.seconds} s, {window.refused} refused: 0 lost, 0 doubled")


@pytest.mark.shows("F14", "F16", "F27")
@pytest.mark.parametrize("status", [23, 24, 20, 2])
def test_an_account_that_cannot_send_pauses_until_somebody_resumes(town: World, status: int) -> None:
    subscribe(town, some(700))
    town.viber.broadcast_script = [{"status": status}]
    identifier = _sent(town)
    shown = told(town, identifier)
    assert (shown.state, shown.counts["left"], len(town.viber.broadcasts)) == ("paused", 700, 0)
    announce.resume(town.town, identifier, "staff:boro", town.now, soon())
    sent(town)
    assert (told(town, identifier).state, told(town, identifier).counts["sent"]) == ("done", 700)
    assert set(reached(town).values()) == {1}


@pytest.mark.shows("F27")
def test_stop_works_between_pages(town: World) -> None:
    subscribe(town, some(900))
    draft = written(town)
    announce.approve(town.town, draft.id, "staff:boro", town.now, soon(), proved=True)
    work_outbox.work(keys.outbox(town.slug, f"announce-{draft.id}-1"), town.now, soon())
    work_outbox.work(keys.outbox(town.slug, f"announce_page-{draft.id}-1-1"), town.now, soon())
    announce.stop(town.town, draft.id, "staff:ana", town.now, soon())
    sent(town)
    counts = told(town, draft.id).counts
    assert (told(town, draft.id).state, counts["sent"], counts["left"]) == ("stopped", 300, 600)
    with pytest.raises(NotNow):
        announce.stop(town.town, draft.id, "staff:ana", town.now, soon())


def test_web_visitors_find_it_in_their_conversation_once(town: World) -> None:
    visitor = Visitor(town)
    visitor.says("zdravo")
    subscribe(town, [visitor.session, "never-wrote"], account=town.web)
    identifier = approved(town)
    sent(town)
    work_outbox.work(keys.outbox(town.slug, f"announce_page-{identifier}-1-1"), town.now, soon())
    conversation = town.conversation(visitor.session, town.web)
    assert conversation is not None
    said = [entry for entry in conversation.log if entry.say and entry.say.lines[0].key == "raw"]
    assert len(said) == 1
    counts = told(town, identifier).counts
    assert (counts["web"], counts["sent"], counts["failed"]) == (2, 1, 1)


def test_who_asks_for_news_reads_the_latest_announcements_for_two_questions(town: World) -> None:
    assert "Gornji Kraj" not in town.says("mira", "novosti")[0]
    subscribe(town, ["ana"])
    approved(town, topics=["water"], text={"sr": TEXT, "en": "No water tomorrow."})
    sent(town)
    meter = Meter()
    wire.taps.append(meter)
    (said,) = town.says("mira", "novosti")
    wire.taps.remove(meter)
    assert f"10. 3. 2026.\n{TEXT}" in said
    assert meter.operations[:4] == ["dynamodb.GetItem", "dynamodb.Query", "dynamodb.Query", "dynamodb.PutItem"]
    assert "Сутра од 8 до 14 часова" in town.says("boris", "новости")[0]
    assert "No water tomorrow." in town.says("john", "any news?")[0]


# --- killed anywhere --------------------------------------------------------------------------------------------

PEOPLE, AT_ONCE = 10, 4  # three pages
ROUNDS_MAX = 120


def _journey(world: World, breaker: Breaker | None) -> None:
    """Everything due is worked until nothing is, minute after minute, whatever breaks once."""
    if breaker:
        wire.taps.append(breaker)
    try:
        for _ in range(5):
            try:
                sweep(world.now)
            except (SalterError, Killed):
                world.warm()
            world.now += 100
    finally:
        if breaker:
            wire.taps.remove(breaker)


def _calls_of_a_journey(world: World) -> int:
    subscribe(world, some(PEOPLE))
    approved(world)
    counting = Breaker(10_000, "before", "fails")
    _journey(world, counting)
    return counting.calls


@pytest.fixture
def in_small_pages(town: World, quiet: World, monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setattr(rules, "PAGE_RECEIVERS_MAX", AT_ONCE)
    return town


@pytest.mark.shows("F1", "F26", "R4", "T2")
@pytest.mark.parametrize(("when", "how", "every"), WAYS)
def test_broken_at_any_call_nobody_gets_it_twice_and_whoever_may_have_missed_it_is_shown(
    in_small_pages: World, when: str, how: str, every: int
) -> None:
    calls = _calls_of_a_journey(in_small_pages)
    assert calls > 40
    for nth in range(1, calls + 1, every):
        in_small_pages.viber.broadcasts.clear()
        everybody = _only_these(in_small_pages)
        identifier = approved(in_small_pages)
        breaker = Breaker(nth, when, how)
        _journey(in_small_pages, breaker)
        got, shown = reached(in_small_pages), told(in_small_pages, identifier)
        assert set(got.values()) <= {1}, (nth, breaker.broke)
        missing = len(everybody) - len(got)
        assert missing <= shown.counts["uncertain"], (nth, breaker.broke, shown.counts)
        assert (shown.counts["left"], shown.state) == (0, "done"), (nth, breaker.broke, shown.counts)
        if not shown.counts["uncertain"]:
            assert got == Counter(everybody)
        assert shown.counts["uncertain"] <= AT_ONCE


class Mortal(Breaker):
    """Kills the process again and again, before and after a call took effect in turn, each life of another length; and
    at every kind of call the first time, so that none is left out whatever the lengths come to."""

    def before(self, call: wire.Call) -> None:
        self.calls += 1
        self._dies(len(self.seen) % 2 == 0, f"before {call.operation}")

    def after(self, call: wire.Call, reply: wire.Reply) -> None:
        self._dies(len(self.seen) % 2 == 1, f"after {call.operation}")

    def _dies(self, turn: bool, where: str) -> None:
        if turn and (self.calls >= self.nth or where not in self.seen):
            self.calls, self.nth = 0, 12 + 7 * len(self.seen) % 23
            self.seen.append(where)
            raise Killed


@pytest.mark.campaign
@pytest.mark.shows("F26", "R4", "T2")
def test_12946_people_get_it_once_though_the_worker_dies_again_and_again(
    town: World, quiet: World, measured: Measure
) -> None:
    everybody = some(12_946)
    subscribe(town, everybody)
    identifier = approved(town)
    deaths = Mortal(12, "", "")
    for _ in range(ROUNDS_MAX):
        with tapped(deaths), suppress(Killed):
            sweep(town.now)
        town.warm()
        town.now += 100
        if told(town, identifier).state == rules.DONE:
            break
    assert {"before broadcast_message", "after broadcast_message", "after PutItem"} <= set(deaths.seen)
    assert {"before TransactWriteItems", "after TransactWriteItems"} <= set(deaths.seen)
    doubtful = told(town, identifier)
    assert set(reached(town).values()) == {1}
    assert len(everybody) - len(reached(town)) <= doubtful.counts["uncertain"]
    _settled_by_phones_and_by_a_person(town, identifier)
    assert reached(town) == Counter(everybody)
    counts = told(town, identifier).counts
    assert (counts["sent"], counts["uncertain"], counts["left"]) == (len(everybody), 0, 0)
    unheard = sum(page.state == rules.UNCERTAIN for page in doubtful.pages)
    measured(
        "T2",
        f"killed {len(deaths.seen)} times while 12,946 were told: 0 twice, {unheard} pages settled after, 0 missed",
    )


def _settled_by_phones_and_by_a_person(world: World, identifier: str) -> None:
    """Two phones of each page that arrived report it; the pages nobody reports somebody has sent again."""
    for call, body in enumerate(world.viber.broadcasts, 7_000_000):
        for citizen in body["broadcast_list"][:2]:
            take_receipt(world.account.id, str(call), citizen, "delivered", world.now, soon())
    for page in told(world, identifier).pages:
        if page.state == rules.UNCERTAIN:
            announce.decide(world.town, identifier, page.n, announce.RESEND, "staff:boro", world.now, soon())
    sent(world)


def _only_these(world: World) -> list[str]:
    """The same people each time: subscribed once, they are asked for again and again."""
    return [item["citizen"] for item in people.subscribers(world.slug, "water", "", soon())]
