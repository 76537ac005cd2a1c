"""Rules of the house that nobody should have to remember."""

from __future__ import annotations

import re
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

import app
from chalicelib import channels, services
from chalicelib.actions import work_outbox
from chalicelib.actions.journal import log
from chalicelib.cases import callbacks
from chalicelib.console.routes import PAGES
from infra import towns

ROOT = Path(__file__).resolve().parents[2]
CODE = [*(ROOT / "chalicelib").rglob("*.py"), ROOT / "app.py"]
HANDLER = (
    "import app, chalicelib.actions.viber_callback, chalicelib.actions.web_chat, chalicelib.channels.viber, "
    "chalicelib.services.procedures, chalicelib.services.contacts"
)
HEAVY = tuple(
    "pydantic yaml jinja2 viberbot requests boto3 botocore pynamodb urllib3 moto Cryptodome".split()  # noqa: SIM905
)


def test_the_webhooks_handler_imports_nothing_heavy() -> None:
    code = f"{HANDLER}\nimport sys\nprint(*[name for name in {HEAVY!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


def test_no_towns_name_stands_in_the_code() -> None:
    slugs = towns.slugs()
    words = {word for slug in slugs for word in (slug, slug.split("-")[-1])} - {"severna"}
    found = {
        f"{path.relative_to(ROOT)}: {word}"
        for path in [*CODE, *(ROOT / "infra").rglob("*.py"), *(ROOT / "chalicelib").rglob("*.js")]
        for word in words
        if re.search(rf"\b{word}\b", path.read_text(encoding="utf-8"), re.IGNORECASE)
    }
    assert found == set()


def test_nothing_in_the_product_scans_a_table() -> None:
    assert [path.name for path in CODE if re.search(r"\.scan\(|\"Scan\"", path.read_text(encoding="utf-8"))] == []


def test_only_the_clock_and_the_doors_of_the_machine_tell_the_time() -> None:
    """Product time comes in as an argument; the machine's clock serves signatures, time-outs and token ages."""
    may = {"clock.py", "aws.py", "wire.py", "web_chat.py", "receive.py", "known.py", "secrets.py", "staff_pool.py"}
    tells = re.compile(r"time\.time\(\)|datetime\.now\(|date\.today\(")
    assert [path.name for path in CODE if path.name not in may and tells.search(path.read_text(encoding="utf-8"))] == []


def test_every_environment_name_the_code_reads_is_known_to_packaging() -> None:
    read = {
        name
        for path in CODE
        for name in re.findall(r"environ(?:\.get\(|\[)\"([A-Z_]+)\"", path.read_text(encoding="utf-8"))
        if name.startswith(("SALTER_", "VIBER_"))
    }
    declared = "".join(
        (ROOT / name).read_text() for name in ("infra/overlay.yaml", "infra/package.py", ".chalice/config.json")
    )
    optional = {"SALTER_LOG_LEVEL", "VIBER_API_URL"}
    assert {name for name in read - optional if name not in declared} == set()


def test_no_folder_of_leftovers() -> None:
    names = {path.stem for path in ROOT.rglob("*.py") if ".venv" not in path.parts and "build" not in path.parts}
    assert names & {"utils", "helpers", "common", "manager", "misc", "core"} == set()


def test_every_channel_and_kind_is_a_module_of_its_own() -> None:
    folders = {path.name for path in (ROOT / "chalicelib/channels").iterdir() if path.is_dir() and path.name[0] != "_"}
    assert folders == set(channels.NAMES)
    modules = {path.stem for path in (ROOT / "chalicelib/services").glob("*.py")} - {"__init__"}
    assert modules == set(services.KINDS)
    assert all(callable(services.kind(name).answer) for name in services.KINDS)


def test_every_outbox_kind_has_someone_to_do_it() -> None:
    workers = {name: import_module(f"chalicelib.actions.{module}") for name, module in work_outbox.KINDS.items()}
    assert [name for name, worker in workers.items() if not callable(getattr(worker, "work", None))] == []
    written = re.compile(r"outbox\.write\(\s*[\w.]+,\s*\"([a-z_]+)\"")
    kinds = {kind for path in CODE for kind in written.findall(path.read_text(encoding="utf-8"))}
    assert kinds and kinds <= set(work_outbox.KINDS)
    assert set(work_outbox.KINDS) >= work_outbox.ONCE


@pytest.mark.shows("A12")
def test_a_field_that_could_carry_a_person_cannot_be_logged() -> None:
    for field in ("citizen", "text", "phone", "token", "name", "body"):
        with pytest.raises(ValueError, match=field):
            log.info("event", **{field: "x"})


def test_the_local_conveniences_are_not_in_the_app() -> None:
    assert [path for path in app.app.routes if path.startswith("/local")] == []
    assert "infra" not in {
        name.split(".")[0] for path in CODE for name in re.findall(r"^(?:from|import) (\w+)", path.read_text(), re.M)
    }


def test_every_public_function_of_the_product_says_what_it_is_for_or_is_told_by_its_room() -> None:
    import ast

    missing = []
    for path in CODE:
        tree = ast.parse(path.read_text(encoding="utf-8"))
        if path.stat().st_size and not ast.get_docstring(tree):
            missing.append(str(path.relative_to(ROOT)))
    assert missing == []


def test_no_name_that_a_town_chooses_hides_behind_an_address_of_the_console() -> None:
    """`/console/systems/{callback}/again` beside `/console/systems/open311/again`: such ids are refused in `check`."""
    taken: dict[str, set[str]] = {}
    addresses = [(page.method, page.path.split("/")) for page in PAGES]
    for method, holed in addresses:
        for other, fixed in addresses:
            if other != method or len(fixed) != len(holed) or fixed == holed:
                continue
            pairs = [(hole, word) for hole, word in zip(holed, fixed, strict=True) if hole != word]
            if all(hole.startswith("{") and not word.startswith("{") for hole, word in pairs):
                for hole, word in pairs:
                    taken.setdefault(hole, set()).add(word)
    made_by_us = {"{identifier}": {"new"}, "{person}": {"new"}, "{reference}": {"queue"}}  # no such ids are made
    assert taken == {**made_by_us, "{callback}": set(callbacks.RESERVED)}
