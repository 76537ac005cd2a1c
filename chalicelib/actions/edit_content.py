"""A town's content as its admins edit it: drafts over what is in force, checked as the files are, then ordered.

Nothing here changes what citizens read. What is saved are drafts (`storage.edits`); putting them in force is the
publisher's (`publish_content`), because whoever serves pages may not write where towns stand.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from functools import cached_property
from secrets import token_hex
from typing import Any

from chalicelib.language.folding import fold
from chalicelib.model import Conflict, Refused, Staff, Town
from chalicelib.small_classes import dataclass, replace
from chalicelib.storage import audit, dynamo, edits, publish_bell, tenants
from chalicelib.storage.audit import Act
from chalicelib.storage.edits import WAITS, Order
from chalicelib.storage.tenants import Pointer
from chalicelib.tenancy import content, overlay
from chalicelib.tenancy.complaints import Complaint, Rejected
from chalicelib.tenancy.overlay import Edit
from chalicelib.understanding.collisions import Collision, collisions, stems_of
from chalicelib.wire import Deadline

ORDER_SECONDS = 90  # an order not carried out by then may be given again
COLLISIONS_SHOWN_MAX = 30


@dataclass(frozen=True)
class Workspace:
    """A town's content as it stands and as it is prepared."""

    pointer: Pointer
    files: overlay.Source
    published: overlay.Edits
    drafts: overlay.Edits
    order: Order | None = None

    @property
    def slug(self) -> str:
        return self.pointer.slug

    @cached_property
    def edits(self) -> dict[str, Edit]:
        """The overlay as publishing the drafts would make it."""
        return overlay.merged(self.published, self.drafts, self.files)

    @cached_property
    def tree(self) -> dict[str, Any]:
        """What the town would say with the drafts."""
        return overlay.laid(self.files, self.edits)

    @cached_property
    def in_force(self) -> dict[str, Any]:
        """What the town says now."""
        return overlay.laid(self.files, self.published)

    @property
    def languages(self) -> tuple[str, ...]:
        return tuple(str(offer["id"]) for offer in self.files["tenant"]["languages"])

    @property
    def digest(self) -> str:
        """Of the drafts: what somebody looked at before they had it published."""
        return overlay.digest(self.drafts)

    @property
    def stale(self) -> tuple[str, ...]:
        """Drafts of what newer files say otherwise than when they were written."""
        return overlay.stale(self.drafts, self.files)

    def is_busy(self, now: float) -> bool:
        """Whether an order is being carried out."""
        return self.order is not None and self.order.state == WAITS and now - self.order.at < ORDER_SECONDS

    def seen(self, unit: str, language: str) -> str:
        """A fingerprint of what a form shows."""
        form = content.shown(self.tree, unit, language) if content.exists(self.tree, unit) else {}
        return hashlib.sha256(json.dumps(form, sort_keys=True).encode()).hexdigest()[:16]

    def differences(self) -> list[tuple[str, Any, Any]]:
        """What the drafts change: path, what is said now, what would be."""
        return list(content.differences(self.in_force, self.tree, sorted(self.drafts)))


@dataclass(frozen=True, slots=True)
class Checked:
    """What the check says of a workspace: complaints, or the version it would make; and phrases that the drafts make
    collide, with the names they would stand for."""

    complaints: tuple[Complaint, ...] = ()
    version: Mapping[str, Any] | None = None
    collisions: tuple[tuple[str, tuple[str, ...]], ...] = ()


def workspace(slug: str, deadline: Deadline) -> Workspace:
    """Three requests. Raises Refused for a town whose version was published before its source was kept."""
    pointer = tenants.pointer(slug, deadline)
    source = tenants.source(slug, pointer.version, deadline) if pointer else None
    if pointer is None or source is None:
        raise Refused(409, "no_source", "Publish the town's files once more, then its content can be edited here.")
    stored = edits.prepared(slug, deadline)
    published, drafts = overlay.edits_from(source["edits"]), overlay.edits_from(stored.edits)
    return Workspace(pointer, source["files"], published, drafts, stored.order)


def check(desk: Workspace) -> Checked:
    """The same check that the town's files get, on what publishing would make."""
    from chalicelib.tenancy.compile import compile_edited

    try:
        version = compile_edited(desk.slug, desk.files, desk.edits)
    except Rejected as rejected:
        return Checked(tuple(rejected.complaints))
    known = set(collisions(compile_edited(desk.slug, desk.files, desk.published)["index"])) if desk.drafts else set()
    return Checked(version=version, collisions=tuple(_collisions(desk, version, known))[:COLLISIONS_SHOWN_MAX])


def with_changes(desk: Workspace, unit: str, changes: Mapping[str, Any], by: str = "", at: float = 0.0) -> Workspace:
    """The workspace as it would be with these changes of one unit."""
    given = content.as_edits(desk.files, desk.tree, unit, changes)
    drafts = dict(desk.drafts)
    for path, value in given.items():
        v = drafts[path].v if path in drafts else 0
        drafts[path] = Edit(path, value, overlay.whole(desk.files, path), by, int(at), v)
    return replace(desk, drafts=drafts)


def without(desk: Workspace, unit: str, by: str, at: float) -> Workspace:
    """The workspace as it would be without a sheet and the phrases that lead to it."""
    return _replaced(desk, dict.fromkeys(content.companions(desk.tree, unit)), by, at)


def brought_back(desk: Workspace, unit: str, by: str, at: float) -> Workspace:
    """The same with a sheet that was taken away here, as the files have it."""
    said = {each: overlay.whole(desk.files, each) for each in content.companions(desk.tree, unit)}
    return _replaced(desk, said, by, at)


