"""What the bot asks for, and how a citizen gives it."""

import re
import struct
import zlib

import pytest
from playwright.sync_api import expect

from tests.browser.stub import TOWN

PLACE = {"latitude": 45.77421, "longitude": 19.11234}


def picture() -> bytes:
    """A grey PNG of four by three pixels."""
    parts = [
        (b"IHDR", struct.pack(">IIBBBBB", 4, 3, 8, 0, 0, 0, 0)),
        (b"IDAT", zlib.compress(b"\0\x80\x80\x80\x80" * 3)),
        (b"IEND", b""),
    ]
    framed = [
        struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body)) for name, body in parts
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(framed)


PICTURE = picture()


def photo(name: str = "rupa.png", size: int = 0) -> dict[str, object]:
    return {"name": name, "mimeType": "image/png", "buffer": PICTURE + bytes(size)}


def test_a_location_is_sent_as_coordinates(visit, town) -> None:
    visitor = visit(permissions=["geolocation"], geolocation=PLACE).open()
    visitor.press("Prijava komunalnog problema").press("Pošalji lokaciju").sees("45.77421, 19.11234")
    visitor.sees("Pošaljite fotografiju")
    [sent] = town.said("location")
    assert {key: sent[key] for key in PLACE} == PLACE


def test_a_refused_location_is_explained_and_the_address_can_be_typed(visit, town) -> None:
    visitor = visit().open().press("Prijava komunalnog problema").press("Pošalji lokaciju")
    visitor.sees("Pristup lokaciji nije dozvoljen. Upišite ulicu i broj")
    expect(visitor.field).to_be_focused()
    visitor.say("Venac 3").sees("Odgovor na: Venac 3")
    assert town.said("location") == []


def test_a_photo_goes_straight_to_the_bucket_and_the_message_names_it(visit, town) -> None:
    visitor = visit(permissions=["geolocation"], geolocation=PLACE).open()
    visitor.press("Prijava komunalnog problema").press("Pošalji lokaciju")
    with visitor.page.expect_file_chooser() as chooser:
        visitor.press("Dodaj fotografiju ili video")
    chooser.value.set_files(photo())
    visitor.sees("Proverite podatke pre slanja")
    [announced] = town.calls("attachments")
    assert announced.body == {"name": "rupa.png", "type": "image/png", "size": len(PICTURE)}
    assert [sent["attachment"] for sent in town.said("attachment")] == ["a1"]
    assert town.uploads["latest"] > len(PICTURE)
    expect(visitor.log.get_by_role("img", name="Fotografija")).to_be_visible()


def test_an_upload_shows_how_far_it_is_and_can_be_given_up(visit, town) -> None:
    visitor = visit().open()
    town.bucket_open.clear()
    with visitor.page.expect_file_chooser() as chooser:
        visitor.press("Priloži datoteku")
    chooser.value.set_files(photo(size=3_000_000))
    expect(visitor.log.get_by_role("progressbar", name="Fotografija")).to_be_visible()
    visitor.sees("Poslato 100 %").press("Odustani od slanja: rupa.png")
    expect(visitor.log.get_by_text("rupa.png")).to_have_count(0)
    town.bucket_open.set()
    visitor.say("bez slike").sees("Odgovor na: bez slike")
    assert town.said("attachment") == []


def test_a_file_the_town_does_not_take_is_told_so(visit, town) -> None:
    visitor = visit().open()
    for status, words in ((413, "Datoteka je prevelika."), (415, "Ova vrsta datoteke nije dozvoljena.")):
        town.attachment_fault = status
        with visitor.page.expect_file_chooser() as chooser:
            visitor.press("Priloži datoteku")
        chooser.value.set_files(photo())
        visitor.sees(words)


def test_an_upload_cut_off_by_a_reload_asks_for_the_file_again(visit, town) -> None:
    visitor = visit().open()
    town.bucket_open.clear()
    with visitor.page.expect_file_chooser() as chooser:
        visitor.press("Priloži datoteku")
    chooser.value.set_files(photo())
    expect(visitor.log.get_by_role("progressbar")).to_be_visible()
    visitor.reload().button.click()
    visitor.sees("Slanje je prekinuto. Izaberite datoteku ponovo.")


def test_a_phone_number_has_a_field_of_its_own(visit, town) -> None:
    visitor = visit().open().say("telefon")
    number = visitor.page.get_by_label("Broj telefona")
    expect(number).to_have_attribute("autocomplete", "tel")
    number.fill("063 123 456")
    visitor.press("Pošalji broj telefona").sees("Odgovor na: phone")
    assert [sent["phone"] for sent in town.said("phone")] == ["063 123 456"]


