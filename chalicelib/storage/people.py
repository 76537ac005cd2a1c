"""What a town has on record of one citizen beside cases: subscriptions, consents, cases followed. One small partition.

A person is a hash of channel account and id there. Only a subscription holds the address itself, for it is what
announcements are sent by; it goes with the subscription.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from chalicelib.model import Follower, Standing, Voice
from chalicelib.storage import consents, dynamo, keys, register
from chalicelib.storage.dynamo import Item, Write
from chalicelib.wire import Deadline

TABLE = "people"
SHAPE = 1
SUBSCRIBERS_MAX = 200_000  # of one topic
WHOLE_TOWN = "-"


def standing(town: str, person: str, now: float, deadline: Deadline) -> Standing:
    """Everything on record of a person; one request."""
    return read(records(town, person, now, deadline))


def records(town: str, person: str, now: float, deadline: Deadline) -> list[Item]:
    """A person's items as they are stored, oldest consents first."""
    found = dynamo.every(TABLE, None, ("pk", keys.person_of(town, person)), deadline)
    return [item for item in found if item.get("exp", now + 1) > now]


def read(items: Sequence[Item]) -> Standing:
    """What stored items say; of several consents of one topic the newest counts."""
    subscriptions = {
        item["sk"].removeprefix(keys.SUBSCRIPTIONS): str(item.get("settlement", ""))
        for item in items
        if item["sk"].startswith(keys.SUBSCRIPTIONS)
    }
    agreed = {item["sk"].split("#")[1]: bool(item["given"]) for item in items if item["sk"].startswith(keys.CONSENTS)}
    followed = tuple(item["sk"].removeprefix(keys.FOLLOWED) for item in items if item["sk"].startswith(keys.FOLLOWED))
    return Standing(subscriptions, agreed, followed)


def subscription(town: str, who: Follower, topic: str, settlement: str, voice: Voice, now: float) -> Write:
    """A subscription as part of a transaction, ready for whoever sends announcements."""
    person = keys.person(who.account, who.citizen)
    item: dict[str, Any] = {
        "pk": keys.person_of(town, person),
        "sk": keys.subscription(topic),
        "shape": SHAPE,
        "at": int(now),
        "account": who.account,
        "citizen": who.citizen,
        "language": voice.language,
        "script": voice.script,
        "settlement": settlement or None,
        "topic_key": keys.audience(town, topic),
        "audience_sort": f"{settlement or WHOLE_TOWN}#{voice.language}#{person}",
    }
    return Write(TABLE, item)


def subscribers(town: str, topic: str, settlement: str, deadline: Deadline) -> Iterator[Item]:
    """Who subscribed to a topic for one settlement (WHOLE_TOWN: for none in particular; "" for all), as the index has
    them; it may lag behind."""
    start, end = (f"{settlement}#", f"{settlement}#~") if settlement else (" ", "~")
    partition = ("topic_key", keys.audience(town, topic))
    return dynamo.walk(
        TABLE, "audience", partition, deadline, sort="audience_sort", start=start, end=end, limit=SUBSCRIBERS_MAX
    )


def still_subscribed(town: str, people: Sequence[tuple[str, Sequence[str]]], deadline: Deadline) -> frozenset[str]:
    """Which persons, of (person, topics), are subscribed to one of the topics right now: a live consent stands with
    each subscription, they are written and ended together."""
    wanted = [(keys.person_of(town, person), keys.subscription(topic)) for person, topics in people for topic in topics]
    found = {pk for pk, _ in dynamo.batch_get(TABLE, wanted, deadline, only=())}
    return frozenset(person for person, _ in people if keys.person_of(town, person) in found)


def ended(town: str, person: str, topic: str) -> Write:
    """The end of a subscription as part of a transaction."""
    return Write(TABLE, {"pk": keys.person_of(town, person), "sk": keys.subscription(topic)}, gone=True)


def following(town: str, person: str, reference: str, now: float) -> Write:
    """That a person follows somebody else's case: without it, nobody could find the case when they ask what is known
    of them."""
    item = {"pk": keys.person_of(town, person), "sk": keys.followed(reference), "shape": SHAPE, "at": int(now)}
    return Write(TABLE, item)


def reminded(town: str, who: Follower, now: float) -> Write:
    """Where a member of staff is reminded of deadlines: with what is on record of the person, and gone with it."""
    pk = keys.person_of(town, keys.person(who.account, who.citizen))
    item = {"pk": pk, "sk": keys.REMINDED, "shape": SHAPE, "at": int(now)}
    return Write(TABLE, item | {"account": who.account, "citizen": who.citizen} | register.of_people(town, pk))


def where_reminded(town: str, person: str, deadline: Deadline) -> Follower | None:
    """The chat of a member of staff, by the person that linked it; one read. None once the person is erased."""
    item = dynamo.get(TABLE, keys.person_of(town, person), keys.REMINDED, deadline)
    return Follower(item["account"], item["citizen"]) if item else None


def reminded_no_more(town: str, person: str) -> Write:
    """The end of it as part of a transaction."""
    return Write(TABLE, {"pk": keys.person_of(town, person), "sk": keys.REMINDED}, gone=True)


def all_ended(town: str, person: str, found: Standing, channel: str, wording: str, now: float) -> list[Write]:
    """Every subscription gone and every consent withdrawn, by the citizen."""
    writes = [ended(town, person, topic) for topic in found.subscriptions]
    for topic, given in found.consents.items():
        if given:
            withdrawn = consents.Consent(topic, False, int(now), channel, "citizen", wording)
            writes.append(consents.item(town, person, withdrawn))
    return writes
