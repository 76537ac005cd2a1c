"""Consents: what a citizen agreed to, in which wording, when, where and before whom. Records are added, never changed.

The newest record of a topic is the one in force. Nothing that nobody asked for is sent without one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from chalicelib.model import CASES as CASES
from chalicelib.model import REMINDERS as REMINDERS
from chalicelib.small_classes import dataclass
from chalicelib.storage import dynamo, keys, register
from chalicelib.storage.dynamo import Write
from chalicelib.wire import Deadline

TABLE = "people"
SHAPE = 1


@dataclass(frozen=True, slots=True)
class Consent:
    """`given`, or withdrawn. `by`: "citizen", or "staff:<id>" at the counter; `wording`: which text was agreed to."""

    topic: str
    given: bool
    at: int
    channel: str
    by: str
    wording: str


def item(town: str, person: str, consent: Consent) -> Write:
    """The record as part of a transaction."""
    attributes: dict[str, Any] = {
        "pk": keys.person_of(town, person),
        "sk": keys.consent(consent.topic, consent.at),
        "shape": SHAPE,
        "given": consent.given,
        "at": consent.at,
        "channel": consent.channel,
        "by": consent.by,
        "wording": consent.wording,
    }
    return Write(TABLE, attributes | register.of_people(town, attributes["pk"]))


def record(town: str, person: str, consent: Consent, deadline: Deadline) -> None:
    """Write one record by itself."""
    dynamo.put(TABLE, item(town, person, consent).item, deadline)


def in_force(town: str, person: str, topic: str, deadline: Deadline) -> Consent | None:
    """The newest record of a topic, given or withdrawn; one read, consistent."""
    items = dynamo.page(
        TABLE,
        None,
        ("pk", keys.person_of(town, person)),
        deadline,
        sort="sk",
        start=keys.consent(topic, 0),
        end=keys.consent(topic, 10**12 - 1),
        limit=1,
        newest_first=True,
    )
    return _from_item(items[0]) if items else None


def is_live(town: str, person: str, topic: str, deadline: Deadline) -> bool:
    """Whether this person may be sent something of this topic now."""
    consent = in_force(town, person, topic, deadline)
    return consent is not None and consent.given


def _from_item(stored: Mapping[str, Any]) -> Consent:
    topic = stored["sk"].split("#")[1]
    return Consent(topic, stored["given"], stored["at"], stored["channel"], stored["by"], stored["wording"])
