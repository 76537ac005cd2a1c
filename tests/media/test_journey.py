"""A photo's way from a citizen's phone into a case: fetched once, checked, kept without its place, shown by a link."""

from __future__ import annotations

import io
import json
import os
import re
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

import boto3
import pytest
from PIL import Image

from chalicelib import wire
from chalicelib.actions import copy_media, web_chat
from chalicelib.actions import uploads as uploading
from chalicelib.actions.change_case import change_case
from chalicelib.actions.sweep import sweep
from chalicelib.cases.lifecycle import Event
from chalicelib.model import Attachment, Case, Refused, SalterError
from chalicelib.storage import keys, media, views
from chalicelib.storage.cases import CaseStore
from chalicelib.wire import Deadline
from tests.faults.breaking import Breaker, Killed
from tests.integrations.system import System
from tests.media import samples
from tests.media.host import MediaHost
from tests.meter import Meter
from tests.shows import Measure
from tests.viber import message
from tests.web import Visitor
from tests.world import World

SOON = Deadline(1e6)
HOLE = "Velika rupa u Venca Petrovića 12 kod škole"
WORK_CALLS = 10  # row read, lease, record, head, fetch, two objects, record again, settled, marked


def sends(world: World, link: str, kind: str = "picture", citizen: str = "mira", **more: Any) -> None:
    world.calls(message(citizen, type=kind, media=link, **more))


def presses(world: World, choice: str, citizen: str = "mira") -> None:
    """Press the button of the bot's last keyboard that carries `choice`."""
    buttons = [button for body in world.viber.sent for button in body.get("keyboard", {}).get("Buttons", ())]
    world.calls(message(citizen, next(b["ActionBody"] for b in reversed(buttons) if choice in b["ActionBody"])))


def files_hole(world: World, link: str) -> None:
    """A report with the photo behind `link`."""
    world.says("mira", HOLE)
    sends(world, link)
    presses(world, "form.send")


def own_cases(world: World, citizen: str = "mira") -> tuple[Case, ...]:
    return CaseStore(world.slug).own(keys.person(world.account.id, citizen), SOON)


def attachment(world: World) -> Attachment:
    (case,) = own_cases(world)
    (file,) = case.attachments
    return file


def worked(world: World) -> None:
    """The minute comes."""
    sweep(world.now)


def states(world: World, kind: str = "media") -> list[str]:
    return [row["state"] for row in views.owed(world.slug) if row["kind"] == kind]


def stored(key: str) -> bytes:
    bucket = os.environ["SALTER_MEDIA_BUCKET"]
    return bytes(boto3.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read())


def test_a_photo_fetched_before_the_case_is_filed_is_checked_in_the_case_at_once(world: World, host: MediaHost) -> None:
    world.says("mira", HOLE)
    sends(world, host.link("/9.jpg", samples.photo(exif=True)))
    assert states(world) == ["due"]
    worked(world)
    assert states(world) == ["sent"]
    presses(world, "form.send")
    file = attachment(world)
    data = stored(file.key)
    assert (file.type, file.state, file.size) == ("photo", "checked", len(data))
    assert file.key.startswith(f"T/{world.slug}/media/{keys.person(world.account.id, 'mira')}/")
    assert samples.CANARY.encode() not in data and not Image.open(io.BytesIO(data)).getexif()
    assert Image.open(io.BytesIO(stored(keys.thumbnail(file.key)))).size == (400, 267)


@pytest.mark.shows("F29")
def test_a_case_filed_before_the_photo_is_fetched_gets_it_later_and_nobody_is_told(
    world: World, host: MediaHost
) -> None:
    files_hole(world, host.link("/9.jpg", samples.photo()))
    assert attachment(world).state == "waiting"
    (before,), said = own_cases(world), len(world.viber.sent)
    world.now += 60
    worked(world)
    (after,) = own_cases(world)
    assert (after.attachments[0].state, after.attachments[0].size > 0) == ("checked", True)
    assert after.history == before.history
    assert (after.updated_at, len(world.viber.sent)) == (int(world.now), said)


