"""What a citizen reads when a case changes, in every language and both scripts."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import lru_cache

import pytest

from chalicelib.cases import lifecycle, notices
from chalicelib.cases.lifecycle import STATUSES, Event
from chalicelib.dialogue import words
from chalicelib.language import catalogue
from chalicelib.model import Case, Line, Say, Town, Voice
from tests.cases.test_lifecycle import a_case
from tests.world import compiled


@lru_cache(maxsize=1)
def _town() -> Town:
    version = json.loads(json.dumps(compiled("primer")))
    return Town("primer", 1, version["core"], version["texts"], version["sheets"], version["index"])


def _read(case: Case, voice: Voice) -> str:
    say = notices.notice(case, _town().core)
    return words.message(say, _town(), voice, "1", 0).text if say else ""


@pytest.mark.parametrize("name", catalogue.names())
def test_every_status_has_its_label_and_next_step_in_every_language(name: str) -> None:
    texts = catalogue.load(name)["texts"]
    assert {notices.status_label(status).key for status in STATUSES} <= set(texts)
    assert {notices.next_step(status).key for status in STATUSES} <= set(texts)


def test_a_notice_names_state_office_official_awaited_institution_and_next_step() -> None:
    waiting = lifecycle.change(
        a_case(office="voda"),
        Event(1020, "api:k", "awaiting_opinion", official="Ana Anić", awaiting_institution="Zavod za zaštitu"),
    )
    text = _read(waiting, Voice("sr"))
    for part in ("PR-2222-222", "Čeka se mišljenje", "JKP Voda", "Ana Anić", "Zavod za zaštitu", "Sledeći korak"):
        assert part in text
    cyrillic = _read(waiting, Voice("sr", "cyrillic"))
    assert "Чека се мишљење" in cyrillic
    assert "PR-2222-222" in cyrillic
    assert "Responsible office: Water company." in _read(waiting, Voice("en"))


def test_forwarding_says_to_whom_by_title_or_as_written() -> None:
    inside = lifecycle.change(a_case(), Event(1020, "staff:ana", "forwarded", forwarded_to="voda"))
    assert "prosleđen je: JKP Voda." in _read(inside, Voice("sr"))
    outside = lifecycle.change(a_case(), Event(1020, "staff:ana", "forwarded", forwarded_to="Putevi Srbije"))
    assert "prosleđen je: Putevi Srbije." in _read(outside, Voice("sr"))
    nowhere = lifecycle.change(a_case(), Event(1020, "staff:ana", "forwarded"))
    assert "Prosleđeno" in _read(nowhere, Voice("sr"))


def test_a_note_for_the_citizen_is_told_one_for_the_office_never() -> None:
    inside = lifecycle.change(a_case(), Event(1020, "staff:ana", note="stranka zove svaki dan"))
    assert notices.notice(inside, _town().core) is None
    outside = lifecycle.change(a_case(), Event(1020, "staff:ana", public_note="Ekipa dolazi {sutra}."))
    assert "Poruka službe: Ekipa dolazi {sutra}." in _read(outside, Voice("sr"))
    both = lifecycle.change(a_case(), Event(1020, "staff:ana", "in_progress", note="interno", public_note="javno"))
    assert "javno" in _read(both, Voice("sr"))
    assert "interno" not in _read(both, Voice("sr"))


def test_the_towns_own_file_number_is_the_one_named() -> None:
    case = replace(a_case(), number="501-123/2026")
    assert "501-123/2026" in _read(lifecycle.change(case, Event(1020, "api:k", "resolved")), Voice("sr"))


def test_a_change_of_status_is_told_by_whatever_name_it_comes() -> None:
    case = lifecycle.change(a_case(), Event(1020, "api:k", "in_progress", name="hearing_held"))
    assert case.history[-1].event == "hearing_held"
    text = _read(case, Voice("sr"))
    assert "U obradi" in text
    assert "Sledeći korak" in text
    say = notices.notice(case, _town().core)
    assert say is not None
    assert notices.is_notice(say)
    assert not notices.is_notice(Say(lines=(Line("greeting"),)))


@pytest.mark.parametrize("event", ["assigned", "rated", "notice", "opened"])
def test_the_offices_own_business_is_not_told(event: str) -> None:
    case = a_case("resolved")
    happening = replace(case.history[-1], event=event, note="4", public=event == "rated")
    assert notices.notice(replace(case, history=(*case.history, happening)), _town().core) is None
