"""`python -m infra.hashes`: asks PyPI for the hashes of the pinned run-time libraries, into requirements.hashes.

With them pip takes no file into the package but one of those that PyPI had when somebody looked at the pins, whoever
answers under its name on the day of the packaging. Run it after every change of a pin in requirements.txt.
"""

from __future__ import annotations

import re
import sys
import urllib.request

from infra import audit
from infra.pages import ROOT

PINS, HASHES = "requirements.txt", ROOT / "requirements.hashes"
FILES = "https://pypi.org/simple/{name}/"
LISTED = re.compile(r'/([^/"#]+)#sha256=([0-9a-f]{64})')  # PEP 503
ASK_SECONDS = 20.0
HEAD = "# Made by `python -m infra.hashes` from requirements.txt; packaging takes nothing else.\n"


def main() -> int:
    lines = [f"{name}=={version} {' '.join(_asked(name, version))}\n" for name, version in audit.pins([PINS])]
    HASHES.write_text(HEAD + "".join(lines), encoding="ascii")
    print(f"{HASHES.name}: {len(lines)} libraries")
    return 0


def unlisted() -> list[str]:
    """Pins without hashes, and hashes of what is not pinned so."""
    return sorted(f"{name}=={version}" for name, version in set(audit.pins([PINS])) ^ set(audit.pins([HASHES.name])))


def _asked(name: str, version: str) -> list[str]:
    """Every file of this version, as pip takes it. Raises LookupError if there is none."""
    request = urllib.request.Request(FILES.format(name=name.lower().replace("_", "-")), headers={"Accept": "text/html"})
    with urllib.request.urlopen(request, timeout=ASK_SECONDS) as answer:
        listed = LISTED.findall(answer.read().decode("utf-8"))
    of_version = re.compile(rf"[^-]+(-[^-]+)*?-{re.escape(version)}(-.*\.whl|\.tar\.gz|\.zip)")
    found = sorted({digest for file, digest in listed if of_version.fullmatch(file)})
    if not found:
        raise LookupError(f"PyPI has no file of {name} {version}")
    return [f"--hash=sha256:{one}" for one in found]


if __name__ == "__main__":
    sys.exit(main())