def test_a_neighbour_about_to_report_the_same_is_shown_the_photo_in_small(world: World, host: MediaHost) -> None:
    world.says("mira", HOLE)
    sends(world, host.link("/9.jpg", samples.photo(exif=True)))
    worked(world)
    presses(world, "form.send")
    world.says("jovo", "Velika rupa u Venca Petrovića 18 kod škole")
    presses(world, "form.skip", "jovo")
    links = re.findall(r"https?://[^\s\"]+", json.dumps(world.viber.sent[-1]))
    (photo,) = [link for link in links if ".jpg?" in link]
    with urllib.request.urlopen(photo) as answer:
        shown = Image.open(io.BytesIO(answer.read()))
    assert (shown.size, dict(shown.getexif())) == ((400, 267), {})


def test_the_dialogue_and_the_case_never_hold_a_channels_link(world: World, host: MediaHost) -> None:
    world.says("mira", HOLE)
    link = host.link("/9.jpg", samples.photo())
    sends(world, link)
    conversation = world.conversation("mira")
    assert conversation is not None and link not in repr(conversation)


def test_what_the_dialogue_has_no_use_for_is_not_fetched(world: World, host: MediaHost, meter: Meter) -> None:
    world.says("mira", "zdravo")
    meter.reset()
    sends(world, host.link("/paper.pdf", samples.paper()), kind="file", file_name="p.pdf", size=10)
    assert meter.operations[:2] == ["dynamodb.GetItem", "dynamodb.PutItem"]
    worked(world)
    assert (host.asked, states(world)) == ([], [])


def test_a_turn_with_a_photo_costs_one_more_look_one_transaction_and_one_ring(
    world: World, host: MediaHost, meter: Meter
) -> None:
    world.says("mira", "zdravo")
    meter.reset()
    sends(world, host.link("/9.jpg", samples.photo()))
    assert meter.operations == [
        "dynamodb.GetItem",
        "dynamodb.BatchGetItem",
        "dynamodb.TransactWriteItems",
        "viber.send_message",
        "dynamodb.UpdateItem",
        "sqs.SendMessage",
    ]


def test_a_redelivered_photo_is_fetched_once(world: World, host: MediaHost) -> None:
    world.says("mira", HOLE)
    event = message("mira", type="picture", media=host.link("/9.jpg", samples.photo()))
    for _ in range(3):
        world.calls(event)
    sends(world, host.link("/9.jpg"))  # and once more in a message of its own
    worked(world)
    presses(world, "form.send")
    assert host.asked == ["/9.jpg"]
    (case,) = own_cases(world)
    assert {file.state for file in case.attachments} == {"checked"}


@pytest.mark.shows("F30")
@pytest.mark.parametrize(
    ("answer", "state", "word"),
    [
        (b"<html>not a photo</html>", "refused", "ne može da se primi"),
        (samples.bomb(), "refused", "ne može da se primi"),
        (404, "failed", "nije stigao do nas"),
        ("http://169.254.169.254/latest", "failed", "nije stigao do nas"),
    ],
)
def test_a_photo_that_cannot_be_taken_stays_on_record_and_its_sender_is_told_once(
    world: World, host: MediaHost, answer: Any, state: str, word: str
) -> None:
    files_hole(world, host.link("/9.jpg", answer))
    said = len(world.viber.sent)
    for _ in range(3):
        worked(world)
        world.now += 61
    (case,) = own_cases(world)
    assert [file.state for file in case.attachments] == [state]
    (told,) = world.viber.texts()[said:]
    assert word in told and case.reference in told
    assert (states(world), host.asked) == (["sent"], ["/9.jpg"])


