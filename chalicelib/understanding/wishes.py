"""Which language or script a citizen asks to be answered in ("latinicom molim", "auf Deutsch bitte")."""

from __future__ import annotations

from collections.abc import Sequence

from chalicelib.language.folding import fold
from chalicelib.model import CYRILLIC, LATIN
from chalicelib.small_classes import dataclass

_LANGUAGES = {
    "sr": "srpsk* serbisht serbian serbisch* српски",
    "bs": "bosansk* bosnian bosnisch* boshnjakisht",
    "cnr": "crnogorsk* montenegrin* montenegrinisch*",
    "sq": "albansk* siptarsk* shqip shqipe* albanian albanisch*",
    "en": "englesk* engelsk* english anglisht englisch* inglis",
    "de": "nemack* njemack* nemask* deutsch* german gjermanisht svapsk*",
}
_SCRIPTS = {
    LATIN: "latinic* latinicn* latinck* latin lateinisch*",
    CYRILLIC: "cirilic* cirilicn* cyrillic kyrillisch* cirilike",
}


@dataclass(frozen=True, slots=True)
class Wish:
    """What was asked for; the other half is None ("latinicom" says nothing of the language)."""

    language: str | None
    script: str | None


def _rules(table: dict[str, str]) -> list[tuple[str, bool, str]]:
    return [
        (fold(entry.rstrip("*")), entry.endswith("*"), name) for name, line in table.items() for entry in line.split()
    ]


_LANGUAGE_RULES, _SCRIPT_RULES = _rules(_LANGUAGES), _rules(_SCRIPTS)


def wish_in(ordered: Sequence[str]) -> Wish | None:
    """The wish of a folded message; None if it names no language or script, or two of them."""
    languages, scripts = _named(ordered, _LANGUAGE_RULES), _named(ordered, _SCRIPT_RULES)
    if len(languages) > 1 or len(scripts) > 1 or not languages | scripts:
        return None
    return Wish(next(iter(languages), None), next(iter(scripts), None))


def _named(ordered: Sequence[str], rules: Sequence[tuple[str, bool, str]]) -> set[str]:
    return {
        name
        for word in ordered
        for stem, open_end, name in rules
        if word == stem or (open_end and word.startswith(stem))
    }
