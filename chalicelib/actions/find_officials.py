"""Who of a town's staff hears of a case's deadline: its official or the office's clerks with their deputies, the head.

A member of staff without offices has them all. Where an office has nobody of a role, the next one up hears instead.
"""

from __future__ import annotations

from collections.abc import Sequence

from chalicelib.model import Case, Staff
from chalicelib.small_classes import replace

RECIPIENTS_MAX = 20
# Beside clerks, who works on cases of a kind.
_ALSO = {
    "question": ("operator",),
    "chat": ("operator",),
    "assistance": ("coordinator",),
    "volunteer": ("coordinator",),
}


def officials(staff: Sequence[Staff], case: Case, today: str) -> tuple[Staff, ...]:
    """Who has the case, or may take it, and who stands in for them. `today`: the town's ISO date."""
    assigned = case.assignee[1] if case.assignee and case.assignee[0] == "staff" else ""
    there = [member for member in staff if not member.disabled]
    having = [member for member in there if assigned and assigned in (member.id, member.mail)]
    having = having or _of(there, case.office, ("clerk", *_ALSO.get(case.kind, ())))
    having = having or _of(there, case.office, ("head",)) or _of(there, case.office, ("admin",))
    return _with_deputies(having, there, today)


def heads(staff: Sequence[Staff], case: Case, today: str) -> tuple[Staff, ...]:
    """Who leads the office that has the case."""
    there = [member for member in staff if not member.disabled]
    return _with_deputies(_of(there, case.office, ("head",)) or _of(there, case.office, ("admin",)), there, today)


def admins(staff: Sequence[Staff], today: str) -> tuple[Staff, ...]:
    """Who looks after the town's account."""
    return _with_deputies([one for one in staff if one.role == "admin" and not one.disabled], staff, today)


def _of(staff: Sequence[Staff], office: str, roles: tuple[str, ...]) -> list[Staff]:
    return [member for member in staff if member.role in roles and (not member.offices or office in member.offices)]


def _with_deputies(members: Sequence[Staff], staff: Sequence[Staff], today: str) -> tuple[Staff, ...]:
    """Each with their deputy, or the deputy alone while they are away; each person once."""
    found: dict[str, Staff] = {}
    known = {member.mail: member for member in staff}
    for member in members:
        deputy = known.get(member.deputy) or (replace(member, mail=member.deputy, name="") if member.deputy else None)
        away = member.absent_until >= today and deputy is not None
        for person in (*([] if away else [member]), *([deputy] if deputy else [])):
            found.setdefault(person.mail, person)
    return tuple(found.values())[:RECIPIENTS_MAX]
