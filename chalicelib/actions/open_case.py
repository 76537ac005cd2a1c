"""Files a case: routed to its office, with its deadline, the first entry of its history and the consent given.

A turn commits these items together with its conversation; whoever has no conversation uses `open_case`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from chalicelib.actions import pass_on, tell_systems, work_outbox
from chalicelib.actions.draw_ids import new_reference
from chalicelib.cases import lifecycle, routing
from chalicelib.model import Case, Town, Unavailable
from chalicelib.small_classes import replace
from chalicelib.storage import consents, dynamo, keys
from chalicelib.storage.cases import CaseStore
from chalicelib.storage.dynamo import Duplicate, Write
from chalicelib.wire import Deadline

REFERENCE_TRIES_MAX = 5
# The catalogue's text of the consent and its edition: raise it when the text changes. Some channels and kinds of case
# have a wording of their own.
CONSENT_WORDINGS = {
    "web": "consent_ask_web.1",
    "assistance": "aid_ask_consent.1",
    "volunteer": "vol_ask_consent.1",
}
CONSENT_WORDING = "consent_ask.1"


def completed(town: Town, case: Case, by: str, now: float) -> Case:
    """`case` as it is filed: received now, with an office and a deadline if it has none yet. Pure."""
    taken = routing.route(town.core, case.kind, case.category)
    office = case.office or taken.office
    due = case.due_at or routing.due_at(town.core, replace(taken, office=office), now)
    return lifecycle.opened(replace(case, created_at=int(now), office=office, due_at=due), by)


def consent(given: bool, now: float, channel: str, kind: str = "") -> consents.Consent:
    """A citizen's yes or no to notices, in the wording of the kind of case, else of the channel."""
    wording = CONSENT_WORDINGS.get(kind) or CONSENT_WORDINGS.get(channel, CONSENT_WORDING)
    return consents.Consent(consents.CASES, given, int(now), channel, lifecycle.CITIZEN, wording)


def items(
    case: Case, now: float, deadline: Deadline, *, agreed_before: bool = False, store: CaseStore | None = None
) -> list[Write]:
    """What must be written together for a completed case: itself, its file number, its owner's consent to notices.

    `agreed_before`: the consent stands on an earlier record, and no second one is made of it. `store`: one by which the
    town's systems hear of it.
    """
    writes = (store or CaseStore(case.tenant)).items_for_new(case, deadline)
    if case.consent and case.owner and not agreed_before:
        person = keys.person(case.owner.account, case.owner.citizen)
        writes.append(consents.item(case.tenant, person, consent(True, now, case.channel, case.kind)))
    return writes


def open_case(
    town: Town,
    make: Callable[[str], Case],
    deadline: Deadline,
    beside: Callable[[Case], Sequence[Write]] = lambda case: (),
    *,
    indexed: Callable[[Case], bool] = lambda case: False,
) -> Case:
    """File the case that `make` gives for a fresh reference; `indexed(case)` may write its search words beforehand and
    say so. Raises Duplicate when its file number is taken."""
    store = tell_systems.cases(town)
    for _ in range(REFERENCE_TRIES_MAX):
        case = make(new_reference(town))
        writes = (
            *store.items_for_new(case, deadline, indexed=indexed(case)),
            *beside(case),
            *pass_on.items(town, case, case.created_at),
        )
        try:
            dynamo.transact(writes, deadline)
            work_outbox.ring(writes, case.created_at, deadline, for_all=True)  # it is looked for at once
            return replace(case, v=1)
        except Duplicate as taken:
            if taken.pk != keys.case(town.slug, case.reference):
                raise
    raise Unavailable("no free reference")
