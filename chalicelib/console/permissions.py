"""What a role may do. A page names its permission; what a role sees of cases is asked case by case."""

from __future__ import annotations

from chalicelib.model import Case, Staff

OPEN = "open"  # nobody signed in
OWN = "own"  # anybody signed in
CASES, CHATS, COUNTER, ANNOUNCE, APPROVE = "cases", "chats", "counter", "announce", "approve"
VOLUNTEERS, CONTENT, FIGURES, STAFF, AUDIT, TOWNS = "volunteers", "content", "figures", "staff", "audit", "towns"
KEYS = "keys"  # of the town's own systems
SYSTEMS = "systems"  # the town's own, that hear of cases
STEER = "steer"  # give a case to somebody, move its deadline

_ALL = ("clerk", "operator", "head", "coordinator", "admin")
MAY: dict[str, tuple[str, ...]] = {
    CASES: _ALL,
    CHATS: ("operator", "admin"),
    STEER: ("head", "admin"),
    COUNTER: ("clerk", "head", "admin"),
    ANNOUNCE: ("head", "admin"),
    APPROVE: ("head", "admin"),
    VOLUNTEERS: ("coordinator", "admin"),
    CONTENT: ("admin",),
    FIGURES: ("head", "admin"),
    STAFF: ("admin",),
    KEYS: ("admin",),
    AUDIT: ("admin",),
    SYSTEMS: ("admin",),
    TOWNS: ("platform",),
}
KNOWN = frozenset((OPEN, OWN, *MAY))
_KINDS = {
    "operator": ("chat", "question"),
    "coordinator": ("assistance", "volunteer"),
}


def may(role: str, permission: str) -> bool:
    """Whether somebody of this role may open a page with this permission."""
    return permission in (OPEN, OWN) or role in MAY.get(permission, ())


def sees(person: Staff, case: Case) -> bool:
    """Whether this case is this person's business: by kind for some roles, by office for others."""
    if person.role in _KINDS:
        return case.kind in _KINDS[person.role]
    if person.role in ("admin", "platform"):  # a platform admin gets to a case only by going into its town
        return True
    if person.role in ("clerk", "head"):
        mine = case.assignee is not None and case.assignee[:2] == ("staff", person.id)
        return mine or not person.offices or case.office in person.offices
    return False
