"""The simulator's HTTP face: Viber's calls under /pa, the page, and the handles that tests pull."""

import json
import mimetypes
import select
import socket
import sys
from collections.abc import Callable
from contextlib import suppress
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, unquote, urlsplit

from infra.local.simulator import pages
from infra.local.simulator.api import Reply
from infra.local.simulator.media import UPLOAD_BYTES_MAX

if TYPE_CHECKING:
    from infra.local.simulator.simulator import Simulator

IDLE_CONNECTION_S = 60
WAKE_UP_TIMEOUT_S = 1
JSON_BYTES_MAX = 4 * 1024 * 1024

# The page draws itself from files of its own; pictures may come from wherever the product keeps them.
PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' http: https:; "
    "form-action 'none'; base-uri 'none'; frame-ancestors 'none'"
)


class Refused(Exception):
    """A request the simulator's own handles cannot serve: the caller must change it."""

    def __init__(self, code: HTTPStatus, says: str) -> None:
        super().__init__(says)
        self.code = code


class Handler(BaseHTTPRequestHandler):
    """One connection. Answers leave in one packet, or kept-alive callers wait 40 ms for the second."""

    protocol_version = "HTTP/1.1"
    server_version = "Viber-simulator"
    disable_nagle_algorithm = True
    wbufsize = -1
    timeout = IDLE_CONNECTION_S
    server: "_HttpServer"

    def do_GET(self) -> None:
        self._serve(self._get)

    def do_HEAD(self) -> None:
        self._serve(self._get)

    def do_POST(self) -> None:
        self._serve(self._post)

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: addresses here can hold ids, and the ledger tells more."""

    # --- the two methods -------------------------------------------------------------------------------------------

    def _serve(self, act: Callable[["Simulator", list[str], dict[str, str]], Reply]) -> None:
        parts = urlsplit(self.path)
        path = [unquote(part) for part in parts.path.split("/") if part]
        try:
            reply = act(self.server.viber, path, dict(parse_qsl(parts.query)))
        except Refused as refused:
            reply = _json({"error": {"code": refused.code.phrase.lower(), "message": str(refused)}}, refused.code)
        self._answer(reply)

    def _get(self, viber: "Simulator", path: list[str], query: dict[str, str]) -> Reply:
        match path:
            case []:
                return _page(pages.index(viber))
            case ["health"]:
                return _json({"status": "ok"})
            case ["static", *rest]:
                return _static("/".join(rest))
            case ["media", key, *_]:
                held = viber.media.get(key)
                return Reply(held.content, 200, held.type) if held else _not_found("the link is dead")
            case ["ledger"]:
                entries = viber.ledger.read(**_narrowed(query, "account", "receiver", "method"))
                return _json({"entries": [entry.shown() for entry in entries]})
            case ["callbacks"]:
                callbacks = viber.callbacks.read(**_narrowed(query, "account"))
                return _json({"callbacks": [one.shown() for one in callbacks]})
            case ["control"]:
                return _json(pages.control(viber, query.get("account")))
            case [account] if viber.world.may_exist(account):
                return _page(pages.account(viber, account))
            case ["look.css"]:
                return Reply(pages.look(viber).encode(), 200, "text/css; charset=utf-8")
            case [account, "state"] if viber.world.may_exist(account):
                return _json(pages.state(viber, account))
        return _not_found("there is nothing here")

    def _post(self, viber: "Simulator", path: list[str], query: dict[str, str]) -> Reply:
        match path:
            case ["pa", method]:
                token, raw = self.headers.get("X-Viber-Auth-Token"), self._body(JSON_BYTES_MAX)
                return viber.api.handle(method, token, raw, still_waiting=self._still_waiting)
            case ["control"]:
                return self._told(lambda told: pages.take_control(viber, told))
            case [account, "citizens"] if viber.world.may_exist(account):
                return self._told(lambda told: pages.add_citizen(viber, account, told))
            case [account, "citizens", key, "upload"] if viber.world.may_exist(account):
                content = self._body(UPLOAD_BYTES_MAX)
                return self._done(lambda: pages.upload(viber, account, key, query.get("name", "file"), content))
            case [account, "citizens", key, verb] if viber.world.may_exist(account):
                return self._told(lambda told: pages.act(viber, account, key, verb, told))
        return _not_found("there is nothing here")

    def _told(self, act: Callable[[dict[str, Any]], dict[str, Any]]) -> Reply:
        raw = self._body(JSON_BYTES_MAX)
        try:
            told = json.loads(raw or b"{}")
        except ValueError as error:
            raise Refused(HTTPStatus.BAD_REQUEST, "the body is no JSON") from error
        if not isinstance(told, dict):
            raise Refused(HTTPStatus.BAD_REQUEST, "the body must be a JSON object")
        return self._done(lambda: act(told))

    def _done(self, act: Callable[[], dict[str, Any]]) -> Reply:
        try:
            return _json(act())
        except LookupError as error:
            raise Refused(HTTPStatus.NOT_FOUND, str(error.args[0] if error.args else error)) from error
        except (TypeError, ValueError) as error:
            raise Refused(HTTPStatus.BAD_REQUEST, str(error)) from error

    def _body(self, most: int) -> bytes:
        length = self.headers.get("Content-Length", "0")
        if not length.isdigit() or int(length) > most:
            self.close_connection = True
            raise Refused(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"the body needs a Content-Length of at most {most}")
        return self.rfile.read(int(length))

    def _still_waiting(self) -> bool:
        """Whether the caller is still there: one that gave up has closed its end."""
        readable, _, _ = select.select([self.connection], [], [], 0)
        try:
            return not readable or bool(self.connection.recv(1, socket.MSG_PEEK))
        except OSError:
            return False

    def _answer(self, reply: Reply) -> None:
        if reply.drop:
            self.close_connection = True
            return
        self.send_response(reply.code)
        self.send_header("Content-Type", reply.type)
        self.send_header("Content-Length", str(len(reply.body)))
        self.send_header("Cache-Control", "no-store")
        self.send_header("X-Content-Type-Options", "nosniff")
        if reply.type.startswith("text/html"):
            self.send_header("Content-Security-Policy", PAGE_POLICY)
        if reply.location:
            self.send_header("Location", reply.location)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(reply.body)


class _HttpServer(ThreadingHTTPServer):
    """Threads that do not outlive the simulator, connections that are closed with it."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, port: int, viber: "Simulator") -> None:
        super().__init__(("127.0.0.1", port), Handler)
        self.viber = viber
        self._lock = Lock()
        self._open: set[socket.socket] = set()

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        with self._lock:
            self._open.add(request)
        try:
            super().process_request_thread(request, client_address)
        finally:
            with self._lock:
                self._open.discard(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A caller that hung up is no error: time-outs are part of what is tested."""
        if not isinstance(sys.exc_info()[1], ConnectionError | TimeoutError):
            super().handle_error(request, client_address)

    def hang_up(self) -> None:
        with self._lock:
            for connection in self._open:
                try:
                    connection.shutdown(socket.SHUT_RDWR)
                except OSError:
                    continue  # the caller was faster


class Server:
    """Serves on a loopback port from a thread of its own; port 0 takes a free one."""

    def __init__(self, viber: "Simulator", port: int) -> None:
        self._http = _HttpServer(port, viber)
        self.port = int(self._http.server_address[1])
        self._thread = Thread(target=self._http.serve_forever, args=(0.05,), name="viber-server", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        if self._thread.is_alive():
            ending = Thread(target=self._http.shutdown)
            ending.start()
            self._wake_up()
            ending.join()
        self._http.hang_up()
        self._http.server_close()

    def _wake_up(self) -> None:
        """The server looks for the end only between calls or every so often: one more caller makes it look now."""
        with suppress(OSError):
            socket.create_connection(("127.0.0.1", self.port), WAKE_UP_TIMEOUT_S).close()


def _json(content: Any, code: int = 200) -> Reply:
    return Reply(json.dumps(content, ensure_ascii=False, default=str).encode(), code)


def _page(html: str) -> Reply:
    return Reply(html.encode(), 200, "text/html; charset=utf-8")


def _not_found(says: str) -> Reply:
    return _json({"error": {"code": "not found", "message": says}}, 404)


def _static(name: str) -> Reply:
    content = pages.static(name)
    if content is None:
        return _not_found("there is no such file")
    kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
    return Reply(content, 200, f"{kind}; charset=utf-8" if kind.startswith("text/") else kind)


def _narrowed(query: dict[str, str], *keys: str) -> dict[str, Any]:
    after = {"after": int(query["after"])} if query.get("after", "").isdigit() else {}
    return {key: query[key] for key in keys if key in query} | after
