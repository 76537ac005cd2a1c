"""Judges what a citizen attached by its bytes alone, never by its name or by what its sender called it.

A photo is decoded and encoded anew at a bounded size: no metadata survives, neither the place where it was taken nor
anything hidden in it. A video keeps its bytes, but its boxes of user data (where phones write the place) are blanked;
a PDF is kept as it is. Imported by the functions that work the outbox alone: Pillow is on nobody else's path.
"""

from __future__ import annotations

import io
import re
import struct
from typing import TYPE_CHECKING

from chalicelib.small_classes import dataclass

if TYPE_CHECKING:
    from PIL import Image

PHOTO_BYTES_MAX = 10 * 1024 * 1024
VIDEO_BYTES_MAX = 27_262_976  # Viber's own bound
FILE_BYTES_MAX = 10 * 1024 * 1024
# A telephone's usual photo has 12 million. A JPEG is decoded at a fraction of its size, the others are decoded whole,
# some twice: either way the process stays below 240 MB (measured), of the 512 its function has.
JPEG_PIXELS_MAX = 40_000_000
PIXELS_MAX = 13_000_000
PHOTO_SIDE_MAX = 2048  # pixels
THUMBNAIL_SIDE_MAX = 400
PHOTO_QUALITY, THUMBNAIL_QUALITY = 85, 75
BOXES_MAX = 2000
_BOX_DEPTH_MAX = 4

JPEG, MP4, QUICKTIME, PDF = "image/jpeg", "video/mp4", "video/quicktime", "application/pdf"
TYPES = {JPEG: "photo", MP4: "video", QUICKTIME: "video", PDF: "file"}

_HEIF_BRANDS = frozenset({b"heic", b"heix", b"hevc", b"heim", b"heis", b"mif1", b"msf1", b"avif", b"avis"})
_QUICKTIME_BRAND = b"qt  "
_USER_DATA = frozenset({b"udta", b"meta"})
_CONTAINERS = frozenset({b"moov", b"trak", b"mdia"})


class NotTaken(Exception):
    """We do not keep this. `reason` is a word for the log: unknown_type, heif, too_large, too_many_pixels, damaged."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Checked:
    """What is kept: the bytes, their media type, and of a photo a small copy."""

    data: bytes
    media_type: str
    thumbnail: bytes = b""

    @property
    def type(self) -> str:
        return TYPES[self.media_type]


def checked(data: bytes) -> Checked:
    """What we keep of `data`. Raises NotTaken."""
    if data.startswith((b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n")) or (data[:4] == b"RIFF" and data[8:12] == b"WEBP"):
        return _photo(_bounded(data, PHOTO_BYTES_MAX))
    if data[4:8] == b"ftyp":
        if data[8:12] in _HEIF_BRANDS:
            raise NotTaken("heif")
        media_type = QUICKTIME if data[8:12] == _QUICKTIME_BRAND else MP4
        return Checked(_without_user_data(_bounded(data, VIDEO_BYTES_MAX)), media_type)
    if data.startswith(b"%PDF-") and b"%%EOF" in data[-2048:]:
        return Checked(_bounded(data, FILE_BYTES_MAX), PDF)
    raise NotTaken("unknown_type")


def _bounded(data: bytes, bytes_max: int) -> bytes:
    if len(data) > bytes_max:
        raise NotTaken("too_large")
    return data


# --- photos -----------------------------------------------------------------------------------------------------


def _photo(data: bytes) -> Checked:
    from PIL import Image, ImageOps

    # Our own bound is looked at before anything is decoded; Pillow's would only warn below twice its number.
    Image.MAX_IMAGE_PIXELS = None
    try:
        with Image.open(io.BytesIO(data), formats=("JPEG", "PNG", "WEBP")) as image:
            if image.width * image.height > (JPEG_PIXELS_MAX if image.format in ("JPEG", "MPO") else PIXELS_MAX):
                raise NotTaken("too_many_pixels")
            image.draft("RGB", (PHOTO_SIDE_MAX, PHOTO_SIDE_MAX))  # a large JPEG is decoded at a fraction of its size
            image.thumbnail((PHOTO_SIDE_MAX, PHOTO_SIDE_MAX))
            upright = ImageOps.exif_transpose(image)
            plain = _on_white(upright)
    except NotTaken:
        raise
    except Exception as error:  # Pillow raises whatever its decoders meet: OSError, SyntaxError, ValueError, struct's
        raise NotTaken("damaged") from error
    small = plain.copy()
    small.thumbnail((THUMBNAIL_SIDE_MAX, THUMBNAIL_SIDE_MAX))
    return Checked(_jpeg(plain, PHOTO_QUALITY), JPEG, _jpeg(small, THUMBNAIL_QUALITY))


def _on_white(image: Image.Image) -> Image.Image:
    """The pixels alone, without a palette, transparency, profile or any other thing an image may carry."""
    from PIL import Image

    if image.mode in ("RGBA", "LA", "PA", "P"):
        image = image.convert("RGBA")
        plain = Image.new("RGB", image.size, "white")
        plain.paste(image, mask=image.getchannel("A"))
        return plain
    plain = Image.new("RGB", image.size)
    plain.paste(image.convert("RGB"))
    return plain


def _jpeg(image: Image.Image, quality: int) -> bytes:
    out = io.BytesIO()
    image.save(out, "JPEG", quality=quality, optimize=True)
    return out.getvalue()


# --- videos -----------------------------------------------------------------------------------------------------


def _without_user_data(data: bytes) -> bytes:
    """The same video with its boxes of user data named `free` and emptied; every other byte stays where it was.

    A file whose boxes make no sense is kept as it came: players are as forgiving.
    """
    clean = bytearray(data)
    budget = [BOXES_MAX]
    _blank(clean, 0, len(clean), budget, 0)
    return bytes(clean)


def _blank(data: bytearray, start: int, end: int, budget: list[int], depth: int) -> None:
    while start + 8 <= end and budget[0] > 0:
        budget[0] -= 1
        size, kind, head = struct.unpack_from(">I", data, start)[0], bytes(data[start + 4 : start + 8]), 8
        if size == 1 and start + 16 <= end:
            size, head = struct.unpack_from(">Q", data, start + 8)[0], 16
        elif size == 0:
            size = end - start
        if size < head or start + size > end or not re.fullmatch(rb"[\x20-\x7e\xa9]{4}", kind):
            return
        if kind in _USER_DATA:
            data[start + 4 : start + 8] = b"free"
            data[start + head : start + size] = bytes(size - head)
        elif kind in _CONTAINERS and depth < _BOX_DEPTH_MAX:
            _blank(data, start + head, start + size, budget, depth + 1)
        start += size
