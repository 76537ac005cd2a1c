"""Where a photo says it was taken, read off its first bytes: to be proposed as a report's place, never taken as one.

The stored copy says nothing of it (`check_media`). Only JPEG is looked at: that is what telephones send, and what they
write the place into. Nothing here trusts the bytes; whatever is not exactly as Exif has it says no place.
"""

from __future__ import annotations

import math
import os
import struct

from chalicelib.model import Media, Unavailable
from chalicelib.small_classes import replace
from chalicelib.storage import aws
from chalicelib.wire import Deadline

BEGINNING_BYTES = 65_536  # Exif stands in one of the first segments, and no segment is longer
READ_SECONDS_MAX = 0.6  # of the turn's time: a place is a convenience
ERROR_METRES_MAX = 200.0  # what the telephone itself thinks that it may be off
DEGREES_DECIMALS = 5  # about a metre
SEGMENTS_MAX = 20
ENTRIES_MAX = 200

_EXIF, _START_OF_SCAN = 0xE1, 0xDA
_GPS_DIRECTORY = 0x8825
_LATITUDE_REF, _LATITUDE, _LONGITUDE_REF, _LONGITUDE, _ERROR = 1, 2, 3, 4, 31
_ASCII, _RATIONAL = 2, 5

# An entry of a directory: its type, how many values, and where its four bytes (values, or their place) stand.
_Entry = tuple[int, int, int]


def with_place(media: Media, deadline: Deadline) -> Media:
    """An uploaded photo with the place it names. Without one if it names none, or cannot be read in time."""
    try:
        within = Deadline(deadline.within(READ_SECONDS_MAX))
        data = aws.object_beginning(os.environ["SALTER_MEDIA_BUCKET"], media.url, BEGINNING_BYTES, within)
    except Unavailable:
        return media
    return replace(media, place=place_in(data))


def place_in(data: bytes) -> tuple[float, float] | None:
    """Latitude and longitude that a JPEG's Exif names; None for none, or one that can be no place."""
    try:
        found = _place_of(_exif(data))
    except (struct.error, ValueError, ZeroDivisionError, IndexError):
        return None
    if found is None:
        return None
    latitude, longitude = (round(degrees, DEGREES_DECIMALS) for degrees in found)
    real = math.isfinite(latitude) and math.isfinite(longitude) and abs(latitude) <= 90 and abs(longitude) <= 180
    return (latitude, longitude) if real and (latitude, longitude) != (0.0, 0.0) else None


def _exif(data: bytes) -> bytes:
    """The TIFF part of a JPEG's Exif segment. Raises ValueError where there is none."""
    if not data.startswith(b"\xff\xd8"):
        raise ValueError("no JPEG")
    at = 2
    for _ in range(SEGMENTS_MAX):
        mark, kind, size = struct.unpack_from(">BBH", data, at)
        if mark != 0xFF or kind == _START_OF_SCAN:
            break
        content = data[at + 4 : at + 2 + size]
        if kind == _EXIF and content.startswith(b"Exif\0\0"):
            return content[6:]
        at += 2 + size
    raise ValueError("no Exif")


def _place_of(tiff: bytes) -> tuple[float, float] | None:
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(tiff[:4])
    if order is None:
        return None
    first = _directory(tiff, order, struct.unpack_from(f"{order}I", tiff, 4)[0])
    if _GPS_DIRECTORY not in first:
        return None
    gps = _directory(tiff, order, struct.unpack_from(f"{order}I", tiff, first[_GPS_DIRECTORY][2])[0])
    if _ERROR in gps and not 0 <= _rationals(tiff, order, gps[_ERROR], 1)[0] <= ERROR_METRES_MAX:
        return None
    if not {_LATITUDE_REF, _LATITUDE, _LONGITUDE_REF, _LONGITUDE} <= gps.keys():
        return None
    north = _signed(_degrees(tiff, order, gps[_LATITUDE]), tiff, gps[_LATITUDE_REF], "NS")
    east = _signed(_degrees(tiff, order, gps[_LONGITUDE]), tiff, gps[_LONGITUDE_REF], "EW")
    return north, east


def _directory(tiff: bytes, order: str, at: int) -> dict[int, _Entry]:
    (count,) = struct.unpack_from(f"{order}H", tiff, at)
    found = {}
    for number in range(min(count, ENTRIES_MAX)):
        tag, kind, values = struct.unpack_from(f"{order}HHI", tiff, at + 2 + 12 * number)
        found[tag] = (kind, values, at + 10 + 12 * number)
    return found


def _rationals(tiff: bytes, order: str, entry: _Entry, wanted: int) -> list[float]:
    kind, count, at = entry
    if kind != _RATIONAL or count != wanted:
        raise ValueError("not as Exif has it")
    (where,) = struct.unpack_from(f"{order}I", tiff, at)
    parts = struct.unpack_from(f"{order}{2 * wanted}I", tiff, where)
    return [above / below for above, below in zip(parts[::2], parts[1::2], strict=True)]


def _degrees(tiff: bytes, order: str, entry: _Entry) -> float:
    degrees, minutes, seconds = _rationals(tiff, order, entry, 3)
    if minutes >= 60 or seconds >= 60:
        raise ValueError("no angle")
    return degrees + minutes / 60 + seconds / 3600


def _signed(degrees: float, tiff: bytes, entry: _Entry, sides: str) -> float:
    """Degrees with their side of the world: north and east count up."""
    kind, _, at = entry
    side = chr(tiff[at])
    if kind != _ASCII or side not in sides:
        raise ValueError("no side")
    return degrees if side == sides[0] else -degrees
