"""A simulator, a small bot at the other end of its webhook, and somebody who chats."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from infra.local.simulator import Citizen, Simulator
from tests.simulator.bot import ACCOUNT, TOKEN, Answer, Bot, Call, listening, request


@pytest.fixture
def bot() -> Iterator[Bot]:
    with listening(Bot()) as bot:
        yield bot


@pytest.fixture
def viber(bot: Bot) -> Iterator[Simulator]:
    with Simulator(bot.url, {ACCOUNT: TOKEN}, repeats=(0.01, 0.01, 0.01)) as viber:
        yield viber


@pytest.fixture
def mira(viber: Simulator) -> Citizen:
    """Somebody who has written once, so that the bot may write back."""
    return viber.citizen(ACCOUNT, name="Mira", subscribed=True)


@pytest.fixture
def call(viber: Simulator) -> Call:
    """Calls Viber's API as the product does."""

    def call(method: str, body: Any, token: str | None = TOKEN) -> Answer:
        raw = body if isinstance(body, bytes) else json.dumps(body, ensure_ascii=False).encode()
        return request(f"{viber.api_url}/{method}", raw, {"X-Viber-Auth-Token": token} if token else {})

    return call
