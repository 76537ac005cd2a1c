"""Staff's word on a volunteer: approve a sign-up, suspend somebody. Told to the volunteer in the same commit, and on
record in the town's audit trail."""

from __future__ import annotations

import random
import time
from secrets import token_hex

from chalicelib.actions import known, notify, tell_systems
from chalicelib.cases import lifecycle, references
from chalicelib.cases.lifecycle import Event
from chalicelib.integrations import email
from chalicelib.model import Case, Conflict, Refused, SalterError, Town, Unavailable, Volunteer
from chalicelib.services import volunteer as signing_up
from chalicelib.small_classes import dataclass, replace
from chalicelib.storage import audit, dynamo, volunteers
from chalicelib.storage.audit import Act
from chalicelib.storage.cases import CaseStore
from chalicelib.wire import Deadline

TRIES_MAX = 8
JITTER_SECONDS = 0.05
WAITING_MAX = 200  # sign-ups shown at once
APPROVED, SUSPENDED, LEFT = "approved", "suspended", "left"


class NoVolunteer(SalterError):
    """The town has no sign-up or volunteer under this reference."""


@dataclass(frozen=True, slots=True)
class Decided:
    """The volunteer as decided, and whether anything changed."""

    volunteer: Volunteer
    changed: bool


def waiting(slug: str, deadline: Deadline) -> list[Case]:
    """Sign-ups nobody has decided on, oldest first."""
    return list(CaseStore(slug).listed_apart(signing_up.KIND, WAITING_MAX, deadline))


def decide(slug: str, reference: str, state: str, by: str, now: float, deadline: Deadline) -> Decided:
    """Make the volunteer of this sign-up `approved` or `suspended`. `by`: "staff:<id>", "platform:<id>".

    Raises NoVolunteer, Unavailable.
    """
    town = known.town(slug, deadline)
    normalised = references.normalise(reference)
    if town is None or normalised is None:
        raise NoVolunteer(reference)
    for attempt in range(TRIES_MAX):
        case = CaseStore(slug).load(normalised, deadline)
        if case is None or case.kind != signing_up.KIND or case.owner is None:
            raise NoVolunteer(reference)
        try:
            return _decided(town, case, state, by, now, deadline)
        except Conflict:
            time.sleep(random.random() * JITTER_SECONDS * (attempt + 1))
    raise Unavailable("conflicts")


def reach_by(
    slug: str, reference: str, mail: str, by: str, now: float, deadline: Deadline, *, linked: bool = True
) -> Volunteer:
    """Where a link goes when the chat does not carry a call: an e-mail address, "" for none. Links sent so far open
    nothing any more. `linked` False: none may go out at all, until an address is given again.

    Raises NoVolunteer, Refused 422 for what is no address, Unavailable.
    """
    written = mail.strip()
    if written and not email.is_address(written):
        raise Refused(422, "mail_wrong", "This is no e-mail address.", "mail")
    for attempt in range(TRIES_MAX):
        volunteer = _known(slug, reference, deadline)
        after = replace(volunteer, mail=written, linked=linked, links=volunteer.links + 1)
        act = Act(now, by, "volunteer_mail" if written else "volunteer_mail_off", volunteer.id)
        try:
            dynamo.transact([*volunteers.items(slug, after, now), audit.item(slug, act, token_hex(8))], deadline)
            return replace(after, v=after.v + 1)
        except Conflict:
            time.sleep(random.random() * JITTER_SECONDS * (attempt + 1))
    raise Unavailable("conflicts")


def _known(slug: str, reference: str, deadline: Deadline) -> Volunteer:
    """The volunteer of this sign-up, who was approved once and has not left."""
    normalised = references.normalise(reference)
    case = CaseStore(slug).load(normalised, deadline) if normalised else None
    found = volunteers.load(slug, case.owner, deadline) if case and case.owner else None
    if found is None or found.id != normalised or found.state == LEFT:
        raise NoVolunteer(reference)
    return found


def _decided(town: Town, case: Case, state: str, by: str, now: float, deadline: Deadline) -> Decided:
    wanted = signing_up.approved(case)
    stored = volunteers.load(town.slug, wanted.at, deadline)
    if stored is None and state == SUSPENDED:
        raise NoVolunteer(case.reference)
    if stored and stored.id == case.reference:
        if stored.state == state:
            return Decided(stored, changed=False)
        wanted = replace(stored, state=state)
    elif stored and stored.state != LEFT:  # signed up anew: where a link goes is as it was
        wanted = replace(wanted, mail=stored.mail, linked=stored.linked, links=stored.links)
    wanted = replace(wanted, state=state, v=stored.v if stored else 0)
    say = signing_up.welcome(case.reference) if state == APPROVED else signing_up.suspended()
    notice = notify.notice_to(town, wanted.at, say, now, deadline, request=("", ""), voice=case.voice)
    notes = (notice,) if notice else ()
    writes = [
        *volunteers.items(town.slug, wanted, now, stored.areas if stored else ()),
        *_closed(town, case, state, by, now, deadline),
        *notify.items(notes, now),
        audit.item(town.slug, Act(now, by, f"volunteer_{state}", case.reference), token_hex(8)),
    ]
    dynamo.transact(writes, deadline)
    notify.send(notes, now, token_hex(4), deadline)
    return Decided(wanted, changed=True)


def _closed(town: Town, case: Case, state: str, by: str, now: float, deadline: Deadline) -> list[dynamo.Write]:
    """The sign-up is dealt with once it is approved."""
    if state != APPROVED or not lifecycle.is_open(case):
        return []
    role = by if by.partition(":")[0] == lifecycle.STAFF else f"{lifecycle.STAFF}:{by.replace(':', '-')}"
    after = lifecycle.change(case, Event(int(now), role, status="resolved"))
    return tell_systems.cases(town).items_for_change(after, deadline)
