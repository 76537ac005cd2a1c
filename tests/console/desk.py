"""A member of staff at the console, in this process: signed in, with cookies, a CSRF token and forms."""

from __future__ import annotations

import re
from dataclasses import dataclass
from secrets import token_urlsafe
from urllib.parse import urlencode

from chalice.test import Client

import app
from chalicelib.console.door import COOKIE, csrf_of
from chalicelib.model import Staff
from chalicelib.storage import sessions, staff
from chalicelib.wire import Deadline
from tests.world import World

HOST = "salter.example"


@dataclass(frozen=True)
class Shown:
    """A page as a browser got it."""

    status: int
    text: str
    headers: dict[str, str]

    @property
    def words(self) -> str:
        """The text without its markup."""
        return " ".join(re.sub(r"<[^>]+>", " ", self.text).split())


class Desk:
    """Somebody of the world's town with this role, at work."""

    def __init__(self, world: World, role: str = "clerk", offices: tuple[str, ...] = (), voice: str = "sr") -> None:
        self.world, self.voice = world, voice
        self.person = Staff(world.slug, f"{role}-{token_urlsafe(4)}@primer.example", f"{role}1", role, offices=offices)
        staff.save(self.person, Deadline(10))
        stored = staff.load(world.slug, self.person.mail, Deadline(10))
        assert stored is not None
        self.word = sessions.word(world.slug, token_urlsafe(32))
        sessions.open_session(stored, self.word, world.now, Deadline(10))

    def opens(self, path: str, **headers: str) -> Shown:
        return self._asks("GET", path, headers, b"")

    def sends(self, path: str, **fields: str) -> Shown:
        body = urlencode({"csrf": csrf_of(self.word)} | fields).encode()
        return self._asks("POST", path, {"Content-Type": "application/x-www-form-urlencoded"}, body)

    def _asks(self, method: str, path: str, headers: dict[str, str], body: bytes) -> Shown:
        cookies = f"{COOKIE}={self.word}; salter_voice={self.voice}"
        headers = {"Cookie": cookies, "Host": HOST, "X-Forwarded-Proto": "https"} | headers
        with Client(app.app) as client:
            answer = client.http.request(method, path, headers=headers, body=body)
        return Shown(answer.status_code, answer.body.decode(), dict(answer.headers))
