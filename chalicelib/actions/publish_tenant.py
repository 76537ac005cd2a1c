"""Publishes a compiled town: one atomic version, its accounts recorded. Interrupted, the old one stands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from chalicelib.actions import known
from chalicelib.model import Account, Conflict
from chalicelib.storage import publications, tenants
from chalicelib.storage.dynamo import Write
from chalicelib.storage.tenants import Pointer
from chalicelib.wire import Deadline

PUBLISH_SECONDS = 30.0
PLATFORM = "platform:files"


def publish_tenant(
    compiled: Mapping[str, Any], now: float, state: str | None = None, *, over: Pointer | None = None
) -> Pointer:
    """Make `compiled` the version in force. `state`: live, trial or suspended; left as it is if not given. `over`: only
    if that is in force still, because `compiled` has the console's edits of that version.

    Raises Conflict if somebody published the same town meanwhile.
    """
    core, deadline = compiled["core"], Deadline(PUBLISH_SECONDS)

    def beside(moved: Pointer) -> Sequence[Write]:
        if over and over.version not in (moved.version, moved.previous):
            raise Conflict(moved.slug)
        return (
            [] if over and moved.version == over.version else [publications.item(moved, PLATFORM, publications.FILES)]
        )

    pointer = tenants.publish(core["slug"], compiled, now, deadline, state, beside)
    if core["viber"]["account"]:
        serve(core["viber"]["account"], core["slug"], deadline, _called(core), core["number"])
    known.forget()
    return pointer


def serve(name: str, slug: str, deadline: Deadline, called: str | None = None, number: int | None = None) -> None:
    """Record that the Viber account serves the town, beside those it serves already; `called` stands on its button,
    `number` in the links of its slips."""
    record = tenants.account("viber", name, deadline) or Account("viber", name, ())
    towns = record.towns if slug in record.towns else (*record.towns, slug)
    names = {**record.names, slug: called or record.names.get(slug, slug)}
    numbers = {**record.numbers} | ({slug: number} if number else {})
    if (towns, names, numbers) != (record.towns, record.names, record.numbers):
        tenants.save_account(Account("viber", name, towns, names, numbers))


def _called(core: Mapping[str, Any]) -> str:
    return str(core["names"][core["languages"][0]["id"]])
