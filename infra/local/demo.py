"""A month of invented life in every town, so that each page has something to show: `DATA=demo`.

Everything is made by the product's own actions, each at its own moment; nothing here is about a real person. The same
towns give the same month.
"""

import datetime as dt
import os
import random
from collections.abc import Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from chalicelib.actions import collect_figures, known
from chalicelib.actions.change_case import change_case
from chalicelib.actions.open_case import completed, open_case
from chalicelib.actions.receive_message import receive_message
from chalicelib.cases.lifecycle import Event, NotAllowed
from chalicelib.model import Account, Case, Follower, Inbound, Place, Town, Voice
from chalicelib.storage.cases import CaseStore
from chalicelib.wire import Deadline
from infra.local.stack import STAGE

DAYS = 30
CALL_SECONDS = 20.0
CASES_A_DAY = (1, 1, 2, 3)
TALKS_A_DAY = (2, 3, 4, 6)
HOUR, DAY = 3600, 86400
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
PAPERS = (
    "Saglasnost za letnju baštu",
    "Legalizacija pomoćnog objekta",
    "Izmena adrese",
    "Promet poljoprivrednog zemljišta",
)


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
    return made


def _moment(stage: _Stage, day: dt.date, now: float) -> float:
    """Some time of a working day, never later than a few minutes ago."""
    hour, minute = stage.luck.randint(8, 15), stage.luck.randint(0, 59)
    return min(dt.datetime.combine(day, dt.time(hour, minute), stage.zone).timestamp(), now - 300)


def _talk(stage: _Stage, citizen: str, at: float) -> None:
    account = Account("web", stage.town.slug, (stage.town.slug,))
    for number, text in enumerate(stage.luck.choice(TALK)):
        inbound = Inbound(f"{citizen}-{number}", citizen, text=text)
        receive_message(inbound, account, at + 40 * number, "demo", Deadline(CALL_SECONDS))


def _case(stage: _Stage, at: float, now: float) -> int:
    problems = [
        problem
        for service in stage.town.core["services"].values()
        if service["kind"] == "report_problem"
        for problem in service["problems"]
    ]
    problem = stage.luck.choice(problems)["id"] if problems and stage.luck.random() < 0.75 else ""
    filed = open_case(stage.town, lambda reference: _invented(stage, reference, problem, at), Deadline(CALL_SECONDS))
    for event in _life(stage, filed, now):
        try:
            change_case(stage.town, filed.reference, event, event.at, "demo", Deadline(CALL_SECONDS))
        except NotAllowed:
            break
    return 1


def _invented(stage: _Stage, reference: str, problem: str, at: float) -> Case:
    town, luck = stage.town, stage.luck
    case = Case(
        tenant=town.slug,
        reference=reference,
        kind="problem" if problem else "administrative",
        status="received",
        subject=_subject(town, problem) if problem else luck.choice(PAPERS),
        created_at=int(at),
        updated_at=int(at),
        category=problem,
        channel=luck.choice(("viber", "web")) if problem else "counter",
        voice=Voice(town.native_language, luck.choice(town.scripts(town.native_language))),
        place=_place(town, luck) if problem else None,
        applicant={"name": luck.choice(NAMES)} if luck.random() < 0.6 else {},
        owner=Follower(f"web:{town.slug}", f"demo-{reference}") if problem else None,
        due_at=0 if problem else int(at) + luck.randint(5, 25) * DAY,
    )
    return completed(town, case, "citizen" if problem else "staff:demo", at)


def _subject(town: Town, problem: str) -> str:
    return str(town.texts[town.native_language][f"category.{problem}"])


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
