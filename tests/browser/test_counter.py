"""A clerk's counter on the real product: a paper case, its slip, the applicant's chat; and a file of cases."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from infra import towns
from infra.local.staff import PASSWORD
from tests.browser.visitor import EXPECTED_NOISE, WCAG, axe
from tests.product import Product

WAIT_MS = 15000


def a_town() -> str:
    """A town that writes ekavian Serbian and has a web chat."""
    for slug in towns.slugs():
        core = towns.compiled(slug)["core"]
        if core["languages"][0].get("catalogue") == "sr" and core["web"]["origins"] is not None:
            return slug
    raise AssertionError("no such town")


@pytest.fixture
def clerk(browser: Browser, product: Product) -> Iterator[Page]:
    """A clerk who has signed in and looks at the counter; at the end no page may have broken its policy."""
    context = browser.new_context(viewport={"width": 1280, "height": 860})
    context.set_default_timeout(WAIT_MS)
    page, problems = context.new_page(), list[str]()
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("console", lambda said: problems.append(said.text) if said.type == "error" else None)
    page.goto(f"{product.url}/console/sign-in?to=console/counter")
    page.get_by_label("E-pošta").fill(f"clerk@{a_town()}.local")
    page.get_by_label("Lozinka").fill(PASSWORD)
    page.get_by_role("button", name="Prijavi se").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Novi predmet sa šaltera")
    yield page
    context.close()
    assert [text for text in problems if not any(noise in text for noise in EXPECTED_NOISE)] == []


def findings(page: Page) -> list[str]:
    page.evaluate(axe())
    found = page.evaluate(f"() => axe.run(document, {{runOnly: {json.dumps(WCAG)}}})")
    return [f"{each['id']}: {node['target']}" for each in found["violations"] for node in each["nodes"]]


def fits(page: Page) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth"))


def registered(page: Page, number: str, name: str = "Mira Šćepanović", phone: str = "060 123 4567") -> str:
    """A paper case by the keyboard alone; its reference."""
    page.get_by_label("Broj predmeta u pisarnici").focus()
    for typed in (number, "Saglasnost za letnju baštu", name, phone):
        page.keyboard.type(typed)
        page.keyboard.press("Tab")
    page.get_by_role("checkbox").focus()
    page.keyboard.press("Space")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Listić za stranku")
    return page.locator(".ticket.large").inner_text()


def test_from_paper_to_the_applicants_chat(clerk: Page, browser: Browser, product: Product) -> None:
    number = f"T-{uuid4().hex[:8]}/26"
    reference = registered(clerk, number)
    expect(clerk.locator(".qrbig svg")).to_be_visible()
    clerk.evaluate("() => { window.printed = 0; window.print = () => { window.printed += 1; }; }")
    clerk.get_by_role("button", name="Odštampaj").click()
    assert clerk.evaluate("window.printed") == 1
    link = f"http://{clerk.locator('.address').inner_text()}"  # text on paper: a clerk's click would use it up
    assert "context=" in link
    applicant = browser.new_context(viewport={"width": 390, "height": 780})
    try:
        bound(applicant, link, number)
    finally:
        applicant.close()
    clerk.get_by_role("link", name="Upiši sledeći predmet").click()
    clerk.get_by_label("Broj predmeta sa listića").fill(reference)
    clerk.get_by_role("button", name="Napravi novi listić").click()
    expect(clerk.get_by_text("Stranka već prati ovaj predmet")).to_be_visible()


def bound(applicant: BrowserContext, link: str, number: str) -> None:
    """Whoever scans reads the consent, says yes, and has the case."""
    applicant.set_default_timeout(WAIT_MS)
    page = applicant.new_page()
    page.goto(link)
    log = page.get_by_role("log")
    expect(log).to_contain_text(number)
    expect(log).to_contain_text("saglasni")
    log.get_by_role("button", name="Da", exact=True).click()
    expect(log).to_contain_text("Saglasnost je zabeležena")


def test_a_slip_is_one_sheet_of_a5(clerk: Page) -> None:
    registered(clerk, f"T-{uuid4().hex[:8]}/26")
    assert clerk.pdf(prefer_css_page_size=True).count(b"/Type /Page\n") in (0, 1)
    clerk.emulate_media(media="print")
    assert not clerk.get_by_role("button", name="Odštampaj").is_visible()
    assert clerk.locator(".slip").bounding_box()["height"] < 210 / 25.4 * 96  # type: ignore[index]


@pytest.mark.parametrize("scheme", ["light", pytest.param("dark", marks=pytest.mark.campaign)])
def test_axe_finds_nothing_and_everything_fits_into_320_pixels(clerk: Page, product: Product, scheme: str) -> None:
    clerk.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    clerk.set_viewport_size({"width": 320, "height": 640})
    assert (findings(clerk), fits(clerk)) == ([], True)
    clerk.get_by_role("button", name="Upiši i pripremi listić").click()
    expect(clerk.get_by_role("alert")).to_be_visible()
    assert (findings(clerk), fits(clerk)) == ([], True)
    registered(clerk, f"T-{uuid4().hex[:8]}/26")
    assert (findings(clerk), fits(clerk)) == ([], True)
    clerk.goto(f"{product.url}/console/counter/import")
    assert (findings(clerk), fits(clerk)) == ([], True)


def test_a_file_is_uploaded_and_told_row_by_row(clerk: Page, tmp_path: Path) -> None:
    mark = uuid4().hex[:6]
    rows = [f"U-{mark}-{n}/26;Predmet {n};Ime {n}" for n in range(30)] + [f"U-{mark}-x/26;;"]
    file = tmp_path / "predmeti.csv"
    file.write_bytes(("Број предмета;Предмет;Име и презиме\n" + "\n".join(rows)).encode("utf-8-sig"))
    clerk.get_by_role("link", name="Uvoz iz datoteke").click()
    clerk.get_by_label("Datoteka").set_input_files(file)
    clerk.get_by_role("button", name="Uvezi").click()
    expect(clerk.get_by_text("Uvoz je završen.")).to_be_visible(timeout=60000)
    expect(clerk.get_by_role("row", name=f"U-{mark}-x/26")).to_contain_text("Nedostaje")
    assert findings(clerk) == []
