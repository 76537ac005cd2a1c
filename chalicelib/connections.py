"""Kept-alive connections of the hot path: a request goes out in one piece, an answer is taken apart once.

As much of HTTP/1.1 as AWS and the channels speak (RFC 9112): answers with a length, in chunks, or up to the end of the
connection. The standard library's client parses every head as if it were an e-mail, which costs more than all a turn
decides; it stays in use for hosts of strangers.
"""

from __future__ import annotations

import os
import select
import socket
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from chalicelib.small_classes import dataclass

if TYPE_CHECKING:
    import ssl

CONNECT_SECONDS_MAX = 1.0
IDLE_CONNECTIONS_MAX = 8
HEAD_BYTES_MAX = 64 * 1024
CHUNK_LINE_BYTES_MAX = 1024
PIECE_BYTES = 64 * 1024
SECONDS_MIN = 0.001  # a socket takes 0 for "do not wait at all"
SECONDS_OVER_MAX = 0.05  # a wait may end so much late: telling a socket its time-out anew is a call of the system
AUTHORITIES = (
    "Amazon Root CA",
    "DigiCert Global Root",
    "GlobalSign Root",
    "Go Daddy",
    "GTS Root",
    "ISRG Root",
    "Sectigo Public",
    "Starfield",
    "USERTrust",
)
Host = tuple[str, str, int]  # scheme, name, port


class BadAnswer(ValueError):
    """What came back is no answer in HTTP, is cut short or larger than was allowed. `args[0]` says which."""


@dataclass(frozen=True, slots=True)
class Reply:
    """`headers` by their names in small letters; of one sent twice the last."""

    status: int
    headers: dict[str, str]
    body: bytes


class Connection:
    """One connection; after `ask` it may be asked again if `lasts`."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self.lasts = False
        self._heard = bytearray()
        self._end = 0.0
        self._patience = 0.0

    def ask(self, method: str, target: str, headers: Mapping[str, str], body: bytes, end: float, most: int) -> Reply:
        """One request and its answer, of which the body may have `most` bytes, by `end` of the monotonic clock.

        Raises OSError or BadAnswer; the request may have taken effect then.
        """
        self.lasts, self._end = False, end
        self._wait_until_the_end()
        self.sock.sendall(_request(method, target, headers, body))
        status, fields, lasts = self._head()
        if method == "HEAD" or status in (204, 304):
            data = b""
        elif "chunked" in fields.get("transfer-encoding", "").lower():
            data = self._chunks(most)
        elif "content-length" in fields:
            data = self._exactly(_length(fields["content-length"]), most)
        else:
            data, lasts = self._to_the_end(most), False
        self.lasts = lasts and not self._heard
        return Reply(status, fields, data)

    def is_idle(self) -> bool:
        """Whether nothing came meanwhile; an idle connection with something to read was closed by the other side."""
        try:
            return not select.select([self.sock], [], [], 0)[0]
        except (OSError, ValueError):
            return False

    def close(self) -> None:
        self.sock.close()

    # --- the parts of an answer ---------------------------------------------------------------------------------

    def _head(self) -> tuple[int, dict[str, str], bool]:
        """Status, headers, and whether the connection stays; what only says that more will come is passed over."""
        while True:
            line, _, rest = self._through(b"\r\n\r\n", HEAD_BYTES_MAX).decode("latin-1").partition("\r\n")
            version, status = line[:8], line[9:12]
            if version not in ("HTTP/1.1", "HTTP/1.0") or not (
                status.isascii() and status.isdigit() and len(status) == 3
            ):
                raise BadAnswer("no answer in HTTP")
            if status[0] != "1":
                break
        fields = _fields(rest)
        asked = fields.get("connection", "").lower()
        return int(status), fields, "close" not in asked if version == "HTTP/1.1" else "keep-alive" in asked

    def _chunks(self, most: int) -> bytes:
        data = bytearray()
        while size := _size(self._through(b"\r\n", CHUNK_LINE_BYTES_MAX)):
            data += self._exactly(size, most - len(data))
            if self._exactly(2, 2) != b"\r\n":
                raise BadAnswer("no end of a chunk")
        while self._through(b"\r\n", HEAD_BYTES_MAX):  # what may stand after the last one
            pass
        return bytes(data)

    def _through(self, mark: bytes, most: int) -> bytes:
        """What comes before `mark`, which is taken away with it."""
        looked = 0
        while (found := self._heard.find(mark, looked)) < 0:
            looked = max(0, len(self._heard) - len(mark) + 1)
            if looked > most:
                raise BadAnswer("too long a head")
            self._hear()
        piece = bytes(self._heard[:found])
        del self._heard[: found + len(mark)]
        return piece

    def _exactly(self, many: int, most: int) -> bytes:
        if many > most:
            raise BadAnswer("answer too large")
        while len(self._heard) < many:
            self._hear()
        piece = bytes(self._heard[:many])
        del self._heard[:many]
        return piece

    def _to_the_end(self, most: int) -> bytes:
        while len(self._heard) <= most:
            try:
                self._hear()
            except BadAnswer:
                break
        data = bytes(self._heard)
        self._heard.clear()
        if len(data) > most:
            raise BadAnswer("answer too large")
        return data

    def _hear(self) -> None:
        self._wait_until_the_end()
        piece = self.sock.recv(PIECE_BYTES)
        if not piece:
            raise BadAnswer("cut short")
        self._heard += piece

    def _wait_until_the_end(self) -> None:
        """A socket's time-out bounds each piece, the end bounds the whole."""
        left = self._end - time.monotonic()
        if left <= 0:
            raise TimeoutError("timed out")
        if not left <= self._patience <= left + SECONDS_OVER_MAX:
            self._patience = left + SECONDS_OVER_MAX / 2
            self.sock.settimeout(self._patience)


