"""Who works in a town: invited, given other work, away for a while, shut out, let in again. All of it is on record.

The record decides what somebody may do; the pool keeps passwords. What ends somebody's work is written to the record
first, what begins it to the pool first, so that a failure in between never leaves more open than was asked for.
"""

from __future__ import annotations

import datetime as dt
import secrets
import string
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from chalicelib.actions import work_outbox
from chalicelib.model import ROLES, Conflict, SalterError, Staff, Town
from chalicelib.patterns import pattern
from chalicelib.small_classes import dataclass, replace
from chalicelib.storage import audit, dynamo, outbox, sessions, staff, staff_pool
from chalicelib.storage.audit import Act
from chalicelib.storage.dynamo import Write
from chalicelib.storage.staff import PLATFORM
from chalicelib.wire import Deadline

TOWN_ROLES = tuple(role for role in ROLES if role != PLATFORM)
ADMIN = "admin"
NAME_CHARS_MAX = 80
MAIL_CHARS_MAX = 254
OFFICES_MAX = 100
CHANGE_TRIES_MAX = 5
PASSWORD_LETTERS = 16
# Read aloud and typed without mistakes: no l, I, 1, O, 0.
_LETTERS = "".join(sorted(set(string.ascii_letters + string.digits) - set("lI1O0")))
_MAIL = pattern(r"[^@\s<>\"',;:\\]{1,64}@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+")


@dataclass(frozen=True, slots=True)
class Work:
    """What somebody does here; `offices` () for all of them."""

    role: str
    offices: tuple[str, ...] = ()
    name: str = ""
    language: str = ""


class NotPossible(SalterError):
    """What was asked for cannot be done; `code` says why, in words of the page's texts."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def invite(
    town: Town, by: str, mail: str, work: Work, now: float, deadline: Deadline, letter: Mapping[str, str] | None = None
) -> str:
    """An account and a record for somebody new; the password for the first sign-in, which is kept nowhere.

    `letter` (subject, text) is sent by e-mail if given; the password is not in it. Raises NotPossible, Unavailable.
    """
    work = _checked(town, work)
    person = _newcomer(town.slug, mail, work)
    return _taken_on(person, by, now, deadline, letter)


def appoint(mail: str, name: str, by: str, now: float, deadline: Deadline) -> str:
    """Somebody new who looks after all towns; the password for the first sign-in. Raises NotPossible, Unavailable."""
    return _taken_on(_newcomer(PLATFORM, mail, Work(PLATFORM, name=name)), by, now, deadline, None)


def give_work(town: Town, by: Staff, identifier: str, work: Work, now: float, deadline: Deadline) -> None:
    """Another role, other offices, another name. Who is signed in must sign in again."""
    work = _checked(town, work)

    def given(person: Staff) -> Staff:
        return replace(person, role=work.role, offices=work.offices, name=work.name)

    _change(town, by.by, identifier, given, "staff_changed", {"role": work.role}, now, deadline, ending=True)


def send_away(
    town: Town, by: Staff, identifier: str, deputy: str, until: str, today: dt.date, now: float, deadline: Deadline
) -> None:
    """Who stands in for somebody, and until which day (ISO, "" for none) they are away."""
    until = day_from(until, today)
    deputy = staff.folded(deputy)

    def away(person: Staff) -> Staff:
        if deputy == person.mail:
            raise NotPossible("deputy_self")
        return replace(person, deputy=deputy, absent_until=until)

    if deputy and not any(one.mail == deputy and not one.disabled for one in staff.all_of(town.slug, deadline)):
        raise NotPossible("deputy_unknown")
    detail = {"until": until} if until else {}
    _change(town, by.by, identifier, away, "staff_away", detail, now, deadline)


def shut_out(town: Town, by: Staff, identifier: str, now: float, deadline: Deadline) -> None:
    """Somebody does not work here any more, at once and everywhere. Nobody shuts out themself."""
    if identifier == by.id:
        raise NotPossible("yourself")
    person = _change(
        town, by.by, identifier, lambda one: replace(one, disabled=True), "staff_disabled", {}, now, deadline, True
    )
    staff_pool.shut(person.mail, deadline)


def let_in(town: Town, by: Staff, identifier: str, now: float, deadline: Deadline) -> None:
    """Somebody who was shut out may sign in again, with the password they had."""
    staff_pool.unshut(_found(town, identifier, deadline).mail, deadline)
    _change(town, by.by, identifier, lambda one: replace(one, disabled=False), "staff_enabled", {}, now, deadline)


def renew_password(town: Town, by: Staff, identifier: str, now: float, deadline: Deadline) -> tuple[Staff, str]:
    """A new password for one sign-in, for whoever forgot theirs or lost the telephone with the codes."""
    person = _change(town, by.by, identifier, lambda one: one, "staff_password", {}, now, deadline, True)
    password = _password()
    _account(town.slug, person.mail, password, deadline)
    staff_pool.drop_totp(person.mail, deadline)
    return person, password


def everybody(town: Town, deadline: Deadline) -> Sequence[Staff]:
    """Everybody who works in the town, by e-mail."""
    return staff.all_of(town.slug, deadline)


def person_of(town: Town, identifier: str, deadline: Deadline) -> tuple[Staff, Sequence[Staff]] | None:
    """A member of staff by id, with everybody who works in the town."""
    colleagues = everybody(town, deadline)
    person = next((one for one in colleagues if one.id == identifier), None)
    return (person, colleagues) if person else None


# --- parts ------------------------------------------------------------------------------------------------------


def _newcomer(town: str, mail: str, work: Work) -> Staff:
    mail = staff.folded(mail)
    if len(mail) > MAIL_CHARS_MAX or not _MAIL.fullmatch(mail):
        raise NotPossible("mail_wrong")
    identifier = secrets.token_hex(4)
    return Staff(town, mail, identifier, work.role, name=work.name, offices=work.offices, language=work.language)


def _taken_on(person: Staff, by: str, now: float, deadline: Deadline, letter: Mapping[str, str] | None) -> str:
    """Account first, then record, trail and letter in one commit: broken off in between, it can be done again."""
    if staff.load(person.town, person.mail, deadline):
        raise NotPossible("mail_known")
    password = _password()
    _account(person.town, person.mail, password, deadline)
    act = Act(now, by, "staff_invited", person.id, {"role": person.role})
    writes = [staff.item_for(person), audit.item(person.town, act, secrets.token_hex(4))]
    if letter:
        writes.append(outbox.write(person.town, "email", {"to": person.mail, **letter}, now))
    try:
        dynamo.transact(writes, deadline)
    except Conflict as error:  # invited twice at once
        raise NotPossible("mail_known") from error
    work_outbox.ring(tuple(writes), now, deadline)
    return password


def _change(
    town: Town,
    by: str,
    identifier: str,
    change: Callable[[Staff], Staff],
    what: str,
    detail: Mapping[str, Any],
    now: float,
    deadline: Deadline,
    ending: bool = False,
) -> Staff:
    """The one way to change a record: with the act, and with the end of the person's sessions, in one commit."""
    for _ in range(CHANGE_TRIES_MAX):
        found = person_of(town, identifier, deadline)
        if found is None:
            raise NotPossible("person_unknown")
        person, colleagues = found
        after = change(person)
        writes = [audit.item(town.slug, Act(now, by, what, person.id, detail), secrets.token_hex(4))]
        writes += [staff.item_for(replace(after, sessions=()) if ending else after)]
        writes += sessions.ended(person, now) if ending else []
        writes += _admin_who_stays(person, after, colleagues)
        try:
            dynamo.transact(writes, deadline)
        except Conflict:  # they signed in, or a colleague changed them too
            continue
        return after
    raise Conflict(identifier)


