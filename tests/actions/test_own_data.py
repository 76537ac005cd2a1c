"""One's own data: shown, handed over as files, and erased so that nothing but what the law keeps is found anywhere."""

from __future__ import annotations

import json
import os
import time
import urllib.request
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest

from chalicelib.actions import erase, export, reply_as_operator, sweep
from chalicelib.actions.change_case import change_case
from chalicelib.actions.owe import Unreachable, owe
from chalicelib.cases.lifecycle import Event
from chalicelib.model import Account, Case, Entry, Follower, Happening, Line, SalterError, Say, Staff, Voice, Volunteer
from chalicelib.storage import aws, consents, dynamo, keys, outbox, people, thread, volunteers
from chalicelib.storage.cases import CaseStore
from chalicelib.storage.conversations import ConversationStore
from chalicelib.storage.dynamo import transact
from chalicelib.wire import Deadline
from tests import dump
from tests.faults.breaking import WAYS, Breaker, Killed
from tests.shows import Measure
from tests.taps import tapped
from tests.web import Visitor
from tests.world import NOON, World

pytestmark = pytest.mark.early

LINE = "  - {id: operator, kind: operator, office: biro, hours: {weekdays: '08:00-15:00'}, shows: role}\n"
NEWS = "  - {id: news, kind: news, topics: [{id: water, title: {sr: Nestanak vode}}]}\n"
ANA = Staff("", "ana@primer.local", "ana1", "operator", name="Ana")
NAME, PHONE = "Miroslava Karanfilović", "+381641234567"


@pytest.fixture
def town(world: World) -> World:
    world.offers(LINE + NEWS)
    return world


def _soon() -> Deadline:
    return Deadline(60)


def _sweep(world: World, seconds: float = 1) -> None:
    world.now += seconds
    sweep.sweep(world.now)


def _everything() -> list[tuple[str, str]]:
    """Every item of every table and every key of the bucket: (where, text)."""
    return [*dump.items(), *dump.objects()]


def _where(*traces: str) -> list[str]:
    """Where any of these stands."""
    return [where for where, text in _everything() if any(trace in text for trace in traces)]


def _files_a_problem(world: World, account: Account, citizen: str) -> Case:
    """A report with a name, a phone, words of all kinds, and a history."""
    owner = Follower(account.id, citizen)
    case = Case(
        world.slug, f"PR-{os.urandom(2).hex().upper()}-AAA", "problem", "received", "Buka", int(NOON), int(NOON),
        category="noise", office="biro", voice=Voice("sr"), owner=owner, followers=(owner,), consent=True,
        fields={"description": f"Buka kod broja 7, zovite {NAME} na {PHONE} ili mira@primer.rs"},
        applicant={"name": NAME, "phone": PHONE}, sealed={"jmbg": "zapečaćeno"}, access_hash="abc",
        history=(
            Happening(int(NOON), "opened", "received", "citizen", public=True),
            Happening(int(NOON), "note", "received", "staff:x", f"{NAME} se javila sa {PHONE}"),
        ),
    )  # fmt: skip
    CaseStore(world.slug).add(case, _soon())
    return case


def _lives(world: World, account: Account, citizen: str, says: Any) -> tuple[Case, Case]:
    """Somebody who has done everything one can do here; the report and the town's own file."""
    says("Dobar dan, ja sam " + NAME)
    report = _files_a_problem(world, account, citizen)
    own = Case(
        world.slug, f"PR-{os.urandom(2).hex().upper()}-EEE", "administrative", "in_progress", "Predmet", int(NOON),
        int(NOON), number=f"{citizen[:4]}-7/26", owner=Follower(account.id, citizen), consent=True,
        applicant={"name": "Stranka iz pisarnice"},
        history=(Happening(int(NOON), "opened", "received", "api:dms"),),
    )  # fmt: skip
    CaseStore(world.slug).add(own, _soon())
    consent = consents.Consent(consents.CASES, True, int(NOON), account.channel, "citizen", "consent_ask.1")
    consents.record(world.slug, keys.person(account.id, citizen), consent, _soon())
    return report, own


