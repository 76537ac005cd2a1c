"""A town taken away for good (`./salter town retire`): every item, every version of every object, its bot's webhook and
token, its staff's accounts. What stays: the list of the erased, for as long as a file may still be brought back, and
one line in the platform's audit trail.

Things that lead to others go after them and the pointer goes last, so that a run cut off anywhere is finished by the
next.
"""

from __future__ import annotations

import datetime as dt
import os
import time
from collections import Counter
from dataclasses import dataclass

from chalicelib.actions import known, publish_tenant, town_states
from chalicelib.channels.viber.send import post
from chalicelib.model import Account, SalterError, SendFailed
from chalicelib.storage import audit, aws, dynamo, keys, sealing, secrets, staff, staff_pool, tenants, whole
from chalicelib.storage.aws import AwsError
from chalicelib.storage.dynamo import Key, Write
from chalicelib.wire import Deadline
from infra.take_out import OBJECTS, SECONDS_MAX, TOLD_EVERY, Tell

RETIRED, REASON = "town_retired", "being retired"
SETTLE_SECONDS = 60.0  # within which every warm process knows that the town is suspended
VIBER_SECONDS = 20.0
TAKEN_AT_ONCE = 500
LEVELS = 3  # of `Stored.leads`
ROUNDS_MAX = 5  # an index may show for a while what is gone, or not yet what is there
LAG_SECONDS = 2.0


class NotGone(SalterError):
    """Somebody writes while the town is taken away. What is there then goes at the next run."""


@dataclass(frozen=True, slots=True)
class Retired:
    """What was taken away, by family, and what a person must still see to."""

    counts: dict[str, int]
    left_to_do: list[str]


def retire(town: str, by: str, identifier: str, now: float, tell: Tell) -> Retired:
    """Take the town away; `by` is named in the platform's audit trail. Raises NotGone, Conflict, Unavailable,
    SendFailed; then it is run again."""
    deadline = Deadline(SECONDS_MAX)
    pointer = tenants.pointer(town, deadline)
    if pointer is not None and pointer.state != tenants.SUSPENDED:
        tell(f"suspending {town}; waiting {SETTLE_SECONDS:.0f} s until every process knows")
        town_states.suspend(town, by, REASON, now, deadline)
        time.sleep(SETTLE_SECONDS)
    counts, left_to_do = Counter[str](), list[str]()
    for account_id in _accounts(town, deadline):
        left_to_do += _without_account(town, account_id, deadline)
    secrets.forget_town(town, deadline)
    for person in staff.all_of(town, deadline):
        _without_pool_account(town, person.mail, deadline)
    for _ in range(ROUNDS_MAX):
        taken = _objects(town, deadline) + _items(town, now, deadline, tell)
        counts += taken
        if not taken:
            break
        time.sleep(LAG_SECONDS)
    else:
        raise NotGone(f"somebody still writes to {town}; look for who does, and run this again")
    act = audit.Act(now, by, RETIRED, about=town, detail={"items": counts.total() - counts[OBJECTS]})
    last = [
        audit.item(staff.PLATFORM, act, identifier),
        Write(tenants.TABLE, {"pk": keys.town(town), "sk": keys.NOW}, gone=True),
        Write(tenants.TABLE, {"pk": keys.TOWNS, "sk": town}, gone=True),
    ]
    dynamo.transact(last, deadline)
    known.forget()
    sealing.forget()
    return Retired(dict(sorted(counts.items())), left_to_do)


def is_there(town: str, now: float) -> bool:
    """Whether the stage has anything of the town."""
    deadline = Deadline(SECONDS_MAX)
    return bool(tenants.pointer(town, deadline) or next(whole.everything(town, now, deadline), None))


def was_retired(town: str, now: float) -> bool:
    """Whether the platform's trail of today or yesterday says so."""
    deadline = Deadline(SECONDS_MAX)
    days = [dt.datetime.fromtimestamp(now - back, dt.UTC).date().isoformat() for back in (0, 86400)]
    acts = [act for day in days for act in audit.of_day(staff.PLATFORM, day, deadline)[0]]
    return any((act.what, act.about) == (RETIRED, town) for act in acts)


# --- the bot, the staff -------------------------------------------------------------------------------------------


def _accounts(town: str, deadline: Deadline) -> list[str]:
    core = tenants.core(town, deadline)
    named = core["viber"]["account"] if core else ""
    return sorted({*tenants.accounts_of(town, deadline), *([f"viber:{named}"] if named else [])})


def _without_account(town: str, account_id: str, deadline: Deadline) -> list[str]:
    """The account serves the town no more; one that would serve nobody loses webhook and token. What is left to do."""
    channel, _, name = account_id.partition(":")
    record = tenants.account(channel, name, deadline)
    if record is not None and set(record.towns) != {town}:
        publish_tenant.serve_no_more(account_id, town, deadline)
        return []
    said = _without_webhook(record, name, deadline)
    publish_tenant.serve_no_more(account_id, town, deadline)
    return said


def _without_webhook(record: Account | None, name: str, deadline: Deadline) -> list[str]:
    secrets.forget()
    token, said = secrets.viber_token(name, deadline), list[str]()
    if token and record is not None:
        try:
            post("set_webhook", {"url": ""}, token, Deadline(VIBER_SECONDS))
        except SendFailed as failure:
            if failure.retryable:
                raise
            said = [f"Viber does not take the token of {name} ({failure.reason}): remove the webhook by hand"]
    secrets.forget_viber_token(name, deadline)
    return said


def _without_pool_account(town: str, mail: str, deadline: Deadline) -> None:
    """The account of the sign-in, if it is this town's."""
    try:
        account = staff_pool.account(mail, deadline)
        if account is not None and account.town == town:
            pool = (secrets.staff_pool(deadline) or "").partition(" ")[0]
            asked = {"UserPoolId": pool, "Username": mail}
            aws.call(staff_pool.SERVICE, "AdminDeleteUser", asked, deadline, repeatable=True)
    except AwsError as error:
        if error.code != "UserNotFoundException":
            raise


# --- everything else ----------------------------------------------------------------------------------------------


def _objects(town: str, deadline: Deadline) -> Counter[str]:
    """Every version of every object."""
    bucket, gone = os.environ["SALTER_MEDIA_BUCKET"], Counter[str]()
    for prefix in keys.objects(town):
        while found := aws.versions(bucket, prefix, deadline):
            aws.delete_versions(bucket, found, deadline)
            gone[OBJECTS] += len(found)
    return gone


def _items(town: str, now: float, deadline: Deadline, tell: Tell) -> Counter[str]:
    """Every item but the pointer, those that lead to others after them."""
    waiting: list[dict[tuple[str, Key], None]] = [{} for _ in range(LEVELS)]
    taken = Counter[str]()
    for stored in whole.everything(town, now, deadline):
        item = stored.item
        if (item["pk"], item["sk"]) == (keys.town(town), keys.NOW) or not whole.belongs(town, stored.table, item):
            continue
        waiting[stored.leads][stored.table, (item["pk"], item["sk"])] = None
        taken[whole.family(stored.table, item)] += 1
        if sum(map(len, waiting)) >= TAKEN_AT_ONCE:
            _take(waiting, deadline)
        if taken.total() % TOLD_EVERY == 0:
            tell(f"{taken.total()} items so far")
    _take(waiting, deadline)
    return taken


def _take(waiting: list[dict[tuple[str, Key], None]], deadline: Deadline) -> None:
    for level in waiting:
        for table in whole.TABLES:
            dynamo.batch_write(table, (), [key for of, key in level if of == table], deadline)
        level.clear()
