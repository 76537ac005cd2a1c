"""The case API, as the public contract tells it, through the product's own routes."""

from __future__ import annotations

import json
import re
import threading
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from html import unescape
from typing import Any
from urllib.parse import quote

import pytest
from chalice.test import Client

import app
from chalicelib.actions import clock
from chalicelib.cases import lifecycle, references
from chalicelib.integrations.openapi import document
from chalicelib.model import Case, Conflict, Follower, Place, Voice
from chalicelib.storage import api_keys, dynamo, keys, links
from chalicelib.storage.cases import CaseStore
from chalicelib.wire import Deadline
from infra import openapi
from tests.integrations.system import HOST, System
from tests.world import NOON, World

SOON = Deadline(1e6)
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d\d:\d\d")
FIELDS = {
    *("reference", "number", "kind", "category", "status", "subject", "office", "official", "awaiting_institution"),
    *("forwarded_to", "channel", "language", "script", "created_at", "updated_at", "due_at", "closed_at", "fields"),
    *("place", "attachments", "history", "consent"),
}


@pytest.fixture
def dms(world: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[System]:
    """The office system of a town, with every scope; the product's clock stands at the world's."""
    monkeypatch.setattr(clock, "now", lambda: world.now)
    for module in ("case_api", "change_case"):
        monkeypatch.setattr(f"chalicelib.actions.{module}.JITTER_SECONDS", 0.2)
    monkeypatch.setattr("chalicelib.actions.case_api.REQUEST_SECONDS", 60.0)
    yield System(world.slug)


# --- filing -----------------------------------------------------------------------------------------------------


def test_a_filed_case_has_a_reference_a_link_for_paper_and_is_read_back(dms: System, world: World) -> None:
    filed = dms.file(
        number="501-123/2026",
        applicant={"name": "Mira Š.", "phone": "+381 25 468 241", "language": "sr-Cyrl"},
        office="JKP Voda",
        official="Ana Anić",
        consent=True,
    )
    assert re.fullmatch(r"PR-[AEJKMT2-9]{4}-[AEJKMT2-9]{3}", filed["reference"])
    assert references.is_sound(filed["reference"])
    link = filed["link"]
    context = link["web"].rpartition("=")[2]
    assert re.fullmatch(r"9001\.[A-Za-z0-9_-]{24}", context)
    assert link["web"] == f"https://{HOST}/chat/{world.slug}?context={context}"
    assert link["viber"] == f"viber://pa?chatURI={world.slug}&context={context}"
    assert ET.fromstring(link["qr_svg"]).tag == "{http://www.w3.org/2000/svg}svg"
    assert re.fullmatch(r"[AEJKMT2-9]{6}", link["code"])
    assert datetime.fromisoformat(link["expires"]).timestamp() == int(NOON) + 30 * 86400
    case = dms.get(f"cases/{filed['reference']}").json
    assert set(case) == FIELDS
    assert all(TIME.fullmatch(case[name]) for name in ("created_at", "updated_at"))
    told = {
        name: case[name] for name in ("number", "kind", "status", "office", "official", "language", "script", "consent")
    }
    assert told == {
        "number": "501-123/2026",
        "kind": "administrative",
        "status": "received",
        "office": "voda",
        "official": "Ana Anić",
        "language": "sr",
        "script": "cyrillic",
        "consent": True,
    }
    assert [entry["event"] for entry in case["history"]] == ["opened"]


def test_what_is_secret_in_the_answer_is_stored_as_hashes_only(dms: System, world: World) -> None:
    filed = dms.post("cases", {"subject": "x", "applicant": {"name": "M"}}, Idempotency_Key="k1").json
    context, code = filed["link"]["web"].rpartition("=")[2], filed["link"]["code"]
    stored = CaseStore(world.slug).load(filed["reference"], SOON)
    assert stored is not None
    assert references.code_fits(filed["reference"], code, stored.access_hash)
    found = links.find(world.slug, context, NOON, SOON)
    assert found is not None
    assert found.reference == filed["reference"]
    assert links.find(f"{world.slug}-b", context, NOON, SOON) is None
    assert links.find(world.slug, context, NOON + 31 * 86400, SOON) is None


@pytest.mark.shows("A21")
def test_a_link_is_used_once_even_by_two_at_once(dms: System, world: World) -> None:
    context = dms.file()["link"]["web"].rpartition("=")[2]
    found = links.find(world.slug, context, NOON, SOON)
    assert found is not None
    dynamo.transact([links.item_for_use(found, NOON)], SOON)
    with pytest.raises(Conflict):
        dynamo.transact([links.item_for_use(found, NOON)], SOON)
    assert links.find(world.slug, context, NOON, SOON) is None


def test_a_file_number_is_taken_once(dms: System) -> None:
    dms.file(number="501-1/2026")
    answer = dms.post("cases", {"subject": "x", "applicant": {"name": "M"}, "number": "Broj: 501-1 / 2026"})
    assert (answer.status, answer.code, answer.json["error"]["field"]) == (409, "number_taken", "number")


def test_a_case_may_come_in_on_its_way_already(dms: System) -> None:
    filed = dms.file(status="awaiting_opinion", awaiting_institution="Zavod za zaštitu spomenika")
    case = dms.get(f"cases/{filed['reference']}").json
    assert (case["status"], case["awaiting_institution"]) == ("awaiting_opinion", "Zavod za zaštitu spomenika")
    assert [entry["status"] for entry in case["history"]] == ["received", "awaiting_opinion"]
    withdrawn = dms.post("cases", {"subject": "x", "applicant": {"name": "M"}, "status": "withdrawn"})
    assert (withdrawn.status, withdrawn.code) == (422, "not_by_you")


GOOD = {"subject": "x", "applicant": {"name": "M"}}


@pytest.mark.shows("B3", "B5", "B9", "B10", "B12", "B26")
@pytest.mark.parametrize(
    ("body", "status", "field"),
    [
        (b"{", 400, None),
        (b"[]", 400, None),
        (b"\xff", 400, None),
        (b"[" * 50_000, 400, None),
        ({}, 422, "subject"),
        (GOOD | {"subject": " "}, 422, "subject"),
        (GOOD | {"subject": "x" * 301}, 422, "subject"),
        (GOOD | {"subject": 5}, 422, "subject"),
        (GOOD | {"subject": "\ud800"}, 422, "subject"),
        (GOOD | {"applicant": {}}, 422, "applicant.name"),
        (GOOD | {"applicant": {"name": "M", "phone": "zovite me"}}, 422, "applicant.phone"),
        (GOOD | {"status": "ready_for_pickup"}, 422, "status"),
        (GOOD | {"office": "Nepostojeći"}, 422, "office"),
        (GOOD | {"consent": "yes"}, 422, "consent"),
        (GOOD | {"surprise": 1}, 422, "surprise"),
        (b" " * 70_000, 413, None),
    ],
)
def test_what_is_malformed_or_refused_is_said_with_its_field_and_nothing_stored(
    dms: System, body: Any, status: int, field: str | None
) -> None:
    answer = dms.post("cases", body)
    assert (answer.status, answer.json["error"].get("field")) == (status, field)
    assert set(answer.json) == {"error"}
    assert dms.get("cases").json == {"cases": [], "cursor": None}


@pytest.mark.shows("B47")
def test_another_type_than_json_is_415(dms: System) -> None:
    assert dms.post("cases", b"a=b", Content_Type="application/x-www-form-urlencoded").status == 415


# --- keys -------------------------------------------------------------------------------------------------------


@pytest.mark.shows("A4")
def test_without_a_key_of_the_town_there_is_nothing_to_see(dms: System, world: World) -> None:
    reference = dms.file()["reference"]
    for token in ("", "x", f"slt_{world.slug}_{'a' * 43}", f"local-key-{world.slug}", dms.token + "a"):
        stranger = System(world.slug, token=token or " ")
        assert stranger.get(f"cases/{reference}").status == 401
    elsewhere = System(f"{world.slug}-b")
    elsewhere.town = world.slug
    for answer in (elsewhere.get(f"cases/{reference}"), elsewhere.get("cases"), elsewhere.post("cases", GOOD)):
        assert answer.status == 404


@pytest.mark.shows("A15")
def test_a_key_does_what_its_scopes_say_until_it_is_revoked(dms: System, world: World) -> None:
    reader, writer = System(world.slug, ["cases:read"]), System(world.slug, ["cases:write"])
    reference = writer.file()["reference"]
    assert reader.get(f"cases/{reference}").status == 200
    assert (reader.post("cases", GOOD).status, writer.get("cases").status) == (403, 403)
    assert reader.post(f"cases/{reference}/events", {"note": "x"}).status == 403
    assert api_keys.revoke(reader.token, NOON, SOON)
    assert reader.get(f"cases/{reference}").status == 401
    with pytest.raises(api_keys.UnknownScope):
        System(world.slug, ["everything"])


def test_keys_are_stored_as_hashes(dms: System, world: World) -> None:
    stored = dynamo.get("people", keys.api_key(world.slug, keys.secret_digest(dms.token)), keys.NOW, SOON)
    assert stored
    assert dms.token not in json.dumps(stored)
    secret = dms.token.removeprefix(f"slt_{world.slug}_")
    assert 32 <= len(secret) < len(dms.token)
    assert secret not in json.dumps(stored)


def test_local_keys_exist_on_the_local_stage_only(dms: System, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(RuntimeError):
        api_keys.ensure_local_key(world.slug, NOON, SOON)
    # Even with the record there, another stage does not take such a key.
    table = dynamo.table
    monkeypatch.setattr(dynamo, "table", lambda name: f"salter-test-{name}")
    monkeypatch.setenv("SALTER_STAGE", "local")
    token = api_keys.ensure_local_key(world.slug, NOON, SOON)
    found = api_keys.find(token, SOON)
    assert found is not None
    assert (found.town, found.scopes) == (world.slug, frozenset(api_keys.SCOPES))
    monkeypatch.setenv("SALTER_STAGE", "test")
    assert api_keys.find(token, SOON) is None
    assert table("people") == "salter-test-people"


# --- once -------------------------------------------------------------------------------------------------------


@pytest.mark.shows("F45", "R1")
def test_the_same_request_again_answers_the_same_and_files_nothing(dms: System, world: World) -> None:
    body = GOOD | {"number": "1/26"}
    first = dms.post("cases", body, Idempotency_Key="abc")
    again = dms.post("cases", body, Idempotency_Key="abc")
    assert first == again
    assert first.status == 201
    assert len(dms.get("cases").json["cases"]) == 1
    other = dms.post("cases", body | {"subject": "y"}, Idempotency_Key="abc")
    assert (other.status, other.code) == (422, "idempotency_mismatch")
    world.now += 86400 + 1
    late = dms.post("cases", GOOD, Idempotency_Key="abc")
    assert late.status == 201
    assert late.json["reference"] != first.json["reference"]


def test_an_event_with_a_key_happens_once_too(dms: System) -> None:
    reference = dms.file()["reference"]
    first = dms.post(f"cases/{reference}/events", {"status": "in_progress"}, Idempotency_Key="e1")
    assert (first.status, first.json["status"]) == (201, "in_progress")
    assert dms.post(f"cases/{reference}/events", {"status": "in_progress"}, Idempotency_Key="e1") == first
    assert dms.post(f"cases/{reference}/events", {"status": "resolved"}, Idempotency_Key="e1").status == 422
    assert dms.post("cases", GOOD, Idempotency_Key="e1").status == 422
    assert len(dms.get(f"cases/{reference}").json["history"]) == 2


@pytest.mark.shows("R1")
def test_of_six_alike_at_once_one_files_and_all_hear_the_same(dms: System) -> None:
    answers: list[Any] = []
    threads = [
        threading.Thread(
            target=lambda: answers.append(dms.post("cases", GOOD | {"number": "7/26"}, Idempotency_Key="crowd"))
        )
        for _ in range(6)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {answer.status for answer in answers} == {201}
    assert len({json.dumps(answer.json) for answer in answers}) == 1
    assert len(dms.get("cases").json["cases"]) == 1


# --- changing ---------------------------------------------------------------------------------------------------


def test_events_change_the_case_by_reference_and_by_number(dms: System) -> None:
    reference = dms.file(number="03-082/20-700/1")["reference"]
    changed = dms.post(
        f"cases/{reference}/events",
        {
            "status": "awaiting_opinion",
            "awaiting_institution": "Zavod",
            "official": "Ana",
            "note": "i",
            "public_note": "p",
        },
    )
    assert changed.status == 201
    assert (changed.json["status"], changed.json["awaiting_institution"], changed.json["official"]) == (
        "awaiting_opinion",
        "Zavod",
        "Ana",
    )
    numbered = dms.post("cases/events", {"number": "Broj: 03-082 / 20-700/1", "status": "resolved"})
    assert (numbered.status, numbered.json["reference"]) == (201, reference)
    assert TIME.fullmatch(numbered.json["closed_at"])
    history = dms.get(f"cases/{reference}").json["history"]
    assert [(entry["event"], entry["note"], entry["public"]) for entry in history] == [
        ("opened", None, False),
        ("note", "i", False),
        ("status", "p", True),
        ("status", None, False),
    ]
    assert all(entry["by"].startswith("api:") for entry in history)


@pytest.mark.shows("F45")
@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"status": "received"}, "nothing_new"),
        ({"status": "withdrawn"}, "not_by_you"),
        ({"event": "withdrawn"}, "not_by_you"),
        ({"event": "reopened"}, "transition_not_allowed"),
        ({"event": "opened"}, "reserved_event"),
        ({"event": "reopened", "status": "in_progress"}, "two_moves"),
        ({"office": "nema"}, "unknown_office"),
        ({"event": "Čudno ime"}, "bad_value"),
        ({}, "nothing_new"),
    ],
)
def test_what_the_graph_does_not_allow_is_422_and_changes_nothing(dms: System, body: dict[str, str], code: str) -> None:
    reference = dms.file()["reference"]
    answer = dms.post(f"cases/{reference}/events", body)
    assert (answer.status, answer.code) == (422, code)
    assert len(dms.get(f"cases/{reference}").json["history"]) == 1


