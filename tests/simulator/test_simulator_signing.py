"""Callbacks carry Viber's signature over exactly the bytes that travel."""

import pytest

from infra.local.simulator import Simulator, sign
from infra.local.simulator.callbacks import as_bytes
from tests.simulator.bot import ACCOUNT, TOKEN, Bot

KEY = "test-token-0001-not-a-real-one"
WEBHOOK = {
    "event": "webhook",
    "timestamp": 1763700000000,
    "chat_hostname": "SN-CHAT-02_",
    "message_token": 6017000000000000001,
}
MESSAGE = {
    "event": "message",
    "timestamp": 1763700000123,
    "chat_hostname": "SN-CHAT-02_",
    "message_token": 6017000000000000123,
    "sender": {"id": "bWlyYS10ZXN0LXVzZXItMQ==", "name": "Mira Š.", "api_version": 10},
    "message": {"type": "text", "text": "Pukla cijev 🚰", "tracking_data": ""},
    "silent": False,
}


@pytest.mark.parametrize(
    ("event", "signature"),
    [
        (WEBHOOK, "de06dc87810a7b5e94019f4149decd66d1c8f626511301c28fb4bbcfab4c9b88"),
        (MESSAGE, "05108cfdc2cc335a3fecbcdd110e179a8eaa2ee514b2b15a2463c1faf59be90b"),
    ],
    ids=["webhook", "message"],
)
def test_signatures_match_the_known_vectors(event: dict[str, object], signature: str) -> None:
    assert sign(KEY, as_bytes(event)) == signature


def test_every_callback_is_signed_over_the_bytes_that_were_sent(viber: Simulator, bot: Bot) -> None:
    mira = viber.citizen(ACCOUNT)
    for act in (mira.opens, mira.subscribes, mira.sends_sticker, mira.unsubscribes):
        act()
    mira.says("Шта треба за извод? 🚰")
    assert len(bot.heard) == 5
    assert all(one.path == f"/viber/{ACCOUNT}" and one.signature == sign(TOKEN, one.body) for one in bot.heard)


def test_a_test_can_forge_or_leave_out_the_signature(viber: Simulator, bot: Bot) -> None:
    viber.post(ACCOUNT, b"{}", signature="00" * 32)
    viber.post(ACCOUNT, b"{}", signature="")
    viber.post(ACCOUNT, b"\xff not json")
    assert [one.signature for one in bot.heard] == ["00" * 32, None, sign(TOKEN, b"\xff not json")]
