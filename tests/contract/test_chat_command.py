"""`./salter chat --url`: the same talk, with a running product."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
import yaml

from infra import cli, towns
from infra.chat.running import Running
from infra.chat.talk import Talk
from tests.product import Product

SLUG = towns.slugs()[0]


def test_the_terminal_talks_to_a_running_product_by_its_chat_api(product: Product, tmp_path: Path) -> None:
    photo, saved, out = tmp_path / "rupa.png", tmp_path / "talk.yaml", io.StringIO()
    photo.write_bytes(b"\x89PNG\r\n\x1a\n")
    typed = f"meni\n1\nrupa na putu\n/file {photo}\n/pin 44.76 19.21\n/why\n/as Jovo\nzdravo\n\n/as volunteer\n/quit\n"
    assert Talk(Running(product.url, SLUG), "Running", io.StringIO(typed), out).run(saved) == 0
    shown, turns = out.getvalue(), yaml.safe_load(saved.read_text())["turns"]
    assert "? meant report.road" in shown
    assert "(nothing new)" in shown
    assert "approved by its staff" in shown
    assert all(turn.get("bot") for turn in turns)
    assert [turn["as"] for turn in turns if "as" in turn][-1] == "Jovo"
    assert any(turn.get("photo") == str(photo) for turn in turns)


def test_nobody_there_is_said_in_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["chat", SLUG, "--url", "http://127.0.0.1:9"]) == 1
    assert "does not answer" in capsys.readouterr().err
