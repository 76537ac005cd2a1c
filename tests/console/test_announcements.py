"""The announcements' pages: written, seen as they will be read, approved by somebody else, watched, stopped."""

from __future__ import annotations

import html
import io
import json
import re
import urllib.request
from urllib.parse import urlsplit

import pytest
from PIL import Image

from chalicelib.actions import send_page, work_outbox
from chalicelib.actions.sweep import sweep
from chalicelib.cases import announcements as rules
from chalicelib.console.wording import VOICES
from chalicelib.storage import audit
from tests.actions.test_announcements import NEWS, TEXT, some, subscribe
from tests.console.clerk import Clerk, Page, employed, seated, soon
from tests.console.test_company import put
from tests.media import samples
from tests.viber import DROP
from tests.web import Visitor
from tests.world import World

UNDO = 60 * rules.UNDO_MINUTES
NEW = {"text.sr": TEXT, "topic": "water", "settlement": "", "language": "", "channel": "", "at": ""}


@pytest.fixture
def office(town: World, monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setattr(send_page, "PAGES_PER_SECOND", 1e6)
    town.offers(NEWS)
    return town


def head(town: World) -> Clerk:
    return seated(employed(town.slug, "head"), town.now)


def drafted(clerk: Clerk, **more: str) -> str:
    """The path of a new draft's page."""
    answer = clerk.post("/console/announcements", NEW | more)
    assert answer.status == 303, answer.text
    return "/" + answer.leads_to.lstrip("./")


def looked(clerk: Clerk, path: str) -> Page:
    answer = clerk.get(path)
    assert answer.status == 200
    return answer


def test_a_draft_shows_both_scripts_the_receivers_the_calls_and_the_price(office: World) -> None:
    subscribe(office, some(3))
    author = head(office)
    shown = looked(author, drafted(author)).text
    assert TEXT in shown and "Сутра од 8 до 14 часова" in shown and "Za odjavu pošaljite STOP." in shown
    assert "3 primalaca" in shown and "poziva: 1" in shown and "Cenovnik nije unet." in shown
    assert office.viber.broadcasts == []


@pytest.mark.shows("A25")
def test_with_many_receivers_only_a_second_person_can_approve(office: World) -> None:
    subscribe(office, some(501))
    author, second = head(office), head(office)
    path = drafted(author)
    assert "Odobri i pošalji" not in looked(author, path).text
    assert author.post(f"{path}/approve").status == 422
    assert "Odobri i pošalji" in looked(second, path).text
    assert second.post(f"{path}/approve").status == 303
    office.now += UNDO
    for _ in range(2):
        sweep(office.now)
    done = looked(author, path)
    assert "Poslato: 501 od 501" in done.text
    assert "hx-trigger" not in done.body
    acts = {act.what for act in audit.of_day(office.slug, "2026-03-10", soon())[0]}
    assert {"announcement_written", "announcement_approved"} <= acts


def test_while_it_is_sent_the_page_looks_again_every_five_seconds_and_can_stop_it(office: World) -> None:
    subscribe(office, some(2))
    author = head(office)
    path = drafted(author)
    author.post(f"{path}/approve")
    assert 'hx-trigger="every 5s"' in looked(author, path).body
    assert "Poslato: 0 od 2" in looked(author, f"{path}/state").text
    assert author.post(f"{path}/stop").status == 303
    sweep(office.now)
    assert "zaustavljeno" in looked(author, path).text
    assert office.viber.broadcasts == []


def test_an_uncertain_page_is_shown_and_somebody_decides(office: World) -> None:
    subscribe(office, some(2))
    author = head(office)
    path = drafted(author)
    author.post(f"{path}/approve")
    office.viber.broadcast_script = [DROP]
    for _ in range(2):
        sweep(office.now)
        office.now += 100
    assert "Poziv 1 nije siguran. Primalaca: 2" in looked(author, path).text
    assert author.post(f"{path}/page", {"n": "1", "what": "leave"}).status == 303
    assert author.post(f"{path}/page", {"n": "1", "what": "resend"}).status == 303
    assert author.post(f"{path}/page", {"n": "1", "what": "resend"}).status == 422
    assert author.post(f"{path}/page", {"n": "x", "what": "resend"}).status == 404


@pytest.mark.shows("B76")
@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ({"text.sr": " "}, "Upišite tekst bar na jednom jeziku."),
        ({"text.sr": "a" * 1001}, "Tekst je predugačak."),
        ({"at": "sutra"}, "To vreme nije ispravno."),
        ({"topic": "nothing"}, "Ovo ne može da se pošalje."),
    ],
)
def test_what_is_wrong_is_told_and_nothing_typed_is_lost(office: World, typed: dict[str, str], told: str) -> None:
    answer = head(office).post("/console/announcements", NEW | {"text.sr": "<b>Kept & safe</b>"} | typed)
    assert (answer.status, told in answer.text) == (422, True)
    assert "text.sr" in typed or html.escape("<b>Kept & safe</b>", quote=False) in answer.body


def test_a_schedule_is_in_the_towns_own_time(office: World) -> None:
    author = head(office)
    path = drafted(author, at="2026-03-11T17:00")
    assert "11. 3. 2026, 17:00" in looked(author, path).text
    assert "11. 3. 2026, 17:00" in looked(author, "/console/announcements").text


@pytest.mark.parametrize("voice", VOICES)
def test_every_page_speaks_every_language_of_the_console(office: World, voice: str) -> None:
    subscribe(office, some(1))
    author = head(office)
    author.cookies["salter_voice"] = voice
    path = drafted(author)
    for page in ("/console/announcements", "/console/announcements/new", path, f"{path}/state"):
        looked(author, page)
    author.post(f"{path}/approve")
    sweep(office.now)
    looked(author, path)


