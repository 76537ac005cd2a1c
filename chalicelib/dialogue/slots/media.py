"""Photos, videos and files: any number up to a bound, before, between and after words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from chalicelib.dialogue.own_words import folded_words
from chalicelib.dialogue.slots.base import Complaint, Heard, Slot
from chalicelib.model import Line
from chalicelib.small_classes import dataclass

ITEMS_MAX = 6
MEGABYTES_MAX = 25
_MEGABYTE = 2**20


def joined(old: Sequence[Any], new: Sequence[Any]) -> list[Any]:
    """Both lists in one, up to the bound; what was sent again is there once."""
    there = [where for _, where, _ in old]
    return [*old, *(one for one in new if one[1] not in there)][:ITEMS_MAX]


@dataclass(frozen=True, kw_only=True)
class Media(Slot):
    """A list of [type, where the channel keeps it, size in bytes]."""

    ASKS: ClassVar[str] = "photo"
    NOUNS: ClassVar[frozenset[str]] = folded_words("slika sliku fotografija fotografiju video foto photo picture bild")

    types: tuple[str, ...] = ("photo", "video")
    refusal: ClassVar[str] = "file_type_not_taken"

    def take(self, heard: Heard) -> Any:
        return self.glean(heard)

    def glean(self, heard: Heard) -> Any:
        media = heard.inbound.media
        if media is None:
            return None
        if media.type not in self.types:
            return Complaint(Line(self.refusal))
        if media.size > MEGABYTES_MAX * _MEGABYTE:
            return Complaint(Line("file_too_large", {"max_mb": MEGABYTES_MAX}))
        return [[media.type, media.url, media.size]]

    def holds(self, value: Any) -> bool:
        return isinstance(value, list) and bool(value)

    def merged(self, old: Any, new: Any) -> Any:
        return joined(old or [], new)

    def shown(self, value: Any) -> Line:
        return Line("attachments_n", {"n": len(value)})


@dataclass(frozen=True, kw_only=True)
class Paper(Media):
    """A document as a photo or a file: an identity card, a power of attorney."""

    ASKS: ClassVar[str] = "file"
    NOUNS: ClassVar[frozenset[str]] = folded_words("prilog dokaz skeniran provë dokument proof scan nachweis anlage")

    types: tuple[str, ...] = ("photo", "file")
    refusal: ClassVar[str] = "file_type_not_paper"
