"""Forged and replayed: signatures, tokens, links, queue messages, headers, unasked fields, lines of the log."""

from __future__ import annotations

import base64
import json
import logging
import random
import time
from dataclasses import replace
from secrets import token_hex
from typing import Any

import pytest
from chalice.test import Client

import app
from chalicelib import wire
from chalicelib.actions import answer_doorbell, clock, file_links, our_links, testers, uploads, work_outbox
from chalicelib.actions.journal import log
from chalicelib.channels.web import token as tokens
from chalicelib.console import door
from chalicelib.model import Attachment, Refused
from chalicelib.storage import aws, dynamo, keys, media, outbox, views
from chalicelib.storage.cases import CaseStore
from chalicelib.storage.media import Medium
from tests.abuse.test_every_route import Theirs, Written, theirs, written
from tests.console.clerk import Clerk, employed, filed, hired, record, seated, soon
from tests.integrations.system import System
from tests.media import samples
from tests.meter import Meter
from tests.shows import Measure
from tests.viber import callback, message
from tests.web import Visitor
from tests.world import World

__all__ = ["theirs", "written"]  # fixtures
FORGED_SECONDS_MAX = 0.005


@pytest.mark.shows("F6", "F7")
def test_a_callback_changed_anywhere_or_signed_by_another_town_is_403_and_costs_nothing(
    world: World, meter: Meter, measured: Measure
) -> None:
    good = callback(world.token, message("mira", "zdravo"))
    signature, body = good.headers["x-viber-content-signature"], good.body
    rng = random.Random(1)
    bodies = [bytes((*body[:at], body[at] ^ 1, *body[at + 1 :])) for at in rng.sample(range(len(body)), 20)]
    forged = [(signature, changed) for changed in (*bodies, body + b" ", body[:-1], b"")]
    forged += [(wrong, body) for wrong in ("", "0" * 64, signature[:-1], signature + "0", signature[::-1], "č" * 64)]
    meter.reset()
    began = time.process_time()
    for wrong, changed in forged:
        with pytest.raises(Refused) as refused:
            world.takes(type(good)(changed, {"x-viber-content-signature": wrong}, {}))
        assert refused.value.status == 403
    spent = (time.process_time() - began) / len(forged)
    assert (meter.operations, world.viber.sent) == ([], []), "not one request to anybody"
    assert spent < FORGED_SECONDS_MAX
    measured("F6", f"{len(forged)} forged callbacks: 403, 0 requests, {spent * 1000:.1f} ms of computing each")


@pytest.mark.shows("A13", "A4")
def test_no_chat_token_can_be_made_changed_or_used_after_its_time(world: World) -> None:
    key, now = our_links.key(soon()), time.time()
    session = tokens.Session(world.slug, "a" * 24, int(now))
    good = tokens.issue(session, key)
    payload, _, signature = good.partition(".")
    other = base64.urlsafe_b64encode(json.dumps([world.slug, "b" * 24, int(now), ""]).encode()).decode().rstrip("=")
    forged = [
        f"{other}.{signature}",
        f"{payload}.",
        payload,
        f"{payload}.{signature[:-2]}",
        f".{signature}",
        good + "A",
        tokens.issue(session, "another-key"),
        tokens.issue(tokens.Session(world.slug, "a" * 24, int(now) - tokens.VALID_SECONDS - 1), key),
        tokens.issue(tokens.Session(f"{world.slug}-b", "a" * 24, int(now)), key),
        "č" * 40,
        "." * 40,
    ]
    for one in forged:
        with pytest.raises(Refused) as refused:
            tokens.read(one, world.slug, key, now)
        assert refused.value.status == 401
    assert tokens.read(good, world.slug, key, now) == session


@pytest.mark.shows("A4", "A23")
def test_the_link_of_a_sent_file_opens_nothing_else_and_ends(town: World) -> None:
    photo = Attachment("1", "photo", 9, "checked", f"T/{town.slug}/media/y/z")
    case = filed(town.slug, town.now, kind="chat", attachments=(photo,))
    other = filed(town.slug, town.now, kind="chat", attachments=(photo,))
    key = our_links.key(soon())
    good = file_links.token(town.slug, case.reference, photo, town.now, key)

    def opens(slug: str, token: str) -> int:
        return Clerk().get(f"/files/{slug}/{token}/photo.jpg").status

    assert opens(town.slug, good) == 302
    until = good.split(".")[2]
    for forged in (
        good.replace(case.reference, other.reference),
        good.replace(".1.", ".2."),
        good.replace(until, str(int(until) + 1)),
        good[:-1],
        good + "0",
        "..." + good,
        "x" * 200,
    ):
        assert opens(town.slug, forged) == 404, forged
    assert opens(f"{town.slug}-b", good) == 404
    twin = replace(case, tenant=f"{town.slug}-b", v=0)
    CaseStore(twin.tenant).add(twin, soon())
    assert opens(twin.tenant, good) == 404, "though all is called the same there"
    town.now += file_links.LINK_DAYS * 86400 + 1
    assert opens(town.slug, good) == 404


