"""Whoever of the staff asks for what their role does not open, or what is not their town's, is on that town's record.

A page that stays open asks again and again; the same refusal is written once in a while.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from contextlib import suppress
from secrets import token_hex

from chalicelib.model import SalterError
from chalicelib.patterns import pattern
from chalicelib.storage import audit
from chalicelib.storage.audit import Act
from chalicelib.storage.sessions import Session
from chalicelib.wire import Deadline

WHAT = "refused"
AGAIN_SECONDS = 600.0
REMEMBERED_MAX = 1000
_ID = pattern(r"[A-Za-z0-9_.-]{1,60}")
_noted: dict[tuple[str, str, str], float] = {}
_lock = threading.Lock()


def note(session: Session, path: str, params: Mapping[str, str], now: float, deadline: Deadline) -> None:
    """`path` is the page's pattern, `params` what stood in its holes: kept only where it has the form of an id.

    A store that is silent does not change the answer.
    """
    about = " ".join(value for value in params.values() if _ID.fullmatch(value))
    if _is_known((session.digest, path, about), now):
        return
    act = Act(now, session.person.by, WHAT, about, {"page": path})
    with suppress(SalterError):
        audit.record(session.acting_for or session.person.town, act, token_hex(4), deadline)


def _is_known(what: tuple[str, str, str], now: float) -> bool:
    with _lock:
        if abs(now - _noted.get(what, -AGAIN_SECONDS)) < AGAIN_SECONDS:
            return True
        if len(_noted) >= REMEMBERED_MAX:
            _noted.clear()
        _noted[what] = now
        return False
