"""A Viber of the test's own: it signs what a citizen writes and keeps what the bot sends."""

import hashlib
import hmac
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

POLL_SECONDS = 0.05


@dataclass
class Viber:
    """What it was told, and where."""

    url: str
    calls: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    down: bool = False

    def sent_to(self, citizen: str) -> list[dict[str, Any]]:
        """The messages it accepted for one citizen."""
        return [body for path, body in self.calls if path.endswith("/send_message") and body.get("receiver") == citizen]

    def wait_for_message(self, citizen: str, *, seconds: float) -> dict[str, Any]:
        """The first message for the citizen, or a failed test."""
        give_up = time.monotonic() + seconds
        while not (sent := self.sent_to(citizen)):
            assert time.monotonic() < give_up, (
                f"nothing came for the citizen; calls: {[path for path, _ in self.calls]}"
            )
            time.sleep(POLL_SECONDS)
        return sent[0]


def signature(body: bytes, token: str) -> str:
    """What Viber puts into X-Viber-Content-Signature."""
    return hmac.new(token.encode(), body, hashlib.sha256).hexdigest()


def written_by(citizen: str, text: str) -> bytes:
    """The callback of a text message; every call is a new message."""
    now_ms = int(time.time() * 1000)
    callback = {
        "event": "message",
        "timestamp": now_ms,
        "chat_hostname": "SN-CHAT-02_",
        "message_token": 6_017_000_000_000_000_000 + time.time_ns() % 1_000_000_000_000,
        "sender": {"id": citizen, "name": "", "language": "sr", "country": "RS", "api_version": 10},
        "message": {"type": "text", "text": text, "tracking_data": ""},
        "silent": False,
    }
    return json.dumps(callback, ensure_ascii=False).encode()


@contextmanager
def running() -> Iterator[Viber]:
    """The server on a free loopback port."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.daemon_threads = True
    viber = Viber(url=f"http://127.0.0.1:{server.server_address[1]}/pa")
    _Handler.viber = viber
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": POLL_SECONDS}, daemon=True)
    thread.start()
    try:
        yield viber
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    viber: Viber
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers.get("Content-Length", 0))) or b"{}")
        if self.viber.down:
            self._answer(500, {})
            return
        self.viber.calls.append((self.path, body))
        self._answer(200, self._said(self.path, body))

    def _said(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        done: dict[str, Any] = {"status": 0, "status_message": "ok", "chat_hostname": "SN-CHAT-02_"}
        if path.endswith("/set_webhook"):
            return done | {"event_types": body.get("event_types", [])}
        if path.endswith("/get_account_info"):
            webhooks = [sent["url"] for called, sent in self.viber.calls if called.endswith("/set_webhook")]
            return done | {"id": "pa:1", "name": "Test", "uri": "test", "webhook": webhooks[-1] if webhooks else ""}
        return done | {"message_token": 6_017_100_000_000_000_000 + len(self.viber.calls)}

    def _answer(self, status: int, said: dict[str, Any]) -> None:
        body = json.dumps(said).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: a test's output is for findings."""
