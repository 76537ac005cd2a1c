"""What the understanding says, in the labels of the public contract."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from chalicelib.tenancy.compile import TITLE_INTENT
from chalicelib.understanding.understand import Understood


def labelled(understood: Understood, compiled: Mapping[str, Any]) -> dict[str, Any]:
    """`intents` by platform label; a town's own choice is named by the intent that leads to it, if one does."""
    intents: list[dict[str, Any]] = []
    for name, score in understood.intents:
        label = _label(name, compiled["core"]["routes"])
        if label not in [entry["intent"] for entry in intents]:
            intents.append({"intent": label, "score": score})
    return {
        "intents": intents,
        "decision": understood.decision,
        "language": _language(understood.language, compiled),
        "script": understood.script or "latin",
        "entities": dict(understood.entities),
    }


def _label(name: str, routes: Mapping[str, list[str]]) -> str:
    if not name.startswith(TITLE_INTENT):
        return name
    choice = name.removeprefix(TITLE_INTENT)
    return next((intent for intent, choices in routes.items() if choice in choices), choice)


def _language(family: str | None, compiled: Mapping[str, Any]) -> str:
    native = str(compiled["core"]["languages"][0]["id"])
    return native if family in (None, "sr") else family
