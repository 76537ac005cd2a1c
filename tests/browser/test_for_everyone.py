"""Keyboard, screen readers, small screens, large letters, other colours."""

import pytest
from playwright.sync_api import expect

from tests.browser.stub import TOWN

PHONE = {"width": 320, "height": 640, "has_touch": True, "is_mobile": True}


def test_axe_finds_nothing_in_the_widget(visit, town) -> None:
    visitor = visit()
    expect(visitor.button).to_have_accessible_name("Pitajte nas Otvori razgovor")
    assert visitor.findings() == []
    visitor.open().say("form.confirm").sees("LI-3JT8-E5K").say("slika").say("telefon").say("sajt")
    visitor.sees("Elektronski zahtev")
    town.faults.append((422, "no_text"))
    visitor.say("loše").sees("Poruka nije prihvaćena.").press("Novi razgovor")
    for scheme in ("light", "dark"):
        visitor.page.emulate_media(color_scheme=scheme)
        assert visitor.findings() == []


def test_axe_finds_nothing_in_the_full_page_chat(visit, town) -> None:
    visitor = visit(f"{town.base}/chat/{TOWN}", width=360, height=740).sees("Dobar dan")
    visitor.say("operater").sees("Razgovor preuzima").say("dodatak").sees("Da li je ovaj odgovor koristan?")
    for scheme in ("light", "dark"):
        visitor.page.emulate_media(color_scheme=scheme)
        assert visitor.findings() == []


def test_everything_can_be_done_by_keys(visit, town) -> None:
    visitor = visit()
    expect(visitor.button).to_be_visible()
    keys = visitor.page.keyboard
    visitor.page.get_by_role("link", name="Na kraj").focus()
    keys.press("Tab")
    expect(visitor.button).to_be_focused()
    keys.press("Enter")
    expect(visitor.field).to_be_focused()
    visitor.sees("Dobar dan")
    keys.type("dodatak")
    keys.press("Shift+Enter")
    keys.type("za dete")
    keys.press("Enter")
    visitor.sees("Da li je ovaj odgovor koristan?")
    assert town.said()[0]["text"] == "dodatak\nza dete"
    for _ in range(5):
        keys.press("Shift+Tab")
    expect(visitor.page.get_by_role("button", name="Da", exact=True)).to_be_focused()
    keys.press("Enter")
    visitor.sees("Odgovor na: Da")
    expect(visitor.log).to_be_focused()
    keys.press("Escape")
    expect(visitor.button).to_be_focused()
    expect(visitor.page.get_by_role("dialog")).to_have_count(0)


def test_every_stop_of_the_tab_key_is_seen(visit) -> None:
    visitor = visit().open()
    stops = []
    for _ in range(16):
        visitor.page.keyboard.press("Tab")
        stops.append(
            visitor.page.evaluate(
                "() => { const one = document.querySelector('salter-chat').shadowRoot.activeElement;"
                "return one && [one.tagName, getComputedStyle(one).outlineStyle] }"
            )
        )
    inside = [stop for stop in stops if stop]
    assert len(inside) >= 6
    assert {style for _, style in inside} == {"solid"}


def test_there_is_one_log_and_one_polite_status(visit) -> None:
    visitor = visit().open().say("dodatak").sees("Da li je ovaj odgovor koristan?")
    expect(visitor.page.get_by_role("log", name="Razgovor")).to_have_count(1)
    expect(visitor.page.get_by_role("status")).to_have_count(1)
    expect(visitor.page.get_by_role("alert")).to_have_count(0)
    assert visitor.log.get_by_text("Vi:").count() == 1, "the ear hears whose words these are"


def test_on_a_phone_the_chat_fills_the_screen_and_keeps_the_focus_without_raising_the_keyboard(visit) -> None:
    visitor = visit(**PHONE).open()
    dialog = visitor.page.get_by_role("dialog", name="Grad Lipovac")
    expect(dialog).to_be_focused()
    assert dialog.bounding_box() == {"x": 0, "y": 0, "width": 320, "height": 640}
    for _ in range(20):
        visitor.page.keyboard.press("Tab")
        assert visitor.page.evaluate("document.activeElement.localName") in ("salter-chat", "body")
    visitor.page.keyboard.press("Escape")
    expect(visitor.button).to_be_focused()


@pytest.mark.parametrize("size", [(320, 640), (320, 256)], ids=["small phone", "400 % zoom"])
@pytest.mark.parametrize("place", ["widget", "full page"])
def test_nothing_sticks_out_sideways_and_the_field_can_be_reached(visit, town, size, place: str) -> None:
    width, height = size
    visitor = visit(f"{town.base}/chat/{TOWN}" if place == "full page" else "", width=width, height=height)
    if place == "widget":
        visitor.open()
    visitor.sees("Dobar dan").say("form.confirm").say("dodatak").say("w" * 90).sees("Odgovor na: www")
    assert visitor.sideways() <= 0
    visitor.field.scroll_into_view_if_needed()
    expect(visitor.field).to_be_in_viewport()


def test_letters_twice_as_large_and_wide_spacing_lose_nothing(visit, town) -> None:
    visitor = (
        visit(f"{town.base}/chat/{TOWN}", width=390, height=780).sees("Dobar dan").say("dodatak").sees("koristan?")
    )
    visitor.page.evaluate(
        """() => { const sheet = new CSSStyleSheet();
        sheet.replaceSync('.sw{font-size:34px}*{line-height:1.5!important;letter-spacing:.12em!important;word-spacing:.16em!important}');
        const root = document.querySelector('salter-chat').shadowRoot;
        root.adoptedStyleSheets = [...root.adoptedStyleSheets, sheet] }"""
    )
    assert visitor.sideways() <= 0


def test_reduced_motion_stops_the_dots(visit, town) -> None:
    visitor = visit(reduced_motion="reduce").open()
    town.wait.clear()
    visitor.say("čekam")
    dot = visitor.page.get_by_text("Asistent piše…").locator("i").first
    expect(dot).to_have_css("animation-name", "none")
    town.wait.set()
    visitor.sees("Odgovor na: čekam")


def test_forced_colours_leave_every_button_an_edge(visit) -> None:
    visitor = visit(forced_colors="active").open()
    for button in visitor.page.get_by_role("dialog").get_by_role("button").all():
        if button.inner_text() not in ("Novi razgovor",):
            expect(button).not_to_have_css("border-top-width", "0px")


def test_news_does_not_move_what_somebody_reads_further_up(visit, town) -> None:
    visitor = visit().open().say("operater").sees("Razgovor preuzima")
    for number in range(6):
        visitor.say(f"{number}: " + "dugačka poruka " * 12).sees(f"Odgovor na: {number}")
    town.speak("operater opet tu")
    visitor.log.evaluate("log => { log.scrollTop = 0 }")
    visitor.page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    visitor.page.get_by_role("button", name="1 nova poruka").click()
    expect(visitor.log.get_by_text("operater opet tu")).to_be_in_viewport()
    expect(visitor.page.get_by_role("button", name="1 nova poruka")).to_have_count(0)
