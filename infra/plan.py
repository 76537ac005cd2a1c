"""What publishing a folder would change, in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from chalicelib.storage import tenants
from chalicelib.wire import Deadline

SHOWN_MAX = 40
READ_SECONDS = 10.0


def changes(slug: str, compiled: Mapping[str, Any]) -> list[str]:
    """One line a change against the version in force."""
    pointer = tenants.pointer(slug, Deadline(READ_SECONDS))
    if pointer is None:
        core = compiled["core"]
        return [f"{slug} is new: {len(core['procedures'])} procedures, {len(core['offices'])} offices."]
    if pointer.digest == tenants.digest(compiled):
        return [f"{slug}: nothing changes (version {pointer.version}, {pointer.state})."]
    town = tenants.town(slug, pointer.version, Deadline(READ_SECONDS))
    if town is None:
        return [f"{slug}: version {pointer.version} cannot be read; everything would be written anew."]
    before = {
        "core": dict(town.core),
        "texts": {k: town.texts[k] for k in town.texts},
        "sheets": {k: town.sheets[k] for k in town.sheets},
    }
    lines = list(_compare("", before, {name: compiled[name] for name in before}))
    shown = [f"{slug}: version {pointer.version} → {pointer.version + 1}, {len(lines)} changes", *lines[:SHOWN_MAX]]
    return shown + ([f"… and {len(lines) - SHOWN_MAX} more"] if len(lines) > SHOWN_MAX else [])


def _compare(path: str, before: Any, after: Any) -> Iterator[str]:
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        for key in sorted({*before, *after}):
            where = f"{path}.{key}" if path else str(key)
            if key not in before:
                yield f"+ {where}"
            elif key not in after:
                yield f"- {where}"
            else:
                yield from _compare(where, before[key], after[key])
    elif before != after:
        yield f"~ {path}: {_short(before)} → {_short(after)}"


def _short(value: Any) -> str:
    text = str(value).replace("\n", " ")
    return text if len(text) <= 60 else text[:57] + "…"
