"""Invitations by SMS in people's hands: a list of numbers with the ground on which they may be written to, looked at
with words and price, approved, stopped. Sending is work of the outbox (`actions/send_invites.py`).
"""

from __future__ import annotations

from collections.abc import Sequence
from secrets import token_hex
from typing import Any

from chalicelib.actions import announce, work_outbox
from chalicelib.cases import invitations as rules
from chalicelib.cases.announcements import NotNow
from chalicelib.dialogue import words
from chalicelib.model import Conflict, Line, Refused, Town, Unavailable, Voice
from chalicelib.small_classes import dataclass, replace
from chalicelib.storage import audit, invitations, outbox
from chalicelib.storage.dynamo import Write, transact
from chalicelib.storage.invitations import DRAFT, SENDING, STOPPED, Invitation, Outcome
from chalicelib.wire import Deadline

KIND = "invite"
PAGE_NUMBERS = 40  # worked within one row's time
PAGES_TOGETHER = 20
WHERE_CHARS_MAX = 300
CHANGE_TRIES_MAX = 4


@dataclass(frozen=True, slots=True)
class Progress:
    """An invitation as it stands: sent + before + failed + uncertain + left is its size."""

    invitation: Invitation
    state: str
    total: Outcome
    left: int


def text(town: Town, voice: Voice) -> str:
    """What is sent: the town's name and the bot's link."""
    account = town.core["viber"].get("uri") or town.core["viber"]["account"]
    link = f"viber://pa?chatURI={account}"
    return words.line(Line("sms_invitation", {"link": link}), town, words.spoken(town, voice))


def is_possible(town: Town) -> bool:
    """Whether there is a bot to invite to."""
    return bool(town.core["viber"]["account"])


def price(town: Town, found: Invitation) -> dict[str, Any] | None:
    """What it costs at most."""
    return rules.price(found.size, found.text, town.core.get("sms_price"))


def draft(
    town: Town, written: str, voice: Voice, basis: str, where: str, by: str, now: float, deadline: Deadline
) -> Invitation:
    """A new one, its numbers read and kept until they are used. Raises Refused 422."""
    where = where.strip()[:WHERE_CHARS_MAX]
    if not is_possible(town):
        raise Refused(422, "no_bot", "The town has no Viber bot.")
    if basis not in rules.BASES:
        raise Refused(422, "no_basis", "Say on what ground they may be written to.", "basis")
    if not where:
        raise Refused(422, "no_where", "Say where the consents are kept.", "where")
    found = rules.listed(written, str(town.core["country"]))
    if found.too_many:
        raise Refused(422, "too_many", f"At most {rules.PHONES_MAX} numbers at once.", "numbers")
    if not found.phones:
        raise Refused(422, "no_numbers", "There is no phone number in it.", "numbers")
    pages = rules.cut(found.phones, PAGE_NUMBERS)
    new = Invitation(
        town=town.slug,
        id=token_hex(8),
        text=text(town, voice),
        basis=basis,
        where=where,
        by=by,
        at=int(now),
        size=len(found.phones),
        pages=len(pages),
        bad=found.bad[: rules.BAD_SHOWN_MAX],
        doubles=found.doubles,
    )
    numbers = [invitations.numbers_item(new, n, page) for n, page in enumerate(pages, 1)]
    for first in range(0, len(numbers), PAGES_TOGETHER):
        transact(numbers[first : first + PAGES_TOGETHER], deadline)
    head = [invitations.item(new), invitations.listed(new), _record(new, by, "invitation_written", now)]
    transact(head, deadline)  # last: what was cut off before has no head, and its numbers go by themselves
    return replace(new, v=1)


def approve(town: Town, identifier: str, by: str, now: float, deadline: Deadline, *, proved: bool) -> Invitation:
    """Have it sent; above the town's bound its author cannot, nor whoever has not `proved` just now to be who they are.
    Raises NotNow, Refused 404."""

    def change(found: Invitation) -> Invitation:
        if found.state != DRAFT:
            raise NotNow("not_a_draft")
        if found.size > announce.bound(town) and found.by == by:
            raise NotNow("second_person")
        if found.size > announce.bound(town) and not proved:
            raise NotNow("prove_again")
        return replace(found, state=SENDING, approved_by=by, approved_at=int(now))

    def row(after: Invitation) -> list[Write]:
        return [outbox.write(town.slug, KIND, {"id": after.id, "n": 1}, now, row=row_name(after.id, 1))]

    return _changed(town, identifier, change, by, "invitation_approved", now, deadline, row)


def stop(town: Town, identifier: str, by: str, now: float, deadline: Deadline) -> Invitation:
    """No further message leaves. Raises NotNow, Refused 404."""

    def change(found: Invitation) -> Invitation:
        if found.state == STOPPED or progress(found, deadline).left == 0:
            raise NotNow("nothing_to_stop")
        return replace(found, state=STOPPED)

    return _changed(town, identifier, change, by, "invitation_stopped", now, deadline, lambda after: [])


def row_name(identifier: str, n: int) -> str:
    """The outbox row of a page."""
    return f"{KIND}-{identifier}-{n}"


def load(town: Town, identifier: str, deadline: Deadline) -> Progress:
    """One as it stands. Raises Refused 404."""
    return progress(_found(town, identifier, deadline), deadline)


def newest(town: Town, deadline: Deadline) -> Sequence[Invitation]:
    return invitations.newest(town.slug, deadline)


def progress(found: Invitation, deadline: Deadline) -> Progress:
    """It with what became of its pages; one request more once it was approved."""
    done = invitations.outcomes(found.town, found.id, deadline) if found.approved_at else []
    reasons = sorted({reason for each in done for reason in each.failed})
    total = Outcome(
        sent=sum(each.sent for each in done),
        before=sum(each.before for each in done),
        uncertain=sum(each.uncertain for each in done),
        failed={reason: sum(each.failed.get(reason, 0) for each in done) for reason in reasons},
    )
    left = found.size - total.sent - total.before - total.uncertain - sum(total.failed.values())
    return Progress(found, "done" if found.state == SENDING and left == 0 else found.state, total, left)


def _changed(
    town: Town,
    identifier: str,
    change: Any,
    by: str,
    what: str,
    now: float,
    deadline: Deadline,
    rows: Any,
) -> Invitation:
    for _ in range(CHANGE_TRIES_MAX):
        after: Invitation = change(_found(town, identifier, deadline))
        owed = rows(after)
        try:
            transact([invitations.item(after), _record(after, by, what, now), *owed], deadline)
        except Conflict:
            continue
        work_outbox.ring(tuple(owed), now, deadline)
        return after
    raise Unavailable("conflicts")


def _found(town: Town, identifier: str, deadline: Deadline) -> Invitation:
    found = invitations.load(town.slug, identifier, deadline) if identifier.isalnum() and identifier.isascii() else None
    if found is None:
        raise Refused(404, "unknown_invitation", "There is no such invitation.")
    return found


def _record(found: Invitation, by: str, what: str, now: float) -> Write:
    detail = {"receivers": found.size, "basis": found.basis}
    return audit.item(found.town, audit.Act(now, by, what, found.id, detail), token_hex(4))
