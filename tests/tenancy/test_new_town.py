"""`./salter town new`: a folder that answers at once, in all its languages, and says nothing that nobody has said."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import pytest

from chalicelib.tenancy.load import load, read_folder
from chalicelib.tenancy.schema import UNCONFIRMED
from infra import cli, first_folder, new_town, proofs, towns
from infra.first_folder import Wishes

SERBIAN = "sr=Opština Proba / Opštine Probe / Opštini Probi"
BOSNIAN = "bs=Općina Proba / Općine Proba / Općini Proba"
MONTENEGRIN = "cnr=Opština Proba / Opštine Proba / Opštini Proba"
# Country → its languages, the town's own first, and its channels.
TOWNS = {
    "RS": (["sr", "en", "de"], ["--web", "https://www.proba.example", "--viber"]),
    "BA-SRP": (["sr=cyrillic,latin", "bs", "en"], ["--viber"]),
    "BA-FBIH": (["bs", "en", "de"], ["--web"]),
    "ME": (["cnr", "sq", "en"], ["--viber", "shared-bot"]),
    "XK": (["sq", "sr", "bs", "en"], ["--web", "--kind", "ngo"]),
}
NAMES = ["--name", SERBIAN, "--name", BOSNIAN, "--name", MONTENEGRIN]
NAMES += [part for language in ("sq", "en", "de") for part in ("--name", f"{language}=Proba")]


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty root of towns; the command is not on a terminal."""
    monkeypatch.setenv(towns.ROOT_VARIABLE, str(tmp_path / "towns"))
    monkeypatch.setattr("sys.stdin", io.StringIO())
    yield tmp_path / "towns"


def new(slug: str, country: str, *more: str) -> int:
    languages, channels = TOWNS[country]
    spoken = [part for language in languages for part in ("--language", language)]
    return cli.main(["town", "new", slug, "--country", country, *spoken, *NAMES, *channels, *more])


def folder_is_empty(root: Path) -> bool:
    return not root.exists() or not list(root.iterdir())


@pytest.mark.parametrize("country", TOWNS)
def test_a_new_town_checks_and_answers_in_all_its_languages_and_scripts(
    root: Path, country: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert new("proba", country) == 0
    assert str(root / "proba") in capsys.readouterr().out
    version = towns.compiled("proba")
    played = {result.file: result.problem for result in proofs.play_town("proba")}
    assert {file: problem for file, problem in played.items() if problem} == {}
    for number, language in enumerate(version["core"]["languages"]):
        ending = f"_{language['id']}" if number else ""
        assert {f"greeting{ending}.yaml", f"emergency{ending}.yaml", f"report{ending}.yaml"} <= set(played)
        assert (f"greeting{ending}_cyrillic.yaml" in played) == ("cyrillic" in language["scripts"])
    assert cli.main(["town", "test", "proba"]) == 0


@pytest.mark.parametrize("country", TOWNS)
def test_a_new_town_knows_no_phone_address_or_hours_that_nobody_has_told(root: Path, country: str) -> None:
    wishes = Wishes("proba", country, {"en": ["latin"]}, {"en": {"plain": "Proba"}}, web=[], viber_name="Proba")
    own = {"RS": "sr", "BA-SRP": "sr", "BA-FBIH": "bs", "ME": "cnr", "XK": "sr"}[country]
    wishes.languages = {own: ["latin"], "en": ["latin"]}
    wishes.names[own] = {"plain": "Proba", "genitive": "Probe", "locative": "Probi"}
    new_town.complete(wishes)
    written = {name: text.encode() for name, text in first_folder.files(wishes, "2026-03-01").items()}
    files = load("proba", written)
    for office in files.contacts.offices:
        assert (office.phones, office.address, office.hours) == (UNCONFIRMED, UNCONFIRMED, UNCONFIRMED)
        assert (office.emails, office.web, office.confirmed) == (None, None, False)
    assert files.tenant.centre is None and not files.tenant.settlements
    assert all(not sheet.confirmed for sheet in files.procedures.values())


def test_the_second_town_gets_a_number_and_a_prefix_that_nobody_has(root: Path) -> None:
    assert new("proba", "RS") == 0
    assert new("proba-dva", "RS") == 0
    versions = {slug: towns.compiled(slug) for slug in towns.slugs()}
    assert sorted(versions) == ["proba", "proba-dva"]
    assert towns.number_clashes(versions) == []
    numbers = {number for number, _ in towns.identities(towns.OWN_ROOT).values()}
    assert not numbers & {version["core"]["number"] for version in versions.values()}


def test_what_no_flag_says_is_asked_for_until_it_can_be_used() -> None:
    wishes, asked = Wishes("proba"), []
    answers = iter(
        ["rs", "hu", "sr en=latin", "Proba", SERBIAN.partition("=")[2], "Municipality of Proba", "fax", "web viber", ""]
    )

    def read_line(question: str) -> str:
        asked.append(question)
        return next(answers)

    new_town.ask(wishes, read_line)
    new_town.complete(wishes)
    assert next(answers, None) is None
    assert [question.split()[0] for question in asked].count("Languages,") == 2  # Hungarian is not spoken here
    assert wishes.jurisdiction == "RS" and wishes.languages == {"sr": ["latin", "cyrillic"], "en": ["latin"]}
    assert wishes.names["sr"]["locative"] == "Opštini Probi"
    assert (wishes.web, wishes.viber, wishes.viber_name) == ([], "proba", "Opština Proba")
    assert (wishes.time_zone, wishes.prefix) == ("Europe/Belgrade", "PR")


@pytest.mark.parametrize(
    ("flags", "named"),
    [
        ([], "--country"),
        (["--country", "RS", "--language", "hu"], "hu"),
        (["--country", "RS", "--language", "sr", "--name", "sr=Proba", "--web"], "3 forms"),
        (["--country", "RS", "--language", "sr", "--name", SERBIAN], "--web or --viber"),
        (["--country", "ME", "--language", "de", "--name", "de=Proba", "--web"], "name one of these first"),
        (["--country", "RS", "--language", "sr", "--name", SERBIAN, "--viber", "--viber-name", "P" * 29], "28"),
        (["--country", "RS", "--language", "sr", "--name", SERBIAN, "--web", "--time-zone", "Europe/Proba"], "zone"),
        (["--country", "RS", "--language", "sr", "--name", SERBIAN, "--web", "--colour", "green"], "colour"),
    ],
)
def test_what_cannot_be_used_is_said_and_nothing_is_left_behind(
    root: Path, flags: list[str], named: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["town", "new", "proba", *flags]) == 1
    assert named in capsys.readouterr().err
    assert folder_is_empty(root)


def test_who_stops_answering_leaves_nothing_behind(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    answers = iter(["RS", "sr"])

    def read_line(question: str) -> str:
        answer = next(answers, None)
        if answer is None:
            raise EOFError
        return answer

    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("builtins.input", read_line)
    assert cli.main(["town", "new", "proba"]) == 1
    assert folder_is_empty(root)


def test_a_folder_that_is_there_is_not_touched(root: Path) -> None:
    assert new("proba", "RS") == 0
    before = read_folder(root / "proba")
    assert new("proba", "ME") == 1
    assert read_folder(root / "proba") == before


@pytest.mark.parametrize("slug", ["Proba", "p", "../proba", "proba_dva", "-proba"])
def test_a_name_that_cannot_be_a_folders_is_refused(root: Path, slug: str) -> None:
    arguments = ["town", "new", "--country", "RS", "--language", "sr", "--name", SERBIAN, "--web", "--", slug]
    assert cli.main(arguments) == 1
    assert folder_is_empty(root)
