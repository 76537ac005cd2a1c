"""A month of invented life in every town, so that each page has something to show: `DATA=demo`.

Everything is made by the product's own actions, each at its own moment; nothing here is about a real person. The same
towns give the same month.
"""

import datetime as dt
import os
import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from chalicelib.actions import announce, collect_figures, decide_volunteer, known
from chalicelib.actions.change_case import change_case
from chalicelib.actions.open_case import completed, open_case
from chalicelib.actions.receive_message import receive_message
from chalicelib.cases import helping
from chalicelib.cases.lifecycle import Event, NotAllowed
from chalicelib.model import Account, Audience, Case, Follower, Inbound, Place, Town, Voice
from chalicelib.storage.cases import CaseStore
from chalicelib.wire import Deadline
from infra.local.stack import STAGE

DAYS = 30
CALL_SECONDS = 20.0
CASES_A_DAY = (1, 1, 2, 3)
TALKS_A_DAY = (2, 3, 4, 6)
MINUTE, HOUR, DAY = 60, 3600, 86400
NAMES = ("Petar Perić", "Mira Marić", "Ana Anić", "Jovan Jović", "Lejla Lejlić", "Arta Artić", "Nikola Nikolić")
STREETS = ("Glavna", "Školska", "Vrtna", "Nova", "Dugačka", "Tiha", "Zelena")
TALK = (
    ("dobar dan", "radno vreme", "hvala"),
    ("treba mi izvod iz matične knjige rođenih", "hvala"),
    ("telefon", "hvala"),
    ("Добар дан", "порез на имовину"),
    ("hello", "opening hours"),
    ("da li će sutra padati kiša i kad igra reprezentacija",),
    ("gde je moj predmet",),
)
# Words that read alike in every Slavic language of the towns.
WAITS = ("dobar dan", "operater", "Imam pitanje za službu, molim odgovor.")
PROBLEM = "Tako je već tri dana, molim da neko pogleda."
QUESTION = "Šta treba da donesem i kada mogu da dođem?"
HELP = "Brašno, ulje, so"
NEWS = "Sutra od 9 do 13 časova neće biti vode zbog radova na mreži."
WEIGHTS = {"problem": 9, "document": 4, "question": 4, helping.KIND: 4, "administrative": 3}
VOLUNTEERS = 4  # the last one's sign-up waits
PAPERS = (
    "Saglasnost za letnju baštu",
    "Legalizacija pomoćnog objekta",
    "Izmena adrese",
    "Promet poljoprivrednog zemljišta",
)


@dataclass(frozen=True)
class _Matter:
    """What a case is about: a kind with one of its categories; `subject` names the town's text, or is it."""

    kind: str
    category: str
    subject: str
    fields: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class _Stage:
    """One town being filled: its luck is its own and always the same."""

    town: Town
    luck: random.Random

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.town.core["time_zone"])


def fill(slugs: Sequence[str], now: float) -> int:
    """Fill towns that nobody has filled yet. Returns how many cases were made. Refuses on any other stage."""
    if os.environ.get("SALTER_STAGE") != STAGE:
        raise RuntimeError(f"invented life belongs to stage {STAGE} alone")
    return sum(_fill_town(slug, now) for slug in slugs)


