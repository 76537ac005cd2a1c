"""A bot's own affairs at Viber: its webhook and what Viber knows about it. For the platform admin, not for turns.

Calls and their bodies are viberbot's; the way out is ours, because the library's own has no time-out, follows
redirects and writes token and text into the log when a call fails.
"""

from __future__ import annotations

import json
import logging
from contextlib import suppress
from typing import Any

from viberbot import Api, BotConfiguration
from viberbot.api.api_request_sender import ApiRequestSender
from viberbot.api.message_sender import MessageSender

from chalicelib import wire
from chalicelib.channels.viber.send import post
from chalicelib.model import SendFailed

ADMIN_SECONDS_MAX = 20.0
# Only events somebody uses; message, subscribed and unsubscribed always come. Notices are followed by seen and failed,
# announcements by delivered, too.
EVENTS = ["conversation_started", "delivered", "seen", "failed"]
_MUTED = logging.getLogger("salter.viberbot")
_MUTED.disabled = True


class ViberAccount(Api):  # type: ignore[misc]
    """viberbot's account calls over our transport. Raises SendFailed, whose reason names Viber's status."""

    def __init__(self, token: str, name: str) -> None:
        configuration = BotConfiguration(auth_token=token, name=name, avatar=None)
        super().__init__(configuration)
        self._logger = _MUTED
        self._request_sender = _OurTransport(_MUTED, "", configuration, "salter")
        self._message_sender = MessageSender(_MUTED, self._request_sender, configuration)

    def receive_at(self, url: str) -> list[str]:
        """Make `url` the bot's webhook (Viber calls it at once and wants a 200). Returns the events Viber will send."""
        try:
            return list(self.set_webhook(url, EVENTS))
        except KeyError as error:
            raise SendFailed("webhook_refused", retryable=False) from error

    def call_nowhere(self) -> None:
        """Take the bot's webhook away; nobody can write to it until another is set."""
        with suppress(KeyError):  # after a removal Viber names no events
            self.unset_webhook()

    def info(self) -> dict[str, Any]:
        """What Viber knows about the bot: id, name, uri, webhook, subscribers. A question, nothing is changed."""
        return dict(self.get_account_info())


class _OurTransport(ApiRequestSender):  # type: ignore[misc]
    def post_request(self, endpoint: str, payload: str) -> dict[str, Any]:
        body = json.loads(payload)
        token = body.pop("auth_token")
        return post(endpoint, body, token, wire.Deadline(ADMIN_SECONDS_MAX), ADMIN_SECONDS_MAX)
