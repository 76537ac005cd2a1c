"""A plugin for a run of pytest of its own: takes guards out one at a time and says which test fails first without each.

The run collects every named test once; then each guard is taken out in a forked process, by putting the code of the
function it stands in in place of the one that is loaded, and its tests are run there until one fails. All of them share
one embedded AWS, with towns of their own. `--guards-out` is the list (JSON), `--guards-say` where the answer goes.
"""

from __future__ import annotations

import ast
import json
import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from types import CodeType, FunctionType
from typing import Any

import pytest

from infra.local import aws as local_aws

ASKED, SAID = "--guards-out", "--guards-say"
ROOT = Path(__file__).resolve().parents[2]
ANYBODY = "anybody"  # what a key says in place of the town once its guard is taken out
SECONDS_MAX = 60.0  # for one guard's tests: whoever hangs shows nothing
POLL_SECONDS = 0.01
# A test that fails for one of these fails because the table is wrong, not because something got through.
BROKEN = ("NameError", "SyntaxError", "ImportError", "UnboundLocalError", "IndentationError")


def taken_out(source: str, text: str, instead: str, times: int = 1) -> str:
    """The source without the guard. Raises ValueError unless it stands there so many times."""
    if source.count(text) != times:
        raise ValueError(f"stands there {source.count(text)} times: {text}")
    return source.replace(text, instead)


def forgotten(source: str, function: str) -> str:
    """The source with one of its key functions spelling every town alike."""
    tree = ast.parse(source)
    (found,) = [node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == function]
    name = town_argument(found)
    assert name, function
    found.body.insert(0, ast.parse(f"{name} = {ANYBODY!r}").body[0])
    return ast.unparse(tree)


def town_argument(function: ast.FunctionDef) -> str | None:
    """What a function of the keys calls the town it is given."""
    return next((arg.arg for arg in function.args.args if arg.arg in ("town", "slug")), None)


def replaced(module: str, source: str) -> int:
    """Put the code of every function that reads otherwise in `source` in place of the loaded one's; how many."""
    path = ROOT / module
    loaded = import_module(module.removesuffix(".py").replace("/", "."))
    before = {code.co_qualname: code for code in _codes(compile(path.read_text(), str(path), "exec"))}
    after = {code.co_qualname: code for code in _codes(compile(source, str(path), "exec"))}
    changed = 0
    for name, code in after.items():
        if name in before and not _alike(code, before[name]):
            _function(loaded, name).__code__ = code
            changed += 1
    return changed


def _codes(code: CodeType) -> Iterator[CodeType]:
    """The functions of a module and the methods of its classes; what stands within those comes along with them."""
    for part in code.co_consts:
        if isinstance(part, CodeType):
            if part.co_flags & 2:  # CO_NEWLOCALS: a function, not a class's body
                yield part
            else:
                yield from _codes(part)


def _alike(one: CodeType, other: CodeType) -> bool:
    """Whether two do the same, wherever they stand in the file."""
    consts = zip(one.co_consts, other.co_consts, strict=False)
    return (
        (one.co_code, one.co_names, one.co_varnames, len(one.co_consts))
        == (other.co_code, other.co_names, other.co_varnames, len(other.co_consts))
    ) and all(_alike(a, b) if isinstance(a, CodeType) and isinstance(b, CodeType) else a == b for a, b in consts)


def _function(module: Any, name: str) -> FunctionType:
    found = module
    for part in name.split("."):
        found = found.__dict__[part]
    while not isinstance(found, FunctionType):  # a property, a cached function
        found = getattr(found, "fget", None) or found.__wrapped__
    return found


# --- the run ----------------------------------------------------------------------------------------------------


class _Seen:
    """The first failure of a forked process."""

    def __init__(self) -> None:
        self.failed: dict[str, str] | None = None
        self.ran = 0

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self.ran += report.when == "call"
        if report.failed and self.failed is None:
            crash = getattr(report.longrepr, "reprcrash", None)
            said = str(crash.message if crash else report.longrepr)
            self.failed = {"test": report.nodeid, "why": said[:300]}


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(ASKED)
    parser.addoption(SAID)


def pytest_runtestloop(session: pytest.Session) -> bool:
    guards = json.loads(Path(session.config.getoption(ASKED)).read_text())
    items: dict[str, list[pytest.Item]] = {}
    for item in session.items:
        items.setdefault(item.nodeid.partition("[")[0], []).append(item)
        items.setdefault(item.nodeid, []).append(item)
    say, said = Path(session.config.getoption(SAID)), list[Any]()
    with _one_aws(say.parent):
        for guard in guards:
            said.append(_forked(session, guard, items, say.with_suffix(".part")))
            say.write_text(json.dumps(said))
    return True


@contextmanager
def _one_aws(place: Path) -> Iterator[None]:
    """Started before anything is forked; what the forked ones start and stop is this one."""
    from tests import conftest

    running, stop = local_aws.start(place, port=conftest.AWS_PORT), local_aws.stop
    local_aws.ensure_stack(running.endpoint, conftest.STAGE)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(local_aws, "start", lambda *_, **__: running)
        patch.setattr(local_aws, "ensure_stack", lambda *_: None)
        patch.setattr(local_aws, "stop", lambda *_: None)
        try:
            yield
        finally:
            stop(place, running)


def _forked(session: pytest.Session, guard: dict[str, Any], items: dict[str, list[pytest.Item]], out: Path) -> Any:
    out.unlink(missing_ok=True)
    began = time.monotonic()
    child = os.fork()
    if not child:
        try:
            out.write_text(json.dumps(_tried(session, guard, items)))
        except BaseException as error:
            out.write_text(json.dumps({"broken": f"{type(error).__name__}: {error}"}))
        finally:
            os._exit(0)
    while not os.waitpid(child, os.WNOHANG)[0]:
        if time.monotonic() - began > guard.get("seconds", SECONDS_MAX):
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            return {"broken": "hangs"}
        time.sleep(POLL_SECONDS)
    found: dict[str, Any] = json.loads(out.read_text())
    return found | {"seconds": round(time.monotonic() - began, 1)}


def _tried(session: pytest.Session, guard: dict[str, Any], items: dict[str, list[pytest.Item]]) -> dict[str, Any]:
    wanted = list(dict.fromkeys(item for test in guard["tests"] for item in items.get(test, ())))
    if not wanted:
        return {"broken": "no such tests"}
    if "module" in guard and replaced(guard["module"], guard["source"]) < 1:
        return {"broken": "nothing was replaced"}
    seen = _Seen()
    session.config.pluginmanager.register(seen)
    for item, following in zip(wanted, [*wanted[1:], None], strict=True):
        item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
        if seen.failed:
            return {"failed": seen.failed, "ran": seen.ran}
    return {"ran": seen.ran}
