"""What goes another way than by chat: e-mails and SMS as they are written down, before anybody sends them."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

import pytest

from chalicelib.actions import decide_volunteer, seal
from chalicelib.storage import outbox
from chalicelib.wire import Deadline
from tests.world import World

LINK = re.compile(r"https://salter\.example(/help/\S+)")


@dataclass
class Letters:
    """Each with its kind ("email", "sms")."""

    all: list[tuple[str, dict[str, str]]] = field(default_factory=list)

    def to(self, address: str) -> list[dict[str, str]]:
        return [body for _, body in self.all if body["to"] == address]

    def link(self, address: str) -> str:
        """The path of the newest link that went to an address."""
        found = [found[1] for body in self.to(address) if (found := LINK.search(body["text"]))]
        return found[-1]


def caught(monkeypatch: pytest.MonkeyPatch) -> Letters:
    """Whatever is owed by e-mail or SMS from here on, with its text as it would go out."""
    kept, write = Letters(), outbox.write

    def noted(town: str, kind: str, body: Any, *more: Any, **named: Any) -> Any:
        made = write(town, kind, body, *more, **named)
        if kind in ("email", "sms"):
            kept.all.append((kind, {**body, "text": seal.text_of(body, town, Deadline(20))}))
        return made

    monkeypatch.setattr(outbox, "write", noted)
    return kept


def reached_at(world: World, reference: str, mail: str) -> None:
    """From here on a volunteer has this address."""
    decide_volunteer.reach_by(world.slug, reference, mail, "platform:test", world.now, Deadline(20))
