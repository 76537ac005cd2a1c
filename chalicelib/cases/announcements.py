"""Announcements: what may happen to one, how its receivers are cut into pages, what it came to. Pure.

draft → approved → sending ⇄ paused, and stopped from any of them; an approved one that waits to leave may be taken
back, a draft again. A sending one is done once no page is left; that is never stored, so it cannot be untrue.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise

from chalicelib.language import catalogue, scripts
from chalicelib.model import CYRILLIC, LATIN, Announcement, Audience, Page, PageState, Receiver, SalterError, Voice
from chalicelib.small_classes import dataclass, replace

SECOND_PERSON_ABOVE = 500
UNDO_MINUTES = 10
PAGE_RECEIVERS_MAX = 300  # of one call to Viber
WEB_RECEIVERS_MAX = 25  # they are told one after another, within one row's time
TEXT_CHARS_MAX = 1000
PICTURE_TEXT_CHARS_MAX = 400  # Viber takes 512 under a picture, with the way out
PLACEHOLDER = "replace_me_with_"  # Viber would put a name or an id there
DRAFT, APPROVED, SENDING, PAUSED, STOPPED, DONE = "draft", "approved", "sending", "paused", "stopped", "done"
WAITING, CLAIMED, SENT, FAILED, UNCERTAIN, SKIPPED = "waiting", "claimed", "sent", "failed", "uncertain", "skipped"
GROWN = "grown"  # the audience grew beyond what its author may approve alone
TAKEN_BACK = "taken_back"
HASH_BYTES = 6
WITNESSES_MIN = 2  # receivers who report the same token: only one call can have reached both
_MARKS = {"delivered": b"d", "seen": b"s", "failed": b"f"}


class NotNow(SalterError):
    """This cannot happen to an announcement in its state; `code` says why. Whoever asked must look again."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


# --- what may happen --------------------------------------------------------------------------------------------


def approved(
    found: Announcement,
    by: str,
    receivers: int,
    bound: int,
    now: float,
    *,
    proved: bool,
    undo_seconds: int = 0,
) -> Announcement:
    """Ready to be sent. Above `bound` receivers its author cannot approve it, nor whoever has not `proved` just now to
    be who they are; and it waits for `undo_seconds` before it leaves. Raises NotNow."""
    if found.state != DRAFT:
        raise NotNow("not_a_draft")
    if receivers > bound and by == found.by:
        raise NotNow("second_person")
    if receivers > bound and not proved:
        raise NotNow("prove_again")
    waits = undo_seconds if receivers > bound else 0
    leaves_at = max(int(now) + waits, found.at) if waits else 0
    return replace(
        found, state=APPROVED, approved_by=by, approved_at=int(now), reason="", leaves_at=leaves_at, proved=proved
    )


def may_reach(found: Announcement, receivers: int, bound: int) -> bool:
    """Whether it may go to so many as was approved."""
    return receivers <= bound or (found.approved_by != found.by and found.proved)


def is_due(found: Announcement, now: float) -> bool:
    """Whether its time has come: the row of an approval that was taken back may come before that of the next."""
    return max(found.leaves_at, found.at) <= now


def waits(found: Announcement) -> bool:
    """Whether it may still be taken back."""
    return found.state == APPROVED and found.leaves_at > 0


def taken_back(found: Announcement) -> Announcement:
    """A draft again, before anybody got it. Raises NotNow."""
    if not waits(found):
        raise NotNow("not_waiting")
    return replace(found, state=DRAFT, approved_by="", approved_at=0, leaves_at=0, proved=True, reason=TAKEN_BACK)


def rewritten(
    found: Announcement,
    text: Mapping[str, str],
    audience: Audience,
    at: int,
    by: str,
    receivers: Mapping[str, int],
    calls: int,
) -> Announcement:
    """A draft with other words; whoever wrote them is its author now. Raises NotNow."""
    if found.state != DRAFT:
        raise NotNow("not_a_draft")
    if found.picture and any(len(words) > PICTURE_TEXT_CHARS_MAX for words in text.values()):
        raise NotNow("picture_text_too_long")
    written = replace(found, text=dict(text), audience=audience, at=at, by=by, reason="")
    return replace(written, receivers=dict(receivers), calls=calls)


