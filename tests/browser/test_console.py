"""The staff's pages in a browser, on the real product: for every eye, by keys alone, with what citizens may write."""

from __future__ import annotations

import datetime as dt
import gzip
import json
import re
import uuid
from collections.abc import Callable, Iterator
from urllib.parse import urljoin, urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from chalicelib.actions import desk
from chalicelib.console import routes
from infra import towns
from tests.browser.visitor import EXPECTED_NOISE, WCAG, axe
from tests.product import Product

PASSWORD = "local-Password-1"
WAIT_MS = 15000
FIRST_PAGE_BYTES_MAX = 60_000
# Looked at otherwise, or parts of pages.
NOT_LOOKED_AT = ("sign-in", "voice", "stay", "inbox/news", "inbox/rest", "live/queue", "content/state", "towns")
PAGES = (
    *(
        path
        for page in routes.PAGES
        if page.method == "GET" and "{" not in page.path and not page.path.endswith((".csv", ".js"))
        for path in [page.path.removeprefix("/console").removeprefix("/")]
        if path and path not in NOT_LOOKED_AT
    ),
    "search?q=nema-toga",
)
# What a citizen may write anywhere.
NASTY = "<img src=x onerror=alert(1)> {{7*7}} {citizen} ${7*7} \u202egnp.exe\u202c </textarea><script>alert(2)</script>"
Open = Callable[..., Page]


@pytest.fixture
def slug() -> str:
    return towns.slugs()[0]


@pytest.fixture
def open_console(browser: Browser, product: Product) -> Iterator[Open]:
    """Opens a page of the console; nobody may meet an error of a script or a breach of the page's policy."""
    contexts: list[BrowserContext] = []
    problems: list[str] = []

    def heard(kind: str, text: str) -> None:
        if kind == "error" and not any(noise in text for noise in EXPECTED_NOISE):
            problems.append(text)

    def look(path: str = "sign-in", *, width: int = 1280, height: int = 860, mail: str = "") -> Page:
        context = browser.new_context(viewport={"width": width, "height": height}, locale="sr-Latn-RS")
        context.set_default_timeout(WAIT_MS)
        contexts.append(context)
        context.add_cookies([{"name": "salter_voice", "value": "sr", "url": product.url}])
        page = context.new_page()
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.on("console", lambda message: heard(message.type, message.text))
        page.on("dialog", lambda dialog: problems.append(f"dialog: {dialog.message}"))
        page.goto(f"{product.url}/console/{'sign-in' if mail else path}")
        if mail:
            _sign_in(page, mail)
            page.goto(f"{product.url}/console/{path}")
        return page

    yield look
    for context in contexts:
        context.close()
    assert problems == []


@pytest.fixture
def clock(product: Product) -> Iterator[Callable[[float], None]]:
    """Moves the product's clock ahead by minutes, from the machine's time; put right again afterwards."""

    def ahead(minutes: float) -> None:
        to = dt.datetime.now(dt.UTC) + dt.timedelta(minutes=minutes)
        assert product.post("/local/clock", {"now": to.isoformat()}).status == 200

    yield ahead
    product.post("/local/clock", {"now": None})


def _sign_in(page: Page, mail: str) -> None:
    page.get_by_label("E-pošta").fill(mail)
    page.get_by_label("Lozinka").fill(PASSWORD)
    page.get_by_role("button", name="Prijavi se").click()
    expect(page.get_by_role("button", name="Odjava", exact=True).or_(page.get_by_role("main"))).not_to_have_count(0)
    page.wait_for_url(re.compile("/console/(?!sign-in)"))


def _findings(page: Page) -> list[str]:
    page.evaluate(axe())
    found = page.evaluate(f"() => axe.run(document, {{runOnly: {json.dumps(WCAG)}}})")
    return [
        f"{page.url} {one['id']}: {node['target']} {node['failureSummary']}"
        for one in found["violations"]
        for node in one["nodes"]
    ]


def _file(product: Product, slug: str, **more: object) -> str:
    """A case from the town's office system; its reference."""
    body = {"subject": "Rupa na putu", "applicant": {"name": "Mira"}} | more
    answer = product.post(f"/api/v1/{slug}/cases", body, Authorization=f"Bearer local-key-{slug}")
    assert answer.status == 201, answer.text
    return str(answer.json["reference"])


@pytest.mark.parametrize("scheme", ["light", pytest.param("dark", marks=pytest.mark.campaign)])
def test_axe_finds_nothing_on_any_page(open_console: Open, product: Product, slug: str, scheme: str) -> None:
    _file(product, slug)
    page = open_console()
    page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    found = _findings(page)
    _sign_in(page, f"admin@{slug}.local")
    for path in (*PAGES, f"staff/clerk-{slug}"):
        page.goto(f"{product.url}/console/{path}")
        found += _findings(page)
    page.evaluate("document.getElementById('still-there').showModal()")
    found += _findings(page)
    assert found == []


