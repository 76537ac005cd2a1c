"""The platform's phrases and danger words as shipped: what the model is trained from, read only where it is made."""

from __future__ import annotations

import hashlib
import tomllib
from pathlib import Path

from chalicelib.understanding.rules import compile_rule

_HERE = Path(__file__).parent
_PHRASES, _EMERGENCIES = _HERE / "phrases.toml", _HERE / "emergencies.toml"


def platform_phrases() -> dict[str, dict[str, list[str]]]:
    """Intent → language → phrases (and `keywords`), as shipped."""
    return tomllib.loads(_PHRASES.read_text(encoding="utf-8"))


def emergency_rules() -> dict[str, dict[str, list[str]]]:
    """Kind of danger → folded rules (`words`) and what takes them back (`unless`)."""
    raw = tomllib.loads(_EMERGENCIES.read_text(encoding="utf-8"))
    return {
        kind: {name: [compile_rule(rule) for rule in rules] for name, rules in entry.items()}
        for kind, entry in raw.items()
    }


def digest() -> str:
    """A fingerprint of the phrases and danger words: the model names the one it was made from."""
    return hashlib.sha256(_PHRASES.read_bytes() + b"\0" + _EMERGENCIES.read_bytes()).hexdigest()[:16]
