"""`./salter chat`: what is said in the terminal is answered as the town answers, and can be played again as a proof."""

from __future__ import annotations

import io
import shutil
from pathlib import Path

import pytest
import yaml

from infra import cli, towns
from infra.chat.folder import Folder
from infra.chat.talk import Talk
from infra.proofs import play, play_town, town_of
from tests.world import TOWNS

CLOCK = "2026-03-10T10:15:00+01:00"


def _talked(said: str, slug: str = "primer", save: Path | None = None) -> str:
    """What stands in the terminal after these lines were typed."""
    out = io.StringIO()
    assert Talk(Folder(slug, "viber", CLOCK), "A talk", io.StringIO(said), out).run(save) == 0
    return out.getvalue()


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of towns with one invented town that has no proofs yet."""
    monkeypatch.setenv(towns.ROOT_VARIABLE, str(tmp_path / "towns"))
    shutil.copytree(TOWNS / "primer", tmp_path / "towns" / "primer")
    (tmp_path / "towns" / "primer" / "conversations").mkdir(exist_ok=True)
    return tmp_path / "towns"


def test_a_session_put_into_the_towns_folder_is_played_green(root: Path, tmp_path: Path) -> None:
    photo = tmp_path / "velika rupa.jpg"
    photo.write_bytes(b"\xff\xd8")
    saved = root / "primer" / "conversations" / "from-the-terminal.yaml"
    typed = f"""/cyrl
        rupa na putu kod škole
        /file '{photo}' evo je
        /pin 45.77 19.11
        1
        /latn
        /clock +1d2h
        Trebaju mi namirnice i hleb
        /as volunteer
        /as Jovo
        radno vreme
        /as citizen

        /say 112
        /nonsense
        /file /nowhere.jpg
        /pin 1
        /clock 2020-01-01T00:00:00+01:00
        /quit
        never said"""
    shown = _talked("\n".join(line.strip() for line in typed.split("\n")), save=saved)
    story = yaml.safe_load(saved.read_text())
    assert [turn["citizen"] for turn in story["turns"] if "citizen" in turn][0] == "рупа на путу код школе"
    assert {turn.get("as") for turn in story["turns"]} == {None, "volunteer:Ana", "Jovo"}
    assert any(turn.get("wait_minutes") == 26 * 60 for turn in story["turns"])
    assert (story["channel"], story["clock"]) == ("viber", CLOCK)
    (result,) = [one for one in play_town("primer") if one.file == saved.name]
    assert result.problem is None
    for complaint in ("/nonsense is no command", "there is no file /nowhere.jpg", "a pin is two numbers"):
        assert complaint in shown
    assert "time only goes forward" in shown
    assert "never said" not in shown


def test_a_session_files_a_case_and_its_transcript_promises_the_same_case(root: Path) -> None:
    saved = root / "primer" / "conversations" / "case.yaml"
    typed = "Ne radi ulična lampa, Glavna 5\n1\n1\n/quit\n"
    shown = _talked(typed, save=saved)
    promised = [turn["case"] for turn in yaml.safe_load(saved.read_text())["turns"] if "case" in turn]
    assert promised == [{"kind": "problem", "category": "light"}], shown
    assert "case: kind problem, category light" in shown
    story = yaml.safe_load(saved.read_text())
    next(turn for turn in story["turns"] if "case" in turn)["case"]["category"] = "road"
    saved.write_text(yaml.safe_dump(story))
    assert not play(town_of(towns.compiled("primer")), saved).passed


def test_a_volunteer_who_comes_in_late_was_there_from_the_beginning_and_takes_the_request(root: Path) -> None:
    saved = root / "primer" / "conversations" / "help.yaml"
    asked = ["Treba mi hrana", "hleb i mleko", "1", "1", "1", "Glavna 5", "Mira Probić", "0641234567", "1", "1"]
    shown = _talked("\n".join([*asked, "/as volunteer", "1", "/as citizen"]), save=saved)
    assert "preuzima: Ana" in shown.partition("citizen> /as volunteer")[2]
    turns = yaml.safe_load(saved.read_text())["turns"]
    assert [turn["case"] for turn in turns if "case" in turn] == [
        {"kind": "assistance", "category": "food"},
        {"status": "in_progress", "assignee": "Ana"},
    ]
    assert play(town_of(towns.compiled("primer")), saved).problem is None


def test_why_names_the_intent_its_score_what_it_was_second_to_and_the_slots(root: Path) -> None:
    shown = _talked("velika rupa na putu, Glavna 5\n/why\n1\n/why\n")
    reasons = [line for line in shown.splitlines() if line.startswith("? ")]
    assert any(line.startswith("? meant report.road ") for line in reasons)
    assert sum(line.startswith("? rather than ") for line in reasons) == 2
    assert "? slot category = road" in reasons
    assert "? A button, a file or a place was sent: there were no words to understand." in reasons


def test_the_command_line_talks_to_a_real_town_and_prints_what_can_be_played(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    slug = towns.slugs()[0]
    monkeypatch.setattr("sys.stdin", io.StringIO("radno vreme\nmeni\n2\n"))
    assert cli.main(["chat", slug, "--title", "Menu"]) == 0
    printed = capsys.readouterr().out
    proof = tmp_path / "printed.yaml"
    proof.write_text(printed[printed.index("title: Menu") :])
    assert play(town_of(towns.compiled(slug)), proof).problem is None
    assert cli.main(["chat", "no-such-town"]) == 1
    assert cli.main(["chat", slug, "--clock", "tomorrow"]) == 1
