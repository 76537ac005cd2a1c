"""Kinds of service that do something at once, without a form: what they say, cause and have remembered."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from chalicelib.dialogue.forms import Kind, Scene
from chalicelib.model import Effect, Need, Say
from chalicelib.small_classes import dataclass


@dataclass(frozen=True)
class Act:
    """What taking a choice does. `state` replaces the conversation's memory; None leaves it as it is. `forgets` as in
    a Turn."""

    says: tuple[Say, ...]
    effects: tuple[Effect, ...] = ()
    state: Mapping[str, Any] | None = None
    counts: tuple[str, ...] = ()
    forgets: str = ""


class ActingKind(Kind, Protocol):
    """`act` is asked before `answer`; None means that there is no such choice (any more).

    Its buttons begin with the service's own name, or with what the kind has as `ACTS` (`aid.`); `item` is the rest.
    """

    def act(self, scene: Scene, service: str, item: str) -> Act | Need | None: ...


class ListeningKind(Kind, Protocol):
    """A kind with words of its own, or a photo, that mean one choice for certain, whatever the model makes of them."""

    def meant(self, scene: Scene, service: str) -> str | None: ...


def acted(scene: Scene, choice: str) -> Act | Need | None:
    """What a choice does at once, if it is of a kind that does things."""
    name = choice.partition("~")[0]
    for service, kind in _kinds(scene, "act"):
        start = getattr(kind, "ACTS", "")
        if start and choice.startswith(start):
            item = choice.removeprefix(start)
        elif not start and name.partition(".")[0] == service:
            item = name.partition(".")[2]
        else:
            continue
        outcome: Act | Need | None = kind.act(scene, service, item)
        return outcome
    return None


def meant(scene: Scene) -> str | None:
    """The choice that a message stands for, where some service knows these words for one of its own."""
    return next((choice for service, kind in _kinds(scene, "meant") if (choice := kind.meant(scene, service))), None)


def _kinds(scene: Scene, able: str) -> tuple[tuple[str, Any], ...]:
    """The town's services of a kind that is able to do this, and their kinds."""
    found: tuple[tuple[str, Any], ...] = scene.town.once(("acting", able), lambda: _found(scene, able))
    return found


def _found(scene: Scene, able: str) -> tuple[tuple[str, Any], ...]:
    kinds = ((service, scene.kind_of(service)) for service in scene.town.core["services"])
    return tuple((service, kind) for service, kind in kinds if hasattr(kind, able))
