"""Platform admins go into a town and leave it: in the open, and in that town's own audit trail."""

from __future__ import annotations

from collections.abc import Sequence
from secrets import token_hex

from chalicelib.actions import known
from chalicelib.model import Refused
from chalicelib.storage import audit, dynamo, sessions
from chalicelib.storage.audit import Act
from chalicelib.storage.sessions import Session
from chalicelib.wire import Deadline


def go_in(session: Session, slug: str, now: float, deadline: Deadline) -> None:
    """Work in this town from now on. Raises Refused for a town nobody published."""
    if known.town(slug, deadline) is None:
        raise Refused(404, "unknown_town", "There is no such town.")
    left = [(session.acting_for, "platform_left")] if session.acting_for not in ("", slug) else []
    _move(session, slug, [*left, (slug, "platform_came")], now, deadline)


def leave(session: Session, now: float, deadline: Deadline) -> None:
    """Work in no town any more."""
    if session.acting_for:
        _move(session, "", [(session.acting_for, "platform_left")], now, deadline)


def _move(session: Session, to: str, acts: Sequence[tuple[str, str]], now: float, deadline: Deadline) -> None:
    by = session.person.by
    records = [audit.item(town, Act(now, by, what), token_hex(4)) for town, what in acts]
    dynamo.transact([sessions.acting_for(session, to), *records], deadline)
