"""One case in the browser, on the real product: a clerk's work with it, a crew by its link, for every eye and hand."""

from __future__ import annotations

import base64
import re

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.desk import Open, findings, sideways
from tests.browser.reports import HERE, report
from tests.media import samples
from tests.product import Product

SLUG = "sombor"
HEAD, CLERK = f"head@{SLUG}.local", f"clerk@{SLUG}.local"
COMPANY = "posao@jkp.example"
DOT = base64.b64decode(  # one grey pixel, for a map's tiles
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNkYAAAAAYAAjCB0C8AAAAASUVORK5CYII="
)


@pytest.fixture
def reference(product: Product) -> str:
    return with_photos(product)


@pytest.fixture(scope="module")
def looked_at(product: Product) -> str:
    """One that nobody changes the status of."""
    return with_photos(product)


def with_photos(product: Product) -> str:
    """A problem with two photos, both checked; its reference."""
    photos = ((samples.photo(), "image/jpeg"), (samples.photo(600, 900), "image/jpeg"))
    filed = report(product, SLUG, media=photos)
    product.post("/local/tick")
    return filed


def case_of(product: Product, reference: str) -> dict[str, object]:
    """The case as the town's own system reads it."""
    key = {"Authorization": f"Bearer local-key-{SLUG}"}
    return dict(product.get(f"/api/v1/{SLUG}/cases/{reference}", **key).json)


def address(reference: str) -> str:
    return f"/console/cases/{reference}"


def link_in_mail(product: Product, to: str) -> str:
    product.post("/local/tick")
    mails = [mail for mail in product.get("/local/mail").json["items"] if mail["to"] == to]
    found = re.search(r"http\S+/crew/\S+", mails[-1]["text"])
    assert found
    return found[0]


def hand_over(page: Page, mail: str = COMPANY) -> None:
    page.locator("summary", has_text="Prosledi preduzeću").click()
    page.get_by_label("Naziv (ako nije u imeniku)").fill("JKP Proba")
    page.get_by_label("E-pošta").fill(mail)
    page.get_by_role("button", name="Pošalji nalog").click()
    expect(page.get_by_text("Nalog je poslat preduzeću")).to_be_visible()


def test_a_clerks_hour_with_one_case(open_page: Open, product: Product, reference: str) -> None:
    page = open_page(address(reference), mail=HEAD)
    page.get_by_role("button", name="Preuzmi").click()
    expect(page.get_by_text("Predmet vodite vi.")).to_be_visible()
    page.get_by_label("Novo stanje").select_option("stayed")
    page.get_by_label("Dodatak za građanina").fill("Čekamo suvo vreme.")
    page.get_by_label("Dodatak za građanina").blur()
    expect(page.locator(".preview")).to_contain_text("Čekamo suvo vreme.")
    page.get_by_role("button", name="Sačuvaj i obavesti").first.click()
    expect(page.get_by_text("Sačuvano.")).to_be_visible()
    expect(page.get_by_label("Dodatak za građanina")).to_have_value("")
    page.get_by_label("Dodatak za građanina").fill("Isto mesto je krpljeno u januaru.")
    page.get_by_role("button", name="Samo beleška za kolege").click()
    expect(page.get_by_role("listitem").filter(has_text="Isto mesto je krpljeno")).to_contain_text("samo za kolege")
    page.locator("summary", has_text="Promeni rok").click()
    page.get_by_label("Novi rok").fill("2027-02-01T12:00")
    page.get_by_label("Razlog, ostaje u istoriji").fill("Zimski uslovi.")
    page.get_by_role("button", name="Sačuvaj rok").click()
    expect(page.get_by_text("Rok je promenjen.")).to_be_visible()
    page.get_by_role("button", name="Dodeli", exact=True).click()
    expect(page.get_by_text("Predmet je dodeljen.")).to_be_visible()
    page.get_by_role("link", name="List za pisarnicu").click()
    expect(page.get_by_role("article")).to_contain_text(reference)
    page.go_back()
    page.locator("summary", has_text="Odbij ili uputi drugde").click()
    page.get_by_label("Odbijeno").check()
    page.get_by_role("button", name="Sačuvaj i obavesti").last.click()
    expect(page.get_by_role("alert")).to_contain_text("Upišite razlog")
    page.get_by_label("Razlog za građanina").fill("Put je privatan.")
    page.get_by_role("button", name="Sačuvaj i obavesti").last.click()
    expect(page.get_by_text("Sačuvano.")).to_be_visible()
    told = case_of(product, reference)
    assert told["status"] == "rejected"
    history = told["history"]
    assert isinstance(history, list) and "Put je privatan." in [entry["note"] for entry in history]


