"""Staff of one town: who works there, in which role and for which offices, who stands in for whom.

`T#<town>#STAFF` / e-mail. Signing in is Cognito's business; what a person may see and do is decided by this record.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from chalicelib.model import ROLES, Staff
from chalicelib.storage import dynamo, keys
from chalicelib.storage.dynamo import Write
from chalicelib.wire import Deadline

TABLE = "people"
SHAPE = 1
PLATFORM = "platform"  # what stands for a town in the keys of those who look after all of them
STAFF_MAX = 500


def load(town: str, mail: str, deadline: Deadline) -> Staff | None:
    """One member of staff, by e-mail in any case; one read."""
    item = dynamo.get(TABLE, keys.staff(town), folded(mail), deadline)
    return from_item(item) if item else None


def all_of(town: str, deadline: Deadline) -> tuple[Staff, ...]:
    """Everybody who works in a town, by e-mail."""
    items = dynamo.page(TABLE, None, ("pk", keys.staff(town)), deadline, sort="sk", limit=STAFF_MAX)
    return tuple(from_item(item) for item in items)


def item_for(staff: Staff) -> Write:
    """The record after a change, as part of a transaction; Conflict if somebody was faster."""
    return Write(TABLE, _item(staff), expected_v=staff.v)


def save(staff: Staff, deadline: Deadline) -> None:
    """Write one record. Raises Conflict if somebody was faster, or if a new one is there already (`v` 0)."""
    dynamo.put(TABLE, _item(staff), deadline, expected_v=staff.v)


def folded(mail: str) -> str:
    """An e-mail address as the key it is."""
    return mail.strip().lower()


def from_item(item: Mapping[str, Any]) -> Staff:
    """A member of staff from the stored record."""
    return Staff(
        town=item["pk"].removeprefix("T#").removesuffix("#STAFF"),
        mail=item["sk"],
        id=item["id"],
        role=item["role"],
        name=item.get("name", ""),
        offices=tuple(item["offices"].split()) if item.get("offices") else (),
        deputy=item.get("deputy", ""),
        absent_until=item.get("absent_until", ""),
        language=item.get("language", ""),
        disabled=bool(item.get("disabled", False)),
        sessions=tuple(item["sessions"].split()) if item.get("sessions") else (),
        reminders=item.get("reminders", ""),
        v=item.get("v", 0),
    )


def _item(staff: Staff) -> dict[str, Any]:
    if staff.role not in ROLES:
        raise ValueError(f"no role {staff.role}; there are {', '.join(ROLES)}")
    return {
        "pk": keys.staff(staff.town),
        "sk": folded(staff.mail),
        "shape": SHAPE,
        "v": staff.v + 1,
        "id": staff.id,
        "role": staff.role,
        "name": staff.name or None,
        "offices": " ".join(staff.offices) or None,
        "deputy": folded(staff.deputy) or None,
        "absent_until": staff.absent_until or None,
        "language": staff.language or None,
        "disabled": True if staff.disabled else None,
        "sessions": " ".join(staff.sessions) or None,
        "reminders": staff.reminders or None,
    }
