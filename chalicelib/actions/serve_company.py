"""What a public company does with a case that was handed to it, by its link and without an account.

Whoever has the link is the company: it sees no name and no phone, and can take the case, ask, say that it is not
theirs, add a photo of the repair, and say that it is done. All of it is on record. A link that is none is as unknown
as any other; one that was revoked or ran out says so to whoever holds it.
"""

from __future__ import annotations

import random
import time
from collections.abc import Sequence
from secrets import token_hex
from typing import Any

from chalicelib.actions import change_case, keep_media, known, tell_systems, uploads, work_outbox
from chalicelib.actions.change_case import Superseded
from chalicelib.actions.keep_media import KIND as MEDIA
from chalicelib.cases import erasing, lifecycle, references
from chalicelib.cases.lifecycle import Event
from chalicelib.model import Attachment, Case, Conflict, Refused, Town, Unavailable
from chalicelib.small_classes import dataclass, replace
from chalicelib.storage import audit, keys, media, orders, outbox
from chalicelib.storage.audit import Act
from chalicelib.storage.cases import CaseStore
from chalicelib.storage.dynamo import Write, transact
from chalicelib.storage.media import WAITING, Medium
from chalicelib.storage.orders import Order
from chalicelib.wire import Deadline

TAKEN, ASKED, DECLINED = "taken", "asked", "declined"
WORDS_CHARS_MAX = 1000
TRIES_MAX = 8
JITTER_SECONDS = 0.05
_ACCOUNT = "crew"  # under which a company's photos lie in the bucket


@dataclass(frozen=True, slots=True)
class Given:
    """A town, the case of a link, and the order it stands for."""

    town: Town
    case: Case
    order: Order

    @property
    def by(self) -> str:
        return f"{lifecycle.COMPANY}:{self.order.id}"


class LinkEnded(Refused):
    """The link was a real one; it was revoked, or its days are over."""

    def __init__(self, given: Given) -> None:
        super().__init__(410, "link_ended", "This link no longer opens anything.")
        self.given = given


def find(written: str, now: float, deadline: Deadline) -> Given:
    """What a link opens. Raises Refused 404 for any that is none, LinkEnded, Unavailable."""
    named = orders.read(written)
    reference = references.normalise(named[1]) if named else None
    town = known.town(named[0], deadline) if named and reference else None
    order = (
        orders.load(town.slug, reference, keys.secret_digest(written), now, deadline) if town and reference else None
    )
    case = CaseStore(order.town).load(order.reference, deadline) if order else None
    if town is None or order is None or case is None:
        raise Refused(404, "unknown_link", "There is nothing here.")
    given = Given(town, case, order)
    if not order.is_live(now):
        raise LinkEnded(given)
    return given


def opened(given: Given, now: float, deadline: Deadline) -> None:
    """Note the first time the link was opened; that it failed to be noted keeps nobody from working."""
    if given.order.opened_at:
        return
    try:
        transact([orders.item(replace(given.order, opened_at=int(now))), _record(given, "order_opened", now)], deadline)
    except Conflict:
        return


def take(given: Given, now: float, deadline: Deadline) -> Given:
    """They do it: the case is in progress."""
    begun = lifecycle.may(lifecycle.COMPANY, given.case, "in_progress")
    event = Event(int(now), given.by, status="in_progress" if begun else "", name=TAKEN)
    return _moved(given, event, replace(given.order, taken_at=int(now), declined_at=0), now, deadline)


def ask(given: Given, text: str, letter: Sequence[Write], now: float, deadline: Deadline) -> Given:
    """A question to the town: a note for its staff, and what else tells them (`letter`)."""
    event = Event(int(now), given.by, name=ASKED, note=_words(text))
    return _moved(given, event, given.order, now, deadline, letter)


def decline(given: Given, text: str, letter: Sequence[Write], now: float, deadline: Deadline) -> Given:
    """It is not theirs; the town decides what next."""
    event = Event(int(now), given.by, name=DECLINED, note=_words(text))
    return _moved(given, event, replace(given.order, declined_at=int(now)), now, deadline, letter)


