"""Forgets cases whose time is over: once a day each town's old cases are looked through, month by month, in slices.

A case is first marked, on the condition that nobody has changed it, and is absent to every reader from then on; then
all that belongs to it goes, the marked head last, so that a run cut off anywhere is finished by the next. The figures
stay: they hold numbers alone.
"""

from __future__ import annotations

from chalicelib.actions import forget_media, known
from chalicelib.actions.journal import log
from chalicelib.cases import retention
from chalicelib.days import day_in
from chalicelib.model import Case, Conflict, SalterError, Town
from chalicelib.storage import dynamo, keys, near, people, phones, retiring, runs, search, tenants
from chalicelib.storage.cases import CaseStore
from chalicelib.storage.retiring import Progress
from chalicelib.understanding.entities.phones import phone_of
from chalicelib.wire import Deadline

CASES_AT_ONCE = 100
SECONDS_NEEDED = 1.5  # to begin another town or another page

_done: dict[str, str] = {}  # town → the day a warm process knows to be done


def retire_due(now: float, deadline: Deadline) -> int:
    """Go on in every town whose day is not done yet, as far as the time reaches. How many cases were forgotten."""
    forgotten = 0
    for slug in tenants.published(deadline):
        if deadline.left() < SECONDS_NEEDED:
            break
        try:
            forgotten += retire(slug, now, deadline)
        except SalterError as error:  # the other towns' cases do not wait for it
            log.error("retiring_failed", tenant=slug, error=type(error).__name__)
    return forgotten


def retire(slug: str, now: float, deadline: Deadline) -> int:
    """Go on with one town's day. How many cases were forgotten."""
    town = known.town(slug, deadline)
    if town is None:
        return 0
    day = day_in(town.core["time_zone"], now).isoformat()
    if _done.get(slug) == day:
        return 0
    progress = retiring.load(slug, deadline)
    if progress.day != day:
        progress = Progress(day, retention.first_month(town.core, now))
    forgotten = 0
    while progress.cursor and deadline.left() >= SECONDS_NEEDED:
        cases, cursor = CaseStore(slug).old_page(CASES_AT_ONCE, deadline, progress.cursor)
        over = [case for case in cases if retention.is_over(town.core, case, now)]
        for case in over:
            if deadline.left() < SECONDS_NEEDED:
                break
            forgotten += forget(town, case, now, deadline)
        else:
            progress = Progress(day, cursor)
            continue
        break
    retiring.save(slug, progress, deadline)
    if not progress.cursor:
        runs.note(slug, runs.CASES, 0, now, deadline)
        _done[slug] = day
    return forgotten


def forget(town: Town, case: Case, now: float, deadline: Deadline) -> bool:
    """One case with all that belongs to it. False if somebody changed it at this very moment. Raises Unavailable."""
    store = CaseStore(town.slug)
    try:
        store.mark_retired(case, now, deadline)
    except Conflict:
        return False
    forget_media.of_case(town.slug, case, now, deadline)
    if case.number:
        store.forget_number(case, deadline)
    phone = phone_of(case.applicant.get("phone", ""), str(town.core["country"]))
    if phone:
        phones.forget(town.slug, phone, case.reference, deadline)
    for who in case.followers:
        person = keys.person(who.account, who.citizen)
        dynamo.delete(people.TABLE, keys.person_of(town.slug, person), keys.followed(case.reference), deadline)
    beside = near.item(case, case.created_at)
    if beside:
        dynamo.delete(near.TABLE, beside.item["pk"], beside.item["sk"], deadline)
    search.forget(town.slug, case.reference, deadline)
    store.remove(case.reference, deadline)
    runs.note(town.slug, runs.of_kind(case.kind), 1, now, deadline)
    return True
