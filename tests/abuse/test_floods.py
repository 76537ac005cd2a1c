"""Floods: by one person, by five hundred invented visitors, by one machine. Others do not pay for them."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator

import pytest
from chalice.test import Client

import app
from chalicelib.actions import clock, our_links, web_chat, web_pace
from chalicelib.channels import Request
from chalicelib.channels.web import token as tokens
from chalicelib.dialogue import flood
from chalicelib.model import TooMany
from chalicelib.storage.pace import Bucket
from tests.meter import Meter
from tests.shows import Measure
from tests.web import Visitor
from tests.world import World

A_DAY = 100


@pytest.fixture
def small(world: World) -> World:
    """A town whose chat takes little."""
    world.town.core["web"]["daily_messages"] = A_DAY
    return world


@pytest.fixture(autouse=True)
def unknown() -> Iterator[None]:
    web_pace.forget()
    yield
    web_pace.forget()


@pytest.mark.campaign
@pytest.mark.shows("A1")
def test_of_a_thousand_messages_in_ten_seconds_few_are_answered_and_one_warns(
    world: World, meter: Meter, measured: Measure
) -> None:
    began = world.now
    world.says("jovo", "zdravo")
    meter.reset()
    for number in range(1000):
        world.now = began + number / 100
        world.says("mira", f"zdravo {number}")
    answers = world.viber.texts("mira")
    assert len(answers) <= flood.BURST
    warned = sum("Sačekajte minut" in text for text in answers)
    assert warned == 1
    units = meter.reads + meter.writes
    assert world.says("jovo", "zdravo opet"), "somebody else is answered"
    measured(
        "A1", f"1,000 messages in 10 s: {len(answers)} answers, the last of them the polite line, {units:.0f} units"
    )


@pytest.mark.shows("A2")
def test_five_hundred_invented_visitors_cost_a_town_no_more_than_its_day(
    small: World, meter: Meter, measured: Measure
) -> None:
    town, key = small.slug, our_links.key(web_chat.Deadline(5))
    meter.reset()
    answered, refused = 0, []
    for number in range(500):
        before = meter.reads + meter.writes
        token = tokens.issue(tokens.Session(town, f"{number:024x}", int(time.time())), key)
        body = json.dumps({"id": "1", "type": "text", "text": "zdravo"}).encode()
        try:
            web_chat.post_message(town, Request(body, {"authorization": f"Bearer {token}"}, {}), small.now)
            answered += 1
        except TooMany as error:
            assert error.status == 429 and error.after_seconds > 0
            refused.append(meter.reads + meter.writes - before)
    assert A_DAY <= answered <= A_DAY + web_pace.HANDFUL
    assert refused[0] <= 1, "the look that finds nothing left"
    assert set(refused[1:]) == {0.0}
    assert small.says("mira", "zdravo"), "on Viber the town goes on"
    measured("A2", f"500 invented visitors, {A_DAY} a day: {answered} answered, {len(refused)} refused at 0 units each")
    small.now += 86400
    assert Visitor(small).says("zdravo"), "and the next day on the web, too"


@pytest.mark.shows("A2")
def test_danger_is_heard_when_the_day_is_used_up(small: World) -> None:
    visitor = Visitor(small)
    with pytest.raises(TooMany):
        for _ in range(3 * A_DAY):
            web_pace.by_town(small.town, small.now, web_chat.Deadline(5))
    with pytest.raises(TooMany):
        visitor.says("zdravo")
    assert "193" in visitor.says("Upomoć, gori kuća!")[0]["text"]


@pytest.mark.shows("A2")
def test_one_machine_is_slowed_down_before_anything_is_looked_up(
    world: World, meter: Meter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clock, "now", lambda: world.now)
    monkeypatch.setattr(web_pace, "ADDRESS", Bucket(burst=5, per_second=0.5))

    def opens() -> int:
        with Client(app.app) as client:
            return client.http.post(f"/chat/{world.slug}/sessions", body=b"{}").status_code

    monkeypatch.setattr(app, "request", lambda asked=app.request: _from("192.0.2.7", asked()))
    assert [opens() for _ in range(7)] == [201] * 5 + [429] * 2
    meter.reset()
    assert opens() == 429 and meter.operations == []
    monkeypatch.setattr(app, "request", lambda: Request(b"{}", {}, {}, "192.0.2.8"))
    assert opens() == 201, "another address is not"
    world.now += 4
    monkeypatch.setattr(app, "request", lambda: Request(b"{}", {}, {}, "192.0.2.7"))
    assert opens() == 201, "and after a while it is let in again"


@pytest.mark.shows("A2")
def test_what_is_not_from_a_town_s_own_page_or_not_signed_costs_nothing(world: World, meter: Meter) -> None:
    meter.reset()
    with Client(app.app) as client:
        foreign = {"Origin": "https://evil.example"}
        assert client.http.post(f"/chat/{world.slug}/sessions", headers=foreign, body=b"{}").status_code == 403
        for bearer in ("", "Bearer x", "Bearer e30.e30", f"Bearer {'x' * 5000}"):
            headers = {"Authorization": bearer, "Content-Type": "application/json"}
            body = json.dumps({"id": "1", "type": "text", "text": "zdravo"}).encode()
            assert client.http.post(f"/chat/{world.slug}/messages", headers=headers, body=body).status_code == 401
    assert meter.operations == []


def test_the_memory_of_addresses_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(web_pace, "ADDRESSES_REMEMBERED_MAX", 10)
    for number in range(100):
        web_pace.by_address(f"192.0.2.{number}", 0.0)
    assert len(web_pace._addresses) <= 10


def _from(source: str, asked: Request) -> Request:
    return Request(asked.body, asked.headers, asked.query, source)
