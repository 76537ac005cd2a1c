"""A system of the town's that listens for callbacks and believes only what is signed."""

from __future__ import annotations

import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from standardwebhooks import Webhook, WebhookVerificationError

SLOW_SECONDS = 0.3


class Listener:
    """`secrets` is what it knows; `script` holds what the next calls get: a status, a status with headers, "slow", or
    "drip" (an answer whose head never ends)."""

    def __init__(self) -> None:
        self.secrets: list[str] = []
        self.script: list[Any] = []
        self.heard: list[dict[str, Any]] = []
        self.asked: list[dict[str, str]] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self.port = self._server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}/salter"
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def rules(self, more: str = "") -> str:
        """The lines of a tenant.yaml that name it."""
        return f'callbacks:\n  - {{id: dms, url: "{self.url}"{more}}}'

    def _handler(listener) -> type[BaseHTTPRequestHandler]:  # noqa: N805
        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                headers = {name.lower(): value for name, value in self.headers.items()}
                listener.asked.append(headers)
                answer = listener.script.pop(0) if listener.script else 204
                if answer == "slow":
                    time.sleep(SLOW_SECONDS)
                    return
                if answer == "drip":
                    self._drips()
                    return
                if answer == 204:
                    answer = self._judged(body, headers)
                status, more = answer if isinstance(answer, tuple) else (answer, {})
                self.send_response(status)
                for name, value in more.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def _judged(self, body: bytes, headers: dict[str, str]) -> int:
                for secret in listener.secrets:
                    try:
                        Webhook(secret).verify(body, headers)
                    except WebhookVerificationError:
                        continue
                    listener.heard.append(json.loads(body))
                    return 204
                return 401

            def _drips(self) -> None:
                self.wfile.write(b"HTTP/1.1 200 OK\r\n")
                for number in range(40):
                    try:
                        self.wfile.write(f"x-{number}: y\r\n".encode())
                        self.wfile.flush()
                    except OSError:
                        return
                    time.sleep(SLOW_SECONDS / 10)

            def log_message(self, *_: object) -> None: ...

        return Handler