def _fill_town(slug: str, now: float) -> int:
    town = known.town(slug, Deadline(CALL_SECONDS))
    if town is None or CaseStore(slug).open_page(1, Deadline(CALL_SECONDS)).cases:
        return 0
    stage = _Stage(town, random.Random(slug))
    today = dt.datetime.fromtimestamp(now, stage.zone).date()
    made = 0
    for back in range(DAYS, -1, -1):
        day = today - dt.timedelta(days=back)
        quiet = day.weekday() >= 5
        for number in range(stage.luck.choice(TALKS_A_DAY) // (2 if quiet else 1)):
            _talk(stage, f"demo-{back}-{number}", _moment(stage, day, now))
        for _ in range(0 if quiet else stage.luck.choice(CASES_A_DAY)):
            made += _case(stage, _moment(stage, day, now), now)
        if back % collect_figures.DAYS_COUNTED == 0:
            end = dt.datetime.combine(day, dt.time(23, 30), stage.zone).timestamp()
            collect_figures.collect(slug, min(now, end), Deadline(CALL_SECONDS))
    _volunteers(stage, now)
    _news(stage, now)
    _talk(stage, "demo-waits", now - 10 * MINUTE, WAITS)
    return made


def _moment(stage: _Stage, day: dt.date, now: float) -> float:
    """Some time of a working day, never later than a few minutes ago."""
    hour, minute = stage.luck.randint(8, 15), stage.luck.randint(0, 59)
    return min(dt.datetime.combine(day, dt.time(hour, minute), stage.zone).timestamp(), now - 300)


def _talk(stage: _Stage, citizen: str, at: float, said: Sequence[str] = ()) -> None:
    account = Account("web", stage.town.slug, (stage.town.slug,))
    for number, text in enumerate(said or stage.luck.choice(TALK)):
        inbound = Inbound(f"{citizen}-{number}", citizen, text=text)
        receive_message(inbound, account, at + 40 * number, "demo", Deadline(CALL_SECONDS))


def _case(stage: _Stage, at: float, now: float) -> int:
    by_kind = _matters(stage.town)
    kind = stage.luck.choices(list(by_kind), [WEIGHTS[each] for each in by_kind])[0]
    matter = stage.luck.choice(by_kind[kind])
    filed = open_case(stage.town, partial(_invented, stage, matter, at), Deadline(CALL_SECONDS))
    for event in _life(stage, filed, now):
        try:
            change_case(stage.town, filed.reference, event, event.at, "demo", Deadline(CALL_SECONDS))
        except NotAllowed:
            break
    return 1


def _matters(town: Town) -> dict[str, list[_Matter]]:
    """What may be filed in a town, by kind; papers at the counter everywhere."""
    found = {"administrative": [_Matter("administrative", "", paper) for paper in PAPERS]}
    for name, service in town.core["services"].items():
        if service["kind"] == "report_problem":
            ids = [each["id"] for each in service["problems"]]
            found["problem"] = [_Matter("problem", i, f"category.{i}", {"description": PROBLEM}) for i in ids]
        elif service["kind"] == "document_request":
            fields = {"delivery": service["delivery"][0]}
            ids = [each["id"] for each in service["documents"]]
            found["document"] = [_Matter("document", i, f"document.{i}", fields) for i in ids]
        elif service["kind"] == "question":
            ids = [each["id"] for each in service["topics"]]
            found["question"] = [_Matter("question", i, f"{name}.topic.{i}", {"question": QUESTION}) for i in ids]
        elif service["kind"] == helping.KIND:
            fields = {"what": HELP, "until": helping.ASAP}
            found[helping.KIND] = [_Matter(helping.KIND, i, f"aid.kind.{i}", fields) for i in service["kinds"]]
    return found


def _invented(stage: _Stage, matter: _Matter, at: float, reference: str, *, name: str = "") -> Case:
    town, luck = stage.town, stage.luck
    name = name or (luck.choice(NAMES) if luck.random() < 0.6 else "")
    on_paper, placed = matter.kind == "administrative", matter.kind in ("problem", helping.KIND)
    case = Case(
        tenant=town.slug,
        reference=reference,
        kind=matter.kind,
        status="received",
        subject=str(town.texts[town.native_language].get(matter.subject, matter.subject)),
        created_at=int(at),
        updated_at=int(at),
        category=matter.category,
        channel="counter" if on_paper else luck.choice(("viber", "web")),
        voice=Voice(town.native_language, luck.choice(town.scripts(town.native_language))),
        fields=matter.fields,
        place=_place(town, luck) if placed else None,
        applicant={"name": name} if name else {},
        owner=None if on_paper else Follower(f"web:{town.slug}", f"demo-{reference}"),
        due_at=int(at) + luck.randint(5, 25) * DAY if on_paper else 0,
    )
    case = helping.begun(case).case if case.kind == helping.KIND else case
    return completed(town, case, "staff:demo" if on_paper else "citizen", at)


def _volunteers(stage: _Stage, now: float) -> None:
    """Sign-ups where the town has volunteers; all but the last one approved."""
    slug, service = stage.town.slug, _service(stage.town, "volunteer")
    for number in range(VOLUNTEERS if service else 0):
        at, name = now - (DAYS - number) * DAY, NAMES[number]
        fields = {"called": name.partition(" ")[0], "skills": service["kinds"][: 1 + number % 2], "adult": "yes"}
        matter = _Matter("volunteer", "", "vol_subject", fields)
        filed = open_case(stage.town, partial(_invented, stage, matter, at, name=name), Deadline(CALL_SECONDS))
        if number < VOLUNTEERS - 1:
            decide_volunteer.decide(slug, filed.reference, "approved", "staff:demo", at + HOUR, Deadline(CALL_SECONDS))


def _news(stage: _Stage, now: float) -> None:
    """An announcement that somebody wrote and nobody sent."""
    if _service(stage.town, "news"):
        text = {stage.town.native_language: NEWS}
        announce.draft(stage.town, text, Audience(), 0, "staff:demo", now - HOUR, Deadline(CALL_SECONDS))


def _service(town: Town, kind: str) -> dict[str, Any]:
    return next((service for service in town.core["services"].values() if service["kind"] == kind), {})


def _place(town: Town, luck: random.Random) -> Place:
    text = f"{luck.choice(STREETS)} {luck.randint(1, 80)}"
    centre = town.core["centre"]
    if not centre or luck.random() < 0.4:
        return Place(text)
    return Place(
        text,
        round(centre["latitude"] + luck.uniform(-0.02, 0.02), 5),
        round(centre["longitude"] + luck.uniform(-0.02, 0.02), 5),
    )


def _life(stage: _Stage, case: Case, now: float) -> list[Event]:
    """What became of a case until now: most are taken up and resolved, some wait, a few are late."""
    luck, by = stage.luck, f"staff:clerk-{stage.town.slug}"
    steps = [
        (luck.uniform(1, 30) * HOUR, "in_progress", ""),
        (luck.uniform(1, 8) * DAY, luck.choice(("resolved", "resolved", "resolved", "rejected", "forwarded")), ""),
    ]
    if luck.random() < 0.25:
        steps = steps[: luck.randint(0, 1)]
    events, at = [], float(case.created_at)
    for pause, status, note in steps:
        at += pause
        if at > now:
            break
        events.append(Event(int(at), by, status, public_note=note))
    if events and events[-1].status == "resolved" and luck.random() < 0.5 and at + HOUR < now:
        events.append(Event(int(at) + HOUR, "citizen", name="rated", note=str(luck.choice((3, 4, 4, 5, 5)))))
    return events
