"""Acts that are no form and no sheet: buttons that change something for somebody, and the words that mean them.

A kind of service that has such acts says so by `ACTS`, the first part of their buttons' ids (`aid.` of
`aid.take.<reference>`), `act` (what is said and caused) and `meant` (the button that words or a photo stand for).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from chalicelib.dialogue.forms import Scene
from chalicelib.model import Effect, Need, Say


@dataclass(frozen=True)
class Acted:
    """What an act says and causes; `state` is the conversation's memory after it."""

    says: tuple[Say, ...]
    state: Mapping[str, Any]
    effects: tuple[Effect, ...] = ()


class ActingKind(Protocol):
    """A kind of service with acts."""

    ACTS: str

    def act(self, scene: Scene, service: str, choice: str) -> Acted | Need: ...
    def meant(self, scene: Scene) -> str | None: ...


def acted(scene: Scene, choice: str) -> Acted | Need | None:
    """What a button does, if it is somebody's act."""
    for service, kind in _kinds(scene):
        if choice.startswith(kind.ACTS):
            outcome: Acted | Need = kind.act(scene, service, choice)
            return outcome
    return None


def meant(scene: Scene) -> str | None:
    """The act that a message stands for, where this citizen may mean one."""
    return next((choice for _, kind in _kinds(scene) if (choice := kind.meant(scene))), None)


def _kinds(scene: Scene) -> Iterator[tuple[str, Any]]:
    for service in scene.town.core["services"]:
        kind = scene.kind_of(service)
        if hasattr(kind, "ACTS"):
            yield service, kind
