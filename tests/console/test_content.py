"""The town's content in the console: forms over what is in force, looked at, tried, published, put back."""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from typing import Any

import pytest

from chalicelib.actions import edit_content, known, publish_content
from chalicelib.actions.publish_tenant import publish_tenant
from chalicelib.console.wording import VOICES
from chalicelib.model import Unavailable
from chalicelib.storage import audit, dynamo, edits, publications, tenants
from chalicelib.tenancy.compile import compile_edited
from tests.console.clerk import Clerk, Page, employed, seated, soon
from tests.world import World

SHEET = "/console/content/edit/sheets/birth"
FEE = "Izvod košta 370 dinara."


def in_force(town: World) -> Any:
    """The town's own words of the version that citizens are answered by."""
    pointer = tenants.pointer(town.slug, soon())
    assert pointer is not None
    return tenants.source(town.slug, pointer.version, soon())


@pytest.fixture
def admin(town: World) -> Clerk:
    return seated(employed(town.slug, "admin"), town.now)


def fields(page: Page) -> dict[str, str]:
    """What a form holds, as a browser would send it."""
    form = page.body[page.body.index("data-keep=") :]
    found = {
        name: html.unescape(value) for name, value in re.findall(r'<input[^>]*? name="([^"]+)" value="([^"]*)"', form)
    }
    boxes = re.findall(r'<input type="checkbox" name="([^"]+)" value="1"( checked)?', form)
    found = {name: value for name, value in found.items() if name not in dict(boxes)} | {
        n: "1" for n, on in boxes if on
    }
    found |= {
        n: html.unescape(v) for n, v in re.findall(r'<textarea[^>]*? name="([^"]+)"[^>]*>(.*?)</textarea>', form, re.S)
    }
    for name, options in re.findall(r'<select[^>]*? name="([^"]+)"[^>]*>(.*?)</select>', form, re.S):
        chosen = re.search(r'value="([^"]*)" selected', options)
        found[name] = chosen[1] if chosen else ""
    return found


def written(admin: Clerk, path: str, **typed: str) -> Page:
    """The form of `path` sent with these fields changed."""
    return admin.post(path.partition("?")[0], fields(admin.get(path)) | typed)


def published(admin: Clerk, town: World) -> Page:
    """Everything drafted, looked at and published."""
    digest = re.search(r'name="digest" value="(\w+)"', admin.get("/console/content/look").body)
    assert digest
    answer = admin.post("/console/content/publish", {"digest": digest[1]})
    publish_content.carry_out(town.slug, town.now, soon())
    known.forget()
    return answer


def test_a_change_is_read_by_citizens_once_it_is_published_and_not_before(town: World, admin: Clerk) -> None:
    assert written(admin, SHEET, fee=FEE, **{"fee.ask": ""}).status == 303
    known.forget()
    assert FEE not in " ".join(town.says("mira", "izvod iz matične knjige rođenih"))
    assert "1 izmena čeka objavu" in admin.get("/console/content").text
    looked = admin.get("/console/content/look").text
    assert "Taksa" in looked and FEE in looked
    before = tenants.pointer(town.slug, soon())
    assert published(admin, town).leads_to.endswith("said=ordered")
    after = tenants.pointer(town.slug, soon())
    assert before and after and after.version == before.version + 1
    assert FEE in " ".join(town.says("jovo", "izvod iz matične knjige rođenih"))
    shown = admin.get("/console/content/versions").text
    assert "objavljeno ovde" in shown and FEE in shown
    assert "Ništa ne čeka objavu" in admin.get("/console/content/look").text
    acts = {act.what for act in audit.of_day(town.slug, "2026-03-10", soon())[0]}
    assert {"content_saved", "content_ordered", "content_published"} <= acts