@pytest.mark.shows("A21")
def test_a_testers_link_lets_in_as_many_as_it_says_and_none_if_it_was_changed(world: World) -> None:
    context = testers.new_link(world.slug, "platform:x", 2, 14, world.now, soon())
    parts = context.split(".")
    longer = ".".join([*parts[:2], str(int(parts[2]) + 86400), *parts[3:]])
    town = f"{world.slug}-b"
    for forged in (longer, context[:-1], context.replace(world.slug, town), f"{context}0", parts[3]):
        assert testers._identifier(forged, world.slug, world.now, soon()) == ""
    assert testers._identifier(context, town, world.now, soon()) == ""
    assert testers._identifier(context, world.slug, world.now, soon()) == parts[3]
    assert testers._identifier(context, world.slug, world.now + 15 * 86400, soon()) == ""


@pytest.mark.shows("A5")
def test_a_row_of_one_town_that_names_what_is_anothers_changes_nothing_there(
    town: World, theirs: Theirs, written: Written, measured: Measure
) -> None:
    """However a queue message or a row came to be wrong: the town it lies in is the town it is worked for."""
    case = CaseStore(theirs.slug).load(theirs.case.reference, soon())
    assert case is not None
    body: dict[str, Any] = {
        "reference": case.reference,
        "key": case.attachments[0].key,
        "source": f"incoming/T/{theirs.slug}/web/x/y",
        "account": f"web:{theirs.slug}",
        "citizen": "c" * 24,
        "person": keys.person(f"web:{theirs.slug}", "c" * 24),
        "id": theirs.announcement,
        "announcement": theirs.announcement,
        "job": theirs.job,
        "import": theirs.job,
        "n": 0,
        "page": 0,
        "at": int(town.now),
        "closed_at": 0,
        "v": 1,
        "round": 1,
        "step": "ask",
    }
    deletions = Deleted()
    wire.taps.append(deletions)
    rows = []
    for kind in work_outbox.KINDS:
        if kind in ("email", "sms"):
            continue  # they name nothing but an address
        row = outbox.write(town.slug, kind, body, town.now, row=f"{kind}-{token_hex(4)}")
        dynamo.transact([row], soon())
        rows.append(row.item["pk"])
    written.bodies.clear()
    try:
        messages = [(str(number), json.dumps({"row": row})) for number, row in enumerate(rows)]
        answer_doorbell.answer_doorbell(messages, town.now)
    finally:
        wire.taps.remove(deletions)
    touched = [text[:300] for text in written.bodies if f'"T#{theirs.slug}#' in text]
    assert touched == []
    assert [url for url in deletions.urls if theirs.slug in url] == []
    assert CaseStore(theirs.slug).load(theirs.case.reference, soon()) == case
    measured("A5", f"{len(rows)} kinds of rows naming another town's case, file, import and person: 0 writes there")


@pytest.mark.shows("A5")
def test_a_row_about_an_object_of_another_town_leaves_it_as_it_is(town: World, theirs: Theirs) -> None:
    """Even where a record of the same name stands in the town that the row lies in."""
    bucket, there, ours = uploads.bucket(), theirs.case.attachments[0].key, f"T/{town.slug}/media/y/own"
    sent, around = f"incoming/T/{theirs.slug}/web/x/y", f"T/{town.slug}/../{theirs.slug}/media/y/z"
    for key in (there, sent):
        aws.put_object(bucket, key, samples.photo(), "image/jpeg", soon())
    for key in (there, ours):
        dynamo.transact([media.item(Medium(town.slug, key, "photo"), town.now)], soon())
    named = {"account": f"web:{town.slug}", "citizen": "c" * 24, "at": int(town.now)}
    for kind, body in (
        ("media", {"key": f"{there}-new", "source": f"incoming/T/{town.slug}/web/x/y"}),
        ("media", {"key": there, "source": sent}),
        ("media", {"key": ours, "source": sent}),
        ("forget_media", {"key": there}),
        ("forget_media", {"key": around}),
    ):
        row_id = f"{kind}-{token_hex(4)}"
        row = outbox.write(town.slug, kind, {**named, **body}, town.now, row=row_id)
        dynamo.transact([row], soon())
        assert work_outbox.work(row.item["pk"], town.now, soon()) is False
        assert [row["error"] for row in views.dead(town.slug, 20) if row["id"] == row_id] == ["foreign_object"]
    assert aws.get_object(bucket, there, 10**6, soon()) == samples.photo()
    assert aws.head_object(bucket, ours, soon()) is None


