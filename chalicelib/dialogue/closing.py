"""A town that is not open to somebody: suspended, or in trial and they are no tester. One polite line instead of
services; danger, own data, a person already on the line, and helping that has begun go on. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from chalicelib.dialogue import chat
from chalicelib.model import Line, Say

LIVE, TRIAL, SUSPENDED = "live", "trial", "suspended"
TESTER = "tester"  # in a conversation's memory: since when, in epoch seconds
UNCOUNTED = "uncounted"  # what staff and testers say is in no figures
HELPING = ("aid", "vol")  # choices of volunteers
_LINES = {TRIAL: "town_trial", SUSPENDED: "town_suspended"}


def why(state: str, memory: Mapping[str, Any]) -> str:
    """Why a town in this state gives this person no service; "" where it does."""
    if state == SUSPENDED:
        return SUSPENDED
    return TRIAL if state == TRIAL and not memory.get(TESTER) else ""


def as_tester(memory: Mapping[str, Any], now: float) -> dict[str, Any]:
    """The memory of somebody who is let into a trial."""
    return {**memory, TESTER: int(now), UNCOUNTED: True}


def polite_line(reason: str) -> Say:
    """That nothing is done here now, and where to turn."""
    return Say(lines=(Line(_LINES[reason]),), choices=chat.choices("emergency"))
