"""`./salter town export | restore | retire`: a town taken out whole, taken away, brought back, and asked again."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

from chalicelib import wire
from chalicelib.actions import announce, clock, known, send_page, sweep, testers, unseal, watch_deadlines
from chalicelib.actions.change_case import change_case
from chalicelib.actions.publish_tenant import publish_tenant
from chalicelib.cases.lifecycle import Event
from chalicelib.model import Audience, Case, Follower, Volunteer
from chalicelib.storage import (
    api_keys,
    aws,
    callbacks,
    dynamo,
    edits,
    erased,
    imports,
    invitations,
    keys,
    media,
    open311,
    outbox,
    people,
    sealing,
    secrets,
    staff,
    tenants,
    views,
    volunteers,
)
from chalicelib.storage.cases import CaseStore
from chalicelib.storage.imports import Import
from chalicelib.storage.invitations import Invitation
from chalicelib.storage.whole import Stored
from chalicelib.wire import Deadline
from infra import bring_back, cli, retire_town, take_out
from infra.archive import Reader, Writer
from tests import dump
from tests.actions.test_document_request import NUMBER, STORY
from tests.console.clerk import employed, seated
from tests.faults.breaking import TOWNS, Breaker, Killed
from tests.integrations.system import System
from tests.shows import Measure
from tests.web import Visitor
from tests.world import World, compiled

pytestmark = pytest.mark.early

SOON = Deadline(1e6)
LINE = "  - {id: operator, kind: operator, office: biro, hours: {weekdays: '08:00-15:00'}, shows: role}\n"
NEWS = "  - {id: news, kind: news, topics: [{id: water, title: {sr: Nestanak vode}}]}\n"
WHO = "mira-17yx="
PHOTO = b"\xff\xd8 a photo of a hole"
SECONDS_MAX = 60.0
TABLES = ("conversations", "cases", "outbox", "people", "tenants")
# What a town that came back does not have: sign-ins and pace are for a moment, the pointer says another state.
MOMENTARY = ("#SES#", "#PACE#")
OF_ACCOUNTS = {keys.HEARD, keys.PACE}  # when Viber last called, and how much it was called
READS = ("Get", "Head", "List", "Query", "BatchGet", "Describe", "AdminGet", "Decrypt")
Items = dict[tuple[str, str, str], dict[str, Any]]


@pytest.fixture
def town(world: World, monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setattr(clock, "now", lambda: world.now)
    monkeypatch.setattr(retire_town, "SETTLE_SECONDS", 0.0)
    monkeypatch.setattr(retire_town, "LAG_SECONDS", 0.0)
    sealing.forget()
    world.offers(LINE + NEWS)
    return world


def salter(*arguments: str) -> int:
    return cli.main(["town", *arguments, "--stage", "test"])


def exported(town: World, path: Path) -> Path:
    assert salter("export", town.slug, str(path / "town.zip")) == 0
    return path / "town.zip"


def retired(town: World) -> None:
    assert salter("retire", town.slug, "--yes", town.slug) == 0
    town.warm()


def restored(file: Path, *more: str) -> int:
    return salter("restore", str(file), *more)


def owes(town: World) -> bool:
    """Whether anything waits in the citizen's lane."""
    conversation = town.conversation(WHO)
    return conversation is not None and bool(conversation.lane)


def stands(slug: str) -> Items:
    """Every item of every table that names the town, found by reading everything."""
    found = Items()
    for name, item in dump.stored():
        key = (name, item["pk"]["S"], item["sk"]["S"])
        if slug in f"{key} {item.get('town')}":
            found[key] = item
    return found


def objects(slug: str) -> dict[str, bytes]:
    s3, bucket = boto3.client("s3"), os.environ["SALTER_MEDIA_BUCKET"]
    found = s3.list_objects_v2(Bucket=bucket).get("Contents", ())
    return {
        one["Key"]: s3.get_object(Bucket=bucket, Key=one["Key"])["Body"].read() for one in found if slug in one["Key"]
    }


