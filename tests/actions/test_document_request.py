"""A document requested over the web and over Viber: filed, readable by the town's systems, the personal number nowhere
in clear, shown only on record, and gone some days after the case was closed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from chalicelib.actions import case_answers, unseal, work_case, work_outbox
from chalicelib.actions.change_case import change_case
from chalicelib.actions.sweep import sweep
from chalicelib.cases.lifecycle import Event
from chalicelib.dialogue import words
from chalicelib.model import Case, Staff, Voice
from chalicelib.storage import audit, outbox, sealing, views
from chalicelib.storage.cases import CaseStore
from chalicelib.wire import Deadline
from tests import dump
from tests.integrations.system import System
from tests.meter import Meter
from tests.web import Visitor
from tests.world import World

pytestmark = pytest.mark.early

NUMBER = "2902000660176"
SLIP = "2902000660177"
SOON = Deadline(1e6)
DAY = 86400
ASKED = ["Hoću da naručim izvod rođenih za mene", "Ana Anić", "preskoči", "29. 2. 2000.", "Primer", "Mira i Jovan"]
ANSWERED = ["domaći", "za školu", "1", "na šalteru", "preskoči"]
STORY = [*ASKED, "preskoči", SLIP, NUMBER, *ANSWERED]


def by_viber(world: World, *texts: str) -> str:
    return [world.says("mira", text) for text in texts][-1][-1]


def by_web(world: World, *texts: str) -> str:
    visitor = Visitor(world)
    return str([visitor.says(text) for text in texts][-1][-1]["text"])


def filed(world: World) -> Case:
    (case,) = CaseStore(world.slug).changed_page(5, SOON).cases
    return case


def closed(world: World, case: Case, status: str = "resolved", at: float = 0) -> Case:
    now = at or world.now
    return change_case(world.town, case.reference, Event(int(now), "staff:ana", status=status), now, "holder", SOON)


@pytest.fixture
def ours(world: World) -> Iterator[World]:
    sealing.forget()
    yield world


@pytest.mark.parametrize("talk", [by_viber, by_web])
def test_a_request_is_filed_and_the_towns_system_reads_it_with_the_number_masked(ours: World, talk: Any) -> None:
    assert "ne izdat dokument" in talk(ours, *STORY, "pošalji")
    shown = System(ours.slug, ["cases:read"]).get(f"cases/{filed(ours).reference}").json
    assert (shown["kind"], shown["category"], shown["status"], shown["office"]) == (
        "document",
        "birth",
        "received",
        "biro",
    )
    assert shown["fields"]["holder"] == "Ana Anić"
    assert shown["fields"]["personal_number"] == "•••"
    assert NUMBER not in json.dumps(shown)


@pytest.mark.shows("D6", "R7")
@pytest.mark.parametrize("talk", [by_viber, by_web])
def test_the_number_stands_in_no_table_and_no_log_at_any_step(
    ours: World, talk: Any, capfd: pytest.CaptureFixture[str]
) -> None:
    talk(ours, *STORY, "pošalji")
    told = capfd.readouterr()
    everything = _everything_stored(ours.slug)
    assert len(everything) > 1000
    for secret in (NUMBER, SLIP):
        assert secret not in everything
        assert secret not in told.out + told.err
    assert filed(ours).reference in everything


def test_a_draft_that_waits_holds_only_the_sealed_number(ours: World) -> None:
    by_viber(ours, *STORY)
    waiting = ours.conversation("mira")
    assert waiting is not None
    assert set(waiting.sealed) == {"personal_number"}
    assert NUMBER not in _everything_stored(ours.slug)
    ours.now += 3 * DAY
    by_viber(ours, "pošalji")
    case = filed(ours)
    assert unseal.unseal(case, "personal_number", "staff:ana", ours.now, SOON) == NUMBER
    after = ours.conversation("mira")
    assert after is not None
    assert dict(after.sealed) == {}


def test_a_plain_turn_and_a_turn_of_the_form_never_ask_kms_and_sealing_asks_once(ours: World, meter: Meter) -> None:
    by_viber(ours, *ASKED, "preskoči")
    assert meter.requests["kms"] == 0
    by_viber(ours, NUMBER, *ANSWERED, "pošalji")
    assert meter.requests["kms"] == 1


@pytest.mark.shows("D6")
def test_every_unmasking_is_on_record_before_the_value_is_shown(ours: World) -> None:
    by_viber(ours, *STORY, "pošalji")
    case = filed(ours)
    with pytest.raises(LookupError):
        unseal.unseal(case, "name", "staff:ana", ours.now, SOON)
    assert unseal.unseal(case, "personal_number", "staff:ana", ours.now, SOON) == NUMBER
    acts, _ = audit.of_day(ours.slug, "2026-03-10", SOON)
    assert [(act.by, act.what, act.about, dict(act.detail)) for act in acts] == [
        ("staff:ana", "unmasked", case.reference, {"slot": "personal_number"})
    ]
    assert NUMBER not in _everything_stored(ours.slug)


@pytest.mark.shows("D6")
def test_a_clerk_reads_the_answers_in_words_and_is_shown_the_number_only_on_record(ours: World) -> None:
    by_viber(ours, *STORY, "pošalji")
    case = filed(ours)
    answers = case_answers.of_case(ours.town, case)
    shown = {answer.name: words.line(answer.shown, ours.town, Voice("sr")) for answer in answers}
    assert (shown["whom"], shown["form"], shown["delivery"]) == ("Za mene", "Domaći obrazac", "Na šalteru")
    assert (shown["holder"], shown["purpose"]) == ("Ana Anić", "za školu")
    assert "personal_number" not in shown
    clerk = Staff(ours.slug, "ana@primer.example", "ana", "clerk")
    assert work_case.unmask(ours.town, case, clerk, "personal_number", ours.now, SOON) == NUMBER
    acts, _ = audit.of_day(ours.slug, "2026-03-10", SOON)
    assert [(act.by, act.what) for act in acts] == [("staff:ana", "unmasked")]


# --- deleted on a clock -------------------------------------------------------------------------------------------


@pytest.mark.shows("D1")
def test_the_number_is_gone_some_days_after_the_case_was_closed(ours: World) -> None:
    by_viber(ours, *STORY, "pošalji")
    case = filed(ours)
    closed(ours, case)
    sweep(ours.now + 10 * DAY - 60)
    assert set(filed(ours).sealed) == {"personal_number"}
    assert sweep(ours.now + 10 * DAY)["purged"] >= 1
    after = filed(ours)
    assert dict(after.sealed) == {}
    assert (after.status, after.history[-1].event, after.history[-1].by) == ("resolved", "purged", "system")
    assert after.fields["holder"] == "Ana Anić"


def test_a_case_reopened_meanwhile_keeps_it_until_it_is_closed_again(ours: World) -> None:
    by_viber(ours, *STORY, "pošalji")
    case = filed(ours)
    closed(ours, case)
    again = Event(int(ours.now + DAY), "staff:ana", name="reopened")
    change_case(ours.town, case.reference, again, ours.now + DAY, "holder", SOON)
    sweep(ours.now + 11 * DAY)
    assert set(filed(ours).sealed) == {"personal_number"}
    closed(ours, case, "rejected", ours.now + 12 * DAY)
    sweep(ours.now + 22 * DAY + 60)
    assert dict(filed(ours).sealed) == {}


def test_a_purge_done_twice_does_it_once(ours: World) -> None:
    by_viber(ours, *STORY, "pošalji")
    closed(ours, filed(ours))
    (row,) = [row for row in views.due_rows(ours.now + 11 * DAY, 500) if row.startswith(f"T#{ours.slug}#X#purge-")]
    found = outbox.load(row, ours.now, SOON)
    assert found is not None
    assert work_outbox.work(row, ours.now + 11 * DAY, SOON) is True
    from chalicelib.actions import purge

    purge.work(found.body, ours.slug, ours.now + 12 * DAY, SOON)
    assert [entry.event for entry in filed(ours).history].count("purged") == 1


def _everything_stored(town: str) -> str:
    """Every item of every table that names the town, as text."""
    return "\n".join(text for place, text in dump.items() if town in place + text)
