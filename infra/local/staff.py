"""Staff of the local stack: every role in every town, under well-known addresses and one password."""

import os
from collections.abc import Sequence

from chalicelib.model import ROLES, Staff
from chalicelib.storage import staff, staff_pool
from chalicelib.storage.staff import PLATFORM
from chalicelib.wire import Deadline
from infra.local.stack import STAGE

PASSWORD = "local-Password-1"
CALL_SECONDS = 5.0


def ensure_local_staff(slugs: Sequence[str]) -> None:
    """`ROLE@SLUG.local` for every role, and `platform@salter.local`. Refuses on any other stage."""
    if os.environ.get("SALTER_STAGE") != STAGE:
        raise RuntimeError(f"local staff belongs to stage {STAGE} alone")
    for slug in slugs:
        for role in ROLES:
            if role != PLATFORM:
                _ensure(Staff(slug, f"{role}@{slug}.local", f"{role}-{slug}", role))
    _ensure(Staff(PLATFORM, "platform@salter.local", "platform", PLATFORM))


def _ensure(person: Staff) -> None:
    if staff.load(person.town, person.mail, Deadline(CALL_SECONDS)):
        return
    staff_pool.invite(person.mail, person.town, PASSWORD, Deadline(CALL_SECONDS))
    staff_pool.set_password(person.mail, PASSWORD, Deadline(CALL_SECONDS), lasting=True)
    staff.save(person, Deadline(CALL_SECONDS))
