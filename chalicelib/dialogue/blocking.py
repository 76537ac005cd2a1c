"""Somebody whom the town's staff blocked: a polite line instead of services; danger and own data stay open to them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from chalicelib.dialogue import chat
from chalicelib.model import Line, Say, Town

STATE = "blocked"
MAY = ("my_data", "consent", "language", "emergency")  # choices, by the part before the first dot
MAY_INTENTS = ("settings.",)


def is_blocked(state: Mapping[str, Any]) -> bool:
    return bool(state.get(STATE))


def blocked(state: Mapping[str, Any], at: float) -> dict[str, Any]:
    return {**state, STATE: int(at)}


def unblocked(state: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in state.items() if name != STATE}


def polite_line(town: Town) -> Say:
    """That no service is given here now, what is, and where to turn."""
    return Say(lines=(Line("blocked_person"),), choices=chat.choices("emergency", "my_data"))
