"""Somebody who uses the chat: by words on the screen and by keys, never by our class names."""

import json
from functools import lru_cache
from importlib import resources
from typing import Any

from playwright.sync_api import BrowserContext, Locator, Page, expect

from tests.browser.stub import TOWN, Town

OPEN = "Pitajte nas"
FIELD = "Upišite poruku…"
GREETING = "Dobar dan! Ja sam LIPA"
# The browser itself reports refused and missing answers; faults are made on purpose here.
EXPECTED_NOISE = ("Failed to load resource", "net::ERR")
WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


@lru_cache(maxsize=1)
def axe() -> str:
    return resources.files("axe_playwright_python").joinpath("axe.min.js").read_text(encoding="utf-8")


class Visitor:
    """One browser context with one page; `problems` are errors of scripts and breaches of the page's policy."""

    def __init__(self, context: BrowserContext, town: Town) -> None:
        self.context, self.town, self.problems = context, town, list[str]()
        self.page = self.watched(context.new_page())

    def watched(self, page: Page) -> Page:
        page.on("pageerror", lambda error: self.problems.append(str(error)))
        page.on("console", lambda message: self.heard(message.type, message.text))
        return page

    def heard(self, kind: str, text: str) -> None:
        if kind == "error" and not any(noise in text for noise in EXPECTED_NOISE):
            self.problems.append(text)

    @property
    def button(self) -> Locator:
        return self.page.get_by_role("button", name=OPEN)

    @property
    def field(self) -> Locator:
        return self.page.get_by_label(FIELD)

    @property
    def log(self) -> Locator:
        return self.page.get_by_role("log")

    @property
    def notice(self) -> Locator:
        return self.page.get_by_role("status")

    def open(self) -> "Visitor":
        self.button.click()
        return self.sees(GREETING)

    def say(self, text: str) -> "Visitor":
        self.field.fill(text)
        self.field.press("Enter")
        return self

    def press(self, name: str) -> "Visitor":
        self.page.get_by_role("button", name=name, exact=True).click()
        return self

    def sees(self, text: str, times: int | None = None) -> "Visitor":
        found = self.log.get_by_text(text)
        if times is None:
            expect(found.last).to_be_visible()
        else:
            expect(found).to_have_count(times)
        return self

    def record(self) -> dict[str, Any]:
        """What the widget keeps in this browser."""
        return dict(json.loads(self.page.evaluate(f"localStorage['salter.{TOWN}'] || '{{}}'")))

    def keep(self, change: str) -> None:
        """Change what is kept, by a line of script that sees it as `record`."""
        self.page.evaluate(
            f"() => {{ const record = JSON.parse(localStorage['salter.{TOWN}']); {change};"
            f"localStorage['salter.{TOWN}'] = JSON.stringify(record) }}"
        )

    def reload(self) -> "Visitor":
        self.page.reload()
        return self

    def sideways(self) -> int:
        """By how many pixels anything sticks out of the screen."""
        return int(
            self.page.evaluate(
                """() => {
                const all = [...document.querySelector('salter-chat').shadowRoot.querySelectorAll('*')];
                const drawn = all.filter(one => one.checkVisibility() && !one.closest('.vh'));
                return Math.max(...drawn.map(one => Math.ceil(one.getBoundingClientRect().right - innerWidth)),
                                document.documentElement.scrollWidth - innerWidth) }"""
            )
        )

    def findings(self) -> list[str]:
        """What axe-core has against the page: rule and place."""
        self.page.evaluate(axe())
        found = self.page.evaluate(f"() => axe.run(document, {{runOnly: {json.dumps(WCAG)}}})")
        return [
            f"{one['id']}: {node['target']} {node['failureSummary']}"
            for one in found["violations"]
            for node in one["nodes"]
        ]
