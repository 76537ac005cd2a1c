"""Whatever a citizen writes can do nothing but be read: a page with it is built of the same elements as one without."""

from __future__ import annotations

from dataclasses import replace
from html.parser import HTMLParser

import pytest

from chalicelib.model import Case, Happening, Place
from chalicelib.storage.cases import CaseStore
from tests.console.clerk import Clerk, Page, employed, filed, seated, soon
from tests.world import World

PLAIN = "rupa"
WRITTEN = {
    "markup": "</textarea></dd><script>alert(1)</script><img src=x onerror=alert(2)>",
    "an attribute's end": '" onmouseover="alert(1)" \' onfocus=\'alert(2)',
    "templates' braces": "{{ 7 * 7 }}{% raw %}{citizen}${7*7}#{7*7}",
    "a formula": '=HYPERLINK("https://evil.example","x")',
    "right-to-left overrides": "\u202efdp.exe\u2066\u200f rupa",
    "an entity": "&lt;b&gt;&#x3c;script&#x3e;",
    "a link": "javascript:alert(1) https://evil.example/",
}


class Elements(HTMLParser):
    """Names of elements with the names of their attributes, in order; text and values apart."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, ...]] = []
        self.text = ""
        self.links: set[str] = set()
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, *(name for name, _ in attrs)))
        self.links |= {str(value) for name, value in attrs if name in ("href", "src", "action", "formaction", "hx-get")}

    def handle_data(self, data: str) -> None:
        self.text += data


def _case(town: World, said: str) -> Case:
    """A case in which everything somebody outside may write says `said`."""
    case = filed(
        town.slug,
        town.now,
        kind="problem",
        subject=said,
        official=said,
        awaiting_institution=said,
        fields={"description": said, "question": said, "since": said},
        place=Place(said, 44.8, 20.4),
        applicant={"name": said, "phone": "+381641234567"},
        channel="web",
        assignee=("staff", "x", said),
    )
    noted = Happening(int(town.now), "note", "received", "citizen", said, True)
    return CaseStore(town.slug).save(replace(case, history=(*case.history, noted)), soon())


@pytest.mark.shows("A6", "A11")
@pytest.mark.parametrize("kind", WRITTEN)
def test_a_page_with_it_is_built_like_one_without(town: World, kind: str) -> None:
    clerk, said = seated(employed(town.slug, "admin"), town.now), WRITTEN[kind]
    harmless = _case(town, PLAIN).reference
    wicked = _case(town, said).reference
    for path in ("/console/cases/{}", "/console/cases/{}/print"):
        plain, with_it = (_elements(clerk, path.format(reference)) for reference in (harmless, wicked))
        assert with_it.found == plain.found, path
        assert said in with_it.text, "and it is there to be read, as it was written"
        assert not any("evil" in link or link.startswith("javascript") for link in with_it.links)
    inbox = _elements(clerk, "/console/inbox")
    assert said in inbox.text
    assert "49" not in inbox.text.replace(said, "").replace(wicked, "").replace(harmless, "")
    assert ("img", "src", "onerror") not in inbox.found


@pytest.mark.shows("A6")
def test_what_was_searched_for_is_shown_as_it_was_typed(town: World) -> None:
    clerk = seated(employed(town.slug, "admin"), town.now)
    plain = _elements(clerk, "/console/search?q=rupa")
    wicked = _elements(clerk, "/console/search?q=%22%3E%3Cscript%3Ealert(1)%3C/script%3E%7B%7B7*7%7D%7D")
    assert wicked.found == plain.found
    assert '"><script>alert(1)</script>{{7*7}}' in wicked.text


def _elements(clerk: Clerk, path: str) -> Elements:
    page: Page = clerk.get(path)
    assert page.status == 200, path
    return Elements(page.body)
