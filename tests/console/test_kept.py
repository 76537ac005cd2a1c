"""What was deleted, when, by which rule: on a page for the town's admin, in numbers alone."""

from __future__ import annotations

from dataclasses import replace

import pytest

from chalicelib.actions import erase, export, forget_media, kept, purge, retire_cases
from chalicelib.cases import retention
from chalicelib.model import Case
from chalicelib.storage import keys, runs
from chalicelib.storage.cases import CaseStore
from tests.console.clerk import employed, filed, seated, soon
from tests.world import World

DAY = 86400


def _closed(town: World, kind: str, **more: object) -> Case:
    case = filed(town.slug, town.now, kind=kind, **more)
    store = CaseStore(town.slug)
    found = store.load(case.reference, soon())
    assert found is not None
    store.save(replace(found, status="resolved", closed_at=int(town.now), updated_at=int(town.now)), soon())
    return case


@pytest.mark.shows("D1")
def test_what_was_deleted_when_and_by_which_rule_is_read_on_a_page_without_anybodys_data(town: World) -> None:
    chats = [_closed(town, "chat", subject="Tajna Mire") for _ in range(2)]
    sealed = _closed(town, "document", sealed={"jmbg": "zapečaćeno"})
    purge.work({"reference": sealed.reference, "closed_at": int(town.now)}, town.slug, town.now, soon())
    for what in ("media", "export"):
        forget_media.work({"key": f"T/{town.slug}/{what}/x/y"}, town.slug, town.now, soon())
    erase.work({"account": town.account.id, "citizen": "mira", "at": int(town.now)}, town.slug, town.now, soon())
    town.now += (retention.DAYS["chat"] + 1) * DAY
    assert retire_cases.retire(town.slug, town.now, soon()) == 2
    found = {run.rule: run.removed for run in runs.latest(town.slug, town.now, soon())}
    assert found == {"case.chat": 2, "cases": 0, "sealed": 1, "unclaimed": 1, "copies": 1, "erased": 1}
    page = seated(employed(town.slug, "admin"), town.now).get("/console/kept")
    for part in ("Zatvoreno: Razgovor 2", "Noćni pregled predmeta pregledano", "9. 6. 2026.", "90 dana"):
        assert part in page.text, part
    for part in ("Mire", "mira", *(case.reference for case in chats)):
        assert part not in page.body
    assert seated(employed(town.slug, "clerk"), town.now).get("/console/kept").status == 403


def test_every_rule_is_named_with_its_days_and_a_towns_own_days_win(town: World) -> None:
    town.says_of_itself(rules="retention: {question: 61}")
    page = seated(employed(town.slug, "admin"), town.now).get("/console/kept").text
    assert "Zatvoreno: Pitanje 61 dan " in page and "Kopije podataka koje je neko tražio 1 sat" in page
    assert len(kept.rules(town.town)) == 18


def test_a_run_nobody_needs_to_see_any_more_is_gone(town: World) -> None:
    runs.note(town.slug, runs.SEALED, 3, town.now, soon())
    assert runs.latest(town.slug, town.now + runs.KEPT_DAYS * DAY + 1, soon()) == []


def test_a_copy_and_other_files_are_told_apart_by_their_place() -> None:
    assert keys.is_export(f"{keys.exports('grad', 'p')}x.txt")
    assert not keys.is_export(keys.media_object("grad", "viber:grad", "mira", "export"))
    assert export.LINK_SECONDS <= DAY
