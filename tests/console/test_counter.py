"""The counter: a paper case, its slip, another slip, and how it ends up in the applicant's chat."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest

from chalicelib.actions import clock
from chalicelib.storage import audit, consents, keys
from chalicelib.storage.cases import CaseStore
from chalicelib.wire import Deadline
from tests.console.desk import Desk, Shown
from tests.integrations.system import System
from tests.web import Visitor
from tests.world import World

SOON = Deadline(1e6)
PAPER = {
    "number": "17/14-100/26",
    "subject": "Saglasnost za letnju baštu",
    "name": "Mira Šćepanović",
    "phone": "060 123 4567",
    "language": "sr-cyrillic",
    "office": "voda",
    "official": "Ana Anić",
    "consent": "yes",
}
HOSTILE = "<b>x</b>{{7*7}} \u202e=1+1"


@pytest.fixture
def desk(world: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    monkeypatch.setattr(clock, "now", lambda: world.now)
    monkeypatch.setattr("chalicelib.console.door.PAGE_SECONDS", 60.0)
    yield Desk(world)


def reference(shown: Shown) -> str:
    found = re.search(r'ticket large">([A-Z0-9-]+)<', shown.text)
    assert found, shown.words
    return found[1]


def context(shown: Shown) -> str:
    found = re.search(r"context=(9001\.[A-Za-z0-9_-]+)", shown.text)
    assert found, shown.text
    return found[1]


def test_a_registered_case_is_filed_with_all_that_was_typed_and_its_slip_is_in_the_applicants_script(
    desk: Desk, world: World
) -> None:
    shown = desk.sends("/console/counter", **PAPER)
    assert shown.status == 201
    case = CaseStore(world.slug).load(reference(shown), SOON)
    assert case is not None
    told = (case.number, case.subject, case.office, case.official, case.channel, case.consent, case.kind)
    typed = (PAPER[name] for name in ("number", "subject", "office", "official"))
    assert told == (*typed, "counter", True, "administrative")
    assert case.history[0].by == "staff:clerk1"
    assert case.voice is not None and (case.voice.language, case.voice.script) == ("sr", "cyrillic")
    assert "Пратите предмет на" in shown.words and "Прочитајте сагласност" in shown.words
    assert 'lang="sr-Cyrl"' in shown.text and "Listić za stranku" in shown.words
    assert "<svg" in shown.text and PAPER["subject"] in shown.words


@pytest.mark.shows("D5")
def test_consent_is_on_record_with_who_when_and_the_wording_and_so_is_the_registration(
    desk: Desk, world: World
) -> None:
    made = reference(desk.sends("/console/counter", **PAPER))
    given = consents.in_force(world.slug, keys.paper(made), consents.CASES, SOON)
    assert given == consents.Consent("cases", True, int(world.now), "counter", "staff:clerk1", "consent_ask.1")
    acts, _ = audit.of_day(world.slug, "2026-03-10", SOON)
    assert [(act.what, act.about) for act in acts if act.what == "registered"] == [("registered", made)]


@pytest.mark.shows("D5")
def test_without_a_tick_there_is_no_consent(desk: Desk, world: World) -> None:
    made = reference(desk.sends("/console/counter", **{name: PAPER[name] for name in ("number", "subject", "name")}))
    case = CaseStore(world.slug).load(made, SOON)
    assert case is not None and not case.consent
    assert consents.in_force(world.slug, keys.paper(made), consents.CASES, SOON) is None


def test_the_wording_to_read_out_stands_on_the_form_in_every_language_of_the_town(desk: Desk) -> None:
    shown = desk.opens("/console/counter")
    assert shown.status == 200
    for words in ("Da li ste saglasni", "Do you agree", "Sind Sie damit einverstanden", "A pajtoheni"):
        assert words in shown.words


def test_a_taken_number_is_told_at_its_field_and_nothing_typed_is_lost(desk: Desk, world: World) -> None:
    made = reference(desk.sends("/console/counter", **PAPER))
    shown = desk.sends("/console/counter", **(PAPER | {"number": " 17/14–100/26 ", "subject": "Nešto drugo"}))
    assert shown.status == 409
    assert f"console/cases/{made}" in shown.text
    assert 'aria-invalid="true"' in shown.text and 'id="e-number"' in shown.text
    for typed in ("Nešto drugo", PAPER["name"], PAPER["phone"], "Ana Anić", " checked"):
        assert typed in shown.text


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("number", ""),
        ("subject", " "),
        ("name", "x" * 121),
        ("phone", "zovite me"),
        ("office", "nema"),
        ("number", "9" * 61),
    ],
)
def test_a_wrong_field_is_told_and_nothing_is_filed(desk: Desk, world: World, field: str, value: str) -> None:
    shown = desk.sends("/console/counter", **(PAPER | {field: value}))
    assert shown.status == 422
    assert f'id="e-{field}"' in shown.text
    assert CaseStore(world.slug).changed_page(5, SOON).cases == ()


@pytest.mark.shows("A6")
def test_what_is_typed_can_do_nothing_but_be_read(desk: Desk) -> None:
    shown = desk.sends("/console/counter", **(PAPER | {"subject": HOSTILE, "name": HOSTILE, "phone": HOSTILE}))
    assert shown.status == 422 and "<b>x</b>" not in shown.text and "{{7*7}}" in shown.text
    shown = desk.sends("/console/counter", **(PAPER | {"subject": HOSTILE, "name": HOSTILE}))
    assert shown.status == 201 and "<b>x</b>" not in shown.text and "{{7*7}}" in shown.text


def test_a_slips_link_leads_into_the_chat_where_a_yes_binds_the_case(desk: Desk, world: World) -> None:
    shown = desk.sends("/console/counter", **PAPER)
    visitor = Visitor(world, context=context(shown))
    said: list[dict[str, Any]] = visitor.welcome
    visitor.chooses(said[-1]["choices"][0]["id"])
    case = CaseStore(world.slug).load(reference(shown), SOON)
    assert case is not None and case.owner is not None and case.owner.citizen == visitor.session


def test_another_slip_ends_the_one_before_and_is_on_record(desk: Desk, world: World) -> None:
    first = desk.sends("/console/counter", **PAPER)
    second = desk.sends("/console/counter/slip", which="17/14-100/26")
    assert second.status == 201 and reference(second) == reference(first)
    assert context(second) != context(first)
    visitor = Visitor(world, context=context(second))
    assert any(choice["id"].startswith("bind.") for choice in visitor.welcome[-1]["choices"])
    old = Visitor(world, context=context(first))
    assert not any(choice["id"].startswith("bind.") for choice in old.welcome[-1].get("choices", ()))
    acts, _ = audit.of_day(world.slug, "2026-03-10", SOON)
    assert [act.about for act in acts if act.what == "slip_printed_again"] == [reference(first)]


def test_a_case_that_somebody_follows_already_gets_no_other_slip(desk: Desk, world: World) -> None:
    shown = desk.sends("/console/counter", **PAPER)
    visitor = Visitor(world, context=context(shown))
    visitor.chooses(visitor.welcome[-1]["choices"][0]["id"])
    assert desk.sends("/console/counter/slip", which=reference(shown)).status == 409
    assert desk.sends("/console/counter/slip", which="nema-ga").status == 404


def test_the_towns_system_files_by_the_same_verb(desk: Desk, world: World) -> None:
    made = System(world.slug).file(number="8/26", consent=True, applicant={"name": "Mira", "phone": "060 123 4567"})
    case = CaseStore(world.slug).load(made["reference"], SOON)
    assert case is not None and (case.channel, case.history[0].by.partition(":")[0]) == ("api", "api")
    given = consents.in_force(world.slug, keys.paper(made["reference"]), consents.CASES, SOON)
    assert given is not None and given.by == case.history[0].by
    assert desk.sends("/console/counter", **(PAPER | {"number": "8/26"})).status == 409


@pytest.mark.parametrize("voice", ["sr", "sr-cyrillic", "bs", "cnr", "sq", "en"])
def test_the_counter_speaks_every_language_of_the_console(desk: Desk, world: World, voice: str) -> None:
    clerk = Desk(world, voice=voice)
    assert clerk.opens("/console/counter").status == 200
    assert clerk.opens("/console/counter/import").status == 200
    assert clerk.sends("/console/counter", number="").status == 422
    shown = clerk.sends("/console/counter", **(PAPER | {"number": f"{voice}/26", "language": "de-latin"}))
    assert shown.status == 201 and "Verfolgen Sie Ihren Vorgang" in shown.words and 'lang="de' in shown.text


@pytest.mark.parametrize("role", ["operator", "coordinator"])
def test_who_is_not_of_the_counter_does_not_get_in(desk: Desk, world: World, role: str) -> None:
    other = Desk(world, role)
    assert other.opens("/console/counter").status == 403
    assert other.opens("/console/counter/import").status == 403


def test_a_form_without_its_token_registers_nothing(desk: Desk, world: World) -> None:
    assert desk.sends("/console/counter", **(PAPER | {"csrf": "x"})).status == 403


def test_search_leads_straight_to_the_only_case_and_lists_several(desk: Desk, world: World) -> None:
    made = reference(desk.sends("/console/counter", **PAPER))
    shown = desk.opens(f"/console/search?q={made.replace('-', '').lower()}")
    assert shown.status == 303 and shown.headers["Location"].endswith(made)
    assert desk.opens("/console/search?q=nema%20ga").status == 200
