"""An announcement in the browser: written and looked at by one, approved by another, seen to be sent."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from infra import towns
from infra.local.staff import PASSWORD
from tests.browser.test_counter import WAIT_MS, findings, fits
from tests.browser.visitor import EXPECTED_NOISE
from tests.product import Product


def a_town() -> str:
    """A town with topics to subscribe to."""
    for slug in towns.slugs():
        core = towns.compiled(slug)["core"]
        if any(service["kind"] == "news" for service in core["services"].values()):
            return slug
    raise AssertionError("no such town")


@pytest.fixture(params=[pytest.param(1280, marks=pytest.mark.campaign), 390])
def author(browser: Browser, product: Product, request: pytest.FixtureRequest) -> Iterator[Page]:
    """A head of office signed in, reading English; at the end no page may have broken its policy."""
    context = browser.new_context(viewport={"width": request.param, "height": 860})
    context.set_default_timeout(WAIT_MS)
    page, problems = context.new_page(), list[str]()
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("console", lambda said: problems.append(said.text) if said.type == "error" else None)
    context.add_cookies([{"name": "salter_voice", "value": "en", "url": product.url}])
    page.goto(f"{product.url}/console/sign-in?to=console/announcements")
    page.locator("input[name=mail]").fill(f"head@{a_town()}.local")
    page.locator("input[name=password]").fill(PASSWORD)
    page.locator("main button[type=submit]").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Announcements")
    yield page
    context.close()
    assert [text for text in problems if not any(noise in text for noise in EXPECTED_NOISE)] == []


def test_every_step_is_free_of_findings_and_fits_a_telephone(author: Page) -> None:
    assert (findings(author), fits(author)) == ([], True)
    author.get_by_role("link", name="New announcement").click()
    assert (findings(author), fits(author)) == ([], True)
    author.get_by_role("button", name="Look at it before sending").click()
    expect(author.get_by_role("alert")).to_be_visible()
    assert (findings(author), fits(author)) == ([], True)
    author.locator("textarea").first.fill("Sutra od 8 do 14 časova bez vode ostaje dio naselja zbog radova na mreži.")
    author.get_by_role("button", name="Look at it before sending").click()
    expect(author.get_by_role("heading", name="Exactly this is read")).to_be_visible()
    assert (findings(author), fits(author)) == ([], True)
    author.get_by_role("button", name="Approve and send").click()
    expect(author.get_by_role("status").first).to_contain_text("Approved")
    expect(author.locator("#state .state")).to_contain_text("sent", timeout=WAIT_MS)
    assert (findings(author), fits(author)) == ([], True)
