"""A bot small enough to see through: it keeps each callback it gets and answers what the test tells it to."""

import http.client
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import urlsplit

TOKEN = "a-token-for-tests"
ACCOUNT = "proba"


@dataclass
class Heard:
    """One callback as it arrived."""

    path: str
    body: bytes
    signature: str | None

    @property
    def event(self) -> dict[str, Any]:
        event: dict[str, Any] = json.loads(self.body)
        return event


@dataclass
class Bot:
    """What stands at the other end of the webhook. `answers` is called once for each callback."""

    heard: list[Heard] = field(default_factory=list)
    answers: Callable[[Heard], tuple[int, bytes]] = lambda heard: (200, b"")
    url: str = ""

    def events(self, name: str | None = None) -> list[dict[str, Any]]:
        return [one.event for one in self.heard if name in (None, one.event["event"])]

    def welcomes_with(self, message: Any) -> None:
        welcome = json.dumps(message).encode()
        self.answers = lambda heard: (200, welcome if b"conversation_started" in heard.body else b"")


@dataclass
class Answer:
    """What Viber's API said."""

    code: int
    raw: bytes

    @property
    def json(self) -> dict[str, Any]:
        answer: dict[str, Any] = json.loads(self.raw)
        return answer

    @property
    def status(self) -> int:
        return int(self.json["status"])


Call = Callable[..., Answer]


@contextmanager
def listening(bot: Bot) -> Iterator[Bot]:
    """Lets the bot answer on a loopback port of its own."""

    class Door(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            raw = self.rfile.read(int(self.headers["Content-Length"]))
            heard = Heard(self.path, raw, self.headers.get("x-viber-content-signature"))
            bot.heard.append(heard)
            code, answer = bot.answers(heard)
            self.send_response(code)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, format: str, *args: Any) -> None:
            """The test looks at `heard`."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Door)
    bot.url = f"http://127.0.0.1:{server.server_address[1]}"
    Thread(target=server.serve_forever, args=(0.005,), daemon=True).start()
    try:
        yield bot
    finally:
        server.shutdown()
        server.server_close()


def request(
    url: str, body: bytes | None = None, headers: dict[str, str] | None = None, *, timeout: float = 5
) -> Answer:
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=timeout)
    try:
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        connection.request("GET" if body is None else "POST", path, body, headers or {})
        answer = connection.getresponse()
        return Answer(answer.status, answer.read())
    finally:
        connection.close()


def text_to(receiver: str, **more: Any) -> dict[str, Any]:
    return {"receiver": receiver, "type": "text", "text": "Dobar dan", "sender": {"name": "Grad Proba"}, **more}


def keyboard(*buttons: dict[str, Any], **more: Any) -> dict[str, Any]:
    buttons = buttons or ({"ActionBody": "menu", "Text": "Meni"},)
    return {"Type": "keyboard", "Buttons": list(buttons), **more}
