"""Pages of an announcement, some to a row: each claimed, sent in one call, marked. Whoever finds a claim that nobody
marked does not send: nobody gets it twice, and the page is shown as uncertain until receipts or a person settle it.

Just before the claim it is looked at who still wants it, and whether the announcement was stopped.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping
from secrets import token_hex
from typing import Any

from chalicelib.actions import account_pace, announce, illustrate, known
from chalicelib.actions.journal import log
from chalicelib.actions.owe import Unreachable, owe
from chalicelib.cases import announcements as rules
from chalicelib.channels import Credentials
from chalicelib.channels.viber.send import broadcast, captioned
from chalicelib.dialogue import words
from chalicelib.model import (
    BOT,
    Account,
    Announcement,
    Conflict,
    Page,
    PageState,
    Receiver,
    SalterError,
    SendFailed,
    Town,
    Unavailable,
)
from chalicelib.small_classes import dataclass, replace
from chalicelib.storage import doorbell, keys, people, secrets
from chalicelib.storage.announcements import AnnouncementStore
from chalicelib.storage.aws import Unknown
from chalicelib.storage.dynamo import Write, transact
from chalicelib.wire import Deadline

PAGES_PER_SECOND = 10.0  # of one account in one process
PACE_SECONDS_MAX = 5.0  # for which a page waits for its account's pace; then the row comes again
PAGE_SECONDS_NEEDED = 12.0  # begun with less, a page might be cut off after Viber took it
MARK_SECONDS = 4.0
MARK_TRIES_MAX = 4
_last_call: dict[str, float] = {}


@dataclass(frozen=True, slots=True)
class _Job:
    """A page at work, and what it takes."""

    town: Town
    store: AnnouncementStore
    found: Announcement
    page: Page
    now: float
    deadline: Deadline
    began: float  # by the machine's clock, which runs on while `now` stays

    def elapsed(self) -> float:
        return time.monotonic() - self.began


def work(body: Mapping[str, Any], town: str, now: float, deadline: Deadline) -> None:
    """Settle the row's pages one after the other, or leave them alone.

    Raises SendFailed when one surely was not sent and may be tried again.
    """
    here = known.town(town, deadline)
    if here is None:
        raise SendFailed("no_town", retryable=True)
    store, began = AnnouncementStore(town), time.monotonic()
    wanted = body.get("ns") or [body["n"]]  # rows written before pages went together name one
    for n in wanted:
        if n != wanted[0] and deadline.left() < PAGE_SECONDS_NEEDED:
            raise SendFailed("no_time", retryable=True)
        found = store.load(str(body["id"]), deadline)  # somebody may have stopped it
        page = next((page for page in found.pages if page.n == n), None) if found else None
        if found is not None and page is not None:
            _settle(_Job(here, store, found, page, now, deadline, began))
    if body.get("next"):
        doorbell.ring_row(keys.outbox(town, f"{announce.PAGE_KIND}-{body['next']}"), 0, deadline)


def is_row(key: str) -> bool:
    """Whether an outbox row is a page's."""
    return f"#X#{announce.PAGE_KIND}-" in key


def _settle(job: _Job) -> None:
    state = job.store.page_state(job.found.id, job.page.n, job.deadline)
    if state.state == rules.CLAIMED and job.page.channel == "viber":  # whoever claimed it died
        _mark(job, replace(state, state=rules.UNCERTAIN, error="died"))
    if job.found.state != rules.SENDING or state.state not in (rules.WAITING, rules.CLAIMED):
        return
    if job.page.channel == "web":
        _tell_each(job, state)
    elif state.state == rules.WAITING:
        _broadcast(job, state)


# --- Viber ------------------------------------------------------------------------------------------------------


def _broadcast(job: _Job, state: PageState) -> None:
    wanted, skipped = _still_wanted(job)
    if not wanted:
        _mark(job, replace(state, state=rules.SKIPPED, skipped=skipped))
        return
    name = job.page.account.partition(":")[2]
    token = secrets.viber_token(name, job.deadline)
    if not token:
        raise SendFailed("no_token", retryable=True)
    credentials = Credentials(token, job.town.core["viber"]["name"])
    said = announce.say(job.town, job.found.text, job.page.voice, illustrate.shared(job.found))
    message = words.message(said, job.town, job.page.voice, "", job.now)
    piece = captioned(message, credentials)
    _keep_pace(job)
    current = job.store.load(job.found.id, job.deadline)
    if current is None or current.state != rules.SENDING:
        return
    claimed = _claim(job, replace(state, skipped=skipped))
    if claimed is None:
        return
    try:
        call, failed = broadcast([one.citizen for one in wanted], piece, credentials, job.deadline)
    except SendFailed as failure:
        _not_sent(job, claimed, failure, len(wanted))
        return
    counted = dict(Counter(failed.values()))
    _mark(job, replace(claimed, state=rules.SENT, token=call, failed=counted, holder=""), call)