def finish(given: Given, text: str, now: float, deadline: Deadline) -> Given:
    """It is repaired: the case is resolved, and whoever reported it is told."""
    note = text.strip()[:WORDS_CHARS_MAX]
    event = Event(int(now), given.by, status="resolved", note=note)
    return _moved(given, event, replace(given.order, done_at=int(now)), now, deadline)


# --- photos -----------------------------------------------------------------------------------------------------


def upload(given: Given, media_type: str, size: int) -> dict[str, Any]:
    """Announce a photo: {"photo", "upload": {"url", "fields"}}, a signed form straight to the bucket."""
    identifier, form = uploads.announced(given.order.town, given.order.id, media_type, size, kinds=("photo",))
    return {"photo": identifier, "upload": form}


def photo(given: Given, identifier: str, now: float, deadline: Deadline) -> None:
    """The uploaded photo becomes an attachment of the case and is checked like any other.

    Raises Refused, Unavailable.
    """
    source, _, size = uploads.arrived(given.order.town, given.order.id, identifier, "photo", deadline)
    key = keys.media_object(given.order.town, _ACCOUNT, given.order.reference, source)
    row = outbox.write(given.order.town, MEDIA, _asked(given, source, key, now), now)
    store = tell_systems.cases(given.town)
    for attempt in range(TRIES_MAX):
        case = store.load(given.order.reference, deadline)
        if case is None or any(file.key == key for file in case.attachments):
            return
        if len(case.attachments) >= lifecycle.ATTACHMENTS_MAX:
            raise Refused(409, "too_many_photos", "This case takes no more photos.", "photo")
        after = lifecycle.added_to(case, int(now), given.by, [Attachment("", "photo", size, WAITING, key)])
        record = media.item(Medium(given.order.town, key, "photo", cases=(case.reference,)), now)
        try:
            store.save(after, deadline, [record, row, _record(given, "order_photo", now)])
        except Conflict:
            time.sleep(random.random() * JITTER_SECONDS * (attempt + 1))
            continue
        work_outbox.ring((row, *store.owed(after)), now, deadline)
        return
    raise Unavailable("conflicts")


def is_of_company(case: Case, file: Attachment) -> bool:
    """Whether a company sent this photo, after the repair."""
    return file.key.startswith(keys.media_objects(case.tenant, keys.person(_ACCOUNT, case.reference)))


def description(case: Case) -> str:
    """The citizen's words without numbers and without their name."""
    return erasing.masked(str(case.fields.get("description", "")), case)


# --- parts ------------------------------------------------------------------------------------------------------


def _words(text: str) -> str:
    words = text.strip()[:WORDS_CHARS_MAX]
    if not words:
        raise Refused(422, "no_words", "Write a word.", "text")
    return words


def _asked(given: Given, source: str, key: str, now: float) -> dict[str, str | int]:
    arrived = keep_media.Arrival(source, key, "photo", f"{_ACCOUNT}:{given.order.town}", given.order.reference)
    return keep_media.asked(arrived, now)


def _moved(
    given: Given, event: Event, after: Order, now: float, deadline: Deadline, letter: Sequence[Write] = ()
) -> Given:
    """The event with the order as it is then. Raises NotAllowed, Refused 409 if somebody was faster."""
    beside = [orders.item(after), _record(given, f"order_{event.name or 'done'}", now), *letter]
    try:
        case = change_case.change_case(
            given.town, given.case.reference, event, now, token_hex(4), deadline, lambda _: beside, lambda: False
        )
    except (Superseded, Conflict) as error:
        raise Refused(409, "changed_meanwhile", "Somebody changed it just now. Look again.") from error
    work_outbox.ring(tuple(letter), now, deadline)
    return replace(given, case=case, order=replace(after, v=after.v + 1))


def _record(given: Given, what: str, now: float) -> Write:
    return audit.item(given.order.town, Act(now, given.by, what, given.order.reference), token_hex(4))