def test_a_closed_case_is_not_moved_on_by_the_api(dms: System) -> None:
    reference = dms.file()["reference"]
    assert dms.post(f"cases/{reference}/events", {"status": "rejected"}).status == 201
    for status in ("in_progress", "resolved", "received"):
        assert dms.post(f"cases/{reference}/events", {"status": status}).code == "transition_not_allowed"


def test_a_towns_own_word_for_an_event_is_written_down(dms: System) -> None:
    reference = dms.file()["reference"]
    answer = dms.post(f"cases/{reference}/events", {"event": "hearing_set", "public_note": "Rasprava je u petak."})
    assert (answer.json["status"], answer.json["history"][-1]["event"]) == ("received", "hearing_set")


@pytest.mark.shows("F34")
def test_many_events_at_once_are_all_written_down(dms: System) -> None:
    reference = dms.file()["reference"]
    answers: list[int] = []
    threads = [
        threading.Thread(
            target=lambda n=n: answers.append(dms.post(f"cases/{reference}/events", {"note": f"n{n}"}).status)
        )
        for n in range(6)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [201] * 6
    notes = {entry["note"] for entry in dms.get(f"cases/{reference}").json["history"]}
    assert notes == {None, *(f"n{n}" for n in range(6))}


# --- reading ----------------------------------------------------------------------------------------------------


@pytest.mark.shows("B63", "F45")
def test_a_case_is_found_however_its_reference_is_typed_and_unknown_ones_are_all_alike(dms: System) -> None:
    reference = dms.file()["reference"]
    plain = reference.replace("-", "")
    cyrillic = reference.translate(str.maketrans("PRAEJKMT", "ПРАЕЈКМТ"))
    for typed in (reference, plain.lower(), quote(cyrillic), quote(f" {reference} ")):
        assert dms.get(f"cases/{typed}").json["reference"] == reference
    wrong = plain[:-1] + ("A" if plain[-1] != "A" else "E")
    answers = [dms.get(f"cases/{typed}") for typed in ("PR-2222-222", wrong, "SO-7KM4-2A9", "x", "501-1")]
    assert {json.dumps(answer.json) for answer in answers} == {json.dumps(answers[0].json)}
    assert {answer.status for answer in answers} == {404}
    assert dms.post("cases/events", {"number": "999/26", "note": "x"}).status == 404


def test_a_list_is_paged_filtered_and_bounded(dms: System, world: World) -> None:
    made = []
    for number in range(5):
        world.now += 60
        made.append(dms.file(number=f"{number}/26", office="voda" if number % 2 else "biro")["reference"])
    world.now += 60
    dms.post(f"cases/{made[0]}/events", {"status": "in_progress"})
    seen: list[str] = []
    cursor: dict[str, str] = {}
    while True:
        page = dms.get("cases", limit=2, **cursor).json
        seen += [case["reference"] for case in page["cases"]]
        if page["cursor"] is None:
            break
        cursor = {"cursor": page["cursor"]}
    assert seen == [made[0], *reversed(made[1:])]

    def listed(**query: Any) -> list[str]:
        return [case["reference"] for case in dms.get("cases", **query).json["cases"]]

    assert listed(office="JKP Voda") == [made[3], made[1]]
    assert listed(status="in_progress") == [made[0]]
    assert listed(number="br. 3/26") == [made[3]]
    assert listed(number="3/26", status="resolved") == []
    assert listed(kind="problem") == []
    since = datetime.fromtimestamp(NOON + 5 * 60).astimezone().isoformat()
    assert listed(updated_after=since) == [made[0], made[4]]
    assert len(listed(kind="administrative")) == 5


@pytest.mark.shows("B71")
@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"limit": 0}, "limit"),
        ({"limit": 201}, "limit"),
        ({"limit": "many"}, "limit"),
        ({"status": "open"}, "status"),
        ({"kind": "letter"}, "kind"),
        ({"office": "nema"}, "office"),
        ({"updated_after": "yesterday"}, "updated_after"),
        ({"cursor": "1"}, "cursor"),
    ],
)
def test_a_parameter_that_means_nothing_is_422(dms: System, query: dict[str, Any], field: str) -> None:
    answer = dms.get("cases", **query)
    assert (answer.status, answer.json["error"]["field"]) == (422, field)