def test_a_photo_sent_once_more_after_it_failed_is_fetched_once_more(world: World, host: MediaHost) -> None:
    link = host.link("/9.jpg", [404, samples.photo()])
    files_hole(world, link)
    worked(world)
    assert attachment(world).state == "failed"
    world.says("mira", HOLE)
    sends(world, link)
    worked(world)
    assert attachment(world).state == "checked"


def test_the_same_photo_sent_after_its_record_ran_out_is_a_new_one_though_it_still_lies_there(
    world: World, host: MediaHost
) -> None:
    link = host.link("/9.jpg", [samples.photo(), samples.photo()])
    world.says("mira", HOLE)
    sends(world, link)
    worked(world)
    world.now += 86400 * 41  # DynamoDB takes days to take away what ran out
    files_hole(world, link)
    worked(world)
    assert attachment(world).state == "checked"


def test_who_has_left_is_not_told_but_the_case_is(world: World, host: MediaHost) -> None:
    files_hole(world, host.link("/9.jpg", 404))
    world.calls({"event": "unsubscribed", "user_id": "mira", "message_token": 7, "timestamp": 1})
    said = len(world.viber.sent)
    worked(world)
    assert (attachment(world).state, len(world.viber.sent)) == ("failed", said)


@pytest.mark.shows("F32")
def test_a_tired_host_is_asked_again_and_a_link_that_never_answers_fails_within_its_hour(
    world: World, host: MediaHost
) -> None:
    files_hole(world, host.link("/9.jpg", [503, 503, samples.photo()]))
    for _ in range(3):
        worked(world)
        world.now += 61
    assert attachment(world).state == "checked"
    sends(world, host.link("/never.jpg", 503), citizen="jovo")
    before = len(world.viber.texts("jovo"))
    for _ in range(20):
        worked(world)
        world.now += 301
    assert "nije stigao" in world.viber.texts("jovo")[-1] and len(world.viber.texts("jovo")) == before + 1