def test_a_crew_comes_by_its_e_mail_and_repairs_it(open_page: Open, product: Product, reference: str) -> None:
    page = open_page(address(reference), mail=CLERK)
    hand_over(page)
    crew = open_page(link_in_mail(product, COMPANY), width=320, height=640)
    assert sideways(crew) <= 0
    assert findings(crew) == []
    crew.get_by_role("button", name="Preuzimamo").click()
    expect(crew.get_by_role("status").first).to_contain_text("Nalog je vaš")
    crew.get_by_label("Fotografija posle popravke").set_input_files(
        {"name": "posle.jpg", "mimeType": "image/jpeg", "buffer": samples.photo(exif=True)}
    )
    expect(crew.get_by_text("Fotografija je stigla.")).to_be_visible()
    product.post("/local/tick")
    crew.reload()
    expect(crew.get_by_text("Posle popravke, 1").first).to_be_visible()
    crew.get_by_label("Poruka gradu").fill("Zamenjeno.")
    crew.get_by_role("button", name="Popravljeno").click()
    expect(crew.get_by_text("Zabeleženo: popravljeno.")).to_be_visible()
    assert findings(crew) == []
    told = case_of(product, reference)
    assert told["status"] == "resolved"
    assert [file["state"] for file in told["attachments"]] == ["checked"] * 3  # type: ignore[attr-defined]
    page.goto(product.url + address(reference))
    page.get_by_role("button", name="Opozovi vezu").click()
    expect(page.get_by_text("Veza je opozvana")).to_be_visible()
    crew.reload()
    expect(crew.get_by_role("heading", level=1)).to_have_text("Ova veza više ne važi")
    assert findings(crew) == []


@pytest.mark.parametrize("scheme", ["light", pytest.param("dark", marks=pytest.mark.campaign)])
def test_axe_finds_nothing_whatever_is_folded_out(
    open_page: Open, product: Product, looked_at: str, scheme: str
) -> None:
    page = open_page(address(looked_at), mail=f"admin@{SLUG}.local")
    page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    page.reload()  # colours that change by and by are looked at when they have
    found = findings(page)
    hand_over(page, f"{scheme}@jkp.example")
    page.evaluate("document.querySelectorAll('details').forEach(one => { one.open = true })")
    page.get_by_label("Novo stanje").select_option("stayed")
    expect(page.locator(".preview").first).to_be_visible()
    found += findings(page)
    crew = open_page(link_in_mail(product, f"{scheme}@jkp.example"))
    crew.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    crew.reload()
    crew.evaluate("document.querySelectorAll('details').forEach(one => { one.open = true })")
    found += findings(crew)
    assert found == []


@pytest.mark.parametrize("voice", ["sr", "sr-cyrillic", "sq"])
def test_nothing_sticks_out_at_320_pixels(open_page: Open, product: Product, voice: str) -> None:
    reference = report(product, SLUG, text="Velika rupa na putu " + "W" * 120, media=())
    page = open_page(address(reference), mail=f"admin@{SLUG}.local", width=320, height=640, voice=voice)
    page.evaluate("document.querySelectorAll('details').forEach(one => { one.open = true })")
    assert sideways(page) <= 0
    expect(page.get_by_role("heading", level=1)).to_have_count(1)


