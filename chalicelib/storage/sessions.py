"""Signed-in staff: a session is a long random word in a cookie; only its hash is stored, with whose it is.

The word begins with the town (`<town>.<secret>`), so that its record lies in that town's part of the table; another
town put there leads to no record. The record repeats what the person may do, so that a page costs one read; a change of
the person's role ends the sessions in the same commit.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from chalicelib.model import Staff
from chalicelib.patterns import pattern
from chalicelib.small_classes import dataclass, replace
from chalicelib.storage import dynamo, keys, staff
from chalicelib.storage.dynamo import Write
from chalicelib.wire import Deadline

TABLE = "people"
SHAPE = 1
IDLE_SECONDS = 30 * 60
LIFETIME_SECONDS = 12 * 3600
TOUCHED_AFTER_SECONDS = 4 * 60  # a page read within them writes nothing
PROVED_SECONDS = 5 * 60  # for so long after somebody gave password and code they need not give them again
OPEN_AT_ONCE_MAX = 8  # of one person; the oldest ends
_WORD = pattern(r"([a-z][a-z0-9-]{1,39})\.[A-Za-z0-9_-]{32,64}")


@dataclass(frozen=True, slots=True)
class Session:
    """`person` is as the record repeats it, without `sessions`; `acting_for` the town a platform admin works in now.

    `proved_at`: when they last gave password and code, at the sign-in or later.
    `v` is the stored version: a note that somebody is there must never bring back a session that was ended meanwhile.
    """

    digest: str
    person: Staff
    started_at: int
    seen_at: int
    acting_for: str = ""
    proved_at: int = 0
    v: int = 0

    def is_proved(self, now: float) -> bool:
        """Whether they have just shown who they are: a cookie that was carried off is older than that, soon."""
        return now - self.proved_at < PROVED_SECONDS

    @property
    def ends_at(self) -> int:
        """When it ends if nobody does anything any more."""
        return min(self.seen_at + IDLE_SECONDS, self.started_at + LIFETIME_SECONDS)


def word(town: str, secret: str) -> str:
    """What the cookie carries, from at least 32 random url-safe characters."""
    made = f"{town}.{secret}"
    if not _WORD.fullmatch(made):
        raise ValueError("the secret must be 32 to 64 url-safe characters")
    return made


def open_session(person: Staff, made: str, now: float, deadline: Deadline) -> Session:
    """Remember that this person signed in just now. Raises Conflict if the person's record changed meanwhile."""
    session = Session(keys.secret_digest(made), person, int(now), int(now), proved_at=int(now), v=1)
    opened = (*person.sessions, session.digest)
    closed = [_ended(person.town, digest, now) for digest in opened[:-OPEN_AT_ONCE_MAX]]
    record = staff.item_for(replace(person, sessions=opened[-OPEN_AT_ONCE_MAX:]))
    dynamo.transact([Write(TABLE, _item(session)), record, *closed], deadline)
    return session


def find(made: str, now: float, deadline: Deadline) -> Session | None:
    """The session the word opens, if it still does; one read. Nothing for one that idled, expired or ended."""
    match = _WORD.fullmatch(made)
    item = dynamo.get(TABLE, keys.session(match[1], keys.secret_digest(made)), keys.NOW, deadline) if match else None
    if item is None or item["exp"] <= now or "id" not in item:  # an ended one keeps nobody's name
        return None
    session = _from_item(item)
    return session if session.ends_at > now else None


def touch(session: Session, now: float, deadline: Deadline) -> Session:
    """Note that the person is there; a write only now and then. The session as it is stored now.

    Raises Conflict if it was ended or changed meanwhile.
    """
    if now - session.seen_at < TOUCHED_AFTER_SECONDS:
        return session
    seen = replace(session, seen_at=int(now), v=session.v + 1)
    dynamo.put(TABLE, _item(seen), deadline, expected_v=session.v)
    return seen


def acting_for(session: Session, town: str) -> Write:
    """A platform admin goes into a town, or with "" leaves it: part of the transaction that records it."""
    return Write(TABLE, _item(replace(session, acting_for=town, v=session.v + 1)), expected_v=session.v)


def proved(session: Session, now: float) -> tuple[Session, Write]:
    """They gave password and code once more: the session from now on, and it as part of the transaction."""
    after = replace(session, proved_at=int(now), v=session.v + 1)
    return after, Write(TABLE, _item(after), expected_v=session.v)


def end(session: Session, now: float, deadline: Deadline) -> None:
    """Signed out: this session opens nothing any more."""
    dynamo.put(TABLE, _ended(session.person.town, session.digest, now).item, deadline)


def ended(person: Staff, now: float) -> list[Write]:
    """All of a person's sessions ended, as part of the transaction that changes the person."""
    return [_ended(person.town, digest, now) for digest in person.sessions]


def _ended(town: str, digest: str, now: float) -> Write:
    item = {"pk": keys.session(town, digest), "sk": keys.NOW, "shape": SHAPE, "seen_at": 0, "exp": int(now)}
    return Write(TABLE, item)


def _item(session: Session) -> dict[str, Any]:
    person = session.person
    return {
        "pk": keys.session(person.town, session.digest),
        "sk": keys.NOW,
        "shape": SHAPE,
        "v": session.v,
        "mail": person.mail,
        "id": person.id,
        "role": person.role,
        "name": person.name or None,
        "offices": " ".join(person.offices) or None,
        "language": person.language or None,
        "at": session.started_at,
        "seen_at": session.seen_at,
        "proved_at": session.proved_at,
        "acting_for": session.acting_for or None,
        "exp": session.started_at + LIFETIME_SECONDS,
    }


def _from_item(item: Mapping[str, Any]) -> Session:
    town, digest = item["pk"].removeprefix("T#").split("#SES#")
    person = Staff(
        town=town,
        mail=item["mail"],
        id=item["id"],
        role=item["role"],
        name=item.get("name", ""),
        offices=tuple(item["offices"].split()) if item.get("offices") else (),
        language=item.get("language", ""),
    )
    acting_for, proved_at = item.get("acting_for", ""), item.get("proved_at", item["at"])
    return Session(digest, person, item["at"], item["seen_at"], acting_for, proved_at, item.get("v", 0))