def test_a_bug_that_meets_a_photo_ends_with_the_hour_too(
    world: World, host: MediaHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    def breaks(data: bytes) -> None:
        raise ZeroDivisionError

    files_hole(world, host.link("/9.jpg", samples.photo()))
    monkeypatch.setattr(copy_media.check_media, "checked", breaks)
    worked(world)
    assert states(world) == ["due"]
    world.now += copy_media.LINK_SECONDS + 1
    worked(world)
    assert attachment(world).state == "failed"


@pytest.mark.shows("F1")
@pytest.mark.parametrize(
    ("when", "how"),
    [
        ("after", "killed"),
        pytest.param("after", "fails", marks=pytest.mark.campaign),
        pytest.param("before", "fails", marks=pytest.mark.campaign),
        pytest.param("before", "killed", marks=pytest.mark.campaign),
    ],
)
@pytest.mark.parametrize("nth", range(1, WORK_CALLS + 1))
def test_breaking_any_one_call_of_the_fetch_ends_with_a_checked_photo_in_the_case(
    world: World, host: MediaHost, nth: int, when: str, how: str
) -> None:
    files_hole(world, host.link("/9.jpg", samples.photo()))
    (row,) = [row for row in views.owed(world.slug) if row["kind"] == "media"]
    breaker = Breaker(nth, when, how)
    wire.taps.append(breaker)
    try:
        from chalicelib.actions.work_outbox import work

        work(keys.outbox(world.slug, row["id"]), world.now, Deadline(30))
    except (Killed, Exception):  # noqa: B014, S110
        pass
    finally:
        wire.taps.remove(breaker)
    assert breaker.broke
    said = len(world.viber.sent)
    for _ in range(3):
        world.now += 91
        worked(world)
    assert (attachment(world).state, states(world), len(world.viber.sent)) == ("checked", ["sent"], said)


@pytest.mark.shows("F1")
@pytest.mark.parametrize("how", [pytest.param("fails", marks=pytest.mark.campaign), "killed"])
@pytest.mark.parametrize("nth", range(1, 14))
def test_breaking_any_one_call_of_a_refusal_tells_its_sender_once(
    world: World, host: MediaHost, nth: int, how: str
) -> None:
    files_hole(world, host.link("/9.jpg", b"no photo"))
    said = len(world.viber.sent)
    breaker = Breaker(nth, "before", how)
    wire.taps.append(breaker)
    try:
        worked(world)
    except Killed:
        pass
    finally:
        wire.taps.remove(breaker)
    for _ in range(3):
        world.now += 91
        worked(world)
    assert attachment(world).state == "refused"
    told = world.viber.texts()[said:]
    marks = ("dynamodb.UpdateItem", "dynamodb.PutItem")
    doubled = breaker.broke in marks and how == "killed"  # Viber took it, then we died: its one window
    assert 1 <= len(told) <= (2 if doubled else 1), breaker.seen


def test_a_filing_and_a_check_at_the_same_moment_both_count(world: World, host: MediaHost) -> None:
    """The check is done between the filing's look at the record and its commit."""
    world.says("mira", HOLE)
    sends(world, host.link("/9.jpg", samples.photo()))

    class Between:
        done = False

        def before(self, call: wire.Call) -> None:
            if call.operation == "TransactWriteItems" and not self.done:
                self.done = True
                worked(world)

        def after(self, call: wire.Call, reply: wire.Reply) -> None: ...

    between = Between()
    wire.taps.append(between)
    try:
        presses(world, "form.send")
    finally:
        wire.taps.remove(between)
    assert between.done and attachment(world).state == "checked"


# --- what towns see ---------------------------------------------------------------------------------------------


def test_a_towns_system_gets_a_short_lived_link_to_what_is_checked_and_to_nothing_else(
    world: World, host: MediaHost
) -> None:
    files_hole(world, host.link("/9.jpg", samples.photo()))
    reference, system = own_cases(world)[0].reference, System(world.slug)
    (file,) = system.get(f"cases/{reference}").json["attachments"]
    assert (file["state"], file["url"]) == ("waiting", None)
    worked(world)
    (file,) = system.get(f"cases/{reference}").json["attachments"]
    assert "X-Amz-Expires=300" in file["url"]
    with urllib.request.urlopen(file["url"]) as answer:
        assert answer.headers["Content-Type"] == "image/jpeg"
        assert len(answer.read()) == file["size"]


# --- web --------------------------------------------------------------------------------------------------------


def uploads(visitor: Visitor, data: bytes, media_type: str) -> str:
    """Announce a file and post it to the bucket as a browser does; its id."""
    asked = announces(visitor, len(data), media_type)
    posts(asked["upload"], data)
    return str(asked["attachment"])


def announces(visitor: Visitor, size: int, media_type: str) -> dict[str, Any]:
    """What the town answers: the attachment's id, and the form it may be posted with."""
    body, request = json.dumps({"name": "x", "type": media_type, "size": size}).encode(), visitor.request({})
    return web_chat.attach(visitor.world.slug, type(request)(body, request.headers, {}), visitor.world.now)


def posts(form: dict[str, Any], data: bytes) -> None:
    """The file to the bucket."""
    assert posted(form, data) in (200, 201, 204)


def posted(form: dict[str, Any], data: bytes) -> int:
    """What the bucket says to it."""
    mark = "----mark"
    parts = [
        f'--{mark}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
        for name, value in form["fields"].items()
    ]
    parts += [f'--{mark}\r\nContent-Disposition: form-data; name="file"; filename="x"\r\n\r\n'.encode(), data]
    sent = urllib.request.Request(form["url"], b"".join([*parts, f"\r\n--{mark}--\r\n".encode()]), method="POST")
    sent.add_header("Content-Type", f"multipart/form-data; boundary={mark}")
    try:
        with urllib.request.urlopen(sent) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as refused:
        with refused:
            return refused.code


@pytest.mark.shows("F29")
def test_an_upload_that_never_arrived_is_no_message(world: World) -> None:
    visitor = Visitor(world)
    visitor.says(HOLE)
    before = visitor.fetches()
    with pytest.raises(Refused) as refused:
        visitor.posts(type="attachment", attachment=announces(visitor, 1000, "image/jpeg")["attachment"])
    assert (refused.value.status, refused.value.code) == (409, "upload_unfinished")
    assert visitor.fetches() == before and states(world) == []


@pytest.mark.shows("F29")
def test_a_photo_that_arrives_after_its_case_was_closed_is_checked_into_it_all_the_same(
    world: World, host: MediaHost
) -> None:
    files_hole(world, host.link("/9.jpg", [503, samples.photo()]))
    worked(world)
    (case,) = own_cases(world)
    change_case(world.town, case.reference, Event(int(world.now), "staff:ana", status="resolved"), world.now, "h", SOON)
    world.now += 301
    worked(world)
    (case,) = own_cases(world)
    assert (case.status, [file.state for file in case.attachments]) == ("resolved", ["checked"])


@pytest.mark.shows("B51")
@pytest.mark.parametrize(
    ("data", "state", "words"),
    [(samples.photo(exif=True), "checked", 0), (b"\xff\xd8\xff<script>", "refused", 1)],
    ids=["a photo", "no photo"],
)
def test_an_upload_is_checked_like_any_other_before_anybody_sees_it(
    world: World, data: bytes, state: str, words: int
) -> None:
    visitor = Visitor(world)
    visitor.says(HOLE)
    visitor.posts(type="attachment", attachment=uploads(visitor, data, "image/jpeg"))
    visitor.chooses("form.send")
    after = visitor.fetches()[-1]["id"]
    worked(world)
    (case,) = CaseStore(world.slug).own(keys.person(world.web.id, visitor.session), SOON)
    (file,) = case.attachments
    assert (file.state, file.key.startswith(f"T/{world.slug}/media/")) == (state, True)
    told = visitor.fetches(after)
    assert len(told) == words and all("ne može da se primi" in entry["text"] for entry in told)
    if state == "checked":
        assert samples.CANARY.encode() not in stored(file.key)


@pytest.mark.shows("A21")
def test_of_twelve_who_post_and_claim_one_upload_at_once_one_photo_counts_and_stays(
    world: World, measured: Measure, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A signed form is good until it ends, and S3 cannot make it good once: what counts is what was checked."""
    monkeypatch.setattr(web_chat, "REQUEST_SECONDS", 40.0)
    visitor = Visitor(world)
    visitor.says(HOLE)
    form = announces(visitor, 200_000, "image/jpeg")
    posts(form["upload"], samples.photo(99, 66))
    widths = range(100, 112)

    def posts_and_claims(width: int) -> bool:
        posts(form["upload"], samples.photo(width, 66))
        try:
            visitor.posts(type="attachment", attachment=form["attachment"])
        except (Refused, SalterError):  # eleven others write the same conversation
            return False
        worked(world)
        return True

    with ThreadPoolExecutor(12) as threads:
        claimed = list(threads.map(posts_and_claims, widths))
    worked(world)
    visitor.chooses("form.send")
    (case,) = CaseStore(world.slug).own(keys.person(world.web.id, visitor.session), SOON)
    (file,) = case.attachments
    first = stored(file.key)
    assert file.state == "checked" and Image.open(io.BytesIO(first)).width in (99, *widths)
    posts(form["upload"], samples.photo(300, 66))
    with suppress(Refused):
        visitor.posts(type="attachment", attachment=form["attachment"])
    world.now += 3600
    worked(world)
    assert stored(file.key) == first
    assert states(world).count("sent") == 1
    measured("A21", f"12 photos posted with one form, {claimed.count(True)} claimed it: 1 counts, whatever comes after")


@pytest.mark.shows("B59")
def test_uploads_lie_apart_until_they_are_checked(world: World) -> None:
    visitor = Visitor(world)
    identifier = uploads(visitor, samples.photo(), "image/jpeg")
    assert stored(f"incoming/T/{world.slug}/web/{visitor.session}/{identifier}")
    body = json.dumps({"name": "x", "type": "image/heic", "size": 5}).encode()
    with pytest.raises(Refused) as refusal:
        web_chat.attach(world.slug, type(visitor.request({}))(body, visitor.request({}).headers, {}), world.now)
    assert refusal.value.status == 415


@pytest.mark.shows("B59")
@pytest.mark.parametrize(
    "other",
    [
        {"key": "incoming/T/{town}/web/somebody/else"},
        {"key": "T/{town}/media/x/y"},
        {"Content-Type": "text/html"},
        {"x-amz-meta-more": "x"},
        {"policy": ""},
    ],
    ids=lambda other: next(iter(other)),
)
def test_a_form_with_another_key_or_type_or_more_in_it_brings_nothing_into_the_bucket(
    world: World, other: dict[str, str]
) -> None:
    form = announces(Visitor(world), 9, "image/jpeg")["upload"]
    changed = {name: value.format(town=world.slug) for name, value in other.items()}
    assert posted(form | {"fields": form["fields"] | changed}, samples.photo()) in (400, 403)
    for key in (form["fields"]["key"], changed.get("key", form["fields"]["key"])):
        with pytest.raises(boto3.client("s3").exceptions.NoSuchKey):
            stored(key)


@pytest.mark.shows("B59")
def test_a_form_that_is_over_or_brings_more_than_was_agreed_is_refused(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(uploading.BYTES_MAX, "photo", 100)
    small = announces(Visitor(world), 9, "image/jpeg")["upload"]
    monkeypatch.setattr(uploading, "SECONDS", -1)
    over = announces(Visitor(world), 9, "image/jpeg")["upload"]
    assert (posted(small, bytes(101)), posted(over, bytes(9))) == (400, 403)


@pytest.mark.shows("B59")
def test_a_form_used_again_changes_nothing_of_what_was_taken(world: World) -> None:
    visitor = Visitor(world)
    asked = announces(visitor, len(samples.photo()), "image/jpeg")
    visitor.says(HOLE)
    posts(asked["upload"], samples.photo())
    visitor.posts(type="attachment", attachment=asked["attachment"])
    visitor.chooses("form.send")
    worked(world)
    (case,) = CaseStore(world.slug).own(keys.person(world.web.id, visitor.session), SOON)
    (file,) = case.attachments
    before = stored(file.key)
    posts(asked["upload"], samples.photo(400, 300, exif=True))
    world.now += 61
    worked(world)
    assert (file.state, stored(file.key)) == ("checked", before)


# --- what nobody claims -----------------------------------------------------------------------------------------


@pytest.mark.shows("F29")
def test_a_photo_that_no_case_ever_claims_is_taken_away(world: World, host: MediaHost) -> None:
    world.says("mira", HOLE)
    sends(world, host.link("/9.jpg", samples.photo()))
    worked(world)
    conversation = world.conversation("mira")
    assert conversation is not None
    key = keys.media_object(world.slug, world.account.id, "mira", host.link("/9.jpg"))
    assert stored(key)
    world.now += copy_media.UNCLAIMED_DAYS * 86400 + 60
    worked(world)
    for there in (key, keys.thumbnail(key)):
        with pytest.raises(boto3.client("s3").exceptions.NoSuchKey):
            stored(there)
    record = media.load(world.slug, key, world.now, SOON)
    assert record is not None and record.state == media.FORGOTTEN


def test_a_photo_that_a_case_has_stays(world: World, host: MediaHost) -> None:
    files_hole(world, host.link("/9.jpg", samples.photo()))
    worked(world)
    world.now += copy_media.UNCLAIMED_DAYS * 86400 + 60
    worked(world)
    assert stored(attachment(world).key)
    assert states(world, "forget_media") == ["sent"]
