"""Puts in force what a town's admins ordered: the drafts they looked at, or an earlier version again.

The only function that may write where towns stand. A version becomes the one in force in the transaction that also
takes the drafts away, marks the order as done and writes down who did it: killed before, the order waits and is carried
out when the queue delivers it again; killed after, there is nothing left to do.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from secrets import token_hex
from typing import Any

from chalicelib.actions import known
from chalicelib.actions.edit_content import Workspace, check, workspace
from chalicelib.actions.journal import log
from chalicelib.model import Conflict, SalterError
from chalicelib.small_classes import replace
from chalicelib.storage import audit, dynamo, edits, publications, tenants
from chalicelib.storage.audit import Act
from chalicelib.storage.dynamo import Write
from chalicelib.storage.edits import DONE, REFUSED, WAITS, Order
from chalicelib.storage.tenants import NoSuchVersion, PartTooLarge, Pointer
from chalicelib.wire import Deadline

ORDER_SECONDS = 40.0  # of the minute the function has
MOVED, CHANGED, WRONG, NOT_KEPT, TOO_LARGE = "moved", "changed", "wrong", "not_kept", "too_large"


def answer(messages: Sequence[tuple[str, str]], now: float) -> dict[str, Any]:
    """`messages` as (id, body), each naming a town. Lambda's partial-batch answer: the ids to be delivered again."""
    failed = [identifier for identifier, body in messages if not _answered(body, now)]
    return {"batchItemFailures": [{"itemIdentifier": identifier} for identifier in failed]}


def _answered(body: str, now: float) -> bool:
    try:
        slug = str(json.loads(body)["town"])
    except (ValueError, TypeError, KeyError):
        log.error("publish_unreadable")
        return False
    try:
        carry_out(slug, now, Deadline(ORDER_SECONDS))
    except SalterError as error:
        log.warning("publish_failed", tenant=slug, error=type(error).__name__)
        return False
    return True


def carry_out(slug: str, now: float, deadline: Deadline) -> Order | None:
    """Carry out the order that waits, if one does; the order as it stands afterwards. Raises Conflict, Unavailable."""
    order = edits.order(slug, deadline)
    if order is None or order.state != WAITS:
        return order
    desk = workspace(slug, deadline)
    if desk.pointer.version != order.over:
        return _refused(slug, order, MOVED, deadline)
    done = _return(desk, order, now, deadline) if order.version else _publish(desk, order, now, deadline)
    known.forget()
    return done


def _publish(desk: Workspace, order: Order, now: float, deadline: Deadline) -> Order:
    if desk.digest != order.digest:
        return _refused(desk.slug, order, CHANGED, deadline)
    checked = check(desk)
    if checked.version is None:
        return _refused(desk.slug, order, WRONG, deadline)
    changes = tuple((path, told(old), told(new)) for path, old, new in desk.differences())
    gone = [edits.gone(desk.slug, edit.path, edit.v) for edit in desk.drafts.values()]

    def beside(moved: Pointer) -> list[Write]:
        return [*_beside(moved, order, now, publications.CONSOLE, changes), *gone]

    try:
        moved = tenants.publish(desk.slug, checked.version, now, deadline, beside=beside)
    except PartTooLarge:
        return _refused(desk.slug, order, TOO_LARGE, deadline)
    if moved == desk.pointer:  # the drafts say what is said anyhow
        dynamo.transact([_done(desk.slug, order), *gone], deadline)
    return replace(order, state=DONE)


def _return(desk: Workspace, order: Order, now: float, deadline: Deadline) -> Order:
    def beside(moved: Pointer) -> list[Write]:
        return _beside(moved, order, now, publications.RETURNED)

    try:
        tenants.roll_back(desk.slug, order.version, now, deadline, beside)
    except NoSuchVersion:
        return _refused(desk.slug, order, NOT_KEPT, deadline)
    return replace(order, state=DONE)


def _beside(
    moved: Pointer, order: Order, now: float, why: str, changes: tuple[tuple[str, str, str], ...] = ()
) -> list[Write]:
    if moved.previous != order.over:  # somebody else's version came between the look and the move
        raise Conflict(moved.slug)
    act = Act(
        now, order.by, f"content_{'returned' if why == publications.RETURNED else 'published'}", str(moved.version)
    )
    record = publications.item(moved, order.by, why, changes)
    return [record, _done(moved.slug, order), audit.item(moved.slug, act, token_hex(4))]


def _done(slug: str, order: Order) -> Write:
    return edits.order_item(slug, replace(order, state=DONE))


def _refused(slug: str, order: Order, why: str, deadline: Deadline) -> Order:
    refused = replace(order, state=REFUSED, said=(why,))
    dynamo.transact([edits.order_item(slug, refused)], deadline)
    return refused


def told(value: Any) -> str:
    """A value of the content as one reads it."""
    if value is None:
        return ""
    return "\n".join(map(told, value)) if isinstance(value, list | tuple) else str(value)