def begun(found: Announcement, pages: Sequence[Page], cut: str, now: float) -> Announcement:
    """Cut into pages, from now on sent page by page."""
    return replace(found, state=SENDING, pages=tuple(pages), cut=cut, began_at=int(now), round=1)


def sent_back(found: Announcement) -> Announcement:
    """A draft again: more people would get it than its author may decide about alone."""
    return replace(found, state=DRAFT, approved_by="", approved_at=0, leaves_at=0, proved=True, reason=GROWN)


def stopped(found: Announcement, states: Sequence[PageState]) -> Announcement:
    """No further page is sent. Raises NotNow if there is none."""
    if found.state == STOPPED or told_state(found, states) == DONE:
        raise NotNow("nothing_to_stop")
    return replace(found, state=STOPPED)


def paused(found: Announcement, reason: str) -> Announcement:
    """No further page until somebody resumes it: the account cannot send."""
    return replace(found, state=PAUSED, reason=reason)


def resumed(found: Announcement) -> Announcement:
    """Sent on, with new rows for what is left. Raises NotNow."""
    if found.state != PAUSED:
        raise NotNow("not_paused")
    return replace(found, state=SENDING, reason="", round=found.round + 1)


def again(found: Announcement) -> Announcement:
    """Pages somebody decided to send again get new rows. Raises NotNow for one that is not being sent."""
    if found.state != SENDING:
        raise NotNow("not_sending")
    return replace(found, round=found.round + 1)


# --- words ------------------------------------------------------------------------------------------------------


def wording(text: Mapping[str, str], voice: Voice, native: str, kept: tuple[str, ...] = ()) -> tuple[str, str]:
    """The language spoken to somebody with `voice`, and the words in their script: their own language, else the
    town's, else the first there is. `kept` are names that stay Latin."""
    language = next((one for one in (voice.language, native) if one in text), next(iter(text)))
    return language, in_script(text[language], voice.script, kept)


def in_script(written: str, script: str, kept: tuple[str, ...] = ()) -> str:
    """What was written, in the other script if that is asked for."""
    if script == CYRILLIC and scripts.script_of(written) == LATIN:
        return catalogue.cyrillic(written, kept)
    return scripts.to_latin(written) if script == LATIN else written


# --- pages ------------------------------------------------------------------------------------------------------


def cut_up(receivers: Iterable[tuple[Receiver, Voice]]) -> list[tuple[Page, list[Receiver]]]:
    """Pages of those who get the same words by the same account, as even as can be: of a large page whose answer was
    lost, receipts soon tell whether it arrived. The voice is the one spoken to the receiver."""
    alike: dict[tuple[str, Voice], list[Receiver]] = {}
    for receiver, voice in receivers:
        alike.setdefault((receiver.account, voice), []).append(receiver)
    pages: list[tuple[Page, list[Receiver]]] = []
    for (account, voice), group in sorted(
        alike.items(), key=lambda item: (item[0][0], item[0][1].language, item[0][1].script)
    ):
        most = PAGE_RECEIVERS_MAX if account.startswith("viber:") else WEB_RECEIVERS_MAX
        for part in _evenly(group, most):
            pages.append((Page(len(pages) + 1, account, voice, len(part)), part))
    return pages


