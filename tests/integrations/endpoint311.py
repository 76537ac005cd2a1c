"""Another system's Open311 endpoint on this machine, as honest, slow or broken as a test needs it."""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit
from xml.sax.saxutils import escape

TAKEN_THEN_SILENT = "taken, then silent"


@dataclass
class Endpoint:
    """`posts`: what the next posts get: a status, TAKEN_THEN_SILENT, or "token"; "" and nothing left = taken.
    `filed` are the reports it has, `news` what `servicerequestupdates` tells, `state` how its reports stand."""

    posts: list[Any] = field(default_factory=list)
    filed: list[dict[str, str]] = field(default_factory=list)
    news: list[dict[str, str]] = field(default_factory=list)
    state: dict[str, str] = field(
        default_factory=lambda: {"status": "open", "updated_datetime": "2026-03-10T11:00:00Z"}
    )
    tokens: dict[str, str] = field(default_factory=dict)
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    raw: bytes | None = None  # said to every read instead of the truth
    down: bool = False
    hides_words: bool = False
    told: list[dict[str, str]] = field(default_factory=list)  # updates it took; it lists them among its own
    pictures: list[list[str]] = field(default_factory=list)  # the `media_url`s of each

    def __post_init__(self) -> None:
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/open311/v2/"
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def times(self, path: str) -> int:
        return sum(asked.startswith(path) for asked, _ in self.asked)

    def _file(self, fields: dict[str, str]) -> str:
        number = f"JKP/{len(self.filed) + 1}"
        self.filed.append(fields | {"service_request_id": number})
        return number

    def _found(self, path: str, query: dict[str, str]) -> list[dict[str, str]] | None:
        if path == "servicerequestupdates":
            return [*self.news, *self.told]
        if path.startswith("tokens/"):
            number = self.tokens.get(path.partition("/")[2], "")
            return [{"token": path.partition("/")[2], "service_request_id": number}] if number else None
        wanted = query.get("service_request_id", "")
        hidden = ("description",) if self.hides_words else ()
        return [
            {name: value for name, value in (report | self.state).items() if name not in hidden}
            for report in self.filed
            if not wanted or report["service_request_id"] in wanted.split(",")
        ]

    def _handler(endpoint) -> type[BaseHTTPRequestHandler]:  # noqa: N805
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                parts = urlsplit(self.path)
                path, _, form = parts.path.removeprefix("/open311/v2/").rpartition(".")
                query = {name: values[0] for name, values in parse_qs(parts.query).items()}
                endpoint.asked.append((f"GET {path}", query))
                if endpoint.down:
                    self._says(503, form, [])
                elif endpoint.raw is not None:
                    self._sends(200, endpoint.raw)
                else:
                    found = endpoint._found(path, query)
                    self._says(404 if found is None else 200, form, found or [])

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"])).decode()
                fields = {name: values[0] for name, values in parse_qs(body).items()}
                path, _, form = self.path.removeprefix("/open311/v2/").rpartition(".")
                endpoint.asked.append((f"POST {path}", fields))
                told = endpoint.posts.pop(0) if endpoint.posts else ""
                if isinstance(told, int):
                    self._says(told, form, [{"code": str(told), "description": "no <such> service"}])
                    return
                if path == "servicerequestupdates":
                    endpoint.told.append(fields | {"update_id": f"theirs-{len(endpoint.told)}"})
                    endpoint.pictures.append(parse_qs(body).get("media_url", []))
                    if told != TAKEN_THEN_SILENT:
                        self._says(201, form, [{"update_id": endpoint.told[-1]["update_id"]}])
                    return
                number = endpoint._file(fields)
                if told == "token":
                    self._says(200, form, [{"token": "t-1"}])
                elif told != TAKEN_THEN_SILENT:
                    self._says(201, form, [{"service_request_id": number}])

            def _says(self, status: int, form: str, entries: list[dict[str, str]]) -> None:
                if form == "json":
                    self._sends(status, json.dumps(entries).encode())
                    return
                inside = "".join(f"<request>{_fields(each)}</request>" for each in entries)
                self._sends(status, f'<?xml version="1.0" encoding="UTF-8"?><list>{inside}</list>'.encode())

            def _sends(self, status: int, body: bytes) -> None:
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None: ...

        return Handler


def _fields(entry: dict[str, str]) -> str:
    return "".join(f"<{name}>{escape(value)}</{name}>" for name, value in entry.items() if "[" not in name)