def test_more_than_six_choices_wait_behind_a_word(visit) -> None:
    visitor = visit().open()
    choices = visitor.log.get_by_role("listitem").filter(visible=True)
    expect(choices).to_have_count(6)
    visitor.press("Prikaži još")
    expect(choices).to_have_count(8)
    expect(visitor.page.get_by_role("button", name="Obaveštenja")).to_be_focused()


def test_short_pairs_stand_side_by_side_and_others_below_each_other(visit) -> None:
    visitor = visit().open().say("dodatak").sees("Da li je ovaj odgovor koristan?")
    yes, no, menu = (visitor.page.get_by_role("button", name=name, exact=True) for name in ("Da", "Ne", "Glavni meni"))
    assert yes.bounding_box()["y"] == no.bounding_box()["y"] < menu.bounding_box()["y"]
    assert menu.bounding_box()["width"] > 2 * yes.bounding_box()["width"]


def test_a_sheet_is_drawn_in_parts_and_says_what_is_unknown(visit) -> None:
    visitor = visit().open().say("dodatak")
    sheet = visitor.log.get_by_role("article")
    expect(sheet.get_by_role("heading", name="Dečji dodatak")).to_be_visible()
    expect(sheet.get_by_role("listitem")).to_have_count(3)
    assert sheet.get_by_role("term").all_inner_texts()[:2] == ["Ko ima pravo", "Šta poneti"]
    expect(sheet.get_by_text("Pitajte na šalteru")).to_have_css("border-bottom-style", "dotted")


def test_a_case_is_drawn_as_a_ticket(visit) -> None:
    visitor = visit().open().say("form.confirm").sees("LI-3JT8-E5K", 1).sees("četvrtak, 12. marta, 15:30", 1)
    expect(visitor.log.get_by_text("Prijava je primljena. Broj prijave")).to_have_count(0)


@pytest.mark.shows("A6")
def test_words_are_never_read_as_markup_and_only_web_addresses_become_links(visit) -> None:
    visitor = visit().open().say("<img src=x onerror=alert(1)>").sees("Odgovor na: <img")
    visitor.say("sajt").sees("<b>ovde</b> javascript:alert(1)")
    links = [link.get_attribute("href") for link in visitor.log.get_by_role("link").all()]
    assert links == ["https://primer.rs/dodatak", "https://primer.rs/zahtev"]


def test_another_language_and_script_redraw_the_frame_and_tell_the_bot(visit, town) -> None:
    visitor = visit().open()
    visitor.page.get_by_label("Jezik:").select_option("srpski · ćirilica")
    visitor.sees("У реду, настављамо")
    dialog = visitor.page.get_by_role("dialog", name="Град Липовац")
    expect(dialog).to_have_attribute("lang", "sr-Cyrl")
    expect(visitor.page.get_by_label("Упишите поруку…")).to_be_visible()
    assert town.said("choice")[-1]["choice"] == "language.sr-cyrillic"
    expect(visitor.log.get_by_text("Dobar dan! Ja sam LIPA").locator("xpath=..")).to_have_attribute("lang", "sr-Latn")
    visitor.reload()
    expect(visitor.page.get_by_role("button", name="Питајте нас")).to_be_visible()


def test_an_answer_in_the_other_script_is_marked_for_screen_readers(visit) -> None:
    visitor = visit().open().say("ćirilica").sees("Ово је одговор на ћирилици.")
    expect(visitor.log.get_by_text("Ово је одговор").locator("xpath=..")).to_have_attribute("lang", "sr-Cyrl")


def test_a_page_may_set_language_and_the_town_answers_in_it(visit, town) -> None:
    town.attributes = 'data-language="sq"'
    visitor = visit()
    visitor.page.get_by_role("button", name="Na pyesni").click()
    visitor.sees("Mirëdita!")
    assert town.calls("sessions")[0].body["language"] == "sq"


def test_the_full_page_chat_is_the_same_chat(visit, town) -> None:
    visitor = visit(f"{town.base}/chat/{TOWN}").sees("Dobar dan! Ja sam LIPA")
    expect(visitor.page).to_have_title("Razgovor · Grad Lipovac")
    expect(visitor.page.get_by_role("main").get_by_role("heading", name="Grad Lipovac", level=1)).to_be_visible()
    expect(visitor.page.get_by_role("button", name="Zatvori razgovor")).to_have_count(0)
    visitor.say("dodatak").sees("Dečji dodatak")
    assert re.search(r"\bsr\b", visitor.page.evaluate("document.documentElement.lang"))