def test_what_is_kept_is_told_in_words(town: World) -> None:
    visitor = Visitor(town)
    _lives(town, town.web, visitor.session, visitor.says)
    (said,) = visitor.says("Šta znate o meni?")
    for part in ("30 dana", "2 predmeta (PR-", "Prijave na obaveštenja: nema ih", "predmetima: data"):
        assert part in said["text"]
    assert [choice["id"] for choice in said["choices"]][:2] == ["my_data.export", "my_data.delete"]


@pytest.mark.shows("D2", "R10")
def test_the_copy_holds_everything_in_two_files_behind_links_that_end(town: World) -> None:
    visitor = Visitor(town)
    report, own = _lives(town, town.web, visitor.session, visitor.says)
    visitor.chooses("news.on.water.all")
    visitor.says("operater")
    visitor.says("Imam pitanje za službu")
    visitor.says("kraj")
    (soon,) = visitor.says("Hoću kopiju svojih podataka")
    assert "Pripremamo datoteku" in soon["text"]
    _sweep(town)
    readable, data = visitor.fetches(soon["id"])
    assert "Veza važi do 13:00" in readable["text"]
    text = urllib.request.urlopen(readable["link"]["url"]).read().decode()
    everything = json.loads(urllib.request.urlopen(data["link"]["url"]).read())
    for part in (NAME, PHONE, report.reference, own.reference, "Imam pitanje za službu", "news.water", "consent_ask.1"):
        assert part in text
        assert part in json.dumps(everything, ensure_ascii=False)
    assert everything["conversation"]["id"] == visitor.session
    assert "zapečaćeno" not in json.dumps(everything, ensure_ascii=False)
    assert "se javila" not in text  # the office's own note
    under = aws.list_objects(
        os.environ["SALTER_MEDIA_BUCKET"], keys.exports(town.slug, keys.person(town.web.id, visitor.session)), _soon()
    )
    assert len(under) == 2
    _sweep(town, 3700)
    assert [key for where, key in _everything() if where.startswith("bucket") and key in under] == []


@pytest.mark.campaign
@pytest.mark.shows("D2", "D3", "R10")
def test_ten_thousand_things_of_one_person_are_all_in_the_copy_in_minutes_and_all_erased(
    town: World, measured: Measure
) -> None:
    """2,000 reports with three entries each, one with a long history, and 4,000 words of a thread."""
    town.says("mira", "Dobar dan")
    owner = Follower(town.account.id, "mira")
    person, store, rows = keys.person(owner.account, owner.citizen), CaseStore(town.slug), []
    entries = tuple(
        Happening(int(NOON) + at, "note", "received", "staff:x", f"Javno {at}", public=True) for at in range(3)
    )
    for number in range(2000):
        case = Case(
            town.slug, f"PR-{number:04d}-AAA", "problem", "received", f"Rupa {number}", int(NOON) - number, int(NOON),
            category="road", office="biro", voice=Voice("sr"), owner=owner, followers=(owner,), consent=True,
            history=entries * (12 if number == 7 else 1),
        )  # fmt: skip
        rows += [write.item for write in store.items_for_new(case, _soon())]
    dynamo.batch_write("cases", rows, (), _soon())
    said = [Entry(at, int(NOON), "citizen", "x", f"reč {at}") for at in range(1, 4001)]
    parts = [thread.item(town.slug, person, said[at : at + 4], town.now).item for at in range(0, len(said), 4)]
    dynamo.batch_write(thread.TABLE, parts, (), _soon())
    began = time.perf_counter()
    conversation = town.conversation("mira")
    assert conversation is not None
    everything = export.everything(town.town, conversation, town.now, Deadline(300))
    text = export.readable(town.town, Voice("sr"), everything)
    seconds = time.perf_counter() - began
    assert len(everything["cases"]) == 2000 and all(f"PR-{number:04d}-AAA" in text for number in range(2000))
    assert {len(case["history"]) for case in everything["cases"]} == {3, 36}
    assert [one["text"] for one in everything["thread"]] == [entry.text for entry in said]
    assert seconds < 300
    measured("D2", f"2,000 reports, 6,033 entries of history, 4,000 words of a thread: copied whole in {seconds:.1f} s")
    erase.work(
        {"account": owner.account, "citizen": owner.citizen, "at": int(town.now) + 1},
        town.slug,
        town.now,
        Deadline(300),
    )
    assert store.every_own(person, _soon()) == [] and thread.whole(town.slug, person, town.now, _soon()) == ()
    kept = [
        place for place, text in dump.items() if place.startswith("cases") and town.slug in place and "mira" in text
    ]
    assert kept == []


