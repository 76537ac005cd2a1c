"""Looks through the tree for secrets, and asks PyPI which of the pinned libraries have known weaknesses.

    python -m infra.audit [--strict]

Exit 1 for a secret or for a known weakness. Where PyPI's advisories cannot be reached, that is said in a line of its
own and is no failure unless `--strict` asks for certainty.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PINNED = ("requirements.txt", "requirements-dev.txt")
ADVISORIES = "https://pypi.org/pypi/{name}/{version}/json"
ASK_SECONDS = 8.0
FILE_BYTES_MAX = 2_000_000

# What a secret looks like. A name says in the complaint what it may be.
SECRETS: Mapping[str, re.Pattern[str]] = {
    "AWS access key": re.compile(r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b"),
    "AWS secret key": re.compile(r"(?i)aws_?secret[a-z_]*[\"']?\s*[:=]\s*[\"']?[A-Za-z0-9/+]{40}\b"),
    "private key": re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----"),
    "Viber token": re.compile(r"\b[0-9a-f]{16}-[0-9a-f]{16}-[0-9a-f]{16}\b"),
    "API key of a town": re.compile(r"\bslt_[a-z0-9-]+_[A-Za-z0-9_-]{30,}"),
    "GitHub token": re.compile(r"\bgh[pousr]_[A-Za-z0-9]{30,}"),
    "Slack token": re.compile(r"\bxox[abprs]-[A-Za-z0-9-]{20,}"),
    "signed token": re.compile(r"\beyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\."),
    "password in an address": re.compile(r"\b[a-z][a-z0-9+.-]*://[^/\s:@\"'{}<>]+:[^/\s:@\"'{}<>]{6,}@"),
    "secret written out": re.compile(
        r"(?i)\b[a-z_]*(?:secret|password|passwd|token|api_?key)[a-z_]*[\"']?\s*[:=]\s*[\"']"
        r"(?=[^\"']*\d)(?=[^\"']*[A-Za-z])[A-Za-z0-9+/_=-]{24,}[\"']"
    ),
}
# Invented on purpose; whoever adds one says why.
INVENTED: Mapping[str, str] = {
    "local-": "names of the local stage's own tokens, good nowhere else",
    "test-token-0001-not-a-real-one": "the signature vector of the tests",
    "//mira:secret@": "an address that a test has refused",
    "-of-nobody": "tokens that tests hand to their own Viber",
}


class NotReached(RuntimeError):
    """PyPI's advisories could not be asked. Trying again elsewhere may help."""


@dataclass(frozen=True, slots=True)
class Found:
    """A line that looks like a secret; the secret itself is not repeated."""

    path: str
    line: int
    what: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line} looks like: {self.what}"


def secrets_in(text: str, path: str) -> Iterator[Found]:
    """Lines that look like a secret and are not invented."""
    for number, line in enumerate(text.splitlines(), 1):
        for what, pattern in SECRETS.items():
            for hit in pattern.finditer(line):
                if not any(name in hit[0] for name in INVENTED):
                    yield Found(path, number, what)


def secrets_of(files: Iterable[Path]) -> Iterator[Found]:
    """The same over files; what is no text or is very large (a model, a picture) is passed by."""
    for file in files:
        if file.is_file() and file.stat().st_size <= FILE_BYTES_MAX:
            raw = file.read_bytes()
            if b"\0" not in raw[:8192]:
                yield from secrets_in(raw.decode("utf-8", "replace"), str(file.relative_to(ROOT)))


def tree() -> list[Path]:
    """What is in the repository, or what lies here where there is none."""
    done = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode == 0:
        return [ROOT / name for name in done.stdout.split("\0") if name]
    apart = {".git", ".venv", "build", ".local"}
    return [path for path in ROOT.rglob("*") if not apart & set(path.relative_to(ROOT).parts)]


def pins(files: Sequence[str] = PINNED) -> list[tuple[str, str]]:
    """Every library that is pinned, with its version."""
    lines = [line.strip() for name in files for line in (ROOT / name).read_text(encoding="utf-8").splitlines()]
    pinned = [line.split()[0].partition("==") for line in lines if "==" in line and not line.startswith("#")]
    return [(name, version) for name, _, version in pinned]


def weaknesses(name: str, version: str) -> list[str]:
    """What is known against a library's version, by advisory. Raises NotReached."""
    request = urllib.request.Request(ADVISORIES.format(name=name, version=version), headers={"User-Agent": "salter"})
    try:
        with urllib.request.urlopen(request, timeout=ASK_SECONDS) as answer:
            said = json.loads(answer.read())
    except (OSError, ValueError, urllib.error.HTTPError) as error:
        raise NotReached(f"{name} {version}: {error}") from error
    if not isinstance(said, dict) or "vulnerabilities" not in said:
        raise NotReached(f"{name} {version}: an answer without advisories")
    return [_told(one) for one in said["vulnerabilities"] if not one.get("withdrawn")]


def _told(advisory: Mapping[str, object]) -> str:
    mended = ", ".join(str(version) for version in advisory.get("fixed_in") or ()) or "no version yet"  # type: ignore[attr-defined]
    return f"{advisory.get('id')} (mended in {mended})"


def look(strict: bool) -> int:
    """Both looks, told line by line; 0 if nothing is to be done."""
    found = list(secrets_of(tree()))
    for one in found:
        print(one)
    print(f"secrets: {len(found)} found in the tree")
    weak, asked, wanted = 0, 0, pins()
    for name, version in wanted:
        try:
            known = weaknesses(name, version)
        except NotReached as silent:
            print(f"known weaknesses: NOT CHECKED for {len(wanted) - asked} of {len(wanted)} libraries ({silent})")
            return 1 if found or weak or strict else 0
        asked += 1
        for advisory in known:
            weak += 1
            print(f"{name} {version}: {advisory}")
    print(f"known weaknesses: {weak} in {asked} pinned libraries")
    return 1 if found or weak else 0


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m infra.audit", description="Secrets, and libraries' weaknesses.")
    parser.add_argument("--strict", action="store_true", help="fail where the advisories cannot be reached")
    return look(parser.parse_args().strict)


if __name__ == "__main__":
    sys.exit(main())
