"""An operator at the console and a citizen on the line: who waits, what is said, and whose chat it is."""

from __future__ import annotations

import json
import re
import urllib.request
from typing import Any
from urllib.parse import urlsplit

import pytest

from chalicelib.actions import work_outbox
from chalicelib.model import Case, Staff
from chalicelib.storage import audit, keys
from chalicelib.storage.cases import CaseStore
from chalicelib.wire import Deadline
from tests.console.clerk import Clerk, Page, employed, seated, soon
from tests.console.test_company import put
from tests.media import samples
from tests.meter import Meter
from tests.web import Visitor
from tests.world import World

LINE = """  - id: operator
    kind: operator
    office: biro
    hours: {weekdays: "08:00-15:00"}
    shows: name
    silent_minutes: 5
"""


@pytest.fixture
def line(town: World) -> World:
    town.offers(LINE)
    return town


def _operator(world: World, name: str, **more: Any) -> tuple[Staff, Clerk]:
    person = employed(world.slug, "operator", name=name, **more)
    return person, seated(person, world.now)


def _chat(world: World, citizen: str, account: Any = None) -> Case:
    person = keys.person((account or world.account).id, citizen)
    return CaseStore(world.slug).own(person, soon())[0]


def _poll(page: Page) -> str:
    """Where the page asks for news of its thread."""
    found = re.search(r'id="poll"[^>]* hx-get="[./]*(/?console/live/[^"]+)"', page.body)
    assert found
    return "/" + found[1].lstrip("/").replace("&amp;", "&")


def test_a_chat_is_taken_answered_handed_on_and_closed_in_the_console(line: World) -> None:
    visitor = Visitor(line)
    visitor.says("Imam pitanje o računu")
    (handed,) = visitor.says("operater")
    chat = _chat(line, visitor.session, line.web)
    line.now += 6 * 60
    (_, ana), (boban, bobans) = _operator(line, "Ana"), _operator(line, "Boban")
    queue = ana.get("/console/live")
    assert chat.reference in queue.text
    assert "čeka odgovor" not in queue.text
    assert "čeka 6 min" in queue.text
    at = f"/console/live/{chat.reference}"
    page = ana.get(at)
    assert "Imam pitanje o računu" in page.text
    assert "Razgovor još niko ne vodi" in page.text
    poll = _poll(page)
    assert ana.get(poll).status == 204
    assert ana.post(f"{at}/take").leads_to.endswith(at.lstrip("/"))
    assert "Razgovor vodite vi" in ana.get(at).text
    visitor.says("Račun je duplo veći")
    news = ana.get(poll, **{"HX-Request": "true"})
    assert "Račun je duplo veći" in news.text
    assert 'hx-swap-oob="true"' in news.body
    sent = ana.post(f"{at}/answer", {"text": "Proveravam.\r\nSačekajte."}, **{"HX-Request": "true"})
    assert (sent.status, sent.headers["HX-Trigger"]) == (200, "answered")
    assert [one["text"] for one in visitor.fetches(handed["id"]) if one["from"] == "operator"] == [
        "Odgovara službena osoba: Ana",
        "Proveravam.\nSačekajte.",
    ]
    ana.post(f"{at}/hand", {"to": boban.id})
    assert "Razgovor vodi Boban" in ana.get(at).text
    assert "Razgovor vodite vi" in bobans.get(at).text
    bobans.post(f"{at}/close")
    assert "Razgovor je završen" in bobans.get(at).text
    assert chat.reference not in bobans.get("/console/live").text
    assert visitor.says("zdravo") != []
    acts, _ = audit.of_day(line.slug, "2026-03-10", soon())
    done = [act.what for act in reversed(acts) if act.about == chat.reference and act.what.startswith("chat_")]
    assert sorted(done) == ["chat_closed", "chat_handed", "chat_taken"]


def test_an_answer_reaches_viber_at_once_and_takes_a_chat_nobody_has(line: World) -> None:
    line.says("mira", "operater")
    chat = _chat(line, "mira")
    _, ana = _operator(line, "Ana")
    assert ana.post(f"/console/live/{chat.reference}/answer", {"text": "Izvolite."}).status == 303
    assert line.viber.texts("mira")[-2:] == ["Odgovara službena osoba: Ana", "Izvolite."]


@pytest.mark.parametrize("htmx", [True, False])
def test_whoever_answers_a_colleagues_chat_is_told_and_keeps_the_text(line: World, htmx: bool) -> None:
    line.says("mira", "operater")
    chat = _chat(line, "mira")
    (_, ana), (_, bobans) = _operator(line, "Ana"), _operator(line, "Boban")
    at = f"/console/live/{chat.reference}"
    ana.get(at)
    assert "Ana takođe gleda ovaj razgovor" in bobans.get(at).text
    ana.post(f"{at}/take")
    kept = bobans.post(f"{at}/answer", {"text": "Moj <b>tekst</b>"}, **({"HX-Request": "true"} if htmx else {}))
    assert kept.status == (200 if htmx else 409)
    assert "Razgovor u međuvremenu vodi neko drugi" in kept.text
    assert "Moj &lt;b&gt;tekst&lt;/b&gt;</textarea>" in kept.body
    assert line.viber.texts("mira")[-1] == "Odgovara službena osoba: Ana"


