"""What the understanding says, in the labels of the public contract."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from chalicelib.language.detect import language_of
from chalicelib.language.scripts import script_of
from chalicelib.understanding.understand import Understood


def labelled(text: str, understood: Understood, compiled: Mapping[str, Any]) -> dict[str, Any]:
    """What was `understood` of `text`.

    `intents` by platform label; a town's own choice that serves none of them keeps its own name."""
    return {
        "intents": [{"intent": intent, "score": score} for intent, score in understood.intents],
        "decision": understood.decision,
        "language": _language(language_of(text), compiled),
        "script": script_of(text) or "latin",
        "entities": dict(understood.entities),
        **({"also": understood.also} if understood.also else {}),
    }


def _language(family: str | None, compiled: Mapping[str, Any]) -> str:
    native = str(compiled["core"]["languages"][0]["id"])
    return native if family in (None, "sr") else family