@pytest.mark.shows("B70", "A4")
def test_a_cursor_is_good_as_it_was_given_to_the_key_it_was_given_to(dms: System, world: World) -> None:
    for _ in range(3):
        world.now += 60
        dms.file()
    cursor = dms.get("cases", limit=1).json["cursor"]
    assert len(dms.get("cases", limit=5, cursor=cursor).json["cases"]) == 2
    other = System(world.slug)
    changed = cursor[:-2] + ("AA" if cursor[-2:] != "AA" else "BB")
    for asker, shown in ((other, cursor), (dms, changed), (dms, cursor[20:]), (dms, "ž" * 10)):
        answer = asker.get("cases", cursor=shown)
        assert (answer.status, answer.json["error"]["field"]) == (422, "cursor")
    assert dms.get("cases", cursor=cursor, call=1).status == 422, "a walk through another list"


def _stored(world: World, kind: str) -> Case:
    case = Case(
        tenant=world.slug,
        reference=references.reference("PR", kind.encode().ljust(8)),
        kind=kind,
        status="received",
        subject="Hrana za baku",
        created_at=int(NOON),
        updated_at=int(NOON),
        voice=Voice("sr"),
        fields={"street": "Venac 3"},
        sealed={"personal_number": "c2VhbGVk"},
        place=Place("Venac 3", 45.7, 19.1),
        owner=Follower("viber:x", "mira"),
        assignee=("volunteer", "v1", "Jovan"),
    )
    case = lifecycle.opened(case, "citizen")
    case = lifecycle.change(case, lifecycle.Event(int(NOON), "staff:ana", public_note="zvonite dvaput"))
    return CaseStore(world.slug).add(replace(case), SOON)


