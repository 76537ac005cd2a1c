"""Collects a town's figures, once an hour: from the counters in conversations and from the cases that changed.

Idempotent: days are written whole, cases counted by their reference. A person talking on stays within three days of
counters, so each run writes the last three days anew from whoever was active in them.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any

from chalicelib.actions import known
from chalicelib.cases import figures as sums
from chalicelib.cases.figures import Closed, DayFigures, Figures, Opened
from chalicelib.days import day_in
from chalicelib.model import Case, Conversation, Town
from chalicelib.storage import budget, figures, tenants, views
from chalicelib.storage.cases import CaseStore
from chalicelib.wire import Deadline

DAYS_COUNTED = 3
OVERLAP_SECONDS = 2 * 3600  # changed cases are looked at again: an index may lag, a run may have been cut off
CASES_AT_ONCE = 100
CASES_MAX = 5000  # of one run; the next goes on
EVERY_SECONDS = 3600
SECONDS_NEEDED = 2.0  # to begin another town

_collected: dict[str, int] = {}  # when a warm process last knew a town's figures to be fresh


def collect_due(now: float, deadline: Deadline) -> int:
    """Collect for every town whose figures are an hour old, as far as the time reaches. How many towns that were."""
    collected = 0
    for slug in tenants.published(deadline):
        if deadline.left() < SECONDS_NEEDED:
            break
        if 0 <= now - _collected.get(slug, 0) < EVERY_SECONDS:
            continue
        until = figures.counted_until(slug, deadline)
        if not 0 <= now - until < EVERY_SECONDS:
            collect(slug, now, deadline)
            until, collected = int(now), collected + 1
        _collected[slug] = until
    return collected


def collect(slug: str, now: float, deadline: Deadline) -> int:
    """Bring the figures of a town up to now. Returns how many days were written."""
    town = known.town(slug, deadline)
    if town is None:
        return 0
    days = _talk(town, now, deadline)
    changed = _cases(town, now, deadline)
    for day in {*days, *changed}:
        before = figures.load(slug, day, deadline)
        figures.save(slug, day, _merged(before, days.get(day), changed.get(day, {})), deadline)
    figures.note_counted(slug, int(now), deadline)
    return len({*days, *changed})


def read(town: Town, first: dt.date, last: dt.date, deadline: Deadline) -> Figures:
    """The figures from `first` to `last`, both in; days without any count as nothing."""
    stored = figures.span(town.slug, first.isoformat(), last.isoformat(), deadline)
    dates = [(first + dt.timedelta(days=ahead)).isoformat() for ahead in range((last - first).days + 1)]
    return sums.summed(first.isoformat(), last.isoformat(), (_day(date, stored.get(date, {})) for date in dates))


def spent(town: Town, first: dt.date, last: dt.date, deadline: Deadline) -> tuple[float, str] | None:
    """What the town's billed messages of these days cost, and in which currency; None while no price is known."""
    price = town.core["viber"].get("price")
    if not price:
        return None
    billed = budget.between(town.slug, first.isoformat(), last.isoformat(), deadline)
    return round(billed * price["amount"], 4), price["currency"]


# --- talk -------------------------------------------------------------------------------------------------------


def _talk(town: Town, now: float, deadline: Deadline) -> dict[str, dict[str, Any]]:
    """Counters and people of the last days, from every conversation active in them."""
    today = day_in(town.core["time_zone"], now)
    dates = [(today - dt.timedelta(days=back)).isoformat() for back in range(DAYS_COUNTED)]
    days: dict[str, dict[str, Any]] = {date: {"counts": {}, "people": set()} for date in dates}
    for date in dates:
        for conversation in views.active_on(town.slug, date):
            _count(days, conversation)
    return days


def _count(days: Mapping[str, dict[str, Any]], conversation: Conversation) -> None:
    if conversation.state.get("uncounted"):
        return  # staff and testers
    person = hashlib.blake2b(
        f"{conversation.account} {conversation.citizen}".encode(), digest_size=figures.PERSON_BYTES
    ).digest()
    channel = conversation.account.partition(":")[0]
    for date, counts in conversation.counts.items():
        if date not in days or not counts.get("in"):
            continue
        day = days[date]
        day["people"].add(person)
        for name, number in (*counts.items(), (f"begun_{channel}", counts.get("begun", 0))):
            if number:
                day["counts"][name] = day["counts"].get(name, 0) + number


# --- cases ------------------------------------------------------------------------------------------------------


def _cases(town: Town, now: float, deadline: Deadline) -> dict[str, dict[str, Any]]:
    """What the cases changed since the last run say of days: date → {"opened", "closed", "gone"}."""
    since = max(0, figures.counted_until(town.slug, deadline) - OVERLAP_SECONDS)
    changes: dict[str, dict[str, Any]] = {}
    for case in _changed(town, since, deadline):
        opened_on = _date(town, case.created_at)
        closed_on = _date(town, case.closed_at) if case.closed_at else ""
        _of(changes, opened_on)["opened"][case.reference] = asdict(sums.opened(case, closed_on))
        before = figures.load(town.slug, opened_on, deadline).get("opened", {}).get(case.reference, {})
        if before.get("closed_day") and before["closed_day"] != closed_on:
            _of(changes, before["closed_day"])["gone"].append(case.reference)  # reopened meanwhile
        if closed_on:
            _of(changes, closed_on)["closed"][case.reference] = asdict(sums.closed(case))
    return changes


def _changed(town: Town, since: int, deadline: Deadline) -> Iterable[Case]:
    store, cursor, seen = CaseStore(town.slug), "", 0
    while seen < CASES_MAX:
        page = store.changed_page(CASES_AT_ONCE, deadline, cursor, since)
        yield from page.cases
        seen += CASES_AT_ONCE
        if page.cursor is None:
            return
        cursor = page.cursor


def _of(changes: dict[str, dict[str, Any]], date: str) -> dict[str, Any]:
    return changes.setdefault(date, {"opened": {}, "closed": {}, "gone": []})


def _merged(before: Mapping[str, Any], talk: Mapping[str, Any] | None, cases: Mapping[str, Any]) -> dict[str, Any]:
    """A day as it was, with what was counted anew."""
    counted = talk if talk is not None else before
    closed = {**before.get("closed", {}), **cases.get("closed", {})}
    return {
        "counts": dict(counted.get("counts", {})),
        "people": frozenset(counted.get("people", ())),
        "opened": {**before.get("opened", {}), **cases.get("opened", {})},
        "closed": {reference: case for reference, case in closed.items() if reference not in cases.get("gone", ())},
    }


def _day(date: str, stored: Mapping[str, Any]) -> DayFigures:
    return DayFigures(
        date,
        stored.get("counts", {}),
        stored.get("people", frozenset()),
        {reference: Opened(**case) for reference, case in stored.get("opened", {}).items()},
        {reference: Closed(**case) for reference, case in stored.get("closed", {}).items()},
    )


def _date(town: Town, at: int) -> str:
    return day_in(town.core["time_zone"], at).isoformat()
