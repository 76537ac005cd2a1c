"""Hands a problem to a public company by e-mail: a signed link without an account, for some days, revocable.

What the company sees is subject, place and, if shared, photos and description; never who reported it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from secrets import token_hex, token_urlsafe

from chalicelib.actions import change_case, work_outbox
from chalicelib.actions.change_case import Superseded
from chalicelib.actions.work_case import ChangedMeanwhile
from chalicelib.cases import lifecycle, routing
from chalicelib.cases.lifecycle import Event
from chalicelib.integrations import email
from chalicelib.model import Case, Conflict, Refused, Staff, Town
from chalicelib.small_classes import dataclass, replace
from chalicelib.storage import audit, keys, orders, outbox
from chalicelib.storage.audit import Act
from chalicelib.storage.cases import CaseStore
from chalicelib.storage.dynamo import Write
from chalicelib.storage.orders import Order
from chalicelib.wire import Deadline

DAYS = (3, 7, 14, 30)
DAYS_USUAL = 14
PHOTOS, DESCRIPTION = "photos", "description"
SHARES = (PHOTOS, DESCRIPTION)
HANDED_KIND = "problem"  # any other kind of case is about a person
RECALLED = "recalled"
SECRET_BYTES = 24
MAIL_CHARS_MAX, NAME_CHARS_MAX = email.ADDRESS_CHARS_MAX, 80

# Order and token → the e-mail's subject and text.
Letter = Callable[[Order, str], Mapping[str, str]]


class NotHanded(Refused):
    """What was filled in cannot be sent; `code` says what is missing."""

    def __init__(self, code: str) -> None:
        super().__init__(422, code, "The order cannot be sent as it is.")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a member of staff filled in: an office of the directory or a typed name, its address, the days."""

    company: str = ""
    name: str = ""
    mail: str = ""
    days: int = DAYS_USUAL
    shares: tuple[str, ...] = SHARES


def possible(case: Case) -> bool:
    """Whether this case may be given to a company now."""
    return case.kind == HANDED_KIND and (
        case.status == "forwarded" or lifecycle.may(lifecycle.STAFF, case, "forwarded")
    )


def hand(
    town: Town,
    case: Case,
    person: Staff,
    wanted: Wanted,
    opened_as: int,
    letter: Letter,
    now: float,
    deadline: Deadline,
) -> Case:
    """The case forwarded, the order kept, the e-mail owed: all in one commit, with the citizen's notice.

    Raises NotHanded, NotAllowed, ChangedMeanwhile, Unavailable.
    """
    if not possible(case):
        raise NotHanded("hand_not_now")
    if opened_as and case.v != opened_as:
        raise ChangedMeanwhile(case)
    token = orders.token(town.slug, case.reference, token_urlsafe(SECRET_BYTES))
    order = _order(town, case, person, wanted, token, now)
    mail = {"to": order.mail, **letter(order, token)}
    beside = [
        orders.item(order),
        outbox.write(town.slug, "email", mail, now),
        audit.item(town.slug, Act(now, person.by, "handed", case.reference, {"order": order.id}), token_hex(4)),
    ]
    event = Event(
        int(now),
        person.by,
        status="forwarded",
        note=f"{order.name}, {order.mail}",
        forwarded_to=order.company or order.name,
    )
    changed = _changed(town, case, event, beside, now, deadline)
    work_outbox.ring(tuple(beside), now, deadline)
    return changed


def revoke(town: Town, case: Case, person: Staff, digest: str, now: float, deadline: Deadline) -> Case:
    """From here on the link opens nothing. Raises Refused, Unavailable."""
    order = orders.load(town.slug, case.reference, digest, now, deadline)
    if order is None:
        raise Refused(404, "unknown_order", "There is no such order.")
    if order.revoked_at:
        return case
    beside = [
        orders.item(replace(order, revoked_at=int(now))),
        audit.item(town.slug, Act(now, person.by, "order_revoked", case.reference, {"order": order.id}), token_hex(4)),
    ]
    return _changed(town, case, Event(int(now), person.by, name=RECALLED, note=order.name), beside, now, deadline)


def addresses(town: Town) -> dict[str, str]:
    """The offices of the directory whose e-mail the town gave: id → address."""
    found = {}
    for office in town.core["offices"]:
        mails = office.get("emails")
        if isinstance(mails, list) and mails:
            found[str(office["id"])] = str(mails[0])
    return found


# --- parts ------------------------------------------------------------------------------------------------------


def _order(town: Town, case: Case, person: Staff, wanted: Wanted, token: str, now: float) -> Order:
    company = wanted.company if any(office["id"] == wanted.company for office in town.core["offices"]) else ""
    name = _title(town, company) if company else " ".join(wanted.name.split())[:NAME_CHARS_MAX]
    mail = wanted.mail.strip()[:MAIL_CHARS_MAX] or addresses(town).get(company, "")
    if not name:
        raise NotHanded("hand_no_name")
    if not email.is_address(mail):
        raise NotHanded("hand_no_mail")
    if wanted.days not in DAYS:
        raise NotHanded("hand_no_days")
    return Order(
        town=town.slug,
        reference=case.reference,
        digest=keys.secret_digest(token),
        name=name,
        mail=mail,
        by=person.by,
        at=int(now),
        until=int(now) + wanted.days * 86400,
        company=company,
        shares=tuple(share for share in SHARES if share in wanted.shares),
    )


def _title(town: Town, office: str) -> str:
    return str(town.texts[town.native_language][f"{routing.contacts_service(town.core)}.{office}"])


def _changed(town: Town, case: Case, event: Event, beside: Sequence[Write], now: float, deadline: Deadline) -> Case:
    """The event with what belongs to it; if somebody was faster, they are told so and nothing is sent."""
    try:
        return change_case.change_case(
            town, case.reference, event, now, token_hex(4), deadline, lambda _: beside, lambda: False, only=case.v
        )
    except (Superseded, Conflict) as superseded:
        current = CaseStore(town.slug).load_whole(case.reference, deadline)
        raise ChangedMeanwhile(current or case) from superseded
