"""Answers as servers send them, whole and broken, over real sockets: each is read as meant or refused with a reason."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from chalicelib import connections, wire
from chalicelib.connections import AUTHORITIES, HEAD_BYTES_MAX, BadAnswer, Connection, Pool, pool, usual_authorities
from chalicelib.wire import CallFailed
from infra.bench_peers import certified

PAUSE_SECONDS = 0.02


class Server:
    """Answers each request with the pieces it is told to; None of them left: it closes."""

    def __init__(self) -> None:
        self.asked: list[bytes] = []
        self.accepted = 0
        self.pieces: list[bytes] = []
        self.closes = False
        self._sock = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._sock.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                line, _ = self._sock.accept()
            except OSError:
                return
            self.accepted += 1
            threading.Thread(target=self._talk, args=(line,), daemon=True).start()

    def _talk(self, line: socket.socket) -> None:
        with line, suppress(OSError):  # whoever asked may have gone
            while asked := line.recv(65536):
                self.asked.append(asked)
                for piece in self.pieces:
                    line.sendall(piece)
                    time.sleep(PAUSE_SECONDS)
                if self.closes:
                    return

    def close(self) -> None:
        self._sock.close()


@pytest.fixture
def server() -> Iterator[Server]:
    running = Server()
    yield running
    running.close()
    while connection := pool.take(("http", "127.0.0.1", running.port)):
        connection.close()


def ask(server: Server, method: str = "POST", timeout: float = 2.0, most: int = 1000) -> wire.Reply:
    return wire.call("s3", "x", method, f"{server.url}/a/b?c=d", {"x-own": "1"}, b"body", timeout, most)


@pytest.mark.parametrize(
    ("pieces", "status", "body"),
    [
        ([b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"], 200, b"hello"),
        ([b"HTTP/1.1 200\r\ncontent-length:5\r\n\r", b"\nhe", b"llo"], 200, b"hello"),
        ([b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"], 404, b""),
        ([b"HTTP/1.1 204 No Content\r\nX: y\r\n\r\n"], 204, b""),
        (
            [b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3;x=y\r\nl", b"lo\r\n0\r\nT: 1\r\n\r\n"],
            200,
            b"hello",
        ),
    ],
)
def test_an_answer_is_read_however_it_is_cut_and_the_connection_is_kept(
    server: Server, pieces: list[bytes], status: int, body: bytes
) -> None:
    server.pieces = pieces
    for _ in range(2):
        reply = ask(server)
        assert (reply.status, reply.body) == (status, body)
    assert server.accepted == 1
    line, *fields = server.asked[0].split(b"\r\n")
    assert line == b"POST /a/b?c=d HTTP/1.1"
    assert {b"x-own: 1", b"content-length: 4", f"host: {server.url[7:]}".encode()} <= set(fields)


def test_the_answer_to_a_head_has_a_length_and_no_body(server: Server) -> None:
    server.pieces = [b"HTTP/1.1 200 OK\r\nContent-Length: 700\r\nContent-Type: image/jpeg\r\n\r\n"]
    reply = ask(server, "HEAD")
    assert (reply.body, reply.headers["content-length"], reply.headers["content-type"]) == (b"", "700", "image/jpeg")
    assert ask(server, "HEAD").status == 200 and server.accepted == 1


@pytest.mark.parametrize(
    ("pieces", "closes"),
    [
        ([b"HTTP/1.1 200 OK\r\n\r\nhel", b"lo"], True),
        ([b"HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nhello"], False),
        ([b"HTTP/1.1 200 OK\r\nConnection: Close\r\nContent-Length: 5\r\n\r\nhello"], False),
        ([b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello and more"], False),
    ],
)
def test_a_connection_that_ends_or_says_too_much_is_not_used_again(
    server: Server, pieces: list[bytes], closes: bool
) -> None:
    server.pieces, server.closes = pieces, closes
    assert ask(server).body == b"hello"
    assert ask(server).body == b"hello"
    assert server.accepted == 2


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (b"SSH-2.0-OpenSSH\r\n\r\n", "no answer in HTTP"),
        (b"HTTP/1.1 2x0 OK\r\n\r\n", "no answer in HTTP"),
        (b"HTTP/1.1 200 OK\r\nno colon\r\n\r\n", "no header"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", "no length"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nhel", "cut short"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 1001\r\n\r\n", "answer too large"),
        (b"HTTP/1.1 200 OK\r\n\r\n" + 1001 * b"x", "answer too large"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3e9\r\n", "answer too large"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", "no size of a chunk"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-5\r\n", "no size of a chunk"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nabc\r\n", "no end of a chunk"),
        (b"HTTP/1.1 200 OK\r\n" + HEAD_BYTES_MAX * b"x: y\r\n", "too long a head"),
        (b"", "cut short"),
    ],
)
def test_what_is_no_answer_is_refused_with_a_reason_and_may_have_taken_effect(
    server: Server, answer: bytes, reason: str
) -> None:
    server.pieces, server.closes = [answer], True
    with pytest.raises(CallFailed) as failed:
        ask(server)
    assert (failed.value.reason, failed.value.sent) == (reason, True)


def test_however_slowly_an_answer_drips_it_is_given_up_in_time(server: Server) -> None:
    server.pieces = [b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n", *500 * [b"x"]]
    began = time.monotonic()
    with pytest.raises(CallFailed) as failed:
        ask(server, timeout=0.3)
    assert failed.value.sent and 0.2 < time.monotonic() - began < 1.0


def test_nobody_there_is_told_apart_from_an_answer_lost() -> None:
    with socket.create_server(("127.0.0.1", 0)) as gone:
        port = gone.getsockname()[1]
    with pytest.raises(CallFailed) as failed:
        wire.call("s3", "x", "GET", f"http://127.0.0.1:{port}/", {}, b"", 2.0)
    assert (failed.value.reason, failed.value.sent) == ("no connection", False)


@pytest.mark.parametrize(("target", "value"), [("/a\r\nx: y", "1"), ("/a b", "1"), ("/a", "1\r\nx: y"), ("/a", "1\ny")])
def test_no_address_or_header_can_smuggle_in_another_line(server: Server, target: str, value: str) -> None:
    connection = Connection(socket.create_connection(("127.0.0.1", server.port)))
    with pytest.raises(BadAnswer, match="no line of HTTP"):
        connection.ask("GET", target, {"x-own": value}, b"", time.monotonic() + 1, 100)
    connection.close()
    assert server.asked == []


# --- whom we believe --------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def vouched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[int, Path]]:
    """A server that speaks TLS, and the certificate of the authority that vouches for it."""
    folder = tmp_path_factory.mktemp("tls")
    certified(folder)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["content-length"]))
            self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello")

        def log_message(self, *args: Any) -> None:
            return

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    running = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    running.socket = context.wrap_socket(running.socket, server_side=True)
    threading.Thread(target=running.serve_forever, daemon=True).start()
    yield running.server_port, folder / "cert.pem"
    running.shutdown()
    running.server_close()


def ask_in_secret(own: Pool, port: int) -> bytes:
    connection = own.open(("https", "127.0.0.1", port), 2.0)
    try:
        return connection.ask("POST", "/", {"host": "127.0.0.1"}, b"x", time.monotonic() + 2, 100).body
    finally:
        connection.close()


def test_whoever_the_usual_authorities_vouch_for_is_believed_without_loading_all(
    vouched: tuple[int, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    port, certificate = vouched
    monkeypatch.setattr(connections, "usual_authorities", certificate.read_text)
    monkeypatch.setattr(Pool, "tls", lambda _: pytest.fail("all authorities were loaded"))
    assert ask_in_secret(Pool(), port) == b"hello"


def test_whoever_another_authority_vouches_for_is_believed_at_the_second_look_and_then_at_once(
    vouched: tuple[int, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    port, certificate = vouched
    monkeypatch.setattr(connections, "usual_authorities", other_authority)
    monkeypatch.setattr(Pool, "tls", lambda _: ssl.create_default_context(cafile=str(certificate)))
    own = Pool()
    assert ask_in_secret(own, port) == b"hello"
    monkeypatch.setattr(Pool, "_usual_authorities", lambda _: pytest.fail("asked in vain once more"))
    assert ask_in_secret(own, port) == b"hello"


def test_whoever_nobody_vouches_for_is_not_spoken_to(
    vouched: tuple[int, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "usual_authorities", other_authority)
    monkeypatch.setattr(Pool, "tls", lambda _: ssl.create_default_context(cadata=other_authority()))
    with pytest.raises(ssl.SSLCertVerificationError):
        ask_in_secret(Pool(), vouched[0])


_others = usual_authorities


def other_authority() -> str:
    """Authorities of the net, none of which knows our server."""
    with pytest.MonkeyPatch.context() as bare:
        bare.delenv("SSL_CERT_FILE", raising=False)
        bare.delenv("SSL_CERT_DIR", raising=False)
        return _others()


def test_every_usual_authority_is_in_the_list_the_package_brings_along() -> None:
    found = other_authority()
    assert all(f'# Label: "{name}' in found for name in AUTHORITIES)


def test_whom_the_machine_was_told_to_believe_is_all_that_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", "/somewhere.pem")
    assert usual_authorities() == ""
