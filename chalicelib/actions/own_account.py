"""What members of staff settle for themselves: language, absence, a code beside the password, reminders in a chat."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from secrets import token_hex, token_urlsafe
from urllib.parse import quote

from chalicelib.actions import sign_in, spend_code
from chalicelib.actions.manage_staff import NotPossible, day_from
from chalicelib.actions.sign_in import Asked, Denied
from chalicelib.dialogue import going_on
from chalicelib.model import Conflict, Staff, Town
from chalicelib.small_classes import dataclass, replace
from chalicelib.storage import audit, consents, dynamo, links, people, staff, staff_pool
from chalicelib.storage.audit import Act
from chalicelib.storage.staff_pool import TOTP, Entered
from chalicelib.wire import Deadline

CHANGE_TRIES_MAX = 5
OFF_WORDING = "account_chat_off.1"
ISSUER = "Šalter"


@dataclass(frozen=True, slots=True)
class Mine:
    """The record of whoever is signed in; whether they are asked for a code at sign-in, and reminded in a chat."""

    record: Staff
    has_code: bool
    reminded: bool


def mine(person: Staff, deadline: Deadline) -> Mine:
    """What the page shows. Two requests, a third where a chat was linked."""
    record = staff.load(person.town, person.mail, deadline) or person
    account = staff_pool.account(person.mail, deadline)
    linked = record.reminders
    reminded = bool(linked) and consents.is_live(person.town, linked, consents.REMINDERS, deadline)
    return Mine(record, bool(account and account.has_totp), reminded)


def speak(person: Staff, language: str, now: float, deadline: Deadline) -> None:
    """The language the console speaks to them, and that of their e-mails."""
    _change(person, lambda one: replace(one, language=language), "account_language", now, deadline)


def be_away(person: Staff, until: str, today: dt.date, now: float, deadline: Deadline) -> None:
    """Until which day (ISO, "" for none) they are away. Raises NotPossible."""
    until = day_from(until, today)
    _change(person, lambda one: replace(one, absent_until=until), "account_away", now, deadline)


def begin_code(person: Staff, password: str, now: float, deadline: Deadline) -> tuple[str, str] | Denied:
    """With the password once more: the secret for an authenticator, and the token that finishes what is begun.

    Raises NotPossible if a code is asked for already.
    """
    entered = _proved(person, password, now, deadline)
    if isinstance(entered, Denied):
        return entered
    if isinstance(entered, Asked):
        raise NotPossible("code_on_already" if entered.challenge == TOTP else "sign_in_again")
    return staff_pool.begin_totp(entered.access, deadline), entered.access


def finish_code(person: Staff, access: str, code: str, now: float, deadline: Deadline) -> Denied | None:
    """The first code from the authenticator; None once it is on."""

    def attempt() -> bool:
        staff_pool.finish_totp(access, spend_code.spend(person.mail, code, now, deadline), deadline)
        return True

    outcome = sign_in.counted(person.mail, attempt, now, deadline)
    if isinstance(outcome, Denied):
        return outcome
    _record(person, "account_code_on", now, deadline)
    return None


def end_code(person: Staff, password: str, code: str, now: float, deadline: Deadline) -> Denied | None:
    """No code any more; it takes the password and one last code."""
    entered = _proved(person, password, now, deadline)
    if isinstance(entered, Asked) and entered.challenge == TOTP:
        asked = entered
        entered = sign_in.counted(
            person.mail, lambda: sign_in.answered(person.mail, asked, code, now, deadline), now, deadline
        )
    if isinstance(entered, Denied):
        return entered
    if isinstance(entered, Asked):
        raise NotPossible("sign_in_again")
    _record(person, "account_code_off", now, deadline)
    staff_pool.end_totp(entered.access, deadline)
    return None


def begin_reminders(person: Staff, town: Town, now: float, deadline: Deadline) -> str:
    """A one-time link that opens the town's bot on Viber, where they say yes. Raises NotPossible: the town has none."""
    context = links.context(town.core["number"], token_urlsafe(links.SECRET_BYTES))
    link = going_on.viber_link(town, context)
    if link is None:
        raise NotPossible("no_viber")
    made = links.item_for_staff(town.slug, context, person.mail, person.by, now)
    act = audit.item(town.slug, Act(now, person.by, "account_chat_begun", person.id), token_hex(4))
    dynamo.transact([made, act], deadline)
    return link


def end_reminders(person: Staff, now: float, deadline: Deadline) -> None:
    """No reminders in a chat any more, and no word of which it was; the e-mails go on."""
    record = staff.load(person.town, person.mail, deadline)
    if record is None or not record.reminders:
        return
    said = consents.Consent(consents.REMINDERS, False, int(now), "console", person.by, OFF_WORDING)
    dynamo.transact(
        [
            staff.item_for(replace(record, reminders="")),
            people.reminded_no_more(person.town, record.reminders),
            consents.item(person.town, record.reminders, said),
            audit.item(person.town, Act(now, person.by, "account_chat_off", person.id), token_hex(4)),
        ],
        deadline,
    )


def otpauth(person: Staff, secret: str) -> str:
    """What the QR code says to an authenticator."""
    return f"otpauth://totp/{quote(ISSUER)}:{quote(person.mail)}?secret={secret}&issuer={quote(ISSUER)}"


# --- parts ------------------------------------------------------------------------------------------------------


def _proved(person: Staff, password: str, now: float, deadline: Deadline) -> Entered | Asked | Denied:
    return sign_in.counted(person.mail, lambda: staff_pool.enter(person.mail, password, deadline), now, deadline)


def _change(person: Staff, change: Callable[[Staff], Staff], what: str, now: float, deadline: Deadline) -> None:
    for _ in range(CHANGE_TRIES_MAX):
        record = staff.load(person.town, person.mail, deadline)
        if record is None:
            raise NotPossible("person_unknown")
        act = audit.item(person.town, Act(now, person.by, what, person.id), token_hex(4))
        try:
            dynamo.transact([staff.item_for(change(record)), act], deadline)
        except Conflict:
            continue
        return
    raise Conflict(person.id)


def _record(person: Staff, what: str, now: float, deadline: Deadline) -> None:
    audit.record(person.town, Act(now, person.by, what, person.id), token_hex(4), deadline)
