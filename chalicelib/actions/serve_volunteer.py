"""What a volunteer does about a call for help by the link they were sent, without an account.

Whoever has the link is the volunteer it was made for. What they do is what the buttons of a card do in a chat: the
same acts of `cases.helping`, told to the same people. A link that is none is as unknown as any other; one whose call is
over, that was revoked or ran out says so.
"""

from __future__ import annotations

import random
import time
from secrets import token_hex
from zoneinfo import ZoneInfo

from chalicelib.actions import call_by_link, call_volunteers, decide_volunteer, known, notify, seal
from chalicelib.cases import helping, references
from chalicelib.model import Case, Conflict, MoveHelp, Refused, Town, Unavailable, Volunteer
from chalicelib.small_classes import dataclass, replace
from chalicelib.storage import audit, volunteers
from chalicelib.storage.audit import Act
from chalicelib.storage.cases import CaseStore
from chalicelib.wire import Deadline

TRIES_MAX = 8
JITTER_SECONDS = 0.05
TAKE, BACK, DONE = ACTS = ("take", "back", "done")
HELD = ("mine", "done")  # standings in which the volunteer may read the details
_PLACES = {TAKE: helping.TASK, BACK: "", DONE: helping.TASK}  # what a chat of theirs remembers afterwards


@dataclass(frozen=True, slots=True)
class Asked:
    """A town, the request of a link, the volunteer it was made for, and how the request stands for them."""

    town: Town
    case: Case
    volunteer: Volunteer

    @property
    def standing(self) -> str:
        return helping.standing(self.case, self.volunteer)

    @property
    def by(self) -> str:
        return f"volunteer:{self.volunteer.id}"

    def in_clear(self, deadline: Deadline) -> Case:
        """The request as its page shows it. Raises Unavailable."""
        return seal.with_private(self.case, deadline)


class CallEnded(Refused):
    """The link was a real one; its call is over, or it was revoked."""

    def __init__(self, town: Town) -> None:
        super().__init__(410, "link_ended", "This link no longer opens anything.")
        self.town = town


def find(token: str, now: float, deadline: Deadline) -> Asked:
    """What a link opens. Raises Refused 404 for any that is none, CallEnded, Unavailable."""
    named = call_by_link.read(token, deadline)
    reference = references.normalise(named.reference) if named else None
    town = known.town(named.town, deadline) if named and reference else None
    if named is None or town is None or reference is None:
        raise Refused(404, "unknown_link", "There is nothing here.")
    case = CaseStore(town.slug).load(reference, deadline)
    called = helping.asked(case) if case and helping.round_of(case) == named.round else []
    if case is None or named.place >= len(called):
        raise CallEnded(town)
    volunteer = volunteers.load(town.slug, called[named.place], deadline)
    if volunteer is None or volunteer.links != named.links:
        raise CallEnded(town)
    asked = Asked(town, case, volunteer)
    if asked.standing == "unknown" or (named.until <= now and asked.standing != "mine"):
        raise CallEnded(town)
    return asked


def act(asked: Asked, verb: str, now: float, deadline: Deadline) -> Asked:
    """The request after what the volunteer did. Raises Refused 409 if it cannot be done (any more), Unavailable."""
    zone = ZoneInfo(asked.town.core["time_zone"])
    for attempt in range(TRIES_MAX):
        did = MoveHelp(asked.case.reference, verb, asked.volunteer)
        moved = helping.act(asked.case, did, asked.volunteer.at, now, zone) if verb in ACTS else None
        if moved is None:
            raise Refused(409, "changed_meanwhile", "This can no longer be done. Look again.")
        beside = [
            *notify.remembered(asked.town, asked.volunteer.at, asked.case.reference, _PLACES[verb], now, deadline),
            audit.item(asked.town.slug, Act(now, asked.by, f"link_{verb}", asked.case.reference), token_hex(4)),
        ]
        try:
            call_volunteers.commit(asked.town, moved, now, deadline, beside)
            return replace(asked, case=moved.case)
        except Conflict:
            time.sleep(random.random() * JITTER_SECONDS * (attempt + 1))
            asked = replace(asked, case=CaseStore(asked.town.slug).load(asked.case.reference, deadline) or asked.case)
    raise Unavailable("conflicts")


def stop(asked: Asked, now: float, deadline: Deadline) -> None:
    """No more links to this volunteer, by whatever way; the address goes. Raises Unavailable."""
    decide_volunteer.reach_by(asked.town.slug, asked.volunteer.id, "", asked.by, now, deadline, linked=False)
