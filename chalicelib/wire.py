"""The one way out of the process on the hot path: kept-alive HTTP with a deadline, seen by whoever taps it.

Storage and channels both speak through here, so that connections are reused, every call is bounded by the turn's
deadline, and tests can count or break each call. Nothing about a call is logged here: bodies and headers carry
people's words and tokens.
"""

from __future__ import annotations

import http.client
import os
import select
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Protocol
from urllib.parse import urlsplit

from chalicelib.small_classes import dataclass

CONNECT_SECONDS_MAX = 1.0
IDLE_CONNECTIONS_MAX = 8
REPLY_BYTES_MAX = 8 * 1024 * 1024
DOWNLOAD_PIECE_BYTES = 256 * 1024


class CallFailed(Exception):
    """No usable answer. `sent`: the request may have taken effect all the same."""

    def __init__(self, reason: str, *, sent: bool) -> None:
        super().__init__(reason)
        self.reason, self.sent = reason, sent


@dataclass(frozen=True, slots=True)
class Call:
    """One request as taps see it: `service` (dynamodb, sqs, ssm, s3, viber) and `operation` name it."""

    service: str
    operation: str
    method: str
    url: str
    body: bytes


@dataclass(frozen=True, slots=True)
class Reply:
    status: int
    headers: dict[str, str]
    body: bytes


class Tap(Protocol):
    """Watches calls; may raise CallFailed before (not sent) or after (sent, answer lost) one."""

    def before(self, call: Call) -> None: ...
    def after(self, call: Call, reply: Reply) -> None: ...


taps: list[Tap] = []


def everybodys_time() -> int:
    """Epoch seconds by the machine's clock, which those we speak to have, too; the product's own may be set."""
    return int(time.time())


class Deadline:
    """Time left for one piece of work, shared by all its calls (seconds, by the machine's clock)."""

    def __init__(self, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._end = clock() + seconds

    def left(self) -> float:
        return max(0.0, self._end - self._clock())

    def within(self, seconds: float) -> float:
        """At most `seconds`, at most what is left."""
        return min(seconds, self.left())


class _Pool:
    """Idle connections by host. A forked child starts with none."""

    def __init__(self) -> None:
        self._idle: dict[tuple[str, str, int], list[http.client.HTTPConnection]] = {}
        self._lock = threading.Lock()
        self._context: ssl.SSLContext | None = None

    def take(self, key: tuple[str, str, int]) -> http.client.HTTPConnection | None:
        with self._lock:
            idle = self._idle.get(key, [])
            while idle:
                connection = idle.pop()
                if connection.sock is not None and not _readable(connection.sock):
                    return connection
                connection.close()
        return None

    def give(self, key: tuple[str, str, int], connection: http.client.HTTPConnection) -> None:
        with self._lock:
            idle = self._idle.setdefault(key, [])
            if len(idle) < IDLE_CONNECTIONS_MAX:
                idle.append(connection)
                return
        connection.close()

    def open(self, key: tuple[str, str, int], timeout: float) -> http.client.HTTPConnection:
        scheme, host, port = key
        connection: http.client.HTTPConnection
        if scheme == "https":
            connection = http.client.HTTPSConnection(host, port, timeout=timeout, context=self.tls())
        else:
            connection = http.client.HTTPConnection(host, port, timeout=timeout)
        connection.connect()
        connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connection

    def forget(self) -> None:
        self._idle, self._lock = {}, threading.Lock()

    def tls(self) -> ssl.SSLContext:
        # Loading the list of authorities costs some 30 ms of CPU: once a process, not once a call.
        if self._context is None:
            self._context = ssl.create_default_context()
        return self._context


_pool = _Pool()
os.register_at_fork(after_in_child=_pool.forget)


def _readable(sock: socket.socket) -> bool:
    """An idle connection with something to read was closed by the other side."""
    try:
        return bool(select.select([sock], [], [], 0)[0])
    except (OSError, ValueError):
        return True


def call(
    service: str,
    operation: str,
    method: str,
    url: str,
    headers: dict[str, str],
    body: bytes,
    timeout: float,
    bytes_max: int = REPLY_BYTES_MAX,
) -> Reply:
    """One request, no redirects, no retry. `timeout` in seconds bounds it. Raises CallFailed."""
    made = Call(service, operation, method, url, body)
    return _tapped(made, lambda: _exchange(method, url, headers, body, timeout, bytes_max))


def download(service: str, operation: str, url: str, address: str, timeout: float, bytes_max: int) -> Reply:
    """GET from a stranger's host at an `address` (an IP) that was looked at before: the name is not resolved again.

    A connection of its own, no redirects. `timeout` bounds the whole of it, however slowly the bytes come. Raises
    CallFailed, with the reason `too_large` for an answer of more than `bytes_max`.
    """
    made = Call(service, operation, "GET", url, b"")
    return _tapped(made, lambda: _at_address(made, address, {}, timeout, bytes_max))


def tell(
    service: str, operation: str, url: str, address: str, headers: dict[str, str], body: bytes, timeout: float
) -> Reply:
    """POST to a stranger's host at an `address` (an IP) that was looked at before: the name is not resolved again.

    A connection of its own, no redirects. What is answered beside status and headers is not read. `timeout` bounds the
    whole of it, however slowly the answer comes. Raises CallFailed.
    """
    made = Call(service, operation, "POST", url, body)
    return _tapped(made, lambda: _at_address(made, address, headers, timeout, 0))


def _tapped(made: Call, exchange: Callable[[], Reply]) -> Reply:
    for tap in taps:
        tap.before(made)
    reply = exchange()
    for tap in taps:
        tap.after(made, reply)
    return reply


def ask(
    service: str,
    operation: str,
    method: str,
    url: str,
    address: str,
    headers: dict[str, str],
    body: bytes,
    timeout: float,
    bytes_max: int,
) -> Reply:
    """One request to a stranger's host at an `address` (an IP) that was looked at before, with its answer.

    As `download`: a connection of its own, no redirects, bounded altogether by `timeout` and `bytes_max`. Raises
    CallFailed.
    """
    made = Call(service, operation, method, url, body)
    return _tapped(made, lambda: _at_address(made, address, headers, timeout, bytes_max))


def _exchange(method: str, url: str, headers: dict[str, str], body: bytes, timeout: float, bytes_max: int) -> Reply:
    if timeout <= 0:
        raise CallFailed("no time left", sent=False)
    parts = urlsplit(url)
    key = (parts.scheme, parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80))
    end = time.monotonic() + timeout
    connection = _pool.take(key)
    if connection is None:
        try:
            connection = _pool.open(key, min(timeout, CONNECT_SECONDS_MAX))
        except OSError as error:
            raise CallFailed("no connection", sent=False) from error
    connection.sock.settimeout(max(0.001, end - time.monotonic()))
    try:
        connection.request(method, parts.path + (f"?{parts.query}" if parts.query else ""), body, headers)
        response = connection.getresponse()
        data = response.read(bytes_max + 1)
    except (OSError, http.client.HTTPException, ValueError) as error:
        connection.close()
        raise CallFailed(type(error).__name__, sent=True) from error
    if len(data) > bytes_max:
        connection.close()
        raise CallFailed("answer too large", sent=True)
    if response.will_close:
        connection.close()
    else:
        _pool.give(key, connection)
    return Reply(response.status, {name.lower(): value for name, value in response.getheaders()}, data)


