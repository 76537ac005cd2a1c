"""Files of cases, as towns' programs write them: by the API in one request, from the counter in slices."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import time
import tracemalloc
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any
from urllib.parse import quote_plus

import pytest

from chalicelib.actions import clock, import_cases, upload_cases, work_outbox
from chalicelib.actions.answer_doorbell import answer_doorbell
from chalicelib.cases import case_file
from chalicelib.model import Staff
from chalicelib.storage import aws, imports, keys, outbox, staff, views
from chalicelib.storage.cases import CaseStore
from chalicelib.wire import Deadline
from tests.console.desk import Desk
from tests.faults.breaking import Breaker, Killed
from tests.integrations.system import Answer, System
from tests.taps import tapped
from tests.world import World

SOON = Deadline(1e6)
HEADER = "number;subject;name;phone;language;office;official;status;awaiting_institution;public_note;consent\n"


@pytest.fixture
def dms(world: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[System]:
    monkeypatch.setattr(clock, "now", lambda: world.now)
    monkeypatch.setattr("chalicelib.actions.case_api.REQUEST_SECONDS", 60.0)
    monkeypatch.setattr("chalicelib.actions.case_api.IMPORT_SECONDS", 60.0)
    monkeypatch.setattr("chalicelib.console.door.PAGE_SECONDS", 60.0)
    yield System(world.slug)


def sends(dms: System, body: str | bytes, **headers: str) -> Answer:
    raw = body.encode() if isinstance(body, str) else body
    return dms.post("cases/import", raw, **({"Content_Type": "text/csv"} | headers))


def case(dms: System, number: str) -> dict[str, Any]:
    (found,) = dms.get("cases", number=number).json["cases"]
    return dict(found)


# --- what a row does --------------------------------------------------------------------------------------------


def test_a_new_number_files_and_a_known_one_changes(dms: System) -> None:
    first = sends(
        dms, HEADER + "1/26;Legalizacija;Mira Š.;060 123 4567;sr-Cyrl;JKP Voda;Ana Anić;;;;da\n2/26;Dozvola;P. P.\n"
    )
    assert (first.status, first.json) == (200, {"applied": 2, "unchanged": 0, "rejected": []})
    made = case(dms, "1/26")
    told = (made["office"], made["official"], made["language"], made["script"], made["consent"], made["channel"])
    assert told == ("voda", "Ana Anić", "sr", "cyrillic", True, "import")
    second = sends(dms, "number;status;public_note\n1/26;in_progress;Uzeto u rad\n2/26;;\n")
    assert second.json == {"applied": 1, "unchanged": 1, "rejected": []}
    changed = case(dms, "1/26")
    assert changed["status"] == "in_progress" and changed["history"][-1]["note"] == "Uzeto u rad"


def test_the_same_file_again_applies_nothing(dms: System) -> None:
    body = HEADER + "1/26;Legalizacija;Mira;;;;Ana;awaiting_opinion;MUP;Čekamo MUP;ne\n"
    assert sends(dms, body).json["applied"] == 1
    before = case(dms, "1/26")
    for _ in range(2):
        assert sends(dms, body).json == {"applied": 0, "unchanged": 1, "rejected": []}
    assert case(dms, "1/26") == before


def test_rejected_rows_say_line_field_and_reason_and_the_others_are_applied(dms: System) -> None:
    body = HEADER + "\n".join(
        [
            "1/26;Legalizacija;Mira",
            ";Bez broja;Mira",
            '2/26;"Predmet u\ndva reda";Petar',
            "3/26;;Mira",
            "4/26;Predmet;Mira;zovite me",
            "5/26;Predmet;Mira;;;Nepoznata služba",
            "6/26;Predmet;Mira;;;;;leti",
            "7/26;Predmet;Mira;;;;;;;;možda",
            "8/26;Predmet;Mira;;;;;;;;da;višak",
            "9/26;Predmet;Mira;;;;;withdrawn",
        ]
    )
    answer = sends(dms, body).json
    assert answer["applied"] == 2
    assert [(each["line"], each["field"], each["reason"]) for each in answer["rejected"]] == [
        (3, "number", "missing"),
        (6, "subject", "missing"),
        (7, "phone", "bad_value"),
        (8, "office", "unknown_office"),
        (9, "status", "unknown_status"),
        (10, "consent", "bad_value"),
        (11, None, "too_many_cells"),
        (12, "status", "not_by_you"),
    ]


def test_rows_of_one_number_are_taken_in_their_order(dms: System) -> None:
    answer = sends(dms, "broj;predmet;ime;status\n1/26;A;B;\n1 / 26;;;u obradi\n1/26;;;resolved\n")
    assert answer.json == {"applied": 3, "unchanged": 0, "rejected": []}
    assert case(dms, "1/26")["status"] == "resolved"


def test_a_move_the_graph_does_not_know_is_rejected(dms: System) -> None:
    sends(dms, "number,subject,name,status\n1/26,A,B,resolved\n")
    answer = sends(dms, "number,status\n1/26,in_progress\n").json
    assert answer["rejected"] == [{"line": 2, "field": "status", "reason": "transition_not_allowed"}]


def test_an_imported_case_is_found_by_its_words_at_once(dms: System, world: World) -> None:
    sends(dms, "number,subject,name,phone\n1/26,Rušenje bagrema,Đura Šarac,060 123 4567\n")
    shown = Desk(world, "head").opens("/console/search?q=sarac")
    assert shown.status == 303, shown.words


# --- how a file may look ----------------------------------------------------------------------------------------

SERBIAN = "Број предмета;Предмет;Име и презиме;Телефон;Статус;Сагласност\n1/26;Легализација;Ђорђе Шћ.;;У обради;да\n"
LATIN = "Broj predmeta,Naziv predmeta,Podnosilac,Telefon,Stanje,Saglasnost\n1/26,Legalizacija,Đorđe Šć.,,U obradi,da\n"
ENGLISH = (
    "File number\tTitle\tApplicant\tPhone number\tState\tConsent\n1/26\tLegalizacija\tĐorđe Šć.\t\tin progress\tyes\n"
)


@pytest.mark.shows("B11", "B74")
@pytest.mark.parametrize(
    ("body", "encoding"),
    [
        (SERBIAN, "utf-8"),
        (SERBIAN, "utf-8-sig"),
        (SERBIAN, "utf-16"),
        (LATIN, "utf-8"),
        (LATIN, "cp1250"),
        (LATIN.replace("\n", "\r\n"), "cp1250"),
        (ENGLISH, "utf-8-sig"),
        ("sep=,\r\n" + LATIN, "cp1250"),
        ("\n\n" + LATIN, "utf-8"),
    ],
)
def test_encodings_delimiters_and_headers_of_any_office_are_read(body: str, encoding: str) -> None:
    (row,) = case_file.rows(body.encode(encoding))
    assert row.cells["number"] == "1/26" and row.cells["name"] in ("Đorđe Šć.", "Ђорђе Шћ.")
    assert case_file.status_of(row.cells["status"], ("received", "in_progress")) == "in_progress"
    assert case_file.consent_of(row.cells["consent"]) is True


@pytest.mark.shows("B12")
@pytest.mark.parametrize(
    ("body", "reason"),
    [(b"", "empty"), (b"  \n", "empty"), (b"PK\x03\x04\0\0", "not_csv"), (b"a;b\n1;2\n", "no_number_column")],
)
def test_what_is_no_file_of_cases_is_refused_as_a_whole(dms: System, body: bytes, reason: str) -> None:
    answer = sends(dms, body)
    assert (answer.status, answer.code) == (422, reason)


def test_a_longer_file_than_one_request_takes_is_refused_and_the_other_way_named(
    dms: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chalicelib.actions.case_api.IMPORT_ROWS_MAX", 2)
    answer = sends(dms, "number,subject,name\n1,A,B\n2,A,B\n3,A,B\n")
    assert (answer.status, answer.code) == (413, "too_many_rows")
    assert "console" in answer.json["error"]["message"]
    assert dms.get("cases").json["cases"] == []


def test_another_type_and_a_key_that_may_not_write_are_refused(dms: System, world: World) -> None:
    assert sends(dms, "{}", Content_Type="application/json").status == 415
    assert sends(System(world.slug, ("cases:read",)), HEADER).status == 403


# --- from the counter, in slices --------------------------------------------------------------------------------


def uploaded(world: World, desk: Desk, body: str | bytes) -> str:
    """The file in the bucket and its import begun; its id."""
    page = desk.opens("/console/counter/import")
    found = re.search(r'name="upload" value="([\w-]+)"', page.text)
    assert found and page.status == 200
    raw = body.encode() if isinstance(body, str) else body
    key = keys.import_upload(world.slug, found[1])
    aws.put_object(os.environ["SALTER_MEDIA_BUCKET"], key, raw, "text/csv", SOON)
    assert desk.sends("/console/counter/import", upload=found[1]).status == 303
    return found[1]


def worked(world: World, identifier: str, runs: int = 20) -> imports.Import:
    """Every row of the import worked, one after another, as the doorbell would."""
    job = imports.load(world.slug, identifier, world.now, SOON)
    row = f"import-{identifier}"
    for _ in range(runs):
        work_outbox.work(keys.outbox(world.slug, row), world.now, SOON)
        job = imports.load(world.slug, identifier, world.now, SOON)
        assert job is not None
        if job.state != imports.GOING:
            return job
        row = f"import-{identifier}-{job.next_row}"
    raise AssertionError("it does not end")


def _slice_by_slice(monkeypatch: pytest.MonkeyPatch, rows: int) -> None:
    """So many rows a slice, and one slice a run."""
    monkeypatch.setattr(import_cases, "SLICE_ROWS", rows)
    monkeypatch.setattr(import_cases, "SLICE_SECONDS_NEEDED", 1e9)


def test_an_uploaded_file_is_worked_through_in_slices_and_told_row_by_row(
    dms: System, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    _slice_by_slice(monkeypatch, 7)
    desk = Desk(world)
    rows = [f"{n}/26;Predmet {n};Ime {n}" for n in range(1, 20)] + [";bez broja;x", "=1+1;;"]
    identifier = uploaded(world, desk, "broj;predmet;ime\n" + "\n".join(rows))
    waiting = desk.opens(f"/console/counter/import/{identifier}")
    assert 'hx-trigger="every 2s"' in waiting.text
    job = worked(world, identifier)
    assert (job.rows, job.applied, job.unchanged, job.rejected) == (21, 19, 0, 2)
    shown = desk.opens(f"/console/counter/import/{identifier}")
    assert "Uvoz je završen" in shown.words and "21" in shown.words and "hx-get" not in shown.text
    table = desk.opens(f"/console/counter/import/{identifier}/rows")
    lines = table.text.removeprefix("\ufeff").split("\r\n")
    assert len(lines) == 23 and lines[20].startswith("21;;rejected;;number;missing")
    assert lines[21].startswith("22;'=1+1;rejected")
    assert case(dms, "19/26")["history"][0]["by"] == "staff:clerk1"


@pytest.mark.shows("F1", "R1")
@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("nth", range(1, 25, 2))
def test_killed_anywhere_an_import_files_everything_once_and_counts_it_once(
    dms: System, world: World, nth: int, when: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(import_cases, "SLICE_ROWS", 2)
    monkeypatch.setattr(import_cases, "AT_ONCE", 1)
    identifier = uploaded(world, Desk(world), "broj;predmet;ime\n1/26;A;B\n2/26;A;B\n3/26;A;B\n")
    with suppress(Killed), tapped(Breaker(nth, when, "killed")):
        work_outbox.work(keys.outbox(world.slug, f"import-{identifier}"), world.now, SOON)
    world.now += 1000
    world.warm()
    job = worked(world, identifier)
    assert (job.rows, job.next_row, job.applied, job.unchanged, job.rejected) == (3, 3, 3, 0, 0)
    assert len(CaseStore(world.slug).changed_page(10, SOON).cases) == 3


@pytest.mark.shows("A21")
def test_what_is_posted_over_a_file_after_it_was_taken_changes_nothing(
    dms: System, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The form is good for half an hour; the file counts as it was when somebody had it imported."""
    _slice_by_slice(monkeypatch, 1)
    desk = Desk(world)
    identifier = uploaded(world, desk, "broj;predmet;ime\n1/26;A;B\n2/26;A;B\n")
    key, bucket = keys.import_upload(world.slug, identifier), os.environ["SALTER_MEDIA_BUCKET"]

    def over(number: int) -> int:
        aws.put_object(
            bucket, key, f"broj;predmet;ime\n8{number}/26;X;Y\n9{number}/26;X;Y\n".encode(), "text/csv", SOON
        )
        return desk.sends("/console/counter/import", upload=identifier).status

    with ThreadPoolExecutor(12) as threads:
        assert set(threads.map(over, range(11))) == {303}
        assert worked(world, identifier).applied == 2
    assert sorted(case.number for case in CaseStore(world.slug).changed_page(10, SOON).cases) == ["1/26", "2/26"]