def test_of_many_versions_published_from_the_console_the_oldest_go(town: World, admin: Clerk) -> None:
    first = tenants.pointer(town.slug, soon())
    assert first is not None
    for number in range(tenants.VERSIONS_KEPT + 1):
        written(admin, SHEET, fee=f"Izvod košta {300 + number} dinara.", **{"fee.ask": ""})
        published(admin, town)
    last = tenants.pointer(town.slug, soon())
    assert last and (last.version, len(last.kept)) == (first.version + number + 1, tenants.VERSIONS_KEPT)
    assert tenants.town(town.slug, first.version, soon()) is None
    assert tenants.town(town.slug, last.kept[0].version, soon()) is not None


def test_an_earlier_version_can_be_put_back_in_force(town: World, admin: Clerk) -> None:
    first = tenants.pointer(town.slug, soon())
    written(admin, SHEET, fee=FEE)
    published(admin, town)
    assert first
    page = admin.get(f"/console/content/versions?return={first.version}")
    assert f"Vratiti verziju {first.version}?" in page.text
    assert admin.post("/console/content/versions", {"version": str(first.version)}).status == 303
    publish_content.carry_out(town.slug, town.now, soon())
    known.forget()
    assert FEE not in " ".join(town.says("mira", "izvod iz matične knjige rođenih"))
    assert "vraćena ranija verzija" in admin.get("/console/content/versions").text
    assert admin.post("/console/content/versions", {"version": "99"}).status == 422


def test_the_form_shows_every_language_and_the_cyrillic_that_is_derived(town: World, admin: Clerk) -> None:
    written(admin, SHEET, fee=FEE)
    page = admin.get(SHEET)
    assert "Извод кошта 370 динара." in page.text
    languages = re.findall(r'href="\?language=(\w+)"', page.body)
    assert set(languages) == set(town.town.languages)
    assert fields(admin.get(f"{SHEET}?language=en"))["fee"] != FEE


def test_a_second_editor_is_told_and_loses_nothing_typed(town: World, admin: Clerk) -> None:
    other = seated(employed(town.slug, "admin"), town.now)
    mine, theirs = fields(admin.get(SHEET)), fields(other.get(SHEET))
    assert admin.post(SHEET, mine | {"fee": FEE}).status == 303
    answer = other.post(SHEET, theirs | {"fee": "Besplatno & brzo", "note": "Nova <b>napomena</b>"})
    assert answer.status == 409
    assert "Neko je ovo promenio dok ste pisali" in answer.text and FEE in answer.text
    kept = fields(answer)
    assert (kept["fee"], kept["note"]) == ("Besplatno & brzo", "Nova <b>napomena</b>")
    assert other.post(SHEET, kept).status == 303
    assert fields(admin.get(SHEET))["fee"] == "Besplatno & brzo"


@pytest.mark.parametrize(
    ("path", "typed", "told"),
    [
        (SHEET, {"title": "x" * 61}, "Predugačko: najviše 60 znakova."),
        (SHEET, {"title": ""}, "Ovo mora da se popuni."),
        (SHEET, {"mode": "redirect"}, "Napišite ko je nadležan"),
        (SHEET, {"competent_url": "https://ns.example"}, "Ovo mora da se popuni."),
        (SHEET, {"competent_body": "Matičar", "competent_url": "ns.example"}, "Napišite celu adresu"),
        (SHEET, {"office": ""}, "Izaberite službu"),
        (SHEET, {"order": "prvi"}, "Napišite ceo broj od 1 do 99"),
        ("/console/content/edit/offices/biro", {"phones": "025 468 241"}, "sa pozivnim brojem zemlje"),
        ("/console/content/edit/offices/biro", {"hours.mon": "7-15"}, "Radno vreme pišite kao 07:30-15:30"),
        ("/console/content/edit/texts/greeting", {"text": "Zdravo {mayor}"}, "U vitičastim zagradama"),
    ],
)
def test_what_does_not_fit_is_told_in_plain_words_and_nothing_typed_is_lost(
    town: World, admin: Clerk, path: str, typed: Mapping[str, str], told: str
) -> None:
    answer = written(admin, path, **typed)
    assert (answer.status, told in answer.text) == (422, True)
    assert fields(answer) | dict(typed) == fields(answer)
    assert not edits.prepared(town.slug, soon()).edits


