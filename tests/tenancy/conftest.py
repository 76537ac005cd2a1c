"""A new town's folder, to be broken and changed."""

from __future__ import annotations

import io
import shutil
from pathlib import Path

import pytest

from infra import cli, towns

NEW = ["town", "new", "proba", "--country", "RS", "--language", "sr", "--language", "en", "--web", "--viber"]
NEW += ["--name", "sr=Opština Proba / Opštine Probe / Opštini Probi", "--name", "en=Proba"]


@pytest.fixture(scope="session")
def first(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A new town's folder, nothing broken."""
    root = tmp_path_factory.mktemp("first")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(towns.ROOT_VARIABLE, str(root))
        patch.setattr("sys.stdin", io.StringIO())
        assert cli.main(NEW) == 0
    return root / "proba"


@pytest.fixture
def folder(first: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of it to break, in a root of its own."""
    monkeypatch.setenv(towns.ROOT_VARIABLE, str(tmp_path))
    return Path(shutil.copytree(first, tmp_path / "proba"))


def change(folder: Path, file: str, old: str, new: str) -> None:
    text = (folder / file).read_text(encoding="utf-8") if (folder / file).exists() else ""
    assert old in text
    (folder / file).write_text(text.replace(old, new, 1), encoding="utf-8")