@pytest.mark.parametrize(
    "voice",
    [
        "sr-cyrillic",  # its words are the longest
        pytest.param("sr", marks=pytest.mark.campaign),
        pytest.param("sq", marks=pytest.mark.campaign),
    ],
)
@pytest.mark.parametrize(
    "size",
    [
        pytest.param((320, 640), id="small phone"),
        pytest.param((320, 256), id="400 % zoom", marks=pytest.mark.campaign),
    ],
)
def test_nothing_sticks_out_sideways(
    open_console: Open, product: Product, slug: str, size: tuple[int, int], voice: str
) -> None:
    _file(product, slug, subject="W" * 90)
    page = open_console(width=size[0], height=size[1], mail=f"admin@{slug}.local")
    for path in (*PAGES, f"staff/clerk-{slug}"):
        page.context.add_cookies([{"name": "salter_voice", "value": voice, "url": product.url}])
        page.goto(f"{product.url}/console/{path}")
        assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0, path
        expect(page.get_by_role("heading", level=1)).to_have_count(1)


@pytest.mark.parametrize("width", [pytest.param(1280, marks=pytest.mark.campaign), 320])
def test_what_is_shown_once_is_for_every_eye(open_console: Open, slug: str, width: int) -> None:
    page = open_console("staff/new", width=width, mail=f"admin@{slug}.local")
    page.get_by_label("E-pošta", exact=True).fill(f"{uuid.uuid4().hex}@a-rather-long-name.example")
    page.get_by_role("button", name="Otvori nalog").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Lozinka za prvu prijavu")
    found = _findings(page)
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    page.goto(urljoin(page.url, "../account"))
    page.get_by_label("Lozinka").fill(PASSWORD)
    page.get_by_role("button", name="Uključi kod").click()
    expect(page.get_by_role("img", name="QR kod za aplikaciju")).to_be_visible()
    found += _findings(page)
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    assert found == []


def test_platform_pages_are_for_every_eye_too(open_console: Open, slug: str) -> None:
    page = open_console("towns", mail="platform@salter.local")
    found = _findings(page)
    page.get_by_role("button", name=f"Uđi {slug}").click()
    expect(page.get_by_text("Radite u ime administratora")).to_be_visible()
    found += _findings(page)
    page.set_viewport_size({"width": 320, "height": 640})
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    page.get_by_role("button", name="Izađi").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Gradovi i opštine")
    assert found == []


def test_signing_in_and_claiming_a_case_takes_keys_alone(open_console: Open, product: Product, slug: str) -> None:
    reference = _file(product, slug, subject="Tastaturom")
    page = open_console()
    keys = page.keyboard
    for _ in range(3):
        keys.press("Tab")
        if page.evaluate("document.activeElement.name") == "mail":
            break
    keys.type(f"clerk@{slug}.local")
    keys.press("Tab")
    keys.type(PASSWORD)
    keys.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Za rad")
    keys.press("Tab")
    expect(page.get_by_role("link", name="Preskoči na sadržaj")).to_be_focused()
    keys.press("Enter")
    row = page.get_by_role("listitem").filter(has_text=reference)
    claim = row.get_by_role("button", name="Preuzmi")
    outlines = set()
    for _ in range(200):
        keys.press("Tab")
        outlines.add(
            page.evaluate(
                "() => { const one = document.activeElement; const seen = getComputedStyle(one).outlineStyle;"
                "return seen !== 'none' ? seen : getComputedStyle(one, '::after').outlineStyle }"
            )
        )
        if claim.evaluate("one => one === document.activeElement"):
            break
    expect(claim).to_be_focused()
    assert outlines == {"solid"}, "every stop of the Tab key is seen"
    keys.press("Enter")
    expect(page.get_by_text("Predmet je sada vaš.")).to_be_visible()


@pytest.mark.shows("A6", "T7")
def test_what_citizens_write_can_do_nothing_but_be_read(open_console: Open, product: Product, slug: str) -> None:
    reference = _file(product, slug, subject=NASTY[:120], number=f"501/{NASTY[:30]}", applicant={"name": NASTY[:100]})
    page = open_console("inbox", mail=f"admin@{slug}.local")
    expect(page.get_by_role("listitem").filter(has_text=reference)).to_contain_text(NASTY[:60])
    for path in ("inbox", f"cases/{reference}", f"search?q={'%3Cimg%20src=x%20onerror=alert(1)%3E%7B%7B7*7%7D%7D'}"):
        page.goto(f"{product.url}/console/{path}")
        expect(page.get_by_text("{{7*7}}").first).to_be_visible()
        assert page.locator("main img[src=x], main script").count() == 0
        assert "49" not in page.get_by_role("heading", level=1).inner_text()
        assert not page.evaluate(_LEAKS), "a turned-round word must not turn what stands around it"


# Whether some element with a right-to-left override in it lets it reach past its own edges.
_LEAKS = r"""() => [...document.querySelectorAll('main *')].some(one =>
  [...one.childNodes].some(node => node.nodeType === 3 && /[\u202a-\u202e\u2066-\u2069]/.test(node.data)) &&
  !['isolate', 'plaintext', 'isolate-override'].includes(getComputedStyle(one).unicodeBidi))"""


