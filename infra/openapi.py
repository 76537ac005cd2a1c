"""Writes the description of the case API to docs/openapi.json (`make openapi`), beside the product's own address."""

from __future__ import annotations

import json
from pathlib import Path

FILE = Path(__file__).parent.parent / "docs" / "openapi.json"


def written() -> str:
    """The document as the file holds it."""
    from chalicelib.integrations.openapi import document

    return json.dumps(document(), ensure_ascii=False, indent=1) + "\n"


if __name__ == "__main__":
    FILE.write_text(written(), encoding="utf-8")
    print(f"-> {FILE}")
