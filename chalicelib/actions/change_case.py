"""Changes a case, whoever caused it: through the one lifecycle, with notices to its citizens in the same commit."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence

from chalicelib.actions import call_volunteers, notify, purge, second_way, tell_systems, work_outbox
from chalicelib.cases import lifecycle, routing
from chalicelib.cases.lifecycle import Event
from chalicelib.model import Case, Conflict, SalterError, Town, Unavailable
from chalicelib.small_classes import replace
from chalicelib.storage import told
from chalicelib.storage.dynamo import Duplicate, Write
from chalicelib.wire import Deadline

CHANGE_TRIES_MAX = 12
JITTER_SECONDS = 0.05


class NoCase(SalterError):
    """This town has no such case."""


class Superseded(SalterError):
    """What had to be written beside the change was written by somebody else meanwhile: look there, then decide."""


def change_case(
    town: Town,
    reference: str,
    event: Event,
    now: float,
    holder: str,
    deadline: Deadline,
    beside: Callable[[Case], Sequence[Write]] = lambda case: (),
    still_wanted: Callable[[], bool] = lambda: True,
    *,
    only: int = 0,
) -> Case:
    """The case after `event`, committed and told. `beside` is written with it, or neither is.

    `only`: change this version of the case and no other. Raises NotAllowed (the graph says no), NoCase, Superseded
    (another version, or `still_wanted` said no after a conflict), Unavailable.
    """
    store = tell_systems.cases(town)
    for attempt in range(CHANGE_TRIES_MAX):
        case = store.load(reference, deadline)
        if case is None:
            raise NoCase(reference)
        if only and case.v != only:
            raise Superseded(reference)
        changed = after(town, case, event)
        notes = notify.notices_about(town, changed, now, deadline)
        changed, called = call_volunteers.by_office(town, case, changed, now)
        try:
            owed = [*purge.items(town, changed, now), *called, *_unreached(town, changed, event, notes, now, deadline)]
            saved = store.save(changed, deadline, [*notify.items(notes, now), *owed, *beside(changed)])
        except Duplicate:
            raise
        except Conflict:
            if not still_wanted():
                raise Superseded(reference) from None
            time.sleep(random.random() * JITTER_SECONDS * (attempt + 1))
            continue
        once = [write for write in owed if write.item.get("kind") in work_outbox.ONCE]
        work_outbox.ring((*once, *store.owed(changed)), now, deadline)
        notify.send(notes, now, holder, deadline)
        return saved
    raise Unavailable("conflicts")


def _unreached(
    town: Town, case: Case, event: Event, notes: tuple[notify.Notice, ...], now: float, deadline: Deadline
) -> list[Write]:
    """For the citizen no chat reaches: another way, or a place on the call list, which a call ends."""
    if event.name == lifecycle.CALLED:
        return told.called(town.slug, case.reference, deadline)
    return second_way.at_change(town, case, any(note.about for note in notes), now, deadline)


def after(town: Town, case: Case, event: Event) -> Case:
    """`case` after `event` by the town's own rules. Pure. Raises NotAllowed.

    A reopened case gets a new deadline; one whose term starts at validation gets its first when it is validated.
    """
    taken = replace(routing.route(town.core, case.kind, case.category), office=event.office or case.office)
    if event.name == lifecycle.REOPENED and not event.due_at:
        event = replace(event, due_at=routing.due_at(town.core, taken, event.at, event.at))
    elif event.name == lifecycle.VALIDATED and not case.due_at:
        event = replace(event, due_at=routing.due_at(town.core, taken, case.created_at, event.at))
    return lifecycle.change(case, event, reopen_days=int(town.core.get("reopen_days", lifecycle.REOPEN_DAYS)))
