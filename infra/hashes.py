"""`python -m infra.hashes`: asks PyPI for the hashes of the pinned libraries and of all they bring along.

    requirements.hashes       what the package may hold, of requirements.txt
    requirements-dev.hashes   what `make setup` installs, of requirements-dev.txt: every library, to the last one

With them pip takes no file but one of those that PyPI had when somebody looked at the pins, whoever answers under its
name later; the files are those for every processor and every Python. Run it (`make hashes`) after every change of a
pin; `--check` only says whether that was done, and asks nobody. Needs nothing but pip.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import re
import subprocess
import sys
import urllib.request
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from infra import audit
from infra.pages import ROOT

PINS, HASHES = ("requirements.txt",), ROOT / "requirements.hashes"
DEV_PINS, DEV_HASHES = audit.PINNED, ROOT / "requirements-dev.hashes"
FILES = "https://pypi.org/simple/{name}/"
LISTED = re.compile(r'/([^/"#]+)#sha256=([0-9a-f]{64})')  # PEP 503
ASK_SECONDS = 20.0
AT_ONCE = 4
HEAD = "# Made by `python -m infra.hashes` from {files}; {use} nothing else.\n# Of the pins {mark}.\n"
Pin = tuple[str, str]


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m infra.hashes", description=__doc__.partition("\n")[0])
    parser.add_argument("--check", action="store_true", help="only say whether the hashes are those of the pins")
    if not parser.parse_args(arguments).check:
        write(HASHES, PINS, audit.pins(PINS), "packaging takes")
        write(DEV_HASHES, DEV_PINS, brought_along(DEV_PINS[-1]), "`make setup` installs")
    if stale := [path.name for path, pins in ((HASHES, PINS), (DEV_HASHES, DEV_PINS)) if not is_of(path, pins)]:
        print(f"The pins have changed since {' and '.join(stale)} was made. Run: make hashes", file=sys.stderr)
    return 1 if stale else 0


def write(path: Path, files: Sequence[str], libraries: Iterable[Pin], use: str) -> None:
    """A line for each library. What stands there of a version already is kept: nobody looked at it again."""
    known = _lines(path)
    wanted = list(libraries)
    with ThreadPoolExecutor(AT_ONCE) as threads:
        lines = list(threads.map(lambda pin: known.get(pin) or _line(*pin), wanted))
    head = HEAD.format(files=" and ".join(files), use=use, mark=mark(files))
    path.write_text(head + "".join(lines), encoding="ascii")
    print(f"{path.name}: {len(lines)} libraries")


def is_of(path: Path, files: Sequence[str]) -> bool:
    """Whether these hashes were made from the pins as they are now."""
    return path.exists() and f"# Of the pins {mark(files)}.\n" in path.read_text(encoding="ascii")


def mark(files: Sequence[str]) -> str:
    """By which the pins of these files are known again, in whatever order they stand."""
    pins = "\n".join(sorted(f"{name}=={version}" for name, version in audit.pins(files)))
    return hashlib.sha256(pins.encode()).hexdigest()[:16]


def brought_along(file: str) -> list[Pin]:
    """Every library that pip would install for these pins on an empty machine, by name. Raises CalledProcessError."""
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--dry-run", "--ignore-installed", "--report", "-"]
    told = subprocess.run([*command, "-r", file], cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True)
    found = [one["metadata"] for one in json.loads(told.stdout)["install"]]
    return sorted(((one["name"], one["version"]) for one in found), key=lambda pin: pin[0].lower())


def _lines(path: Path) -> dict[Pin, str]:
    text = path.read_text(encoding="ascii") if path.exists() else ""
    written = [line for line in text.splitlines(keepends=True) if "==" in line and not line.startswith("#")]
    return {(line.split()[0].partition("==")[0], line.split()[0].partition("==")[2]): line for line in written}


def _line(name: str, version: str) -> str:
    return f"{name}=={version} {' '.join(_asked(name, version))}\n"


def _asked(name: str, version: str) -> list[str]:
    """Every file of this version, as pip takes it. Raises LookupError if there is none."""
    address = FILES.format(name=re.sub(r"[-_.]+", "-", name).lower())
    request = urllib.request.Request(address, headers={"Accept": "text/html"})
    with urllib.request.urlopen(request, timeout=ASK_SECONDS) as answer:
        listed = LISTED.findall(answer.read().decode("utf-8"))
    of_version = re.compile(rf"[^-]+(-[^-]+)*?-{re.escape(version)}(-.*\.whl|\.tar\.gz|\.zip)")
    found = sorted({digest for file, digest in listed if of_version.fullmatch(file)})
    if not found:
        raise LookupError(f"PyPI has no file of {name} {version}")
    return [f"--hash=sha256:{one}" for one in found]


if __name__ == "__main__":
    sys.exit(main())
