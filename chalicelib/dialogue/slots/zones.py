"""In which time zone somebody lives, so that a deadline can be told in their own time. Asked, never guessed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from chalicelib.dialogue.own_words import folded, folded_words
from chalicelib.dialogue.slots.base import Complaint, Heard, Slot
from chalicelib.model import Choice, Line
from chalicelib.small_classes import dataclass
from chalicelib.understanding.entities.zones import SEVERAL, zone_in

HERE = "here"
PLACE_CHARS_MAX = 40
_LIVING = folded_words("živim živimo boravim jetoj jetojmë live living wohne wohnen lebe leben")
_HERE = folded_words("isto isti ovdje ovde tu ne nisam same here no not hier gleiche nein nicht këtu njëjtë jo")
# What is offered as buttons: where most people from here live. None: the same time as in town.
OFFERED: Mapping[str, str] = {
    HERE: "",
    "central": "Europe/Berlin",
    "uk": "Europe/London",
    "us_east": "America/New_York",
    "us_central": "America/Chicago",
    "au_east": "Australia/Sydney",
}


@dataclass(frozen=True, kw_only=True)
class Zone(Slot):
    """An answer is {"zone": IANA name or "" for the town's own time, "option": the button} or {…, "text": as typed}."""

    ASKS: ClassVar[str] = "choice"
    KEPT: ClassVar[bool] = True
    NOUNS: ClassVar[frozenset[str]] = folded_words("zona vrijeme vreme država inostranstvo zeitzone zone ausland")

    def take(self, heard: Heard) -> Any:
        if not heard.text:
            return None
        zone = zone_in(heard.text)
        if zone is None:
            return self.pick(HERE) if _means_here(heard) else Complaint(Line("zone_unknown"))
        if zone == SEVERAL:
            return Complaint(Line("zone_which_city"))
        return {"zone": zone, "text": heard.text[:PLACE_CHARS_MAX]}

    def glean(self, heard: Heard) -> Any:
        """ "Živim u Beču" says it; a country that a question is about does not."""
        spoken = folded(heard.text)
        lives = next((at for at, word in enumerate(spoken) if word in _LIVING), None)
        zone = zone_in(" ".join(spoken[lives:])) if lives is not None else None
        if zone in (None, SEVERAL):
            return None
        option = next((option for option, offered in OFFERED.items() if offered == zone), None)
        return self.pick(option) if option else {"zone": zone, "text": str(zone).partition("/")[2].replace("_", " ")}

    def holds(self, value: Any) -> bool:
        known = isinstance(value, Mapping) and "zone" in value
        return known and ("text" in value or value.get("option") in OFFERED)

    def shown(self, value: Any) -> Line:
        return Line("raw", {"text": str(value["text"])}) if "text" in value else Line(f"zone_{value['option']}")

    def choices(self, prefix: str, page: int) -> tuple[Choice, ...]:
        return tuple(Choice(f"{prefix}.{option}", Line(f"zone_{option}")) for option in OFFERED)

    def pick(self, option: str) -> Any:
        return {"zone": OFFERED[option], "option": option} if option in OFFERED else None


def _means_here(heard: Heard) -> bool:
    """ "Isto", "ne, ovdje sam", or the town's own name."""
    names = {word for name in heard.town.core["names"].values() for word in folded(str(name)) if len(word) > 3}
    return any(word in _HERE or any(word.startswith(name[:-1]) for name in names) for word in folded(heard.text))
