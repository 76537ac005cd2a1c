"""Prints what each library costs: its bytes in the built package and the CPU of importing it in a fresh process."""

from __future__ import annotations

import statistics
import sys
import zipfile
from collections import defaultdict
from importlib import metadata
from pathlib import Path

from infra.bench import ROOT, import_milliseconds

PACKAGE = ROOT / "build" / "deployment.zip"
ROUNDS = 5
# Distribution → the module whose import is measured.
MEASURED = {
    "chalice": "chalice",
    "boto3": "boto3",
    "botocore": "botocore.session",
    "pynamodb": "pynamodb.models",
    "aws-lambda-powertools": "aws_lambda_powertools",
    "pydantic": "pydantic",
    "pydantic_core": "pydantic_core",
    "viberbot": "viberbot",
    "requests": "requests",
    "urllib3": "urllib3",
    "future": "future.utils",
    "Jinja2": "jinja2",
    "tzdata": "tzdata",
    "segno": "segno",
    "pycryptodomex": "Cryptodome.Cipher.AES",
}


def main() -> int:
    if not PACKAGE.is_file():
        print("build the package first: make package")
        return 1
    sizes = _sizes_by_top_level()
    print("| library | version | kB in the zip | import, CPU ms |\n|---|---|---|---|")
    for distribution, module in MEASURED.items():
        size = sum(sizes.get(top, 0) for top in _top_levels(distribution, module))
        cost = statistics.median(import_milliseconds(f"import {module}") for _ in range(ROUNDS))
        print(f"| {distribution} | {metadata.version(distribution)} | {size // 1024} | {cost:.0f} |")
    ours = (sizes["chalicelib"] + sizes["app.py"]) // 1024
    print(f"\nwhole package: {PACKAGE.stat().st_size / 2**20:.1f} MB; ours: {ours} kB")
    return 0


def _sizes_by_top_level() -> dict[str, int]:
    sizes: dict[str, int] = defaultdict(int)
    with zipfile.ZipFile(PACKAGE) as package:
        for entry in package.infolist():
            sizes[entry.filename.split("/")[0]] += entry.compress_size
    return sizes


def _top_levels(distribution: str, module: str) -> set[str]:
    files = metadata.files(distribution) or []
    tops = {Path(str(file)).parts[0] for file in files if not str(file).startswith("..")}
    return {top for top in tops if not top.endswith((".dist-info", "__pycache__"))} | {module.split(".")[0]}


if __name__ == "__main__":
    sys.exit(main())
