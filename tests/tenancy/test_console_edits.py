"""The console's edits and newer files: laid over them, decided where both changed the same, folded into them."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from chalicelib.actions import edit_content, publish_content
from chalicelib.actions.publish_tenant import publish_tenant
from chalicelib.model import Conflict, Staff
from chalicelib.storage import tenants
from chalicelib.tenancy import content
from chalicelib.tenancy.complaints import Rejected
from chalicelib.wire import Deadline
from infra import console_edits, towns
from tests.world import NOON, TOWNS

FEE, NOTE = "procedures/birth/fee", "procedures/birth/note"
SHEET = "# The sheet of birth.\nextends: RS/birth\noffice: biro\nfee: {sr: 300 dinara}  # by decree\n"


@pytest.fixture
def folder(aws: Any, town_slug: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A town's folder, published."""
    monkeypatch.setenv(towns.ROOT_VARIABLE, str(tmp_path))
    folder = tmp_path / town_slug
    shutil.copytree(TOWNS / "primer", folder)
    tenant = (folder / "tenant.yaml").read_text(encoding="utf-8")
    (folder / "tenant.yaml").write_text(
        tenant.replace("primer}", f"{town_slug}}}").replace("slug: primer", f"slug: {town_slug}")
    )
    (folder / "procedures/birth.yaml").write_text(SHEET)
    publish_tenant(towns.compiled(town_slug), NOON, "live")
    return folder


def edited(slug: str, changes: Mapping[str, Any]) -> None:
    """Changes an admin wrote and published in the console."""
    person = Staff(slug, "admin@primer.example", "a1", "admin")
    for unit in dict.fromkeys(content.unit_of(path) for path in changes):
        desk = edit_content.workspace(slug, Deadline(40))
        mine = {path: value for path, value in changes.items() if content.unit_of(path) == unit}
        after = edit_content.with_changes(desk, unit, mine, person.by, NOON)
        edit_content.save(desk, person, unit, after, NOON, Deadline(40))
    desk = edit_content.workspace(slug, Deadline(40))
    edit_content.order(desk, person, desk.digest, NOON, Deadline(40))
    done = publish_content.carry_out(slug, NOON, Deadline(40))
    assert done and done.state == "done", done


def laid(folder: Path, **take: str) -> console_edits.Laid:
    named = {FEE if name == "fee" else NOTE: who for name, who in take.items()}
    return console_edits.laid(towns.compiled(folder.name), named)


def says(version: Mapping[str, Any]) -> str:
    return str(version["sheets"]["sr"]["procedures.birth"])


def test_newer_files_keep_the_consoles_edits_and_say_so(folder: Path) -> None:
    edited(folder.name, {FEE: {"sr": "370 dinara"}})
    (folder / "procedures/birth.yaml").write_text(SHEET + "note: {sr: Nova napomena.}\n")
    both = console_edits.decided(laid(folder))
    assert "370 dinara" in says(both.compiled) and "Nova napomena." in says(both.compiled)
    assert console_edits.lines(both) == [f"console: {FEE} stays as it was edited"]


def test_what_both_changed_is_listed_and_somebody_decides(folder: Path) -> None:
    edited(folder.name, {FEE: {"sr": "370 dinara"}})
    (folder / "procedures/birth.yaml").write_text(SHEET.replace("300", "400"))
    with pytest.raises(Rejected, match=r"conflict at procedures/birth/fee.*400.*370.*--take yaml procedures/birth/fee"):
        console_edits.decided(laid(folder))
    assert "400 dinara" in says(laid(folder, fee="yaml").compiled)
    kept = console_edits.decided(laid(folder, fee="console"))
    assert "370 dinara" in says(kept.compiled)
    publish_tenant(kept.compiled, NOON, over=kept.over)
    assert not laid(folder).clashes  # decided once
    with pytest.raises(Rejected, match="is not edited in the console"):
        laid(folder, note="yaml")


