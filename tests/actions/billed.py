"""Cases whose notices cost money: their citizen wrote two days ago and agreed to be told."""

from __future__ import annotations

from typing import Any

from chalicelib.actions import change_case
from chalicelib.actions.draw_ids import new_reference
from chalicelib.actions.open_case import completed
from chalicelib.cases.lifecycle import Event
from chalicelib.model import Case, Follower
from chalicelib.storage import consents, keys
from chalicelib.storage.cases import CaseStore
from chalicelib.wire import Deadline
from tests.world import World

DAY = 86400


def billed_case(world: World, citizen: str = "mira", said: str = "zdravo") -> Case:
    """A case of somebody who wrote two days ago and agreed to notices: telling them costs money now."""
    world.says(citizen, said)
    who = Follower(world.account.id, citizen)
    agreed = consents.Consent(consents.CASES, True, int(world.now), "viber", "citizen", "consent_ask.1")
    consents.record(world.slug, keys.person(who.account, who.citizen), agreed, Deadline(20))
    world.now += 2 * DAY
    case = Case(world.slug, new_reference(world.town), "problem", "received", "Cev", 0, 0, owner=who, consent=True)
    return CaseStore(world.slug).add(completed(world.town, case, "citizen", world.now), Deadline(20))


def change(world: World, case: Case, **event: Any) -> None:
    change = Event(int(world.now), "staff:ana", **event)
    change_case.change_case(world.town, case.reference, change, world.now, "holder", Deadline(60))
