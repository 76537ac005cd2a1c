"""A browser, an invented town, and a visitor who looks at the town's page."""

import shutil
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.browser.desk import open_page
from tests.browser.stub import Town, serve
from tests.browser.visitor import Visitor

__all__ = ["open_page"]
CHROMIUM = shutil.which("chromium") or "/usr/bin/chromium"
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
WAIT_MS = 8000


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    if not shutil.which(CHROMIUM):
        pytest.skip("needs Debian's Chromium (apt install chromium)")
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield running
        running.close()


@pytest.fixture
def town() -> Iterator[Town]:
    """A town of its own for each test, on two free ports."""
    invented = Town()
    servers = serve(invented)
    yield invented
    invented.wait.set()
    invented.bucket_open.set()
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.fixture
def visit(browser: Browser, town: Town) -> Iterator[Callable[..., Visitor]]:
    """Opens the town's page (or another) as a new visitor; at the end nobody may have met an error of ours."""
    visitors = []

    def look(path: str = "", *, width: int = 1280, height: int = 860, **context: Any) -> Visitor:
        opened = browser.new_context(viewport={"width": width, "height": height}, **context)
        opened.set_default_timeout(WAIT_MS)
        visitor = Visitor(opened, town)
        visitors.append(visitor)
        visitor.page.goto(path or town.page + "/")
        return visitor

    yield look
    problems = [problem for visitor in visitors for problem in visitor.problems]
    for visitor in visitors:
        visitor.context.close()
    assert problems == []
