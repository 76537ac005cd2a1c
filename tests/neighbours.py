"""People who ask for help and volunteers who give it, on the real road of a message."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from chalicelib.actions import draw_ids, open_case
from chalicelib.actions.decide_volunteer import decide
from chalicelib.actions.receive_message import Answered, receive_message
from chalicelib.actions.sweep import sweep
from chalicelib.model import Account, Case, Conversation, Follower, Inbound
from chalicelib.storage import dynamo
from chalicelib.storage.cases import CaseStore
from chalicelib.wire import Deadline
from tests.world import World

_ids = itertools.count(1)
SOON = 20.0
REQUEST = ("treba mi hrana", "2 vekne hleba i mleko", "za mene", "danas", "Centar")
REQUEST_REST = ("Glavna 7, stan 3", "Mira Anić", "063 123 456", "da", "pošalji")


def says(world: World, citizen: str, *texts: str, account: Account | None = None) -> list[str]:
    """Types one message after the other; the last answer's texts by their keys."""
    for text in texts:
        answered = _receive(world, Inbound(f"n{next(_ids)}", citizen, text=text), account)
    return _keys(answered)


def presses(world: World, citizen: str, choice: str, account: Account | None = None) -> list[str]:
    return _keys(_receive(world, Inbound(f"n{next(_ids)}", citizen, kind="choice", choice=choice), account))


def _receive(world: World, inbound: Inbound, account: Account | None) -> Answered:
    return receive_message(inbound, account or world.account, world.now, inbound.id, Deadline(SOON))


def _keys(answered: Answered) -> list[str]:
    return [line.key for entry in answered.replies if entry.say for line in entry.say.lines]


def asks_for_help(world: World, citizen: str = "mira", account: Account | None = None) -> Case:
    """Fills in a request and sends it; the case."""
    assert says(world, citizen, *REQUEST, *REQUEST_REST, account=account)[0] == "aid_created"
    return newest(world, "assistance")


def newest(world: World, kind: str) -> Case:
    page = CaseStore(world.slug).changed_page(20, Deadline(SOON), wanted=lambda case: case.kind == kind)
    return page.cases[0]


def again(world: World, case: Case) -> Case:
    """The case as it is now."""
    loaded = CaseStore(world.slug).load(case.reference, Deadline(SOON))
    assert loaded is not None
    return loaded


def volunteers(world: World, *names: str, account: Account | None = None, **fields: Sequence[str]) -> list[str]:
    """Approved volunteers called so, each with a conversation; the references of their sign-ups."""
    return [_volunteer(world, name, account or world.account, fields) for name in names]


def _volunteer(world: World, name: str, account: Account, fields: dict[str, Any]) -> str:
    says(world, name, "zdravo", account=account)
    at = Follower(account.id, name)
    blank = Case(world.slug, "", "volunteer", "received", "x", int(world.now), int(world.now))
    filed = replace(
        blank,
        owner=at,
        consent=True,
        channel=account.channel,
        fields={"called": name, "areas": ["centre"], **fields},
        applicant={"name": f"{name} Prezime", "phone": "+38163000000"},
    )
    deadline = Deadline(SOON)
    made = open_case.completed(world.town, filed, "citizen", world.now)
    reference = draw_ids.new_reference(world.town)
    dynamo.transact(open_case.items(replace(made, reference=reference), world.now, deadline), deadline)
    assert decide(world.slug, reference, "approved", "platform:test", world.now, deadline).changed
    return reference


def passes(world: World, minutes: float = 0) -> None:
    """Time passes, and everything due is done."""
    world.now += 60 * minutes
    for _ in range(6):
        if not sum(sweep(world.now).values()):
            return


def told(world: World, citizen: str, account: Account | None = None) -> list[str]:
    """Everything the bot said there, by key, whoever asked for it."""
    conversation: Conversation | None = world.conversation(citizen, account)
    entries = conversation.log if conversation else ()
    return [line.key for entry in entries if entry.say for line in entry.say.lines]


def got_card(world: World, *citizens: str) -> list[str]:
    """Those who got exactly one card; who got more is named with how many."""
    counts = {citizen: told(world, citizen).count("aid_card") for citizen in citizens}
    return [citizen if count == 1 else f"{citizen}×{count}" for citizen, count in counts.items() if count]
