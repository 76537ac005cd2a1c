"""How every town is: state, version, when its channel last called, what waits, what was given up. A page at a time."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence

from chalicelib.actions import collect_figures, known
from chalicelib.days import day_in
from chalicelib.small_classes import dataclass, replace
from chalicelib.storage import account_health, budget, keys, tenants, views
from chalicelib.storage.account_health import Health
from chalicelib.storage.shapes import UnknownShape
from chalicelib.storage.tenants import Pointer
from chalicelib.wire import Deadline

TOWNS_SHOWN_MAX = 25
LATELY_DAYS, MONTH_DAYS = 2, 30  # over which answers are measured: the bot's, the office's
DEAD_COUNTED_MAX = 100
LOOKED_AT_MAX = 20  # lanes of an account, rows of a town
PUT_OFF_SECONDS_MAX = 15 * 60  # for how long what failed is put off at most
REFUSED_FRESH_SECONDS = 3600  # while anything is owed, it is tried at least once a minute


@dataclass(frozen=True, slots=True)
class Standing:
    """One town. `queue_seconds`: age of the oldest thing owed, 0 for nothing; `dead` counts to DEAD_COUNTED_MAX;
    `refused`: what the channel says against the account, "" for nothing of late. Of the last two days counted:
    `answer_milliseconds` until an answer was ready on average, of the last thirty `office_minutes` until somebody of
    the town answered a case (median); None where there was nothing. `billed` messages this month, `spent` what they
    cost where a price is known, with its currency."""

    pointer: Pointer
    heard_at: int
    queue_seconds: int
    dead: int
    refused: str
    answer_milliseconds: int | None = None
    office_minutes: int | None = None
    billed: int = 0
    spent: tuple[float, str] | None = None

    @property
    def slug(self) -> str:
        return self.pointer.slug


@dataclass(frozen=True, slots=True)
class Towns:
    """A page of towns by the names of their folders, and after which one the next page begins ("" at the end)."""

    standings: tuple[Standing, ...]
    more: str = ""


def towns(after: str, now: float, deadline: Deadline) -> Towns:
    """How the towns after the one named are. Whatever they owe, a page is 16 looks at the index of what is due, one
    count a town, and reads of a bounded sample."""
    slugs = tenants.published(deadline, after, TOWNS_SHOWN_MAX + 1)
    shown = slugs[:TOWNS_SHOWN_MAX]
    pointers = tenants.pointers(shown, deadline)
    healths = account_health.of([_account(one) for one in pointers if one.account], deadline)
    waiting = _waiting_since(now)
    standings = [_standing(one, healths.get(_account(one), Health()), waiting, now, deadline) for one in pointers]
    return Towns(tuple(standings), shown[-1] if len(slugs) > len(shown) else "")


def _account(pointer: Pointer) -> str:
    return f"viber:{pointer.account}"


def _standing(pointer: Pointer, health: Health, waiting: Mapping[str, int], now: float, deadline: Deadline) -> Standing:
    refused = health.refused if now - health.refused_at < REFUSED_FRESH_SECONDS else ""
    queue = max(1, int(now) - waiting[pointer.slug]) if pointer.slug in waiting else 0
    dead = views.dead_count(pointer.slug, DEAD_COUNTED_MAX)
    standing = Standing(pointer, health.heard_at, queue, dead, refused)
    try:
        return _with_figures(standing, now, deadline)
    except UnknownShape:  # published by a newer version: what its configuration says of prices is not read
        return standing


def _with_figures(standing: Standing, now: float, deadline: Deadline) -> Standing:
    town = known.town(standing.slug, deadline)
    if town is None:
        return standing
    today = day_in(town.core["time_zone"], now)
    first = today.replace(day=1)
    return replace(
        standing,
        answer_milliseconds=collect_figures.read(
            town, today - dt.timedelta(days=LATELY_DAYS - 1), today, deadline
        ).answer_milliseconds,
        office_minutes=collect_figures.read(
            town, today - dt.timedelta(days=MONTH_DAYS - 1), today, deadline
        ).answer_median,
        billed=budget.between(town.slug, first.isoformat(), today.isoformat(), deadline),
        spent=collect_figures.spent(town, first, today, deadline),
    )


def _waiting_since(now: float) -> dict[str, int]:
    """Since when the oldest thing owed by each town waits, as far as it is due or was tried already."""
    sampled = list(_sampled(views.to_be_tried(now + PUT_OFF_SECONDS_MAX)))
    oldest: dict[str, int] = {}
    for town, since in (*_lanes(sampled, now), *_rows(sampled, now)):
        oldest[town] = min(since, oldest.get(town, since))
    return oldest


def _sampled(found: Iterable[str]) -> Iterator[str]:
    """The first of each account and of each town: whoever owes much must not hide the others."""
    taken: Counter[str] = Counter()
    for pk in found:
        owner = pk.partition("#U#")[0] if _is_lane(pk) else keys.town_of(pk)
        taken[owner] += 1
        if taken[owner] <= LOOKED_AT_MAX:
            yield pk


def _lanes(sampled: Sequence[str], now: float) -> Iterator[tuple[str, int]]:
    for conversation in views.lanes([pk for pk in sampled if _is_lane(pk)]):
        first = conversation.next_owed
        if first and (first.due_at <= now or first.tries):
            said = {entry.seq: entry.at for entry in conversation.log}
            since = said.get(first.seq, min(said.values(), default=int(first.due_at)))
            yield conversation.town, int(first.due_at) if first.held else since  # held: nobody was to speak sooner


def _rows(sampled: Sequence[str], now: float) -> Iterator[tuple[str, int]]:
    for row in views.rows([pk for pk in sampled if not _is_lane(pk)]):
        if row.due_at <= now or row.tries:
            yield row.town, int(row.since or row.due_at)


def _is_lane(pk: str) -> bool:
    return pk.startswith("A#")
