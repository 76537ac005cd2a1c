"""What publishing a folder would change, in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from chalicelib.model import Town
from chalicelib.storage import tenants
from chalicelib.storage.tenants import Pointer
from chalicelib.wire import Deadline

SHOWN_MAX = 40
READ_SECONDS = 10.0
PARTS = ("core", "texts", "sheets")


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
    lines = list(_compare("", _parts(town), {name: compiled[name] for name in PARTS}))
    return _told(slug, pointer.version, pointer.version + 1, lines)


def between(pointer: Pointer, back: Town) -> list[str]:
    """One line a change from the version in force to another that is kept."""
    if back.version == pointer.version:
        return [f"{pointer.slug}: nothing changes (version {pointer.version}, {pointer.state})."]
    town = tenants.town(pointer.slug, pointer.version, Deadline(READ_SECONDS))
    if town is None:
        return [f"{pointer.slug}: version {pointer.version} cannot be read; version {back.version} can."]
    lines = list(_compare("", _parts(town), _parts(back)))
    return _told(pointer.slug, pointer.version, back.version, lines)


def _parts(town: Town) -> dict[str, Any]:
    return {"core": dict(town.core), "texts": dict(town.texts), "sheets": dict(town.sheets)}


def _told(slug: str, before: int, after: int, lines: list[str]) -> list[str]:
    shown = [f"{slug}: version {before} → {after}, {len(lines)} changes", *lines[:SHOWN_MAX]]
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
