"""A call for help by the second way: whom no chat carries it to gets a link, and only they do."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest

from chalicelib.actions import decide_volunteer
from chalicelib.storage import outbox
from chalicelib.wire import Deadline
from tests.neighbours import asks_for_help, got_card, passes, volunteers
from tests.world import World

MAIL = "ana@primer.example"
LINK = re.compile(r"https://salter\.example/help/(\S+)")


class Letters:
    """E-mails and SMS as they are written into the outbox."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, dict[str, str]]] = []


@pytest.fixture
def letters(monkeypatch: pytest.MonkeyPatch) -> Iterator[Letters]:
    kept, write = Letters(), outbox.write

    def noted(town: str, kind: str, body: Any, *more: Any, **named: Any) -> Any:
        made = write(town, kind, body, *more, **named)
        if kind in ("email", "sms"):
            kept.sent.append((kind, body))
        return made

    monkeypatch.setattr(outbox, "write", noted)
    yield kept


def reached_at(world: World, reference: str, mail: str = MAIL) -> None:
    decide_volunteer.reach_by(world.slug, reference, mail, "platform:test", world.now, Deadline(20))


def test_who_left_viber_gets_the_card_by_e_mail_without_name_phone_or_door(world: World, letters: Letters) -> None:
    (ana, _) = volunteers(world, "ana", "bane")
    reached_at(world, ana)
    world.calls({"event": "unsubscribed", "user_id": "ana", "timestamp": int(world.now * 1000), "message_token": 1})
    asks_for_help(world)
    passes(world)
    assert got_card(world, "bane") == ["bane"]
    ((kind, letter),) = letters.sent
    assert (kind, letter["to"], letter["subject"]) == ("email", MAIL, "Potrebna je pomoć: Hrana i namirnice")
    assert "2 vekne hleba" in letter["text"] and LINK.search(letter["text"])
    said = LINK.sub("", str(letter))
    assert not any(secret in said for secret in ("Mira", "Glavna", "063", "ana Prezime"))