@pytest.mark.parametrize(("kind", "scope"), [("chat", "chats"), ("assistance", "help")])
def test_chats_and_help_are_masked_without_their_scope_and_sealed_slots_always(
    dms: System, world: World, kind: str, scope: str
) -> None:
    reference = _stored(world, kind).reference
    shown = System(world.slug, ["cases:read", scope]).get(f"cases/{reference}").json
    assert (shown["subject"], shown["fields"]["street"], shown["assignee"]["name"]) == (
        "Hrana za baku",
        "Venac 3",
        "Jovan",
    )
    masked = System(world.slug, ["cases:read"]).get(f"cases/{reference}").json
    assert not {"Hrana", "Venac", "Jovan", "zvonite"} & set(re.findall(r"\w+", json.dumps(masked, ensure_ascii=False)))
    for case in (shown, masked):
        assert case["fields"]["personal_number"] == "•••"
        assert "c2VhbGVk" not in json.dumps(case)
    assert "mira" not in json.dumps(shown)


def test_the_description_in_the_repository_is_the_one_that_is_served(dms: System) -> None:
    assert openapi.FILE.read_text(encoding="utf-8") == openapi.written(), "make openapi"
    with Client(app.app) as client:
        served = client.http.get("/api/v1/openapi.json")
        page = client.http.get("/api/v1/reference")
    assert served.json_body == document()
    shown = page.body.decode()
    for path, entry in document()["paths"].items():
        assert path in shown
        assert all(entry[method]["summary"] in unescape(shown) for method in entry if method != "parameters")
    assert "<script" not in shown and " style=" not in shown


def test_the_description_for_programs_names_every_route_and_field(dms: System) -> None:
    described = document()
    assert described["openapi"].startswith("3.1")
    assert set(described["components"]["schemas"]["Case"]["properties"]) == FIELDS | {"assignee"}
    references_used = set(re.findall(r'"#/components/schemas/(\w+)"', json.dumps(described)))
    assert references_used <= set(described["components"]["schemas"])
    routes = {
        (path, method)
        for path, methods in app.app.routes.items()
        for method in methods
        if path.startswith("/api/v1/{tenant}/")
    }
    told = {
        (path, method.upper())
        for path, entry in described["paths"].items()
        for method in entry
        if method != "parameters"
    }
    assert told == routes
