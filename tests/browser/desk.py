"""Two of the staff and a crew at their browsers, on the running product."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page

from tests.browser.visitor import EXPECTED_NOISE, WCAG, axe
from tests.product import Product

PASSWORD = "local-Password-1"
WAIT_MS = 15000
Open = Callable[..., Page]


@pytest.fixture
def open_page(browser: Browser, product: Product) -> Iterator[Open]:
    """Opens any page of the product in a browser of its own, signed in as `mail` if one is given; nobody may meet an
    error of a script or a breach of the page's policy."""
    contexts: list[BrowserContext] = []
    problems: list[str] = []

    def heard(kind: str, text: str) -> None:
        if kind == "error" and not any(noise in text for noise in EXPECTED_NOISE):
            problems.append(text)

    def look(path: str, *, mail: str = "", width: int = 1280, height: int = 900, voice: str = "sr") -> Page:
        context = browser.new_context(viewport={"width": width, "height": height}, locale="sr-Latn-RS")
        context.set_default_timeout(WAIT_MS)
        contexts.append(context)
        context.add_cookies([{"name": "salter_voice", "value": voice, "url": product.url}])
        page = context.new_page()
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.on("console", lambda message: heard(message.type, message.text))
        page.on("dialog", lambda dialog: problems.append(f"dialog: {dialog.message}"))
        if mail:
            page.goto(f"{product.url}/console/sign-in")
            page.locator("[name=mail]").fill(mail)
            page.locator("[name=password]").fill(PASSWORD)
            page.keyboard.press("Enter")
            page.wait_for_url(re.compile("/console/(?!sign-in)"))
        page.goto(path if path.startswith("http") else product.url + path)
        return page

    yield look
    for context in contexts:
        context.close()
    assert problems == [], problems


def findings(page: Page) -> list[str]:
    """What axe-core has against the page: rule and place."""
    page.evaluate(axe())
    found = page.evaluate(f"() => axe.run(document, {{runOnly: {json.dumps(WCAG)}}})")
    return [
        f"{page.url} {one['id']}: {node['target']} {node['failureSummary']}"
        for one in found["violations"]
        for node in one["nodes"]
    ]


def sideways(page: Page) -> int:
    """By how many pixels the page is wider than the screen."""
    return int(page.evaluate("document.documentElement.scrollWidth - innerWidth"))