def _evenly(group: Sequence[Receiver], most: int) -> list[list[Receiver]]:
    parts = -(-len(group) // most)
    ends = [len(group) * part // parts for part in range(parts + 1)]
    return [list(group[start:end]) for start, end in pairwise(ends)]


# --- what it came to --------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Progress:
    """An announcement with its pages as they stand, receipts taken into account."""

    announcement: Announcement
    state: str
    pages: tuple[PageState, ...]
    counts: Mapping[str, int]
    reasons: Mapping[str, int]


def mark(event: str, token: str, citizen: str, *, known: bool) -> bytes:
    """A receipt as it is remembered: of a known call only what and who, else also the token."""
    return _MARKS[event] + (b"" if known else _hash(token)) + _hash(citizen)


def progress(found: Announcement, states: Mapping[int, PageState], got: Mapping[int, frozenset[bytes]]) -> Progress:
    """Where it stands: sent + failed + uncertain + skipped + left = audience; delivered and seen are among sent."""
    counts, reasons = Counter[str](), Counter[str]()
    shown = []
    for page in found.pages:
        state, tally = _with_receipts(states.get(page.n, PageState(page.n)), got.get(page.n, frozenset()))
        shown.append(state)
        counts.update(_counted(page, state, tally))
        reasons.update(state.failed)
        reasons["reported_failed"] += tally["failed"]
    total = sum(page.size for page in found.pages) if found.pages or found.began_at else sum(found.receivers.values())
    if not found.began_at:
        counts["left"] = total
    web = sum(page.size for page in found.pages if page.channel == "web") if found.began_at else None
    counts["web"] = found.receivers.get("web", 0) if web is None else web
    names = ("sent", "delivered", "seen", "failed", "left", "uncertain", "skipped", "web")
    told = {"audience": total} | {name: counts[name] for name in names}
    return Progress(found, told_state(found, shown), tuple(shown), told, +reasons)


def told_state(found: Announcement, states: Sequence[PageState]) -> str:
    """The state as people see it."""
    if found.state in (SENDING, PAUSED) and found.began_at:
        ended = {state.n for state in states if state.state not in (WAITING, CLAIMED)}
        return DONE if all(page.n in ended for page in found.pages) else found.state
    return found.state


def price(receivers: Mapping[str, int], each: float | None) -> float | None:
    """What the messages cost at most: those on Viber, as if none fell into an open session."""
    return None if each is None else round(receivers.get("viber", 0) * each, 2)


def _counted(page: Page, state: PageState, tally: Mapping[str, int]) -> dict[str, int]:
    if state.state == UNCERTAIN:
        return {"uncertain": page.size - state.skipped, "skipped": state.skipped}
    if state.state in (WAITING, CLAIMED):
        return {"left": page.size}
    failed = min(page.size, sum(state.failed.values()) + tally["failed"])
    sent = max(0, page.size - failed - state.skipped)
    seen = min(sent, tally["seen"])
    return {
        "sent": sent,
        "failed": failed,
        "skipped": state.skipped,
        "seen": seen,
        "delivered": max(seen, min(sent, tally["delivered"])),
    }


def _with_receipts(state: PageState, got: frozenset[bytes]) -> tuple[PageState, Counter[str]]:
    """The page as its receipts make it: one whose answer was lost is sent once two receivers report the same call."""
    loose = [entry for entry in got if len(entry) > 1 + HASH_BYTES]
    token = _hash(state.token) if state.token else _witnessed(loose)
    if state.state in (UNCERTAIN, CLAIMED) and token:
        state = replace(state, state=SENT)
    told = {(entry[:1], entry[1:]) for entry in got if len(entry) == 1 + HASH_BYTES}
    told |= {(entry[:1], entry[1 + HASH_BYTES :]) for entry in loose if entry[1 : 1 + HASH_BYTES] == token}
    by_mark = {name: {who for sign, who in told if sign == mark} for name, mark in _MARKS.items()}
    arrived = by_mark["seen"] | by_mark["delivered"]
    return state, Counter(seen=len(by_mark["seen"]), delivered=len(arrived), failed=len(by_mark["failed"] - arrived))


def _witnessed(loose: Sequence[bytes]) -> bytes | None:
    people: dict[bytes, set[bytes]] = {}
    for entry in loose:
        people.setdefault(entry[1 : 1 + HASH_BYTES], set()).add(entry[1 + HASH_BYTES :])
    return next((token for token, who in sorted(people.items()) if len(who) >= WITNESSES_MIN), None)


def _hash(word: str) -> bytes:
    return hashlib.blake2b(word.encode("utf-8", "surrogatepass"), digest_size=HASH_BYTES).digest()
