"""The bill of materials of a package, in CycloneDX 1.6 JSON: every library that is really in the zip and in the layer.

It is read off what was packed, not off what was asked for: a distribution counts when its metadata lies there.
"""

from __future__ import annotations

import hashlib
import json
import uuid
import zipfile
from collections.abc import Iterator
from email.parser import HeaderParser
from importlib import metadata
from pathlib import Path
from typing import Any

SPEC = "1.6"
CHALICE = "chalice"  # its run-time part is packed without metadata
_METADATA = ".dist-info/METADATA"
_NAMESPACE = uuid.UUID("6f1f4a9e-0d3c-5b61-9a59-2f8f4f6d8a10")  # ours: the same package has the same serial number


def bill(version: str, *zips: Path) -> dict[str, Any]:
    """The bill of what lies in these zips together. `version` is the product's."""
    components: dict[str, dict[str, Any]] = {}
    for packed in zips:
        for one in _components(packed):
            components.setdefault(one["bom-ref"], one)
    digests = {packed.name: hashlib.sha256(packed.read_bytes()).hexdigest() for packed in zips}
    return {
        "bomFormat": "CycloneDX",
        "specVersion": SPEC,
        "serialNumber": f"urn:uuid:{uuid.uuid5(_NAMESPACE, json.dumps(digests, sort_keys=True))}",
        "version": 1,
        "metadata": {
            "component": {
                "type": "application",
                "bom-ref": "salter",
                "name": "salter",
                "version": version,
                "properties": [{"name": f"sha256 of {name}", "value": value} for name, value in digests.items()],
            }
        },
        "components": [components[ref] for ref in sorted(components)],
        "dependencies": [{"ref": "salter", "dependsOn": sorted(components)}],
    }


def write(target: Path, version: str, *zips: Path) -> Path:
    """The bill as a file."""
    target.write_text(json.dumps(bill(version, *zips), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return target


def _components(packed: Path) -> Iterator[dict[str, Any]]:
    with zipfile.ZipFile(packed) as opened:
        names = opened.namelist()
        for name in names:
            if name.endswith(_METADATA):
                yield _component(HeaderParser().parsestr(opened.read(name).decode("utf-8", "replace")))
        if any(name.startswith(f"{CHALICE}/") for name in names):
            yield _component(metadata.metadata(CHALICE))


def _component(said: Any) -> dict[str, Any]:
    name, version = str(said["Name"]).lower().replace("_", "-"), str(said["Version"])
    purl = f"pkg:pypi/{name}@{version}"
    licence = said.get("License-Expression") or said.get("License") or ""
    # Some put the whole text of the licence there: its first line is its name.
    named = str(licence).strip().partition("\n")[0].strip()
    entry: dict[str, Any] = {"type": "library", "bom-ref": purl, "name": name, "version": version, "purl": purl}
    return entry | ({"licenses": [{"license": {"name": named}}]} if named else {})
