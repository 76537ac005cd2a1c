"""The states of a town: trial until it goes live, suspended and resumed, back to an earlier version.

A state is a record beside the version in force; whoever changes one does it in one commit with the entry in the town's
audit trail. Warm processes see it with the next look at the configuration, within a minute.
"""

from __future__ import annotations

from collections.abc import Callable

from chalicelib.actions import known
from chalicelib.actions.publish_tenant import recorded
from chalicelib.model import Conflict, Refused
from chalicelib.small_classes import replace
from chalicelib.storage import publications, tenants
from chalicelib.storage.dynamo import Write
from chalicelib.storage.tenants import LIVE, REASON_CHARS_MAX, SUSPENDED, Pointer
from chalicelib.wire import Deadline

CHANGE_TRIES_MAX = 4


def suspend(slug: str, by: str, reason: str, now: float, deadline: Deadline) -> Pointer:
    """Citizens get one polite line from now on; what they wrote before, and whatever staff do, stays as it is."""

    def suspended(current: Pointer) -> Pointer:
        return replace(current, state=SUSPENDED, before=current.state)

    return _move(slug, "town_suspended", suspended, lambda one: one.state == SUSPENDED, by, reason, now, deadline)


def resume(slug: str, by: str, now: float, deadline: Deadline) -> Pointer:
    """Back to what the town was before it was suspended."""

    def resumed(current: Pointer) -> Pointer:
        return replace(current, state=current.before or LIVE, before="")

    return _move(slug, "town_resumed", resumed, lambda one: one.state != SUSPENDED, by, "", now, deadline)


def open_to_all(slug: str, by: str, now: float, deadline: Deadline) -> Pointer:
    """The end of the trial. Raises Refused for a suspended town, which is resumed first."""

    def opened(current: Pointer) -> Pointer:
        if current.state == SUSPENDED:
            raise Refused(409, "suspended", f"{slug} is suspended; first: ./salter town resume {slug}")
        return replace(current, state=LIVE, before="")

    return _move(slug, "town_live", opened, lambda one: one.state == LIVE, by, "", now, deadline)


def roll_back(slug: str, to: int | None, by: str, now: float, deadline: Deadline) -> Pointer:
    """The version before, or the one named, in force again, in one write; the state stays. Raises NoSuchVersion,
    Conflict."""
    before = tenants.pointer(slug, deadline)

    def beside(moved: Pointer) -> list[Write]:
        record = publications.item(moved, by, publications.RETURNED)
        return [recorded("town_rolled_back", before, moved, by, now), record]

    after = tenants.roll_back(slug, to, now, deadline, beside)
    known.forget()
    return after


def pointer_of(slug: str, deadline: Deadline) -> Pointer:
    """What is in force. Raises Refused for a town nobody published."""
    found = tenants.pointer(slug, deadline)
    if found is None:
        raise Refused(
            404, "unknown_town", f"{slug}: not published on this stage; publish it first: ./salter town apply {slug}"
        )
    return found


def _move(
    slug: str,
    what: str,
    changed: Callable[[Pointer], Pointer],
    is_done: Callable[[Pointer], bool],
    by: str,
    reason: str,
    now: float,
    deadline: Deadline,
) -> Pointer:
    """Change the state unless it is as wanted already, so that a repetition is harmless. Raises Refused, Conflict."""
    for _ in range(CHANGE_TRIES_MAX):
        current = pointer_of(slug, deadline)
        if is_done(current):
            return current
        after = replace(changed(current), reason=reason[:REASON_CHARS_MAX], by=by, changed_at=int(now))
        entry = recorded(what, current, after, by, now, reason=reason)
        try:
            moved = tenants.change(after, deadline, lambda _, entry=entry: [entry])  # type: ignore[misc]
        except Conflict:
            continue
        known.forget()
        return moved
    raise Conflict(slug)
