"""What a town's public page shows: the way in, what is offered, and what last month came to where the town says so."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from chalicelib.actions import collect_figures, web_chat
from chalicelib.cases.figures import Figures
from chalicelib.days import day_in
from chalicelib.dialogue import going_on, words
from chalicelib.model import Line, Town, Voice
from chalicelib.small_classes import dataclass
from chalicelib.wire import Deadline

REQUEST_SECONDS = 8.0
KEPT_SECONDS = 3600  # a full month's figures hardly change, and strangers may ask for the page as often as they like
KEPT_MAX = 200  # towns' months in one process
HOUR_MINUTES = 60
HINTS = {
    "kept": "kept_of",
    "answer": "answer_hint",
    "people": "talks",
    "problems": "problems_of",
    "rating": "rating_of",
}
NOTHING = "–"  # where there was nothing to count

_months: dict[tuple[str, str], tuple[float, Figures]] = {}


@dataclass(frozen=True, slots=True)
class Shown:
    """One figure, worded: what it is, the number, and out of what."""

    label: str
    number: str
    hint: str


@dataclass(frozen=True, slots=True)
class Offered:
    """An entry of the menu: its words, and the kind of service behind it."""

    label: str
    kind: str


@dataclass(frozen=True, slots=True)
class Introduction:
    """`texts`: the town's plain texts in the voice of `look`; `viber`: a link that opens the town's bot, if it has one;
    `scan`: what the QR code leads to; `month`: whose figures these are, "" where the town publishes none."""

    look: Mapping[str, Any]
    texts: Mapping[str, str]
    offer: tuple[Offered, ...]
    viber: str | None
    scan: str
    month: str = ""
    figures: tuple[Shown, ...] = ()


def introduce(slug: str, query: Mapping[str, str], origin: str, now: float) -> Introduction:
    """The page in the voice asked for. `origin`: where we are reached. Raises Refused for a town that is not there."""
    deadline = Deadline(REQUEST_SECONDS)
    town, look = web_chat.town_on_web(slug, deadline), web_chat.look(slug, query)
    voice = Voice(look["language"], look["script"])
    kept = words.latin_words(town)
    plain = {key: text for key, text in town.texts[voice.language].items() if isinstance(text, str)}
    texts = {key: web_chat.scripted(text, voice, kept) for key, text in plain.items()}
    viber = going_on.viber_link(town, str(town.core["number"]))
    month, figures = _published(town, voice, now, deadline)
    return Introduction(
        look,
        texts,
        tuple(Offered(texts[choice], _kind(choice, town)) for choice in town.core["menu"]),
        viber,
        viber or f"{origin}/chat/{quote(slug)}",
        month,
        figures,
    )


def _kind(choice: str, town: Town) -> str:
    service = choice.partition(".")[0]
    return str(town.core["services"][service]["kind"]) if service in town.core["services"] else service


def _published(town: Town, voice: Voice, now: float, deadline: Deadline) -> tuple[str, tuple[Shown, ...]]:
    """Last month's title and figures, as far as the town publishes them; no figures while there was no such month."""
    names = town.core.get("public_figures", ())
    if not names:
        return "", ()
    last = day_in(town.core["time_zone"], now).replace(day=1) - dt.timedelta(days=1)
    month = words.line(Line(f"public_month_{last.month}"), town, voice)
    title = words.line(Line("public_month", {"month": month, "year": str(last.year)}), town, voice)
    figures = _month(town, last, now, deadline)
    if not figures.conversations and not figures.cases:
        return title, ()
    return title, tuple(_worded(name, figures, town, voice) for name in names)


def _month(town: Town, last: dt.date, now: float, deadline: Deadline) -> Figures:
    key = (town.slug, last.isoformat())
    known = _months.get(key)
    if known is None or not 0 <= now - known[0] < KEPT_SECONDS:
        if len(_months) >= KEPT_MAX:
            _months.clear()
        known = _months[key] = (now, collect_figures.read(town, last.replace(day=1), last, deadline))
    return known[1]


def _worded(name: str, figures: Figures, town: Town, voice: Voice) -> Shown:
    number, of = _counted(name, figures)

    def say(key: str, **values: str) -> str:
        return words.line(Line(f"public_{key}", values), town, voice)

    return Shown(say(name), number, say(HINTS[name], n=str(of)))


def _counted(name: str, figures: Figures) -> tuple[str, int]:
    """The number of a figure and out of how many; a dash where there was nothing to count."""
    problems = figures.by_kind.get("problem", {"opened": 0, "closed": 0})
    promised = figures.kept + figures.missed
    match name:
        case "answer":
            return _time(figures.answer_median), 0
        case "kept":
            return (f"{round(100 * figures.kept / promised)} %" if promised else NOTHING), promised
        case "people":
            return str(figures.people), figures.conversations
        case "problems":
            return str(problems["closed"]), problems["opened"]
        case "rating":
            return (str(figures.rating_mean) if figures.rating_mean else NOTHING), figures.rating_count
    return NOTHING, 0


def _time(minutes: int | None) -> str:
    """Hours and minutes by their signs, which are the same in every language and script."""
    if minutes is None:
        return NOTHING
    hours, rest = divmod(minutes, HOUR_MINUTES)
    return f"{hours} h {rest} min" if hours else f"{rest} min"
