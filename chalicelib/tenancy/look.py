"""A town's one colour → the accents of both schemes, so that no browser has to derive them.

OKLCH bounds as in the visual language: light L ≤ .46, C ≤ .14; dark L ≥ .80, C ≤ .11 (contrast ≥ 4.5 with its text).
OKLab matrices: Björn Ottosson's published definition.
"""

from __future__ import annotations

import math

DARK_TEXT = "#0e1511"


def colours(town: str) -> dict[str, dict[str, str]]:
    """`town` as "#rrggbb" → {"light": {...}, "dark": {...}} with town, accent, accent2, soft, on."""
    lightness, chroma, hue = _oklch(town)
    return {
        "light": {
            "town": town,
            "accent": _hex(min(lightness, 0.46), min(chroma, 0.14), hue),
            "accent2": _hex(min(lightness, 0.37), min(chroma, 0.12), hue),
            "soft": _hex(0.948, min(chroma, 0.016), hue),
            "on": "#ffffff",
        },
        "dark": {
            "town": town,
            "accent": _hex(max(lightness, 0.80), min(chroma, 0.11), hue),
            "accent2": _hex(max(lightness, 0.87), min(chroma, 0.08), hue),
            "soft": _hex(0.31, min(chroma, 0.045), hue),
            "on": DARK_TEXT,
        },
    }


def _oklch(colour: str) -> tuple[float, float, float]:
    red, green, blue = (_linear(int(colour[at : at + 2], 16) / 255) for at in (1, 3, 5))
    long = math.cbrt(0.4122214708 * red + 0.5363325363 * green + 0.0514459929 * blue)
    medium = math.cbrt(0.2119034982 * red + 0.6806995451 * green + 0.1073969566 * blue)
    short = math.cbrt(0.0883024619 * red + 0.2817188376 * green + 0.6299787005 * blue)
    lightness = 0.2104542553 * long + 0.7936177850 * medium - 0.0040720468 * short
    a = 1.9779984951 * long - 2.4285922050 * medium + 0.4505937099 * short
    b = 0.0259040371 * long + 0.7827717662 * medium - 0.8086757660 * short
    return lightness, math.hypot(a, b), math.atan2(b, a)


def _hex(lightness: float, chroma: float, hue: float) -> str:
    """The colour, its chroma lowered until the sRGB gamut holds it."""
    while True:
        channels = _srgb(lightness, chroma * math.cos(hue), chroma * math.sin(hue))
        if chroma < 0.001 or all(-0.0005 <= channel <= 1.0005 for channel in channels):
            return "#" + "".join(
                f"{round(255 * min(1.0, max(0.0, _gamma(max(0.0, channel))))):02x}" for channel in channels
            )
        chroma *= 0.97


def _srgb(lightness: float, a: float, b: float) -> tuple[float, float, float]:
    long = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3
    medium = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3
    short = (lightness - 0.0894841775 * a - 1.2914855480 * b) ** 3
    return (
        4.0767416621 * long - 3.3077115913 * medium + 0.2309699292 * short,
        -1.2684380046 * long + 2.6097574011 * medium - 0.3413193965 * short,
        -0.0041960863 * long - 0.7034186147 * medium + 1.7076147010 * short,
    )


def _linear(channel: float) -> float:
    return channel / 12.92 if channel <= 0.04045 else ((channel + 0.055) / 1.055) ** 2.4


def _gamma(channel: float) -> float:
    return channel * 12.92 if channel <= 0.0031308 else 1.055 * channel ** (1 / 2.4) - 0.055
