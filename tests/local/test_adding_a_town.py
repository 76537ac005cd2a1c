"""docs/adding-a-town.md, followed to the letter against a running product, and its examples put together."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from infra import towns
from tests.product import ROOT, Product

PAGE = (ROOT / "docs" / "adding-a-town.md").read_text(encoding="utf-8")
TEN_MINUTES = 600.0
SLUG = "primer"
# Towns that are published beside the new one; two are enough to see that none of them notices.
OTHERS = towns.slugs()[:2]


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A root of towns of its own, with two of ours in it."""
    made = tmp_path_factory.mktemp("checkout") / "tenants"
    for slug in OTHERS:
        shutil.copytree(ROOT / "tenants" / slug, made / slug)
    return made


@pytest.fixture(scope="module")
def running(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    product = Product(tmp_path_factory.mktemp("product"), **{towns.ROOT_VARIABLE: str(root)})
    product.start()
    yield product
    product.kill()


def follow(commands: str, running: Product, root: Path) -> subprocess.CompletedProcess[str]:
    """The page's commands as a shell takes them, with this root, this product and this interpreter for its own."""
    commands = commands.replace("./salter ", f"{sys.executable} -m infra.cli ")
    commands = commands.replace("tenants/", f"{root}/").replace("http://127.0.0.1:8000", running.url)
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "SALTER_"))}
    environment |= {towns.ROOT_VARIABLE: str(root), "DATA": str(running.data)}
    return subprocess.run(
        ["bash", "-euo", "pipefail", "-c", commands],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_town_that_nobody_knew_answers_within_ten_minutes(
    running: Product, root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = {slug: running.get(f"/chat/{slug}").body for slug in OTHERS}
    said, seconds = "", {}
    for commands in blocks("sh"):
        began = time.monotonic()
        done = follow(commands, running, root)
        seconds[" ".join(commands.split()[:3])] = time.monotonic() - began
        assert done.returncode == 0, (commands, done.stdout, done.stderr)
        said += done.stdout
    with capsys.disabled():
        print("\na new town, from nothing to its first answer:")
        for command, took in {**seconds, "altogether": sum(seconds.values())}.items():
            print(f"  {took:5.1f} s  {command}")
    assert f"{SLUG} is new: " in said
    assert f"{SLUG}: version 1 is in force" in said
    assert "+381 25 000 000" in said.rpartition('"messages"')[2]  # what was put in, in the town's answer
    assert sum(seconds.values()) < TEN_MINUTES
    # It has what the local stack gives every town.
    assert running.get(f"/api/v1/{SLUG}/cases", Authorization=f"Bearer local-key-{SLUG}").json["cases"] == []
    assert "Viber knows " in follow(f"./salter town check {SLUG} --stage local", running, root).stdout
    assert {slug: running.get(f"/chat/{slug}").body for slug in OTHERS} == before

    # What is broken later is refused with its place, and the town goes on as it was.
    services = root / SLUG / "services.yaml"
    services.write_text(services.read_text().replace("office: inspekcija", "office: nema", 1))
    for command in ("check", "plan", "apply"):
        refused = follow(f"./salter town {command} {SLUG}", running, root)
        assert refused.returncode == 1
        assert re.search(rf"tenants/{SLUG}/services\.yaml:\d+ no office \"nema\" → ", refused.stderr)
    assert running.get(f"/chat/{SLUG}").status == 200


def test_the_check_of_a_stage_asks_viber_about_the_bot(running: Product, root: Path) -> None:
    """The local stack knows the tokens of the towns it began with, and of no other account."""
    known = follow(f"./salter town check {OTHERS[0]} --stage local", running, root)
    assert known.returncode == 0, known.stderr
    assert "Viber knows " in known.stdout
    tenant = root / OTHERS[1] / "tenant.yaml"
    tenant.write_text(re.sub(r"viber: \{account: [a-z-]+", "viber: {account: nobody", tenant.read_text()))
    unknown = follow(f"./salter town check {OTHERS[1]} --stage local", running, root)
    assert unknown.returncode == 1
    said = r"tenants/[a-z-]+/tenant\.yaml:\d+ Viber: there is no token of nobody → .*/accounts/nobody/viber-token"
    assert re.fullmatch(said, unknown.stderr.strip()), unknown.stderr


def test_the_pages_examples_are_one_town_that_checks_and_keeps_its_promise(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from infra import cli

    monkeypatch.setenv(towns.ROOT_VARIABLE, str(tmp_path))
    services = tmp_path / SLUG / "services.yaml"
    for block in blocks("yaml"):
        name = re.match(r"# tenants/(\S+)\n", block)
        if name:
            (tmp_path / name[1]).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name[1]).write_text(block, encoding="utf-8")
        elif block.startswith("# under services:\n"):
            before, menu, after = services.read_text().partition("menu:")
            services.write_text(before + block + menu + after, encoding="utf-8")
    assert cli.main(["town", "check", SLUG]) == 0, capsys.readouterr().err
    assert cli.main(["town", "test", SLUG]) == 0, capsys.readouterr().out
