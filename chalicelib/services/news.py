"""The town's news, and being told of it: subscribed by topic and settlement, never by merely writing to the bot.

Choices: `<service>` (topics and what is subscribed), `<service>.on.<topic>`, `<service>.on.<topic>.<settlement>` ("all"
for the whole town), `<service>.off.<topic>`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any
from zoneinfo import ZoneInfo

from chalicelib.cases import announcements
from chalicelib.dialogue import chat, own_words, words
from chalicelib.dialogue.acting import Act
from chalicelib.dialogue.forms import Scene
from chalicelib.language.folding import fold
from chalicelib.model import Choice, Facts, Line, Link, Need, Say, Standing, Subscribe, Town, Unsubscribe

STANDING, ANNOUNCED = "standing", "announced"
LATEST_SHOWN = 2
TOPIC = "news."  # before a topic's name where consents are recorded
ON_WORDING, OFF_WORDING = "news_on.1", "news_off.1"
ALL = "all"
STEM_LETTERS = 5
_WISHES = own_words.whole_phrases(
    """javljajte mi|javljaj mi|javite mi|obaveštavajte me|obavještavajte me|obavještavaj me|prijavi me na|
    prijavite me na|prijava na vesti|prijava na obaveštenja|prijava na vijesti|prijava na obavještenja|
    želim da dobijam|hoću da dobijam|želim da primam|hoću da primam|želim primati|pretplati me|pretplata na|
    uključi obaveštenja o|uključi obavještenja o|më njoftoni|më lajmëroni|dua të marr njoftime|abonohem|notify me|
    keep me informed|tell me about news|subscribe to|sign me up for|i want to get news|benachrichtigen sie mich|
    halten sie mich|ich möchte nachrichten bekommen|informieren sie mich"""
)


def answer(town: Town, service: str, item: str, page: int, facts: Facts) -> tuple[Say, ...] | None:
    """See `act`."""
    return None


def meant(scene: Scene, service: str) -> str | None:
    """A wish to be told ("javljajte mi o nestanku vode"): its topic's choice, or the list where none is named."""
    spoken = " ".join(own_words.folded(scene.heard.text))
    wish = next((wish for wish in _WISHES if f"{spoken} ".startswith(f"{wish} ")), None)
    if wish is None:
        return None
    about = spoken.removeprefix(wish).split()
    named = [topic for topic in _topics(scene.town, service) if _is_named(topic, about)]
    return f"{service}.on.{named[0]['id']}" if len(named) == 1 else service


def _is_named(topic: Mapping[str, Any], spoken: Sequence[str]) -> bool:
    stems = {fold(word)[:STEM_LETTERS] for word in topic["words"]}
    return any(word[:STEM_LETTERS] in stems for word in spoken)


def act(scene: Scene, service: str, item: str) -> Act | Need | None:
    """Show the topics, subscribe, unsubscribe."""
    if STANDING not in scene.facts.found:
        return Need((STANDING,) if item else (STANDING, ANNOUNCED))
    known: Standing = scene.facts.found[STANDING]
    verb, _, rest = item.partition(".")
    topic, _, settlement = rest.partition(".")
    if verb not in ("on", "off") or not any(entry["id"] == topic for entry in _topics(scene.town, service)):
        return Act((_list(scene, service, known),)) if not item else None
    title = title_of(service, topic)
    if verb == "off":
        say = Say(lines=(Line("news_off", {"topic": title}),), choices=chat.choices(service, "menu"))
        return Act((say,), (Unsubscribe((topic,), OFF_WORDING),))
    places = _places(scene.town)
    if places and settlement not in (ALL, *places):
        return Act((_ask_place(service, topic, places),))
    return Act((_subscribed(service, topic, places.get(settlement, "")),), (_wish(topic, settlement),))


def _wish(topic: str, settlement: str) -> Subscribe:
    return Subscribe(topic, ON_WORDING, "" if settlement == ALL else settlement)


def _list(scene: Scene, service: str, known: Standing) -> Say:
    """What was announced lately, what can be subscribed to and what is; where the rest of the news stands."""
    town, page = scene.town, scene.town.core["services"][service]["page"]
    lines = _latest(scene, service) or ([Line("news_none_yet")] if page else [])
    ids = [entry["id"] for entry in _topics(town, service)]
    subscribed = [topic for topic in ids if topic in known.subscriptions]
    if subscribed:
        lines.append(Line("news_subscribed", {"topics": titles(service, subscribed)}))
    lines.append(Line("news_choose"))
    ways = [f"{service}.{'off' if topic in subscribed else 'on'}.{topic}" for topic in ids]
    link = Link(Line("news_page"), page) if page else None
    return Say(lines=tuple(lines), choices=chat.choices(*ways, "menu"), link=link)


def _latest(scene: Scene, service: str) -> list[Line]:
    """The newest announcements of the town's topics, in the citizen's language and script."""
    topics = {topic["id"] for topic in _topics(scene.town, service)}
    wanted = [
        found
        for found in scene.facts.found.get(ANNOUNCED, ())
        if not found["topics"] or topics.intersection(found["topics"])
    ]
    lines = [Line("news_latest")] if wanted else []
    zone = ZoneInfo(scene.town.core["time_zone"])
    for found in wanted[:LATEST_SHOWN]:
        day = dt.datetime.fromtimestamp(found["at"], zone)
        date = Line("days.date_format", {"d": day.day, "m": day.month, "y": day.year})
        voice = words.spoken(scene.town, scene.heard.voice)
        kept, native = words.latin_words(scene.town), scene.town.native_language
        said = announcements.wording(found["text"], voice, native, kept)[1]
        lines.append(Line("news_item", {"date": date, "text": said}))
    return lines


def _ask_place(service: str, topic: str, places: Mapping[str, str]) -> Say:
    choices = [Choice(f"{service}.on.{topic}.{ALL}", Line("news_whole_town"))]
    choices += [Choice(f"{service}.on.{topic}.{key}", Line("raw", {"text": name})) for key, name in places.items()]
    return Say(lines=(Line("news_place"),), choices=(*choices, *chat.choices("menu")), ask="choice")


def _subscribed(service: str, topic: str, place: str) -> Say:
    title = title_of(service, topic)
    told = Line("news_on_place", {"topic": title, "place": place}) if place else Line("news_on", {"topic": title})
    return Say(lines=(told, Line("unsubscribe_hint")), choices=chat.choices(f"{service}.off.{topic}", "menu"))


def title_of(service: str, topic: str) -> Line:
    return Line(f"{service}.topic.{topic}")


def titles(service: str, topics: Sequence[str]) -> Line:
    """Several topics in one line."""
    line = title_of(service, topics[0])
    for topic in topics[1:]:
        line = Line("form_and", {"first": line, "second": title_of(service, topic)})
    return line


def service_of(town: Town) -> str | None:
    """Under which name a town offers its news."""
    return next((name for name, entry in town.core["services"].items() if entry["kind"] == "news"), None)


def _topics(town: Town, service: str) -> list[Mapping[str, Any]]:
    return list(town.core["services"][service]["topics"])


def _places(town: Town) -> dict[str, str]:
    """Settlements by the form in which they stand in a choice."""
    return {fold(name).replace(" ", "_"): name for name in town.core["settlements"]}