def _still_wanted(job: _Job) -> tuple[list[Receiver], int]:
    """The page's receivers whose subscription stands right now, and how many ended it since the cut."""
    listed = job.store.receivers(job.found, job.page, job.now, job.deadline) or []
    by_person = {keys.person(one.account, one.citizen): one for one in listed}
    asked = [(person, one.topics) for person, one in by_person.items()]
    still = people.still_subscribed(job.town.slug, asked, job.deadline)
    wanted = [one for person, one in by_person.items() if person in still]
    return wanted, job.page.size - len(wanted)


def _keep_pace(job: _Job) -> None:
    """Leave the account's other messages their share of Viber's limits. Raises SendFailed if that takes too long."""
    account = job.page.account
    time.sleep(max(0.0, _last_call.get(account, 0.0) + 1 / PAGES_PER_SECOND - time.monotonic()))
    until = time.monotonic() + PACE_SECONDS_MAX
    while seconds := account_pace.wait(account, job.now + job.elapsed(), job.deadline, kind=account_pace.PAGE):
        if time.monotonic() + seconds > until:
            raise SendFailed("account_busy", retryable=True, after_seconds=seconds)
        time.sleep(seconds)
    _last_call[account] = time.monotonic()


def _claim(job: _Job, state: PageState) -> PageState | None:
    """The page in our hands alone; None if it is in another's."""
    claimed = replace(state, state=rules.CLAIMED, holder=token_hex(8), error="")
    try:
        job.store.save_page(job.found, claimed, job.deadline)
    except Conflict:
        return None
    except Unknown:  # nothing was sent yet: if it is ours, it is ours
        stored = job.store.page_state(job.found.id, job.page.n, job.deadline)
        return stored if stored.holder == claimed.holder else _again_later()
    return replace(claimed, v=claimed.v + 1)


def _again_later() -> PageState:
    raise SendFailed("not_claimed", retryable=True)


def _not_sent(job: _Job, claimed: PageState, failure: SendFailed, asked: int) -> None:
    """What is known of a call that failed: it may have arrived, it surely did not, or it never can."""
    log.warning("page_not_sent", tenant=job.town.slug, account=job.page.account, reason=failure.reason)
    if failure.uncertain:
        _mark(job, replace(claimed, state=rules.UNCERTAIN, error=failure.reason, holder=""))
        return
    pauses = failure.account_wide or failure.reason.startswith(("free_messages", "no_balance"))
    if not pauses and not failure.retryable:
        _mark(job, replace(claimed, state=rules.FAILED, failed={failure.reason: asked}, holder=""))
        return
    _mark(job, replace(claimed, state=rules.WAITING, error=failure.reason, holder="", skipped=0))
    if not pauses:
        raise failure
    _pause(job, failure.reason)


def _pause(job: _Job, reason: str) -> None:
    """The account cannot send at all: people must look."""
    found = job.store.load(job.found.id, job.deadline)
    if found is not None and found.state == rules.SENDING:
        try:
            transact([job.store.item(rules.paused(found, reason))], job.deadline)
        except Conflict as error:
            raise SendFailed("changed_meanwhile", retryable=True) from error


def _mark(job: _Job, after: PageState, call: str = "") -> None:
    """Write down what became of it, on time of its own. If that fails, the next holder finds a claim: uncertain."""
    writes: list[Write] = [job.store.page_item(job.found, after)]
    if call:
        writes.append(job.store.receipt_item(job.found, job.page, call, job.now))
    for _ in range(MARK_TRIES_MAX):
        try:
            transact(writes, Deadline(MARK_SECONDS))
            return
        except Conflict:  # our own write whose confirmation was lost, or a person decided meanwhile
            return
        except Unavailable:
            continue
    raise Unavailable("mark")


# --- the web ----------------------------------------------------------------------------------------------------


def _tell_each(job: _Job, state: PageState) -> None:
    """Put the words into each visitor's conversation, with the mark that they stand there: told again, nobody has
    them twice, so a claim is not needed."""
    wanted, skipped = _still_wanted(job)
    failed = 0
    for one in wanted:
        try:
            _tell(job, one)
        except Unreachable:
            failed += 1
    after = rules.SENT if wanted else rules.SKIPPED
    _mark(job, replace(state, state=after, skipped=skipped, failed={"gone": failed} if failed else {}))


class _ToldBefore(SalterError):
    """The words stand in this conversation already."""


def _tell(job: _Job, one: Receiver) -> None:
    person = keys.person(one.account, one.citizen)

    def beside(now: float, deadline: Deadline) -> list[Write]:
        if job.store.was_told(job.found.id, person, deadline):
            raise _ToldBefore(person)
        return [job.store.told_item(job.found.id, person, now)]

    kind, _, name = one.account.partition(":")
    account = known.account(kind, name, job.deadline) or Account(kind, name, ())
    said = announce.say(job.town, job.found.text, one.voice, illustrate.shared(job.found))
    try:
        owe(account, one.citizen, said, BOT, job.now, token_hex(4), job.deadline, one.voice, beside, town=job.town.slug)
    except _ToldBefore:
        return
