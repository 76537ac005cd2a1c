"""A bot's own affairs, against the Viber simulator that checks what it gets."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from chalicelib.channels.viber.account import ViberAccount
from chalicelib.model import SendFailed
from infra.local.simulator import Simulator


@pytest.fixture
def viber(monkeypatch: pytest.MonkeyPatch) -> Iterator[Simulator]:
    posted = {"status": 200}
    with Simulator("http://127.0.0.1:9", {"a-town": "a-token"}, post=lambda *_: (posted["status"], b"")) as simulator:
        simulator.webhook_answers = posted  # type: ignore[attr-defined]
        monkeypatch.setenv("VIBER_API_URL", simulator.api_url)
        yield simulator


def test_the_account_tells_about_itself(viber: Simulator) -> None:
    assert ViberAccount("a-token", "A town").info()["status"] == 0


def test_a_webhook_that_answers_is_set(viber: Simulator) -> None:
    events = ViberAccount("a-token", "A town").receive_at("https://town.example/viber/a-town")
    assert "conversation_started" in events


def test_a_webhook_that_does_not_answer_is_a_named_failure(viber: Simulator) -> None:
    viber.webhook_answers["status"] = 500  # type: ignore[attr-defined]
    with pytest.raises(SendFailed) as failed:
        ViberAccount("a-token", "A town").receive_at("https://town.example/viber/a-town")
    assert not str(failed.value).startswith("http")


@pytest.mark.shows("A12")
def test_a_wrong_token_is_a_named_failure_and_stays_out_of_the_log(
    viber: Simulator, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(SendFailed) as failed:
        ViberAccount("another-token", "A town").info()
    assert "token_refused" in str(failed.value)
    assert "another-token" not in caplog.text