def test_a_draft_is_edited_and_nobody_approves_what_they_did_not_see(office: World) -> None:
    subscribe(office, some(2))
    author, second = head(office), head(office)
    path = drafted(author, at="2026-03-11T17:00")
    form = looked(author, f"{path}/edit").body
    assert TEXT in form and 'value="2026-03-11T17:00"' in form and '<option value="water" selected>' in form
    seen = re.search(r'name="seen" value="(\d+)"', form)
    assert seen
    before = re.search(r'name="seen" value="(\d+)"', looked(second, path).body)
    assert before
    edited = NEW | {"text.sr": "Voda dolazi u 16 časova.", "seen": seen[1]}
    assert author.post(f"{path}/edit", edited).leads_to.endswith("said=rewritten")
    assert "Voda dolazi u 16 časova." in looked(second, path).text
    late = second.post(f"{path}/edit", edited | {"text.sr": "Moj tekst"})
    assert (late.status, "Moj tekst" in late.body) == (409, True)
    assert second.post(f"{path}/approve", {"seen": before[1]}).status == 422
    assert office.viber.broadcasts == []
    assert second.post(f"{path}/approve", {"seen": str(int(before[1]) + 1)}).status == 303
    assert looked(author, path).body.count("/edit") == 0
    assert author.get(f"{path}/edit").status == 404
    assert author.post(f"{path}/edit", edited | {"seen": "3"}).status == 409


def test_whoever_edits_a_large_announcement_cannot_approve_it_alone(office: World) -> None:
    subscribe(office, some(501))
    author, second = head(office), head(office)
    path = drafted(author)
    seen = re.search(r'name="seen" value="(\d+)"', looked(second, f"{path}/edit").body)
    assert seen
    second.post(f"{path}/edit", NEW | {"seen": seen[1]})
    assert second.post(f"{path}/approve").status == 422
    assert author.post(f"{path}/approve").status == 303


def test_a_picture_is_checked_before_it_can_be_approved_and_reaches_viber_and_the_web_in_one_message(
    office: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    visitor = Visitor(office)
    visitor.says("zdravo")
    subscribe(office, ["ana"])
    subscribe(office, [visitor.session], account=office.web)
    author, data = head(office), samples.photo(exif=True)
    path = drafted(author)
    assert author.post(f"{path}/upload", {"type": "video/mp4", "size": "10"}).status == 415
    form = json.loads(author.post(f"{path}/upload", {"type": "image/jpeg", "size": str(len(data))}).body)
    assert author.post(f"{path}/picture", {"file": form["file"]}).status == 409, "it is not there yet"
    put(form["upload"], data)
    rung: list[str] = []
    monkeypatch.setattr(work_outbox, "ring", lambda writes, now, left: rung.extend(w.item["pk"] for w in writes))
    assert author.post(f"{path}/picture", {"file": form["file"]}).status == 303
    waits = author.post(f"{path}/approve")
    assert (waits.status, "Slika se proverava." in waits.text) == (422, True)
    assert author.post(f"{path}/picture", {"file": form["file"]}).status == 303, "pressed twice is once"
    for row in rung[:1]:
        assert work_outbox.work(row, office.now, soon())
    put(form["upload"], samples.photo(60, 60))
    assert author.post(f"{path}/picture", {"file": form["file"]}).status == 303, "what was checked stays"
    assert '<img src="' in looked(author, path).body
    assert author.post(f"{path}/approve").status == 303
    for _ in range(3):
        sweep(office.now)
        office.now += 100
    (picture,) = office.viber.broadcasts
    assert (picture["type"], picture["text"]) == ("picture", f"{TEXT}\n\nZa odjavu pošaljite STOP.")
    told = [one for one in visitor.fetches("0") if one.get("media")]
    assert [(one["text"].startswith(TEXT), one["media"]["type"]) for one in told] == [(True, "photo")]
    for link in (picture["media"], picture["thumbnail"], told[0]["media"]["url"]):
        opened = Clerk().get(urlsplit(link).path)
        assert opened.status == 302
        with urllib.request.urlopen(opened.headers["Location"], timeout=20) as photo:
            kept = photo.read()
        assert kept[:3] == b"\xff\xd8\xff" and samples.CANARY.encode() not in kept
        assert Image.open(io.BytesIO(kept)).width > 60
    for wrong in (path.rpartition("/")[2] + "0", "nothing", "..%2f"):
        assert Clerk().get(f"/pictures/{office.slug}/{wrong}/photo.jpg").status == 404


def test_under_a_picture_the_words_are_short_and_it_can_be_taken_away(office: World) -> None:
    subscribe(office, ["ana"])
    author, data = head(office), samples.photo(200, 100)
    path = drafted(author, **{"text.sr": "a" * 401})
    form = json.loads(author.post(f"{path}/upload", {"type": "image/jpeg", "size": str(len(data))}).body)
    put(form["upload"], data)
    refused = author.post(f"{path}/picture", {"file": form["file"]})
    assert (refused.status, "Uz sliku je tekst predugačak." in refused.text) == (422, True)
    path = drafted(author)
    form = json.loads(author.post(f"{path}/upload", {"type": "image/jpeg", "size": str(len(data))}).body)
    put(form["upload"], data)
    assert author.post(f"{path}/picture", {"file": form["file"]}).status == 303
    seen = re.search(r'name="seen" value="(\d+)"', looked(author, f"{path}/edit").body)
    assert seen
    longer = author.post(f"{path}/edit", NEW | {"text.sr": "a" * 401, "seen": seen[1]})
    assert (longer.status, "predugačak" in longer.text) == (409, True)
    assert author.post(f"{path}/picture").status == 303
    assert "Ukloni sliku" not in looked(author, path).text
    assert author.post(f"{path}/approve").status == 303