def _at_address(made: Call, address: str, headers: dict[str, str], timeout: float, bytes_max: int) -> Reply:
    """One exchange with an address; of the answer's body at most `bytes_max`, with 0 none of it is looked at."""
    parts = urlsplit(made.url)
    secure = parts.scheme == "https"
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port or (443 if secure else 80))
    end, sent = time.monotonic() + timeout, False
    try:
        bare = socket.create_connection((address, connection.port), max(0.001, min(timeout, CONNECT_SECONDS_MAX)))
        connection.sock = sock = _secured(bare, connection.host) if secure else bare
        sock.settimeout(max(0.001, end - time.monotonic()))
        with _cut_off(sock, end):
            if isinstance(sock, ssl.SSLSocket):
                sock.do_handshake()
            sent = True
            path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
            connection.request(made.method, path, made.body or None, headers)
            with connection.getresponse() as response:
                data = _read_until(response, sock, end, bytes_max) if bytes_max else b""
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise CallFailed(type(error).__name__, sent=sent) from error
    finally:
        connection.close()
    return Reply(response.status, {name.lower(): value for name, value in response.getheaders()}, data)


def _secured(bare: socket.socket, host: str) -> ssl.SSLSocket:
    """Not spoken to yet: the first words are bounded, too."""
    try:
        return _pool.tls().wrap_socket(bare, server_hostname=host, do_handshake_on_connect=False)
    except (OSError, ValueError):
        bare.close()
        raise


@contextmanager
def _cut_off(sock: socket.socket, end: float) -> Iterator[None]:
    """The connection ends at `end`, whoever still talks: a socket's time-out bounds each piece, not the whole."""

    def cut() -> None:
        with suppress(OSError):
            sock.shutdown(socket.SHUT_RDWR)

    timer = threading.Timer(max(0.001, end - time.monotonic()), cut)
    timer.daemon = True
    timer.start()
    try:
        yield
        if time.monotonic() >= end:  # what was cut off may look as if it had ended
            raise TimeoutError
    finally:
        timer.cancel()


def _read_until(response: http.client.HTTPResponse, sock: socket.socket, end: float, bytes_max: int) -> bytes:
    found = bytearray()
    while piece := response.read1(DOWNLOAD_PIECE_BYTES):
        found += piece
        if len(found) > bytes_max:
            raise CallFailed("too_large", sent=True)
        if time.monotonic() > end:
            raise TimeoutError
        if not response.isclosed():
            sock.settimeout(max(0.001, end - time.monotonic()))
    if response.length:
        raise http.client.IncompleteRead(bytes(found[:0]), response.length)
    return bytes(found)
