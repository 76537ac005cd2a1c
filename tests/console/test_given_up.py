"""What a town could not deliver, on the platform's page: seen without anybody's words, and tried again."""

from __future__ import annotations

from datetime import UTC, datetime

from chalicelib.actions.sweep import sweep
from chalicelib.storage import audit, outbox, views
from chalicelib.storage.staff import PLATFORM
from tests.console.clerk import Clerk, employed, seated, soon
from tests.viber import message
from tests.world import World


def platform(town: World) -> Clerk:
    return seated(employed(PLATFORM, PLATFORM), town.now)


def refused_reply(town: World, citizen: str) -> None:
    """A reply that Viber refuses for good."""
    town.viber.otherwise = {"status": 3}  # it finds the message malformed
    town.calls(message(citizen, "zdravo"))
    town.viber.otherwise = None


def test_a_reply_that_was_given_up_is_seen_without_its_words_and_said_after_all(town: World) -> None:
    refused_reply(town, "mira")
    (row,) = views.dead(town.slug, 10)
    assert row["tries"] == 1, "refused for good at the first try"
    address = f"/console/towns/{town.slug}/given-up"
    runs = platform(town)
    assert f"1 Odustalo: {town.slug}" in runs.get(f"/console/towns?after={town.slug[:-1]}").text
    page = runs.get(address)
    for part in ("odgovor građanima", "bad_request", "Pokušaj ponovo"):
        assert part in page.text, part
    assert "mira" not in page.body and "Dobro došli" not in page.body
    before = len(town.viber.texts("mira"))
    answer = runs.post(address, {"row": row["id"]})
    assert answer.leads_to.endswith("given-up?said=1")
    assert "1 ponovo čeka na slanje" in runs.get(f"{address}?said=1").text
    sweep(town.now)
    assert len(town.viber.texts("mira")) == before + 1
    assert "Ništa nije ostalo neisporučeno" in runs.get(address).text
    acts, _ = audit.of_day(town.slug, datetime.fromtimestamp(town.now, UTC).date().isoformat(), soon())
    assert "row_revived" in [act.what for act in acts]
    assert runs.post(address, {"row": row["id"]}).leads_to.endswith("said=0")


def test_all_are_tried_at_once_but_for_what_may_have_arrived_and_what_is_kept_to_be_read(town: World) -> None:
    for citizen in ("ana", "branka"):
        refused_reply(town, citizen)
    for row, kind, error in (
        ("lost", "email", "uncertain 1"),
        ("strange", "odd", "UnknownEvent"),
        ("broken", "reply", "bad_request"),
    ):
        outbox.write_dead(town.slug, row, kind, {}, error, town.now, soon(), account="", citizen="")
    runs, address = platform(town), f"/console/towns/{town.slug}/given-up"
    page = runs.get(address).text
    assert "možda je ipak stiglo" in page and "čuva se samo da se pročita" in page
    assert runs.post(address, {"row": "all"}).leads_to.endswith("said=2")
    sweep(town.now)
    assert {row["id"] for row in views.dead(town.slug, 10)} == {"lost", "strange", "broken"}
    assert runs.post(address, {"row": "strange"}).leads_to.endswith("said=0")


def test_a_reply_that_may_have_arrived_is_not_among_those_tried_all_at_once(town: World) -> None:
    town.viber.script = [b"<html>", b"<html>"]  # somebody on the way answers in Viber's place, twice
    town.calls(message("ana", "zdravo"))
    town.now += 3700
    town.warm()
    sweep(town.now)
    (row,) = views.dead(town.slug, 10)
    assert (row["kind"], row["state"]) == ("reply", "uncertain")
    runs, address = platform(town), f"/console/towns/{town.slug}/given-up"
    assert "možda je ipak stiglo" in runs.get(address).text
    assert runs.post(address, {"row": "all"}).leads_to.endswith("said=0")
    assert runs.post(address, {"row": row["id"]}).leads_to.endswith("said=1")


def test_a_town_nobody_published_has_no_such_page(town: World) -> None:
    runs = platform(town)
    assert runs.get("/console/towns/nobody-lives-here/given-up").status == 404
    assert runs.post("/console/towns/nobody-lives-here/given-up", {"row": "all"}).status == 404
