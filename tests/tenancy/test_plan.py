"""`./salter town plan` says in words what publishing would change."""

from __future__ import annotations

from pathlib import Path

from infra import plan, towns
from tests.tenancy.conftest import change

PHONE = "    phones: to be confirmed by the town"


def changed(folder: Path, *edits: tuple[str, str, str]) -> tuple[list[str], str]:
    """The lines and the sum of what the edits change."""
    before = towns.compiled(folder.name)
    for edit in edits:
        change(folder, *edit)
    found = plan.differences(before, towns.compiled(folder.name))
    return [str(one) for one in found], plan.summed(found)


def test_nothing_changes_where_nothing_was_edited(folder: Path) -> None:
    assert changed(folder) == ([], "only parts that nobody reads")


def test_an_offices_phone_is_told_in_every_language_and_counts_once(folder: Path) -> None:
    lines, summed = changed(folder, ("contacts.yaml", PHONE, '    phones: ["+381 11 300 00 00"]'))
    office = "~ office uprava (Opštinska uprava): in"
    assert f"{office} sr, Telefon: nothing → +381 11 300 00 00" in lines
    assert f"{office} en, Phone: nothing → +381 11 300 00 00" in lines
    assert summed.startswith("1 office changed")


def test_sheets_that_come_and_go_are_named_by_their_titles(folder: Path) -> None:
    before = towns.compiled("proba")
    (folder / "procedures" / "wedding.yaml").unlink()
    (folder / "procedures" / "svadba.yaml").write_text("extends: RS/wedding\noffice: maticar\n")
    found = plan.differences(before, towns.compiled("proba"))
    assert [str(one) for one in found if one.what == "sheet"] == [
        "- sheet wedding (Zakazivanje venčanja)",
        "+ sheet svadba (Zakazivanje venčanja)",
    ]


def test_services_their_problems_and_their_terms_are_told_apart(folder: Path) -> None:
    snow = "      - {id: snow, intents: [report.snow], office: komunalni_poslovi, term: to be confirmed by the town}\n"
    term = "term: to be confirmed by the town  # how long"
    status = "  - {id: status, kind: case_status}\n"
    lines, summed = changed(
        folder,
        ("services.yaml", snow, ""),
        ("services.yaml", term, "term: {working_days: 5}  # how long"),
        ("services.yaml", status, ""),
        ("services.yaml", "report, ask, status, news", "report, ask, news"),
    )
    assert any(line.startswith("~ service report: - problems, snow") for line in lines)
    assert "- duty of problem, snow: komunalni_poslovi, without a confirmed term" in lines
    duty = "komunalni_poslovi, without a confirmed term → komunalni_poslovi, 5 working days from receipt"
    assert f"~ duty of question, komunalni_poslovi: {duty}" in lines
    assert "- service status (case_status)" in lines
    assert "- setting menu: status" in lines
    assert "~ intent report.snow: leads to report.category.snow → contacts.komunalni_poslovi" in lines
    assert "1 service changed" in summed and "1 service removed" in summed


def test_texts_settings_languages_and_phrases_are_told(folder: Path) -> None:
    lines, summed = changed(
        folder,
        ("texts.en.yaml", "# greeting:", 'btn_back: "Go back"\n# '),
        ("tenant.yaml", 'ambulance: "194"', 'ambulance: "199"'),
        ("tenant.yaml", "  - {id: en, scripts: [latin]}", "  - {id: en, scripts: [latin]}\n  - {id: de}"),
        ("tenant.yaml", '  en: {plain: "Proba"}', '  en: {plain: "Proba"}\n  de: {plain: "Proba"}'),
        ("phrases.yaml", "    en: [", '    en: ["Where is Proba", '),
    )
    assert "~ text btn_back in en: Back → Go back" in lines
    assert "~ setting emergency numbers, ambulance: 194 → 199" in lines
    assert "+ language Deutsch" in lines
    assert any(line.startswith("~ phrases for contact.office: ") for line in lines)
    assert "1 language added" in summed and "1 setting changed" in summed
