"""The outbox's kind `callback`: one of the town's own systems hears what happened to a case.

`{"to": the callback's id, "id": the message's, "said": the payload}`. Where it goes and how it is signed is looked up
at each try, so that a mended address or a new secret counts for what waits, too. A system that fails again and again is
left alone for a while, so that the time it costs is not taken from other towns; one that took nothing for days is
switched off, and the town's admins hear of it. What was given up stays in the outbox until a person has it sent again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from secrets import token_hex
from typing import Any

from chalicelib.actions import breaker, known, work_outbox
from chalicelib.actions.journal import log
from chalicelib.compact_json import as_json
from chalicelib.integrations import callbacks
from chalicelib.model import SendFailed, Town, Unavailable
from chalicelib.storage import audit, dynamo, outbox, secrets
from chalicelib.storage import callbacks as kept
from chalicelib.storage.audit import Act
from chalicelib.storage.dynamo import Duplicate
from chalicelib.wire import Deadline, everybodys_time

NOTE_SECONDS = 2.0
NOTED_EVERY_SECONDS = 60  # that it goes well is not written down more often
SWITCHED_OFF_AFTER_DAYS = 5
SYSTEM = "system"


def work(body: Mapping[str, Any], town: str, now: float, deadline: Deadline) -> None:
    """Tell it. Raises SendFailed, Unavailable."""
    here = known.town(town, deadline)
    if here is None:
        raise SendFailed("no_town", retryable=True)
    callback = str(body["to"])
    url = address(here, callback)
    if not url:
        raise SendFailed("no_such_callback", retryable=False)
    whom = f"callback:{town}:{url}"
    pause = breaker.open_until(whom, now)
    if pause is not None:
        raise SendFailed("waits_for_others", retryable=True, after_seconds=pause - now)
    health = kept.health(town, callback, deadline)
    if health.off_at:
        raise SendFailed("switched_off", retryable=False)
    try:
        tell(here, callback, url, str(body["id"]), body["said"], deadline)
    except SendFailed as failure:
        if failure.retryable:
            breaker.failed(whom, now)
        _failed(here, callback, health, failure.reason, now)
        raise
    breaker.succeeded(whom)
    if health.failing_since or now - health.taken_at >= NOTED_EVERY_SECONDS:
        _noted(town, lambda left: kept.note_taken(town, callback, now, left))


def address(town: Town, callback: str) -> str:
    """Where one of the town's callbacks goes; "" for one it does not have."""
    return next((str(one["url"]) for one in town.core.get("callbacks", ()) if one["id"] == callback), "")


def tell(town: Town, callback: str, url: str, identifier: str, said: Mapping[str, Any], deadline: Deadline) -> None:
    """One try, signed as things stand. Raises SendFailed, Unavailable."""
    at = everybodys_time()
    signing = secrets.callback(town.slug, callback, at, deadline)
    if not signing:
        raise SendFailed("no_secret", retryable=True)
    raw = as_json(said).encode()
    callbacks.send(url, signing, identifier, at, raw, deadline)


def _failed(town: Town, callback: str, health: kept.Health, reason: str, now: float) -> None:
    since = health.failing_since or int(now)
    _noted(town.slug, lambda left: kept.note_failed(town.slug, callback, reason, since, now, left))
    if now - since >= SWITCHED_OFF_AFTER_DAYS * 86400:
        _noted(town.slug, lambda left: _switch_off(town, callback, since, now, left))


def _switch_off(town: Town, callback: str, since: int, now: float, deadline: Deadline) -> None:
    """No more tries until a person says so; the town's admins are told in the same commit."""
    from chalicelib.actions.find_officials import admins
    from chalicelib.actions.word_reminders import switched_off
    from chalicelib.cases import watching
    from chalicelib.storage import staff

    readers = admins(staff.all_of(town.slug, deadline), watching.today(town.core, now).isoformat())
    letters = [outbox.write(town.slug, "email", switched_off(town, reader, callback, since), now) for reader in readers]
    act = audit.item(town.slug, Act(now, SYSTEM, "callback_off", callback), token_hex(4))
    try:
        dynamo.transact([kept.off(town.slug, callback, now), act, *letters], deadline)
    except Duplicate:
        return
    log.error("callback_off", tenant=town.slug)
    work_outbox.ring(tuple(letters), now, deadline)


def _noted(town: str, note: Callable[[Deadline], None]) -> None:
    """For people to see; that it failed to be noted changes nothing."""
    try:
        note(Deadline(NOTE_SECONDS))
    except Unavailable:
        log.warning("callback_not_noted", tenant=town)
