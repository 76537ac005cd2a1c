"""`./salter town check`: what refuses a folder, what it only remarks, and that each says file, line and remedy."""

from __future__ import annotations

import datetime as dt
import re
import shutil
from pathlib import Path

import pytest

from chalicelib.tenancy.compile import compile_town
from infra import check, cli, towns
from tests.tenancy.conftest import change

PLACE = re.compile(r"tenants/proba/[\w/.]+\.yaml(:\d+)? .+ → .+")


EMAIL = "    phones: to be confirmed by the town\n    emails: [nobody@proba]"
SECOND_QUESTIONS = (
    "  - {id: again, kind: question, topics: [{id: all, title: {sr: Sve, en: All}, office: uprava}]}\nmenu:"
)
TWICE = "report.road: {keywords: [rupica]}\nreport.dogs: {keywords: [rupica]}\ncontact.office:"
UNKNOWN_OFFICE = "office: komunalci"


@pytest.mark.parametrize(
    ("file", "old", "new", "said"),
    [
        ("tenant.yaml", "number: ", "numbr: ", "numbr"),
        ("tenant.yaml", 'viber_name: "Opština Proba"', 'viber_name: "Opština Proba i njena naselja"', "28 characters"),
        ("tenant.yaml", "  en: {plain", "  de: {plain", "add the forms for en"),
        ("services.yaml", "office: inspekcija", UNKNOWN_OFFICE, 'no office "komunalci"'),
        ("tenant.yaml", "person: {office: uprava}", "person: {office: nema}", 'no office "nema"'),
        ("procedures/birth.yaml", "office: maticar", UNKNOWN_OFFICE, 'no office "komunalci"'),
        ("services.yaml", ', "en": "Ask an office"', "", "services.4.title is not there in en"),
        ("contacts.yaml", '      en: "Communal affairs"\n', "", "title is not there in en"),
        ("contacts.yaml", "    phones: to be confirmed by the town", '    phones: ["0112345678"]', "country code"),
        ("contacts.yaml", "    phones: to be confirmed by the town", '    phones: ["+381 11 23"]', "count the digits"),
        ("contacts.yaml", "    phones: to be confirmed by the town", EMAIL, "emails.0"),
        ("contacts.yaml", "    phones: to be confirmed by the town", "    web: www.proba.example", "web"),
        ("contacts.yaml", "    phones: to be confirmed by the town", "    web: https://proba", "web"),
        ("contacts.yaml", "    checked: 2", "    checked: 2026-02-30\n    # 2", "no such day"),
        ("texts.en.yaml", "# greeting:", 'greting: "Hello" # ', 'no text "greting"'),
        ("phrases.yaml", "contact.office:", "contact.ofice:", "neither an intent nor a choice"),
        ("conversations/report.yaml", "citizen:", "citzen:", '"citzen" means nothing here'),
        ("conversations/empty.yaml", "", "title: Nothing yet\n", "has no turns"),
        ("procedures/birth.yaml", "extends: RS/birth", "extends: RS/brith", "no sheet"),
        ("services.yaml", "menu: [", "menu: [nema, ", 'no choice "nema"'),
    ],
)
def test_a_broken_folder_is_refused_with_file_line_and_remedy(
    folder: Path, file: str, old: str, new: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    change(folder, file, old, new)
    assert cli.main(["town", "check", "proba"]) == 1
    complaints = capsys.readouterr().err.splitlines()
    assert all(PLACE.fullmatch(line) for line in complaints), complaints
    assert any(line.startswith(f"tenants/proba/{file}") and said in line for line in complaints), complaints


def test_a_broken_folder_names_everything_at_once(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    change(folder, "services.yaml", "office: inspekcija", UNKNOWN_OFFICE)
    change(folder, "procedures/birth.yaml", "office: maticar", UNKNOWN_OFFICE)
    assert cli.main(["town", "check", "proba"]) == 1
    assert capsys.readouterr().err.count('no office "komunalci"') == 2


@pytest.mark.parametrize(
    ("file", "old", "new", "said"),
    [
        ("contacts.yaml", "    about:", "    about:", 'nobody can reach "uprava" yet'),
        ("contacts.yaml", '      en: "General information', '      # "General', "offices.0.about is not there in en"),
        ("contacts.yaml", "    checked: 2", "    checked: 2024-01-01\n    # 2", "last checked on 2024-01-01"),
        ("procedures/birth.yaml", "office:", "checked: 2024-01-01\noffice:", 'sheet "birth" was last checked'),
        ("contacts.yaml", "    checked: 2", "    checked: 2126-01-01\n    # 2", "still to come"),
        ("phrases.yaml", "contact.office:", TWICE, "stands for"),
        ("phrases.yaml", "contact.office:", "report.road: {}\ncontact.office:", '"report.road" has no phrases'),
        ("services.yaml", "menu:", SECOND_QUESTIONS, 'no button leads to "again"'),
        ("services.yaml", "intents: [report.snow]", "intents: []", "nothing here answers"),
        ("texts.en.yaml", "# greeting:", 'ready_own_water: "Tomorrow." # ', 'ready reply "ready_own_water" is missing'),
    ],
)
def test_what_is_worth_mending_is_remarked_and_does_not_refuse(
    folder: Path, file: str, old: str, new: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    change(folder, file, old, new)
    if "report.snow" in old:
        change(folder, "contacts.yaml", ", report.snow", "")
    assert cli.main(["town", "check", "proba"]) == 0
    remarks = [line for line in capsys.readouterr().out.splitlines() if line.startswith("remark: ")]
    assert all(PLACE.fullmatch(line.removeprefix("remark: ")) for line in remarks), remarks
    assert any(said in line for line in remarks), remarks


def test_an_office_with_one_way_to_it_is_no_dead_contact_and_a_year_makes_every_sheet_old(folder: Path) -> None:
    change(folder, "contacts.yaml", "    phones: to be confirmed by the town", '    phones: ["+381 11 300 00 00"]')
    files = towns.files_of("proba")
    version, checked = compile_town(files), dt.date.fromisoformat(files.contacts.offices[0].checked)
    soon = [remark.problem for remark in check.remarks(files, version, checked)]
    assert not [problem for problem in soon if '"uprava"' in problem or "last checked" in problem]
    late = check.remarks(files, version, checked + dt.timedelta(days=check.CHECKED_DAYS_MAX + 1))
    aged = {remark.file for remark in late if "last checked" in remark.problem}
    assert aged >= {
        "tenants/proba/contacts.yaml",
        *(f"tenants/proba/procedures/{name}.yaml" for name in files.procedures),
    }


def test_a_number_that_another_folder_has_is_refused_in_both(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.copytree(folder, folder.parent / "druga")
    change(folder.parent / "druga", "tenant.yaml", "slug: proba", "slug: druga")
    for slug, other in (("proba", "druga"), ("druga", "proba")):
        assert cli.main(["town", "check", slug]) == 1
        said = capsys.readouterr().err
        assert re.search(rf"tenants/{slug}/tenant.yaml number \d+ is {other}'s", said), said


def test_a_town_beside_it_that_is_broken_keeps_no_other_from_checking(folder: Path) -> None:
    (folder.parent / "druga").mkdir()
    (folder.parent / "druga" / "tenant.yaml").write_text("slug: [")
    assert cli.main(["town", "check", "proba"]) == 0