def _admin_who_stays(before: Staff, after: Staff, colleagues: Sequence[Staff]) -> list[Write]:
    """A town keeps an admin who can sign in. The one that stays is written too, unchanged: of two admins who remove
    each other at once, the second finds the record changed and looks again."""
    if not _is_admin(before) or _is_admin(after):
        return []
    others = [one for one in colleagues if one.id != before.id and _is_admin(one)]
    if not others:
        raise NotPossible("last_admin")
    return [staff.item_for(others[0])]


def _is_admin(person: Staff) -> bool:
    return person.role == ADMIN and not person.disabled


def _found(town: Town, identifier: str, deadline: Deadline) -> Staff:
    found = person_of(town, identifier, deadline)
    if found is None:
        raise NotPossible("person_unknown")
    return found[0]


def _checked(town: Town, work: Work) -> Work:
    if work.role not in TOWN_ROLES:
        raise NotPossible("role_unknown")
    known = {office["id"] for office in town.core["offices"]}
    if len(work.offices) > OFFICES_MAX or not set(work.offices) <= known:
        raise NotPossible("office_unknown")
    return replace(work, name=" ".join(work.name.split())[:NAME_CHARS_MAX])


def _account(town: str, mail: str, password: str, deadline: Deadline) -> None:
    """The pool's account with this password: a new one, or the one this town has already."""
    account = staff_pool.account(mail, deadline)
    if account is None:
        staff_pool.invite(mail, town, password, deadline)
    elif account.town != town:
        raise NotPossible("mail_taken")
    else:
        staff_pool.set_password(mail, password, deadline, lasting=False)


def day_from(written: str, today: dt.date) -> str:
    """An ISO date from today on, or "" for none."""
    if not written:
        return ""
    try:
        day = dt.date.fromisoformat(written)
    except ValueError as error:
        raise NotPossible("day_wrong") from error
    if day < today:
        raise NotPossible("day_wrong")
    return day.isoformat()


def _password() -> str:
    """Random, and what the pool's policy asks for: a small and a large letter and a figure are always in it."""
    letters = [secrets.choice(_LETTERS) for _ in range(PASSWORD_LETTERS - 3)]
    for kind in (string.ascii_lowercase, string.ascii_uppercase, string.digits):
        wanted = [letter for letter in _LETTERS if letter in kind]
        letters.insert(secrets.randbelow(len(letters) + 1), secrets.choice(wanted))
    return "-".join("".join(letters[at : at + 4]) for at in range(0, PASSWORD_LETTERS, 4))
