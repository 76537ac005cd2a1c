"""Open311 GeoReport v2 as other programs use it, through the product's own routes."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from secrets import token_urlsafe
from typing import Any

import pytest

from chalicelib.actions import clock, pace
from chalicelib.actions.sweep import sweep
from chalicelib.model import Case, Happening
from chalicelib.storage import api_keys
from chalicelib.storage.cases import CaseStore
from chalicelib.storage.pace import Bucket
from chalicelib.wire import Deadline
from tests.console.clerk import Clerk
from tests.integrations.client311 import POTHOLE, Client311
from tests.media import samples
from tests.world import World

SOON = Deadline(1e6)
WHO = {"first_name": "Mira", "last_name": "Anić", "phone": "+381631234567", "email": "mira@primer.example"}


@pytest.fixture
def system(world: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[Client311]:
    """A program with a key of the scope `open311`; the product's clock stands at the world's."""
    monkeypatch.setattr(clock, "now", lambda: world.now)
    monkeypatch.setattr("chalicelib.actions.open311.REQUEST_SECONDS", 60.0)
    yield Client311(world.slug, key(world, "open311"))


@pytest.fixture
def anybody(system: Client311, world: World) -> Client311:
    return Client311(world.slug)


def key(world: World, *scopes: str) -> str:
    return api_keys.make(world.slug, "test", scopes, token_urlsafe(32), world.now, Deadline(20))


def stored(world: World, reference: str) -> Case:
    case = CaseStore(world.slug).load(reference, SOON)
    assert case is not None
    return case


# --- what there is ----------------------------------------------------------------------------------------------


def test_kinds_of_problems_are_services_and_own_questions_their_attributes(anybody: Client311, world: World) -> None:
    found = {each["service_code"]: each for each in anybody.get("services.json").json}
    assert list(found)[:3] == ["road", "light", "waste"]
    assert found["road"]["type"] == "realtime"
    assert found["road"]["metadata"] is False and found["sewage"]["metadata"] is True
    assert found["road"]["group"] == "JKP Putevi"
    assert ", " in found["road"]["keywords"]
    definition = anybody.get("services/sewage.json").json
    (attribute,) = definition["attributes"]
    assert definition["service_code"] == "sewage"
    assert (attribute["code"], attribute["datatype"], attribute["required"]) == ("since", "singlevaluelist", True)
    assert [value["key"] for value in attribute["values"]] == ["today", "longer"]


def test_every_read_is_told_in_xml_as_in_json(anybody: Client311, system: Client311) -> None:
    reference = system.file(description='Rupa < 2 m & "duboka"')
    services = anybody.get("services.xml")
    assert services.headers["Content-Type"] == "text/xml; charset=utf-8"
    assert services.body.startswith('<?xml version="1.0" encoding="utf-8"?>')
    assert services.xml.tag == "services" and services.xml[0].findtext("metadata") == "false"
    definition = anybody.get("services/sewage.xml").xml
    assert definition.findtext("attributes/attribute/values/value/key") == "today"
    one = anybody.get(f"requests/{reference}.xml").xml
    assert one.tag == "service_requests"
    assert one.findtext("request/description") == 'Rupa < 2 m & "duboka"'
    assert anybody.get("requests.xml").xml.findtext("request/service_request_id") == reference
    assert anybody.get(f"tokens/{reference}.xml").xml.findtext("request/token") == reference
    found = anybody.get("discovery.xml").xml
    assert found.findtext("endpoints/endpoint/specification") == "http://wiki.open311.org/GeoReport_v2"
    assert found.findtext("endpoints/endpoint/formats/format") == "text/xml"
    endpoint = anybody.get("discovery.json").json["endpoints"][0]["url"]
    assert endpoint == f"https://bot.primer.example/open311/{anybody.town}/v2/"


# --- filing -----------------------------------------------------------------------------------------------------


def test_a_filed_request_is_a_case_like_any_other(system: Client311, world: World) -> None:
    reference = system.file(**WHO, service_code="sewage", **{"attribute[since]": "longer"})
    case = stored(world, reference)
    assert (case.kind, case.category, case.status, case.channel) == ("problem", "sewage", "received", "open311")
    assert (case.office, case.subject) == ("putevi", world.town.texts["sr"]["category.sewage"])
    assert case.fields == {"description": "Velika rupa", "sewage_since": "longer", "street_folded": "venac"}
    assert case.place and (case.place.latitude, case.place.text) == (45.7733, "Venac 12")
    assert case.applicant == {"name": "Mira Anić", "phone": "+381631234567", "email": "mira@primer.example"}
    assert case.due_at > world.now and case.history[0].by.startswith("api:")
    assert any(each.kind == "problem" for each in CaseStore(world.slug).open_page(10, SOON).cases)


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"service_code": ""}, ["service_code"]),
        ({"lat": "", "long": "", "address_string": ""}, ["lat and long"]),
        ({"lat": "91"}, ["lat and long"]),
        ({"lat": "nan"}, ["lat and long"]),
        ({"lat": "0", "long": "0"}, ["lat and long"]),
        ({"lat": "37.7", "long": "-122.4"}, ["outside the town"]),
        ({"service_code": "sewage"}, ["attribute[since] was not provided"]),
        ({"service_code": "sewage", "attribute[since]": "never"}, ["attribute[since] is one of today, longer"]),
        ({"service_code": "noise", "lat": "x"}, ["lat and long", "first_name", "phone"]),
        ({"service_code": "illegal_dump"}, ["media"]),
        ({"media_url": "file:///etc/passwd"}, ["media_url"]),
    ],
)
def test_what_is_missing_or_wrong_is_named_field_by_field_and_nothing_is_stored(
    system: Client311, world: World, fields: dict[str, str], named: list[str]
) -> None:
    answer = system.post("requests.json", POTHOLE | fields)
    assert answer.status == 400
    assert all(fault["code"] == 400 for fault in answer.json)
    said = [fault["description"] for fault in answer.json]
    assert len(said) == len(named) and all(word in line for word, line in zip(named, said, strict=True)), said
    in_xml = system.post("requests.xml", POTHOLE | fields)
    assert in_xml.xml.tag == "errors" and in_xml.xml.findtext("error/description") == said[0]
    assert CaseStore(world.slug).changed_page(5, SOON).cases == ()


def test_unknown_services_towns_keys_and_types_are_refused_in_the_standards_words(
    system: Client311, anybody: Client311, world: World
) -> None:
    faults = {
        404: [
            system.post("requests.json", POTHOLE | {"service_code": "ufo"}),
            system.post("requests.json", POTHOLE | {"jurisdiction_id": "drugi.rs"}),
            anybody.get("services/ufo.json"),
            anybody.get("requests.json", service_code="ufo"),
            anybody.get("requests/PR-2222-222.json"),
            anybody.get("requests/%3Cscript%3E.json"),
            anybody.get("tokens/PR-2222-222.json"),
            anybody.get("services"),
            Client311("nema-takvog").get("services.json"),
        ],
        403: [
            anybody.post("requests.json", POTHOLE),
            Client311(world.slug, "wrong").post("requests.json", POTHOLE),
            Client311(world.slug, key(world, "cases:read")).post("requests.json", POTHOLE),
            Client311(world.slug, "wrong").get("requests.json"),
        ],
        400: [
            anybody.get("requests.json", status="broken"),
            anybody.get("requests.json", start_date="yesterday"),
            anybody.get("requests.json", start_date="2025-01-01", end_date="2026-01-01"),
            anybody.get("requests.json", page_size="5000"),
            anybody.get("requests.json", page="12", page_size="100"),
        ],
        415: [system.post("requests.json", POTHOLE, Content_Type="application/json")],
    }
    for status, answers in faults.items():
        for answer in answers:
            assert (answer.status, answer.json[0]["code"]) == (status, status), answer
            assert answer.json[0]["description"]
    assert system.post("requests.json", POTHOLE | {"jurisdiction_id": world.slug}).status == 201


@pytest.mark.shows("R6")
def test_a_key_of_another_town_opens_nothing_here(world: World, system: Client311) -> None:
    assert Client311(world.slug, "local-key-primer").get("requests.json").status == 403
    elsewhere = Client311("drugi-grad", system.key)
    assert elsewhere.get("services.json").status == 403


def test_the_same_request_with_the_same_key_files_once(system: Client311, world: World) -> None:
    first = system.post("requests.json", POTHOLE, Idempotency_Key="a1")
    again = system.post("requests.json", POTHOLE, Idempotency_Key="a1")
    other = system.post("requests.json", POTHOLE | {"description": "druga"}, Idempotency_Key="a1")
    assert first.json == again.json and other.status == 422
    one, two = (system.upload(POTHOLE, samples.photo(), Idempotency_Key="p1") for _ in range(2))
    assert one.status == 201 and one.json == two.json
    assert len(CaseStore(world.slug).changed_page(5, SOON).cases) == 2


@pytest.mark.shows("A6", "B27")
def test_control_characters_are_dropped_and_markup_is_only_words(system: Client311, anybody: Client311) -> None:
    reference = system.file(description="a\x00b\x0bc <svg onload=x> ]]> \ufffe")
    one = anybody.get(f"requests/{reference}.xml")
    assert one.xml.findtext("request/description") == "abc <svg onload=x> ]]>"


def test_an_uploaded_photo_is_checked_and_only_then_shown_to_whoever_may(
    system: Client311, anybody: Client311, world: World
) -> None:
    answer = system.upload(POTHOLE | {"description": "Рупа"}, samples.photo())
    reference = answer.json[0]["service_request_id"]
    assert system.get(f"requests/{reference}.json").json[0]["media_url"] is None
    sweep(world.now + 1)
    (file,) = stored(world, reference).attachments
    assert (file.state, file.type) == ("checked", "photo")
    link = system.get(f"requests/{reference}.json").json[0]["media_url"]
    path = "/" + link.split("/", 3)[3]
    assert path.startswith(f"/files/{world.slug}/") and path.endswith("/photo.jpg")
    assert Clerk().get(path).status == 302
    assert anybody.get(f"requests/{reference}.json").json[0]["media_url"] is None


@pytest.mark.shows("A9", "A10")
@pytest.mark.shows("B34")
@pytest.mark.parametrize("link", ["http://169.254.169.254/latest/meta-data", "https://10.0.0.1/a.jpg"])
def test_a_photo_inside_our_own_network_is_never_fetched(system: Client311, world: World, link: str) -> None:
    reference = system.file(media_url=link)
    sweep(world.now + 1)
    assert [file.state for file in stored(world, reference).attachments] == ["failed"]


# --- reading ----------------------------------------------------------------------------------------------------


@pytest.mark.shows("R7")
def test_nobodys_name_phone_mail_or_private_matter_is_told(system: Client311, anybody: Client311, world: World) -> None:
    mine = system.file(
        **WHO,
        description="Rupa. Zovite Miru 063 123 4567 ili mira@primer.example",
        address_string="Venac 12, kod Anića, tel. 063/123-4567",
    )
    private = system.file(**WHO, service_code="noise", description="Galama kod suseda")
    for client in (system, anybody):
        told = client.get("requests.json").body + client.get(f"requests/{mine}.xml").body
        told += client.get("servicerequestupdates.json").body
        assert not re.search(r"Mir[au]|Anić|063|631234|mira@", told), told
    assert [each["service_request_id"] for each in anybody.get("requests.json").json] == [mine]
    assert anybody.get(f"requests/{private}.json").status == 404
    assert anybody.get(f"tokens/{private}.json").status == 404
    assert anybody.get(f"requests/{mine}.json").json[0]["address"].startswith("Venac 12, kod")
    assert system.get(f"requests/{private}.json").json[0]["service_code"] == "noise"


def test_a_citizens_words_from_a_chat_and_other_kinds_of_cases_are_not_public(
    system: Client311, anybody: Client311, world: World
) -> None:
    reference = system.file(description="Rekao mi je komšija Petar")
    store = CaseStore(world.slug)
    store.save(replace(stored(world, reference), channel="viber"), SOON)
    assert anybody.get(f"requests/{reference}.json").json[0]["description"] is None
    assert system.get(f"requests/{reference}.json").json[0]["description"]
    store.save(replace(stored(world, reference), kind="question"), SOON)
    assert anybody.get(f"requests/{reference}.json").status == 404
    assert system.get("requests.json").json == []


def test_the_town_says_how_much_is_public(system: Client311, anybody: Client311, world: World) -> None:
    reference = system.file()
    world.says_of_itself("open311: {place: near, jurisdiction: primer.rs}")
    shown = anybody.get(f"requests/{reference}.json", jurisdiction_id="primer.rs").json[0]
    assert (shown["lat"], shown["long"], shown["address"]) == (45.773, 19.115, "Venac")
    assert system.get(f"requests/{reference}.json").json[0]["lat"] == 45.7733
    world.says_of_itself("open311: {public: false}")
    assert anybody.get("requests.json").json == []
    assert anybody.get(f"requests/{reference}.json").status == 404
    assert len(system.get("requests.json").json) == 1


def test_lists_are_filtered_and_paged(system: Client311, anybody: Client311, world: World) -> None:
    made = []
    for code in ("road", "road", "light", "waste"):
        made.append(system.file(service_code=code))
        world.now += 3600
    closed = stored(world, made[0])
    CaseStore(world.slug).save(replace(closed, status="resolved", updated_at=int(world.now)), SOON)

    def ids(**query: Any) -> list[str]:
        return [each["service_request_id"] for each in anybody.get("requests.json", **query).json]

    assert set(ids()) == set(made) and ids()[0] == made[0]  # last changed first
    assert set(ids(service_code="light,waste")) == set(made[2:])
    assert ids(status="closed") == [made[0]] == ids(status="fixed")
    assert set(ids(status="open,closed")) == set(made)
    assert ids(service_request_id=f"{made[1]},{made[3].lower().replace('-', '')}") == [made[1], made[3]]
    two_hours_ago = "2026-03-10T13:00:00+01:00"
    assert set(ids(start_date=two_hours_ago)) == set(made[1:])
    assert set(ids(end_date=two_hours_ago)) == set(made[:2])
    assert [ids(page=n, page_size=2) for n in (1, 2, 3)] == [ids()[:2], ids()[2:], []]


def test_a_list_is_read_by_the_month_index_in_few_requests(system: Client311, anybody: Client311, world: World) -> None:
    for _ in range(5):
        system.file()
    anybody.get("requests.json")
    world.meter.reset()
    anybody.get("requests.json")
    assert world.meter.requests["dynamodb"] <= 3


def test_who_has_no_key_is_slowed_down_apart_from_those_who_have(
    system: Client311, anybody: Client311, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pace, "BUCKET", Bucket(burst=3, per_second=0.5))
    pace.forget()
    answers = [anybody.get("services.json") for _ in range(4)]
    assert [answer.status for answer in answers] == [200, 200, 200, 429]
    assert answers[-1].json[0]["code"] == 429 and answers[-1].headers["Retry-After"] == "2"
    assert system.get("services.json").status == 200
    pace.forget()


# --- updates ----------------------------------------------------------------------------------------------------


def test_updates_are_told_with_extended_statuses_and_their_words_to_keys_alone(
    system: Client311, anybody: Client311, world: World
) -> None:
    reference = system.file()
    at = int(world.now)
    moved = replace(
        stored(world, reference),
        status="resolved",
        updated_at=at + 120,
        history=(
            *stored(world, reference).history,
            Happening(at + 60, "status", "in_progress", "staff:x", "Poštovana Mira, radimo", public=True),
            Happening(at + 90, "note", "in_progress", "staff:x", "samo za nas"),
            Happening(at + 120, "status", "resolved", "staff:x"),
        ),
    )
    CaseStore(world.slug).save(moved, SOON)
    world.now += 3600
    span = {"start_date": "2026-03-10T11:00:00Z", "end_date": "2026-03-10T12:00:00Z"}
    public = anybody.get("servicerequestupdates.json", **span).json
    assert [each["status"] for each in public] == ["in_progress", "fixed"]
    assert "Mira" not in json.dumps(public) and "samo za nas" not in json.dumps(public)
    trusted = system.get("servicerequestupdates.xml", **span).xml
    assert trusted.tag == "service_request_updates"
    assert [each.findtext("status") for each in trusted.iter("request_update")] == ["in_progress", "fixed"]
    assert "radimo" in str(trusted.findtext("request_update/description"))
    assert [each["update_id"] for each in public] == [each.text for each in trusted.iter("update_id")]
    assert anybody.get("servicerequestupdates.json", end_date="2026-03-10T11:00:30Z").json == []


def test_a_posted_update_is_taken_once_and_moves_a_case_only_for_the_office(system: Client311, world: World) -> None:
    reference = system.file()
    word = {
        "service_request_id": reference,
        "update_id": "77",
        "status": "FIXED",
        "updated_datetime": "2026-03-10T12:00:00Z",
        "description": "Zakrpljeno",
    }
    first = system.post("servicerequestupdates.xml", word)
    assert first.status == 201 and first.xml.findtext("request_update/update_id")
    assert system.post("servicerequestupdates.xml", word).body == first.body
    case = stored(world, reference)
    assert case.status == "received" and [each.note for each in case.history] == ["", "Zakrpljeno"]
    assert not case.history[-1].public
    office = Client311(world.slug, key(world, "open311", "cases:write"))
    assert office.post("servicerequestupdates.json", word | {"update_id": "78"}).status == 201
    case = stored(world, reference)
    assert case.status == "resolved" and case.history[-1].public and case.history[-1].note == "Zakrpljeno"
    missing = system.post("servicerequestupdates.json", {"update_id": "1"})
    assert missing.status == 400 and len(missing.json) == 3
