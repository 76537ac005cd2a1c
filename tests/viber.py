"""A Viber API of our own for tests: takes what the product sends, answers by script, signs callbacks as Viber does."""

from __future__ import annotations

import hashlib
import hmac
import itertools
import json
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from chalicelib.channels import Request

_tokens = itertools.count(6_017_000_000_000_000_000)
TAKEN = {"status": 0, "status_message": "ok"}
DROP = "drop the connection after taking the message"
SILENT = "never answer"
CUT = "break off in the middle of the answer"


class Window:
    """Viber's bound on how many calls it takes from an account in so many seconds; the others are refused."""

    def __init__(self, calls: int, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self.calls, self.seconds, self.clock = calls, seconds, clock
        self.refused, self.busiest = 0, 0
        self._taken: list[float] = []
        self._one_by_one = threading.Lock()

    def takes_one(self) -> bool:
        with self._one_by_one:
            now = self.clock()
            self._taken = [at for at in self._taken if at > now - self.seconds]
            if len(self._taken) >= self.calls:
                self.refused += 1
                return False
            self._taken.append(now)
            self.busiest = max(self.busiest, len(self._taken))
            return True


class FakeViber:
    """Listens on loopback. `script` holds what the next calls of send_message get: an answer, an HTTP status, DROP
    or CUT.

    `webhook` is where it would call; while one is being set, `probe` is asked for the status that address answers with.
    """

    def __init__(self) -> None:
        self.sent: list[dict[str, Any]] = []
        self.asked: list[str] = []
        self.headers: list[dict[str, str]] = []
        self.script: list[Any] = []
        self.broadcasts: list[dict[str, Any]] = []
        self.broadcast_script: list[Any] = []
        self.otherwise: Any = None
        self.webhook = ""
        self.webhooks: list[str] = []
        self.probe: Callable[[str], int] = lambda url: 200
        self.connections = 0
        self.takes: dict[str, float] = {}  # method → seconds until it answers
        self.window: Window | None = None  # what it takes in a stretch of time, whatever the method
        # Other tests may have left lanes that a sweep finds: their messages are refused and not written down.
        self.token: str | None = None
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/pa"
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def texts(self, citizen: str | None = None) -> list[str]:
        return [body.get("text", "") for body in self.sent if citizen in (None, body["receiver"])]

    def _handler(fake) -> type[BaseHTTPRequestHandler]:  # noqa: N805
        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def setup(self) -> None:
                super().setup()
                fake.connections += 1

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["content-length"])))
                method = self.path.rpartition("/")[2]
                if fake.token and self.headers["x-viber-auth-token"] != fake.token:
                    self._answer({"status": 2})
                    return
                fake.asked.append(method)
                fake.headers.append({name.lower(): value for name, value in self.headers.items()})
                time.sleep(fake.takes.get(method, 0.0))
                step = fake._over() or fake._next(method)
                if step is None and method in ("set_webhook", "get_account_info"):
                    step = fake._about_webhook(method, body)
                if method == "broadcast_message" and step is None and not _is_broadcast(body):
                    step = {"status": 3}
                taken = step is None or step in (DROP, CUT) or isinstance(step, dict) and step.get("status") == 0
                if method == "send_message" and taken:
                    fake.sent.append(body)
                if method == "broadcast_message" and taken:
                    fake.broadcasts.append(body)
                if step in (DROP, SILENT):
                    if step == SILENT:
                        time.sleep(4)
                    self.close_connection = True
                    return
                if step == CUT:
                    self.wfile.write(
                        b'HTTP/1.1 200 X\r\ncontent-type: application/json\r\ncontent-length: 90\r\n\r\n{"st'
                    )
                    self.close_connection = True
                    return
                self._answer(step)

            def _answer(self, step: Any) -> None:
                status, answer = (step, b"") if isinstance(step, int) else (200, step)
                if answer is None:
                    answer = TAKEN
                if isinstance(answer, dict):
                    answer = json.dumps({"message_token": next(_tokens)} | answer).encode()
                head = f"HTTP/1.1 {status} X\r\ncontent-type: application/json\r\ncontent-length: {len(answer)}"
                self.wfile.write(f"{head}\r\n\r\n".encode() + answer)

            def log_message(self, *args: Any) -> None:
                return

        return Handler

    def _about_webhook(self, method: str, body: dict[str, Any]) -> dict[str, Any]:
        if method == "get_account_info":
            return TAKEN | {"webhook": self.webhook}
        if body["url"] and self.probe(body["url"]) != 200:
            return {"status": 1}
        self.webhook = body["url"]
        self.webhooks.append(self.webhook)
        return TAKEN | ({"event_types": body.get("event_types", [])} if self.webhook else {})

    def _over(self) -> Any:
        return None if self.window is None or self.window.takes_one() else 429

    def _next(self, method: str) -> Any:
        if method == "broadcast_message":
            return self.broadcast_script.pop(0) if self.broadcast_script else self.otherwise
        if method != "send_message":
            return self.otherwise
        return self.script.pop(0) if self.script else self.otherwise


def _is_broadcast(body: dict[str, Any]) -> bool:
    """Whether Viber would take it: 1 to 300 ids, none twice, a text or a picture with a short one, a sender."""
    ids = body.get("broadcast_list", [])
    named = 0 < len(body.get("sender", {}).get("name", "")) <= 28
    written = body["type"] == "text" and bool(body["text"])
    drawn = body["type"] == "picture" and len(body["text"]) <= 512 and body["media"].endswith(".jpg")
    return 0 < len(ids) <= 300 and len(set(ids)) == len(ids) and (written or drawn) and named


def callback(token: str, event: dict[str, Any] | bytes, **headers: str) -> Request:
    """A signed callback as the door hands it over."""
    body = event if isinstance(event, bytes) else json.dumps(event, ensure_ascii=False).encode()
    signature = hmac.new(token.encode(), body, hashlib.sha256).hexdigest()
    return Request(body, {"x-viber-content-signature": signature} | headers, {})


def message(citizen: str, text: str | None = None, **content: Any) -> dict[str, Any]:
    """A `message` event with a token of its own."""
    said = {"type": "text", "text": text} | content if text is not None else content
    return {
        "event": "message",
        "timestamp": 1763700010000,
        "message_token": next(_tokens),
        "sender": {"id": citizen, "name": "Mira Š.", "language": "sr", "api_version": 10},
        "message": said,
        "silent": False,
    }
