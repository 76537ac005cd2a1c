"""A plugin for a run of pytest: which function of ours asks AWS for what, told from whose code is running.

`--used FILE` (JSON): for each function each permission that was asked for, with a test during which it was. A function
is told by its entries: what its handler in `app.py` calls, and what that calls whatever the occasion. What the product
signs for others to do (links, upload forms) counts as asked for by whoever signed it.
"""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import FrameType
from typing import Any
from urllib.parse import urlsplit

import pytest

from chalicelib import wire
from chalicelib.storage import aws
from tests.infra import asked
from tests.infra.asked import Need

# Of which functions, by their policies, these modules or functions of `chalicelib` are the entries.
ENTRIES = {
    "actions.viber_callback": "api",
    "actions.receive_message": "api",
    "actions.web_chat": "api",
    "actions.cross_origin": "api",
    "actions.introduce": "api",
    "actions.case_api": "api",
    "actions.answer_open311": "api",
    "actions.open311": "api",
    "actions.file_links.opened": "api",
    "actions.illustrate.opened": "api",
    "console.door.handle": "api",
    "actions.answer_doorbell": "doorbell",
    "actions.take_dropped.hear": "doorbell",
    "actions.sweep.ring": "doorbell minute",
    "actions.work_outbox.work": "doorbell minute",
    "actions.sweep.sweep": "minute",
    "actions.watch_deadlines": "minute",
    "actions.retire_cases": "minute",
    "actions.collect_figures.collect_due": "minute",
    "actions.collect_figures.collect": "minute",
    "actions.publish_content.answer": "publish",
    "actions.publish_content.carry_out": "publish",
}
FUNCTIONS = ("api", "doorbell", "minute", "publish")
USED = "--used"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(USED)


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(Recorder(Path(config.getoption(USED))))


_handed_over = threading.local()  # in a thread: the functions of whoever gave it something to do


def running(frame: FrameType | None) -> tuple[str, ...]:
    """The functions whose entry is being run; of several entries the innermost tells."""
    while frame is not None:
        module = str(frame.f_globals.get("__name__", ""))
        if module.startswith("chalicelib."):
            name = module.removeprefix("chalicelib.")
            entered = ENTRIES.get(f"{name}.{frame.f_code.co_name}") or ENTRIES.get(name)
            if entered:
                return tuple(entered.split())
        frame = frame.f_back
    return getattr(_handed_over, "functions", ())


def _submitted(submit: Callable[..., Any]) -> Callable[..., Any]:
    """As `ThreadPoolExecutor.submit`; the thread knows for which function it works."""

    def handed(pool: ThreadPoolExecutor, work: Callable[..., Any], /, *given: Any, **named: Any) -> Any:
        functions = running(sys._getframe(1))

        def told() -> Any:
            _handed_over.functions = functions
            return work(*given, **named)

        return submit(pool, told)

    return handed


class Recorder:
    """Notes every permission asked for, by the function that runs."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self.used: dict[str, dict[Need, str]] = {name: {} for name in FUNCTIONS}
        self._test = ""
        self._patch = pytest.MonkeyPatch()

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logstart(self, nodeid: str) -> None:
        self._test = nodeid

    def pytest_sessionstart(self) -> None:
        import botocore.client

        wire.taps.append(self)
        self._patch.setattr(ThreadPoolExecutor, "submit", _submitted(ThreadPoolExecutor.submit))
        self._around(botocore.client.BaseClient, "_make_api_call", self._of_boto)
        self._around(aws, "object_link", lambda bucket, key, *_, **__: [asked.of_object("GET", f"/{bucket}/{key}")])
        self._around(aws, "upload_form", lambda bucket, key, *_, **__: [asked.of_object("PUT", f"/{bucket}/{key}")])

    def pytest_sessionfinish(self) -> None:
        self._patch.undo()
        wire.taps.remove(self)
        said = {name: [[*need, test] for need, test in sorted(used.items())] for name, used in self.used.items()}
        self._file.write_text(json.dumps(said, indent=1))

    def before(self, call: wire.Call) -> None:
        self._note(list(of_call(call)))

    def after(self, call: wire.Call, reply: wire.Reply) -> None:
        return

    def _of_boto(self, client: Any, operation: str, parameters: dict[str, Any]) -> list[Need]:
        return asked.of_json(client.meta.service_model.service_name, operation, parameters)

    def _around(self, owner: Any, name: str, needs: Any) -> None:
        inner = getattr(owner, name)

        def noted(*given: Any, **named: Any) -> Any:
            self._note(needs(*given, **named))
            return inner(*given, **named)

        self._patch.setattr(owner, name, noted)

    def _note(self, needs: list[Need]) -> None:
        for function in running(sys._getframe(1)) if needs else ():
            for need in needs:
                self.used[function].setdefault(need, self._test)


def of_call(call: wire.Call) -> Iterator[Need]:
    """The permissions one request on the wire takes."""
    if call.service == "s3":
        parts = urlsplit(call.url)
        path = f"{parts.path}?{parts.query}"
        yield asked.of_bucket(path) if call.operation.startswith("List") else asked.of_object(call.method, path)
    elif call.service in ("ses", "sns"):
        yield asked.of_form(call.body)
    elif call.service in ("dynamodb", "sqs", "ssm", "kms", "cognito-idp"):
        yield from asked.of_json(call.service, call.operation, json.loads(call.body or b"{}"))
