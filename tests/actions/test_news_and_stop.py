"""What is sent unasked: subscribed by choice, on record, ended by STOP, by leaving, and taken up again by START."""

from __future__ import annotations

from typing import Any

import pytest

from chalicelib.storage import consents, dynamo, keys, people, tables
from chalicelib.wire import Deadline
from tests.meter import Meter
from tests.web import Visitor
from tests.world import World

NEWS = """  - id: news
    kind: news
    page: https://primer.example/vesti
    topics:
      - {id: water, title: {sr: Nestanak vode, en: Water cuts}, words: [voda, vode, vodom, water]}
      - {id: works, title: {sr: Radovi na putu, en: Road works}, words: [radovi, radovima, put, road]}
"""


@pytest.fixture
def town(world: World) -> World:
    world.offers(NEWS)
    return world


def _soon() -> Deadline:
    return Deadline(40)


def _records(world: World, citizen: str = "mira", account: Any = None) -> list[dynamo.Item]:
    return people.records(world.slug, keys.person((account or world.account).id, citizen), world.now, _soon())


def _agreed(world: World, citizen: str = "mira") -> None:
    consent = consents.Consent(consents.CASES, True, int(world.now) - 60, "viber", "citizen", "consent_ask.1")
    consents.record(world.slug, keys.person(world.account.id, citizen), consent, _soon())


def _audience(world: World, topic: str) -> list[tables.Person]:
    return list(tables.Person.audience_index.query(keys.audience(world.slug, topic)))


@pytest.mark.shows("D5")
def test_writing_to_the_bot_subscribes_nobody(town: World) -> None:
    town.says("mira", "zdravo")
    town.says("mira", "novosti")
    assert _records(town) == []


def test_a_wish_in_own_words_asks_for_the_place_and_stands_where_announcements_look(town: World) -> None:
    (asked,) = town.says("mira", "Javljajte mi o nestanku vode")
    assert asked.startswith("Za koje mesto?")
    (said,) = town.says("mira", "Gornji Kraj")
    assert "Prijavljeni ste: Nestanak vode (Gornji Kraj)" in said
    assert "STOP" in said
    (row,) = _audience(town, "water")
    assert (row.account, row.citizen, row.language, row.script) == (town.account.id, "mira", "sr", "latin")
    assert row.audience_sort == f"gornji_kraj#sr#{keys.person(town.account.id, 'mira')}"
    consent, subscription = _records(town)
    assert (consent["sk"].split("#")[1], consent["given"], consent["channel"], consent["by"]) == (
        "news.water", True, "viber", "citizen",
    )  # fmt: skip
    assert consent["wording"] == "news_on.1"
    assert subscription["sk"] == "SUB#water"


@pytest.mark.shows("D5", "F46")
def test_stop_ends_announcements_at_once_and_asks_apart_about_own_cases(town: World) -> None:
    _agreed(town)
    for choice in ("news.on.water.all", "news.on.works.all"):
        town.says("mira", f"~1:{choice}")
    town.now += 60
    (said,) = town.says("mira", "STOP")
    assert "Odjavljeni ste: Nestanak vode, Radovi na putu" in said
    assert "Obaveštenja o Vašim predmetima i dalje stižu" in said
    assert _audience(town, "water") == _audience(town, "works") == []
    assert people.read(_records(town)).consents == {"cases": True, "news.water": False, "news.works": False}
    town.now += 60
    (ended,) = town.says("mira", "~1:consent.end_cases")
    assert "Ni o predmetima" in ended and "START" in ended
    assert not consents.is_live(town.slug, keys.person(town.account.id, "mira"), consents.CASES, _soon())
    wordings = [item["wording"] for item in _records(town) if item["sk"].startswith("CONSENT#cases")]
    assert wordings == ["consent_ask.1", "stop.1"]


def test_start_takes_up_only_what_is_chosen(town: World) -> None:
    _agreed(town)
    town.says("mira", "~1:news.on.water.all")
    town.now += 60
    town.says("mira", "stop")
    town.says("mira", "~1:consent.end_cases")
    town.now += 60
    (offered,) = town.says("mira", "START")
    assert "Šaljemo samo ono što izaberete" in offered
    assert people.read(_records(town)).subscriptions == {}
    town.says("mira", "~1:consent.start_cases")
    standing = people.read(_records(town))
    assert (standing.subscriptions, standing.consents["cases"]) == ({}, True)


def test_whoever_leaves_the_bot_has_ended_everything(town: World) -> None:
    _agreed(town)
    town.says("mira", "~1:news.on.water.all")
    town.now += 60
    town.calls({"event": "unsubscribed", "timestamp": 1, "user_id": "mira", "message_token": 77})
    standing = people.read(_records(town))
    assert (standing.subscriptions, standing.consents) == ({}, {"cases": False, "news.water": False})
    assert [item["wording"] for item in _records(town) if not item.get("given")] == ["left.1", "left.1"]


def test_a_turn_that_subscribes_costs_one_question_and_one_transaction(town: World, meter: Meter) -> None:
    town.says("mira", "zdravo")
    meter.reset()
    town.says("mira", "~1:news.on.water.all")
    assert meter.operations[:3] == ["dynamodb.GetItem", "dynamodb.Query", "dynamodb.TransactWriteItems"]


def test_a_town_without_news_has_stop_all_the_same(world: World) -> None:
    visitor = Visitor(world)
    (said,) = visitor.says("Stop obaveštenja")
    assert "Niste prijavljeni ni na jedno obaveštenje" in said["text"]
    assert "START" in said["text"]
    (nothing,) = visitor.says("START")
    assert "Sve što može da se uključi već je uključeno" in nothing["text"]


def test_words_the_bot_asks_to_send_change_neither_language_nor_script(world: World) -> None:
    visitor = Visitor(world)
    visitor.says("Добар дан")
    assert "Нисте пријављени" in visitor.says("STOP")[0]["text"]
    assert "Све што може да се укључи" in visitor.says("START")[0]["text"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Unsubscribe", "nothing to stop"),
        ("Keine Nachrichten mehr, abmelden", "nichts abzuschalten"),
        ("Ndal", "nuk ka çfarë"),
    ],
)
def test_stop_is_understood_in_every_language(world: World, text: str, expected: str) -> None:
    visitor = Visitor(world, language={"U": "en", "K": "de", "N": "sq"}[text[0]])
    assert expected in visitor.says(text)[0]["text"]


def test_subscriptions_are_each_towns_own(town: World, viber: Any) -> None:
    town.says("mira", "~1:news.on.water.all")
    assert people.standing("drugi", keys.person(town.account.id, "mira"), town.now, _soon()).subscriptions == {}
