"""Short ways for a test to be a citizen."""

from __future__ import annotations

import itertools
from typing import Any

from chalicelib.model import Inbound, Media, Message
from infra.proofs import Stage

_ids = itertools.count(1)


def says(scene: Stage, *texts: str) -> Message:
    """Types one message after the other; the last answer."""
    for text in texts:
        scene.say(_inbound(text=text))
    return scene.messages[-1]


def presses(scene: Stage, *choices: str) -> Message:
    """Presses buttons by their id."""
    for choice in choices:
        scene.say(_inbound(kind="choice", choice=choice))
    return scene.messages[-1]


def sends_photo(scene: Stage, *names: str, caption: str = "", kind: str = "photo", size: int = 0) -> Message:
    for name in names:
        scene.say(_inbound(kind="attachment", media=Media(kind, name, size=size), text=caption))
    return scene.messages[-1]


def sends_pin(scene: Stage, latitude: float, longitude: float) -> Message:
    return scene.say(_inbound(kind="location", place=(latitude, longitude)))[-1]


def sends(scene: Stage, kind: str, **fields: Any) -> Message:
    return scene.say(_inbound(kind=kind, **fields))[-1]


def buttons(message: Message) -> set[str]:
    return set(dict(message.choices))


def heard(scene: Stage) -> str:
    """Everything of the last turn."""
    return "\n".join(message.text for message in scene.messages)


def waits(scene: Stage, minutes: float) -> None:
    scene.now += 60 * minutes


def _inbound(**fields: Any) -> Inbound:
    return Inbound(id=f"m{next(_ids)}", citizen="c", **fields)