def test_hours_phones_and_phrases_are_edited_in_forms(town: World, admin: Clerk) -> None:
    office = "/console/content/edit/offices/biro"
    hours = {f"hours.{day}": "08:00-16:00" for day in ("mon", "tue", "wed", "thu", "fri")} | {"hours.ask": ""}
    assert (
        written(admin, office, phones="+381 25 111 222\n+381 25 333 444", **{"phones.ask": ""}, **hours).status == 303
    )
    phrases = "/console/content/edit/phrases/doc.birth"
    assert written(admin, phrases, examples="krštenica za dete\nrodni list").status == 303
    published(admin, town)
    said = " ".join(town.says("mira", "rodni list"))
    assert "rođenih" in said.casefold()
    stored = in_force(town)
    assert stored and stored["edits"]["contacts/offices/biro/hours"]["value"] == {"weekdays": "08:00-16:00"}


def test_phrases_that_collide_are_named_before_publishing(town: World, admin: Clerk) -> None:
    for node in ("doc.birth", "doc.death"):
        written(admin, f"/console/content/edit/phrases/{node}", examples="zeleni papir iz opštine")
    assert "„zeleni papir iz opštine“" in admin.get("/console/content/look").text


def test_the_chat_is_tried_with_the_drafts_and_nothing_is_stored(town: World, admin: Clerk) -> None:
    written(admin, SHEET, fee=FEE)
    begun = admin.get("/console/content/try")
    so_far = html.unescape(re.search(r'name="so_far" value="([^"]*)"', begun.body)[1])  # type: ignore[index]
    answer = admin.post("/console/content/try", {"so_far": so_far, "text": "izvod iz matične knjige rođenih"})
    assert FEE in answer.text
    assert town.conversation("rehearsal", town.web) is None
    choice = re.search(r'name="choice" value="([^"]+)"', answer.body)
    so_far = html.unescape(re.search(r'name="so_far" value="([^"]*)"', answer.body)[1])  # type: ignore[index]
    assert choice and admin.post("/console/content/try", {"so_far": so_far, "choice": choice[1]}).status == 200
    assert admin.post("/console/content/try", {"so_far": "nonsense"}).status == 422


def test_a_new_sheet_is_written_found_taken_back_and_published(town: World, admin: Clerk) -> None:
    form = fields(admin.get("/console/content/new/sheets")) | {"title": "Parking za stanare", "fee": "500 dinara"}
    answer = admin.post("/console/content/new/sheets", form | {"fee.ask": ""})
    assert answer.status == 303 and "edit/sheets/parking_za_stanare" in answer.leads_to, answer.text
    path = "/console/content/edit/sheets/parking_za_stanare"
    assert "Parking za stanare" in admin.get("/console/content?room=sheets&q=parking").text
    assert written(admin, path, note="Samo za stanare.").status == 303
    published(admin, town)
    assert "500 dinara" in " ".join(town.says("mira", "Parking za stanare"))
    assert written(admin, path, fee="600 dinara").status == 303
    assert admin.post(f"{path}/undo").status == 303
    assert fields(admin.get(path))["fee"] == "500 dinara"


def test_what_a_colleague_ticked_or_put_as_hours_is_told_in_words(town: World, admin: Clerk) -> None:
    office = "/console/content/edit/offices/biro"
    mine = fields(admin.get(office))
    written(
        admin,
        office,
        competent="other",
        **{"intents.info.scholarship": "1", "hours.sat": "08:00-12:00", "hours.ask": ""},
    )
    told = admin.post(office, mine | {"web": "https://primer.example"})
    assert told.status == 409 and told.text.count("Sada piše:") == 4  # the web page typed here is the fourth
    for words in ("drugog organa", "Stipendije", "subota 08:00-12:00", "(prazno)"):
        assert words in told.text


def removed(admin: Clerk, path: str = SHEET) -> Page:
    return admin.post(f"{path}/remove")


