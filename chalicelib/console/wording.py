"""What the console says to staff, in the language and script they chose; cases speak the town's own words.

The console's texts lie in `texts/`, a folder for the frame and one for each further topic, in each one file a language.
Cyrillic is derived, as everywhere.
"""

from __future__ import annotations

import datetime as dt
import tomllib
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from markupsafe import Markup, escape

from chalicelib.cases.deadlines import Left
from chalicelib.cases.working_time import WEEKDAYS
from chalicelib.dialogue.words import name_of
from chalicelib.language import catalogue
from chalicelib.model import CYRILLIC, LATIN, Case, Line, Town, Voice
from chalicelib.patterns import pattern
from chalicelib.small_classes import dataclass

_TEXTS = Path(__file__).parent / "texts"
FRAME = "frame"
# What staff may choose, each named in itself.
VOICES = {
    "sr": "srpski",
    "sr-cyrillic": "српски",
    "bs": "bosanski",
    "cnr": "crnogorski",
    "sq": "shqip",
    "en": "English",
}
_ISO_DAY = pattern(r"\d{4}-\d\d-\d\d")
STATUS_TEXTS = {"awaiting_citizen": "awaiting_applicant"}
HOUR_MINUTES = 60
STAYS_LATIN = (
    "API",
    "Open311",
    "PDF",
    "JPEG",
    "PNG",
    "MB",
    "h",
    "min",
    "ms",
)  # in Cyrillic too: names, and units of time


def names() -> tuple[str, ...]:
    """Every language the console has texts in."""
    return tuple(sorted(path.stem for path in (_TEXTS / FRAME).glob("*.toml")))


def folders() -> tuple[str, ...]:
    """What has texts of its own."""
    return tuple(sorted(path.name for path in _TEXTS.iterdir() if path.is_dir()))


@lru_cache(maxsize=16)
def texts(name: str) -> Mapping[str, Any]:
    """The console's own texts of one language: key → template or plural forms."""
    found: dict[str, Any] = {}
    for folder in folders():
        found |= texts_in(folder, name)
    return found


@lru_cache(maxsize=8192)
def _fixed(name: str, script: str, key: str) -> Markup:
    """A text nothing is put into."""
    plural = str(catalogue.load(name)["language"]["plural"])
    return Markup(catalogue.word(texts(name)[key], plural, script, {}, STAYS_LATIN))


def texts_in(folder: str, name: str) -> Mapping[str, Any]:
    """The texts of one topic in one language."""
    return tomllib.loads((_TEXTS / folder / f"{name}.toml").read_text(encoding="utf-8"))


