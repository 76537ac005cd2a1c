"""What a case's page shows besides the case: colleagues by name, whether its citizen is blocked, similar problems."""

from __future__ import annotations

from collections.abc import Callable

from chalicelib.actions import known
from chalicelib.dialogue import blocking
from chalicelib.dialogue.slots.where import metres
from chalicelib.language.folding import fold
from chalicelib.model import Case, Staff, Town
from chalicelib.small_classes import dataclass
from chalicelib.storage import near, staff
from chalicelib.storage.conversations import ConversationStore
from chalicelib.wire import Deadline

NEAR_METRES_MAX = 300
NEAR_SHOWN_MAX = 5


@dataclass(frozen=True, slots=True)
class Neighbour:
    """Another recent problem of the same kind: how far (metres; None where only the street is the same), since when."""

    reference: str
    metres: int | None
    created_at: int
    latitude: float | None
    longitude: float | None


def colleagues(town: Town, deadline: Deadline) -> tuple[Staff, ...]:
    """Everybody who works here; one query."""
    return staff.all_of(town.slug, deadline)


def able(people: tuple[Staff, ...], case: Case, sees: Callable[[Staff, Case], bool]) -> tuple[Staff, ...]:
    """Those of them to whom the case can be given."""
    return tuple(person for person in people if not person.disabled and sees(person, case))


def is_blocked(case: Case, now: float, deadline: Deadline) -> bool | None:
    """Whether the citizen of the case is blocked; None where no citizen writes. At most two reads, three where
    the bot serves several towns."""
    if case.owner is None:
        return None
    kind, _, name = case.owner.account.partition(":")
    account = known.account(kind, name, deadline)
    store = ConversationStore(account) if account and case.tenant in account.towns else None
    head = store.load(case.owner.citizen, now, deadline) if store else None
    if store is None or head is None or not head.town:
        return False
    return blocking.is_blocked(store.with_town(head, case.tenant, now, deadline).state)


def neighbours(case: Case, now: float, deadline: Deadline) -> tuple[Neighbour, ...]:
    """Recent problems of the same kind close by or in the same street, the nearest first; one request."""
    if case.kind != "problem" or not case.category or case.place is None:
        return ()
    found = [_neighbour(case, other) for other in near.newest(case.tenant, case.category, now, deadline)]
    known_ones = [one for one in found if one is not None and one.reference != case.reference]
    return tuple(sorted(known_ones, key=lambda one: NEAR_METRES_MAX if one.metres is None else one.metres))[
        :NEAR_SHOWN_MAX
    ]


def _neighbour(case: Case, other: dict[str, object]) -> Neighbour | None:
    place = case.place
    assert place is not None
    away: int | None = None
    latitude, longitude = other["latitude"], other["longitude"]
    pinned = isinstance(latitude, float) and isinstance(longitude, float)
    if place.latitude is not None and place.longitude is not None and pinned:
        assert isinstance(latitude, float) and isinstance(longitude, float)
        away = round(metres(place.latitude, place.longitude, latitude, longitude))
    street = fold(str(case.fields.get("street_folded", "")))
    if not (away <= NEAR_METRES_MAX if away is not None else bool(street) and street == other.get("street_folded")):
        return None
    created = other["created_at"]
    assert isinstance(created, int)
    return Neighbour(
        str(other["reference"]),
        away,
        created,
        latitude if isinstance(latitude, float) else None,
        longitude if isinstance(longitude, float) else None,
    )
