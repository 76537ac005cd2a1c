"""Staff come in and go out: the pool says who they are, their record says what they may, a session carries it.

After too many wrong passwords an account's address rests for a while, whether or not anybody has it; and so does an
internet address (`guesses`).
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from secrets import token_hex, token_urlsafe
from typing import TypeVar

from chalicelib.actions import guesses, spend_code
from chalicelib.model import Conflict, SalterError, Unavailable
from chalicelib.patterns import pattern
from chalicelib.small_classes import dataclass, replace
from chalicelib.storage import audit, dynamo, keys, sessions, staff, staff_pool
from chalicelib.storage.audit import Act
from chalicelib.storage.dynamo import Write
from chalicelib.storage.sessions import Session
from chalicelib.storage.staff import PLATFORM
from chalicelib.storage.staff_pool import CHALLENGES, Asked, Entered, WeakPassword, WrongPassword
from chalicelib.wire import Deadline

__all__ = [
    "CHALLENGES",
    "Asked",
    "Denied",
    "NoPlace",
    "SignedIn",
    "WeakPassword",
    "answer",
    "sign_in",
    "sign_out",
    "sign_out_everywhere",
    "who",
]

SIGN_IN_SECONDS = 6.0
TRIES_MAX = 5
CLAIM_TRIES_MAX = 8
REST_SECONDS = 15 * 60
SESSION_SECRET_BYTES = 32
OPEN_TRIES_MAX = 5
PASSWORD_LETTERS_MIN = 12
_PASSWORD_NEEDS = (pattern(r"[a-z]"), pattern(r"[A-Z]"), pattern(r"[0-9]"))
_TABLE = "people"
Proof = TypeVar("Proof")


@dataclass(frozen=True, slots=True)
class SignedIn:
    """`word` goes into the cookie, once."""

    word: str
    session: Session


@dataclass(frozen=True, slots=True)
class Denied:
    """Not this time: how many tries are left, or that the address rests for so many seconds."""

    tries_left: int = 0
    rests_seconds: int = 0


class NoPlace(SalterError):
    """The pool knows this person, but no town does (any more). The town's admin must add them."""


def sign_in(mail: str, password: str, now: float, source: str = "") -> SignedIn | Asked | Denied:
    """One try from the internet address `source`. Raises NoPlace, Unavailable."""
    deadline = Deadline(SIGN_IN_SECONDS)
    return _tried(mail, lambda: staff_pool.enter(staff.folded(mail), password, deadline), now, source, deadline)


def answer(mail: str, asked: Asked, written: str, now: float, source: str = "") -> SignedIn | Asked | Denied:
    """The new password or the code that was asked for. Raises WeakPassword, NoPlace, Unavailable."""
    if asked.challenge == staff_pool.NEW_PASSWORD and not is_strong(written):
        raise WeakPassword("too weak")
    deadline = Deadline(SIGN_IN_SECONDS)
    return _tried(mail, lambda: answered(mail, asked, written, now, deadline), now, source, deadline)


def answered(mail: str, asked: Asked, written: str, now: float, deadline: Deadline) -> Entered | Asked:
    """The pool's word on what it asked for; a code is good once. Raises WrongPassword, WeakPassword."""
    if asked.challenge == staff_pool.TOTP:
        written = spend_code.spend(mail, written, now, deadline)
    return staff_pool.answer(staff.folded(mail), asked, written, deadline)


def is_strong(password: str) -> bool:
    """What the pool's policy asks for; some pools only ask at the first password."""
    return len(password) >= PASSWORD_LETTERS_MIN and all(need.search(password) for need in _PASSWORD_NEEDS)


def who(word: str, now: float, deadline: Deadline) -> Session | None:
    """Whose page this is; None for nobody's. One read, now and then a write."""
    session = sessions.find(word, now, deadline)
    try:
        return sessions.touch(session, now, deadline) if session else None
    except Conflict:  # another page of theirs was faster, or it has just been ended
        return sessions.find(word, now, deadline)


def sign_out(session: Session, now: float) -> None:
    sessions.end(session, now, Deadline(SIGN_IN_SECONDS))


def sign_out_everywhere(session: Session, now: float) -> None:
    """Every session of this person ends, this one too. Raises Conflict, Unavailable."""
    deadline = Deadline(SIGN_IN_SECONDS)
    person = staff.load(session.person.town, session.person.mail, deadline)
    if person is None:
        return
    act = Act(now, person.by, "signed_out_everywhere")
    writes = [staff.item_for(replace(person, sessions=())), *sessions.ended(person, now)]
    dynamo.transact([*writes, audit.item(person.town, act, token_hex(4))], deadline)