@dataclass(frozen=True)
class Wording:
    """One reader's language and script. `name` is the catalogue: `sr-ije` where the town writes ijekavian."""

    voice: Voice
    name: str
    town: Town | None = None

    def __call__(self, key: str, **values: Any) -> Markup:
        """A text of the console's own, ready for a page: what is put into it is escaped."""
        if not values:
            return _fixed(self.name, self.voice.script, key)
        template = texts(self.name)[key]
        shown = {name: value if isinstance(value, int) else str(escape(value)) for name, value in values.items()}
        return Markup(catalogue.word(template, self._plural, self.voice.script, shown, STAYS_LATIN))

    def plain(self, key: str, **values: Any) -> str:
        """A text of the console's own for an e-mail, where nothing is markup."""
        return catalogue.word(texts(self.name)[key], self._plural, self.voice.script, values, STAYS_LATIN)

    def act(self, what: str) -> str:
        """What the audit trail says somebody did; a word nobody has translated stays as it is written."""
        key = f"act_{what}"
        return str(self(key)) if key in texts(self.name) else what

    def detail(self, name: str, value: Any) -> str:
        """What else the audit trail knows of an act: roles, statuses and days in the reader's words."""
        written = str(value)
        if name == "role" and f"role_{written}" in texts(self.name):
            return str(self(f"role_{written}"))
        if name == "status" and f"status.{STATUS_TEXTS.get(written, written)}" in catalogue.load(self.name)["texts"]:
            return self.status(written)
        return self.date(written) if name == "until" and _ISO_DAY.fullmatch(written) else written

    @property
    def chosen(self) -> str:
        """Which of VOICES this is."""
        return f"{self.voice.language}-{CYRILLIC}" if self.voice.script == CYRILLIC else self.voice.language

    @property
    def tag(self) -> str:
        """The page's `lang`."""
        return self.voice.tag

    @property
    def _plural(self) -> str:
        return str(catalogue.load(self.name)["language"]["plural"])

    def platform(self, key: str) -> str:
        """A text of the citizens' catalogue, e.g. the name of a status."""
        return self._scripted(str(catalogue.load(self.name)["texts"][key]))

    def own(self, key: str) -> str:
        """A text of the town's own (an office, a kind of problem) in the reader's language, else in the town's."""
        assert self.town is not None
        language = self.voice.language
        known = self.town.texts.get(language, {})
        text = known.get(key) or self.town.texts[self.town.native_language].get(key)
        return self._scripted(str(text)) if text else key

    def line(self, line: Line) -> str:
        """A line of the citizens' texts for staff: in the reader's language where the town or we have it, else in the
        town's own. What a citizen typed stays as typed."""
        assert self.town is not None
        ours = catalogue.load(self.name)["texts"]
        native = self.town.texts[self.town.native_language]
        template = self.town.texts.get(self.voice.language, {}).get(line.key) or ours.get(line.key)
        template = template or native.get(line.key, line.key)
        values = {name: self.line(value) if isinstance(value, Line) else value for name, value in line.args.items()}
        return catalogue.word(template, self._plural, self.voice.script, values, tuple(self.town.core["latin_words"]))

    def name_of_town(self) -> str:
        assert self.town is not None
        return name_of(self.town, self.voice)

    # --- cases ---------------------------------------------------------------------------------------------------

    def status(self, status: str) -> str:
        return self.platform(f"status.{STATUS_TEXTS.get(status, status)}")

    def kind(self, case: Case) -> str:
        return str(self(f"kind_{case.kind}"))

    def subject(self, case: Case) -> str:
        """What a case is called in a list: the kind of problem in the reader's language, else what was written."""
        if case.kind == "problem" and case.category:
            return self.own(f"category.{case.category}")
        return case.subject or self.kind(case)

    def office(self, identifier: str) -> str:
        assert self.town is not None
        service = str(self.town.core["person"]).partition(".")[0]
        known = any(office["id"] == identifier for office in self.town.core["offices"])
        return self.own(f"{service}.{identifier}") if known else identifier

    def event(self, name: str) -> str:
        """What an entry of a history is called; a word of the town's own system stays as it wrote it."""
        key = f"event_{name}"
        return str(self(key)) if key in texts(self.name) else name

    def notice(self, note: str) -> str:
        """What became of a notice, `viber: seen`, in words."""
        channel, _, state = note.partition(": ")
        known = texts(self.name)
        if f"channel_{channel}" not in known or f"told_{state}" not in known:
            return note
        return str(self("told_by", channel=self(f"channel_{channel}"), state=self(f"told_{state}")))

    # --- time ----------------------------------------------------------------------------------------------------

    def moment(self, at: float) -> str:
        """`utorak, 10. 3. 2026, 10:15` in the town's time."""
        local = self._local(at)
        return f"{self.day(at).rstrip('.')}, {local:%H:%M}"

    def day(self, at: float) -> str:
        local = self._local(at)
        date = self.platform("days.date_format").format(d=local.day, m=local.month, y=local.year)
        return f"{self.platform(f'days.{WEEKDAYS[local.weekday()]}')}, {date}"

    def short(self, at: float) -> str:
        """`10. 3. 2026.` in the town's time, for lists."""
        return self.date(self._local(at).date().isoformat())

    def date(self, day: str) -> str:
        """An ISO date as people write it."""
        written = dt.date.fromisoformat(day)
        return self.platform("days.date_format").format(d=written.day, m=written.month, y=written.year)

    def clock(self, at: float) -> str:
        return f"{self._local(at):%H:%M}"

    def iso(self, at: float) -> str:
        return self._local(at).isoformat(timespec="minutes")

    def left(self, left: Left) -> Markup:
        """`još 2 h 15 min`, `kasni 3 radna dana`; late by no working time yet: that the deadline passed."""
        word = "late" if left.late else "left"
        if left.days:
            return self(f"{word}_days", n=left.days)
        if left.late and not left.minutes:
            return self("late_now")
        hours, minutes = divmod(left.minutes, HOUR_MINUTES)
        if hours:
            return self(f"{word}_hours", h=hours, m=minutes)
        return self(f"{word}_minutes", m=minutes)

    def _local(self, at: float) -> dt.datetime:
        zone = ZoneInfo(self.town.core["time_zone"] if self.town else "Europe/Belgrade")
        return dt.datetime.fromtimestamp(at, zone)

    def _scripted(self, text: str) -> str:
        return catalogue.cyrillic(text) if self.voice.script == CYRILLIC else text


def wording(chosen: str, town: Town | None) -> Wording:
    """The reader's wording: what they chose, else the town's own language and script."""
    if chosen not in VOICES:
        chosen = _voice_of(town)
    language, _, script = chosen.partition("-")
    return Wording(Voice(language, script or LATIN), _catalogue(language, town), town)


def _voice_of(town: Town | None) -> str:
    if town is None:
        return "sr"
    own = town.default_voice
    name = f"{own.language}-cyrillic" if own.script == CYRILLIC else own.language
    return name if name in VOICES else "sr"


def _catalogue(language: str, town: Town | None) -> str:
    """Serbian in the town's own pronunciation; in a town that does not write Serbian, the neighbours' ijekavian."""
    if language != "sr" or town is None:
        return language
    native = town.core["languages"][0]
    if native["id"] != "sr":
        return "sr-ije"
    return str(native.get("catalogue", "sr"))
