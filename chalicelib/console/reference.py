"""The case API for people who program: the OpenAPI document as one page, without a script."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from chalicelib.console import drawing
from chalicelib.console.widget import asset_url

_BOUNDS = {
    "minLength": "at least {} characters",
    "maxLength": "at most {} characters",
    "minimum": "from {}",
    "maximum": "to {}",
}
METHODS = ("get", "post")


@lru_cache(maxsize=1)
def page() -> str:
    """The page; the same for everybody."""
    from chalicelib.integrations.openapi import document

    described = document()
    operations = [
        {"method": method, "path": path, "at_path": entry.get("parameters", []), **entry[method]}
        for path, entry in described["paths"].items()
        for method in METHODS
        if method in entry
    ]
    environment = drawing.environment()
    environment.globals |= {"kind": _kind, "bounds": _bounds, "asset": asset_url, "responses": _responses(described)}
    return environment.get_template("reference.html").render(
        info=described["info"], operations=operations, schemas=described["components"]["schemas"]
    )


def _responses(described: Mapping[str, Any]) -> Any:
    shared = described["components"]["responses"]

    def of(operation: Mapping[str, Any]) -> dict[str, Any]:
        """Its answers by status; what is shared looked up."""
        return {
            status: shared[_named(answer["$ref"])] if "$ref" in answer else answer
            for status, answer in operation["responses"].items()
        }

    return of


def _named(reference: str) -> str:
    return reference.rpartition("/")[2]


def _kind(schema: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What a value is, in words: (text, name of the shape it leads to or "")."""
    if "$ref" in schema:
        return [(_named(schema["$ref"]), _named(schema["$ref"]))]
    if "anyOf" in schema:
        parts = [_kind(option) for option in schema["anyOf"]]
        return [piece for at, part in enumerate(parts) for piece in ([(" or ", "")] if at else []) + part]
    if schema.get("type") == "array":
        return [("list of ", ""), *_kind(schema["items"])]
    if schema.get("type") == "object" and isinstance(schema.get("additionalProperties"), Mapping):
        return [("object of ", ""), *_kind(schema["additionalProperties"])]
    return [(str(schema.get("format") or schema.get("type") or "any"), "")]


def _bounds(schema: Mapping[str, Any]) -> str:
    """Which values are taken, in words."""
    plain = next((each for each in schema.get("anyOf", ()) if each.get("type") != "null"), {}) | dict(schema)
    words = [", ".join(plain["enum"])] if "enum" in plain else []
    words += [text.format(plain[name]) for name, text in _BOUNDS.items() if name in plain and plain[name] != 1]
    if "default" in plain and plain["default"] is not None:
        words.append(f"{plain['default']} if left out")
    return "; ".join(words)
