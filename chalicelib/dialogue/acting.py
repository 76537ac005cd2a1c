"""Kinds of service that do something at once, without a form: what they say, cause and have remembered."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from chalicelib.dialogue.forms import Kind, Scene
from chalicelib.dialogue.slots import Heard
from chalicelib.model import Effect, Need, Say, Town


@dataclass(frozen=True)
class Act:
    """What taking a choice does. `state` replaces the conversation's memory; None leaves it as it is."""

    says: tuple[Say, ...]
    effects: tuple[Effect, ...] = ()
    state: Mapping[str, Any] | None = None
    counts: tuple[str, ...] = ()


class ActingKind(Kind, Protocol):
    """`act` is asked before `answer`; None means that there is no such choice (any more)."""

    def act(self, scene: Scene, service: str, item: str) -> Act | Need | None: ...


class ListeningKind(Kind, Protocol):
    """A kind with words of its own that mean one choice for certain, whatever the model makes of them."""

    def meant(self, town: Town, service: str, heard: Heard) -> str | None: ...