def test_who_is_competent_and_what_a_sheet_answers_are_edited_too(town: World, admin: Clerk) -> None:
    told = {"mode": "redirect", "competent_body": "Matičar u Novom Sadu", "competent_url": "https://ns.example/izvodi"}
    assert written(admin, SHEET, **told, order="3", **{"intents.info.kindergarten": "1"}).status == 303
    assert {**fields(admin.get(SHEET)), **told} == fields(admin.get(SHEET))
    looked = admin.get("/console/content/look").text
    assert all(word in looked for word in ("upućuje na drugi organ", "Matičar u Novom Sadu", "Vrtić"))
    published(admin, town)
    said = " ".join(town.says("mira", "kako da upišem dete u vrtić"))
    assert "Matičar u Novom Sadu" in said and "nije u našoj nadležnosti" in said
    stored = in_force(town)
    assert stored and stored["edits"]["procedures/birth/order"]["value"] == 3
    assert "info.kindergarten" in stored["edits"]["procedures/birth/intents"]["value"]


def test_an_office_of_another_body_and_its_questions_are_edited(town: World, admin: Clerk) -> None:
    office = "/console/content/edit/offices/biro"
    assert written(admin, office, competent="other", **{"intents.info.scholarship": "1"}).status == 303
    shown = fields(admin.get(office))
    assert (shown["competent"], shown["intents.info.scholarship"]) == ("other", "1")


def test_a_sheet_is_taken_away_after_showing_what_citizens_get_instead(town: World, admin: Clerk) -> None:
    phrases = "/console/content/edit/phrases/procedures.birth"
    written(admin, phrases, examples="krštenica za dete")
    written(admin, SHEET, fee=FEE)
    published(admin, town)
    before = tenants.pointer(town.slug, soon())
    written(admin, SHEET, fee="Nacrt koji odlazi s postupkom")
    page = admin.get(f"{SHEET}/remove")
    assert "Šta će građani dobiti umesto njega" in page.text and "odlazi i 1 primer" in page.text
    assert page.text.count("Građani pišu") == 2 and FEE not in page.text
    assert removed(admin).leads_to.endswith("said=removed")
    assert "Uklonjeno" in admin.get("/console/content").text
    assert "uklanja se" in admin.get("/console/content/look").text
    known.forget()
    assert FEE in " ".join(town.says("mira", "izvod iz matične knjige rođenih")), (
        "citizens read it until it is published"
    )
    published(admin, town)
    assert before and FEE not in " ".join(town.says("jovo", "izvod iz matične knjige rođenih"))
    shown = admin.get("/console/content/versions").text
    assert "Uklonjeno" in shown and FEE in shown
    assert admin.get(SHEET).status == 200 and admin.get(f"{SHEET}/remove").status == 404
    assert admin.post("/console/content/versions", {"version": str(before.version)}).status == 303
    publish_content.carry_out(town.slug, town.now, soon())
    known.forget()
    assert FEE in " ".join(town.says("ana", "krštenica za dete")), "an earlier version has it again, phrases and all"


def test_a_sheet_taken_away_is_brought_back_before_publishing_or_after(town: World, admin: Clerk) -> None:
    removed(admin)
    assert admin.post(f"{SHEET}/undo").status == 303
    assert not edits.prepared(town.slug, soon()).edits
    removed(admin)
    published(admin, town)
    assert admin.post(f"{SHEET}/restore").leads_to.endswith("said=restored")
    assert written(admin, SHEET, fee=FEE).status == 303
    published(admin, town)
    assert FEE in " ".join(town.says("mira", "izvod iz matične knjige rođenih"))
    stored = in_force(town)
    assert stored and set(stored["edits"]) == {"procedures/birth/fee"}


def test_a_sheet_of_the_consoles_own_goes_with_its_phrases_and_its_name_is_free_again(
    town: World, admin: Clerk
) -> None:
    new = "/console/content/new/sheets"
    form = fields(admin.post("/console/missed/answer", {"texts": "gde se plaća parking"})) | {"title": "Parking"}
    assert admin.post(new, form).status == 303
    assert removed(admin, "/console/content/edit/sheets/parking").status == 303
    assert not edits.prepared(town.slug, soon()).edits, "what was never published is gone at once"
    assert admin.post(new, form).status == 303
    published(admin, town)
    assert removed(admin, "/console/content/edit/sheets/parking").status == 303
    published(admin, town)
    stored = in_force(town)
    assert stored and stored["edits"] == {}


