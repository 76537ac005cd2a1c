"""Every door by how much a request may bring and by what requests are counted, made from the table of routes itself.

A route without either cannot be made (`app.Doors.route`); here each is asked with more than it takes, and more often.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from chalice.test import Client

import app
from chalicelib import bounds
from chalicelib.actions import pace, web_pace
from chalicelib.dialogue import flood
from chalicelib.storage.pace import Bucket
from tests.integrations.system import System
from tests.meter import Meter
from tests.shows import Measure
from tests.taps import tapped
from tests.viber import callback, message
from tests.world import World

ROUTES = sorted((method, path) for path, methods in app.app.routes.items() for method in methods)
A_FEW = Bucket(burst=3, per_second=0.001)


@pytest.fixture
def meter() -> Iterator[Meter]:
    with tapped(Meter()) as tap:
        yield tap


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Three requests for everybody."""
    for module, name in ((web_pace, "ADDRESS"), (web_pace, "CROWD"), (pace, "BUCKET")):
        monkeypatch.setattr(module, name, A_FEW)
    _forget()
    yield
    _forget()


def _forget() -> None:
    web_pace.forget()
    pace.forget()


@pytest.mark.shows("T5")
def test_no_route_can_be_made_without_a_pace_and_a_size() -> None:
    for said in ({}, {"pace": bounds.CROWD}, {"most": 1}, {"pace": "whatever", "most": 1}):
        with pytest.raises((TypeError, ValueError)):
            app.app.route("/new", **said)
    assert ("GET", "/new") not in {(method, path) for method, path in ROUTES}


@pytest.mark.shows("T5")
def test_what_is_larger_than_a_route_takes_is_refused_before_anything_is_looked_up(
    town: World, meter: Meter, measured: Measure
) -> None:
    meter.reset()
    sizes = set()
    for method, path in ROUTES:
        most = app.app.held_to[path, method][1]
        status, headers, body = _asks(town, method, path, b"x" * (most + 1))
        assert status == 413, (method, path)
        assert (
            str(most // 1024) in body or str(most // 2**20) in body or headers["Content-Type"].startswith("text/html")
        )
        sizes.add(most)
    assert (meter.operations, town.viber.sent) == ([], []), "not one request to anybody"
    for method, path in ROUTES:
        status, _, _ = _asks(town, method, path, b"x" * app.app.held_to[path, method][1])
        assert status != 413, (method, path)
    measured(
        "T5", f"{len(ROUTES)} doors, each with one byte more than it takes: 413 and 0 requests; {len(sizes)} sizes"
    )


@pytest.mark.shows("T5")
def test_whoever_asks_any_route_too_often_is_told_when_to_come_again(
    town: World, meter: Meter, few: None, measured: Measure
) -> None:
    counted = dict.fromkeys(bounds.PACES, 0)
    for method, path in ROUTES:
        kind = app.app.held_to[path, method][0]
        counted[kind] += 1
        if kind == bounds.PERSON:
            continue  # below: their words are answered, then not
        _forget()
        key = System(town.slug).token  # a key of its own: its bucket is full
        answers = [_asks(town, method, path, b"", key) for _ in range(A_FEW.burst)]
        assert all(status != 429 for status, _, _ in answers), (method, path)
        meter.reset()
        status, headers, _ = _asks(town, method, path, b"", key)
        assert status == 429 and int(headers["Retry-After"]) > 0, (method, path, status)
        assert kind == bounds.SYSTEM or meter.operations == [], (method, path)
        assert meter.writes == 0, (method, path)
    assert all(counted.values())
    measured("T5", f"doors counted by {', '.join(f'{kind} ({many})' for kind, many in counted.items())}: 429, 0 writes")


@pytest.mark.shows("T5")
def test_a_route_counted_by_person_answers_the_first_messages_and_then_no_more(town: World) -> None:
    """Viber is never told to come again: it would repeat what nobody wants."""
    doors = [(method, path) for method, path in ROUTES if app.app.held_to[path, method][0] == bounds.PERSON]
    assert doors == [("POST", "/viber/{account}")]
    before = len(town.viber.sent)
    for number in range(flood.BURST + 20):
        signed = callback(town.token, message("often", f"radno vreme {number}"))
        assert _sends("POST", f"/viber/{town.slug}", signed.headers, signed.body)[0] == 200
    last = len(town.viber.sent)
    assert last - before <= 2 * flood.BURST
    signed = callback(town.token, message("often", "radno vreme"))
    assert _sends("POST", f"/viber/{town.slug}", signed.headers, signed.body)[0] == 200
    assert len(town.viber.sent) == last


# --- parts ------------------------------------------------------------------------------------------------------


def _asks(town: World, method: str, path: str, body: bytes, key: str = "") -> tuple[int, dict[str, str], str]:
    at = path.replace("{tenant}", town.slug).replace("{account}", town.slug)
    at = at.replace("{resource}/{item}", "requests/x.json").replace("{resource}", "requests.json")
    for hole in app.app.routes[path][method].view_args:
        at = at.replace(f"{{{hole}}}", "x")
    kind = (
        "application/x-www-form-urlencoded" if method == "POST" and path.startswith("/open311/") else "application/json"
    )
    return _sends(method, at, {"Authorization": f"Bearer {key}", "Content-Type": kind}, body)


def _sends(method: str, path: str, headers: dict[str, str], body: bytes) -> tuple[int, dict[str, str], str]:
    with Client(app.app) as client:
        response = client.http.request(method, path, headers={"Host": "salter.example"} | headers, body=body)
    return response.status_code, dict(response.headers), response.body.decode("utf-8", "replace")