def test_the_copy_reaches_viber_as_messages_with_links(town: World) -> None:
    town.says("mira", "Dobar dan")
    town.says("mira", "Hoću kopiju svojih podataka")
    _sweep(town)
    assert any("Veza važi do" in text and "http" in text for text in town.viber.texts("mira"))


def test_deleting_is_asked_once_and_an_old_button_alone_deletes_nothing(town: World) -> None:
    visitor = Visitor(town)
    visitor.says("Dobar dan")
    (asked,) = visitor.chooses("my_data.delete.yes")
    assert "Da li da obrišemo" in asked["text"]
    assert len(visitor.fetches()) > 2
    (done,) = visitor.chooses("my_data.delete.yes")
    assert "Obrisano" in done["text"]


@pytest.mark.shows("D3", "R10")
@pytest.mark.parametrize("channel", ["web", "viber"])
def test_after_deleting_nothing_of_the_person_is_found_anywhere(town: World, channel: str) -> None:
    if channel == "web":
        visitor = Visitor(town)
        account, citizen, says = town.web, visitor.session, visitor.says

        def press(choice: str) -> Any:
            return visitor.chooses(choice)
    else:
        account, citizen = town.account, f"mira{os.urandom(4).hex()}"

        def says(text: str) -> Any:
            return town.says(citizen, text)

        def press(choice: str) -> Any:
            return town.says(citizen, f"~1:{choice}")

    report, own = _lives(town, account, citizen, says)
    followed = _files_a_problem(town, account, "neko-drugi")
    press("news.on.water.all")
    says("operater")
    says(f"Ja sam {NAME}, moj broj je {PHONE}")
    person, store = keys.person(account.id, citizen), CaseStore(town.slug)
    chat = next(case for case in store.own(person, _soon()) if case.kind == "chat")
    follower = Follower(account.id, citizen)
    follows = people.following(town.slug, person, followed.reference, town.now)
    store.save(replace(followed, followers=(follower,), v=1), _soon(), [follows])
    for verb, more in ((reply_as_operator.take_over, ()), (reply_as_operator.answer, (f"Dobar dan, {NAME}",))):
        verb(town.town, chat.reference, ANA, *more, now=town.now, holder="h", deadline=_soon())  # type: ignore[operator]
    says("kraj")
    outbox.write_dead(town.slug, os.urandom(4).hex(), "parked", {"text": NAME}, "x", town.now, _soon(),
                      account=account.id, citizen=citizen)  # fmt: skip
    helper = Volunteer(f"V-{os.urandom(3).hex()}", NAME, follower, phone=PHONE, areas=("Primer",))
    transact(volunteers.items(town.slug, helper, town.now), _soon())
    town.now += 10
    says("Obriši moje podatke")
    last = press("my_data.delete.yes")
    assert "Obrisano" in str(last)
    _sweep(town)
    _sweep(town, 90)
    _sweep(town, 1)
    traces = _where(citizen, NAME, PHONE, "Miroslava", "641234567", "mira@primer.rs")
    traces = [where for where in traces if town.slug in where]  # other tests have people of the same name
    assert volunteers.everyone(town.slug, town.now, _soon()) == []
    # The other person's own report, and for one day the empty entry that answers a repeat alike.
    other = CaseStore(town.slug).load(followed.reference, _soon())
    assert other is not None and other.followers == ()
    mine = [where for where in traces if followed.reference not in where]
    assert mine == [f"conversations A#{account.id}#U#{citizen} NOW"]
    left = ConversationStore(account).load(citizen, town.now, _soon())
    assert left is not None and not left.subscribed and len(left.log) == 2
    assert left.log[0].text == "[my_data.delete.yes]"
    assert ConversationStore(account).load(citizen, town.now + 86400, _soon()).town == ""  # type: ignore[union-attr]
    _what_the_law_keeps(town, account, citizen, report, own, chat)


