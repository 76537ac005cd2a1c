"""The outbox's kind `media`: fetches what a citizen attached, checks it, puts it where the case will look for it.

The medium's record is settled once, together with the cases that have it already; a case filed later reads the record.
Killed anywhere, the next holder finds the object in the bucket or the record settled. What cannot be taken stays on
record as refused (its bytes) or failed (it never came), and its sender is told once, in the same commit.
"""

from __future__ import annotations

import os
import random
import time
from collections.abc import Callable, Mapping, Sequence
from secrets import token_hex
from typing import Any

from chalicelib.actions import check_media, known, send_file
from chalicelib.actions.change_case import NoCase
from chalicelib.actions.check_media import NotTaken
from chalicelib.actions.journal import log
from chalicelib.actions.keep_media import with_outcome
from chalicelib.actions.owe import Unreachable, owe
from chalicelib.cases.open311 import CHANNEL
from chalicelib.channels.viber import media as viber_media
from chalicelib.model import BOT, Conflict, Line, Say, SendFailed, Unavailable
from chalicelib.small_classes import replace
from chalicelib.storage import aws, dynamo, keys, media, outbox
from chalicelib.storage.cases import CaseStore
from chalicelib.storage.dynamo import Write
from chalicelib.storage.media import CHECKED, FAILED, REFUSED, WAITING, Medium
from chalicelib.wire import Deadline

LINK_SECONDS = 3600  # Viber's links die then
UPLOAD_SECONDS = 86400  # the bucket forgets what lies under incoming/ then
UNCLAIMED_DAYS = 35  # longer than an unfinished form is kept
SETTLE_TRIES_MAX = 8
JITTER_SECONDS = 0.05
_TOO_LARGE = "too_large"


def work(body: Mapping[str, Any], town: str, now: float, deadline: Deadline) -> None:
    """Fetch, check, keep, settle. Raises SendFailed where a later try may do better, Unavailable."""
    if not keys.is_object_of(town, body["key"]) or (
        _is_upload(body["source"]) and not keys.is_object_of(town, body["source"])
    ):
        raise SendFailed("foreign_object", retryable=False)
    record = media.load(town, body["key"], now, deadline)
    if record is None or record.state != WAITING:
        return
    _settle(_outcome(record, body, now, deadline), body, now, deadline)


# --- the object -------------------------------------------------------------------------------------------------


def _outcome(record: Medium, body: Mapping[str, Any], now: float, deadline: Deadline) -> Medium:
    """The record as it is to be: checked, with the type and size that are true, or refused, or failed."""
    bucket = os.environ["SALTER_MEDIA_BUCKET"]
    there = aws.head_object(bucket, record.key, deadline)
    if there is not None:  # whoever put it there died before the record
        return replace(record, state=CHECKED, type=check_media.TYPES[there[1]], size=there[0])
    try:
        kept = check_media.checked(_fetched(body, bucket, now, deadline))
    except NotTaken as refusal:
        log.warning("media_refused", tenant=record.town, reason=refusal.reason)
        return replace(record, state=REFUSED)
    except SendFailed as failure:
        if failure.retryable and now < body["at"] + _lives(body["source"]):
            raise
        log.warning("media_failed", tenant=record.town, reason=failure.reason)
        return replace(record, state=REFUSED if failure.reason == _TOO_LARGE else FAILED)
    if kept.thumbnail:
        aws.put_object(bucket, keys.thumbnail(record.key), kept.thumbnail, check_media.JPEG, deadline)
    aws.put_object(bucket, record.key, kept.data, kept.media_type, deadline)
    return replace(record, state=CHECKED, type=kept.type, size=len(kept.data))


def _is_upload(source: str) -> bool:
    return source.startswith("incoming/")


def _lives(source: str) -> int:
    return UPLOAD_SECONDS if _is_upload(source) else LINK_SECONDS


def _fetched(body: Mapping[str, Any], bucket: str, now: float, deadline: Deadline) -> bytes:
    source = str(body["source"])
    if now >= body["at"] + _lives(source):  # not even tried: what kept us this long may be the medium itself
        raise SendFailed("too_late", retryable=False)
    if not _is_upload(source):
        return (_strangers(body) or viber_media.fetch)(source, deadline)
    data = aws.get_object(bucket, source, viber_media.BYTES_MAX, deadline)
    if data is None:
        raise SendFailed("upload_gone", retryable=False)
    return data


