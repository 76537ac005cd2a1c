"""Somebody who did everything one can do here, on Viber: what is stored of them meanwhile, what they are handed, what
is left after they had it erased. Read from a raw dump, by no rules of ours."""

from __future__ import annotations

import datetime as dt
import os
import re
import urllib.request
from collections.abc import Iterator
from dataclasses import replace

import boto3
import pytest

from chalicelib.actions import announce, clock, reply_as_operator, send_page, unseal
from chalicelib.actions.sweep import sweep
from chalicelib.model import Attachment, Audience, Case, Follower, Staff, Volunteer
from chalicelib.storage import announcements, audit, aws, keys, sealing, volunteers
from chalicelib.storage.cases import CaseStore
from chalicelib.storage.dynamo import transact
from chalicelib.wire import Deadline
from infra.local import expiry
from tests import dump
from tests.integrations.system import System
from tests.media import samples
from tests.media.host import MediaHost
from tests.shows import Measure
from tests.viber import message
from tests.world import World

pytestmark = pytest.mark.early

DAY = 86400
NAME, NUMBER, WORD = "Miroslava Karanfilović", "2902000660176", "kanarinac"
PHONES = ("63987654", "63 987 654")
KEPT = "slavujak"  # the description of a communal problem: the town keeps it, without names and numbers
TRACES = (NAME, "Miroslava", "Karanfilov", NUMBER, WORD, *PHONES)
SERVICES = """  - {id: operator, kind: operator, office: biro, hours: {weekdays: '08:00-15:00'}, shows: role}
  - {id: news, kind: news, topics: [{id: water, title: {sr: Nestanak vode}, words: [voda]}]}
  - {id: ask, kind: question, topics: [{id: porezi, title: {sr: Porezi}, office: biro}]}
"""
ANA = Staff("", "ana@primer.local", "ana1", "operator", name="Ana")
DOCUMENT = ["Hoću da naručim izvod rođenih za mene", NAME, "preskoči", "29. 2. 2000.", "Primer", "Mira i Jovan"]
DOCUMENT += ["preskoči", NUMBER, "domaći", "za školu", "1", "na šalteru", "preskoči", "pošalji"]
HELP = ["treba mi hrana", f"2 vekne hleba, {WORD}", "za mene", "danas", "Centar"]
HELP += [f"Glavna 7, {WORD}", NAME, "063 987 654", "da", "pošalji"]


def _soon() -> Deadline:
    return Deadline(60)


