"""Publishes a compiled town: one atomic version, its accounts recorded. Interrupted, the old one stands."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from chalicelib.actions import known
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
        tenants.note_served(slug, record.id, deadline)
        tenants.save_account(Account("viber", name, towns, names, numbers))


def serve_no_more(account_id: str, slug: str, deadline: Deadline) -> Account | None:
    """The account serves the town no longer; the account as it is then, None if it serves nobody any more."""
    channel, _, name = account_id.partition(":")
    record = tenants.account(channel, name, deadline)
    if record is None:
        return None
    towns = tuple(town for town in record.towns if town != slug)
    if not towns:
        tenants.forget_account(account_id, deadline)
        return None
    without = Account(
        channel,
        name,
        towns,
        {town: called for town, called in record.names.items() if town != slug},
        {town: number for town, number in record.numbers.items() if town != slug},
    )
    if without != record:
        tenants.save_account(without)
    return without


def _called(core: Mapping[str, Any]) -> str:
    return str(core["names"][core["languages"][0]["id"]])
