"""What a citizen attached, on its way into a case: noted with the turn that received it, claimed by the filing.

The dialogue never sees a channel's link: it gets the key under which the medium will lie in our bucket once it is
checked, and the case keeps that key. Imported only by turns with an attachment or with effects.
"""

from __future__ import annotations

from collections.abc import Mapping

from chalicelib.model import Account, AddToCase, Attachment, Media, MoveHelp, OpenCase, Talk, Turn
from chalicelib.small_classes import dataclass, replace
from chalicelib.storage import keys, media, outbox
from chalicelib.storage.dynamo import Write
from chalicelib.storage.media import CHECKED, FAILED, FORGOTTEN, WAITING, Medium
from chalicelib.wire import Deadline

KIND = "media"


@dataclass(frozen=True, slots=True)
class Arrival:
    """The medium that came with this turn: `source` is where it is now (a channel's link, an upload's key), `key`
    where it will lie."""

    source: str
    key: str
    type: str
    account: str
    citizen: str


def arrival(media: Media, citizen: str, account: Account, town: str) -> Arrival:
    """What came with a message of this citizen."""
    key = keys.media_object(town, account.id, citizen, media.url)
    return Arrival(media.url, key, media.type, account.id, citizen)


def known(turn: Turn, town: str, arrived: Arrival | None, now: float, deadline: Deadline) -> dict[str, Medium]:
    """What the records say of the media this turn touches; one request if it touches any."""
    wanted = dict.fromkeys([*_claims(turn), *([arrived.key] if arrived and _is_kept(arrived, turn) else [])])
    return media.load_all(town, list(wanted), now, deadline) if wanted else {}


def attachments(
    files: tuple[Attachment, ...], known: Mapping[str, Medium], arrived: Arrival | None
) -> tuple[Attachment, ...]:
    """Attachments of a case with what is known of them by now. What nobody knows came too long ago: failed."""
    return tuple(_attachment(file, known.get(file.key), arrived) for file in files)


def _attachment(file: Attachment, medium: Medium | None, arrived: Arrival | None) -> Attachment:
    if medium and medium.state in (WAITING, CHECKED):
        return with_outcome(file, medium)
    if arrived and file.key == arrived.key:
        return replace(file, state=WAITING)
    return with_outcome(file, medium) if medium else replace(file, state=FAILED)


def with_outcome(file: Attachment, medium: Medium) -> Attachment:
    """An attachment of a case as its record has it."""
    state = FAILED if medium.state == FORGOTTEN else medium.state
    return replace(file, type=medium.type, state=state, size=medium.size or file.size)


def writes(
    turn: Turn, town: str, arrived: Arrival | None, known: Mapping[str, Medium], now: float
) -> tuple[Write, ...]:
    """What must be written with this turn: the record of what arrived and the row that fetches it, if the dialogue
    kept it; and on the records of a new case's attachments its name, so that the check can tell it."""
    after = dict(known)
    rows: list[Write] = []
    if arrived and _is_kept(arrived, turn):
        before = known.get(arrived.key)
        if before is None or before.state not in (WAITING, CHECKED):  # new, or sent once more after it failed
            new = before or Medium(town, arrived.key, arrived.type)
            after[arrived.key] = replace(new, state=WAITING)
            rows.append(outbox.write(town, KIND, asked(arrived, now), now))
    for key, reference in _claims(turn).items():
        if key in after:
            after[key] = replace(after[key], cases=(*after[key].cases, reference))
    changed = [medium for key, medium in after.items() if medium != known.get(key)]
    return (*rows, *(media.item(medium, now) for medium in changed))


def _claims(turn: Turn) -> dict[str, str]:
    """The media of the cases this turn files, adds to or says something in: object key → reference."""
    claims: dict[str, str] = {}
    for effect in turn.effects:
        if isinstance(effect, OpenCase):
            claims |= {file.key: effect.case.reference for file in effect.case.attachments}
        elif isinstance(effect, AddToCase):
            claims |= {file.key: effect.reference for file in effect.attachments}
        elif isinstance(effect, MoveHelp) and effect.file:
            claims[effect.file[1]] = effect.reference
        elif isinstance(effect, Talk) and effect.file:
            claims[effect.file.key] = effect.case.reference
    return claims


def _is_kept(arrived: Arrival, turn: Turn) -> bool:
    """Whether the dialogue holds on to it anywhere. What it does not need is not fetched."""
    return arrived.key in repr((turn.state, turn.effects))


def asked(arrived: Arrival, now: float) -> dict[str, str | int]:
    """What the outbox's row that fetches and checks it must know."""
    return {
        "source": arrived.source,
        "key": arrived.key,
        "account": arrived.account,
        "citizen": arrived.citizen,
        "at": int(now),
    }
