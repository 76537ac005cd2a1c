"""Before what reaches very many people: whoever is signed in gives password and code once more.

A cookie that was carried off opens pages, but knows neither. Wrong ones count as they do at the door, and stand in the
town's audit trail.
"""

from __future__ import annotations

from secrets import token_hex

from chalicelib.actions import sign_in
from chalicelib.actions.sign_in import Asked, Denied
from chalicelib.model import Conflict, Staff
from chalicelib.storage import audit, dynamo, sessions, staff_pool
from chalicelib.storage.audit import Act
from chalicelib.storage.sessions import Session
from chalicelib.storage.staff_pool import TOTP, Entered
from chalicelib.wire import Deadline


def has_code(person: Staff, deadline: Deadline) -> bool:
    """Whether they are asked for a code beside the password. One request to the pool."""
    account = staff_pool.account(person.mail, deadline)
    return bool(account and account.has_totp)


def prove(
    session: Session, town: str, password: str, code: str, now: float, source: str, deadline: Deadline
) -> Session | Denied | Asked:
    """The session with this on record in `town`, and good for a while; Asked if something is missing: their code, or
    a first password that was never changed. Raises Unavailable."""
    person = session.person
    outcome = sign_in.guarded(
        person.mail, lambda: staff_pool.enter(person.mail, password, deadline), now, source, deadline
    )
    if isinstance(outcome, Asked) and outcome.challenge == TOTP and code:
        asked = outcome
        outcome = sign_in.guarded(
            person.mail, lambda: sign_in.answered(person.mail, asked, code, now, deadline), now, source, deadline
        )
    if isinstance(outcome, Entered):
        return _noted(session, town, now, deadline)
    if isinstance(outcome, Denied):
        audit.record(town, Act(now, person.by, "proof_refused"), token_hex(4), deadline)
    return outcome


def _noted(session: Session, town: str, now: float, deadline: Deadline) -> Session:
    after, write = sessions.proved(session, now)
    act = Act(now, session.person.by, "proved_again")
    try:
        dynamo.transact([write, audit.item(town, act, token_hex(4))], deadline)
    except Conflict:  # another page of theirs changed the session meanwhile: proved all the same, this once
        audit.record(town, act, token_hex(4), deadline)
    return after
