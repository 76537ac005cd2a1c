"""What people write is words wherever it comes out: console, paper, CSV, JSON, e-mail, and the bot's own answers."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

import pytest

from chalicelib.integrations import email
from infra.proofs import Stage, town_of
from tests.console.clerk import Clerk, employed, seated
from tests.console.test_inert import PLAIN, Elements, _case
from tests.conversations.people import presses, says
from tests.conversations.test_question import FRIDAY
from tests.integrations.system import System
from tests.shows import Measure
from tests.world import World, compiled

TAGS = ("script", "img src=x onerror", "svg onload", "iframe src", "body onload", "details open ontoggle", "math href")
WICKED = [
    *(f"<{tag}=alert({number})>" for number, tag in enumerate(TAGS)),
    *(f"</{tag}><script>alert(1)</script>" for tag in ("textarea", "title", "style", "option", "dd", "td", "p")),
    *(f'{end} onmouseover="alert(1)" x={end}' for end in ('"', "'", "`", '\\"', "&quot;", "&#39;")),
    "javascript:alert(1)",
    "data:text/html,<script>alert(1)</script>",
    "{{ 7 * 7 }}",
    "{% for x in ().__class__.__base__.__subclasses__() %}{{ x }}{% endfor %}",
    "{citizen.__class__}",
    "{0.__init__.__globals__}",
    "%(secret)s %s %n",
    "${7*7} #{7*7} <%= 7*7 %>",
    '=HYPERLINK("https://evil.example","x")',
    "+cmd|' /C calc'!A0",
    "-2+3",
    "@SUM(1+1)",
    "\uff1d1+1",
    "\u202efdp.exe\u2066\u200f",
    "a\u0300\u0301\u0302" * 20,
    "<!--><script>alert(1)</script>-->",
    "<![CDATA[<script>alert(1)</script>]]>",
    "&lt;script&gt;&#x3c;script&#x3e;",
    "\u003cscript\u003e\\u003cscript\\u003e",
    "[x](javascript:alert(1)) https://evil.example/",
    "<a href=//evil.example>x</a>",
    "hx-get=/console/staff hx-trigger=load",
    "' OR 1=1 -- $ne ||",
]
PAGES = ("/console/cases/{}", "/console/cases/{}/print")


@pytest.mark.campaign
@pytest.mark.shows("A6", "A11")
def test_forty_payloads_in_every_field_change_no_page(town: World, measured: Measure) -> None:
    clerk = seated(employed(town.slug, "admin"), town.now)
    harmless = [_elements(clerk, path.format(_case(town, PLAIN).reference)).found for path in PAGES]
    for said in WICKED:
        reference = _case(town, said).reference
        for path, plain in zip(PAGES, harmless, strict=True):
            page = _elements(clerk, path.format(reference))
            assert page.found == plain, (path, said)
            assert not any("evil" in link or link.startswith(("javascript", "data:text")) for link in page.links), said
    inbox = {name for one in _elements(clerk, "/console/inbox").found for name in one}
    assert not {"onerror", "onload", "ontoggle"} & inbox
    measured("A6", f"{len(WICKED)} payloads in every field of a case, {len(PAGES)} pages each: none built otherwise")


@pytest.mark.shows("A6", "A11")
def test_a_towns_system_reads_them_as_they_were_written(town: World) -> None:
    system = System(town.slug)
    for said in WICKED[::4]:
        reference = _case(town, said).reference
        answer = system.get(f"cases/{reference}")
        assert answer.json["subject"] == said and answer.json["fields"]["description"] == said
        assert answer.headers["Content-Type"].startswith("application/json")


@pytest.mark.shows("A11")
@pytest.mark.parametrize("said", ["{citizen.__class__} {0} {{7*7}}", "%(x)s %s ${7*7} #{7*7}", "{% raw %}{town_gen}"])
def test_the_bot_repeats_braces_as_they_were_typed(said: str) -> None:
    scene = Stage(town_of(compiled("upitna", "upitna")), "viber", FRIDAY)
    says(scene, f"Imam pitanje: kad se plaća porez na garažu {said}?")
    summary = presses(scene, "ask.zone.here")
    presses(scene, "form.send")
    assert scene.filed is not None
    assert said in summary.text and said in scene.filed.fields["question"]


@pytest.mark.shows("A6")
def test_a_subject_of_an_e_mail_has_one_line() -> None:
    asked: dict[str, Any] = {}

    def ask(action: str, fields: dict[str, Any]) -> str:
        asked.update(fields)
        return ""

    email.send("a@b.example", "c@d.example", "Rupa\r\nBcc: evil@evil.example\n\nx", "tekst", ask)
    assert asked["Message.Subject.Data"] == "Rupa Bcc: evil@evil.example x"


@pytest.mark.shows("A8")
def test_no_cell_of_the_figures_is_a_formula(town: World) -> None:
    town.says("mira", "=1+1")
    page = seated(employed(town.slug, "admin"), town.now).get("/console/figures.csv")
    rows = list(csv.reader(io.StringIO(page.body.lstrip("\ufeff")), delimiter=";"))
    assert rows and not any(cell[:1] in "=+-@\t\r" for row in rows for cell in row if cell)


@pytest.mark.shows("A12", "A6")
def test_nothing_typed_into_an_address_gets_into_the_audit_trail_but_ids(town: World) -> None:
    clerk = seated(employed(town.slug, "admin"), town.now)
    for typed in ("<script>alert(1)", "Mira%20%C5%A0ari%C4%87", "x" * 500, "%0d%0aforged"):
        assert clerk.get(f"/console/cases/{typed}").status == 404
    acts = town.acts()
    assert {act.about for act in acts if act.what == "refused"} == {""}
    json.dumps([dict(act.detail) for act in acts])


def _elements(clerk: Clerk, path: str) -> Elements:
    page = clerk.get(path)
    assert page.status == 200, path
    return Elements(page.body)
