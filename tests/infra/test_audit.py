"""What CI looks for: secrets in the tree, known weaknesses of what is pinned."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest

from infra import audit

pytestmark = pytest.mark.shows("A24")

# Put together here, so that this file does not look like a secret itself.
SAMPLES = {
    "AWS access key": "key = AKIA" + "ABCDEFGHIJKLMNOP",
    "AWS secret key": "aws_secret_access_key=" + "a" * 20 + "B/1x" * 5,
    "private key": "-----BEGIN RSA " + "PRIVATE KEY-----",
    "Viber token": "-".join(("4a" * 8, "5b" * 8, "6c" * 8)),
    "API key of a town": "slt_grad_" + "x1" * 20,
    "GitHub token": "ghp_" + "a1" * 18,
    "Slack token": "xoxb-" + "1" * 24,
    "signed token": "eyJ" + "a" * 20 + ".eyJ" + "b" * 20 + ".c",
    "password in an address": "postgres://town:" + "hunter2hunter2@db",
    "secret written out": "API_TOKEN = '" + "a1B2" * 8 + "'",
}


def test_no_secret_stands_in_the_tree() -> None:
    assert [str(one) for one in audit.secrets_of(audit.tree())] == []


@pytest.mark.parametrize("what", sorted(audit.SECRETS))
def test_each_kind_of_secret_is_found_and_not_repeated_in_the_complaint(what: str) -> None:
    (found,) = {str(one) for one in audit.secrets_in(f"\n{SAMPLES[what]}\n", "a.py") if one.what == what}
    assert found == f"a.py:2 looks like: {what}"


def _advisories(monkeypatch: pytest.MonkeyPatch, said: Any) -> None:
    def ask(request: Any, timeout: float) -> io.BytesIO:
        if isinstance(said, Exception):
            raise said
        return io.BytesIO(json.dumps(said).encode())

    monkeypatch.setattr(audit.urllib.request, "urlopen", ask)
    monkeypatch.setattr(audit, "tree", list)


def test_a_known_weakness_fails_and_says_where_it_is_mended(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    _advisories(monkeypatch, {"vulnerabilities": [{"id": "PYSEC-1", "fixed_in": ["9.9"], "withdrawn": None}]})
    assert audit.look(strict=False) == 1
    assert "PYSEC-1 (mended in 9.9)" in capsys.readouterr().out


def test_without_weaknesses_it_passes(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    _advisories(monkeypatch, {"vulnerabilities": []})
    assert audit.look(strict=True) == 0
    assert f"0 in {len(audit.pins())} pinned libraries" in capsys.readouterr().out


@pytest.mark.parametrize("silent", [OSError("no network"), {"info": {}}])
def test_where_nobody_answers_it_is_said_and_only_the_strict_fail(
    silent: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    _advisories(monkeypatch, silent)
    assert (audit.look(strict=False), audit.look(strict=True)) == (0, 1)
    assert "NOT CHECKED" in capsys.readouterr().out
