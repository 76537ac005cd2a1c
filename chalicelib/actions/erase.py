"""Erases one citizen of one town, for good. Work of an outbox row, so that being killed only delays it.

The turn that asked for it has emptied the conversation already and put the row beside it. The row is the tombstone: it
alone still knows whom to erase, and forgets it when all is done. It comes back once, a minute later, for what an index
did not show yet and for what others were writing at that very moment. Whatever the citizen began afterwards stays.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from chalicelib.actions import forget_media, known
from chalicelib.cases import erasing
from chalicelib.model import Conflict, Follower
from chalicelib.storage import (
    aws,
    consents,
    dynamo,
    erased,
    keys,
    media,
    outbox,
    people,
    phones,
    runs,
    thread,
    told,
    views,
    volunteers,
)
from chalicelib.storage.cases import CaseStore
from chalicelib.wire import Deadline

AGAIN_SECONDS = 60
KIND = "erase"
CASE_TRIES_MAX = 5
CONSENTS_KEPT_DAYS = 3 * 366  # as long as a message sent on their strength can be disputed


def work(body: Mapping[str, Any], town: str, now: float, deadline: Deadline) -> None:
    """Everything of the citizen up to the moment they asked. Raises Unavailable; then it goes on where it stopped."""
    who, at = Follower(str(body["account"]), str(body["citizen"])), int(body["at"])
    person = keys.person(who.account, who.citizen)
    erased.note(town, person, at, deadline)  # first: whoever restores a copy made before must know
    records = people.records(town, person, now, deadline)
    for reference in dict.fromkeys((*CaseStore(town).every_own(person, deadline), *people.read(records).followed)):
        _out_of_case(town, reference, who, at, deadline)
    _talk(town, who, person, at, deadline)
    for row in views.dead_rows_of(town, who.account, who.citizen):
        dynamo.delete(outbox.TABLE, row.pk, row.sk, deadline)
    _objects(town, person, deadline)
    if not body.get("again"):  # a profile has no date: a newer one must stay
        _volunteer(town, who, person, deadline)
    _records(town, person, records, at, deadline)
    if not body.get("again"):
        once_more = outbox.write(town, KIND, {**body, "again": True}, now, due_at=now + AGAIN_SECONDS)
        dynamo.put(outbox.TABLE, once_more.item, deadline)
        runs.note(town, runs.ERASED, 1, now, deadline)


def again(town: str, person: str, who: Follower | None, at: int, now: float, deadline: Deadline) -> None:
    """Somebody who was erased `at` that moment, once more: an earlier state of the town's data came back. `who` is None
    where nothing that came back says who it is; then there is nothing but consents. Raises Unavailable."""
    if who is None:
        _records(town, person, people.records(town, person, now, deadline), at, deadline)
        return
    pk = keys.conversation(who.account, who.citizen)
    for sk in (keys.NOW, keys.parked_town(town)):
        item = dynamo.get(thread.TABLE, pk, sk, deadline)
        if item is not None and item.get("town") == town and item.get("last_at", 0) <= at:
            dynamo.delete(thread.TABLE, pk, sk, deadline)
    work({"account": who.account, "citizen": who.citizen, "at": at}, town, now, deadline)


def _objects(town: str, person: str, deadline: Deadline) -> None:
    """Photos, videos and files, with their records, and copies of the data. What still lies as a web visitor sent it
    goes by itself within a day."""
    bucket = os.environ["SALTER_MEDIA_BUCKET"]
    for prefix in (keys.media_objects(town, person), keys.exports(town, person)):
        for key in aws.list_objects(bucket, prefix, deadline):
            dynamo.delete(media.TABLE, keys.media_of(town, key), keys.NOW, deadline)
            aws.delete_object(bucket, key, deadline)  # last: by the object whoever goes on finds the record


def _out_of_case(town: str, reference: str, who: Follower, at: int, deadline: Deadline) -> None:
    store = CaseStore(town)
    for _ in range(CASE_TRIES_MAX):
        case = store.load(reference, deadline)
        if case is None or case.created_at > at or who not in (case.owner, *case.followers):
            return
        told.forget(town, reference, keys.person(who.account, who.citizen), deadline)
        if case.owner == who and case.applicant.get("phone"):
            phones.forget(town, case.applicant["phone"], reference, deadline)
        if case.owner == who and not erasing.is_the_towns_own(case):
            forget_media.of_case(town, case, at, deadline)  # what office and crews sent, too: nothing leads there after
            store.rewrite_past(reference, lambda entry, case=case: erasing.cleaned(case, entry), deadline)  # type: ignore[misc]
        try:
            store.save(erasing.without(case, who, at), deadline)
            return
        except Conflict:
            continue
    raise Conflict(reference)


def _talk(town: str, who: Follower, person: str, at: int, deadline: Deadline) -> None:
    """The thread, and what stands beside the conversation."""
    said = ("pk", keys.thread(town, person))
    for part in list(dynamo.every(thread.TABLE, None, said, deadline)):
        if part["exp"] <= at + thread.KEPT_DAYS * 86400:
            dynamo.delete(thread.TABLE, part["pk"], part["sk"], deadline)
    _beside_talk(town, who, at, deadline)


def _beside_talk(town: str, who: Follower, at: int, deadline: Deadline) -> None:
    """What lies beside the conversation of this town's; on a bot of several towns the handled ids are the bot's, say
    nothing of anybody and end within a day."""
    pk = keys.conversation(who.account, who.citizen)
    found = [item for prefix in ("SEEN#", "OUT#") for item in dynamo.query(thread.TABLE, pk, prefix, deadline)]
    aside = dynamo.get(thread.TABLE, pk, keys.parked_town(town), deadline)
    for item in (*found, *([aside] if aside else [])):
        ours = item.get("town", town) == town and (item.get("town") or not _serves_others(who, deadline))
        if ours and item.get("exp", 0) <= at + thread.KEPT_DAYS * 86400:
            dynamo.delete(thread.TABLE, pk, item["sk"], deadline)


def _serves_others(who: Follower, deadline: Deadline) -> bool:
    """Whether the bot serves more towns than one."""
    channel, _, name = who.account.partition(":")
    account = known.account(channel, name, deadline)
    return account is not None and len(account.towns) > 1


def _volunteer(town: str, who: Follower, person: str, deadline: Deadline) -> None:
    """The profile of somebody who signed up to help, and where it is called from."""
    profile = volunteers.load(town, who, deadline)
    if profile is None:
        return
    for area in (volunteers.EVERYONE, volunteers.ANYWHERE, *profile.areas):
        dynamo.delete(volunteers.TABLE, keys.volunteers(town, area), person, deadline)
    dynamo.delete(volunteers.TABLE, keys.person_of(town, person), keys.VOLUNTEER, deadline)


def _records(town: str, person: str, records: list[dynamo.Item], at: int, deadline: Deadline) -> None:
    """Subscriptions and the rest go. Consents stay as proof, withdrawn, and only for their time."""
    expires = at + CONSENTS_KEPT_DAYS * 86400
    older = [item for item in records if item.get("at", at + 1) <= at]
    for topic, given in people.read(older).consents.items():
        if given:
            last = consents.Consent(topic, False, at, "", "citizen", "erased.1")
            dynamo.put(people.TABLE, consents.item(town, person, last).item | {"exp": expires}, deadline)
    for item in older:
        if item["sk"].startswith(keys.CONSENTS):
            if "exp" not in item:
                dynamo.put(people.TABLE, item | {"exp": expires}, deadline)
        else:
            dynamo.delete(people.TABLE, item["pk"], item["sk"], deadline)