def lives(town: World, monkeypatch: pytest.MonkeyPatch) -> Case:
    """Something of every kind; the case with a sealed number."""
    monkeypatch.setattr(send_page, "PAGES_PER_SECOND", 1e6)
    for text in STORY + ["da"]:
        town.says(WHO, text)
    (case,) = CaseStore(town.slug).changed_page(5, SOON).cases
    visitor = Visitor(town)
    for said in ("Dobar dan", "operater", "Imam pitanje za službu"):
        visitor.says(said)
    town.says(WHO, "~1:news.on.water.all")
    office = System(town.slug)
    paper = office.file(number="12-7/26", applicant={"name": "Jovan J.", "phone": "+381641234567"}, office="biro")
    office.post(f"cases/{paper['reference']}/events", {"status": "in_progress"}, Idempotency_Key="one")
    _and_the_rest(town, case)
    return case


def _and_the_rest(town: World, case: Case) -> None:
    ana = employed(town.slug, "admin")
    seated(ana, town.now).get("/console/inbox")
    unseal.unseal(case, "personal_number", "staff:ana", town.now, SOON)
    draft = announce.draft(town.town, {"sr": "Sutra bez vode."}, Audience(), 0, "staff:ana", town.now, SOON)
    announce.approve(town.town, draft.id, "staff:boro", town.now, SOON, proved=True)
    sweep.sweep(town.now)
    town.now += 60
    sweep.sweep(town.now)
    helper = Follower(town.account.id, "pera")
    dynamo.transact(volunteers.items(town.slug, Volunteer("V-1", "Pera", helper, areas=("Centar",)), town.now), SOON)
    _with_other_systems(town, case)
    key = keys.media_object(town.slug, town.account.id, WHO, "https://dl.viber.com/1")
    aws.put_object(os.environ["SALTER_MEDIA_BUCKET"], key, PHOTO, "image/jpeg", SOON)
    dynamo.transact([media.item(media.Medium(town.slug, key, "photo", "checked"), town.now)], SOON)
    change_case(town.town, case.reference, Event(int(town.now), "staff:ana", status="in_progress"), town.now, "h", SOON)


def _with_other_systems(town: World, case: Case) -> None:
    """What other programs, invited people, testers and the console's editors leave."""
    now, job = town.now, Import(town.slug, "job", "incoming/x", "staff:ana", int(town.now))
    invited = Invitation(town.slug, "inv", "Pišite nam", "consent", "fascikla", "staff:ana", int(now), 1, 1)
    report = open311.Report(town.slug, "city", case.reference, "sent", int(now), number="77")
    writes = [imports.item(job), imports.listed(job), invitations.item(invited), invitations.listed(invited)]
    writes += [invitations.numbers_item(invited, 1, ["+381601112223"]), open311.item(report), open311.numbered(report)]
    dynamo.transact([*writes, edits.item(town.slug, "texts/hello", {"value": "Zdravo"}, 0)], SOON)
    invitations.claim(invited, "+381601112223", now, SOON)
    callbacks.note_taken(town.slug, "register", now, SOON)
    testers.new_link(town.slug, "platform:test", 2, 3, now, SOON)
    api_keys.make(town.slug, "pisarnica", ["cases:read"], "k" * 32, now, SOON)


@pytest.mark.shows("D10")
def test_a_town_is_exported_retired_restored_and_answers_again(
    town: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, measured: Measure, capsys: pytest.CaptureFixture[str]
) -> None:
    case = lives(town, monkeypatch)
    before, photos = stands(town.slug), objects(town.slug)
    begun = time.monotonic()
    file = exported(town, tmp_path)
    taken = time.monotonic()
    retired(town)
    away = time.monotonic()
    assert stands(town.slug) == {}
    assert objects(town.slug) == {}
    assert secrets.viber_token(town.slug, SOON) is None
    assert town.viber.asked[-1] == "set_webhook"
    assert known.town(town.slug, SOON) is None
    back = time.monotonic()
    assert restored(file) == 0
    done = time.monotonic()
    measured(
        "D10", f"{len(before)} items: out {taken - begun:.1f} s, away {away - taken:.1f} s, back {done - back:.1f} s"
    )
    with capsys.disabled():
        print(f"\nrehearsal: {len(before)} items, {len(photos)} objects: "
              f"out {taken - begun:.1f} s, away {away - taken:.1f} s, back {done - back:.1f} s")  # fmt: skip
    assert objects(town.slug) == photos
    _is_what_it_was(town.slug, before, stands(town.slug))
    _answers_again(town, case)


