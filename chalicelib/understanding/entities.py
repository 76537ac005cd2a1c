"""Things with a shape inside a message: our references and towns' own file numbers."""

from __future__ import annotations

import re
from typing import Any

from chalicelib.language.scripts import to_latin

REFERENCE_LETTERS = "AEJKMT23456789"
_REFERENCE = re.compile(rf"\b([A-Z]{{2}})[\s-]?([{REFERENCE_LETTERS}]{{4}})[\s-]?([{REFERENCE_LETTERS}]{{3}})\b")
_FILE_NUMBER = re.compile(
    r"\b(?:ROP-[A-Z]{2,4}-\d{1,6}-[A-Z]{2,5}-\d{1,3}/\d{4}"
    r"|(?:[IVX]{1,4}-)?\d{2,3}-\d{1,6}/\d{2,4}(?:-\d{1,6})?(?:/\d{1,4})?(?:-[IVX]{1,4}|-\d{2})?"
    r"|\d{2}/\d{2}-\d{1,6}/\d{2}|\d{2}-\d{2}-\d{1,6}/\d{2})(?!\w)"
)
_SEPARATORS = re.compile(r"\s*([-/])\s*")


def entities_of(text: str) -> dict[str, Any]:
    """`references` (ours, as `SO-7KM4-2A9`) and `file_numbers` found in `text`."""
    plain = _SEPARATORS.sub(r"\1", to_latin(text[:1000]).upper().replace("–", "-").replace("—", "-"))
    found: dict[str, Any] = {}
    references = [f"{town}-{head}-{tail}" for town, head, tail in _REFERENCE.findall(plain)]
    numbers = [match.group() for match in _FILE_NUMBER.finditer(plain)]
    if references:
        found["references"] = references
    if numbers:
        found["file_numbers"] = numbers
    return found
