"""JSON without blanks, by the standard library's encoder, which `json.dumps` makes anew for every text; and read by its
scanner, before and behind which `json.loads` looks for blanks."""

from __future__ import annotations

import json
import json.encoder
from collections.abc import Callable
from typing import Any


def writer(*, ascii_only: bool) -> Callable[[Any], str]:
    """What writes a value of plain Python kinds as JSON. It raises TypeError for any other kind, and looks for no value
    inside of itself."""
    quoted = json.encoder.encode_basestring_ascii if ascii_only else json.encoder.encode_basestring
    plain = json.JSONEncoder()
    make = getattr(json.encoder, "c_make_encoder", None)
    if make is None:  # an interpreter without the compiled part
        return json.JSONEncoder(ensure_ascii=ascii_only, separators=(",", ":")).encode
    pieces = make(None, plain.default, quoted, None, ":", ",", False, False, True)
    return lambda value: "".join(pieces(value, 0))


as_json = writer(ascii_only=False)
as_ascii_json = writer(ascii_only=True)

_scanned: Callable[[str, int], tuple[Any, int]] = vars(json.JSONDecoder())["scan_once"]


def from_json(text: str) -> Any:
    """See `json.loads`, whose words it is that raise ValueError."""
    try:
        value, end = _scanned(text, 0)
    except StopIteration:
        return json.loads(text)
    return value if end == len(text) else json.loads(text)