def _fields(lines: str) -> dict[str, str]:
    fields: dict[str, str] = {}
    for line in lines.split("\r\n") if lines else ():
        name, colon, value = line.partition(":")
        if not colon or not name or " " in name or "\t" in name:
            raise BadAnswer("no header")
        fields[name.lower()] = value.strip(" \t")
    return fields


def _request(method: str, target: str, headers: Mapping[str, str], body: bytes) -> bytes:
    """Raises BadAnswer for a target or header that would be more than one line."""
    lines = [f"{method} {target} HTTP/1.1"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    if body or method in ("POST", "PUT"):
        lines.append(f"content-length: {len(body)}")
    head = "\r\n".join([*lines, "", ""])
    if " " in target or head.count("\r") != len(lines) + 1 or head.count("\n") != len(lines) + 1:
        raise BadAnswer("no line of HTTP")
    return head.encode("latin-1") + body


def _length(told: str) -> int:
    if not (told.isascii() and told.isdigit()):
        raise BadAnswer("no length")
    return int(told)


def _size(line: bytes) -> int:
    try:
        size = int(line.partition(b";")[0].strip(), 16)
    except ValueError as error:
        raise BadAnswer("no size of a chunk") from error
    if size < 0:
        raise BadAnswer("no size of a chunk")
    return size


class Pool:
    """Idle connections by host. A forked child starts with none."""

    def __init__(self) -> None:
        self._idle: dict[Host, list[Connection]] = {}
        self._lock = threading.Lock()
        self._usual: ssl.SSLContext | None = None
        self._all: ssl.SSLContext | None = None
        self._unusual: set[str] = set()

    def take(self, host: Host) -> Connection | None:
        with self._lock:
            idle = self._idle.get(host, [])
            while idle:
                connection = idle.pop()
                if connection.is_idle():
                    return connection
                connection.close()
        return None

    def give(self, host: Host, connection: Connection) -> None:
        if connection.lasts:
            with self._lock:
                idle = self._idle.setdefault(host, [])
                if len(idle) < IDLE_CONNECTIONS_MAX:
                    idle.append(connection)
                    return
        connection.close()

    def open(self, host: Host, seconds: float) -> Connection:
        """A new one, within `seconds`. Raises OSError."""
        scheme, name, port = host
        end = time.monotonic() + min(seconds, CONNECT_SECONDS_MAX)
        if scheme != "https":
            return Connection(_connected(name, port, end))
        import ssl  # a process that only speaks to a local AWS needs none

        if name not in self._unusual:
            usual = self._usual_authorities()
            try:
                return Connection(_secured(usual, name, port, end))
            except ssl.SSLCertVerificationError:  # nothing was said yet: once more, believing everybody who is believed
                if usual is self._all:
                    raise
                self._unusual.add(name)
        return Connection(_secured(self.tls(), name, port, end))

    def forget(self) -> None:
        self._idle, self._lock = {}, threading.Lock()

    def tls(self) -> ssl.SSLContext:
        """What believes every authority the machine believes. Loading them takes some 30 ms of CPU: once a process."""
        if self._all is None:
            import ssl

            self._all = ssl.create_default_context()
        return self._all

    def _usual_authorities(self) -> ssl.SSLContext:
        """What believes the few that vouch for AWS and the channels: a fifth of the time in a cold start."""
        if self._usual is None:
            import ssl

            few = usual_authorities()
            self._usual = ssl.create_default_context(cadata=few) if few else self.tls()
        return self._usual


def _connected(name: str, port: int, end: float) -> socket.socket:
    sock = socket.create_connection((name, port), max(SECONDS_MIN, end - time.monotonic()))
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return sock


def _secured(context: ssl.SSLContext, name: str, port: int, end: float) -> socket.socket:
    sock = _connected(name, port, end)
    try:
        return context.wrap_socket(sock, server_hostname=name)
    except (OSError, ValueError):
        sock.close()
        raise


def usual_authorities() -> str:
    """Certificates, as text, of the authorities that vouch for most of the net; of certifi's list, which the package
    brings along. Empty where somebody has told the machine whom to believe."""
    from importlib.util import find_spec  # once a process, if at all

    listed = find_spec("certifi")
    if "SSL_CERT_FILE" in os.environ or "SSL_CERT_DIR" in os.environ or listed is None or listed.origin is None:
        return ""
    everybody = Path(listed.origin).with_name("cacert.pem").read_text(encoding="utf-8").split("\n\n")
    return "\n".join(each for each in everybody if any(f'# Label: "{name}' in each for name in AUTHORITIES))


pool = Pool()
os.register_at_fork(after_in_child=pool.forget)
