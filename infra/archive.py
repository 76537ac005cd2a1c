"""The file a town's data is taken out into, and read back from: a zip, as docs/operations.md describes it.

It is written beside its name (`<name>.part`) and gets its name when it is whole: the manifest is its last member, so a
file without one was interrupted. Nothing is ever held in memory but one part of some thousand items, or one object.
"""

from __future__ import annotations

import hashlib
import json
import os
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from chalicelib.model import SalterError
from chalicelib.storage import dynamo
from chalicelib.storage.dynamo import Item
from chalicelib.storage.whole import Stored

FORMAT = 1
PART_ITEMS_MAX = 2000
PART_BYTES_MAX = 4 * 1024 * 1024
MANIFEST, ITEMS, OBJECTS = "manifest.json", "items", "objects"
ENDING = ".part"
READ_BYTES = 1024 * 1024
# What a zip raises that was cut off or changed, wherever that hit it.
DAMAGE = (zipfile.BadZipFile, zlib.error, EOFError, KeyError, ValueError, OSError, RuntimeError)


class NotWhole(SalterError):
    """The file is no export, was interrupted, or was damaged since. Take another one."""


@dataclass(frozen=True, slots=True)
class Kept:
    """One object as the file lists it: its key in the bucket, media type, bytes and SHA-256."""

    key: str
    type: str
    size: int
    sha256: str


class Writer:
    """Writes one file; `finish` gives it its name. A file that is there already is replaced then, not before."""

    def __init__(self, path: Path) -> None:
        self.path, self._part = path, path.with_name(path.name + ENDING)
        handle = os.open(self._part, os.O_CREAT | os.O_TRUNC | os.O_RDWR, 0o600)  # nobody else's to read
        self._file = os.fdopen(handle, "w+b")
        self._zip = zipfile.ZipFile(self._file, "w", allowZip64=True)
        self._lines: list[str] = []
        self._bytes = 0
        self._sums: dict[str, str] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Whatever happened: what was not finished stays a part, and has no manifest."""
        self._zip.close()
        self._file.close()

    def item(self, stored: Stored) -> None:
        line = line_of(stored)
        self._lines.append(line)
        self._bytes += len(line)
        if len(self._lines) >= PART_ITEMS_MAX or self._bytes >= PART_BYTES_MAX:
            self._close_part()

    def object(self, key: str, media_type: str, body: bytes) -> None:
        digest = hashlib.sha256(body).hexdigest()
        self._zip.writestr(f"{OBJECTS}/{key}", body, zipfile.ZIP_STORED)
        kept = {"key": key, "type": media_type, "size": len(body), "sha256": digest}
        self._lines.append(json.dumps({"object": kept}, separators=(",", ":")))
        if len(self._lines) >= PART_ITEMS_MAX:
            self._close_part()

    def finish(self, said: Mapping[str, Any]) -> dict[str, Any]:
        """The manifest, and the file under its name. Returns the manifest."""
        self._close_part()
        manifest = {"format": FORMAT, **said, "parts": self._sums}
        manifest["checksum"] = _checksum(manifest)
        self._zip.writestr(MANIFEST, json.dumps(manifest, ensure_ascii=False, indent=1), zipfile.ZIP_DEFLATED)
        self._zip.close()
        self._file.flush()
        os.fsync(self._file.fileno())
        self._part.replace(self.path)
        return manifest

    def _close_part(self) -> None:
        if not self._lines:
            return
        name = f"{ITEMS}/{len(self._sums) + 1:06d}.jsonl"
        body = ("\n".join(self._lines) + "\n").encode()
        self._zip.writestr(name, body, zipfile.ZIP_DEFLATED)
        self._sums[name] = hashlib.sha256(body).hexdigest()
        self._lines, self._bytes = [], 0


class Reader:
    """One file, read again and again. Making one raises NotWhole if it has no manifest, or one of another format; the
    system's own error where there is no file, or not for us."""

    def __init__(self, path: Path) -> None:
        try:
            self._zip = zipfile.ZipFile(path)
            self.manifest: dict[str, Any] = json.loads(self._zip.read(MANIFEST))
        except (FileNotFoundError, PermissionError):
            raise
        except DAMAGE as error:
            raise NotWhole(f"{path} is not a whole export: it was interrupted, or is something else") from error
        if self.manifest.get("format") != FORMAT:
            raise NotWhole(f"{path} is of format {self.manifest.get('format')}; this version reads {FORMAT}")
        if self.manifest.get("checksum") != _checksum(self.manifest):
            raise NotWhole(f"{path}: the manifest was changed")

    @property
    def checksum(self) -> str:
        return str(self.manifest["checksum"])

    def check(self) -> None:
        """Read everything once and compare it with the sums. Raises NotWhole."""
        for name, digest in self.manifest["parts"].items():
            if self._digest(name) != digest:
                raise NotWhole(f"{name} was damaged")
        for kept in self.objects():
            if self._digest(f"{OBJECTS}/{kept.key}") != kept.sha256:
                raise NotWhole(f"{OBJECTS}/{kept.key} was damaged")

    def items(self) -> Iterator[Stored]:
        for line in self._lines():
            if "item" in line:
                yield Stored(line["table"], dynamo.unpack(line["item"]))

    def objects(self) -> Iterator[Kept]:
        for line in self._lines():
            if "object" in line:
                yield Kept(**line["object"])

    def body(self, kept: Kept) -> bytes:
        return self._zip.read(f"{OBJECTS}/{kept.key}")

    def _lines(self) -> Iterator[dict[str, Any]]:
        for name in self.manifest["parts"]:
            with self._zip.open(name) as part:
                for line in part:
                    yield json.loads(line)

    def _digest(self, name: str) -> str:
        digest = hashlib.sha256()
        try:
            with self._zip.open(name) as member:
                while piece := member.read(READ_BYTES):
                    digest.update(piece)
        except DAMAGE as error:
            raise NotWhole(f"{name} is missing or damaged") from error
        return digest.hexdigest()


def line_of(stored: Stored) -> str:
    """An item as a line of the file: DynamoDB's own typed JSON, names in order."""
    packed: Item = dynamo.pack(stored.item)
    return json.dumps({"table": stored.table, "item": packed}, sort_keys=True, separators=(",", ":"))


def _checksum(manifest: Mapping[str, Any]) -> str:
    said = {name: value for name, value in manifest.items() if name != "checksum"}
    return hashlib.sha256(json.dumps(said, sort_keys=True, ensure_ascii=False).encode()).hexdigest()
