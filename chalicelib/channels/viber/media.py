"""Fetches what a citizen sent from Viber's media hosts, and from nowhere else.

The link comes in a signed callback, yet nothing else vouches for it: so only https, only hosts of the list
`VIBER_MEDIA_HOSTS`, only public addresses, looked up once and then kept to, no redirects, a bounded size and time.
Stages `local` and `test` may also fetch from this machine, by plain http, if its name is on the list.
"""

from __future__ import annotations

import ipaddress
import os
import re
import socket
from urllib.parse import urlsplit

from chalicelib import wire
from chalicelib.model import SendFailed

BYTES_MAX = 27_262_976  # Viber's own bound for a video
SECONDS_MAX = 20.0
_HOST = re.compile(r"[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?")
_OWN_MACHINE_STAGES = ("local", "test")


def fetch(link: str, deadline: wire.Deadline) -> bytes:
    """The bytes behind `link`. Raises SendFailed: final where the link is not Viber's, dead, or leads to too much."""
    address = _address(link)
    try:
        reply = wire.download("viber", "media", link, address, deadline.within(SECONDS_MAX), BYTES_MAX)
    except wire.CallFailed as failure:
        raise SendFailed(failure.reason, retryable=failure.reason != "too_large") from failure
    if reply.status == 200:
        return reply.body
    passing = reply.status == 429 or reply.status >= 500
    raise SendFailed(f"http_{reply.status}", retryable=passing)


def _address(link: str) -> str:
    """The one address to fetch `link` from. Raises SendFailed, final unless the name cannot be looked up just now."""
    try:
        parts = urlsplit(link)
        host, port = parts.hostname or "", parts.port
    except ValueError as error:
        raise _refused("bad_link") from error
    if not link.isascii() or re.search(r"[\x00-\x20\\]", link) or "@" in parts.netloc:
        raise _refused("bad_link")
    if not _HOST.fullmatch(host) or not _listed(host):
        raise _refused("host_not_allowed")
    own = os.environ.get("SALTER_STAGE") in _OWN_MACHINE_STAGES
    if parts.scheme != "https" and not (own and parts.scheme == "http"):
        raise _refused("not_https")
    if not own and port not in (None, 443):
        raise _refused("port_not_allowed")
    addresses = _resolved(host)
    if not addresses or not all(_may_be_asked(address, own, parts.scheme) for address in addresses):
        raise _refused("address_not_allowed")
    return str(addresses[0])


def _listed(host: str) -> bool:
    """Whether the list names this host, or by `.example.com` the domain it is in."""
    names = [name.strip().lower() for name in os.environ.get("VIBER_MEDIA_HOSTS", "").split(",")]
    return any(host == name or (name.startswith(".") and host.endswith(name)) for name in names if name)


def _resolved(host: str) -> list[ipaddress.IPv4Address | ipaddress.IPv6Address]:
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except OSError as error:
        raise SendFailed("host_unknown", retryable=True) from error
    return [ipaddress.ip_address(str(entry[4][0]).partition("%")[0]) for entry in found]


def _may_be_asked(address: ipaddress.IPv4Address | ipaddress.IPv6Address, own: bool, scheme: str) -> bool:
    """A public address; this machine's where that is allowed, and plain http to no other."""
    if address.is_loopback:
        return own
    mapped = getattr(address, "ipv4_mapped", None) or address
    return scheme == "https" and mapped.is_global and not mapped.is_multicast


def _refused(reason: str) -> SendFailed:
    return SendFailed(reason, retryable=False)
