"""Questions the bot did not understand: grouped for the town's admin, put aside, or turned into text for its files."""

from __future__ import annotations

import html
import re

import yaml

from chalicelib.storage import audit
from tests.console.clerk import Page, employed, seated, soon
from tests.world import World

ASKED = ("kvrcko blatarske zujalice", "Kvrčko blatarskih zujalica?")


def _texts(page: Page) -> str:
    found = re.search(r'name="texts" value="([^"]*)"', page.body)
    assert found
    return html.unescape(found[1])


def test_a_group_becomes_a_draft_of_an_answer_and_of_a_phrase_as_yaml(town: World) -> None:
    for citizen in ("mira", "jovo"):
        town.says(citizen, ASKED[0])
    town.says("ana", ASKED[1])
    admin = seated(employed(town.slug, "admin"), town.now)
    page = admin.get("/console/missed")
    assert "3 puta" in page.text
    texts = _texts(page)
    assert admin.post("/console/missed/drafts", {"kind": "answer", "texts": texts}).leads_to.endswith("said=kept")
    after = admin.get("/console/missed")
    assert "Nema pitanja bez odgovora" in after.text
    assert "Nacrt još ne menja ono što građani čitaju" in after.text
    written = re.search(r"<code>(.*?)</code>", after.body, re.DOTALL)
    assert written
    sheet, phrases = html.unescape(written[1]).split("# phrases.yaml")
    assert yaml.safe_load(sheet)["title"]["sr"] in ASKED
    (node,) = yaml.safe_load(phrases).values()
    assert sorted(text for texts in node["examples"].values() for text in texts) == sorted(ASKED)
    admin.post("/console/missed/drafts", {"kind": "phrase", "node": "doc.birth", "texts": texts})
    assert "doc.birth:" in admin.get("/console/missed").text
    for draft in re.findall(r"console/missed/drafts/(\w+)/remove", admin.get("/console/missed").body):
        admin.post(f"/console/missed/drafts/{draft}/remove")
    assert "Nema nacrta." in admin.get("/console/missed").text
    acts, _ = audit.of_day(town.slug, "2026-03-10", soon())
    assert (
        sorted(act.what for act in acts if act.what.startswith("draft")) == ["draft_kept"] * 2 + ["draft_removed"] * 2
    )


def test_a_group_that_is_none_of_the_towns_leaves_the_list(town: World) -> None:
    town.says("mira", ASKED[0])
    admin = seated(employed(town.slug, "admin"), town.now)
    texts = _texts(admin.get("/console/missed?span=month"))
    assert admin.post("/console/missed/dismiss", {"texts": texts}).status == 303
    assert "Nema pitanja bez odgovora" in admin.get("/console/missed?span=month").text


def test_what_is_asked_can_do_nothing_but_be_read_and_numbers_are_gone(town: World) -> None:
    town.says("mira", "<script>kvrcko</script> {{7*7}} blatarske 0101990710006")
    body = seated(employed(town.slug, "admin"), town.now).get("/console/missed").body
    assert "<script>kvrcko" not in body
    assert "0101990710006" not in body


def test_a_draft_of_nothing_is_refused(town: World) -> None:
    admin = seated(employed(town.slug, "admin"), town.now)
    for fields in ({"kind": "answer", "texts": " "}, {"kind": "x", "texts": "a"}, {"kind": "phrase", "texts": "a"}):
        assert admin.post("/console/missed/drafts", fields).status == 422