def _what_the_law_keeps(town: World, account: Account, citizen: str, report: Case, own: Case, chat: Case) -> None:
    store = CaseStore(town.slug)
    problem, file, talk = (store.load(case.reference, _soon()) for case in (report, own, chat))
    assert problem and file and talk
    assert (problem.status, problem.category, problem.owner, dict(problem.applicant)) == ("received", "noise", None, {})
    assert "Buka kod broja 7" in problem.fields["description"]
    assert problem.history[1].note == "se javila sa"
    assert (file.owner, file.consent, file.applicant["name"]) == (None, False, "Stranka iz pisarnice")
    assert (talk.status, dict(talk.fields), talk.owner) == ("withdrawn", {}, None)
    records = people.records(town.slug, keys.person(account.id, citizen), town.now, _soon())
    assert {item["sk"].split("#")[1] for item in records} == {"cases", "news.water"}
    assert all(item["exp"] > town.now + 2 * 365 * 86400 for item in records)
    assert people.read(records).consents == {"cases": False, "news.water": False}


def test_nothing_owed_before_is_sent_afterwards_and_nobody_may_write_first(town: World) -> None:
    town.says("mira", "Dobar dan")
    report = _files_a_problem(town, town.account, "mira")
    town.viber.otherwise = 500
    town.says("mira", "Kako da dobijem izvod iz matične knjige rođenih?")
    town.says("mira", "Obriši moje podatke")
    town.says("mira", "~1:my_data.delete.yes")
    town.viber.otherwise = None
    town.now += 120
    _sweep(town)
    assert [text for text in town.viber.texts("mira")[1:] if "Obrisano" not in text] == []
    _sweep(town, 120)
    change_case(
        town.town, report.reference, Event(int(town.now), "staff:x", status="in_progress"), town.now, "h", _soon()
    )
    with pytest.raises(Unreachable):
        owe(town.account, "mira", Say((Line("thanks"),)), "bot", town.now, "h", _soon())


def test_whoever_comes_back_begins_afresh_and_keeps_what_they_do_then(town: World) -> None:
    town.says("mira", "Dobar dan")
    town.says("mira", "Obriši moje podatke")
    town.says("mira", "~1:my_data.delete.yes")
    _sweep(town)
    town.says("mira", "Dobar dan opet")
    town.says("mira", "~1:news.on.water.all")
    _sweep(town, 120)
    assert people.standing(town.slug, keys.person(town.account.id, "mira"), town.now, _soon()).subscriptions == {
        "water": ""
    }
    conversation = town.conversation("mira")
    assert conversation is not None and conversation.subscribed


def test_the_same_confirmation_repeated_is_answered_alike_and_deletes_once(town: World) -> None:
    visitor = Visitor(town)
    visitor.says("Dobar dan")
    visitor.says("Obriši moje podatke")
    first = visitor.posts(id="once", type="choice", choice="my_data.delete.yes")
    again = visitor.posts(id="once", type="choice", choice="my_data.delete.yes")
    assert first == again
    rows = [
        where for where, text in _everything() if where.startswith(f"outbox T#{town.slug}") and "kind=erase" in text
    ]
    assert len(rows) == 1


@pytest.mark.shows("D4")
@pytest.mark.parametrize(("when", "how", "every"), WAYS)
def test_killed_anywhere_the_erasing_goes_on_where_it_stopped(
    town: World, quiet: World, when: str, how: str, every: int, measured: Measure
) -> None:
    people = dict[str, Breaker]()
    while not people or list(people.values())[-1].broke:
        breaker = Breaker(1 + every * len(people), when, how)
        citizen = f"mira{os.urandom(4).hex()}"
        people[citizen] = breaker
        _is_erased(town, citizen, breaker)
    left = [where for where in _where(*people, NAME, PHONE, "Miroslava") if town.slug in where]
    assert sorted(left) == sorted(f"conversations A#{town.account.id}#U#{citizen} NOW" for citizen in people)
    assert len(people) > 5
    measured("D4", f"{len(people) - 1} calls of an erasure broken ({when}, {how}): 0 left of each")


def _is_erased(town: World, citizen: str, breaker: Breaker) -> None:
    town.says(citizen, f"Ja sam {NAME}")
    report = _files_a_problem(town, town.account, citizen)
    town.says(citizen, "Obriši moje podatke")
    town.says(citizen, "~1:my_data.delete.yes")
    with tapped(breaker), suppress(SalterError, Killed):
        _sweep(town)
    town.warm()
    for _ in range(3):
        _sweep(town, 100)
    case = CaseStore(town.slug).load(report.reference, _soon())
    assert case is not None and case.owner is None and not case.applicant, (breaker.nth, breaker.broke)
