"""The same chat on the real product: every town opens, answers and keeps the conversation."""

import re
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from playwright.sync_api import Browser, expect

from chalicelib.language import catalogue
from infra import towns
from tests.browser.visitor import Visitor
from tests.product import Product

Visit = Callable[..., Visitor]


def test_every_town_opens_its_full_page_chat_in_its_own_words(visit: Visit, product: Product) -> None:
    visitor = visit("about:blank", width=360, height=740)
    for slug in towns.slugs():
        visitor.page.goto(f"{product.url}/chat/{slug}")
        expect(visitor.log.get_by_role("button").first).to_be_visible()
        expect(visitor.page.get_by_role("heading", level=1)).to_be_visible()
        assert "undefined" not in visitor.page.locator("salter-chat").inner_text()


def test_a_citizen_asks_presses_and_finds_the_conversation_again(visit: Visit, product: Product) -> None:
    visitor = visit(f"{product.url}/chat/{towns.slugs()[0]}")
    visitor.log.get_by_role("button").first.click()
    expect(visitor.log.get_by_text(re.compile(r"^(Poslato|Poslano) \d\d:\d\d$"))).to_be_visible()
    expect(visitor.log.get_by_role("button").first).to_be_visible()
    said = visitor.log.inner_text()
    visitor.reload()
    expect(visitor.log.get_by_role("button").first).to_be_visible()
    assert visitor.log.inner_text() == said


@pytest.mark.shows("A19")
def test_a_browser_puts_no_page_of_the_console_into_somebody_elses_frame(browser: Browser, product: Product) -> None:
    class Stranger(BaseHTTPRequestHandler):
        """`/?ADDRESS` frames that address, `/own` is a page of its own."""

        def do_GET(self) -> None:
            address = self.path.partition("?")[2]
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write((f'<iframe src="{address}"></iframe>' if address else "<p>framed</p>").encode())

        def log_message(self, *args: object) -> None:
            return

    site = ThreadingHTTPServer(("127.0.0.1", 0), Stranger)
    threading.Thread(target=site.serve_forever, daemon=True).start()

    def framed(address: str) -> str:
        """Where the frame of a stranger's page ends that is to show this one."""
        context = browser.new_context()
        page = context.new_page()
        page.goto(f"http://127.0.0.1:{site.server_port}/?{address}")
        page.wait_for_load_state("networkidle")
        (frame,) = page.frames[1:]
        context.close()
        return frame.url

    own = f"http://localhost:{site.server_port}/own"
    assert framed(own) == own
    for path in ("/console/sign-in", "/console/inbox", "/crew/x", "/help/x"):
        assert framed(f"{product.url}{path}").startswith("chrome-error:"), path
    site.shutdown()
    site.server_close()


def test_every_text_the_chat_shows_is_in_every_catalogue() -> None:
    from chalicelib.console import widget

    code = widget.loader_js() + widget.asset("panel.js")[0]
    made_of_parts = {"w_photo", "w_video", "w_file", "w_no_chat"}
    used = set(re.findall(r"\bw_\w+[a-z]\b", code)) | made_of_parts
    for name in catalogue.names():
        texts = {key for key in catalogue.load(name)["texts"] if key.startswith("w_")}
        assert used - texts == set(), name
