"""Publishes a compiled town: one atomic version, its accounts recorded. Interrupted, the old one stands."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from chalicelib.actions import known
from chalicelib.dialogue import towns
from chalicelib.model import Account
from chalicelib.storage import tenants
from chalicelib.storage.tenants import Pointer
from chalicelib.wire import Deadline

PUBLISH_SECONDS = 30.0


def publish_tenant(compiled: Mapping[str, Any], now: float, state: str | None = None) -> Pointer:
    """Make `compiled` the version in force. `state`: live, trial or suspended; left as it is if not given.

    Raises Conflict if somebody published the same town meanwhile.
    """
    core, deadline = compiled["core"], Deadline(PUBLISH_SECONDS)
    pointer = tenants.publish(core["slug"], compiled, now, deadline, state)
    if core["viber"]["account"]:
        serve(core["viber"]["account"], core, deadline)
    known.forget()
    return pointer


def serve(name: str, core: Mapping[str, Any], deadline: Deadline) -> None:
    """Record that the Viber account serves the town, beside those it serves already: what stands on its button, what
    citizens call it, and the number in the links of its slips."""
    slug = core["slug"]
    record = tenants.account("viber", name, deadline) or Account("viber", name, ())
    served = Account(
        "viber",
        name,
        record.towns if slug in record.towns else (*record.towns, slug),
        {**record.names, slug: str(core["names"][core["languages"][0]["id"]])},
        {**record.numbers, slug: core["number"]},
        {**record.spoken, slug: towns.names_of(slug, core["called"])},
    )
    if served != record:
        tenants.save_account(served)
