"""Photos, videos and papers as citizens send them, and as nobody should."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Mapping

from PIL import Image
from PIL.TiffImagePlugin import IFDRational

CANARY = "Samsung-of-Mira"


def photo(
    width: int = 1200,
    height: int = 800,
    *,
    kind: str = "JPEG",
    exif: bool = False,
    turned: bool = False,
    place: Mapping[int, object] | None = None,
) -> bytes:
    """A picture, red above and blue below; `exif` with place, maker and a note; `turned` lies on its side. `place`:
    what else stands where the place is written, by Exif's numbers."""
    image = Image.new("RGB", (width, height), "red")
    image.paste("blue", (0, height // 2, width, height))
    extra: dict[str, object] = {}
    if exif or turned:
        tags = Image.Exif()
        tags[0x010F], tags[0x010E] = CANARY, "my garden"
        if turned:
            tags[0x0112] = 6
        there = tags.get_ifd(0x8825)
        there[1], there[2] = "N", tuple(IFDRational(number) for number in (45, 46, 30))
        there[3], there[4] = "E", tuple(IFDRational(number) for number in (19, 6, 44))
        there.update(place or {})
        extra["exif"] = tags.tobytes()
    out = io.BytesIO()
    image.save(out, kind, **extra)
    return out.getvalue()


def bomb(side: int = 20_000) -> bytes:
    """A PNG of a few kilobytes that would be `side` × `side` pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    rows = zlib.compress(bytes(1024))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def box(kind: bytes, content: bytes = b"") -> bytes:
    return struct.pack(">I", len(content) + 8) + kind + content


def video(brand: bytes = b"isom", place: bytes = b"+45.7742+019.1122/") -> bytes:
    """The boxes of a clip, with the place where it was taken as phones write it."""
    track = box(b"trak", box(b"tkhd", bytes(84)) + box(b"udta", box(b"name", b"Mira")))
    user = box(b"udta", box(b"\xa9xyz", struct.pack(">HH", len(place), 0x15C7) + place))
    return (
        box(b"ftyp", brand + bytes(8))
        + box(b"moov", box(b"mvhd", bytes(100)) + track + user)
        + box(b"mdat", b"\x07" * 64)
    )


def paper() -> bytes:
    return b"%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"
