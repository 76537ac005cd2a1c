"""Which address of a stranger's host may be asked: a public one, looked up once and then kept to.

Links come from outside (a citizen's message, a town's configuration), so a name must not lead into the network we run
in, neither at first nor when it is looked up again. Stages `local` and `test` may also ask this machine, by plain http.
"""

from __future__ import annotations

import ipaddress
import os
import re
import socket
from collections.abc import Callable
from urllib.parse import urlsplit

from chalicelib.model import SendFailed

_HOST = re.compile(r"[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?")
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
