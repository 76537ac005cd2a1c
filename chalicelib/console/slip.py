"""What a slip says: in the language and script of whoever gets it, whatever the clerk's own."""

from __future__ import annotations

from markupsafe import Markup

from chalicelib.actions.register_case import Registered
from chalicelib.console.wording import Wording
from chalicelib.dialogue import words
from chalicelib.integrations.case_api import qr_svg
from chalicelib.model import Line, Town, Voice
from chalicelib.small_classes import dataclass


@dataclass(frozen=True)
class Words:
    """The slip's own texts in one voice, as the town words them."""

    town: Town
    voice: Voice

    def __call__(self, key: str, **values: str) -> str:
        return words.line(Line(key, values), self.town, self.voice)

    @property
    def dates(self) -> Wording:
        """Days and hours in the same voice."""
        name = next(entry["catalogue"] for entry in self.town.core["languages"] if entry["id"] == self.voice.language)
        return Wording(self.voice, str(name), self.town)


@dataclass(frozen=True)
class Drawn:
    """A slip ready for the page."""

    registered: Registered
    say: Words

    @property
    def title(self) -> str:
        return self.say("slip_title" if self.registered.slip.viber else "slip_title_web")

    @property
    def steps(self) -> tuple[str, ...]:
        scan = "slip_step_scan" if self.registered.slip.viber else "slip_step_scan_web"
        return tuple(self.say(key) for key in (scan, "slip_step_agree", "slip_step_notices"))

    @property
    def qr(self) -> Markup:
        """Drawn by us from our own link: the one thing on a page that is markup already."""
        return Markup(qr_svg(self.registered.slip.target, sized=False))

    @property
    def tag(self) -> str:
        return self.say.dates.tag

    @property
    def town_name(self) -> str:
        return self.say.dates.name_of_town()


def drawn(town: Town, registered: Registered) -> Drawn:
    """The slip in the applicant's voice."""
    return Drawn(registered, Words(town, words.spoken(town, registered.case.voice or town.default_voice)))


def consent_wordings(town: Town) -> list[tuple[str, str, str]]:
    """What a clerk reads out, in every language and script of the town: (tag, language as it calls itself, text)."""
    on_viber = bool(town.core["viber"]["account"])
    found = []
    for entry in town.core["languages"]:
        script = entry["scripts"][0]
        say = Words(town, Voice(entry["id"], script))
        found.append((say.dates.tag, str(entry["name"]), _asked(say, on_viber)))
    return found


def _asked(say: Words, on_viber: bool) -> str:
    return say("consent_ask", channel="Viber") if on_viber else say("consent_ask_web")


def voices(town: Town) -> list[tuple[str, str]]:
    """What an applicant may choose: (`sr-cyrillic`, its own name for it)."""
    return [
        (f"{entry['id']}-{script}", str(entry["labels"][script]))
        for entry in town.core["languages"]
        for script in entry["scripts"]
    ]