@pytest.fixture
def town(world: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    sealing.forget()
    monkeypatch.setattr(clock, "now", lambda: world.now)
    monkeypatch.setattr(send_page, "PAGES_PER_SECOND", 1e6)
    world.offers(SERVICES)
    yield world


def _rounds(town: World, *seconds: float) -> None:
    for pause in seconds:
        town.now += pause
        sweep(town.now)


def _presses(town: World, citizen: str, choice: str) -> None:
    town.calls(message(citizen, f"~1:{choice}"))


def _own(town: World, person: str, kind: str) -> Case:
    return next(case for case in CaseStore(town.slug).own(person, _soon()) if case.kind == kind)


def _lives(town: World, citizen: str, host: MediaHost) -> None:
    """A report with a photo, a document, a question, a chat with a person, help, news, volunteering, a copy of it all.
    Between them lies a while, so that nobody takes it for a flood."""
    person, me = keys.person(town.account.id, citizen), Follower(town.account.id, citizen)
    parts = [
        [f"Dobar dan, ja sam {NAME}"],
        [f"Velika rupa u Venca Petrovića 12 kod škole, {KEPT}"],
        ["pošalji", "da"],
        [*DOCUMENT, "da"],
        [f"Imam pitanje: Koliki je porez za {WORD}? {NAME}, 063 987 654", "pošalji", "da"],
        [*HELP, "da"],
    ]
    for part in parts:
        for text in part:
            town.says(citizen, text)
            town.now += 30
            if text.startswith("Velika rupa"):
                town.calls(message(citizen, type="picture", media=host.link("/9.jpg", samples.photo())))
        _rounds(town, 120)
    _presses(town, citizen, "news.on.water.all")
    town.says(citizen, "operater")
    town.says(citizen, f"Ja sam {NAME}, {NUMBER}, 063 987 654, {WORD}")
    chat = _own(town, person, "chat")
    reply_as_operator.take_over(town.town, chat.reference, ANA, now=town.now, holder="h", deadline=_soon())
    reply_as_operator.answer(
        town.town, chat.reference, ANA, f"Dobar dan, {NAME}", now=town.now, holder="h", deadline=_soon()
    )
    town.says(citizen, "kraj")
    _gets_a_file(town, _own(town, person, "chat"), "desk")
    _gets_a_file(town, _own(town, person, "problem"), "crew")
    helper = Volunteer(f"V-{os.urandom(3).hex()}", NAME, me, phone="+38163987654", areas=("centre",))
    transact(volunteers.items(town.slug, helper, town.now), _soon())
    draft = announce.draft(town.town, {"sr": "Sutra nema vode."}, Audience(), 0, "staff:ana", town.now, _soon())
    announce.approve(town.town, draft.id, "staff:boro", town.now, _soon(), proved=True)
    _rounds(town, 100, 100, 100)
    town.says(citizen, "Hoću kopiju svojih podataka")
    _rounds(town, 1, 1)


def _gets_a_file(town: World, case: Case, whose: str) -> None:
    """What somebody of the town (an operator, a crew) adds to a case lies under the town's people."""
    key = keys.media_object(town.slug, whose, case.reference, "x")
    for there in (key, keys.thumbnail(key)):
        aws.put_object(os.environ["SALTER_MEDIA_BUCKET"], there, f"{NAME} {WORD}".encode(), "image/jpeg", _soon())
    file = Attachment(str(len(case.attachments) + 1), "photo", 1, "checked", key)
    CaseStore(town.slug).save(replace(case, attachments=(*case.attachments, file)), _soon())


def _copies(town: World, citizen: str) -> list[str]:
    """What the links of the copy lead to."""
    links = re.findall(r"http\S+/export/\S+", " ".join(map(str, town.viber.sent)))
    return [urllib.request.urlopen(link.rstrip("',\"}")).read().decode() for link in links]


def _erases(town: World, citizen: str) -> None:
    town.now += 60
    town.says(citizen, "Obriši moje podatke")
    _presses(town, citizen, "my_data.delete.yes")
    _rounds(town, 1, 90, 1)


@pytest.mark.shows("D2", "D3", "D6", "R10", "T10", "T8", "A12", "R7", "D9")
def test_a_whole_life_is_shown_completely_and_erased_without_a_trace(
    town: World, host: MediaHost, capfd: pytest.CaptureFixture[str], measured: Measure
) -> None:
    citizen = f"mira{os.urandom(6).hex()}="
    person = keys.person(town.account.id, citizen)
    _lives(town, citizen, host)
    cases = CaseStore(town.slug).own(person, _soon())
    assert {case.kind for case in cases} == {"problem", "document", "question", "assistance", "chat"}
    before = dump.everything(town.slug)
    mine = [place for place, text in before if citizen in place + text or any(trace in text for trace in TRACES)]
    assert [place for place in mine if place.startswith("queue")] == []  # of a person not even the name of a row
    assert [place for place, text in before if NUMBER in place + text] == []  # D6: sealed or masked everywhere
    secrets = (town.token, "phone-key", "local-key-")  # they stand in the Parameter Store alone
    assert [place for place, text in before if any(secret in text for secret in secrets)] == []
    outside = [place for place, _ in before if place.startswith(("bucket", "queue"))]
    assert [place for place in outside if any(trace in place for trace in (*TRACES, citizen))] == []  # D9
    # D2: what is stored in anybody's own words is in the copy, too.
    shown = " ".join(_copies(town, citizen))
    for part in (NAME, WORD, "63987654", "news.water", *(case.reference for case in cases)):
        assert part in shown, part
    document = next(case for case in cases if case.kind == "document")
    assert document.sealed and NUMBER not in shown
    _unmasking_is_on_record(town, document)
    _erases(town, citizen)
    after = dump.everything(town.slug)
    left = [place for place, text in after if any(trace in place + text for trace in TRACES)]
    assert [(place, text) for place, text in after if place in left and town.slug in place] == []
    report = next(case for case in cases if case.kind == "problem")
    about = re.compile(rf"^cases T#{town.slug}#(K#{report.reference} |W#sla slavujak#)")
    assert [place for place, text in after if KEPT in place + text and not about.match(place)] == []
    # The channel's id: for a day the empty conversation, for a week whom the announcement's page reached.
    ids = [place for place, text in after if citizen in place + text]
    assert all(place.endswith(f"#U#{citizen} NOW") or "#AN#" in place or "#TK#" in place for place in ids), ids
    objects = {place for place, _ in after if place.startswith("bucket") and f"/{person}/" in place}
    noted = f"bucket {keys.erased(town.slug)}{person}/"  # that and when they were erased: a restore has to know
    assert [place.rpartition("/")[0] + "/" for place in objects] == [noted]
    assert not [place for place, _ in after if place.startswith(f"bucket T/{town.slug}/media/")]
    measured("D3", f"{len(mine)} items, objects and messages named the person before, 0 after")
    measured("T10", "5 cases, photo, chat, help, news, volunteering: 100% shown, 0 left")
    said = "".join(capfd.readouterr())
    assert [trace for trace in (*TRACES, citizen, town.token) if trace in said] == []
    town.now += announcements.RECEIVERS_KEPT_DAYS * DAY + 1
    expiry.remove_expired(town.now)
    assert dump.where(town.slug, citizen) == []


def _unmasking_is_on_record(town: World, document: Case) -> None:
    shown = System(town.slug).get(f"cases/{document.reference}").json
    assert NUMBER not in str(shown)
    (slot,) = document.sealed
    assert unseal.unseal(document, slot, "staff:ana1", town.now, _soon()) == NUMBER
    day = dt.datetime.fromtimestamp(town.now, dt.UTC).date().isoformat()
    acts, _ = audit.of_day(town.slug, day, _soon())
    assert any(act.what == unseal.UNMASKED and act.about == document.reference for act in acts)


def test_objects_of_every_version_are_in_the_dump(town: World) -> None:
    bucket, key = os.environ["SALTER_MEDIA_BUCKET"], f"T/{town.slug}/media/x/y"
    boto3.client("s3").put_object(Bucket=bucket, Key=key, Body=f"{WORD}".encode())
    assert f"bucket {key}" in dump.where(town.slug, WORD)
