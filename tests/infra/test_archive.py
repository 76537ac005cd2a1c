"""The file of an export, damaged: refused wherever the damage is."""

from __future__ import annotations

from pathlib import Path

import pytest

from chalicelib.storage.whole import Stored
from infra.archive import NotWhole, Reader, Writer


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "town.zip"
    with Writer(path) as written:
        for number in range(40):
            written.item(Stored("cases", {"pk": f"T#primer#{number % 7}", "sk": "NOW", "words": "pukla cev " * 3}))
        written.object("T/primer/media/a/b", "image/jpeg", bytes(range(200)))
        written.finish({"town": "primer", "counts": {"cases": 40}})
    return path


def test_a_bit_turned_anywhere_is_noticed_or_changes_nothing(file: Path) -> None:
    whole, noticed = file.read_bytes(), 0
    read = _read(file)
    for position in range(len(whole)):
        file.write_bytes(whole[:position] + bytes([whole[position] ^ 1 << position % 8]) + whole[position + 1 :])
        try:
            assert _read(file) == read, position  # a date or a flag of the zip's own
        except NotWhole:
            noticed += 1
    assert noticed > len(whole) / 2


def test_a_file_cut_off_anywhere_is_refused(file: Path) -> None:
    whole = file.read_bytes()
    for length in range(0, len(whole), 7):
        file.write_bytes(whole[:length])
        with pytest.raises(NotWhole):
            _read(file)


def test_no_file_at_all_is_said_as_such(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        Reader(tmp_path / "town.zip")


def _read(file: Path) -> object:
    reader = Reader(file)
    reader.check()
    return list(reader.items()), [(kept, reader.body(kept)) for kept in reader.objects()]