def test_a_sign_in_about_to_end_is_said_two_minutes_before_and_can_be_kept(
    open_console: Open, slug: str, clock: Callable[[float], None]
) -> None:
    page = open_console(mail=f"clerk@{slug}.local", path="account")
    page.clock.install()
    page.reload()
    veil = page.get_by_role("dialog", name="Još ste tu?")
    page.clock.run_for(27 * 60_000)
    expect(veil).not_to_be_visible()
    page.clock.run_for(70_000)
    expect(veil).to_be_visible()
    assert _findings_in_dialog(page) == []
    clock(28)
    with page.expect_response("**/console/stay") as stayed:
        veil.get_by_role("button", name="Ostani").click()
    assert stayed.value.status == 200
    expect(veil).not_to_be_visible()
    page.clock.run_for(27 * 60_000)
    expect(veil).not_to_be_visible()
    clock(56)
    page.reload()
    expect(page.get_by_role("heading", level=1)).to_have_text("Moj nalog")


def _findings_in_dialog(page: Page) -> list[str]:
    focused = page.evaluate("document.activeElement.closest('dialog') !== null")
    return [] if focused else ["the focus is not in the dialog"]


def test_text_typed_before_a_sign_in_ended_is_there_after_the_next_one(
    open_console: Open, product: Product, slug: str, clock: Callable[[float], None]
) -> None:
    reference = _file(product, slug)
    page = open_console(f"cases/{reference}", mail=f"admin@{slug}.local")
    page.clock.install()
    page.reload()
    page.get_by_label("Dodatak za građanina").fill("Ekipa izlazi sutra u 9 časova.")
    clock(31)
    page.clock.run_for(30.5 * 60_000)
    expect(page.get_by_text("Prijava je istekla.")).to_be_visible()
    _sign_in(page, f"admin@{slug}.local")
    expect(page).to_have_url(re.compile(f"/console/cases/{reference}"))
    expect(page.get_by_label("Dodatak za građanina")).to_have_value("Ekipa izlazi sutra u 9 časova.")


def test_the_first_page_is_light(open_console: Open, product: Product) -> None:
    page = product.get("/console/sign-in")
    assets = re.findall(r'(?:href|src)="([^"]*assets/[^"]+)"', page.text)
    assert len(assets) >= 4
    total = len(gzip.compress(page.body))
    for one in assets:
        answer = product.get(urlsplit(urljoin(f"{product.url}/console/sign-in", one)).path)
        assert "max-age=31536000" in answer.headers["Cache-Control"]
        total += len(gzip.compress(answer.body))
    assert total <= FIRST_PAGE_BYTES_MAX


def _says(product: Product, slug: str, token: str, text: str) -> None:
    body = {"id": uuid.uuid4().hex, "type": "text", "text": text}
    answer = product.post(f"/chat/{slug}/messages", body, Authorization=f"Bearer {token}")
    assert answer.status == 200, answer.text


@pytest.mark.campaign
def test_a_long_list_fills_up_by_itself_and_tells_of_a_chat_that_begins(open_console: Open, product: Product) -> None:
    town = "budva"
    filed = {_file(product, town, subject=f"Rupa {number}") for number in range(desk.SHOWN_MAX + 5)}
    page = open_console("inbox", width=390, mail=f"admin@{town}.local")
    expect(page.get_by_text("Lista je učitana.")).to_be_visible()
    shown = page.locator("main .ticket").all_inner_texts()
    assert len(shown) == len(set(shown)) and filed <= set(shown)
    assert _findings(page) == []
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    token = product.post(f"/chat/{town}/sessions", {}).json["token"]
    _says(product, town, token, "operater")
    expect(page.get_by_text("Ima novosti.")).to_be_visible()
    page.get_by_role("link", name="Prikaži", exact=True).click()
    expect(page.get_by_text("Lista je učitana.")).to_be_visible()
    expect(page.locator("#rows-wait .item")).not_to_have_count(0)


def test_an_operator_answers_a_chat_that_goes_on_by_itself_on_a_telephone(open_console: Open, product: Product) -> None:
    town = "budva"
    token = product.post(f"/chat/{town}/sessions", {}).json["token"]
    _says(product, town, token, "operater")
    page = open_console("live", width=390, mail=f"operator@{town}.local")
    found = _findings(page)
    page.get_by_role("link", name=re.compile("niko ne vodi")).last.click()
    thread = page.get_by_role("log")
    page.get_by_role("button", name="Dobar dan, izvolite.").click()
    page.get_by_label("Odgovor građaninu").press("Control+Enter")
    expect(thread.get_by_text("Dobar dan, izvolite.", exact=True)).to_have_count(1)
    expect(page.get_by_label("Odgovor građaninu")).to_have_value("")
    expect(page.get_by_label("Odgovor građaninu")).to_be_focused()
    _says(product, town, token, NASTY)
    expect(thread.get_by_text("{{7*7}}")).to_have_count(1)
    expect(page.get_by_text("Razgovor vodite vi.")).to_be_visible()
    assert found + _findings(page) == []
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    page.reload()
    page.get_by_role("button", name="Završi").click()
    expect(page.get_by_text("Razgovor je završen")).to_be_visible()