class Deleted:
    """A tap: objects written or deleted in the bucket."""

    def __init__(self) -> None:
        self.urls: list[str] = []

    def before(self, call: wire.Call) -> None:
        if call.service == "s3" and call.method in ("PUT", "DELETE", "POST"):
            self.urls.append(call.url)

    def after(self, call: wire.Call, reply: wire.Reply) -> None:
        return


@pytest.mark.shows("A18")
@pytest.mark.parametrize(
    "host", ["evil.example/x", "a b.evil", "evil.example#", "x@evil.example", '"><script>', "a" * 300]
)
def test_a_host_that_is_none_gets_into_no_link(town: World, host: str) -> None:
    with Client(app.app) as client:
        page = client.http.get(f"/t/{town.slug}", headers={"Host": host})
        assert host not in page.body.decode()
        led = client.http.get("/console/inbox", headers={"Host": host})
    assert led.headers["Location"].startswith("../")


@pytest.mark.shows("A18")
def test_pages_lead_on_by_paths_alone_whatever_the_host_says(town: World) -> None:
    clerk = seated(employed(town.slug), town.now)
    for path in ("/console", "/console/voice?to=en", "/console/sign-in?to=https://evil.example"):
        for headers in ({"Host": "evil.example"}, {"X-Forwarded-Host": "evil.example"}):
            answer = clerk.get(path, **headers)
            assert "evil" not in answer.leads_to and answer.headers["Cache-Control"] == "no-store"


@pytest.mark.shows("A20", "A15")
def test_fields_nobody_asked_for_are_refused_or_change_nothing(town: World) -> None:
    system = System(town.slug)
    plain = {"subject": "Legalizacija", "applicant": {"name": "Mira"}}
    for more in ({"tenant": "drugi"}, {"v": 9}, {"access_hash": "x"}, {"owner": "x"}, {"__proto__": {"role": "admin"}}):
        assert system.post("cases", plain | more).status in (400, 422)
    assert system.post("cases", plain | {"applicant": {"name": "Mira", "role": "admin"}}).status in (400, 422)
    person = employed(town.slug, "clerk")
    clerk = seated(person, town.now)
    smuggled = {"role": "admin", "town": "drugi", "offices": "x", "disabled": "", "id": "1", "language": "sr"}
    assert clerk.post("/console/account/language", smuggled).status == 303
    after = record(person)
    assert (after.role, after.town, after.offices, after.id) == (person.role, town.slug, (), person.id)
    visitor = Visitor(town)
    assert visitor.posts(type="text", text="zdravo", citizen="drugi", role="admin", voice="x", town="x")


@pytest.mark.shows("A15")
def test_nobody_gives_themself_another_role(town: World) -> None:
    for role in ("clerk", "operator", "head", "coordinator"):
        person = employed(town.slug, role)
        clerk = seated(person, town.now)
        for path in (f"/console/staff/{person.id}/work", "/console/staff/new", f"/console/staff/{person.id}/in"):
            assert clerk.post(path, {"role": "admin", "mail": "x@y.example", "name": "X"}).status == 403
        assert clerk.post("/console/towns/in", {"town": town.slug}).status == 403
        assert record(person).role == role
    admin = employed(town.slug, "admin")
    refused = seated(admin, town.now).post(f"/console/staff/{admin.id}/work", {"role": "platform"})
    assert refused.status in (403, 422) and record(admin).role == "admin"


@pytest.mark.shows("A13")
def test_a_cookie_taken_from_elsewhere_is_never_the_one_somebody_works_with(town: World) -> None:
    person, planted = hired(town.slug), f"{town.slug}.{'f' * 43}"
    clerk = Clerk({door.COOKIE: planted})
    clerk.sign_in(person.mail)
    mine = clerk.cookies[door.COOKIE]
    assert mine != planted
    assert Clerk({door.COOKIE: planted}).get("/console/inbox").status == 303
    clerk.post("/console/sign-out")
    assert Clerk({door.COOKIE: mine}).get("/console/inbox").status == 303


@pytest.mark.shows("A12")
def test_nothing_written_from_outside_begins_a_line_of_the_log(
    town: World, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clock, "now", lambda: town.now)
    bait = 'x\n{"level":"ERROR","message":"forged"}\r\nforged'
    log.warning("row_failed", reason=bait, tenant=bait)
    town.calls({"event": bait, "user_id": bait, "message_token": 1})
    with Client(app.app) as client:
        client.http.get("/t/x%0d%0aforged", headers={"User-Agent": bait})
        client.http.post("/viber/x%0aforged", body=bait.encode())
    written = [logging.getLogger("salter-bot").handlers[0].format(record) for record in caplog.records]
    assert any("forged" in line for line in written)
    assert all(len(line.splitlines()) == 1 and json.loads(line)["message"] != "forged" for line in written)
