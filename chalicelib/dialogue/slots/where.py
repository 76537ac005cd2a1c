"""Slots whose answer is a place: a full address, or wherever something is (pin, street, landmark)."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, ClassVar

from chalicelib.dialogue.own_words import asks_something, folded_words, names_a_place
from chalicelib.dialogue.slots.base import Complaint, Heard, Slot
from chalicelib.language.folding import fold, words
from chalicelib.model import Choice, Line, Town
from chalicelib.small_classes import dataclass
from chalicelib.understanding.entities.places import address_in, has_house, settlements_in

PLACE_CHARS_MAX = 200
ADDRESS_EXAMPLE = "Trg 3"
PROPOSED, ANOTHER = "photo", "another"  # buttons under a proposed place
_DEGREES_DECIMALS = 5  # about a metre
EARTH_RADIUS_METRES = 6_371_000
_NOUNS = folded_words(
    "mesto mjesto lokacija adresa ulica ulici broj vendi adresa rruga place location address street ort straße adresse"
)


@dataclass(frozen=True, kw_only=True)
class Address(Slot):
    """Street and number, as typed."""

    FREE: ClassVar[bool] = True
    NOUNS: ClassVar[frozenset[str]] = _NOUNS

    def take(self, heard: Heard) -> Any:
        text = " ".join(heard.text.split())
        if not text or asks_something(text):
            return None
        if len(text) > PLACE_CHARS_MAX or not has_house(text) or not any(c.isalpha() for c in text):
            return Complaint(Line("invalid_address", {"example": ADDRESS_EXAMPLE}))
        return text

    def glean(self, heard: Heard) -> Any:
        found = address_in(heard.text) if heard.text else None
        return f"{found['street']} {found['number']}" if found else None


@dataclass(frozen=True, kw_only=True)
class Location(Slot):
    """Where something is: {"text", "latitude", "longitude"}, either half or both."""

    ASKS: ClassVar[str] = "location"
    FREE: ClassVar[bool] = True
    PLACE: ClassVar[bool] = True
    NOUNS: ClassVar[frozenset[str]] = _NOUNS

    def take(self, heard: Heard) -> Any:
        if heard.inbound.kind == "location":
            return self.glean(heard)
        text = " ".join(heard.text.split())
        if heard.inbound.kind == "attachment" or not text or not any(letter.isalnum() for letter in text):
            return None
        if heard.command:
            return None
        if asks_something(text) and not address_in(text) and not names_a_place(text):
            return None
        if len(text) > PLACE_CHARS_MAX:
            return Complaint(Line("text_too_long", {"max_chars": PLACE_CHARS_MAX}))
        if len(words(fold(text))) < 2 and len(text) < 4:
            return Complaint(Line("invalid_place", {"example": ADDRESS_EXAMPLE}))
        return {"text": text}

    def glean(self, heard: Heard) -> Any:
        """A pin, or a street with its number and village. A landmark alone ("kod škole") is asked about once more."""
        if heard.inbound.place:
            latitude, longitude = (round(degrees, _DEGREES_DECIMALS) for degrees in heard.inbound.place)
            if not within(heard.town, latitude, longitude):
                return Complaint(Line("outside_area"))
            return {"latitude": latitude, "longitude": longitude}
        if not heard.text:
            return None
        named = settlements_in(heard.text, heard.town.core["settlements"])
        village = next((name for name in named if name != heard.town.core["settlements"][0]), None)
        found = address_in(heard.text)
        if found:
            street = f"{found['street']} {found['number']}"
            return {"text": f"{street}, {village}" if village and fold(village) not in fold(street) else street}
        return None

    def holds(self, value: Any) -> bool:
        return isinstance(value, Mapping) and bool(value.get("text") or "latitude" in value)

    def merged(self, old: Any, new: Any) -> Any:
        """A pin beside words, words beside a pin; the newer of two alike."""
        return {**(old or {}), **new}

    def shown(self, value: Any) -> Line:
        if "latitude" not in value:
            return Line("raw", {"text": value["text"]})
        return Line("place_and_pin", {"text": value["text"]}) if value.get("text") else Line("place_pin")


@dataclass(frozen=True, kw_only=True)
class PlaceOfPhoto(Location):
    """Whether it is where a photo says it was taken (`proposed`: latitude, longitude), which is an answer only once the
    citizen says so; any other place is one, too."""

    ASKS: ClassVar[str] = "choice"

    proposed: tuple[float, float]

    def take(self, heard: Heard) -> Any:
        said = heard.command
        if said in ("yes", "no"):
            return self.pick(PROPOSED if said == "yes" else ANOTHER)
        return Location.take(self, heard)

    def choices(self, prefix: str, page: int) -> tuple[Choice, ...]:
        labels = {PROPOSED: "place_of_photo_yes", ANOTHER: "place_of_photo_no"}
        return tuple(Choice(f"{prefix}.{option}", Line(label)) for option, label in labels.items())

    def pick(self, option: str) -> Any:
        """The proposed place, or an answer that holds none: the place is then asked for without a proposal."""
        latitude, longitude = self.proposed
        return {PROPOSED: {"latitude": latitude, "longitude": longitude}, ANOTHER: {}}.get(option)


def of_photo(town: Town, place: tuple[float, float] | None) -> list[float] | None:
    """A photo's place as it may be proposed: within the town, if the town says where it lies."""
    if place is None or not town.core["centre"] or not within(town, *place):
        return None
    return [*place]


def within(town: Town, latitude: float, longitude: float) -> bool:
    """Whether a point lies within the town's radius; a town without a centre takes every point."""
    centre = town.core["centre"]
    if not centre:
        return True
    away = metres(centre["latitude"], centre["longitude"], latitude, longitude)
    return away <= 1000 * float(centre["radius_km"])


def metres(from_latitude: float, from_longitude: float, to_latitude: float, to_longitude: float) -> float:
    """The distance of two points on the ground."""
    south, north = math.radians(from_latitude), math.radians(to_latitude)
    across = math.radians(to_longitude - from_longitude)
    half = math.sin((north - south) / 2) ** 2 + math.cos(south) * math.cos(north) * math.sin(across / 2) ** 2
    return 2 * EARTH_RADIUS_METRES * math.asin(min(1.0, math.sqrt(half)))