def test_what_rests_on_a_sheet_is_named_and_the_sheet_stays(town: World, admin: Clerk) -> None:
    source = in_force(town)
    assert source
    files = source["files"]
    files["services"]["menu"].append("procedures.birth")
    publish_tenant(compile_edited(town.slug, files, {}), town.now)
    known.forget()
    assert "glavni meni" in admin.get(f"{SHEET}/remove").text
    assert removed(admin).status == 422
    assert not edits.prepared(town.slug, soon()).edits
    assert admin.get("/console/content/edit/offices/biro/remove").status == 404


def test_what_was_not_looked_at_is_not_published_and_the_old_version_stands(town: World, admin: Clerk) -> None:
    written(admin, SHEET, fee=FEE)
    digest = re.search(r'name="digest" value="(\w+)"', admin.get("/console/content/look").body)
    written(admin, SHEET, fee="Nešto drugo")
    assert digest and admin.post("/console/content/publish", {"digest": digest[1]}).status == 409
    assert publish_content.carry_out(town.slug, town.now, soon()) is None


@pytest.mark.parametrize("at", range(1, 14))
def test_killed_anywhere_the_publisher_leaves_the_old_version_or_the_new_one_and_the_order_is_carried_out(
    town: World, admin: Clerk, monkeypatch: pytest.MonkeyPatch, at: int
) -> None:
    written(admin, SHEET, fee=FEE)
    edit_content.order(desk := edit_content.workspace(town.slug, soon()), employed(town.slug, "admin"), desk.digest,
                       town.now, soon())  # fmt: skip
    real, calls = dynamo.call, iter(range(1, 10_000))

    def dying(*arguments: object, **more: object) -> object:
        number = next(calls)
        if number == at * 2:
            raise Unavailable("killed")
        answer = real(*arguments, **more)  # type: ignore[arg-type]
        if number == at * 2 - 1 and at % 2:
            raise Unavailable("killed after the call")
        return answer

    monkeypatch.setattr(dynamo, "call", dying)
    answered = publish_content.answer([("1", f'{{"town": "{town.slug}"}}')], town.now)
    monkeypatch.setattr(dynamo, "call", real)
    pointer = tenants.pointer(town.slug, soon())
    assert pointer
    version = tenants.town(town.slug, pointer.version, soon())
    assert version is not None
    is_new = FEE in str(version.sheets["sr"]["procedures.birth"])
    assert is_new == (not edits.prepared(town.slug, soon()).edits)
    if answered["batchItemFailures"]:
        publish_content.answer([("1", f'{{"town": "{town.slug}"}}')], town.now)
    order = edits.order(town.slug, soon())
    assert order and order.state == edits.DONE
    assert [one.why for one in publications.newest(town.slug, soon())].count("console") == 1


@pytest.mark.parametrize("voice", VOICES)
def test_every_page_speaks_every_language_of_the_console(town: World, admin: Clerk, voice: str) -> None:
    admin.cookies["salter_voice"] = voice
    written(admin, SHEET, fee=FEE)
    for path in (
        *(f"/console/content?room={room}" for room in ("sheets", "offices", "phrases", "texts")),
        SHEET,
        "/console/content/edit/offices/biro",
        "/console/content/edit/phrases/doc.birth",
        "/console/content/edit/texts/greeting",
        "/console/content/new/sheets",
        f"{SHEET}/remove",
        "/console/content/look",
        "/console/content/try",
    ):
        assert admin.get(path).status == 200, path
    published(admin, town)
    for path in ("/console/content/versions", "/console/content/state"):
        assert admin.get(path).status == 200


@pytest.mark.parametrize("role", ["clerk", "operator", "head", "coordinator"])
def test_nobody_but_the_towns_admin_gets_in(town: World, role: str) -> None:
    other = seated(employed(town.slug, role), town.now)
    assert other.get("/console/content").status == 403
    assert other.post("/console/content/publish", {"digest": "x"}).status == 403