def _strangers(body: Mapping[str, Any]) -> Callable[[str, Deadline], bytes] | None:
    """How a link is followed that a program named, not Viber."""
    if not str(body["account"]).startswith(f"{CHANNEL}:"):
        return None
    from chalicelib.integrations.open311_client import fetch

    return fetch


# --- the record -------------------------------------------------------------------------------------------------


def _settle(outcome: Medium, body: Mapping[str, Any], now: float, deadline: Deadline) -> None:
    """Write the outcome down, on the record and in every case that has it, with words for its sender if it is bad."""
    channel, _, name = body["account"].partition(":")
    if channel == send_file.ACCOUNT:
        _settle_sent(outcome, body, now, deadline)
        return
    account = known.account(channel, name, deadline) if outcome.state != CHECKED else None
    if account is not None:
        try:
            owe(
                account,
                body["citizen"],
                _words(outcome),
                BOT,
                now,
                token_hex(4),
                deadline,
                beside=_Beside(outcome),
                town=outcome.town,
            )
        except _Settled:
            return
        except Unreachable:  # gone: the record is settled all the same
            account = None
    if account is None:
        _settle_silently(outcome, now, deadline)


def _settle_sent(outcome: Medium, body: Mapping[str, Any], now: float, deadline: Deadline) -> None:
    """What an operator sent goes out with its outcome; a citizen who left keeps nobody from writing it down."""
    try:
        send_file.deliver(outcome, str(body["citizen"]), str(body["link"]), now, token_hex(4), deadline)
    except (NoCase, Unreachable):
        _settle_silently(outcome, now, deadline)


class _Settled(Exception):
    """Somebody else settled the record meanwhile."""


class _Beside:
    """What must be true together with the outcome, read afresh for every attempt to commit it."""

    def __init__(self, outcome: Medium) -> None:
        self._outcome = outcome

    def __call__(self, now: float, deadline: Deadline) -> Sequence[Write]:
        """Raises _Settled."""
        outcome = self._outcome
        record = media.load(outcome.town, outcome.key, now, deadline)
        if record is None or record.state != WAITING:
            raise _Settled
        after = replace(record, state=outcome.state, type=outcome.type, size=outcome.size)
        return [media.item(after, now), *_forgetting(after, now), *_in_cases(after, now, deadline)]


def _settle_silently(outcome: Medium, now: float, deadline: Deadline) -> None:
    beside = _Beside(outcome)
    for attempt in range(SETTLE_TRIES_MAX):
        try:
            dynamo.transact(beside(now, deadline), deadline)
            return
        except _Settled:
            return
        except Conflict:
            time.sleep(random.random() * JITTER_SECONDS * (attempt + 1))
    raise Unavailable("conflicts")


def _in_cases(medium: Medium, now: float, deadline: Deadline) -> list[Write]:
    """The heads of the cases that have it, with the outcome. No entry of their history: nobody did anything to them."""
    found: list[Write] = []
    store = CaseStore(medium.town)
    for reference in medium.cases:
        case = store.load(reference, deadline)
        if case is None:
            continue
        files = tuple(with_outcome(file, medium) if file.key == medium.key else file for file in case.attachments)
        # The time of the change moves, so that whoever reads what changed lately sees the attachment.
        found += store.items_for_change(
            replace(case, attachments=files, updated_at=max(case.updated_at, int(now))), deadline
        )
    return found


def _forgetting(medium: Medium, now: float) -> list[Write]:
    """A checked medium that no case claims must not lie in the bucket for ever."""
    if medium.state != CHECKED:
        return []
    return [outbox.write(medium.town, "forget_media", {"key": medium.key}, now, due_at=now + UNCLAIMED_DAYS * 86400)]


def _words(outcome: Medium) -> Say:
    """What its sender is told: that it could not be taken, how to send it again, and that the case stands without."""
    lines = [Line("media_refused" if outcome.state == REFUSED else "media_failed")]
    if outcome.cases:
        lines.append(Line("media_case_stands", {"reference": outcome.cases[-1]}))
    return Say(lines=tuple(lines))