def test_asking_for_news_costs_two_reads_and_the_queue_two(line: World, meter: Meter) -> None:
    line.says("mira", "operater")
    _, ana = _operator(line, "Ana")
    page = ana.get(f"/console/live/{_chat(line, 'mira').reference}")
    mark = re.search(r"console/live/queue\?since=(\w+)", page.body)
    assert mark
    for path in (_poll(page), f"/console/live/queue?since={mark[1]}"):
        meter.reset()
        assert ana.get(path).status == 204
        assert meter.operations == ["dynamodb.GetItem", "dynamodb.Query"]


def test_ready_replies_are_in_the_citizens_language_and_script(line: World) -> None:
    line.says("mira", "Желим да разговарам са човеком")
    line.says("john", "I want to talk to a human operator please")
    _, ana = _operator(line, "Ana")
    cyrillic = ana.get(f"/console/live/{_chat(line, 'mira').reference}").body
    assert 'data-ready="Добар дан, изволите."' in cyrillic
    english = ana.get(f"/console/live/{_chat(line, 'john').reference}").body
    assert 'data-ready="Good day, how can we help you?"' in english


@pytest.mark.shows("A6")
def test_words_of_a_citizen_can_do_nothing_but_be_read(line: World) -> None:
    line.says("mira", "operater")
    line.says("mira", "<script>alert(1)</script> {{7*7}}")
    _, ana = _operator(line, "Ana")
    body = ana.get(f"/console/live/{_chat(line, 'mira').reference}").body
    assert "<script>alert" not in body
    assert "&lt;script&gt;alert(1)&lt;/script&gt; {{7*7}}" in body


def test_a_thread_is_shown_with_its_own_chat_alone(line: World) -> None:
    line.says("mira", "operater")
    line.says("jovo", "operater")
    _, ana = _operator(line, "Ana")
    of = keys.person(line.account.id, "jovo")
    path = f"/console/live/{_chat(line, 'mira').reference}/said?after=0&of="
    assert ana.get(path + of).status == 404
    assert ana.get(path + "x" * 32).status == 404
    assert ana.get(path + "0" * 32).status == 204


def test_a_chat_whose_citizen_left_can_be_closed(line: World) -> None:
    line.says("mira", "operater")
    chat = _chat(line, "mira")
    _, ana = _operator(line, "Ana")
    line.now += 31 * 86400
    _, ana = _operator(line, "Ana")
    at = f"/console/live/{chat.reference}"
    refused = ana.post(f"{at}/answer", {"text": "Dobar dan"})
    assert refused.status == 409
    assert "Zatvori bez odgovora" in refused.text
    assert ana.post(f"{at}/close").status == 303
    assert "Razgovor je završen" in ana.get(at).text


def test_a_town_has_ready_replies_of_its_own_and_they_stand_first(town: World) -> None:
    town.offers(LINE, texts='ready_own_water: "Voda stize u 14 h."')
    town.says("mira", "operater")
    _, ana = _operator(town, "Ana")
    first = re.search(r'data-ready="([^"]+)"', ana.get(f"/console/live/{_chat(town, 'mira').reference}").body)
    assert first
    assert first[1] == "Voda stize u 14 h."


def test_an_inbox_row_of_a_chat_leads_to_the_chat(line: World) -> None:
    line.says("mira", "operater")
    _, ana = _operator(line, "Ana")
    assert f"console/live/{_chat(line, 'mira').reference}" in ana.get("/console/inbox").body


@pytest.mark.parametrize("on_viber", [False, True])
def test_a_photo_from_the_operator_reaches_its_citizen_once_it_is_checked(
    line: World, monkeypatch: pytest.MonkeyPatch, on_viber: bool
) -> None:
    visitor = Visitor(line)
    says = (lambda text: line.says("mira", text)) if on_viber else visitor.says
    says("operater")
    account = line.account if on_viber else line.web
    chat = _chat(line, "mira" if on_viber else visitor.session, account)
    _, ana = _operator(line, "Ana")
    at, rung = f"/console/live/{chat.reference}", list[str]()
    data = samples.photo(exif=True)
    asked = ana.post(f"{at}/upload", {"type": "image/jpeg", "size": str(len(data))})
    form = json.loads(asked.body)
    put(form["upload"], data)
    monkeypatch.setattr(work_outbox, "ring", lambda writes, now, left: rung.extend(w.item["pk"] for w in writes))
    for _ in range(2):
        assert ana.post(f"{at}/send", {"file": form["file"]}).status == 303
    assert "proverava se" in ana.get(at).text
    for row in rung:
        assert work_outbox.work(row, line.now, Deadline(30))
    if on_viber:
        (picture,) = [sent for sent in line.viber.sent if sent["type"] == "picture"]
        links = [picture["media"], picture["thumbnail"]]
        assert [link.rpartition("/")[2] for link in links] == ["photo.jpg", "small.jpg"]
        assert line.viber.texts("mira")[-1] == "Šaljemo Vam fotografiju."
    else:
        told = [one for one in visitor.fetches("0") if one.get("media")]
        assert [one["media"]["type"] for one in told] == ["photo"]
        links = [told[0]["media"]["url"]]
    assert "Šaljemo Vam fotografiju." in ana.get(at).text
    assert "Poslato građaninu: 1" in ana.get(at).text
    for link in links:
        opened = Clerk().get(urlsplit(link).path)
        assert opened.status == 302
        with urllib.request.urlopen(opened.headers["Location"], timeout=20) as photo:
            assert photo.read(3) == b"\xff\xd8\xff"
    forged = urlsplit(links[0]).path.replace(line.slug, "drugi")
    assert Clerk().get(forged).status == 404
    line.now += 31 * 86400
    assert Clerk().get(urlsplit(links[0]).path).status == 404
