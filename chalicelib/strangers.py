"""Hosts that strangers name: which address may be asked, and one exchange with it.

Links come from outside (a citizen's message, a town's configuration), so a name must not lead into the network we run
in, neither at first nor when it is looked up again: a public address, looked up once and then kept to. Stages `local`
and `test` may also ask this machine, by plain http. Each exchange has a connection of its own, follows no redirects and
is bounded altogether by time and bytes, however slowly the answer comes; it is spoken by the standard library's client,
which is slower than `connections` and has seen more of the world.
"""

from __future__ import annotations

import http.client
import ipaddress
import os
import re
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from urllib.parse import urlsplit

from chalicelib.connections import CONNECT_SECONDS_MAX, pool
from chalicelib.model import SendFailed
from chalicelib.patterns import pattern
from chalicelib.wire import Call, CallFailed, Reply, tapped

DOWNLOAD_PIECE_BYTES = 256 * 1024
_HOST = pattern(r"[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?")
_OWN_MACHINE_STAGES = ("local", "test")
HTTPS_PORT = 443
_Address = ipaddress.IPv4Address | ipaddress.IPv6Address
_NAT64 = ipaddress.ip_network("64:ff9b::/96")


def address_of(link: str, allowed: Callable[[str], bool], ports: tuple[int, ...] = (HTTPS_PORT,)) -> str:
    """The one address to ask for `link`; `allowed` judges the host's name, `ports` are those beside the usual one.

    Raises SendFailed, final unless the name cannot be looked up just now.
    """
    try:
        parts = urlsplit(link)
        host, port = parts.hostname or "", parts.port
    except ValueError as error:
        raise _refused("bad_link") from error
    if not link.isascii() or re.search(r"[\x00-\x20\\]", link) or "@" in parts.netloc:
        raise _refused("bad_link")
    if not _HOST.fullmatch(host) or not allowed(host):
        raise _refused("host_not_allowed")
    own = os.environ.get("SALTER_STAGE") in _OWN_MACHINE_STAGES
    if parts.scheme != "https" and not (own and parts.scheme == "http"):
        raise _refused("not_https")
    if not own and port not in (None, *ports):
        raise _refused("port_not_allowed")
    addresses = _resolved(host)
    if not addresses or not all(_may_be_asked(address, own, parts.scheme) for address in addresses):
        raise _refused("address_not_allowed")
    return str(addresses[0])


def _resolved(host: str) -> list[_Address]:
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except OSError as error:
        raise SendFailed("host_unknown", retryable=True) from error
    return [ipaddress.ip_address(str(entry[4][0]).partition("%")[0]) for entry in found]


def _may_be_asked(address: _Address, own: bool, scheme: str) -> bool:
    """A public address; this machine's where that is allowed, and plain http to no other."""
    if address.is_loopback:
        return own
    return scheme == "https" and all(one.is_global and not one.is_multicast for one in (address, *_inside(address)))


def _inside(address: _Address) -> tuple[_Address, ...]:
    """The old addresses that one of the new kind leads to."""
    if not isinstance(address, ipaddress.IPv6Address):
        return ()
    carried = [address.ipv4_mapped, address.sixtofour, *(address.teredo or ())]
    if address in _NAT64:
        carried.append(ipaddress.IPv4Address(int(address) & 0xFFFFFFFF))
    return tuple(one for one in carried if one is not None)


def _refused(reason: str) -> SendFailed:
    return SendFailed(reason, retryable=False)


# --- an exchange ------------------------------------------------------------------------------------------------


def download(service: str, operation: str, url: str, address: str, timeout: float, bytes_max: int) -> Reply:
    """GET from the `address` (an IP) of a stranger's host. `timeout` in seconds bounds the whole of it.

    Raises CallFailed, with the reason `too_large` for an answer of more than `bytes_max`.
    """
    made = Call(service, operation, "GET", url, b"")
    return tapped(made, lambda: _at_address(made, address, {}, timeout, bytes_max))


def tell(
    service: str, operation: str, url: str, address: str, headers: dict[str, str], body: bytes, timeout: float
) -> Reply:
    """POST to the `address` (an IP) of a stranger's host; what is answered beside status and headers is not read.

    `timeout` in seconds bounds the whole of it. Raises CallFailed.
    """
    made = Call(service, operation, "POST", url, body)
    return tapped(made, lambda: _at_address(made, address, headers, timeout, 0))


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
    """One request to the `address` (an IP) of a stranger's host, with its answer; bounded and raising as `download`."""
    made = Call(service, operation, method, url, body)
    return tapped(made, lambda: _at_address(made, address, headers, timeout, bytes_max))


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
        return pool.tls().wrap_socket(bare, server_hostname=host, do_handshake_on_connect=False)
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