def test_an_edit_published_meanwhile_is_not_lost_by_applying_files(folder: Path) -> None:
    before = laid(folder)
    edited(folder.name, {FEE: {"sr": "370 dinara"}})
    (folder / "procedures/birth.yaml").write_text(SHEET + "note: {sr: Nova napomena.}\n")
    with pytest.raises(Conflict):
        publish_tenant(towns.compiled(folder.name), NOON, over=before.over)


def test_folding_writes_the_edits_into_the_files_with_their_comments_and_applying_ends_them(folder: Path) -> None:
    office = {"title": {"sr": "Nova služba"}, "source": "uprava", "checked": "2026-03-10"}
    sheet = {"group": "other", "mode": "explain", "title": {"sr": "Parking"}, "office": "biro",
             "source": {"sr": "uprava"}, "checked": "2026-03-10"}  # fmt: skip
    edited(
        folder.name,
        {
            FEE: {"sr": "370 dinara"},
            NOTE: {"sr": "Prvi red.\nDrugi red."},
            **{f"contacts/offices/nova/{name}": value for name, value in office.items()},
            **{f"procedures/parking/{name}": value for name, value in sheet.items()},
            "phrases/doc.birth/examples/sr": ["rodni list", "krštenica"],
            "texts/sr/greeting": "Dobar dan! Ja sam {bot_name}.",
        },
    )
    before = laid(folder).compiled
    names = console_edits.fold(folder.name)
    assert names == [
        "contacts.yaml",
        "phrases.yaml",
        "procedures/birth.yaml",
        "procedures/parking.yaml",
        "texts.sr.yaml",
    ]
    written = (folder / "procedures/birth.yaml").read_text()
    assert "# The sheet of birth." in written and "# by decree" in written and "370 dinara" in written
    after = laid(folder)
    assert not after.edits and len(after.done) == 6
    assert {part: after.compiled[part] for part in ("core", "texts", "sheets", "index")} == {
        part: before[part] for part in ("core", "texts", "sheets", "index")
    }
    pointer = publish_tenant(after.compiled, NOON, over=after.over)
    source = tenants.source(folder.name, pointer.version, Deadline(40))
    assert source and source["edits"] == {}


def without_the_sheet(slug: str) -> None:
    person, desk = Staff(slug, "admin@primer.example", "a1", "admin"), edit_content.workspace(slug, Deadline(40))
    after = edit_content.without(desk, "procedures/birth", person.by, NOON)
    edit_content.save(desk, person, "procedures/birth", after, NOON, Deadline(40))
    edited(slug, {})


def test_a_sheet_taken_away_stays_away_and_is_folded_into_the_files(folder: Path) -> None:
    (folder / "phrases.yaml").write_text("procedures.birth: {examples: {sr: [rodni list]}}\n")
    publish_tenant(towns.compiled(folder.name), NOON, "live")
    edited(folder.name, {FEE: {"sr": "370 dinara"}})
    without_the_sheet(folder.name)
    gone = console_edits.decided(laid(folder))
    assert "procedures.birth" not in gone.compiled["sheets"]["sr"]
    assert console_edits.lines(gone)[-1] == "console: procedures/birth stays away"
    (folder / "procedures/birth.yaml").write_text(SHEET + "note: {sr: Nova napomena.}\n")
    with pytest.raises(Rejected, match=r"procedures/birth: the files changed it, the console took it away"):
        console_edits.decided(laid(folder))
    birth = {"procedures/birth": "yaml"}
    assert "Nova napomena." in says(console_edits.laid(towns.compiled(folder.name), birth).compiled)
    names = console_edits.fold(folder.name, {"procedures/birth": "console"})
    assert names == ["phrases.yaml", "procedures/birth.yaml"]
    assert not (folder / "procedures/birth.yaml").exists() and not (folder / "phrases.yaml").exists()
    assert not laid(folder).edits


def test_what_would_not_read_back_alike_is_not_written(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    edited(folder.name, {FEE: {"sr": "370 dinara"}})
    monkeypatch.setattr(console_edits.yaml_edit, "put", lambda text, steps, value: text)
    with pytest.raises(Rejected, match="nothing was written"):
        console_edits.fold(folder.name)
    assert (folder / "procedures/birth.yaml").read_text() == SHEET