def guarded(mail: str, attempt: Callable[[], Proof], now: float, source: str, deadline: Deadline) -> Proof | Denied:
    """As `counted`, and counted for the internet address `source` too."""
    rests = guesses.rests_seconds(source, now, deadline)
    if rests:
        return Denied(rests_seconds=rests)
    outcome = counted(mail, attempt, now, deadline)
    if isinstance(outcome, Denied):
        guesses.note(source, now, deadline)
    return outcome


def counted(mail: str, attempt: Callable[[], Proof], now: float, deadline: Deadline) -> Proof | Denied:
    """One try at a password or code, counted for the address: what came of it, or that it was wrong or must rest.

    It is counted before it is made, over the count that was read, so that many at once are no more tries than one after
    the other; what was not a wrong guess is given back.
    """
    claimed = _claim(mail, now, deadline)
    if isinstance(claimed, Denied):
        return claimed
    try:
        outcome = attempt()
    except WrongPassword:
        if claimed >= TRIES_MAX:
            return Denied(rests_seconds=REST_SECONDS)
        return Denied(tries_left=TRIES_MAX - claimed)
    except SalterError:
        _give_back(mail, 1, now, deadline)
        raise
    _give_back(mail, 1 if isinstance(outcome, Asked) else TRIES_MAX, now, deadline)
    return outcome


# --- parts ------------------------------------------------------------------------------------------------------


def _tried(
    mail: str, attempt: Callable[[], Entered | Asked], now: float, source: str, deadline: Deadline
) -> SignedIn | Asked | Denied:
    outcome = guarded(mail, attempt, now, source, deadline)
    return _opened(outcome, now, deadline) if isinstance(outcome, Entered) else outcome


def _opened(entered: Entered, now: float, deadline: Deadline) -> SignedIn:
    for _ in range(OPEN_TRIES_MAX):
        person = staff.load(entered.town, entered.mail, deadline) if entered.town else None
        if person is None or person.disabled:
            raise NoPlace(entered.town)
        word = sessions.word(person.town, token_urlsafe(SESSION_SECRET_BYTES))
        try:
            session = sessions.open_session(person, word, now, deadline)
        except Conflict:  # signed in at two places at once
            continue
        audit.record(person.town, Act(now, person.by, "signed_in"), token_hex(4), deadline)
        return SignedIn(word, session)
    raise Conflict(entered.town)


def _claim(mail: str, now: float, deadline: Deadline) -> int | Denied:
    """The number of this try; the last one takes the rest with it. Raises Unavailable when too many come at once."""
    for _ in range(CLAIM_TRIES_MAX):
        tries, rests_until, v = _tries(mail, deadline)
        if rests_until > now:
            return Denied(rests_seconds=int(rests_until - now))
        number = 1 if rests_until else tries + 1
        with suppress(Conflict):
            _note(mail, number, int(now) + REST_SECONDS if number >= TRIES_MAX else 0, v, now, deadline)
            return number
    raise Unavailable("sign_in_tries")


def _give_back(mail: str, number: int, now: float, deadline: Deadline) -> None:
    """So many of the counted tries were none. Only taken off, so that wrong ones counted meanwhile stay counted."""
    for _ in range(CLAIM_TRIES_MAX):
        tries, _, v = _tries(mail, deadline)
        with suppress(Conflict):
            _note(mail, max(0, tries - number), 0, v, now, deadline)
            return


def _tries(mail: str, deadline: Deadline) -> tuple[int, int, int]:
    """How many wrong tries in a row, until when the address rests (epoch seconds), and the version that says so."""
    item = dynamo.get(_TABLE, _tries_key(mail), keys.NOW, deadline)
    return (item.get("tries", 0), item.get("until", 0), item.get("v", 0)) if item else (0, 0, 0)


def _note(mail: str, tries: int, until: int, v: int, now: float, deadline: Deadline) -> None:
    item = {
        "pk": _tries_key(mail),
        "sk": keys.NOW,
        "shape": 1,
        "v": v + 1,
        "tries": tries,
        "until": until or None,
        "exp": int(now) + 86400,
    }
    dynamo.transact([Write(_TABLE, item, expected_v=v or dynamo.UNCOUNTED)], deadline)


def _tries_key(mail: str) -> str:
    """Before anybody is known there is no town to file a try under."""
    return keys.sign_in_tries(PLATFORM, keys.secret_digest(staff.folded(mail)))