@pytest.mark.shows("A21")
def test_of_two_files_posted_at_once_with_one_form_of_the_api_one_is_taken_whole(
    dms: System, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun = dms.post("imports", {"name": "predmeti.csv"}).json
    name = begun["upload"]["fields"]["key"].rpartition("/")[2]
    start = import_cases.start

    def slowly(*told: Any) -> None:
        """Before the first is begun the second is there, and is begun."""
        monkeypatch.setattr(import_cases, "start", start)
        dropped(world, name, "broj;predmet;ime\n2/26;A;B\n3/26;A;B\n")
        start(*told)

    monkeypatch.setattr(import_cases, "start", slowly)
    dropped(world, name, "broj;predmet;ime\n1/26;A;B\n")
    assert worked(world, begun["id"]).applied == 2
    assert sorted(case.number for case in CaseStore(world.slug).changed_page(10, SOON).cases) == ["2/26", "3/26"]


def test_a_file_that_is_none_is_told_so(dms: System, world: World) -> None:
    desk = Desk(world)
    identifier = uploaded(world, desk, "ovo nije\ntabela\n")
    assert worked(world, identifier).reason == "no_number_column"
    assert "nema kolone sa brojem" in desk.opens(f"/console/counter/import/{identifier}").words


def test_nobody_sees_another_towns_import(dms: System, world: World) -> None:
    assert Desk(world).opens("/console/counter/import/" + "a" * 24).status == 404
    assert upload_cases.found(world.town, "../x", world.now, SOON) is None


# --- laid into the bucket ---------------------------------------------------------------------------------------


def dropped(world: World, name: str, body: str | bytes, *, rung: int = 1) -> None:
    """A file the town's program lays into the bucket, and the bucket's word of it, as often as it is said."""
    key = keys.dropped_file(world.slug, name)
    raw = body.encode() if isinstance(body, str) else body
    aws.put_object(os.environ["SALTER_MEDIA_BUCKET"], key, raw, "text/csv", SOON)
    record = {"eventSource": "aws:s3", "s3": {"object": {"key": quote_plus(key, safe="/")}}}
    for _ in range(rung):
        assert answer_doorbell([("1", json.dumps({"Records": [record]}))], world.now) == {"batchItemFailures": []}


def result(world: World, name: str) -> list[str]:
    """The lines of the file that tells what became of another."""
    found = aws.get_object(os.environ["SALTER_MEDIA_BUCKET"], keys.dropped_file(world.slug, name), 10**6, SOON)
    return found.decode("utf-8-sig").splitlines() if found else []


def newest(world: World) -> list[imports.Import]:
    return list(imports.newest(world.slug, world.now, SOON))


@pytest.fixture
def admin(world: World) -> Staff:
    person = Staff(world.slug, "admin@primer.example", "admin1", "admin", name="Ana")
    staff.save(person, SOON)
    return person


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1250"])
def test_a_file_laid_into_the_bucket_is_worked_once_and_told_beside_it_in_the_console_and_by_mail(
    dms: System, world: World, admin: Staff, encoding: str
) -> None:
    body = "Broj predmeta;Predmet;Podnosilac\n1/26;Legalizacija;Đorđe Šć.\n=2+5;;\n2/26;Dozvola;Žika\n"
    dropped(world, "predmeti noć.csv", body.encode(encoding), rung=3)
    (job,) = newest(world)
    done = worked(world, job.id)
    assert (done.applied, done.rejected, case(dms, "1/26")["history"][0]["by"]) == (2, 1, "api:drop")
    told = result(world, "predmeti noć.result.csv")
    assert [line.split(";")[2] for line in told] == ["outcome", "applied", "rejected", "applied"]
    assert told[2].startswith("3;'=2+5;rejected;;subject;missing")
    page = Desk(world, "head").opens("/console/counter/import").words
    assert "predmeti noć.csv" in page
    (mail,) = [row for row in outbox_of(world) if row.kind == "email"]
    assert mail.body["to"] == admin.mail
    assert "predmeti noć.csv" in mail.body["subject"] and "Odbijeno: 1" in mail.body["text"]


def outbox_of(world: World) -> list[outbox.Row]:
    owed = [entry["id"] for entry in views.owed(world.slug)]
    return [row for key in owed if (row := outbox.load(keys.outbox(world.slug, key), world.now, SOON))]


@pytest.mark.shows("B73", "B74", "A8")
def test_no_cell_of_a_result_is_a_formula_and_every_sign_stays_in_its_cell(dms: System, world: World) -> None:
    numbers = ["=1+1", "+1", "-1", "@SUM(A1)", " =1", "\uff1d1", 'a"b', "a;b", "a\nb"]
    written = io.StringIO()
    csv.writer(written, delimiter=";").writerows(
        [["broj", "predmet", "ime"], *([number, "", ""] for number in numbers)]
    )
    dropped(world, "znaci.csv", written.getvalue())
    worked(world, newest(world)[0].id)
    found = aws.get_object(
        os.environ["SALTER_MEDIA_BUCKET"], keys.dropped_file(world.slug, "znaci.result.csv"), 10**6, SOON
    )
    assert found is not None
    told = list(csv.reader(io.StringIO(found.decode("utf-8-sig"), newline=""), delimiter=";"))[1:]
    assert [row[1].removeprefix("'").strip() for row in told] == [number.strip() for number in numbers]
    assert all(row[1][0] not in "=+-@\uff1d\t\r\n" for row in told)


def test_the_next_nights_file_of_the_same_name_does_not_disturb_the_one_at_work(dms: System, world: World) -> None:
    dropped(world, "noc.csv", "broj;predmet;ime\n1/26;A;B\n")
    (first,) = newest(world)
    time.sleep(1.1)  # S3 tells the writing of an object to the second
    world.now += 60
    dropped(world, "noc.csv", "broj;predmet;ime\n2/26;A;B\n3/26;A;B\n")
    second = newest(world)[0]
    assert (worked(world, first.id).rows, worked(world, second.id).rows) == (1, 2)
    assert case(dms, "1/26") and case(dms, "3/26")


def test_what_cannot_be_read_is_said_beside_it(dms: System, world: World) -> None:
    dropped(world, "slika.csv", b"PK\x03\x04\0\0")
    (job,) = newest(world)
    assert worked(world, job.id).state == imports.REFUSED
    assert result(world, "slika.result.csv")[1] == ";;refused;;;not_csv"


@pytest.mark.parametrize("name", ["slika.png", "noc.result.csv", "dalje/noc.csv"])
def test_what_is_no_file_of_rows_is_left_alone(dms: System, world: World, name: str) -> None:
    dropped(world, name, "broj;predmet;ime\n1/26;A;B\n")
    assert newest(world) == []


def test_the_buckets_own_word_that_it_may_ring_is_no_failure(aws: object) -> None:
    word = {"Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": "salter"}
    assert answer_doorbell([("1", json.dumps(word))], 0.0) == {"batchItemFailures": []}


@pytest.mark.shows("F1")
@pytest.mark.campaign
@pytest.mark.parametrize(("nth", "when"), [(1, "before"), *((nth, "after") for nth in range(1, 40))])
def test_killed_anywhere_a_file_from_the_bucket_is_filed_and_told_once(
    dms: System, world: World, admin: Staff, nth: int, when: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    _killed_at(world, nth, when, monkeypatch)


@pytest.mark.shows("F1")
@pytest.mark.parametrize(("nth", "when"), [(3, "after"), (12, "before"), (20, "after"), (24, "before")])
def test_killed_here_and_there_a_file_from_the_bucket_is_filed_and_told_once(
    dms: System, world: World, admin: Staff, nth: int, when: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    _killed_at(world, nth, when, monkeypatch)


def _killed_at(world: World, nth: int, when: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(import_cases, "SLICE_ROWS", 2)
    monkeypatch.setattr(import_cases, "AT_ONCE", 1)
    with suppress(Killed), tapped(Breaker(nth, when, "killed")):
        dropped(world, "noc.csv", "broj;predmet;ime\n1/26;A;B\n2/26;A;B\n3/26;A;B\n")
        (job,) = newest(world)
        work_outbox.work(keys.outbox(world.slug, f"import-{job.id}"), world.now, SOON)
    world.now += 1000
    world.warm()
    if not newest(world):  # the bucket says it again
        record = {"eventSource": "aws:s3", "s3": {"object": {"key": keys.dropped_file(world.slug, "noc.csv")}}}
        if result(world, "noc.csv") == []:  # it never got there
            return
        answer_doorbell([("1", json.dumps({"Records": [record]}))], world.now)
    (job,) = newest(world)
    job = worked(world, job.id)
    assert (job.rows, job.next_row, job.applied, job.unchanged, job.rejected) == (3, 3, 3, 0, 0)
    assert len(CaseStore(world.slug).changed_page(10, SOON).cases) == 3
    assert len(result(world, "noc.result.csv")) == 4
    assert len([row for row in outbox_of(world) if row.kind == "email"]) == 1


def test_a_program_without_an_account_at_aws_gets_a_form_and_looks_how_far_it_has_come(
    dms: System, world: World
) -> None:
    begun = dms.post("imports", {"name": "predmeti.csv"}, Idempotency_Key="noc-1")
    assert begun.status == 201
    assert dms.post("imports", {"name": "predmeti.csv"}, Idempotency_Key="noc-1").json["id"] == begun.json["id"]
    assert dms.get(f"imports/{begun.json['id']}").json["state"] == "waiting"
    key = begun.json["upload"]["fields"]["key"]
    dropped(world, key.rpartition("/")[2], "broj;predmet;ime\n1/26;A;B\n2/26;;\n", rung=2)
    worked(world, begun.json["id"])
    told = dms.get(f"imports/{begun.json['id']}").json
    assert (told["state"], told["applied"], told["rejected"]) == ("done", 1, 1)
    assert "noc" not in told["result"] and "X-Amz-Signature" in told["result"]
    assert newest(world)[0].name == "predmeti.csv"
    assert dms.get("imports/" + "a" * 24).status == 404
    assert System(f"{world.slug}-b").get(f"imports/{begun.json['id']}").status == 404


def test_an_import_with_a_key_answers_the_same_again(dms: System) -> None:
    body = "number,subject,name\n1/26,A,B\n2/26,,\n"
    first = sends(dms, body, Idempotency_Key="f1")
    assert first.json["applied"] == 1
    assert sends(dms, body, Idempotency_Key="f1") == first
    assert sends(dms, body + "3/26,A,B\n", Idempotency_Key="f1").code == "idempotency_mismatch"


def test_a_long_file_takes_little_more_memory_than_its_bytes() -> None:
    line = "{n}/26;Legalizacija objekta;Ime i prezime {n};060 123 4567;sr-Cyrl;;;u obradi;;;da\n"
    body = (HEADER + "".join(line.format(n=n) for n in range(50_000))).encode()
    tracemalloc.start()
    try:
        count = sum(1 for _ in case_file.each_row(body))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert count == 50_000
    assert peak < len(body) + 4 * 1024 * 1024
