"""Publishes a compiled town: one atomic version, its Viber account with it. Interrupted, the old one stands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from secrets import token_hex
from typing import Any

from chalicelib.actions import known
from chalicelib.dialogue import towns
from chalicelib.model import Conflict
from chalicelib.storage import account_health, audit, dynamo, publications, sealing, tenants
from chalicelib.storage.audit import Act
from chalicelib.storage.dynamo import Write
from chalicelib.storage.tenants import Pointer
from chalicelib.wire import Deadline

PUBLISH_SECONDS = 30.0
PLATFORM, COMMAND_LINE = "platform:files", "platform:command-line"


def publish_tenant(
    compiled: Mapping[str, Any],
    now: float,
    state: str | None = None,
    by: str = "",
    *,
    over: Pointer | None = None,
) -> Pointer:
    """Make `compiled` the version in force. `state`: live, trial or suspended; left as it is if not given. `over`: only
    if that is in force still, because `compiled` has the console's edits of that version.

    Version, account and the entry in the town's audit trail take effect at once or not at all; without `by`, as at a
    start of the local stack, there is no entry. Raises Conflict if somebody published the same town meanwhile.
    """
    core, deadline = compiled["core"], Deadline(PUBLISH_SECONDS)
    slug, account = core["slug"], core["viber"]["account"]
    before = tenants.pointer(slug, deadline)
    sealing.ensure(slug, deadline)

    def beside(after: Pointer) -> Sequence[Write]:
        if over and over.version not in (after.version, after.previous):
            raise Conflict(slug)
        serving = _serving(account, core, deadline) if account else ()
        entry = recorded("town_published", before, after, by, now) if by else None
        is_new = before is None or before.version != after.version
        record = publications.item(after, by or PLATFORM, publications.FILES) if is_new else None
        return [write for write in (entry, *serving, record) if write]

    pointer = tenants.publish(slug, compiled, now, deadline, state, beside)
    if account:  # what was published before may have been taken off the account since
        serve(account, core, deadline)
    known.forget()
    return pointer


def recorded(what: str, before: Pointer | None, after: Pointer, by: str, now: float, **more: str) -> Write:
    """The entry in the town's audit trail: what changed of version and state, from and to what."""
    detail = {"version": _change(before.version if before else None, after.version)}
    detail |= {"state": _change(before.state if before else None, after.state)}
    detail = {name: said for name, said in detail.items() if said} | {name: said for name, said in more.items() if said}
    return audit.item(after.slug, Act(now, by, what, after.slug, detail), token_hex(4))


def _change(before: object, after: object) -> str:
    return "" if before == after else f"{before} → {after}" if before is not None else str(after)


def serve(name: str, core: Mapping[str, Any], deadline: Deadline) -> None:
    """Record that the Viber account serves the town, beside those it serves already. Raises Conflict."""
    serving = _serving(name, core, deadline)
    if serving:
        dynamo.transact(serving, deadline)


def serve_no_more(account_id: str, slug: str, deadline: Deadline) -> None:
    """The account serves the town no longer; one that would serve nobody is gone, with how it was. Raises Conflict."""
    leaving = tenants.serving_no_more(account_id, slug, deadline)
    if leaving is None or leaving.gone:
        account_health.forget(account_id, deadline)
    if leaving:
        dynamo.transact([leaving], deadline)


def _serving(name: str, core: Mapping[str, Any], deadline: Deadline) -> list[Write]:
    """What must be written so that it does: what stands on the town's button, what citizens call it, and the number in
    the links of its slips."""
    slug, called = core["slug"], str(core["names"][core["languages"][0]["id"]])
    return tenants.serving(name, slug, called, core["number"], towns.names_of(slug, core["called"]), deadline)
