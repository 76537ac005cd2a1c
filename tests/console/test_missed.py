"""Questions the bot did not understand: grouped for the town's admin, put aside, or led into the content's forms."""

from __future__ import annotations

import html
import re

import pytest

from chalicelib.understanding.understand import understand
from tests.console.clerk import Page, employed, seated
from tests.console.test_content import fields, published
from tests.world import World

ASKED = ("kvrcko blatarske zujalice", "Kvrčko blatarskih zujalica?")


def _texts(page: Page) -> str:
    found = re.search(r'name="texts" value="([^"]*)"', page.body)
    assert found
    return html.unescape(found[1])


def test_a_missed_question_is_written_as_an_answer_and_found_once_it_is_published(town: World) -> None:
    for citizen in ("mira", "jovo"):
        town.says(citizen, ASKED[0])
    town.says("ana", ASKED[1])
    admin = seated(employed(town.slug, "admin"), town.now)
    page = admin.get("/console/missed")
    assert "3 puta" in page.text
    form = admin.post("/console/missed/answer", {"texts": _texts(page)})
    typed = fields(form)
    assert typed["title"] in ASKED and sorted(typed["asked"].split("\n")) == sorted(ASKED)
    assert "3 puta" in admin.get("/console/missed").text  # nothing is kept by looking
    saved = admin.post("/console/content/new/sheets", typed | {"fee": "Zujalice su besplatne.", "fee.ask": ""})
    assert saved.status == 303, saved.text
    assert "Nema pitanja bez odgovora" in admin.get("/console/missed").text
    published(admin, town)
    assert "Zujalice su besplatne." in " ".join(town.says("mira", ASKED[1]))


def test_a_missed_question_becomes_a_phrase_of_what_is_known(town: World) -> None:
    town.says("mira", ASKED[0])
    admin = seated(employed(town.slug, "admin"), town.now)
    form = admin.post(
        "/console/missed/phrase", {"texts": _texts(admin.get("/console/missed")), "node": "procedures.birth"}
    )
    typed = fields(form)
    assert ASKED[0] in typed["examples"].split("\n")
    way = "/console/content/edit/phrases/procedures.birth"
    assert admin.post(way, typed).status == 303
    assert "Nema pitanja bez odgovora" in admin.get("/console/missed").text
    published(admin, town)
    assert "procedures.birth" in understand(ASKED[0], town.town.index).narrowed.values()


def test_a_group_that_is_none_of_the_towns_leaves_the_list(town: World) -> None:
    town.says("mira", ASKED[0])
    admin = seated(employed(town.slug, "admin"), town.now)
    texts = _texts(admin.get("/console/missed?span=month"))
    assert admin.post("/console/missed/dismiss", {"texts": texts}).status == 303
    assert "Nema pitanja bez odgovora" in admin.get("/console/missed?span=month").text


@pytest.mark.shows("A6", "A12")
def test_what_is_asked_can_do_nothing_but_be_read_and_numbers_are_gone(town: World) -> None:
    town.says("mira", "<script>kvrcko</script> {{7*7}} blatarske 0101990710006")
    body = seated(employed(town.slug, "admin"), town.now).get("/console/missed").body
    assert "<script>kvrcko" not in body
    assert "0101990710006" not in body


def test_nothing_is_made_of_no_question_or_for_nothing(town: World) -> None:
    admin = seated(employed(town.slug, "admin"), town.now)
    assert admin.post("/console/missed/answer", {"texts": " "}).status == 422
    for fields_sent in ({"node": "procedures.birth", "texts": " "}, {"node": "x", "texts": "a"}, {"texts": "a"}):
        assert admin.post("/console/missed/phrase", fields_sent).status == 422
