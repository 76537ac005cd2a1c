"""What reads the logs of all tests sees what must not be there."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests import logs


@pytest.mark.shows("A12", "T8", "R7")
@pytest.mark.parametrize(
    ("line", "what"),
    [
        ("n 2902000660176 ", "personal number"),
        ("+38163987654", "phone number"),
        ("063 987 654", "phone number"),
        ("mira@primer.rs", "e-mail address"),
        ("token-of-grad", "token"),
        ("A#viber:grad#U#abc", "citizen's id"),
    ],
)
def test_a_person_or_a_secret_in_a_log_is_seen(line: str, what: str) -> None:
    assert what in logs.strange(json.dumps({"message": line}))


def test_what_the_product_logs_today_is_no_person() -> None:
    line = '{"level":"WARNING","message":"send_failed","timestamp":"2026-11-22 06:52:55,376+0000","tries":1}'
    assert logs.strange(line) == []


def test_a_field_that_is_not_on_the_logs_list_is_seen_in_a_file(tmp_path: Path) -> None:
    (tmp_path / "app.log").write_text('{"level":"INFO","message":"x","text":"y"}\nServing on 127.0.0.1\n')
    assert logs.strange_in_files(tmp_path) == ["app.log:1 field text"]
