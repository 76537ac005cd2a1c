"""A media host on this machine: answers each path as it was told."""

from __future__ import annotations

import contextlib
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

SLOW_SECONDS = 0.3


class MediaHost:
    """`answers`: path → bytes, an HTTP status, a Location to redirect to (str), or a list of such, one a request.
    `asked` are the paths requested."""

    def __init__(self) -> None:
        self.answers: dict[str, Any] = {}
        self.asked: list[str] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def link(self, path: str, answer: Any = None) -> str:
        """The address of `path`, which from now on gives `answer`."""
        if answer is not None:
            self.answers[path] = answer
        return f"http://127.0.0.1:{self.port}{path}"

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _handler(host) -> type[BaseHTTPRequestHandler]:  # noqa: N805
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                host.asked.append(self.path)
                answer = host.answers.get(self.path.partition("?")[0], 404)
                if isinstance(answer, list):
                    answer = answer.pop(0) if len(answer) > 1 else answer[0]
                if isinstance(answer, int):
                    self._says(answer, b"")
                elif isinstance(answer, str):
                    self._says(302, b"", Location=answer)
                elif isinstance(answer, tuple):  # bytes in drops
                    self._drips(*answer)
                else:
                    self._says(200, answer)

            def _says(self, status: int, body: bytes, **headers: str) -> None:
                self.send_response(status)
                for name, value in ({"Content-Type": "text/html"} | headers).items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def _drips(self, *drops: bytes) -> None:
                self.send_response(200)
                self.end_headers()
                with contextlib.suppress(ConnectionError):
                    for drop in drops:
                        self.wfile.write(drop)
                        self.wfile.flush()
                        time.sleep(SLOW_SECONDS)

            def log_message(self, *args: Any) -> None:
                return

        return Handler