def test_photos_and_forms_are_reached_by_keys_alone(open_page: Open, looked_at: str) -> None:
    page = open_page(address(looked_at), mail=CLERK)
    opened = page.locator("details.medium").first
    for _ in range(60):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.matches('details.medium > summary')"):
            break
    page.keyboard.press("Enter")
    expect(opened).to_have_attribute("open", "")
    for _ in range(60):
        page.keyboard.press("Tab")
        seen = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
        assert seen != "none", page.evaluate("document.activeElement.outerHTML.slice(0, 200)")
        if page.evaluate("document.activeElement.name === 'public_note'"):
            break
    page.keyboard.type("Tastaturom.")
    expect(page.get_by_label("Dodatak za građanina")).to_have_value("Tastaturom.")


def test_a_video_is_asked_for_only_when_it_is_played(open_page: Open, product: Product) -> None:
    media = ((samples.video(), "video/mp4"),)
    reference = report(product, SLUG, media=media)
    product.post("/local/tick")
    page = open_page(address(reference), mail=CLERK)
    page.get_by_text("Prikaži snimak").click()
    video = page.locator("video")
    expect(video).to_be_visible()
    with page.expect_response(re.compile(r"/files/1$")) as asked:
        video.evaluate("one => { one.load(); one.play().catch(() => {}) }")
    assert asked.value.status == 302


def test_the_map_shows_pin_and_neighbours_where_a_town_has_tiles(open_page: Open, product: Product) -> None:
    """The page of the product with the tiles of a town that named some, as its template draws them."""
    reference = report(product, SLUG, media=())
    page = open_page("/console/inbox", mail=CLERK)
    asked: list[str] = []

    def tile(route: Route) -> None:
        asked.append(route.request.url)
        route.fulfill(body=DOT, content_type="image/png")

    def with_map(route: Route) -> None:
        answer = route.fetch()
        policy = answer.headers["content-security-policy"].replace("data:", "data: https://tiles.example")
        from chalicelib.console.widget import asset_url

        head = "".join(
            [
                f'<link rel="stylesheet" href="{asset_url("leaflet.css")}">',
                f'<script src="{asset_url("leaflet.js")}" defer></script>',
                f'<script src="{asset_url("case.js")}" defer></script></head>',
            ]
        )
        box = (
            f'<div class="map live" id="map" data-latitude="{HERE[0]}" data-longitude="{HERE[1]}" role="region"'
            ' data-tiles="https://tiles.example/{z}/{x}/{y}.png" data-attribution="© &lt;b&gt;Karte" data-in="Približi"'
            f' data-out="Udalji" data-near="{HERE[0] + 0.0005},{HERE[1]} " aria-label="Mapa"></div><a class="map blank"'
        )
        body = answer.text().replace("</head>", head).replace('<a class="map blank"', box)
        route.fulfill(response=answer, body=body, headers={**answer.headers, "content-security-policy": policy})

    page.route("https://tiles.example/**", tile)
    page.route(f"**/console/cases/{reference}", with_map)
    page.goto(product.url + address(reference))
    expect(page.locator("#map path.pin")).to_be_visible()
    expect(page.locator("#map path.dot")).to_have_count(1)
    expect(page.get_by_text("© <b>Karte")).to_be_visible()
    assert asked and all(re.fullmatch(r"https://tiles\.example/\d+/\d+/\d+\.png", one) for one in asked)
    assert findings(page) == []


def test_what_arrives_while_a_button_is_pressed_waits_so_that_the_press_is_not_lost(
    open_page: Open, product: Product, reference: str
) -> None:
    """Leaving the field to press asks for the preview, which comes between and moves the button away."""
    page = open_page(address(reference), mail=HEAD)
    page.get_by_label("Novo stanje").select_option("in_progress")
    expect(page.get_by_text("Tačno ovo stiže")).to_be_visible()
    page.get_by_label("Dodatak za građanina").press_sequentially("Ekipa izlazi sutra u devet. " * 20, delay=0)
    send = page.get_by_role("button", name="Sačuvaj i obavesti").first
    send.scroll_into_view_if_needed()
    box = send.bounding_box()
    assert box
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    with page.expect_response(re.compile("/preview$")):
        page.mouse.down()
    page.wait_for_timeout(300)  # a slow hand
    page.mouse.up()
    expect(page.get_by_text("Sačuvano.")).to_be_visible()
    assert case_of(product, reference)["status"] == "in_progress"
