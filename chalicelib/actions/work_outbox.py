"""Works the outbox: takes a due row, does what its kind says, and writes down what came of it.

A kind is a module of `actions` with one function, `work(body, town, now, deadline)`: it does the thing or raises
SendFailed (`retryable` or final); a silent store is Unavailable, which is tried again, as is any other error, for a
bug must lose nothing. Killed before the thing was done or before it was noted, the lease runs out and the next
holder does it: a kind whose other side knows no repetition may double it in that one window, and only there.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from secrets import token_hex

from chalicelib.actions.journal import log
from chalicelib.model import Conflict, SendFailed, Unavailable
from chalicelib.small_classes import replace
from chalicelib.storage import doorbell, outbox
from chalicelib.storage.aws import Unknown
from chalicelib.storage.dynamo import Write
from chalicelib.storage.outbox import UNCERTAIN, Row
from chalicelib.wire import Deadline

KINDS = {
    "email": "send_email",
    "sms": "send_sms",
    "media": "copy_media",
    "forget_media": "forget_media",
    "help": "call_volunteers",
    "purge": "purge",
    "chat_wait": "chat_wait",
    "erase": "erase",
    "export": "export",
    "open311": "send_open311",
    "open311_told": "tell_open311",
    "open311_news": "hear_open311",
    "index_case": "index_case",
    "import_cases": "import_cases",
    "announce": "begin_announcement",
    "announce_page": "send_page",
    "callback": "call_back",
    "invite": "send_invites",
}
ONCE = frozenset({"email", "sms"})  # kinds whose other side would not notice a repetition
PATIENT = frozenset({"index_case"})  # kinds for which a turn does not even ring: the next minute is soon enough

ROW_SECONDS = 25.0  # for one row's work
ROW_SECONDS_NEEDED = 12.0  # begun with less, it might be cut off after it took effect
LEASE_SECONDS = 90  # longer than any function that works rows may run
MARK_SECONDS = 4.0
MARK_TRIES_MAX = 4  # a mark that is lost is an e-mail sent twice
BACKOFF_SECONDS_FIRST = 5.0
BACKOFF_SECONDS_MAX = 900.0
TRIES_MAX = 100  # at the longest pause about a day
DOUBTFUL_TRIES_MAX = 2


def ring(writes: tuple[Write, ...], now: float, deadline: Deadline, *, for_all: bool = False) -> None:
    """After the commit: have the new rows among `writes` worked at once, by the function that has the time for it.

    What is due much later is left to the sweeper, as are patient kinds unless `for_all`, and everything if the doorbell
    does not ring.
    """
    for write in writes:
        if write.table != outbox.TABLE or (write.item["kind"] in PATIENT and not for_all):
            continue
        if write.item["state"] == "due":
            delay = write.item["due_at"] - now
            if delay < doorbell.DELAY_SECONDS_MAX:
                doorbell.ring_row(write.item["pk"], delay, deadline)


def work(key: str, now: float, deadline: Deadline) -> bool | None:
    """Work one row. True if it is sent, False if it is still owed or given up, None if there was nothing to do."""
    row = outbox.load(key, now, deadline)
    if row is None or not row.is_due(now):
        return None
    if row.state == "leased" and row.kind in ONCE:  # whoever had it died, perhaps after it was sent
        row = replace(row, error=_doubted(row, "died"))
    if row.tries >= TRIES_MAX or _doubts(row) >= DOUBTFUL_TRIES_MAX:
        return _bury(row, row.error or "died", now)
    try:
        row = outbox.leased(row, token_hex(4), now + LEASE_SECONDS, deadline)
    except (Conflict, Unknown):
        return None
    return _settle(row, _failure(row, now, Deadline(deadline.within(ROW_SECONDS))), now)


def _failure(row: Row, now: float, deadline: Deadline) -> SendFailed | None:
    """Do it; None if it is done."""
    try:
        if row.kind not in KINDS:
            raise SendFailed("unknown_kind", retryable=True)  # written by a newer version: that one will know it
        import_module(f"chalicelib.actions.{KINDS[row.kind]}").work(row.body, row.town, now, deadline)
    except SendFailed as failure:
        return failure
    except Unavailable as error:
        return SendFailed(str(error), retryable=True)
    except Exception as error:  # a bug, or a body no version of ours wrote: it must not take the other rows with it
        log.error("row_broke", tenant=row.town, kind=row.kind, error=type(error).__name__)
        return SendFailed(type(error).__name__, retryable=True)
    return None


def _settle(row: Row, failure: SendFailed | None, now: float) -> bool:
    if failure is None:
        _mark(lambda deadline: outbox.done(row, now, deadline), row)
        return True
    log.warning("row_not_sent", tenant=row.town, kind=row.kind, reason=failure.reason, tries=row.tries)
    tried = replace(row, error=_doubted(row, failure.reason) if failure.uncertain else _reason(row, failure))
    if not failure.retryable or tried.tries >= TRIES_MAX or _doubts(tried) >= DOUBTFUL_TRIES_MAX:
        return _bury(tried, tried.error, now)
    pause = max(failure.after_seconds, min(BACKOFF_SECONDS_MAX, BACKOFF_SECONDS_FIRST * 2 ** min(row.tries - 1, 10)))
    if _mark(lambda deadline: outbox.later(tried, tried.error, now + pause, deadline), tried):
        doorbell.ring_row(row.key, pause, Deadline(MARK_SECONDS))
    return False


def _doubts(row: Row) -> int:
    """How often it may have been sent without our hearing of it: `uncertain 1 no_answer`."""
    return int(row.error.split()[1]) if row.error.startswith(UNCERTAIN) else 0


def _doubted(row: Row, reason: str) -> str:
    return f"{UNCERTAIN} {_doubts(row) + 1} {reason}"


def _reason(row: Row, failure: SendFailed) -> str:
    """What went wrong this time, with the doubts so far: a refusal later on does not settle them."""
    return f"{UNCERTAIN} {_doubts(row)} {failure.reason}" if _doubts(row) else failure.reason


def _bury(row: Row, error: str, now: float) -> bool:
    _mark(lambda deadline: outbox.bury(row, error, now, deadline), row)
    log.error("dead_letter", tenant=row.town, kind=row.kind, reason=error)
    return False


def _mark(save: Callable[[Deadline], None], row: Row) -> bool:
    """Write down what came of it, on time of its own: whatever the caller has left, this is worth waiting for."""
    for _ in range(MARK_TRIES_MAX):
        try:
            save(Deadline(MARK_SECONDS))
            return True
        except Conflict:  # our own write whose confirmation was lost, or the lease ran out and another one has it
            return False
        except Unavailable:
            continue
    log.warning("mark_failed", tenant=row.town, kind=row.kind)
    return False
