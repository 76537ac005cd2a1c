"""What the understanding says, in the labels of the public contract."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from chalicelib.understanding.understand import Understood


def labelled(understood: Understood, compiled: Mapping[str, Any]) -> dict[str, Any]:
    """`intents` by platform label; a town's own choice that serves none of them keeps its own name."""
    return {
        "intents": [{"intent": intent, "score": score} for intent, score in understood.intents],
        "decision": understood.decision,
        "language": _language(understood.language, compiled),
        "script": understood.script or "latin",
        "entities": dict(understood.entities),
        **({"also": understood.also} if understood.also else {}),
    }


def _language(family: str | None, compiled: Mapping[str, Any]) -> str:
    native = str(compiled["core"]["languages"][0]["id"])
    return native if family in (None, "sr") else family