def of_unit(desk: Workspace, unit: str) -> list[Edit]:
    """The drafts of a unit; with a whole sheet go the phrases that lead to it."""
    units = content.companions(desk.tree, unit) if unit in desk.drafts else (unit,)
    return [edit for path, edit in desk.drafts.items() if content.unit_of(path) in units]


def save(
    desk: Workspace,
    person: Staff,
    unit: str,
    after: Workspace,
    now: float,
    deadline: Deadline,
    asked: Sequence[str] = (),
) -> None:
    """Keep the drafts of `after` in place of those of `desk`; `asked`: questions that are dealt with by them.

    A draft that says what is in force anyhow is taken away. Raises Conflict if somebody saved the same meanwhile, and
    Refused if there are too many.
    """
    changed = [path for path in after.drafts if after.drafts[path] != desk.drafts.get(path)]
    if len(after.drafts) > overlay.DRAFTS_MAX:
        raise Refused(422, "too_many_drafts", f"At most {overlay.DRAFTS_MAX} changes; publish them first.")
    if len(after.edits) > overlay.EDITS_MAX:
        raise Refused(422, "too_many_edits", "The platform has to fold the edits into the town's files first.")
    if not overlay.is_editable(changed):
        raise Refused(422, "not_editable", "This cannot be changed here.")
    writes = [_draft_write(desk, after.drafts[path]) for path in changed]
    writes += [edits.gone(desk.slug, path, edit.v) for path, edit in desk.drafts.items() if path not in after.drafts]
    act = Act(now, person.by, "content_saved", unit, {"paths": len(changed)})
    dealt = [_dealt(desk.slug, asked, now)] if asked else []
    dynamo.transact([*(one for one in writes if one), *dealt, audit.item(desk.slug, act, token_hex(4))], deadline)


def undo(desk: Workspace, person: Staff, unit: str, now: float, deadline: Deadline) -> None:
    """Take the drafts of one unit back. Raises Conflict if somebody saved one meanwhile."""
    act = Act(now, person.by, "content_undone", unit)
    writes = [edits.gone(desk.slug, edit.path, edit.v) for edit in of_unit(desk, unit)]
    dynamo.transact([*writes, audit.item(desk.slug, act, token_hex(4))], deadline)


def order(desk: Workspace, person: Staff, digest: str, now: float, deadline: Deadline) -> None:
    """Have the drafts published that were looked at. Raises Refused if they are not those any more."""
    if not desk.drafts or digest != desk.digest:
        raise Refused(409, "changed", "Somebody changed something meanwhile. Look at the changes once more.")
    _give(desk, Order(person.by, int(now), desk.pointer.version, digest), now, deadline)


def order_return(desk: Workspace, person: Staff, version: int, now: float, deadline: Deadline) -> None:
    """Have an earlier version put in force again. Raises Refused for one that is not kept."""
    if version == desk.pointer.version or version not in {kept.version for kept in desk.pointer.kept}:
        raise Refused(422, "not_kept", "This version is not kept any more.")
    _give(desk, Order(person.by, int(now), desk.pointer.version, version=version), now, deadline)


def _give(desk: Workspace, given: Order, now: float, deadline: Deadline) -> None:
    if desk.is_busy(now):
        raise Refused(409, "busy", "Something is being published. Wait a moment.")
    act = Act(now, given.by, "content_ordered", str(given.version or ""), {"over": given.over})
    writes = [edits.order_item(desk.slug, replace(given, v=desk.order.v if desk.order else 0))]
    try:
        dynamo.transact([*writes, audit.item(desk.slug, act, token_hex(4))], deadline)
    except Conflict as error:
        raise Refused(409, "busy", "Something is being published. Wait a moment.") from error
    publish_bell.ring(desk.slug, deadline)


def town_of(version: Mapping[str, Any]) -> Town:
    """A version that nobody published, as the bot would know it."""
    core = version["core"]
    return Town(core["slug"], 0, core, version["texts"], version["sheets"], version["index"])


# --- parts ------------------------------------------------------------------------------------------------------


def _replaced(desk: Workspace, units: Mapping[str, Any], by: str, at: float) -> Workspace:
    """These units as a whole, whatever was drafted inside them."""
    drafts = {path: edit for path, edit in desk.drafts.items() if content.unit_of(path) not in units}
    for unit, value in units.items():
        stored = desk.drafts[unit].v if unit in desk.drafts else 0
        if stored or overlay.whole(desk.in_force, unit) != value:
            drafts[unit] = Edit(unit, value, overlay.whole(desk.files, unit), by, int(at), stored)
    return replace(desk, drafts=drafts)


def _draft_write(desk: Workspace, edit: Edit) -> dynamo.Write | None:
    if edit.value == overlay.whole(desk.in_force, edit.path):
        return edits.gone(desk.slug, edit.path, edit.v) if edit.v else None
    return edits.item(desk.slug, edit.path, edit.data, edit.v)


def _dealt(slug: str, asked: Sequence[str], now: float) -> dynamo.Write:
    return edits.dropped_item(slug, token_hex(6), tuple(fold(text) for text in asked), now)


def _collisions(
    desk: Workspace, version: Mapping[str, Any], known: set[Collision]
) -> list[tuple[str, tuple[str, ...]]]:
    """Each as it is written under one of the names; a keyword as its rule says."""
    written = {
        stems_of(text): text
        for node in desk.tree["phrases"].values()
        for texts in node.get("examples", {}).values()
        for text in texts
    }
    found = [one for one in collisions(version["index"]) if one not in known]
    return [(written.get(beginnings, " ".join(beginnings)), names) for beginnings, names in found]