def _is_what_it_was(slug: str, before: Items, after: Items) -> None:
    gone = {key for key in before if key not in after and not any(part in key[1] for part in MOMENTARY)}
    left = {sk.partition("#")[0] for _, _, sk in gone}
    assert left == {"IDS"} | OF_ACCOUNTS, "whom an announcement that is over was sent to, and what follows from calls"
    new = {(table, pk, sk) for table, pk, sk in after if (table, pk, sk) not in before}
    assert {(table, sk) for table, pk, sk in new if "#AU#" not in pk} <= {
        ("tenants", take_out.RESTORING),
        ("cases", "NOW"),
    }
    changed = {key for key in before if key in after and before[key] != after[key]}
    allowed = ("#U#", "#X#", "#DUE", f"T#{slug}")
    assert all(any(part in pk for part in allowed) for _, pk, _ in changed), changed


def _answers_again(town: World, case: Case) -> None:
    boto3.client("ssm").put_parameter(
        Name=f"/salter/test/accounts/{town.slug}/viber-token", Type="SecureString", Value=town.token, Overwrite=True
    )
    publish_tenant(compiled(town.slug, more=LINE + NEWS), town.now, "live")
    secrets.forget()
    town.warm()
    sealing.forget()
    said = town.says(WHO, f"Dokle je stigao predmet {case.reference}?")
    assert case.reference in said[-1]
    back = CaseStore(town.slug).load(case.reference, SOON)
    assert back and unseal.unseal(back, "personal_number", "staff:ana", town.now, SOON) == NUMBER
    ana = staff.all_of(town.slug, SOON)[0]
    page = seated(ana, town.now).get(f"/console/cases/{case.reference}")
    assert page.status == 200 and case.reference in page.text
    assert case.reference in seated(staff.all_of(town.slug, SOON)[0], town.now).get("/console/inbox").text


# --- the file ---------------------------------------------------------------------------------------------------


