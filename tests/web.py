"""A visitor of the web chat, in this process."""

from __future__ import annotations

import itertools
import json
from typing import Any

from chalicelib.actions import web_chat
from chalicelib.channels import Request
from tests.world import World

_ids = itertools.count(1)


class Visitor:
    """Opens a session with the world's town and talks."""

    def __init__(self, world: World, **opening: Any) -> None:
        self.world = world
        opened = web_chat.open_session(world.slug, Request(json.dumps(opening).encode(), {}, {}), world.now)
        self.session, self.token, self.welcome = opened["session"], opened["token"], opened["messages"]

    def posts(self, **fields: Any) -> list[dict[str, Any]]:
        body = {"id": f"m{next(_ids)}"} | fields
        return list(web_chat.post_message(self.world.slug, self.request(body), self.world.now)["messages"])

    def says(self, text: str, **fields: Any) -> list[dict[str, Any]]:
        return self.posts(type="text", text=text, **fields)

    def chooses(self, choice: str, **fields: Any) -> list[dict[str, Any]]:
        return self.posts(type="choice", choice=choice, **fields)

    def fetches(self, after: str = "") -> list[dict[str, Any]]:
        request = Request(b"", {"authorization": f"Bearer {self.token}"}, {"after": after} if after else {})
        return list(web_chat.fetch_messages(self.world.slug, request, self.world.now)["messages"])

    def request(self, body: dict[str, Any]) -> Request:
        return Request(json.dumps(body).encode(), {"authorization": f"Bearer {self.token}"}, {})