def test_a_file_holds_everything_of_the_town_and_nothing_else(
    town: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lives(town, monkeypatch)
    other = f"{town.slug[:-3]}xyz"
    publish_tenant(compiled(other), town.now, "live")
    System(other).file(number="1-1/26")
    before = stands(town.slug)
    assert salter("export", town.slug, str(tmp_path)) == 0
    (file,) = tmp_path.iterdir()
    assert file.name.startswith(town.slug) and file.stat().st_mode & 0o077 == 0
    reader = Reader(file)
    held = {(one.table, one.item["pk"], one.item["sk"]): one.item for one in reader.items()}
    lasting = {key: _values(item) for key, item in before.items() if not any(part in key[1] for part in MOMENTARY)}
    accounts = {
        key
        for key in lasting
        if key[1] == "TOWNS" or (key[0], key[2]) == ("tenants", "NOW") and key[1][0] == "A" or key[2] in OF_ACCOUNTS
    }
    assert len(accounts) == 4, "they are the platform's; the file says what they say of the town"
    assert held == {key: item for key, item in lasting.items() if key not in accounts}
    record = tenants.account("viber", town.slug, SOON)
    assert record is not None
    assert reader.manifest["accounts"] == {
        town.account.id: {"name": "Grad Primer", "number": 9001, "spoken": list(record.spoken[town.slug])}
    }
    assert {kept.key: reader.body(kept) for kept in reader.objects()} == objects(town.slug)
    assert sum(reader.manifest["counts"].values()) == len(held) + 1
    raw = b"".join(zipfile.ZipFile(file).read(name) for name in zipfile.ZipFile(file).namelist())
    assert town.token.encode() not in raw and NUMBER.encode() not in raw and other.encode() not in raw
    retired(town)
    assert stands(other) and CaseStore(other).by_number("1-1/26", SOON)


def test_an_export_that_was_cut_off_is_none_and_one_that_was_damaged_is_refused(
    town: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    lives(town, monkeypatch)
    with breaking(40, kind=Breaker), contextlib.suppress(Killed):
        salter("export", town.slug, str(tmp_path / "town.zip"))
    assert [path.name for path in tmp_path.iterdir()] == ["town.zip.part"]
    assert restored(tmp_path / "town.zip.part") == 1
    assert "interrupted" in capsys.readouterr().err
    file = exported(town, tmp_path)
    retired(town)
    whole_file = file.read_bytes()
    for position in range(100, len(whole_file) - 100, len(whole_file) // 7):
        file.write_bytes(whole_file[:position] + bytes([whole_file[position] ^ 1]) + whole_file[position + 1 :])
        assert restored(file) == 1, position
    file.write_bytes(whole_file[:-50])
    assert restored(file) == 1
    assert stands(town.slug) == {}


def test_a_town_that_is_there_is_not_restored_over_and_retired_only_by_its_name(
    town: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = exported(town, tmp_path)
    before = stands(town.slug)
    for more in ((), ("--resume",)):
        assert restored(file, *more) == 1
        assert "not empty" in capsys.readouterr().err
    assert restored(file, "--as", "drugi-grad") == 1
    assert "under its own name only" in capsys.readouterr().err
    monkeypatch.setattr("builtins.input", lambda _: "primer")
    assert salter("retire", town.slug) == 1
    assert salter("retire", town.slug, "--yes", "primer") == 1
    assert salter("retire", "nobody-lives-here", "--yes", "nobody-lives-here") == 1
    assert salter("export", "nobody-lives-here", str(tmp_path / "x.zip")) == 1
    assert stands(town.slug) == before
    monkeypatch.setattr("builtins.input", lambda _: town.slug)
    assert salter("retire", town.slug) == 0
    assert salter("retire", town.slug) == 0, "done already"
    town.now += (bring_back.USABLE_DAYS + 1) * 86400
    assert restored(file) == 1
    assert "days old" in capsys.readouterr().err


def test_a_file_that_would_write_into_another_town_is_refused_before_anything_is_written(
    town: World, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = f"{town.slug}-b"
    item = {"pk": keys.town(other), "sk": keys.NOW, "state": "live"}
    theirs = keys.media_object(other, "viber:x", "y", "z")
    for number, add in enumerate(
        (lambda file: file.item(Stored("tenants", item)), lambda file: file.object(theirs, "image/jpeg", PHOTO))
    ):
        with Writer(tmp_path / f"{number}.zip") as file:
            add(file)
            file.finish({"town": town.slug, "begun_at": int(town.now), "accounts": {}, "data_key": "", "counts": {}})
        retired(town) if stands(town.slug) else None
        assert restored(tmp_path / f"{number}.zip") == 1
        assert f"not {town.slug}'s" in capsys.readouterr().err
        assert stands(town.slug) == {} and objects(other) == {}


@pytest.mark.shows("D7")
def test_with_the_town_its_key_is_gone_and_a_file_is_of_no_use_where_another_key_rules(
    town: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    case = lives(town, monkeypatch)
    file = exported(town, tmp_path)
    retired(town)
    with pytest.raises(sealing.NotOpened):
        sealing.unseal(town.slug, keys.case(town.slug, case.reference), "personal_number",
                       case.sealed["personal_number"], SOON)  # fmt: skip
    retired(town)
    wrapped = Reader(file).manifest["data_key"]
    assert sealing.opens(town.slug, wrapped, SOON) and not sealing.opens("another-town", wrapped, SOON)
    monkeypatch.setattr(sealing, "opens", lambda *_: False)  # the embedded KMS opens with any key of its own
    assert restored(file) == 1
    assert "KMS" in capsys.readouterr().err
    assert stands(town.slug) == {}


# --- people ------------------------------------------------------------------------------------------------------


@pytest.mark.shows("D10")
def test_who_was_erased_after_the_file_was_made_does_not_come_back(
    town: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    lives(town, monkeypatch)
    file = exported(town, tmp_path)
    town.now += 3600
    town.says(WHO, "Obriši moje podatke")
    town.says(WHO, "~1:my_data.delete.yes")
    sweep.sweep(town.now + 1)
    retired(town)
    listed = [key for key in objects(town.slug) if not key.startswith("erased/")]
    assert listed == [], "the list of the erased alone outlives the town"
    town.now += 3600
    assert restored(file) == 0
    assert "erased once more: 1 people" in capsys.readouterr().out
    person = keys.person(town.account.id, WHO)
    left = {key: text for key, text in _read_by_anybody(town.slug).items() if WHO in f"{key} {text}"}
    assert {key for key in left if "#X#" not in key[1]} == set()
    assert all("erase" in text for text in left.values()), "what is still to be done knows whom to erase, until it is"
    assert not any(f"/media/{person}/" in key for key in objects(town.slug))
    town.now += 120
    publish_tenant(compiled(town.slug, more=LINE + NEWS), town.now, "live")
    sweep.sweep(town.now)
    assert not any(WHO in f"{key} {text}" for key, text in _read_by_anybody(town.slug).items())
    records = people.records(town.slug, person, town.now, SOON)
    assert records and not any(people.read(records).consents.values())
    assert CaseStore(town.slug).by_number("12-7/26", SOON), "others are as they were"


def _values(item: dict[str, Any]) -> dict[str, Any]:
    """An item as boto3 gives it, in the product's own values."""
    plain = {name: next(iter(typed.items())) for name, typed in item.items()}
    return {name: int(value) if kind == "N" else frozenset(value) if kind == "BS" else value
            for name, (kind, value) in plain.items()}  # fmt: skip


def _read_by_anybody(slug: str) -> dict[tuple[str, str, str], str]:
    """Every item as text, packed bodies opened."""
    found = {}
    for key, item in stands(slug).items():
        plain = _values(item)
        with contextlib.suppress(zlib.error, KeyError, TypeError):
            plain["body"] = zlib.decompress(plain["body"]).decode()
        found[key] = str(plain)
    return found


def test_nothing_that_was_owed_when_the_file_was_made_is_sent_once_the_town_is_back(
    town: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = lives(town, monkeypatch)
    town.viber.otherwise = 500
    town.says(WHO, "Kako da dobijem uverenje?")
    change_case(town.town, case.reference, Event(int(town.now), "staff:ana", status="resolved"), town.now, "h", SOON)
    mail = {"to": "ana@primer.example", "subject": "Rok", "text": "sutra"}
    later = town.now + 7200
    owed = {"email": mail, "sms": mail, "chat_wait": {"reference": "x"}, "index_case": {"reference": case.reference}}
    rows = [outbox.write(town.slug, kind, body, town.now, due_at=later) for kind, body in owed.items()]
    draft = announce.draft(town.town, {"sr": "Još jednom."}, Audience(), int(later), "staff:ana", town.now, SOON)
    announce.approve(town.town, draft.id, "staff:boro", town.now, SOON, proved=True)
    dynamo.transact(rows, SOON)
    assert owes(town)
    file = exported(town, tmp_path)
    town.viber.otherwise = None
    retired(town)
    assert restored(file) == 0
    _comes_alive(town)
    said, told = len(town.viber.sent), len(town.viber.broadcasts)
    for _ in range(3):
        town.now += 5000
        sweep.sweep(town.now)
    assert (town.viber.sent[said:], town.viber.broadcasts[told:]) == ([], [])
    states = {row["kind"]: row["state"] for row in views.owed(town.slug)}
    assert {"email", "sms"}.isdisjoint(states)
    assert states["chat_wait"] == "dead" and states["index_case"] == "sent" and states["purge"] == "due"
    assert announce.load(town.town, draft.id, SOON).state == "stopped"
    assert town.says(WHO, "Kako da dobijem uverenje?"), "and whoever writes is answered"


def test_a_deadline_that_passed_while_the_town_was_away_is_not_spoken_of(
    town: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = lives(town, monkeypatch)
    file = exported(town, tmp_path)
    retired(town)
    town.now += 60 * 86400
    assert restored(file) == 0
    _comes_alive(town)
    watch_deadlines.forget()
    town.now += 3600
    watch_deadlines.watch_town(town.slug, town.now, SOON)
    after = CaseStore(town.slug).load(case.reference, SOON)
    assert after is not None and after.due_at < town.now
    assert after.history[-1].event == case.history[-1].event or after.history[-1].at < town.now - 86400
    assert not owes(town)
    assert not [key for key in stands(town.slug) if f"#U#{WHO}" in key[1]], (
        "a conversation that expired does not come back"
    )


def _comes_alive(town: World) -> None:
    boto3.client("ssm").put_parameter(
        Name=f"/salter/test/accounts/{town.slug}/viber-token", Type="SecureString", Value=town.token, Overwrite=True
    )
    publish_tenant(compiled(town.slug, more=LINE + NEWS), town.now, "live")
    secrets.forget()
    sealing.forget()
    town.warm()


# --- killed anywhere ---------------------------------------------------------------------------------------------


class WritesBreaker(Breaker):
    """Counts only calls that change something: to be killed at a look is to be killed after the change before it."""

    def before(self, call: wire.Call) -> None:
        if not call.operation.startswith(READS):
            super().before(call)

    def after(self, call: wire.Call, reply: wire.Reply) -> None:
        if not call.operation.startswith(READS):
            super().after(call, reply)


@contextlib.contextmanager
def breaking(
    nth: int, when: str = "after", how: str = "killed", kind: type[Breaker] = WritesBreaker
) -> Iterator[Breaker]:
    breaker = kind(nth, when, how)
    wire.taps.append(breaker)
    try:
        yield breaker
    finally:
        wire.taps.remove(breaker)


def _broken(act: Callable[[], int], nth: int, when: str, how: str) -> str:
    """What was broken; "" if it was through before."""
    with breaking(nth, when, how) as breaker, contextlib.suppress(Killed):
        act()
    return breaker.broke


def _comparable(found: Items) -> Items:
    """Without what is named at random or only counted: acts, the second look of an erasure, what runs deleted."""
    left_out = ("#AU#", "#RUNS")
    return {
        key: item
        for key, item in found.items()
        if not any(part in key[1] for part in left_out) and "erase" not in str(item.get("kind"))
    }


@pytest.mark.shows("D10")
@pytest.mark.parametrize(("when", "how", "every"), TOWNS)
def test_killed_anywhere_and_run_again_a_restore_and_a_retirement_end_the_same(
    town: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, measured: Measure, when: str, how: str, every: int
) -> None:
    lives(town, monkeypatch)
    file = exported(town, tmp_path)
    erased.note(town.slug, keys.person(town.account.id, WHO), int(town.now), SOON)
    retired(town)
    assert restored(file) == 0
    wanted, photos = _comparable(stands(town.slug)), objects(town.slug)
    retired(town)
    nth, points, broke = every // 2 or 1, 0, ("", "")
    while nth == (every // 2 or 1) or any(broke):
        first = _broken(lambda: restored(file), nth, when, how)
        assert restored(file, "--resume") == 0
        assert (_comparable(stands(town.slug)), objects(town.slug)) == (wanted, photos), (nth, first)
        second = _broken(lambda: salter("retire", town.slug, "--yes", town.slug), nth, when, how)
        retired(town)
        assert stands(town.slug) == {}, (nth, second)
        assert all(key.startswith("erased/") for key in objects(town.slug)), (nth, second)
        nth, broke = nth + every, (first, second)
        points += sum(map(bool, broke))
    assert points > 4
    measured("D10", f"{points} writes of restore and retirement broken ({when}, {how}), 0 ended otherwise")


@pytest.mark.campaign
@pytest.mark.shows("D10")
def test_a_restore_whose_process_is_killed_again_and_again_ends_whole(
    town: World, tmp_path: Path, measured: Measure
) -> None:
    town.now = time.time()  # as another process has it
    office = System(town.slug)
    for number in range(12):
        office.file(number=f"{number}/26", applicant={"name": "Jovan J.", "phone": f"+38164123456{number % 10}"})
    file = exported(town, tmp_path)
    retired(town)
    command = [sys.executable, "-m", "infra.cli", "town", "restore", str(file), "--resume", "--stage", "test"]
    kills, patience = 0, 0.1
    while True:
        running = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        assert running.stderr is not None
        running.stderr.readline()  # it has begun
        with contextlib.suppress(subprocess.TimeoutExpired):
            running.wait(patience)
        if running.poll() is None:
            running.send_signal(signal.SIGKILL)
            kills += 1
        running.communicate()
        if running.returncode == 0:
            break
        patience *= 2
        assert patience < SECONDS_MAX
    measured("D10", f"killed {kills} times by SIGKILL, then whole")
    town.warm()
    assert kills and len(CaseStore(town.slug).changed_page(20, SOON).cases) == 12
    assert [CaseStore(town.slug).by_number(f"{number}/26", SOON) is not None for number in range(12)] == [True] * 12
